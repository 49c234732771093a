package ground

import (
	"encoding/json"
	"regexp"
	"strings"
)

var (
	factLine = regexp.MustCompile(`(?m)^\[(E[0-9]+)\] ([a-z]+): (.*)$`)
	factID   = regexp.MustCompile(`^E[0-9]+$`)
)

// Read makes a bundle of a text that a model was asked with: its numbered facts,
// as Prompt writes them, or else the whole text as one note. Facts that are read
// have no Values: what only those say does not count.
func Read(prompt string) *Bundle {
	b := &Bundle{}
	for _, m := range factLine.FindAllStringSubmatch(prompt, -1) {
		b.Facts = append(b.Facts, Fact{ID: m[1], Kind: m[2], Text: m[3]})
	}
	if len(b.Facts) == 0 {
		b.Facts = []Fact{{ID: "E1", Kind: Note, Text: prompt}}
		return b
	}
	b.Title, _, _ = strings.Cut(prompt, "\n")
	return b
}

// Answer checks a model's answer, as Check does. Of an answer that is JSON the
// texts in it are checked, not its names and not the ids of facts.
func Answer(answer string, b *Bundle) []Violation {
	c := NewChecker(b)
	var document any
	if json.Unmarshal([]byte(answer), &document) != nil {
		return c.Check(answer)
	}
	var all []Violation
	seen := map[Violation]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			if factID.MatchString(v) {
				return
			}
			for _, found := range c.Check(v) {
				if !seen[found] {
					seen[found] = true
					all = append(all, found)
				}
			}
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			for _, each := range v {
				walk(each)
			}
		}
	}
	walk(document)
	return all
}
