package ai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { clickhousetest.Main(m) }

const shop project.ID = 7

var caller = ai.Caller{Project: shop, Kind: "incident", Name: "analyzer", Ref: "incident/12"}

// house is a gateway with two model services, on real stores.
type house struct {
	*ai.Gateway
	first, second *llm.Server
	telemetry     *clickhouse.DB
	db            *metadb.DB
	logs          *bytes.Buffer
	mu            sync.Mutex
	now           time.Time
	paused        []time.Duration
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHouse(t *testing.T, db *metadb.DB) *house {
	t.Helper()
	h := &house{db: db, telemetry: clickhousetest.New(t), logs: &bytes.Buffer{}, now: time.Now().Truncate(time.Millisecond)}
	if err := h.telemetry.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	services := map[string]ai.Service{}
	serve := func(name string) *llm.Server {
		server, err := llm.Start("sk-secret-key")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = server.Close()
			if faults := server.Faults(); len(faults) > 0 {
				t.Errorf("%s got requests that are not well formed: %v", name, faults)
			}
		})
		p, err := openai.New(openai.Options{BaseURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		services[name] = ai.Service{Kind: "openai", Provider: p, Keys: []ai.Key{{Alias: "main", Secret: "sk-secret-key"}}}
		return server
	}
	h.first, h.second = serve("openai"), serve("backup")
	g, err := ai.New(ai.Options{DB: db, Telemetry: h.telemetry, Dir: t.TempDir(), Services: services,
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}, {Provider: "backup", Model: "local"}},
		Log:          slog.New(slog.NewTextHandler(h.logs, nil)), Now: h.clock, Wait: h.wait, Random: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	h.use(t, g)
	if err := g.Roles().Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	none := 0
	if _, err := g.Roles().Create(t.Context(), ai.Role{Code: writer, SystemMessage: "Write.", Retries: &none}, "kim"); err != nil {
		t.Fatal(err)
	}
	return h
}

// use makes g the gateway of the house.
func (h *house) use(t *testing.T, g *ai.Gateway) {
	t.Helper()
	h.Gateway = g
	closeAfter(t, g)
}

func closeAfter(t *testing.T, g *ai.Gateway) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

// writer is a role that answers in free text and asks no model twice.
const writer = "writer"

// ask is run of the writer.
func (h *house) ask(t *testing.T, in ai.Input) *ai.Result {
	t.Helper()
	result, err := h.Run(t.Context(), caller, writer, in)
	if err != nil {
		t.Fatalf("%v; attempts %+v", err, result)
	}
	return result
}

// wait notes a pause and does not make it.
func (h *house) wait(_ context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.paused = append(h.paused, d)
	return nil
}

func seedCase(t testing.TB) *ground.Bundle {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "report", "testdata", "seed.bundle.json"))
	if err != nil {
		t.Fatal(err)
	}
	var b ground.Bundle
	if err := json.Unmarshal(data, &b); err != nil {
		t.Fatal(err)
	}
	return &b
}

func input(b *ground.Bundle) ai.Input {
	return ai.Input{Message: b.Prompt(), Sensitive: b.Sensitive(), Language: "ko"}
}

func (h *house) run(t *testing.T, in ai.Input) *ai.Result {
	t.Helper()
	result, err := h.Run(t.Context(), caller, ai.AlertAnalyzer, in)
	if err != nil {
		t.Fatalf("%v; attempts %+v", err, result)
	}
	return result
}

