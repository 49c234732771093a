// Package e2e holds what MATRIX promises, tested on the whole product: the real
// app with its engine, databases and jobs, real OTLP in, real messages out.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/shop"
)

// patience bounds the way from a span to a delivered report: 10 s to the next
// evaluation, 5 s for the rest of the trace, and what a busy machine adds.
const patience = 90 * time.Second

// TestMain lets the test binary be the engine's process, too.
func TestMain(m *testing.M) { clickhousetest.Main(m) }

// house is a running MATRIX and its first administrator, signed in.
type house struct {
	t       *testing.T
	app     *app.App
	opts    app.Options
	api     *client.Client
	project uint32
	key     string
	email   string
	pass    string
	console *buffer
}

// start runs MATRIX on free ports and a data directory of its own.
func start(t *testing.T, change ...func(*app.Options)) *house {
	t.Helper()
	h := &house{t: t, console: &buffer{}}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h.opts = app.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", OTLPGRPC: "127.0.0.1:0", OTLPHTTP: "127.0.0.1:0",
		Dev: true, Version: "test", EngineMemory: 2 << 30, Console: h.console,
		EngineCommand: []string{executable, "engine"},
		File:          app.File{TimeZone: "Asia/Seoul"},
	}
	for _, c := range change {
		c(&h.opts)
	}
	h.run()
	first := h.app.FirstStart()
	if first == nil {
		t.Fatal("a new data directory must be a first start")
	}
	h.project, h.key, h.email, h.pass = uint32(first.Project.ID), first.Key, first.Email, first.Password
	h.signIn()
	t.Cleanup(h.stop)
	return h
}

func (h *house) run() {
	h.t.Helper()
	if err := h.opts.Check(); err != nil {
		h.t.Fatal(err)
	}
	h.app = app.New(h.opts, slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err := h.app.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) signIn() {
	h.t.Helper()
	api, err := client.SignIn(h.t.Context(), h.app.URL(), h.email, h.pass)
	if err != nil {
		h.t.Fatal(err)
	}
	h.api = api
}

func (h *house) stop() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.app.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v", err)
	}
}

// restart stops MATRIX and starts it again on the same data.
func (h *house) restart() {
	h.t.Helper()
	h.stop()
	h.run()
	h.signIn()
}

// path returns an API path below the house's project.
func (h *house) path(format string, args ...any) string {
	return fmt.Sprintf("/api/v1/projects/%d", h.project) + fmt.Sprintf(format, args...)
}

// get reads an API path, failing the test when it cannot be read.
func (h *house) get(path string, out any) {
	h.t.Helper()
	if _, err := h.api.Get(h.t.Context(), path, out); err != nil {
		h.t.Fatal(err)
	}
}

// channel adds a notification target.
func (h *house) channel(kind, name string, config json.RawMessage) {
	h.t.Helper()
	body := map[string]any{"kind": kind, "name": name, "config": config, "enabled": true}
	if _, err := h.api.Call(h.t.Context(), http.MethodPost, h.path("/channels"), "", body, nil); err != nil {
		h.t.Fatal(err)
	}
}

// shop returns the simulated shop, sending to this house.
func (h *house) shop() *shop.Shop {
	h.t.Helper()
	s, err := shop.New(shop.Options{Endpoint: h.app.OTLPHTTPURL(), Key: h.key})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// runShop lets the shop's customers come until the test ends.
func (h *house) runShop(s *shop.Shop) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := s.Run(ctx); err != nil && ctx.Err() == nil {
			h.t.Errorf("shop: %v", err)
		}
	})
	h.t.Cleanup(func() { cancel(); done.Wait() })
}

type incidentDetail struct {
	ID       int64  `json:"id"`
	State    string `json:"state"`
	Service  string `json:"service"`
	Matches  int    `json:"matches"`
	Analysis string `json:"analysis"`
	Alarm    string `json:"alarm"`
	Report   *struct {
		Source   string `json:"source"`
		Reason   string `json:"reason"`
		Role     string `json:"role"`
		Model    string `json:"model"`
		Summary  point  `json:"summary"`
		Analysis []point
		Actions  []point
	} `json:"report"`
	Evidence []struct {
		ID, Kind, Text string
		TraceID        string `json:"trace_id"`
		SpanID         string `json:"span_id"`
		Values         []struct{ Name, Value, Class string }
	} `json:"evidence"`
	Masking struct {
		Counts []struct {
			Class string
			Count int
		} `json:"counts"`
	} `json:"masking"`
	Deliveries []struct{ Message, Target, State string } `json:"deliveries"`
}

type point struct {
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
}

// incidents lists the newest incidents.
func (h *house) incidents() []incidentDetail {
	h.t.Helper()
	var page struct {
		Items []incidentDetail `json:"items"`
	}
	h.get(h.path("/incidents"), &page)
	return page.Items
}

// analysed waits for the first incident's report and returns the incident.
func (h *house) analysed() incidentDetail {
	h.t.Helper()
	var detail incidentDetail
	h.eventually("an analysed incident", func() bool {
		list := h.incidents()
		if len(list) == 0 {
			return false
		}
		detail = incidentDetail{}
		h.get(h.path("/incidents/%d", list[len(list)-1].ID), &detail)
		return detail.Report != nil
	})
	return detail
}

// eventually polls the real product until it has come to what is awaited.
func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s did not come within %s\nconsole:\n%s", what, patience, h.console)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// buffer is a console that can be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

var _ io.Writer = (*buffer)(nil)

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// expectInOrder fails unless the words occur in text one after the other.
func expectInOrder(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			t.Fatalf("%q is missing, or not after what precedes it, in:\n%s", word, text)
		}
		rest = after
	}
}

// modelKey is the key of the fake model service.
const modelKey = "sk-e2e"

// startModel runs a fake model service that analyses like a careful model, and
// returns it with the option that lets MATRIX use it.
func startModel(t *testing.T) (*llm.Server, func(*app.Options)) {
	t.Helper()
	server, err := llm.Start(modelKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, fault := range server.Faults() {
			t.Errorf("the model service got a bad request: %s", fault)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, func(o *app.Options) {
		o.File.AI.Providers = map[string]app.FileProvider{"openai": {Kind: "openai", BaseURL: server.URL, APIKey: modelKey}}
		o.File.AI.DefaultChain = []string{"openai/analyst-1"}
	}
}
