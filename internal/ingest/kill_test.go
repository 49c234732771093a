package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlplogs "go.opentelemetry.io/proto/otlp/logs/v1"
	otlpmetrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// endured is a kind of telemetry that is sent while the engine is killed.
type endured struct {
	path, encoding string
	// request is the n-th of a sender, and what is to be stored of it once it is acknowledged. Samples lie a
	// millisecond apart: of two of a series with one time only one is stored.
	request func(sender, n int, now time.Time) (body []byte, things []string)
}

// perRequest is how many spans, records or samples a request has.
const perRequest = 50

var enduring = map[string]endured{
	"spans and their errors": {path: "/v1/traces", request: func(sender, n int, now time.Time) (body []byte, things []string) {
		request := traffic(rand.New(rand.NewPCG(uint64(sender), uint64(n))), perRequest, now)
		failed := 0
		for _, rs := range request.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					id, _ := spanIDOf(s.SpanId)
					things = append(things, fmt.Sprintf("span %d", uint64(id)))
					if failed++; failed%10 == 0 {
						message := fmt.Sprintf("of span %d", uint64(id))
						s.Events = append(s.Events, &otlp.Span_Event{Name: "exception", TimeUnixNano: s.EndTimeUnixNano,
							Attributes: []*common.KeyValue{text("exception.type", "A"), text("exception.message", message)}})
						things = append(things, "error "+message)
					}
				}
			}
		}
		return marshal(request), things
	}},
	"log records and their errors": {path: "/v1/logs", request: func(sender, n int, now time.Time) (body []byte, things []string) {
		var all []*otlplogs.LogRecord
		for i := range perRequest {
			name := fmt.Sprintf("record %d of request %d of sender %d", i, n, sender)
			r := &otlplogs.LogRecord{TimeUnixNano: uint64(now.UnixNano()), Body: said(name)}
			things = append(things, "log "+name)
			if i%10 == 0 {
				r.Attributes = []*common.KeyValue{text("exception.type", "B"), text("exception.message", name)}
				things = append(things, "error "+name)
			}
			all = append(all, r)
		}
		return marshal(records(all...)), things
	}},
	"samples over OTLP": {path: "/v1/metrics", request: func(sender, n int, now time.Time) (body []byte, things []string) {
		name := fmt.Sprintf("otlp_%d_%d", sender, n%20) // a new series now and then
		points := make([]*otlpmetrics.NumberDataPoint, perRequest)
		for i := range points {
			v := n*perRequest + i
			points[i] = &otlpmetrics.NumberDataPoint{TimeUnixNano: uint64(now.Add(time.Duration(v) * time.Millisecond).UnixNano()), Value: &otlpmetrics.NumberDataPoint_AsDouble{AsDouble: float64(v)}}
			things = append(things, fmt.Sprintf("sample %s %d", name, v))
		}
		return marshal(metricsRequest(&otlpmetrics.Metric{Name: name, Data: &otlpmetrics.Metric_Gauge{Gauge: &otlpmetrics.Gauge{DataPoints: points}}})), things
	}},
	"samples by remote write": {path: remoteWritePath, encoding: "snappy", request: func(sender, n int, now time.Time) (body []byte, things []string) {
		name := fmt.Sprintf("remote_%d_%d", sender, n%20)
		series := prompb.TimeSeries{Labels: wireLabels("__name__", name, "job", "api")}
		for i := range perRequest {
			v := n*perRequest + i
			series.Samples = append(series.Samples, prompb.Sample{Value: float64(v), Timestamp: now.Add(time.Duration(v) * time.Millisecond).UnixMilli()})
			things = append(things, fmt.Sprintf("sample %s %d", name, v))
		}
		request := prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}
		wire, err := request.Marshal()
		if err != nil {
			panic(err)
		}
		return snappy.Encode(nil, wire), things
	}},
}

// storedThings are the names of everything that is stored, as enduring calls them. A span without its resource or its
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
	for kind := range enduring {
		counts[kind] = len(a.things[kind])
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
	for kind, e := range enduring {
		for sender := range senders {
			sending.Go(func() {
				for n := 0; sendCtx.Err() == nil; n++ {
					body, things := e.request(sender, n, began)
					status, err := h.offer(sendCtx, e, body)
					switch {
					case err != nil && sendCtx.Err() == nil:
						t.Errorf("%s: %v", kind, err)
						return
					case status == http.StatusOK || status == http.StatusNoContent:
						acknowledged.add(kind, things)
					case status == http.StatusServiceUnavailable:
						unavailable.Add(1)
					case sendCtx.Err() == nil:
						t.Errorf("%s: got %d, want 503 while the engine is down", kind, status)
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
func (h *harness) offer(ctx context.Context, e endured, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.HTTPAddr()+e.path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", typeProtobuf)
	if e.encoding != "" {
		request.Header.Set("Content-Encoding", e.encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