func (h *house) logged(t *testing.T, id string) *ai.Call {
	t.Helper()
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	call, err := h.Call(t.Context(), shop, id)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

func TestACallIsMaskedAnsweredUnmaskedAndLogged(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		result := h.run(t, input(seedCase(t)))
		sent := string(h.first.Requests()[0].Raw)
		for _, secret := range []string{"test_tb1", "members", "pay.kakao.com", "real-database-url", "test_db"} {
			if strings.Contains(sent, secret) {
				t.Errorf("%q left the house", secret)
			}
		}
		for _, name := range []string{"test_tb1, test_tb2, test_tb3, test_tb4", "8003ms", "/v1/api/test"} {
			if !strings.Contains(result.Text, name) {
				t.Errorf("%q is missing in the answer %s", name, result.Text)
			}
		}
		if result.Provider != "openai" || result.Model != "gpt-4.1-mini" || result.RoleVersion != 1 || len(result.Attempts) != 1 || len(result.Masked) == 0 || result.Usage.CostUSD == nil {
			t.Errorf("result %+v", result)
		}
		call := h.logged(t, result.CallID)
		if call.Status != ai.CallOK || call.CallerRef != "incident/12" || call.Role != ai.AlertAnalyzer || call.Model != "gpt-4.1-mini" || call.Usage.CostUSD == nil ||
			call.Usage.InputTokens == 0 || len(call.Attempts) != 1 || !call.At.Equal(h.clock()) || call.Answer == "" || !strings.Contains(call.System, "Site Reliability Engineer") {
			t.Errorf("logged %+v", call)
		}
		if told := string(call.Attempts[0].UsageRaw); !strings.Contains(told, `"prompt_tokens":`) {
			t.Errorf("of its use the service told %s", told)
		}
		for _, text := range []string{call.System, call.Message, call.Answer} {
			if strings.Contains(text, "test_tb1") || strings.Contains(text, "pay.kakao.com") {
				t.Errorf("the log holds an original: %s", text)
			}
		}
		if _, err := h.Call(t.Context(), shop+1, result.CallID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another project reads the call: %v", err)
		}
	})
}

func TestTheWholeRequestIsAsTheGoldenFileShows(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.run(t, input(seedCase(t)))
	var out strings.Builder
	request := h.first.Requests()[0]
	fmt.Fprintf(&out, "model: %s\nformat: %s\n", request.Model, request.ResponseFormat.JSONSchema.Name)
	for _, m := range request.Messages {
		fmt.Fprintf(&out, "\n===== %s =====\n%s\n", m.Role, m.Content)
	}
	golden := filepath.Join("testdata", "request.golden.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != out.String() {
		t.Errorf("%v; the request is now:\n%s", err, out.String())
	}
}

func TestTheNextModelIsAskedAfterAnErrorATimeoutOrAnInvalidAnswer(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	role, err := h.Roles().Get(t.Context(), ai.Shared, writer)
	if err != nil {
		t.Fatal(err)
	}
	role.Chain = []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini", TimeoutMs: 100}, {Provider: "unconfigured", Model: "x"}, {Provider: "backup", Model: "local"}}
	before := ai.NewRoles(h.db, h.clock, []string{"openai", "unconfigured", "backup"}) // when all of them were configured
	if _, err := before.Update(t.Context(), *role, true, ai.Meant, "kim"); err != nil {
		t.Fatal(err)
	}
	in := input(seedCase(t))
	in.Validate = func(answer string) error {
		if answer != "good" {
			return fault.New(fault.Invalid, "it is not good")
		}
		return nil
	}
	f := func(want string, first ...llm.Reply) {
		t.Helper()
		h.first.Script(first...)
		h.second.Script(llm.Reply{Text: "good"})
		result := h.ask(t, in)
		var got []string
		for _, a := range h.logged(t, result.CallID).Attempts {
			got = append(got, fmt.Sprintf("%s:%s:%v", a.Provider, a.Status, a.Repair))
		}
		if strings.Join(got, " ") != want || result.Provider != "backup" || result.RoleVersion != 2 {
			t.Errorf("attempts %v, want %s; result %+v", got, want, result)
		}
	}
	f("openai:error:false unconfigured:skipped:false backup:ok:false", llm.Reply{Status: 503})
	f("openai:timeout:false unconfigured:skipped:false backup:ok:false", llm.Reply{Hang: true})
	f("openai:invalid:false openai:invalid:true unconfigured:skipped:false backup:ok:false", llm.Reply{Text: "bad"}, llm.Reply{Text: "worse"})
	f("openai:invalid:false openai:error:true unconfigured:skipped:false backup:ok:false", llm.Reply{Text: "bad"}, llm.Reply{Status: 500})
}

func TestARepairTellsTheModelWhatWasWrongWithoutTellingASecret(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.first.Script(llm.Reply{Text: "first"}, llm.Reply{Text: "second"})
	in := input(seedCase(t))
	in.Validate = func(answer string) error {
		if answer == "first" {
			return fault.New(fault.Invalid, "the table members and the host db9.kakao.com are not in the evidence")
		}
		return nil
	}
	result := h.ask(t, in)
	messages := h.first.Requests()[1].Messages
	told := messages[3].Content
	if len(messages) != 4 || messages[2].Content != "first" || !strings.Contains(told, "are not in the evidence") || strings.Contains(told, "members") || strings.Contains(told, "kakao") {
		t.Errorf("told %q", told)
	}
	if result.Text != "second" || result.Attempts[0].Status != ai.AttemptInvalid || strings.Contains(result.Attempts[0].Error, "members") {
		t.Errorf("result %+v", result)
	}
}

