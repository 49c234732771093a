package mask_test

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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

// mangled joins lines of the corpus and breaks them: what is cut, repeated and
// replaced reads like nothing the scanner was made for.
func mangled(r *rand.Rand, texts []string) string {
	const signs = "'\"()=:;,./\\@-_ \n[]{}`$#<>|"
	var b []byte
	for range 1 + r.IntN(4) {
		b = append(b, texts[r.IntN(len(texts))]...)
		b = append(b, signs[r.IntN(len(signs))])
	}
	for range r.IntN(12) {
		i := r.IntN(len(b))
		switch r.IntN(4) {
		case 0:
			b[i] = byte(r.IntN(256))
		case 1:
			b = append(b[:i], b[min(len(b), i+r.IntN(6)):]...)
		case 2:
			j := r.IntN(len(b))
			b = slices.Insert(b, i, slices.Clone(b[min(i, j):max(i, j)])...)
		default:
			b[i] = signs[r.IntN(len(signs))]
		}
		if len(b) == 0 {
			return "x"
		}
	}
	return string(b)
}

func TestBrokenLinesComeBackAreStableAndPassTheGate(t *testing.T) {
	texts := corpusTexts()
	r := rand.New(rand.NewPCG(7, 9))
	const all = 4000
	refused := 0
	for range all {
		text := mangled(r, texts)
		s := mask.NewSession()
		out, err := s.Mask(text)
		if err != nil { // closed, which is right, but seldom
			if refused++; refused > all/200 {
				t.Fatalf("%d of %d are refused, now %q: %v", refused, all, text, err)
			}
			continue
		}
		if back := s.Unmask(out); back != text {
			t.Fatalf("x    %q\nback %q", text, back)
		}
		if again, err := s.Mask(out); err != nil || again != out {
			t.Fatalf("%v\nonce  %q\ntwice %q", err, out, again)
		}
		if err := s.Gate([]byte("x " + out)); err != nil {
			t.Fatalf("%v: %q", err, out)
		}
	}
}
