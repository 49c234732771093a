package ingest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestAKilledEngineLosesNoAcknowledgedSpan(t *testing.T) {
	ctx := t.Context()
	engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineOptions{Dir: t.TempDir(), Memory: 2 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopCtx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := engine.Stop(stopCtx); err != nil {
			t.Error(err)
		}
	})
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{engine.DSN()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(ctx, "trace", trace.Migrations()); err != nil {
		t.Fatal(err)
	}
	h := startOn(t, db, nil)
	client := h.dial()

	const senders, perRequest, kills = 4, 50, 3
	var mu sync.Mutex
	acknowledged := map[uint64]bool{} // span ids
	var unavailable atomic.Int64
	var sending sync.WaitGroup
	sendCtx, stopSending := context.WithCancel(ctx)
	defer stopSending()
	for sender := range senders {
		r := rand.New(rand.NewPCG(uint64(sender), 1))
		sending.Go(func() {
			for sendCtx.Err() == nil {
				request := traffic(r, perRequest, time.Now())
				_, err := client.Export(withKey(sendCtx, goodKey), request)
				switch {
				case err == nil:
					mu.Lock()
					for _, id := range spanIDs(request) {
						acknowledged[id] = true
					}
					mu.Unlock()
				case sendCtx.Err() != nil:
				case status.Code(err) == codes.Unavailable:
					unavailable.Add(1)
				default:
					t.Errorf("got %v, want Unavailable while the engine is down", err)
				}
			}
		})
	}
	progress := func(more int) {
		t.Helper()
		mu.Lock()
		goal := len(acknowledged) + more
		mu.Unlock()
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			n := len(acknowledged)
			mu.Unlock()
			if n >= goal {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d spans acknowledged, waiting for %d", n, goal)
			}
		}
	}
	for range kills {
		progress(500)
		if err := syscall.Kill(engine.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	progress(500)
	stopSending()
	sending.Wait()

	if unavailable.Load() == 0 {
		t.Error("no caller was told that the engine is away")
	}
	var rows []struct {
		ID uint64 `ch:"span_id"`
	}
	if err := db.Select(ctx, 7, &rows, "SELECT span_id FROM spans WHERE project_id = {project:UInt32}"); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		delete(acknowledged, row.ID)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged spans are missing", len(acknowledged))
	}
}

func spanIDs(request *collector.ExportTraceServiceRequest) (ids []uint64) {
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				id, _ := spanIDOf(s.SpanId)
				ids = append(ids, uint64(id))
			}
		}
	}
	return ids
}
