package ship_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fake/search"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// house has records of calls and a destination for them.
type house struct {
	t         *testing.T
	db        *metadb.DB
	telemetry *clickhouse.DB
	server    *search.Server
	logs      bytes.Buffer

	mu     sync.Mutex
	now    time.Time
	paused []time.Duration
	told   map[project.ID][2]int
}

func newHouse(t *testing.T, db *metadb.DB) *house {
	t.Helper()
	h := &house{t: t, db: db, telemetry: clickhousetest.New(t), server: search.Start(), now: time.Now(), told: map[project.ID][2]int{}}
	t.Cleanup(func() {
		h.server.Close()
		if faults := h.server.Faults(); len(faults) > 0 {
			t.Errorf("the destination got what is not well formed: %v", faults)
		}
	})
	h.must(h.telemetry.Migrate(t.Context(), "ai", ai.Migrations()))
	h.must(h.telemetry.Migrate(t.Context(), "ai_ship", ship.Migrations()))
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
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

// shipper is that of a node.
func (h *house) shipper(change ...func(*ship.Options)) *ship.Shipper {
	h.t.Helper()
	opts := ship.Options{DB: h.db, Telemetry: h.telemetry, URLs: []string{h.server.URL}, User: "matrix", Password: "secret", Settle: time.Microsecond,
		Log: slog.New(slog.NewTextHandler(&h.logs, nil)), Now: h.clock,
		OnShipped: func(p project.ID, shipped, refused int) {
			h.mu.Lock()
			defer h.mu.Unlock()
			was := h.told[p]
			h.told[p] = [2]int{was[0] + shipped, was[1] + refused}
		},
		Wait: func(_ context.Context, d time.Duration) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.paused = append(h.paused, d)
			return nil
		}}
	for _, c := range change {
		c(&opts)
	}
	s, err := ship.New(opts)
	h.must(err)
	h.t.Cleanup(func() { h.must(s.Close()) })
	return s
}

// store stores n calls with two attempts each, that began ago, as a node does.
func (h *house) store(name string, n int, ago time.Duration) {
	h.t.Helper()
	const id = `lower(hex(sipHash128({name:String}, number)))`
	for _, sql := range []string{
		`INSERT INTO ai_attempts (project_id, at, call_id, number, provider, model, served_model, status, class, error, answer, latency_ms, input_tokens, output_tokens, usage_raw, cost_usd, dropped, key)
			SELECT 7, now64(3) - toIntervalMillisecond({ago:Int64}), ` + id + `, n, 'openai', 'gpt-5', if(n = 2, 'gpt-5-2026', ''), if(n = 1, 'error', 'ok'), if(n = 1, 'overloaded', ''),
				if(n = 1, 'busy', ''), if(n = 2, 'an answer', ''), 100 * n, 10, 20, '{"prompt_tokens":10}', if(n = 2, 0.25, NULL), ['seed'], 'main'
			FROM numbers({n:UInt64}) ARRAY JOIN [1, 2] AS n`,
		`INSERT INTO ai_calls (project_id, at, call_id, caller_kind, caller_name, caller_ref, role, role_version, label, language, status, provider, model, parameters, system, message, answer, parsed,
				finish, schema_valid, dropped, latency_ms, first_token_ms, overhead_us, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd, masked, attempts)
			SELECT 7, now64(3) - toIntervalMillisecond({ago:Int64}), ` + id + `, 'api', 'kim', 'token/3', 'writer', 4, 'production', 'ko', 'ok', 'openai', 'gpt-5',
				'{"temperature":0.5,"top_k":3,"stop":["x"],"reasoning_effort":"low"}', 'Write.', 'Hello', 'an answer', '{"text":"an answer"}', 'stop', true, ['seed'], 300, 50, 900, 20, 5, 40, 8, 0.25, '[{"class":"ip","count":2}]', 2
			FROM numbers({n:UInt64})`,
	} {
		h.must(h.telemetry.Exec(h.t.Context(), sql, clickhouse.P("name", name), clickhouse.P("n", uint64(n)), clickhouse.P("ago", ago.Milliseconds())))
	}
	time.Sleep(5 * time.Millisecond) // the engine's clock, by which they have arrived, is another
}