func TestWhenNoModelAnswersTheCallIsLoggedAndTheErrorSaysSo(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.first.Script(llm.Reply{Status: 401})
	h.second.Script(llm.Reply{Refusal: "no"})
	result, err := h.Run(t.Context(), caller, ai.AlertAnalyzer, input(seedCase(t)))
	if !errors.Is(err, ai.ErrExhausted) || ai.Reason(err) != "model_failed" || result.Text != "" {
		t.Fatalf("result %+v, err %v", result, err)
	}
	call := h.logged(t, result.CallID)
	if call.Status != ai.CallExhausted || len(call.Attempts) != 2 || call.Attempts[0].Error == "" || call.Usage.CostUSD != nil || strings.Contains(fmt.Sprint(call), "sk-secret") {
		t.Errorf("logged %+v", call)
	}
	if strings.Contains(h.logs.String(), "sk-secret") || strings.Contains(h.logs.String(), "test_tb1") {
		t.Errorf("a secret is in the logs: %s", h.logs)
	}
}

func TestWhatCannotBeMaskedIsNotSent(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	in := input(seedCase(t))
	in.Message = strings.Repeat("x", 2<<20)
	result, err := h.Run(t.Context(), caller, ai.AlertAnalyzer, in)
	if !errors.Is(err, ai.ErrMasking) || ai.Reason(err) != "masking_failed" {
		t.Fatalf("err %v", err)
	}
	if len(h.first.Requests())+len(h.second.Requests()) != 0 {
		t.Error("it was sent")
	}
	if call := h.logged(t, result.CallID); call.Status != ai.CallUnmasked || call.Message != "" || len(call.Attempts) != 0 {
		t.Errorf("logged %+v", call)
	}
}

func TestTheGateRefusesWhatWouldLeaveUnmasked(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(tool ai.Tool, refused bool) {
		t.Helper()
		sent := len(h.first.Requests()) + len(h.second.Requests())
		h.first.Script(llm.Reply{Text: "good"})
		result, err := h.Run(t.Context(), caller, writer, ai.Input{Message: "ask kim@kakaocorp.com", Tools: []ai.Tool{tool}})
		if refused != errors.Is(err, ai.ErrMasking) {
			t.Fatalf("err %v", err)
		}
		call := h.logged(t, result.CallID)
		if now := len(h.first.Requests()) + len(h.second.Requests()); refused && (now != sent || call.Status != ai.CallUnmasked || call.Attempts[0].Class != ai.Unmasked || strings.Contains(call.Attempts[0].Error, "kakaocorp")) {
			t.Errorf("%d requests were sent; logged %+v", now-sent, call)
		}
	}
	schema := func(description string) json.RawMessage {
		return json.RawMessage(`{"type":"object","properties":{"city":{"type":"string","description":"` + description + `"}}}`)
	}
	f(ai.Tool{Name: "mail", Description: "writes to lee@kakaocorp.com", Schema: schema("a city of Korea")}, false) // descriptions are masked
	f(ai.Tool{Name: "mail", Schema: schema("such as kim@kakaocorp.com")}, true)                                    // what is in a schema cannot be
	for _, r := range h.first.Requests() {
		if strings.Contains(string(r.Raw), "kakaocorp") {
			t.Errorf("sent %s", r.Raw)
		}
	}
}

func TestWithoutAProviderThereIsNoModel(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, g)
	if _, err := g.Run(t.Context(), caller, ai.AlertAnalyzer, input(seedCase(t))); !errors.Is(err, ai.ErrNoModel) || ai.Reason(err) != "no_model" {
		t.Errorf("err %v", err)
	}
	if _, err := h.Run(t.Context(), caller, "unknown-role", ai.Input{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("err %v", err)
	}
}

