// Command report measures how long people wait: from the moment the last span of a slow transaction is sent until
// the report of its incident is delivered to a webhook, with the real program, real ingest and a fake model that
// answers at once. It does so with the default evaluation of rules every 10 s and with one every second. It ends
// with a table, a file in bench/results and one line RESULT; the exit status is 1 when a bound is missed.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

type options struct {
	rounds          int
	matrix, results string
}

// setting is one way to evaluate rules, and within what a report is to be delivered.
type setting struct {
	every, bound time.Duration
}

var settings = []setting{{10 * time.Second, 15 * time.Second}, {time.Second, 3 * time.Second}}

func main() {
	rig.ServeEngine()
	var o options
	flag.IntVar(&o.rounds, "rounds", 12, "incidents of each setting")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to measure")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.Parse()
	rig.Main("bench-report", func(ctx context.Context) error { return run(ctx, o) })
}

func run(ctx context.Context, o options) error {
	var table, result strings.Builder
	var missed error
	busy := load()
	for _, s := range settings {
		alarms, reports, err := measure(ctx, o, s)
		if err != nil {
			return err
		}
		slices.Sort(alarms)
		slices.Sort(reports)
		worst, verdict := reports[len(reports)-1], "held"
		if worst > s.bound {
			verdict, missed = "**missed**", errors.Join(missed, fmt.Errorf("at %s a report took %s, which is over %s", s.every, seconds(worst), seconds(s.bound)))
		}
		fmt.Fprintf(&table, "| %s | %d | %s | %s | %s | %s | %s | %s |\n", s.every, len(reports), seconds(middle(alarms)), seconds(alarms[len(alarms)-1]),
			seconds(middle(reports)), seconds(worst), seconds(s.bound), verdict)
		fmt.Fprintf(&result, " report_%s_median=%.1f report_%s_max=%.1f", s.every, middle(reports).Seconds(), s.every, worst.Seconds())
	}
	text := fmt.Sprintf("# From the last slow span to the delivered report\n\n`make bench-report`\n\n%s- load of the machine by others before the measurement (1 min): %s\n\n"+
		"From the moment at which a transaction with a slow statement is sent over OTLP/HTTP until a webhook on loopback has the message. Each round is an\n"+
		"incident of a service of its own without others open, sent at a random moment of the interval of evaluation. A fake model answers at once; its time is not taken off.\n\n"+
		"| evaluation every | incidents | alarm, median | alarm, longest | report, median | report, longest | bound | |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n%s",
		rig.Machine(), busy, table.String())
	fmt.Println(text)
	if o.results != "" {
		path := filepath.Join(o.results, "report-"+time.Now().UTC().Format(time.DateOnly)+".md")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Println("RESULT" + result.String())
	return missed
}

func middle(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// inbox is a webhook that keeps when the messages about each service came.
type inbox struct {
	mu   sync.Mutex
	came map[string]time.Time // by event and service
	wake chan struct{}
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var m struct {
		Event string `json:"event"`
		Data  struct {
			Incident struct {
				Service string `json:"service"`
			} `json:"incident"`
		} `json:"data"`
	}
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came[m.Event+" "+m.Data.Incident.Service] = now
	close(b.wake)
	b.wake = make(chan struct{})
	w.WriteHeader(http.StatusNoContent)
}

// wait returns when a message about a service came.
func (b *inbox) wait(ctx context.Context, event, service string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		b.mu.Lock()
		at, ok := b.came[event+" "+service]
		wake := b.wake
		b.mu.Unlock()
		if ok {
			return at, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return at, fmt.Errorf("no %s of %s came within a minute", event, service)
		}
	}
}

// measure returns how long the alarm and the report of each round took.
func measure(ctx context.Context, o options, s setting) (alarms, reports []time.Duration, err error) {
	dir, err := os.MkdirTemp("", "matrix-report-")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	model, err := llm.Start("sk-bench")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	config := filepath.Join(dir, "matrix.yaml")
	text := fmt.Sprintf("rules:\n  evaluate_every: %s\nai:\n  providers:\n    fake: {kind: openai, base_url: %q, api_key: sk-bench}\n  default_chain: [fake/gpt-test]\n", s.every, model.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, nil, err
	}
	matrix, err := rig.StartMatrix(ctx, dir, o.matrix, "--dev", "--config", config)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, matrix.Stop()) }()
	box := &inbox{came: map[string]time.Time{}, wake: make(chan struct{})}
	server := httptest.NewServer(box)
	defer server.Close()
	api, err := client.SignIn(ctx, matrix.URL, matrix.Email, matrix.Password)
	if err != nil {
		return nil, nil, err
	}
	target := map[string]any{"kind": "webhook", "name": "bench", "enabled": true, "config": map[string]string{"url": server.URL, "secret": "a secret of sixteen"}}
	if _, err := api.Call(ctx, http.MethodPost, "/api/v1/projects/1/channels", "", target, nil); err != nil {
		return nil, nil, err
	}
	for round := range o.rounds {
		service := fmt.Sprintf("shop-%02d", round)
		time.Sleep(rand.N(s.every)) // the evaluation knows nothing of us
		body, err := slow(service, byte(round+1))
		if err != nil {
			return nil, nil, err
		}
		sent := time.Now()
		if err := send(ctx, matrix, body); err != nil {
			return nil, nil, err
		}
		alarm, err := box.wait(ctx, "incident.alarm", service)
		if err != nil {
			return nil, nil, err
		}
		report, err := box.wait(ctx, "incident.report", service)
		if err != nil {
			return nil, nil, err
		}
		alarms, reports = append(alarms, alarm.Sub(sent)), append(reports, report.Sub(sent))
		// So that the next one has no neighbour, of which the service map would have to say whether it is the cause.
		if err := resolve(ctx, api, service); err != nil {
			return nil, nil, err
		}
		fmt.Printf("evaluation every %s, round %d: alarm %s, report %s\n", s.every, round+1, seconds(alarm.Sub(sent)), seconds(report.Sub(sent)))
	}
	if len(model.Requests()) < o.rounds {
		return nil, nil, fmt.Errorf("the model was asked %d times in %d rounds: %q", len(model.Requests()), o.rounds, model.Faults())
	}
	return alarms, reports, nil
}

