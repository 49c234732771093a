package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
)

// Where a front of the receiver holds a message.
const (
	open   = "open"   // nowhere
	before = "before" // it is on its way: the receiver does not have it
	behind = "behind" // the receiver has it, the sender does not know
)

// front stands before a receiver and holds what comes until the sender is gone.
type front struct {
	to   *fakewebhook.Server
	http *httptest.Server

	mu   sync.Mutex
	hold map[string]string // by event
	held chan string       // the events that are held, as they are
}

func newFront(t *testing.T, to *fakewebhook.Server) *front {
	t.Helper()
	f := &front{to: to, hold: map[string]string{}, held: make(chan string, 100)}
	f.http = httptest.NewServer(http.HandlerFunc(f.pass))
	t.Cleanup(func() { f.http.CloseClientConnections(); f.http.Close() })
	return f
}

func (f *front) set(event, where string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold[event] = where
}

func (f *front) pass(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var m struct {
		Event string `json:"event"`
	}
	_ = json.Unmarshal(body, &m) // the receiver refuses what is none
	f.mu.Lock()
	where := f.hold[m.Event]
	f.mu.Unlock()
	if where == before {
		f.held <- m.Event
		<-r.Context().Done()
		return
	}
	onward, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, f.to.URL(), bytes.NewReader(body))
	if err != nil {
		return
	}
	onward.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(onward)
	if err != nil {
		return
	}
	_ = response.Body.Close()
	if where == behind {
		f.held <- m.Event
		<-r.Context().Done()
		return
	}
	w.WriteHeader(response.StatusCode)
}

// wait waits until an event is held.
func (f *front) wait(t *testing.T, event string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case got := <-f.held:
			if got == event {
				return
			}
		case <-deadline:
			t.Fatalf("%s did not come; refused: %q", event, f.to.Refused())
		}
	}
}

// slowSpans is a transaction with a statement of 8.5 s that ended a moment ago.
func slowSpans() []byte {
	text := func(key, value string) *commonpb.KeyValue {
		return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
	}
	end := time.Now()
	at := func(ago time.Duration) uint64 { return uint64(end.Add(-ago).UnixNano()) }
	trace := bytes.Repeat([]byte{7}, 16)
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", "shop")}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
			{TraceId: trace, SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1}, Name: "GET /members", Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: at(9 * time.Second), EndTimeUnixNano: at(0),
				Attributes: []*commonpb.KeyValue{text("http.request.method", "GET"), text("http.route", "/members")}},
			{TraceId: trace, SpanId: []byte{0, 0, 0, 0, 0, 0, 0, 2}, ParentSpanId: []byte{0, 0, 0, 0, 0, 0, 0, 1}, Name: "SELECT", Kind: tracepb.Span_SPAN_KIND_CLIENT,
				StartTimeUnixNano: at(8700 * time.Millisecond), EndTimeUnixNano: at(200 * time.Millisecond),
				Attributes: []*commonpb.KeyValue{text("db.system", "mysql"), text("db.statement", "SELECT a FROM members WHERE b = 7")}},
		}}},
	}}})
	if err != nil {
		panic(err)
	}
	return body
}

