package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// Span is a labelled part of an entry's text, in bytes.
type Span struct {
	Start int        `json:"start"`
	End   int        `json:"end"`
	Class mask.Class `json:"class"`
}

// Entry is one line of the corpus.
type Entry struct {
	Text     string `json:"text"`
	Category string `json:"category"` // secret, structured, text
	Spans    []Span `json:"spans"`
}

// The categories.
const (
	secretCategory     = "secret"
	structuredCategory = "structured"
	textCategory       = "text"
)

const seed = 20261129

// generate writes the corpus: what templates make, a part held out, and the lines
// written by hand, out of hand.txt.
func generate(dir string) error {
	d := drawer{rand.New(rand.NewPCG(seed, 1))}
	var open, held []Entry
	add := func(to *[]Entry, category, templates string, times int) error {
		for _, template := range strings.Split(strings.TrimSpace(templates), "\n") {
			for n := range times {
				e, err := fill(d, category, template, n)
				if err != nil {
					return err
				}
				*to = append(*to, e)
			}
		}
		return nil
	}
	for _, part := range []struct {
		to        *[]Entry
		category  string
		templates string
		times     int
	}{
		{&open, secretCategory, secretTemplates, 8}, {&open, textCategory, sqlTemplates, 9}, {&open, textCategory, placeTemplates, 9},
		{&open, textCategory, personTemplates, 9}, {&open, textCategory, harmlessTemplates, 8},
		{&held, secretCategory, heldSecretTemplates, 8}, {&held, textCategory, heldSQLTemplates, 9}, {&held, textCategory, heldPlaceTemplates, 9},
		{&held, textCategory, heldPersonTemplates, 9}, {&held, textCategory, heldHarmlessTemplates, 9},
	} {
		if err := add(part.to, part.category, part.templates, part.times); err != nil {
			return err
		}
	}
	for range 300 {
		text, spans := document(d)
		open = append(open, Entry{text, structuredCategory, spans})
	}
	for range 80 {
		text, spans := document(d)
		held = append(held, Entry{text, structuredCategory, spans})
	}
	hand, err := byHand(filepath.Join(dir, "hand.txt"))
	if err != nil {
		return err
	}
	for name, entries := range map[string][]Entry{"generated": open, "heldout": held, "hand": hand} {
		if err := write(filepath.Join(dir, name+".jsonl"), entries); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, entries []Entry) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for _, e := range entries {
		if e.Spans == nil {
			e.Spans = []Span{}
		}
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(veiled.Replace(out.String())), 0o644)
}

// veiled writes a character of invented keys as an escape of JSON: the text is the
// same, and programs that look for leaked keys in files do not take them for some.
var veiled = strings.NewReplacer("sk_live_", `sk\u005flive_`, "ghp_", `gh\u0070_`, "xoxb-", `xox\u0062-`, "AKIA", `AK\u0049A`, "glpat-", `glp\u0061t-`, "AIza", `AI\u007aa`,
	"npm_", `np\u006d_`, "sk-", `s\u006b-`, "SG.", `S\u0047.`, "hvs.", `hv\u0073.`, "-----BEGIN", `----\u002dBEGIN`, "hooks.slack.com", `hooks.sl\u0061ck.com`)

// fill replaces the placeholders of a template and puts every third line into
// the surroundings of a log.
func fill(d drawer, category, template string, n int) (Entry, error) {
	e := Entry{Category: category}
	var out strings.Builder
	if n%3 == 2 && !strings.HasPrefix(template, "{") && !strings.HasPrefix(template, "«ts»") && !strings.HasPrefix(template, "-----") {
		template = d.pick("«ts» «level» ", "[«thread»] ", "«hex16» ", "«ts» [«level»] «class»: ", "결과: ", "2026/06/17 14:03:22 ") + template
	}
	escaped := strings.HasPrefix(template, "{")
	for template != "" {
		i := strings.Index(template, "«")
		if i < 0 {
			i = len(template)
		}
		piece := template[:i]
		if !escaped {
			piece = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\"`, `\"`).Replace(piece)
		}
		out.WriteString(piece)
		if i == len(template) {
			break
		}
		name, rest, _ := strings.Cut(template[i+len("«"):], "»")
		p, ok := placeholders[name]
		if !ok {
			return e, fmt.Errorf("there is no placeholder %q", name)
		}
		start := out.Len()
		out.WriteString(p.draw(d))
		if p.class != "" {
			e.Spans = append(e.Spans, Span{start, out.Len(), p.class})
		}
		template = rest
	}
	e.Text = out.String()
	return e, nil
}

// byHand reads lines with labels «class:text»; a line # names the category of those below it.
func byHand(path string) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	category := textCategory
	var entries []Entry
	for _, line := range strings.Split(strings.ReplaceAll(string(data), "¦", ""), "\n") { // ¦ veils keys as write does
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			category, _, _ = strings.Cut(rest, ":")
			continue
		}
		if line == "" {
			continue
		}
		e := Entry{Category: category}
		var out strings.Builder
		for {
			before, rest, ok := strings.Cut(line, "«")
			out.WriteString(strings.ReplaceAll(before, "⏎", "\n"))
			if !ok {
				break
			}
			label, after, _ := strings.Cut(rest, "»")
			class, text, ok := strings.Cut(label, ":")
			if !ok {
				return nil, fmt.Errorf("no class in %q", label)
			}
			start := out.Len()
			out.WriteString(strings.ReplaceAll(text, "⏎", "\n"))
			e.Spans = append(e.Spans, Span{start, out.Len(), mask.Class(class)})
			line = after
		}
		e.Text = out.String()
		entries = append(entries, e)
	}
	return entries, nil
}