func TestACallerWaitsForTheRolesIntervalOnAllNodes(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		role, err := h.Roles().Get(t.Context(), ai.Shared, ai.AlertAnalyzer)
		if err != nil {
			t.Fatal(err)
		}
		role.RateLimitIntervalMs = 60_000
		if _, err := h.Roles().Update(t.Context(), *role, true, ai.Meant, "kim"); err != nil {
			t.Fatal(err)
		}
		in := input(seedCase(t))
		var wait sync.WaitGroup
		errs := make(chan error, 8)
		for range cap(errs) {
			wait.Go(func() {
				_, err := h.Run(t.Context(), caller, ai.AlertAnalyzer, in)
				errs <- err
			})
		}
		wait.Wait()
		close(errs)
		passed := 0
		for err := range errs {
			switch {
			case err == nil:
				passed++
			case !fault.Is(err, fault.RateLimited) || fault.As(err).RetryAfter <= 0 || ai.Reason(err) != "rate_limited":
				t.Errorf("err %v", err)
			}
		}
		if passed != 1 {
			t.Errorf("%d of 8 calls at once passed", passed)
		}
		other := caller
		other.Project++
		if _, err := h.Run(t.Context(), other, ai.AlertAnalyzer, in); err != nil {
			t.Errorf("another caller was held up: %v", err)
		}
		h.advance(time.Minute)
		if _, err := h.Run(t.Context(), caller, ai.AlertAnalyzer, in); err != nil {
			t.Errorf("after the interval: %v", err)
		}
	})
}

func TestACallerThatGoesAwayEndsTheChain(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	h.first.Behave(func(llm.Request) llm.Reply {
		cancel()
		return llm.Reply{Hang: true}
	})
	result, err := h.Run(ctx, caller, ai.AlertAnalyzer, input(seedCase(t)))
	if !errors.Is(err, context.Canceled) || len(h.second.Requests()) != 0 {
		t.Fatalf("err %v, %d requests to the next", err, len(h.second.Requests()))
	}
	if call := h.logged(t, result.CallID); call.Status != ai.CallCancelled {
		t.Errorf("logged %+v", call)
	}
}

func TestCallsAreListedByPageNewestFirst(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var ids []string
	for range 5 {
		ids = append([]string{h.run(t, input(seedCase(t))).CallID}, ids...)
		h.advance(time.Second)
	}
	var got []string
	query := ai.CallQuery{Limit: 2, CallFilter: ai.CallFilter{Role: ai.AlertAnalyzer, Ref: "incident/12"}}
	for {
		if err := h.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := h.Calls(t.Context(), shop, query)
		if err != nil || page.Total != 5 {
			t.Fatalf("page %+v, err %v", page, err)
		}
		for _, c := range page.Items {
			if c.System+c.Message+c.Answer != "" || c.Usage.InputTokens == 0 {
				t.Errorf("listed %+v", c)
			}
			got = append(got, c.CallID)
		}
		if query.Cursor = page.NextCursor; query.Cursor == "" {
			break
		}
	}
	if strings.Join(got, " ") != strings.Join(ids, " ") {
		t.Errorf("got %v, want %v", got, ids)
	}
	if _, err := h.Calls(t.Context(), shop, ai.CallQuery{Cursor: "x"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("err %v", err)
	}
	if page, err := h.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Ref: "incident/13"}}); err != nil || page.Total != 0 || len(page.Items) != 0 {
		t.Errorf("page %+v, err %v", page, err)
	}
}