// TestAMatrixThatIsKilledAtAnyStepBetweenFiredAndNotifiedLosesNothingAndRepeatsNothing
// kills the process with kill -9 at each step. What a receiver got before the
// sender could write it down is sent again, under the same key, by which the
// receiver knows it: there delivery is at least once, and the key makes it once.
func TestAMatrixThatIsKilledAtAnyStepBetweenFiredAndNotifiedLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const alarm, report = "incident.alarm", "incident.report"
	data := t.TempDir()
	config := filepath.Join(data, "matrix.yaml")
	if err := os.WriteFile(config, []byte("rules:\n  evaluate_every: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	model, err := llm.Start("sk-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	asked := make(chan struct{}, 100)
	model.Behave(func(llm.Request) llm.Reply {
		asked <- struct{}{}
		return llm.Reply{Hang: true}
	})
	receiver := fakewebhook.New(t, "a secret of sixteen")
	way := newFront(t, receiver)

	var url, email, password, key string
	start := func() (*process, *client.Client) {
		t.Helper()
		p := run(t, []string{"OPENAI_BASE_URL=" + model.URL, "OPENAI_API_KEY=sk-test", "OPENAI_MODEL=gpt-test"},
			append([]string{"serve", "--dev", "--data", data, "--config", config}, ports...)...)
		url = p.find(`MATRIX is ready on (\S+)`)
		if email == "" {
			email, password, key = p.find(`E-mail +(\S+)`), p.find(`Password +(\S+)`), p.find(`Ingest key +(\S+)`)
		}
		api, err := client.SignIn(t.Context(), url, email, password)
		if err != nil {
			t.Fatal(err)
		}
		return p, api
	}
	die := func(p *process) {
		t.Helper()
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.done
	}
	type incidents struct {
		Items []struct {
			ID int64 `json:"id"`
		} `json:"items"`
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come; held %v, refused %q", what, way.hold, receiver.Refused())
			}
		}
	}

	// Fired: the incident is there, its alarm and its analysis are rows.
	way.set(alarm, before)
	p, api := start()
	target := map[string]any{"kind": "webhook", "name": "on-call", "enabled": true, "config": map[string]string{"url": way.http.URL, "secret": "a secret of sixteen"}}
	if _, err := api.Call(t.Context(), http.MethodPost, "/api/v1/projects/1/channels", "", target, nil); err != nil {
		t.Fatal(err)
	}
	otlp := p.find(`OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, otlp+"/v1/traces", bytes.NewReader(slowSpans()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
		t.Fatalf("the spans were answered with %s", response.Status)
	}
	list := func() (found incidents) {
		if _, err := api.Get(t.Context(), "/api/v1/projects/1/incidents", &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	await("the incident", func() bool { return len(list().Items) == 1 })
	die(p)

	// While the alarm is sent: the receiver does not have it yet.
	p, _ = start()
	way.wait(t, alarm)
	die(p)

	// Sent, not written down; and while the model writes.
	way.set(alarm, behind)
	way.set(report, behind)
	for len(asked) > 0 {
		<-asked
	}
	p, _ = start()
	way.wait(t, alarm)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("the model was not asked")
	}
	die(p)
	if got := receiver.Keys(); len(got) != 1 || !strings.Contains(got[0], "/alarm/") {
		t.Fatalf("the receiver has %q, want the alarm once", got)
	}

	// The report, sent and not written down.
	way.set(alarm, open)
	model.Behave(llm.Analyst)
	p, _ = start()
	way.wait(t, report)
	die(p)

	way.set(report, open)
	_, api = start()
	one := new(struct {
		Report     *struct{ Source string }
		Deliveries []struct{ Message, Target, State string }
	})
	await("the end of all deliveries", func() bool {
		if _, err := api.Get(t.Context(), fmt.Sprintf("/api/v1/projects/1/incidents/%d", list().Items[0].ID), one); err != nil {
			t.Fatal(err)
		}
		for _, d := range one.Deliveries {
			if d.State != "delivered" {
				return false
			}
		}
		return len(one.Deliveries) == 4 // two messages, on the console and the webhook
	})
	if one.Report.Source != "model" || len(list().Items) != 1 {
		t.Errorf("report by %s, %d incidents", one.Report.Source, len(list().Items))
	}
	count := map[string]int{}
	for _, e := range receiver.Events() {
		count[e.Event]++
	}
	if count[alarm] != 1 || count[report] != 1 || len(count) != 2 {
		t.Errorf("the receiver has %v, want each message once", count)
	}
	// Both came twice under the one key, since both were killed behind the receiver.
	if keys := receiver.Keys(); len(keys) != 4 {
		t.Errorf("requests with the keys %q", keys)
	}
	if refused := receiver.Refused(); len(refused) > 0 {
		t.Errorf("refused: %q", refused)
	}
}