func (h *house) run(s *ship.Shipper) {
	h.t.Helper()
	h.must(s.Run(h.t.Context()))
}

func (h *house) status(s *ship.Shipper) *ship.Progress {
	h.t.Helper()
	st, err := s.Status(h.t.Context())
	h.must(err)
	return st
}

// holds fails unless there are exactly n calls, each once, with their attempts.
func (h *house) holds(n int) {
	h.t.Helper()
	count := func(stream string, want int) {
		h.t.Helper()
		seen := map[string]int{}
		for _, d := range h.server.Documents(stream) {
			seen[d.ID]++
		}
		if got := len(h.server.Documents(stream)); got != want || len(seen) != want {
			h.t.Errorf("%s holds %d documents with %d ids, want %d", stream, got, len(seen), want)
		}
	}
	count("matrix-ai-calls", n)
	count("matrix-ai-attempts", 2*n)
}

func TestRecordsAreShippedOnceWithTheNamesOfTheConventions(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.store("a", 3, time.Second)
		s := h.shipper()
		if st := h.status(s); st.Waiting != 3 || st.Oldest == nil || st.At != nil {
			t.Errorf("before: %+v", st)
		}
		h.run(s)
		h.run(s)
		h.holds(3)
		h.store("b", 1200, time.Minute) // several batches
		h.run(s)
		h.holds(1203)
		if st := h.status(s); st.Waiting != 0 || st.Shipped != 3*1203 || st.Refused != 0 || st.Error != "" || st.At == nil || st.Index != "matrix-ai" {
			t.Errorf("after: %+v", st)
		}
		if h.told[7] != [2]int{3 * 1203, 0} {
			t.Errorf("told %v", h.told)
		}
		call := h.server.Documents("matrix-ai-calls")[0].Fields
		for name, want := range map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 20.0,
			"gen_ai.usage.output_tokens": 40.0, "gen_ai.usage.cache_read.input_tokens": 5.0, "gen_ai.usage.reasoning.output_tokens": 8.0, "gen_ai.request.temperature": 0.5, "gen_ai.request.top_k": 3.0,
			"matrix.caller.name": "kim", "matrix.role.code": "writer", "matrix.role.version": 4.0, "matrix.status": "ok", "matrix.cost_usd": 0.25, "matrix.latency_ms": 300.0,
			"matrix.first_token_ms": 50.0, "matrix.masked.total": 2.0, "matrix.schema_valid": true, "matrix.attempts": 2.0, "matrix.answer": "an answer", "matrix.project.id": 7.0,
		} {
			if call[name] != want {
				t.Errorf("%s = %v, want %v", name, call[name], want)
			}
		}
		if got := fmt.Sprint(call["matrix.parsed"]); got != "map[text:an answer]" {
			t.Errorf("parsed %s", got)
		}
		if got := fmt.Sprint(call["gen_ai.response.finish_reasons"]); got != "[stop]" {
			t.Errorf("finish reasons %s", got)
		}
		at, err := time.Parse(time.RFC3339, call["@timestamp"].(string))
		if err != nil || time.Since(at) > time.Hour {
			t.Errorf("@timestamp %v", call["@timestamp"])
		}
		for _, d := range h.server.Documents("matrix-ai-attempts") {
			first := strings.HasSuffix(d.ID, "-1")
			if _, priced := d.Fields["matrix.cost_usd"]; priced == first { // what is not known is not 0
				t.Errorf("cost of %s: %v", d.ID, d.Fields["matrix.cost_usd"])
			}
			if (d.Fields["error.type"] == "overloaded") != first || d.Fields["gen_ai.operation.name"] != "chat" || d.Fields["matrix.attempt.key"] != "main" || fmt.Sprint(d.Fields["matrix.attempt.usage"]) != "map[prompt_tokens:10]" {
				t.Errorf("attempt %v", d.Fields)
			}
		}
	})
}

func TestALateRecordOfAnotherNodeIsShipped(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("now", 5, 0)
	h.run(s)
	h.store("late", 5, 20*time.Hour) // its node could not reach the engine
	h.run(s)
	h.holds(10)
}

func TestARecordThatIsStoredAgainIsNotDoubled(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("a", 5, 0)
	h.run(s)
	h.store("a", 5, 0) // a node died between storing and noting that
	h.run(s)
	h.holds(5)
}

