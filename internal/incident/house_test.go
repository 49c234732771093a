package incident_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
	sealing "github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

const (
	secret  = "whsec-0123456789abcdef"
	baseURL = "https://matrix.example.com"
)

// house is incident, notify and the queue on a real database, with people at
// a fake Slack and a fake webhook. What is collected and asked is scripted.
type house struct {
	t       testing.TB
	db      *metadb.DB
	jobs    *job.Queue
	service *incident.Service
	slack   *fakeslack.Server
	webhook *fakewebhook.Server
	model   *llm.Server // nil without gateway

	mu       sync.Mutex
	now      time.Time
	projects map[project.ID]tenant.Project
	collect  func() (*ground.Bundle, error)
	// collectAbout, when set, is used in place of collect.
	collectAbout func(ctx context.Context, p project.ID, in evidence.Input) (*ground.Bundle, error)
	ask          func(ctx context.Context, in ai.Input) (*ai.Result, error)
	// inquire is the role that investigates; nil: it has no model.
	inquire func(ctx context.Context, in ai.Input) (*ai.Result, error)
	asked   []ai.Input
	// even is what the clock of the machine is said to do, calls the service map.
	even  func(time.Duration) bool
	calls func() (map[string][]string, error)
}

func newHouse(t testing.TB, db *metadb.DB, change ...func(*incident.Options)) *house {
	t.Helper()
	h := &house{
		t: t, db: db, slack: fakeslack.New(t), webhook: fakewebhook.New(t, secret),
		// An hour ago: what the house plans for the next minutes, the queue does at once.
		now: time.Now().Add(-time.Hour).Truncate(time.Microsecond),
		projects: map[project.ID]tenant.Project{
			1: {ID: 1, Name: "TEST-PROJECT", Language: "ko"},
			2: {ID: 2, Name: "OTHER", Language: "en"},
		},
		collect: func() (*ground.Bundle, error) { return evidenceOf(), nil },
		ask:     answering(goodAnswer),
	}
	var err error
	h.jobs, err = job.New(job.Options{DB: db, PollInterval: 50 * time.Millisecond, Queues: map[string]int{notify.Queue: 4}})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := sealing.NewKeyFile(bytes.Repeat([]byte{7}, sealing.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	dev := notify.Guard{Dev: true}
	client := notify.NewClient(dev)
	outbox, err := notify.New(notify.Options{DB: db, Jobs: h.jobs, Sealer: sealing.NewSealer(keys), Now: h.Now, Channels: []notify.Channel{
		slack.New(slack.Options{Client: client, Dev: true}), webhook.New(webhook.Options{Client: client, Guard: dev})}})
	if err != nil {
		t.Fatal(err)
	}
	for kind, config := range map[string]string{
		"slack":   fmt.Sprintf(`{"webhook_url": %q}`, h.slack.WebhookURL()),
		"webhook": string(h.webhook.Config()),
	} {
		_, err := outbox.Targets().Create(t.Context(), notify.Target{Project: 1, Kind: kind, Name: kind,
			Config: json.RawMessage(config), Enabled: true}, "ann")
		if err != nil {
			t.Fatal(err)
		}
	}
	options := incident.Options{
		DB: db, Jobs: h.jobs, Outbox: outbox, BaseURL: baseURL + "/", Location: seoul, Now: h.Now, Key: []byte("a key of links"),
		Even: func(d time.Duration) bool { return h.even == nil || h.even(d) },
		Calls: func(context.Context, project.ID, string, time.Time, time.Time) (map[string][]string, error) {
			if h.calls == nil {
				return nil, nil
			}
			return h.calls()
		},
		Project: func(_ context.Context, p project.ID) (tenant.Project, error) {
			if found, ok := h.projects[p]; ok {
				return found, nil
			}
			return tenant.Project{}, fault.New(fault.NotFound, "no such project")
		},
		Collect: func(ctx context.Context, p project.ID, in evidence.Input) (*ground.Bundle, error) {
			if h.collectAbout != nil {
				return h.collectAbout(ctx, p, in)
			}
			return h.collect()
		},
		Ask: func(ctx context.Context, _ ai.Caller, role string, in ai.Input) (*ai.Result, error) {
			switch {
			case role == ai.Investigator && h.inquire == nil:
				return nil, ai.ErrNoModel
			case role == ai.Investigator:
				return h.inquire(ctx, in)
			case role != incident.Role:
				t.Errorf("asked the role %s", role)
			}
			h.mu.Lock()
			h.asked = append(h.asked, in)
			h.mu.Unlock()
			return h.ask(ctx, in)
		},
	}
	for _, c := range change {
		c(&options)
	}
	h.service, err = incident.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// work runs the queue until the test ends.
func (h *house) work() {
	h.t.Helper()
	if err := h.jobs.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.jobs.Stop(ctx); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) fire(f rule.Firing) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return h.service.Open(ctx, tx, f) })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) get(id int64) *incident.Detail {
	h.t.Helper()
	d, err := h.service.Get(h.t.Context(), 1, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *house) list(q incident.Query) incident.Page {
	h.t.Helper()
	page, err := h.service.List(h.t.Context(), 1, q)
	if err != nil {
		h.t.Fatal(err)
	}
	return page
}

// analyse runs the job of an analysis and wants it to end.
func (h *house) analyse(id, run int64) {
	h.t.Helper()
	if err := h.service.RunAnalysis(h.t.Context(), id, run); err != nil {
		h.t.Fatal(err)
	}
}

// sent returns how many messages of a kind the outbox holds for all targets.
func (h *house) sent(id int64, kind string) int {
	h.t.Helper()
	n := 0
	for _, d := range h.get(id).Deliveries {
		if d.Message == kind {
			n++
		}
	}
	return n
}

func kinds(d *incident.Detail) []string {
	var out []string
	for _, e := range d.Timeline {
		out = append(out, e.Kind)
	}
	return out
}

// snoozed returns for how long err puts a job off.
func snoozed(t testing.TB, err error) time.Duration {
	t.Helper()
	var snooze *river.JobSnoozeError
	if !errors.As(err, &snooze) {
		t.Fatalf("the job ended with %v, want it put off", err)
	}
	return snooze.Duration
}

// evidenceOf is what the seed's report stands on.
func evidenceOf() *ground.Bundle {
	return &ground.Bundle{Title: "SQL response time >= 8000 ms in TEST-API", Facts: []ground.Fact{
		{ID: "E1", Kind: ground.Alarm, Text: "alarm: SQL response time >= 8000 ms occurred 1 times", Values: []ground.Value{
			{Name: "service", Value: "TEST-API"}, {Name: "phase", Value: "production"}, {Name: "rule", Value: "SlowSQL 알람"},
			{Name: "threshold", Value: "8000", Unit: "ms"}, {Name: "count", Value: "1", Unit: "count"}}},
		{ID: "E2", Kind: ground.Transaction, TraceID: "01000000000000000000000000000000", SpanID: "0000000000000001", Text: "transaction GET /v1/api/test took 11354 ms, of it 11327 ms SQL", Values: []ground.Value{
			{Name: "endpoint", Value: "GET /v1/api/test"}, {Name: "elapsed", Value: "11354", Unit: "ms"}, {Name: "sql_time", Value: "11327", Unit: "ms"}}},
		{ID: "E3", Kind: ground.Statement, Step: 11, TraceID: "01000000000000000000000000000000", SpanID: "000000000000000b",
			Text: "step 11: SELECT on test_tb1 took 8003 ms", Values: []ground.Value{
				{Name: "step", Value: "11"}, {Name: "operation", Value: "SELECT"}, {Name: "table", Value: "test_tb1", Class: mask.Table},
				{Name: "elapsed", Value: "8003", Unit: "ms"}}},
	}}
}

const goodAnswer = `{
	"summary": {"text": "특정 SQL 쿼리가 8003ms를 기록하였습니다.", "evidence": ["E3"]},
	"transaction": [{"text": "URL: /v1/api/test<GET>", "evidence": ["E2"]}],
	"analysis": [{"text": "인덱스 11의 SQL 쿼리에서 8003ms가 소요되었습니다.", "evidence": ["E3"]}],
	"actions": [{"text": "test_tb1 테이블의 실행 계획을 확인해 주십시오.", "evidence": ["E3"]}]
}`

// answering is a model that gives one answer; when it is not accepted, the
// chain is at its end.
func answering(answer string) func(context.Context, ai.Input) (*ai.Result, error) {
	return func(_ context.Context, in ai.Input) (*ai.Result, error) {
		if err := in.Validate(answer); err != nil {
			return nil, errors.Join(ai.ErrExhausted, err)
		}
		return &ai.Result{Text: answer, CallID: "call-1", Role: incident.Role, RoleVersion: 3, Provider: "fake", Model: "fake-1",
			Masked: []mask.Count{{Class: mask.Table, Count: 1}}, Tokens: []mask.Token{{Class: mask.Table, Token: "xcu2t3cc", Value: "test_tb1"}}}, nil
	}
}
