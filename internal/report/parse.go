package report

import (
	_ "embed" // the schema
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"golang.org/x/text/unicode/norm"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
)

// Schema is the JSON schema of a model's answer.
//
//go:embed schema.json
var Schema []byte

var schema = resolve(Schema)

const (
	maxAnswer   = 64 << 10 // bytes
	maxText     = 600      // runes of one point
	maxProblems = 10       // told to the model at once
)

func resolve(source []byte) *jsonschema.Resolved {
	var s jsonschema.Schema
	if err := json.Unmarshal(source, &s); err != nil {
		panic("report schema: " + err.Error())
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		panic("report schema: " + err.Error())
	}
	return resolved
}

// Parse reads a model's answer strictly: one JSON object of the schema, alone,
// in a code fence or in prose; every point one line in the language asked for,
// citing facts that exist and stating nothing the evidence does not contain.
// The error (fault.Invalid) lists what is wrong in words a model can act on.
func Parse(answer string, b *ground.Bundle, lang string) (*Report, error) {
	if len(answer) > maxAnswer {
		return nil, fault.New(fault.Invalid, "the answer is over %d bytes", maxAnswer)
	}
	document, err := extract(answer)
	if err != nil {
		return nil, err
	}
	if err := validate(document); err != nil {
		return nil, err
	}
	r := &Report{Language: language(lang), Source: ByModel}
	if err := json.Unmarshal([]byte(document), r); err != nil {
		return nil, fault.New(fault.Invalid, "the answer does not fit the schema: %v", err)
	}
	check := reader{bundle: b, checker: ground.NewChecker(b), language: r.Language}
	check.point("summary", &r.Summary)
	check.points("transaction", r.Transaction)
	check.points("analysis", r.Analysis)
	check.points("actions", r.Actions)
	if len(check.problems) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(check.problems[:min(len(check.problems), maxProblems)], "\n"))
	}
	return r, nil
}

var fence = regexp.MustCompile("(?s)```(?:json|JSON)?\\s*\n(.*?)```")

// extract finds the one JSON object of the answer.
func extract(answer string) (string, error) {
	if m := fence.FindStringSubmatch(answer); m != nil {
		answer = m[1]
	}
	start, end := strings.IndexByte(answer, '{'), strings.LastIndexByte(answer, '}')
	if start < 0 || end < start {
		return "", fault.New(fault.Invalid, "the answer holds no JSON object")
	}
	return answer[start : end+1], nil
}

func validate(document string) error {
	decoder := json.NewDecoder(strings.NewReader(document))
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fault.New(fault.Invalid, "the answer is not valid JSON: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "the answer holds more than one JSON object")
	}
	if err := duplicateKeys(json.NewDecoder(strings.NewReader(document))); err != nil {
		return err
	}
	if err := schema.Validate(value); err != nil {
		return fault.New(fault.Invalid, "the answer does not fit the schema: %v", err)
	}
	return nil
}

// duplicateKeys refuses an object that says a thing twice: readers differ in
// which of the two they take.
func duplicateKeys(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return fault.New(fault.Invalid, "the answer is not valid JSON: %v", err)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return fault.New(fault.Invalid, "the answer is not valid JSON: %v", err)
			}
			name, _ := key.(string)
			if seen[name] {
				return fault.New(fault.Invalid, "the key %.40q stands twice in one object", name)
			}
			seen[name] = true
		}
		if err := duplicateKeys(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// reader cleans the points of one answer and collects what is wrong with them.
type reader struct {
	bundle   *ground.Bundle
	checker  *ground.Checker
	language string
	problems []string
}

func (c *reader) points(section string, points []Point) {
	for i := range points {
		c.point(fmt.Sprintf("%s[%d]", section, i), &points[i])
	}
}

var (
	listMark  = regexp.MustCompile(`^(?:(?:[-*•#>]+|[0-9]{1,2}[.)])\s+)+`)
	citations = regexp.MustCompile(`\s*[\[(（]\s*E[0-9]+(?:\s*[,;]\s*E[0-9]+)*\s*[\])）]`)
	mention   = regexp.MustCompile(`\bE[0-9]{1,3}\b`)
	oneID     = regexp.MustCompile(`E[0-9]+`)
	heading   = regexp.MustCompile(`(?i)[\[【〔〖]\s*(?:요약|트랜잭션|프로파일\s*분석|조치\s*방안|summary|transaction|profile\s+analysis|actions?)\s*[\]】〕〗]`)
)

func (c *reader) point(at string, p *Point) {
	p.Evidence = unique(append(p.Evidence, inline(p.Text)...))
	for _, id := range append(mention.FindAllString(p.Text, -1), p.Evidence...) {
		if _, ok := c.bundle.Fact(id); !ok {
			c.problem(at, "cites the fact %s, which does not exist", id)
		}
	}
	text := ground.Line(citations.ReplaceAllString(p.Text, ""))
	text = strings.TrimSpace(strings.ReplaceAll(listMark.ReplaceAllString(text, ""), "**", ""))
	p.Text = text
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		c.problem(at, "has no text")
		return
	case n > maxText:
		c.problem(at, "is longer than %d characters", maxText)
		return
	case strings.ContainsRune(text, utf8.RuneError):
		c.problem(at, "is not valid UTF-8")
		return
	case heading.MatchString(norm.NFKC.String(text)):
		c.problem(at, "contains a section heading; write the sentence only")
		return
	}
	if !spoken(text, c.language) {
		c.problem(at, "is not written in %s", map[string]string{Korean: "Korean", English: "English"}[c.language])
	}
	for _, v := range c.checker.Check(text) {
		c.problem(at, "%s", v.String())
	}
}

func (c *reader) problem(at, format string, args ...any) {
	c.problems = append(c.problems, at+": "+fmt.Sprintf(format, args...))
}

func inline(text string) []string {
	var ids []string
	for _, group := range citations.FindAllString(text, -1) {
		ids = append(ids, oneID.FindAllString(group, -1)...)
	}
	return ids
}

// spoken tells a text of the language from one of another, by its script. A
// short label such as a URL or a name has none to judge by.
func spoken(text, lang string) bool {
	hangul, latin, other := 0, 0, 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Latin, r):
			latin++
		case unicode.IsLetter(r):
			other++
		}
	}
	if other > hangul+latin/4 || hangul+latin == 0 {
		return false
	}
	if lang == English {
		return hangul <= latin/4+2
	}
	return hangul > 0 || strings.Count(text, " ") < 4
}

func unique(ids []string) []string {
	seen := map[string]bool{}
	kept := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			kept = append(kept, id)
		}
	}
	return kept
}
