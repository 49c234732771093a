package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/host"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/scrape"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/storage"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// house is the API over real stores.
type house struct {
	t       testing.TB
	db      *metadb.DB
	engine  *clickhouse.DB // nil when the test reads no telemetry
	tenants *tenant.Store
	first   *tenant.FirstStart
	opts    Options
	server  *server
	mux     *routes
	handler http.Handler
	log     *lockedBuffer
	sent    *sink
	serial  int
	foreign int64 // id of an API token of somebody else
}

// lockedBuffer is a log that tests read.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// sink is a channel with a secret, which keeps what is sent to it.
type sink struct {
	mu   sync.Mutex
	sent []string
}

func (*sink) Kind() string                { return "sink" }
func (*sink) Check(json.RawMessage) error { return nil }
func (*sink) Secrets() []string           { return []string{"secret"} }

func (s *sink) Send(_ context.Context, _ json.RawMessage, m notify.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, m.Text)
	return nil
}

// canned is a model that always says the same.
type canned struct{}

func (canned) Complete(_ context.Context, _ ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	if on != nil {
		if err := on(ai.Piece{Text: "hello"}); err != nil {
			return ai.Response{}, err
		}
	}
	return ai.Response{Text: "hello", Model: "m", Finish: ai.FinishStop}, nil
}

func newHouse(t testing.TB, db *metadb.DB, engine *clickhouse.DB, change func(*Options)) *house {
	t.Helper()
	h := &house{t: t, db: db, engine: engine, log: &lockedBuffer{}, sent: &sink{}}
	log := slog.New(slog.NewJSONHandler(h.log, nil))
	var err error
	keys, err := secret.NewKeyFile(bytes.Repeat([]byte{7}, secret.KeySize))
	h.must(err)
	h.tenants, err = tenant.New(tenant.Options{DB: db, Sealer: secret.NewSealer(keys)})
	h.must(err)
	h.first, err = h.tenants.Bootstrap(t.Context(), nil)
	h.must(err)
	signIn, err := oidc.New(oidc.Options{DB: db, Tenants: h.tenants, Sealer: secret.NewSealer(keys), Client: &http.Client{}, Log: log})
	h.must(err)
	jobs, err := job.New(job.Options{DB: db})
	h.must(err)
	if engine == nil {
		engine = &clickhouse.DB{} // never asked
	}
	gateway, err := ai.New(ai.Options{DB: db, Telemetry: engine, Dir: t.TempDir(), Services: map[string]ai.Service{"canned": {Kind: "canned", Provider: canned{}, Keys: []ai.Key{{Alias: "main"}}}},
		DefaultChain: []ai.Entry{{Provider: "canned", Model: "m"}}, Sealer: secret.NewSealer(keys), Log: log,
		Kinds: cannedKinds, OrgKinds: cannedKinds,
		Place: func(ctx context.Context, p project.ID) (org, group int64, err error) {
			found, err := h.tenants.Project(ctx, p)
			return found.OrgID, found.GroupID, err
		}})
	h.must(err)
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel() // some houses have no engine that it could store calls in
		_ = gateway.Close(gone)
	})
	h.must(gateway.Roles().Seed(t.Context()))
	outbox, err := notify.New(notify.Options{DB: db, Jobs: jobs, Sealer: secret.NewSealer(keys), Person: Reader(h.tenants), Channels: []notify.Channel{h.sent, slack.New(slack.Options{Client: http.DefaultClient})}})
	h.must(err)
	incidents, err := incident.New(incident.Options{DB: db, Jobs: jobs, Outbox: outbox, Project: h.tenants.Project, Ask: gateway.Run, Key: []byte("key of links"),
		Collect: func(context.Context, project.ID, evidence.Input) (*ground.Bundle, error) {
			return &ground.Bundle{}, nil
		}})
	h.must(err)
	thought, err := quality.New(quality.Options{DB: db, Jobs: jobs, AI: gateway})
	h.must(err)
	used, err := usage.New(usage.Options{DB: db, Telemetry: engine, Roles: gateway.Roles()})
	h.must(err)
	stored, err := storage.New(storage.Options{DB: engine, Tenants: h.tenants})
	h.must(err)
	metrics := metric.NewEngine(metric.NewStore(engine), nil)
	audited, err := audit.New(audit.Options{DB: db})
	h.must(err)
	t.Cleanup(func() { _ = audited.Close(context.Background()) }) // some tests close the database before
	alarms, err := rule.NewEngine(rule.EngineOptions{DB: db, Sources: rule.Sources{Traces: trace.NewStore(engine)},
		OnFire: incidents.Open, OnFailure: incidents.RuleFailed})
	h.must(err)
	h.opts = Options{
		AI:         gateway,
		Audit:      audited,
		Dashboards: dashboard.NewStore(db, nil),
		Flames:     flame.NewStore(engine),
		Hosts:      host.NewStore(metrics, trace.NewStore(engine)),
		Incidents:  incidents,
		Issues:     issue.NewStore(db, engine, nil),
		Logs:       logs.NewStore(engine),
		Metrics:    metrics,
		OIDC:       signIn,
		Outbox:     outbox,
		Quality:    thought,
		RuleEngine: alarms,
		Rules:      rule.NewStore(db, nil),
		Scrapes:    scrape.NewStore(db, nil),
		Storage:    stored,
		Tenants:    h.tenants,
		Traces:     trace.NewStore(engine),
		Usage:      used,
		Views:      view.NewStore(db, nil),

		Log: log, Version: "v1.2.3", OTLPHTTP: "http://127.0.0.1:4318", OTLPGRPC: "http://127.0.0.1:4317",
	}
	if change != nil {
		change(&h.opts)
	}
	h.server, h.mux, err = build(h.opts)
	h.must(err)
	h.handler = h.server.wrap(h.mux)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// client is a caller with credentials.