// resolve ends the incident of a service.
func resolve(ctx context.Context, api *client.Client, service string) error {
	var page struct {
		Items []struct {
			ID      int64  `json:"id"`
			Service string `json:"service"`
		} `json:"items"`
	}
	if _, err := api.Get(ctx, "/api/v1/projects/1/incidents?service="+service, &page); err != nil {
		return err
	}
	for _, i := range page.Items {
		if _, err := api.Call(ctx, http.MethodPost, fmt.Sprintf("/api/v1/projects/1/incidents/%d/resolve", i.ID), "", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// load is how many processes wanted to run on the machine within the last minute.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// slow is a transaction of a service with a statement of 8.5 s that ended now.
func slow(service string, id byte) ([]byte, error) {
	text := func(key, value string) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
	}
	end := time.Now()
	at := func(ago time.Duration) uint64 { return uint64(end.Add(-ago).UnixNano()) }
	trace := bytes.Repeat([]byte{id}, 16)
	entry, statement := []byte{id, 0, 0, 0, 0, 0, 0, 1}, []byte{id, 0, 0, 0, 0, 0, 0, 2}
	return proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", service)}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
			{TraceId: trace, SpanId: entry, Name: "GET /members", Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: at(9 * time.Second), EndTimeUnixNano: at(0),
				Attributes: []*commonpb.KeyValue{text("http.request.method", "GET"), text("http.route", "/members")}},
			{TraceId: trace, SpanId: statement, ParentSpanId: entry, Name: "SELECT", Kind: tracepb.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: at(8700 * time.Millisecond), EndTimeUnixNano: at(200 * time.Millisecond),
				Attributes: []*commonpb.KeyValue{text("db.system", "mysql"), text("db.statement", "SELECT a FROM members WHERE b = 7")}},
		}}},
	}}})
}

func send(ctx context.Context, m *rig.Matrix, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.HTTP+"/v1/traces", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Authorization", "Bearer "+m.Key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the spans were answered with %s", response.Status)
	}
	return nil
}
