package mask

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestALexiconKnowsItsWordsInAnyCaseAndNoOthers(t *testing.T) {
	for _, l := range []*lexicon{sqlKeyword, announcing, stopWord, keys, pairs, ordinary, topLevel, noSecret, standardName} {
		is := map[string]bool{}
		for _, w := range l.words {
			is[w.word] = true
		}
		for _, w := range l.words {
			if l.word(strings.ToUpper(w.word)) != w.word || l.value(w.word) != w.value || w.value == 0 {
				t.Errorf("%q is not found", w.word)
			}
			for i := range len(w.word) {
				for _, other := range []string{w.word[:i] + "\x01" + w.word[i+1:], w.word[:i] + w.word[i+1:], w.word[:i] + "~" + w.word[i:]} {
					if l.has(other) != is[other] {
						t.Errorf("%q is found", other)
					}
				}
			}
		}
	}
	if stopWord.has("") || keys.has(strings.Repeat("password", 40)) {
		t.Error("what is no word is found")
	}
}

func TestFoldingEightBytesAtOnceIsFoldingEachOfThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		want := make([]byte, len(raw))
		for i, c := range raw {
			want[i] = lower[c]
		}
		if got := appendFold([]byte("X"), string(raw)); string(got) != "X"+string(want) || fold(string(raw)) != string(want) || !sameFolded(string(raw), string(want)) {
			t.Fatalf("%q became %q", raw, got)
		}
	})
}

func TestWhatIsWatchedForIsNeverPassedBy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c0-2_/.é-]{2,5}`)
		values, numbers := newMatcher(true, map[string]Class{}), newMatcher(false, map[string]Class{})
		for _, v := range rapid.SliceOfN(word, 0, 12).Draw(t, "values") {
			values.add(v, Table)
		}
		for _, v := range rapid.SliceOfN(word, 0, 4).Draw(t, "numbers") {
			numbers.add(v, Phone)
		}
		text := rapid.StringMatching(`[a-c0-2_/.é -]{0,40}`).Draw(t, "text")
		w := watchCores
		w.add(values)
		w.add(numbers)
		seen := map[int]bool{}
		for i := w.next(text, 0); i < len(text); i = w.next(text, i+1) {
			seen[i] = true
		}
		for i := 0; i+1 < len(text); i++ {
			for _, m := range []*matcher{values, numbers} {
				n, _ := m.at(text, i)
				if n != longest(m, text, i) {
					t.Fatalf("at %d of %q stand %d bytes, not %d", i, text, n, longest(m, text, i))
				}
				if n > 0 && !seen[i] {
					t.Fatalf("%q at %d of %q was passed by", text[i:i+n], i, text)
				}
			}
		}
	})
}

// longest is what at says, the slow way.
func longest(m *matcher, text string, i int) int {
	n := 0
	for w := range m.words {
		end := i + len(w)
		inside := m.whole && (i > 0 && wordByte(text[i]) && wordByte(text[i-1]) || strings.HasPrefix(text[i:], w) && end < len(text) && wordByte(text[end-1]) && wordByte(text[end]))
		if strings.HasPrefix(text[i:], w) && !inside {
			n = max(n, len(w))
		}
	}
	return n
}