// recount counts the costs of all calls anew, as package usage does.
func (h *house) recount() {
	h.t.Helper()
	for _, sql := range []string{
		`INSERT INTO ai_attempts SELECT * REPLACE (4 * cost_usd AS cost_usd, now64(3) AS stored_at) FROM ai_attempts FINAL WHERE cost_usd IS NOT NULL`,
		`INSERT INTO ai_calls SELECT * REPLACE (4 * cost_usd AS cost_usd, now64(3) AS stored_at) FROM ai_calls FINAL`,
	} {
		h.must(h.telemetry.Exec(h.t.Context(), sql))
	}
	time.Sleep(5 * time.Millisecond)
}

// cost fails unless n documents of each stream say that they cost so much.
func (h *house) cost(n int, usd float64) {
	h.t.Helper()
	for _, stream := range []string{"matrix-ai-calls", "matrix-ai-attempts"} {
		got := 0
		for _, d := range h.server.Documents(stream) {
			if d.Fields["matrix.cost_usd"] == usd {
				got++
			}
		}
		if got != n {
			h.t.Errorf("%d documents of %s cost %g, want %d", got, stream, usd, n)
		}
	}
}

func TestACostThatWasCountedAgainReplacesTheOneThatWasShippedAlsoAfterARollover(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.store("a", 600, time.Minute)
		var recounting atomic.Bool
		s := h.shipper(func(o *ship.Options) {
			o.Changed = func(_ context.Context, from, to time.Time) (bool, error) {
				if now := time.Now(); from.After(now) || to.Before(now) {
					t.Errorf("asked for %s to %s", from, to)
				}
				return recounting.Load(), nil
			}
		})
		h.run(s)
		h.holds(600)
		h.cost(600, 0.25)
		recounting.Store(true)
		h.server.RollOver()
		h.recount()
		h.store("new", 5, 0) // and new ones come meanwhile
		h.run(s)
		h.holds(605)
		h.cost(600, 1)
		h.cost(5, 0.25)
		for _, d := range h.server.Documents("matrix-ai-calls")[:600] {
			if d.Index != ".ds-matrix-ai-calls-000001" {
				t.Fatalf("%s is in %s", d.ID, d.Index)
			}
		}
		if st := h.status(s); st.Waiting != 0 || st.Error != "" || st.Refused != 0 {
			t.Errorf("after: %+v", st)
		}
	})
}

// countedAgain has a shipper find that costs were counted again.
func countedAgain(o *ship.Options) {
	o.Changed = func(context.Context, time.Time, time.Time) (bool, error) { return true, nil }
}

func TestAnIndexThatTakesNoChangesKeepsTheOldCostsAndHoldsUpNothing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.store("a", 5, time.Minute)
	s := h.shipper(countedAgain)
	h.run(s)
	h.recount()
	h.server.RollOver()
	h.server.Item(func(d search.Document) (int, string) {
		if d.Index == ".ds-matrix-ai-calls-000001" {
			return http.StatusForbidden, "cluster_block_exception"
		}
		return 0, ""
	})
	h.store("new", 5, 0)
	h.run(s)
	h.holds(10)
	if st := h.status(s); st.Waiting != 0 || st.Refused != 5 || st.Error != "" {
		t.Errorf("after: %+v", st)
	}
}

func TestADocumentThatWasChangedMeanwhileIsLookedUpAndReplacedOnceMore(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.store("a", 5, time.Minute)
	s := h.shipper(countedAgain)
	h.run(s)
	h.recount()
	once := true
	h.server.Item(func(search.Document) (int, string) {
		if once {
			once = false
			return http.StatusConflict, "version_conflict_engine_exception"
		}
		return 0, ""
	})
	h.run(s)
	if st := h.status(s); st.Waiting == 0 || !strings.Contains(st.Error, "changed") {
		t.Errorf("after the conflict: %+v", st)
	}
	h.advance(time.Hour)
	h.run(s)
	h.holds(5)
	h.cost(5, 1)
}

func TestARecordIsReadOnlyWhenAllThatArrivedBeforeCanBeSeen(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.store("a", 5, 0)
	h.run(h.shipper(func(o *ship.Options) { o.Settle = 0 }))
	h.holds(0)
}

func TestAnAnswerThatIsLostDoublesNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		s := h.shipper()
		h.store("a", 700, 0)
		h.server.After(func() { panic(http.ErrAbortHandler) })
		h.run(s)
		if st := h.status(s); st.Error == "" || st.Failures != 1 || st.Waiting != 700 {
			t.Errorf("after the loss: %+v", st)
		}
		if len(h.server.Documents("matrix-ai-calls")) == 0 {
			t.Fatal("the destination has nothing: the test tests nothing")
		}
		h.server.RollOver() // from now on an id alone keeps nothing out
		h.run(s)            // too early
		if h.server.Bulks() != 1 {
			t.Error("it was asked again at once")
		}
		h.advance(2 * time.Second)
		h.run(s)
		h.holds(700)
		if st := h.status(s); st.Error != "" || st.Failures != 0 || st.Waiting != 0 {
			t.Errorf("in the end: %+v", st)
		}
	})
}

func TestAProcessThatDiesBeforeNotingDoublesNothing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.store("a", 10, 0)
	ctx, kill := context.WithCancel(t.Context())
	h.server.After(kill)
	if err := h.shipper().Run(ctx); err == nil {
		t.Fatal("it was not killed")
	}
	if len(h.server.Documents("matrix-ai-calls")) != 10 {
		t.Fatal("it was killed too early")
	}
	h.server.RollOver()
	next := h.shipper()
	h.run(next) // the dead one may still be at it
	h.advance(6 * time.Minute)
	h.run(next)
	h.holds(10)
}

func TestTwoNodesShipEveryRecordOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		first, second := h.shipper(), h.shipper()
		for round := range 6 {
			h.store(fmt.Sprint("round", round), 300, 0)
			h.server.RollOver()
			var both sync.WaitGroup
			for _, s := range []*ship.Shipper{first, second} {
				both.Go(func() {
					if err := s.Run(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			h.advance(time.Second)
		}
		h.run(first)
		h.holds(1800)
	})
}

func TestABusyDestinationIsAskedAgainLater(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("a", 10, 0)
	var refusals int
	h.server.Before(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Path != "/_bulk" || refusals >= 2 {
			return false
		}
		refusals++
		w.Header().Set("Retry-After", "7")
		search.Answer(w, http.StatusTooManyRequests, search.Failure(http.StatusTooManyRequests, "circuit_breaking_exception"))
		return true
	})
	busy := map[string]bool{}
	h.server.Item(func(d search.Document) (int, string) {
		if d.Stream == "matrix-ai-calls" && !busy[d.ID] {
			busy[d.ID] = true
			return http.StatusTooManyRequests, "rejected_execution_exception"
		}
		return 0, ""
	})
	h.run(s)
	h.holds(10)
	if fmt.Sprint(h.paused) != "[7s 7s 4s]" {
		t.Errorf("pauses %v", h.paused)
	}
	if st := h.status(s); st.Refused != 0 || st.Error != "" {
		t.Errorf("%+v", st)
	}
}

func TestADocumentThatIsNeverTakenIsCountedAndHoldsUpNothing(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("a", 10, 0)
	var bad string
	h.server.Item(func(d search.Document) (int, string) {
		if bad == "" || bad == d.ID {
			bad = d.ID
			return http.StatusBadRequest, "mapper_parsing_exception"
		}
		return 0, ""
	})
	h.run(s)
	h.store("b", 10, 0)
	h.run(s)
	if n := len(h.server.Documents("matrix-ai-calls")) + len(h.server.Documents("matrix-ai-attempts")); n != 59 {
		t.Errorf("%d documents of 60 less one", n)
	}
	if st := h.status(s); st.Refused != 1 || st.Shipped != 59 || st.Waiting != 0 || st.Error != "" {
		t.Errorf("%+v", st)
	}
	if h.told[7] != [2]int{59, 1} {
		t.Errorf("told %v", h.told)
	}
	if log := h.logs.String(); strings.Count(log, bad) != 1 || !strings.Contains(log, "mapper_parsing_exception") || strings.Contains(log, "Preview") {
		t.Errorf("log:\n%s", log)
	}
}

