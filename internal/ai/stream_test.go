package ai_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// echoes streams the question back in pieces of n bytes.
func echoes(n int) provider {
	return func(_ context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		text := r.Messages[len(r.Messages)-1].Text
		for rest := text; rest != ""; {
			piece := rest[:min(n, len(rest))]
			rest = rest[len(piece):]
			if err := on(ai.Piece{Text: piece}); err != nil {
				return ai.Response{}, err
			}
		}
		return ai.Response{Text: text, Finish: ai.FinishStop}, nil
	}
}

func TestAStreamShowsOriginalsAndNeverAPartOfATokenWhateverTheChunks(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	const question = "mail kim@kakaocorp.com or call 010-1234-5678 at db9.internal.kakao.com, 그리고 kim@kakaocorp.com에게"
	for n := 1; n < 12; n++ {
		h.inProcess(t, echoes(n), hangs)
		var shown strings.Builder
		result, err := h.Run(t.Context(), caller, writer, ai.Input{Message: question, Stream: func(text string) error {
			shown.WriteString(text)
			if !strings.HasPrefix(question, shown.String()) {
				return fmt.Errorf("the client sees %q", shown.String())
			}
			return nil
		}})
		if err != nil || shown.String() != question || result.Text != question {
			t.Fatalf("in pieces of %d: %v; shown %q", n, err, shown.String())
		}
		if call := h.logged(t, result.CallID); strings.Contains(call.Answer, "kakaocorp") || call.Status != ai.CallOK {
			t.Errorf("logged %+v", call)
		}
	}
}

func TestBeforeTheFirstPieceTheNextModelIsAskedAndAfterItNone(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(begins bool, want, text string, wantErr error) {
		t.Helper()
		h.inProcess(t, func(_ context.Context, _ ai.Request, on func(ai.Piece) error) (ai.Response, error) {
			if begins {
				if err := on(ai.Piece{Text: "one two "}); err != nil {
					return ai.Response{}, err
				}
			}
			return ai.Response{Text: "one two "}, failing(ai.Transport, 0)
		}, answers("three"))
		var shown strings.Builder
		result, err := h.Run(t.Context(), caller, writer, ai.Input{Message: "count", Stream: func(text string) error {
			shown.WriteString(text)
			return nil
		}})
		if !errors.Is(err, wantErr) || !strings.HasPrefix(shown.String(), text) {
			t.Fatalf("err %v, shown %q", err, shown.String())
		}
		call := h.logged(t, result.CallID)
		if statuses(call) != want || (wantErr != nil) != (call.Status == ai.CallPartial) {
			t.Errorf("%s: attempts %s, want %s", call.Status, statuses(call), want)
		}
	}
	f(false, "first:error second:ok", "three", nil)
	f(true, "first:error", "one", ai.ErrPartial)
}

func TestAnAnswerThatDoesNotBeginOrStopsIsLeft(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	stops := func(ctx context.Context, _ ai.Request, on func(ai.Piece) error) (ai.Response, error) {
		if err := on(ai.Piece{Text: "one "}); err != nil {
			return ai.Response{}, err
		}
		<-ctx.Done()
		return ai.Response{Text: "one "}, fmt.Errorf("ask model: %w", ctx.Err())
	}
	f := func(first provider, entry ai.Entry, why string) {
		t.Helper()
		h.inProcess(t, first, answers("second"))
		entry.Provider, entry.Model = "first", "a"
		began := time.Now()
		result, err := h.Try(t.Context(), caller, &ai.Role{Code: "draft", SystemMessage: "Answer.", Chain: []ai.Entry{entry, {Provider: "second", Model: "b"}}}, ai.Input{Message: "hello"})
		if err != nil || result.Text != "second" || time.Since(began) > 10*time.Second {
			t.Fatalf("%+v, %v", result, err)
		}
		if a := h.logged(t, result.CallID).Attempts[0]; a.Status != ai.AttemptTimeout || a.Class != ai.TimedOut || a.Error != why {
			t.Errorf("logged %+v, want %q", a, why)
		}
	}
	f(hangs, ai.Entry{FirstTokenMs: 50}, "the answer did not begin within 50ms")
	f(stops, ai.Entry{BetweenMs: 60}, "the answer stopped for 60ms")
	f(stops, ai.Entry{FirstTokenMs: 5000, BetweenMs: 60, TimeoutMs: 100_000}, "the answer stopped for 60ms")
}
