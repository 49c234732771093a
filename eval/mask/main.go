// Command mask evaluates the masking of MATRIX on the corpus of labelled
// telemetry in internal/mask/testdata/corpus, and generates that corpus
// (-generate). `make eval-mask` runs it.
//
// A labelled span is found when nothing of it is left in the masked text but
// the structure of an address (scheme, port, common directories). A masked
// piece that touches no label is a false alarm. Leaks are labelled values that
// stand, whole, in the masked text.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/mask"
)

func main() {
	dir := flag.String("corpus", "internal/mask/testdata/corpus", "directory of the corpus")
	create := flag.Bool("generate", false, "write the corpus anew and end")
	listed := flag.Int("list", 20, "misses and false alarms to list, of each")
	hide := flag.Bool("hide-heldout", false, "do not list what became of the part held out")
	flag.Parse()
	if err := run(*dir, *create, *listed, *hide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, create bool, listed int, hide bool) error {
	if create {
		return generate(dir)
	}
	all := newScore()
	for _, name := range []string{"generated", "hand", "heldout"} {
		entries, err := read(filepath.Join(dir, name+".jsonl"))
		if err != nil {
			return err
		}
		part := newScore()
		for _, e := range entries {
			if err := part.add(e); err != nil {
				return err
			}
		}
		fmt.Printf("== %s: %d lines\n", name, len(entries))
		n := listed
		if hide && name == "heldout" {
			n = 0
		}
		part.print(n)
		all.merge(part)
	}
	fmt.Printf("== all\n")
	all.print(0)
	fmt.Printf("RESULT recall_secret=%s recall_structured=%s recall_text=%s precision=%s leaks=%d\n", all.recall(secretCategory), all.recall(structuredCategory),
		all.recall(textCategory), ratio(all.right, all.masked), all.leaks)
	return nil
}

func read(path string) ([]Entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var entries []Entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

// count is how many of what there is were found.
type count struct{ found, all int }

// score is the result of a part of the corpus.
type score struct {
	byClass, byCategory map[string]*count
	alarms              map[string]*count // by the class masked: right, all
	right, masked       int
	leaks               int
	misses, false       []string
}

func newScore() *score {
	return &score{byClass: map[string]*count{}, byCategory: map[string]*count{}, alarms: map[string]*count{}}
}

func tally(m map[string]*count, key string, found bool) {
	c := m[key]
	if c == nil {
		c = &count{}
		m[key] = c
	}
	c.all++
	if found {
		c.found++
	}
}

// structure is what may be left of an address: scheme, port, and directories every machine has.
var structure = regexp.MustCompile(`(?i)^jdbc:[a-z0-9]+(?::(?:thin|mem|aurora))?:|^[a-z0-9+]+://|:[0-9]{2,5}\b|^[CD]:|\b(?:home|users|var|log|logs|opt|etc|tmp|usr|bin|src|main|java|documents)\b`)

// left says what of a labelled span is not covered by the findings.
func left(e Entry, sp Span, found []mask.Finding) string {
	rest := []byte(e.Text[sp.Start:sp.End])
	for _, f := range found {
		for i := max(f.Start, sp.Start); i < min(f.End, sp.End); i++ {
			rest[i-sp.Start] = ' '
		}
	}
	remaining := string(rest)
	if sp.Class == mask.URL || sp.Class == mask.JDBCURL || sp.Class == mask.Path {
		remaining = structure.ReplaceAllString(remaining, " ")
	}
	if sp.Class == mask.Phone || sp.Class == mask.Email || sp.Class == mask.Literal {
		remaining = strings.Trim(remaining, " ()-.+%'")
	}
	return strings.Trim(remaining, " /?&=#;:,@{}[]()\\.-+%")
}

func (s *score) add(e Entry) error {
	session := mask.NewSession()
	var masked string
	var found []mask.Finding
	if e.Category == structuredCategory {
		out, err := session.MaskJSON([]byte(e.Text), fields)
		if err != nil {
			return fmt.Errorf("%s: %w", e.Text, err)
		}
		masked = string(out)
		found = session.Locate(masked, e.Text)
	} else {
		var err error
		if masked, found, err = session.Find(e.Text); err != nil {
			return fmt.Errorf("%s: %w", e.Text, err)
		}
	}
	for _, sp := range e.Spans {
		rest := left(e, sp, found)
		tally(s.byClass, string(sp.Class), rest == "")
		tally(s.byCategory, e.Category, rest == "")
		if rest != "" {
			s.misses = append(s.misses, fmt.Sprintf("%-9s %q left of %q in %q", sp.Class, rest, e.Text[sp.Start:sp.End], e.Text))
		}
		if value := e.Text[sp.Start:sp.End]; len(value) >= 5 && strings.Contains(masked, value) && !elsewhere(e, sp) {
			s.leaks++
		}
	}
	for _, f := range found {
		right := slices.ContainsFunc(e.Spans, func(sp Span) bool { return f.Start < sp.End && sp.Start < f.End })
		tally(s.alarms, string(f.Class), right)
		s.masked++
		if right {
			s.right++
		} else {
			s.false = append(s.false, fmt.Sprintf("%-9s %q in %q", f.Class, e.Text[f.Start:f.End], e.Text))
		}
	}
	return nil
}

// elsewhere says that a labelled value stands in the text without a label, too.
func elsewhere(e Entry, sp Span) bool {
	value := e.Text[sp.Start:sp.End]
	labelled := 0
	for _, other := range e.Spans {
		labelled += strings.Count(e.Text[other.Start:other.End], value)
	}
	return strings.Count(e.Text, value) > labelled
}

func (s *score) merge(o *score) {
	sum := func(to, from map[string]*count) {
		for key, c := range from {
			if to[key] == nil {
				to[key] = &count{}
			}
			to[key].found += c.found
			to[key].all += c.all
		}
	}
	sum(s.byClass, o.byClass)
	sum(s.byCategory, o.byCategory)
	sum(s.alarms, o.alarms)
	s.right += o.right
	s.masked += o.masked
	s.leaks += o.leaks
}

// ratio writes a ratio in four digits, rounded down: 1.0000 is all of them.
func ratio(found, all int) string {
	if all == 0 {
		return "1.0000"
	}
	n := found * 10000 / all
	return fmt.Sprintf("%d.%04d", n/10000, n%10000)
}

func (s *score) recall(category string) string {
	c := s.byCategory[category]
	if c == nil {
		return "1.0000"
	}
	return ratio(c.found, c.all)
}

func (s *score) print(listed int) {
	fmt.Printf("%-10s %8s %8s %8s %8s %9s\n", "class", "labelled", "recall", "masked", "right", "precision")
	for _, class := range mask.Classes() {
		labelled, masked := cmp.Or(s.byClass[string(class)], &count{}), cmp.Or(s.alarms[string(class)], &count{})
		if labelled.all+masked.all > 0 {
			fmt.Printf("%-10s %8d %8s %8d %8d %9s\n", class, labelled.all, ratio(labelled.found, labelled.all), masked.all, masked.found, ratio(masked.found, masked.all))
		}
	}
	for _, category := range []string{secretCategory, structuredCategory, textCategory} {
		if c := s.byCategory[category]; c != nil {
			fmt.Printf("%s: recall %s (%d of %d)\n", category, s.recall(category), c.found, c.all)
		}
	}
	fmt.Printf("precision %s (%d of %d), leaks %d\n", ratio(s.right, s.masked), s.right, s.masked, s.leaks)
	for i, miss := range s.misses {
		if i < listed {
			fmt.Println("  miss ", miss)
		}
	}
	for i, alarm := range s.false {
		if i < listed {
			fmt.Println("  alarm", alarm)
		}
	}
	fmt.Println()
}