func TestAFailureOfTheDestinationLosesNothing(t *testing.T) {
	f := func(name string, fails func(w http.ResponseWriter, r *http.Request) bool, want string) {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, metadbtest.SQLite(t))
			s := h.shipper()
			h.store("a", 10, 0)
			h.server.Before(func(w http.ResponseWriter, r *http.Request, _ []byte) bool { return fails(w, r) })
			for range 3 {
				h.run(s)
				h.advance(time.Minute)
			}
			st := h.status(s)
			if st.Waiting != 10 || st.Failures != 3 || !strings.Contains(st.Error, want) || st.Refused != 0 {
				t.Errorf("%+v", st)
			}
			if strings.Count(h.logs.String(), "wait for their destination") != 1 {
				t.Errorf("log:\n%s", h.logs.String())
			}
			h.server.Before(nil)
			h.run(s)
			h.holds(10)
			if st := h.status(s); st.Waiting != 0 || st.Failures != 0 || st.Error != "" {
				t.Errorf("in the end: %+v", st)
			}
		})
	}
	at := func(path string, status int, kind string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, path) {
				return false
			}
			search.Answer(w, status, search.Failure(status, kind))
			return true
		}
	}
	f("bulk 503", at("/_bulk", http.StatusServiceUnavailable, "unavailable_shards_exception"), "503 unavailable_shards_exception")
	f("bulk 500", at("/_bulk", http.StatusInternalServerError, "null_pointer_exception"), "500")
	f("no right to write", at("/_bulk", http.StatusForbidden, "security_exception"), "403 security_exception")
	f("wrong password", at("/", http.StatusUnauthorized, "security_exception"), "401")
	f("no template", at("/_index_template/matrix-ai", http.StatusBadGateway, ""), "502")
	f("search fails", at("/_search", http.StatusInternalServerError, "search_phase_execution_exception"), "500")
	f("always busy", at("/_bulk", http.StatusTooManyRequests, "rejected"), "too much to do")
	f("another service answers", func(w http.ResponseWriter, r *http.Request) bool {
		_, err := w.Write([]byte("<html>"))
		return err == nil
	}, "does not answer as")
	f("too many shards", func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/_bulk" {
			return false
		}
		item := map[string]any{"create": map[string]any{"status": 400, "error": map[string]any{"type": "validation_exception"}}}
		search.Answer(w, http.StatusOK, map[string]any{"errors": true, "items": slices.Repeat([]any{item}, 30)})
		return true
	}, "400 validation_exception")
	f("results are missing", func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/_bulk" {
			return false
		}
		search.Answer(w, http.StatusOK, map[string]any{"errors": false, "items": []any{}})
		return true
	}, "30 documents with 0 results")
}

func TestADestinationThatIsAwayIsAskedAgainAfterAPause(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	away := h.shipper(func(o *ship.Options) {
		o.URLs = []string{"http://user:hidden@127.0.0.1:1"}
		o.User, o.Password = "", ""
	})
	h.store("a", 5, 0)
	h.run(away)
	st := h.status(away)
	if st.Error != "the destination does not answer" || st.Waiting != 5 || st.Failures != 1 {
		t.Errorf("%+v", st)
	}
	if fmt.Sprint(st.URLs) != "[http://127.0.0.1:1]" || strings.Contains(h.logs.String(), "hidden") {
		t.Errorf("the password is shown: %v\n%s", st.URLs, h.logs.String())
	}
	back := h.shipper()
	h.advance(time.Second)
	h.run(back)
	h.holds(5)
	if st := h.status(back); st.Error != "" {
		t.Errorf("%+v", st)
	}
}

func TestCredentialsAreSentAsTheyAreGiven(t *testing.T) {
	f := func(change func(*ship.Options), want string) {
		t.Helper()
		h := newHouse(t, metadbtest.SQLite(t))
		var got []string
		h.server.Before(func(_ http.ResponseWriter, r *http.Request, _ []byte) bool {
			got = append(got, r.Header.Get("Authorization"))
			return false
		})
		h.run(h.shipper(func(o *ship.Options) { o.User, o.Password = "", "" }, change))
		if len(got) == 0 || slices.ContainsFunc(got, func(s string) bool { return s != want }) {
			t.Errorf("sent %q, want %q", got, want)
		}
	}
	f(func(o *ship.Options) { o.User, o.Password = "u", "p" }, "Basic dTpw")
	f(func(o *ship.Options) { o.APIKey = "a2V5" }, "ApiKey a2V5")
	f(func(o *ship.Options) { o.URLs[0] = strings.Replace(o.URLs[0], "http://", "http://u:p@", 1) }, "Basic dTpw")
}

