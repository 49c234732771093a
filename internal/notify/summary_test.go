package notify_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestATextLosesItsLastSectionsThenItsLastSentences(t *testing.T) {
	const text = "[Summary]\nOne is slow. Two is not. Three may be.\n\n[Cause]\nA query.\n\n[Actions]\n1. Index it, and look at the plan again before the release of Friday."
	const note = "(The full report is behind the link.)"
	f := func(limit int, want string) {
		t.Helper()
		m := notify.Message{Text: text, Link: "https://m.example.com/"}
		if got := m.Shorter(limit, notify.Characters); got != want {
			t.Errorf("%d: %q, want %q", limit, got, want)
		}
	}
	f(200, text)
	before, _, _ := strings.Cut(text, "\n\n[Actions]")
	f(len(text)-1, before+"\n\n"+note)
	f(100, "[Summary]\nOne is slow. Two is not. Three may be.\n\n"+note)
	f(80, "[Summary]\nOne is slow. Two is not.\n\n"+note)
	f(62, "[Summary]\nOne is slow.\n\n"+note)
	f(50, "[Summary]\n\n"+note)
	f(40, note)
}

func TestNumbersOfAListEndNoSentence(t *testing.T) {
	m := notify.Message{Text: "1. Add an index to a. 2. Then look again, e.g. tomorrow morning at nine."}
	if got := m.Shorter(60, notify.Characters); got != "1. Add an index to a.\n\n(The full report is in MATRIX.)" {
		t.Errorf("%q", got)
	}
}

func TestATitleEndsAfterAWord(t *testing.T) {
	f := func(subject string, limit int, want string) {
		t.Helper()
		if got := (notify.Message{Subject: subject}).Title(limit, notify.Characters); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("", 10, "MATRIX")
	f("slow\n  query", 20, "slow query")
	f("SlowSQL · order-api · PRODUCTION", 25, "SlowSQL · order-api …")
	f("abcdefghij", 5, "abcd…")
}

func TestSplittingLosesNothingButSpaceBetweenPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"word ", "문장이 끝납니다. ", "\n", "😀", "averyveryverylongword"})).Draw(t, "text"), "")
		limit := rapid.IntRange(4, 60).Draw(t, "limit")
		squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		var all strings.Builder
		for _, piece := range notify.Split(text, limit, notify.UTF16) {
			if notify.UTF16(piece) > limit {
				t.Fatalf("a piece of %d", notify.UTF16(piece))
			}
			all.WriteString(piece)
		}
		if squeeze(all.String()) != squeeze(text) {
			t.Fatalf("%q became %q", text, all.String())
		}
	})
}
