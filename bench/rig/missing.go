package rig

import (
	"bytes"

	"github.com/matrix-aiops/matrix/internal/load"
)

// Audit compares what was acknowledged with what is stored.
type Audit struct {
	Acknowledged int // spans
	Missing      int // acknowledged, not stored
	Repeated     int // rows beyond the first of a span: a request repeated after its answer was lost
}

// Check holds a ledger against the stored span ids.
func Check(ledger []byte, stored map[uint64]int) (Audit, error) {
	seed, entries, err := load.ReadLedger(bytes.NewReader(ledger))
	if err != nil {
		return Audit{}, err
	}
	var a Audit
	for _, e := range entries {
		missing := 0
		for id := range load.SpanIDs(seed, e.Request, e.Spans) {
			if stored[id] == 0 {
				missing++
			}
		}
		a.Acknowledged += e.Spans - e.Rejected
		a.Missing += max(0, missing-e.Rejected)
	}
	for _, rows := range stored {
		a.Repeated += rows - 1
	}
	return a, nil
}