func TestARequestThatIsTooLargeIsHalved(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("a", 20, 0)
	h.server.Before(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if r.URL.Path != "/_bulk" || len(body) < 5000 {
			return false
		}
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return true
	})
	h.run(s)
	h.holds(20)
}

func TestANewClusterGetsEverythingThatIsKept(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	s := h.shipper()
	h.store("a", 10, 0)
	h.run(s)
	h.server.Replace("cluster-2")
	h.store("b", 10, 0)
	h.run(s)
	h.holds(20)
}

func TestRecordsFromBeforeShippingAreShipped(t *testing.T) {
	h := &house{t: t, db: metadbtest.SQLite(t), telemetry: clickhousetest.New(t), server: search.Start(), now: time.Now(), told: map[project.ID][2]int{}}
	t.Cleanup(h.server.Close)
	h.must(h.telemetry.Migrate(t.Context(), "ai", ai.Migrations()))
	h.store("before", 4, time.Hour)
	h.must(h.telemetry.Migrate(t.Context(), "ai_ship", ship.Migrations()))
	h.store("after", 4, 0)
	h.run(h.shipper())
	h.holds(8)
}

func TestAnIndexTemplateThatWasEditedIsLeftAsItIs(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.store("a", 1, 0)
	h.run(h.shipper(func(o *ship.Options) { o.Lifecycle = "ninety-days" }))
	put := string(h.server.Template("matrix-ai"))
	if !strings.Contains(put, `"index.lifecycle.name":"ninety-days"`) || !strings.Contains(put, `"matrix-ai-calls"`) {
		t.Errorf("template: %s", put)
	}
	h.store("b", 1, 0)
	h.run(h.shipper()) // another process, without the policy
	if now := string(h.server.Template("matrix-ai")); now != put {
		t.Error("the template was put again")
	}
}

func TestTheDashboardAsksForFieldsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("template.json")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Template struct {
			Mappings struct {
				Properties map[string]struct {
					Type string `json:"type"`
				} `json:"properties"`
			} `json:"mappings"`
		} `json:"template"`
	}
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	fields := template.Template.Mappings.Properties
	files, err := filepath.Glob("../../../deploy/kibana/*.ndjson")
	if err != nil || len(files) == 0 {
		t.Fatalf("no saved objects: %v", err)
	}
	ours := regexp.MustCompile(`(?:gen_ai|matrix|error)\.[a-z0-9_.]*[a-z0-9_]|@timestamp`)
	seen := map[string]bool{}
	ids, wanted := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
			var object struct {
				ID         string                     `json:"id"`
				Type       string                     `json:"type"`
				Attributes map[string]json.RawMessage `json:"attributes"`
				References []struct {
					ID   string `json:"id"`
					Type string `json:"type"`
				} `json:"references"`
			}
			if err := json.Unmarshal([]byte(line), &object); err != nil || object.ID == "" {
				t.Fatalf("%s line %d: %v", file, i+1, err)
			}
			ids[object.Type+"/"+object.ID] = true
			for _, r := range object.References {
				wanted[r.Type+"/"+r.ID] = true
			}
			for name, raw := range object.Attributes {
				var inner string // JSON within JSON
				if json.Unmarshal(raw, &inner) == nil && strings.HasPrefix(inner, "{") && !json.Valid([]byte(inner)) {
					t.Errorf("%s line %d: %s is no JSON", file, i+1, name)
				}
			}
			for _, field := range ours.FindAllString(line, -1) {
				seen[field] = true
				if _, ok := fields[field]; !ok {
					t.Errorf("%s line %d asks for %s, which the index template does not have", file, i+1, field)
				}
			}
		}
	}
	for id := range wanted {
		if !ids[id] {
			t.Errorf("%s is referred to and not there", id)
		}
	}
	for _, field := range []string{"matrix.caller.name", "matrix.role.code", "gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "matrix.cost_usd", "matrix.latency_ms", "error.type"} {
		if !seen[field] {
			t.Errorf("no panel shows %s", field)
		}
	}
}
