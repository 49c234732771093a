package ingest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/load"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// storedThings are the names of everything that is stored, as load.Mix calls them. A span without its resource or its
// statement is none, nor is a sample without its series.
const storedThings = `
	SELECT concat('span ', toString(span_id)) AS thing FROM spans WHERE project_id = {project:UInt32}
		AND resource_id IN (SELECT resource_id FROM resources WHERE project_id = {project:UInt32})
		AND (db_hash = 0 OR db_hash IN (SELECT db_hash FROM sql_statements WHERE project_id = {project:UInt32}))
	UNION ALL SELECT concat('log ', body) FROM logs WHERE project_id = {project:UInt32}
	UNION ALL SELECT concat('error ', message) FROM error_events WHERE project_id = {project:UInt32} AND fingerprint != 0
	UNION ALL SELECT concat('sample ', metric, ' ', toString(toUInt64(value))) FROM metric_samples
		WHERE project_id = {project:UInt32} AND series_id IN (SELECT series_id FROM metric_series WHERE project_id = {project:UInt32})`

// acknowledgements is what was acknowledged, by kind.
type acknowledgements struct {
	mu     sync.Mutex
	things map[string][]string
}

func (a *acknowledgements) add(kind string, things []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.things[kind] = append(a.things[kind], things...)
}

func (a *acknowledgements) counts() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	counts := map[string]int{}
	for _, kind := range load.Mix {
		counts[kind.Name] = len(a.things[kind.Name])
	}
	return counts
}

// more waits until n things more of each kind are acknowledged.
func (a *acknowledgements) more(t *testing.T, n int) {
	t.Helper()
	before := a.counts()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		now, behind := a.counts(), 0
		for kind := range now {
			if now[kind] < before[kind]+n {
				behind++
			}
		}
		if behind == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("acknowledged until now: %v, a minute ago: %v", now, before)
		}
	}
}

func TestAKilledEngineLosesNothingThatWasAcknowledged(t *testing.T) {
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
	for noun, migrations := range map[string][]clickhouse.Migration{"trace": trace.Migrations(), "logs": logs.Migrations(), "metric": metric.Migrations(), "issue": issue.Migrations()} {
		if err := db.Migrate(ctx, noun, migrations); err != nil {
			t.Fatal(err)
		}
	}
	h := startOn(t, db, nil)

	const senders, kills = 2, 3 // senders of each kind
	acknowledged := &acknowledgements{things: map[string][]string{}}
	var unavailable atomic.Int64
	var sending sync.WaitGroup
	began := time.Now().Add(-time.Hour)
	sendCtx, stopSending := context.WithCancel(ctx)
	defer stopSending()
	for _, kind := range load.Mix {
		for sender := range senders {
			sending.Go(func() {
				for n := 0; sendCtx.Err() == nil; n++ {
					body, things, err := kind.Request(sender, n, began)
					if err != nil {
						t.Error(err)
						return
					}
					status, err := h.offer(sendCtx, kind, body)
					switch {
					case err != nil && sendCtx.Err() == nil:
						t.Errorf("%s: %v", kind.Name, err)
						return
					case status == http.StatusOK || status == http.StatusNoContent:
						acknowledged.add(kind.Name, things)
					case status == http.StatusServiceUnavailable:
						unavailable.Add(1)
					case sendCtx.Err() == nil:
						t.Errorf("%s: got %d, want 503 while the engine is down", kind.Name, status)
						return
					}
				}
			})
		}
	}
	for range kills {
		acknowledged.more(t, 500)
		if err := syscall.Kill(engine.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	acknowledged.more(t, 500)
	stopSending()
	sending.Wait()

	if unavailable.Load() == 0 {
		t.Error("no caller was told that the engine is away")
	}
	var rows []struct {
		Thing string `ch:"thing"`
	}
	if err := db.Select(ctx, 7, &rows, storedThings); err != nil {
		t.Fatal(err)
	}
	stored := make(map[string]bool, len(rows))
	for _, row := range rows {
		stored[row.Thing] = true
	}
	for kind, things := range acknowledged.things {
		missing, first := 0, ""
		for _, thing := range things {
			if !stored[thing] {
				missing++
				first = thing
			}
		}
		if missing > 0 {
			t.Errorf("%s: %d of %d acknowledged are missing, as %q", kind, missing, len(things), first)
		}
	}
}

// offer sends a request once and returns its status.
func (h *harness) offer(ctx context.Context, kind load.Kind, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.HTTPAddr()+kind.Path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", typeProtobuf)
	if kind.Encoding != "" {
		request.Header.Set("Content-Encoding", kind.Encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
