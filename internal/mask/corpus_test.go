package mask_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/matrix-aiops/matrix/internal/mask"
)

// line is an entry of the corpus; see eval/mask, which measures recall and precision on it.
type line struct {
	Text     string `json:"text"`
	Category string `json:"category"`
	Spans    []struct {
		Start int        `json:"start"`
		End   int        `json:"end"`
		Class mask.Class `json:"class"`
	} `json:"spans"`
}

var corpus = sync.OnceValues(func() ([]line, error) {
	var all []line
	for _, name := range []string{"generated", "hand", "heldout"} {
		file, err := os.Open(filepath.Join("testdata", "corpus", name+".jsonl"))
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var l line
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				return nil, err
			}
			all = append(all, l)
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// corpusTexts are the texts of the corpus that are no documents.
func corpusTexts() []string {
	all, err := corpus()
	if err != nil {
		panic(err) // the tests of the corpus say so as well
	}
	var texts []string
	for _, l := range all {
		if l.Category != "structured" {
			texts = append(texts, l.Text)
		}
	}
	return texts
}

func TestTheCorpusIsLabelledInItsBounds(t *testing.T) {
	all, err := corpus()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 2000 {
		t.Errorf("%d lines", len(all))
	}
	known := map[mask.Class]bool{}
	for _, c := range mask.Classes() {
		known[c] = true
	}
	for _, l := range all {
		at := 0
		for _, sp := range l.Spans {
			if sp.Start < at || sp.End <= sp.Start || sp.End > len(l.Text) || !known[sp.Class] {
				t.Fatalf("%+v in %q", sp, l.Text)
			}
			at = sp.End
		}
	}
}

func TestEveryLineOfTheCorpusComesBackAndPassesTheGate(t *testing.T) {
	all, err := corpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		s := mask.NewSession()
		out := masked(t, s, l.Text)
		if again, err := s.Mask(out); err != nil || again != out {
			t.Errorf("%v, masked again:\n  text %q\n  once %q\n  then %q", err, l.Text, out, again)
		}
		if err := s.Gate(request(t, out), "gpt-4.1-mini"); err != nil {
			t.Errorf("%v for %q", err, out)
		}
	}
}

func TestNoSecretOfTheCorpusSurvives(t *testing.T) {
	all, err := corpus()
	if err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, l := range all {
		if l.Category == "structured" { // masked by its fields, in eval/mask
			continue
		}
		s := mask.NewSession()
		out := masked(t, s, l.Text)
		for _, sp := range l.Spans {
			if value := l.Text[sp.Start:sp.End]; sp.Class == mask.Secret || sp.Class == mask.Cookie {
				secrets++
				if len(value) > 4 && strings.Contains(out, value) {
					t.Errorf("%q survived in %q", value, out)
				}
			}
		}
	}
	if secrets < 400 {
		t.Errorf("%d secrets", secrets)
	}
}

func TestAllLinesOfTheCorpusInOneConversation(t *testing.T) {
	s := mask.NewSession()
	texts := corpusTexts()
	for len(texts) > 0 {
		n := min(100, len(texts))
		text := strings.Join(texts[:n], "\n")
		texts = texts[n:]
		if out := masked(t, s, text); s.Unmask(out) != text {
			t.Fatal("it did not come back")
		}
	}
}