type client struct {
	h      *house
	cookie *http.Cookie
	token  string
}

func (h *house) anonymous() *client { return &client{h: h} }

// login signs in through the API.
func (h *house) login(email, password string) *client {
	h.t.Helper()
	answer := h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: email, Password: password}, nil)
	if answer.Code != http.StatusOK || len(answer.Result().Cookies()) != 1 {
		h.t.Fatalf("login as %s: %d %s", email, answer.Code, answer.Body)
	}
	return &client{h: h, cookie: answer.Result().Cookies()[0]}
}

// withToken makes an API token of the caller's and returns a caller that uses it.
func (c *client) withToken(scopes ...tenant.Scope) *client {
	c.h.t.Helper()
	answer := c.do(http.MethodPost, "/api/v1/tokens", TokenRequest{"test", scopes, time.Now().Add(time.Hour)}, nil)
	var token tenant.NewToken
	c.h.decode(answer, http.StatusCreated, &token)
	return &client{h: c.h, token: token.Secret}
}

// do sends a request as the client; headers come in pairs.
func (c *client) do(method, path string, body any, headers []string) *httptest.ResponseRecorder {
	c.h.t.Helper()
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		c.h.must(err)
		reader = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(c.h.t.Context(), method, path, reader)
	r.Host = "127.0.0.1:8080"
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.cookie != nil {
		r.AddCookie(c.cookie)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	c.h.handler.ServeHTTP(answer, r)
	return answer
}

func (h *house) decode(answer *httptest.ResponseRecorder, status int, into any) {
	h.t.Helper()
	if answer.Code != status {
		h.t.Fatalf("status %d, want %d: %s", answer.Code, status, answer.Body)
	}
	if into != nil {
		h.must(json.Unmarshal(answer.Body.Bytes(), into))
	}
}

// problem checks that an answer is a problem of this status and returns it.
func (h *house) problem(answer *httptest.ResponseRecorder, status int) Problem {
	h.t.Helper()
	if answer.Code != status || !strings.HasPrefix(answer.Header().Get("Content-Type"), "application/problem+json") {
		h.t.Fatalf("got %d %s %s, want a problem %d", answer.Code, answer.Header().Get("Content-Type"), answer.Body, status)
	}
	var p Problem
	h.must(json.Unmarshal(answer.Body.Bytes(), &p))
	if p.Status != status || p.Title == "" || p.Detail == "" || p.Kind == "" {
		h.t.Errorf("half a problem: %+v", p)
	}
	return p
}

// admin is the first start's account.
func (h *house) admin() *client { return h.login(h.first.Email, h.first.Password) }

// viewer is somebody who may only look at the first project.
func (h *house) viewer() *client {
	h.t.Helper()
	user, err := h.tenants.CreateUser(h.t.Context(), "viewer@example.com", "")
	h.must(err)
	h.must(h.tenants.SetMember(h.t.Context(), tenant.Actor{UserID: 1, System: true}, h.first.Org.ID, 0, user.Email, tenant.Viewer))
	return h.login(user.Email, user.Password)
}

func (h *house) projectPath(path string) string {
	return fmt.Sprintf("/api/v1/projects/%d%s", h.first.Project.ID, path)
}