func TestSpendingCountsWhatCostSomethingAndWhatHasNoPrice(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	began := h.clock()
	priced := h.run(t, input(seedCase(t)))
	h.advance(time.Minute)
	h.first.Script(llm.Reply{Status: 500}, llm.Reply{Status: 500}, llm.Reply{Status: 500})
	unpriced := h.run(t, input(seedCase(t))) // answered by a model without a price
	if err := h.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := h.Spent(t.Context(), shop, began, began.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	tokens := uint64(priced.Usage.InputTokens + unpriced.Usage.InputTokens)
	if s.Calls != 2 || s.Failed != 0 || s.Unpriced != 1 || s.InputTokens != tokens || s.CostUSD != *priced.Usage.CostUSD || s.CostUSD == 0 {
		t.Errorf("%+v", s)
	}
	if s, err := h.Spent(t.Context(), shop, began, began.Add(time.Minute)); err != nil || s.Calls != 1 || s.Unpriced != 0 {
		t.Errorf("the first minute: %+v, %v", s, err)
	}
	if s, err := h.Spent(t.Context(), shop+1, began, began.Add(time.Hour)); err != nil || s.Calls != 0 {
		t.Errorf("another project: %+v, %v", s, err)
	}
}

func TestAnUnknownModelCostsNothingKnown(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.first.Script(llm.Reply{Status: 500}, llm.Reply{Status: 500}, llm.Reply{Status: 500})
	if result := h.run(t, input(seedCase(t))); result.Usage.CostUSD != nil || result.Usage.InputTokens == 0 {
		t.Errorf("usage %+v", result.Usage)
	}
}

// canary marks one value of one class; none may arrive at the model.
func canary(class mask.Class, i int) string {
	n := fmt.Sprintf("%02d", i)
	return map[mask.Class]string{
		mask.JDBCURL: "jdbc:mysql://canary" + n + "-host.corp.example.com:3306/canary" + n + "_db?user=canary" + n + "user&password=canary" + n + "pw",
		mask.URL:     "https://canary" + n + ".kakao.com:8443/canary" + n + "/path?canary" + n + "=canary" + n,
		mask.Host:    "canary" + n + ".internal", mask.IP: "10.77.88." + n, mask.Database: "canary" + n + "_database", mask.Table: "canary" + n + "_table",
		mask.Literal: "canary" + n + " secret 'literal' \"" + n + "\"", mask.Email: "canary" + n + "@kakaocorp.com", mask.Phone: "010-7788-99" + n,
		mask.Path: "/canary" + n + "/path", mask.Name: "canary" + n + "name",
	}[class]
}

func TestNoCanaryOfAnyClassInAnyFieldReachesTheModel(t *testing.T) {
	classes := []mask.Class{mask.JDBCURL, mask.URL, mask.Host, mask.IP, mask.Database, mask.Table, mask.Literal, mask.Email, mask.Phone, mask.Path, mask.Name}
	kinds := []string{ground.Alarm, ground.Transaction, ground.Step, ground.Statement, ground.Call, ground.Wait, ground.Exception, ground.Comparison, ground.Note}
	h := newHouse(t, metadbtest.SQLite(t))
	b := &ground.Bundle{}
	n := 10
	var all []string
	for _, kind := range kinds {
		f := ground.Fact{ID: fmt.Sprintf("E%d", len(b.Facts)+1), Kind: kind, Step: len(b.Facts), Text: "took 8003 ms in"}
		for _, class := range classes {
			n++
			value := canary(class, n%90+10)
			all = append(all, value)
			f.Values = append(f.Values, ground.Value{Name: string(class), Value: value, Class: class})
			f.Text += " " + value + ", '" + strings.ToUpper(value) + "'\nand `" + value + "`;"
		}
		b.Facts = append(b.Facts, f)
	}
	b.Title = "alarm on " + strings.Join(all[:11], " ")
	h.first.Behave(func(r llm.Request) llm.Reply { // repeats every word it was told
		data, err := json.Marshal(map[string]string{"text": r.Messages[1].Content})
		if err != nil {
			t.Error(err)
		}
		return llm.Reply{Text: string(data)}
	})
	in := input(b)
	refusals := 0
	in.Validate = func(string) error {
		if refusals++; refusals == 1 {
			return errors.New("refused because of " + strings.Join(all, " and "))
		}
		return nil
	}
	result, err := h.Run(t.Context(), caller, h.role(t, func(r *ai.Role) {
		r.ResponseFormat = []byte(`{"type":"json_schema","name":"answer","schema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}}`)
	}), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.first.Requests()) != 2 {
		t.Fatalf("%d requests", len(h.first.Requests()))
	}
	for _, r := range h.first.Requests() {
		sent := strings.ToLower(string(r.Raw))
		for _, trace := range []string{"canary", "10.77.88.", "010-7788", "kakao"} {
			if i := strings.Index(sent, trace); i >= 0 {
				t.Errorf("%q arrived at the model: …%s…", trace, sent[max(0, i-80):min(len(sent), i+80)])
			}
		}
	}
	var answer struct{ Text string }
	if err := json.Unmarshal([]byte(result.Text), &answer); err != nil || answer.Text != b.Prompt() {
		t.Errorf("the answer came back changed: %v\n%s\nwant\n%s", err, answer.Text, b.Prompt())
	}
	call := h.logged(t, result.CallID)
	if stored := strings.ToLower(call.System + call.Message + call.Answer + fmt.Sprint(call.Attempts)); strings.Contains(stored, "canary") || strings.Contains(stored, "kakao") {
		t.Error("the call log holds an original")
	}
}
