package ai_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// reopen ends the gateway of the house, leaving its log as it is, and opens
// another one on the same directory.
func (h *house) reopen(t *testing.T, dir string, limit int64) {
	t.Helper()
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: dir, LogLimit: limit, Services: map[string]ai.Service{"first": serviceOf(answers("good"))},
		DefaultChain: []ai.Entry{{Provider: "first", Model: "a"}}, Now: h.clock, Wait: h.wait})
	if err != nil {
		t.Fatal(err)
	}
	h.Gateway = g
}

// end closes the gateway as if the process had been killed.
func (h *house) end(t *testing.T) {
	t.Helper()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Close(gone); err != nil {
		t.Fatal(err)
	}
}

func (h *house) away(t *testing.T, away bool) {
	t.Helper()
	sql := `RENAME TABLE ai_calls TO ai_calls_away`
	if !away {
		sql = `RENAME TABLE ai_calls_away TO ai_calls`
	}
	if err := h.telemetry.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsWaitWhileTheEngineIsAwayAlsoOverARestart(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	dir := t.TempDir()
	h.reopen(t, dir, 0)
	h.away(t, true)
	var ids []string
	for range 3 {
		ids = append(ids, h.ask(t, ai.Input{Message: "hello"}).CallID)
	}
	h.end(t)
	h.away(t, false)
	h.reopen(t, dir, 0)
	for _, id := range ids {
		if call := h.logged(t, id); call.Status != ai.CallOK || len(call.Attempts) != 1 || call.Message == "" {
			t.Errorf("logged %+v", call)
		}
	}
	page, err := h.Calls(t.Context(), shop, ai.CallQuery{})
	if err != nil || page.Total != 3 {
		t.Errorf("page %+v, err %v", page, err)
	}
	h.end(t)
	h.reopen(t, dir, 0) // nothing is left to store a second time
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.end(t)
}

func TestCallsAreRefusedWhenTheirRecordsCannotBeKept(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.reopen(t, t.TempDir(), 2000)
	optional := h.role(t, func(r *ai.Role) { r.LogOptional = true })
	h.away(t, true)
	for n := 0; ; n++ {
		_, err := h.Run(t.Context(), caller, writer, ai.Input{Message: strings.Repeat("hello ", 50)})
		if err == nil && n < 20 {
			continue
		}
		if !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter == 0 || n == 0 {
			t.Fatalf("after %d calls: %v", n, err)
		}
		break
	}
	if _, err := h.Run(t.Context(), caller, optional, ai.Input{Message: "hello"}); err != nil {
		t.Errorf("a role that may do without a record: %v", err)
	}
	h.away(t, false)
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(t.Context(), caller, writer, ai.Input{Message: "hello"}); err != nil {
		t.Errorf("after the engine came back: %v", err)
	}
	h.end(t)
}
