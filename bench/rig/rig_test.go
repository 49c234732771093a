package rig

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/load"
)

func TestAnAuditFindsTheSpanThatIsMissing(t *testing.T) {
	ledger := []byte("seed 7\nack 0 4 0\nack 3 4 1\n")
	stored := map[uint64]int{}
	for _, request := range []uint64{0, 3} {
		for id := range load.SpanIDs(7, request, 4) {
			stored[id]++
		}
	}
	check := func(want Audit) {
		t.Helper()
		if got, err := Check(ledger, stored); err != nil || got != want {
			t.Fatalf("audit %+v, error %v, want %+v", got, err, want)
		}
	}
	check(Audit{Acknowledged: 7})
	for id := range load.SpanIDs(7, 3, 2) { // one of these two was rejected
		delete(stored, id)
	}
	check(Audit{Acknowledged: 7, Missing: 1})
	for id := range load.SpanIDs(7, 0, 1) {
		stored[id]++
	}
	check(Audit{Acknowledged: 7, Missing: 1, Repeated: 1})
	if _, err := Check(bytes.Replace(ledger, []byte("ack"), []byte("???"), 1), stored); err == nil {
		t.Fatal("a damaged ledger was believed")
	}
}

func TestUsageCountsTheTimeOfThisProcess(t *testing.T) {
	before, err := UsageOf(os.Getpid())
	if err != nil {
		t.Skip("no /proc here")
	}
	for began := time.Now(); time.Since(began) < 60*time.Millisecond; {
	}
	after, err := UsageOf(os.Getpid())
	if err != nil || after.CPU <= before.CPU || after.Peak < 1<<20 {
		t.Fatalf("usage %+v after %+v, error %v", after, before, err)
	}
}

func TestAProcessThatEndsEarlySaysWhatItPrinted(t *testing.T) {
	p, err := Start(t.Context(), t.TempDir(), "unlucky", "/bin/sh", "-c", "echo no such engine; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Printed(context.Background(), "ready"); err == nil || !strings.Contains(err.Error(), "no such engine") {
		t.Fatalf("error %v", err)
	}
}
