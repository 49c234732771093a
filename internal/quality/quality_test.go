package quality_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/quality"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

const (
	shop     project.ID = 7
	team     ai.Owner   = 70 // of all projects
	writer              = "writer"
	patience            = 30 * time.Second
)

// house is the service with a model service, on real stores.
type house struct {
	*quality.Service
	t     *testing.T
	db    *metadb.DB
	ai    *ai.Gateway
	model *llm.Server
	jobs  *job.Queue
}

func newHouse(t *testing.T, db *metadb.DB) *house {
	t.Helper()
	h := &house{t: t, db: db}
	telemetry := clickhousetest.New(t)
	h.must(telemetry.Migrate(t.Context(), "ai", ai.Migrations()))
	var err error
	h.model, err = llm.Start("sk")
	h.must(err)
	t.Cleanup(func() { _ = h.model.Close() })
	provider, err := openai.New(openai.Options{BaseURL: h.model.URL})
	h.must(err)
	h.ai, err = ai.New(ai.Options{DB: db, Telemetry: telemetry, Dir: filepath.Join(t.TempDir(), "calls"),
		Services:     map[string]ai.Service{"openai": {Kind: "openai", Provider: provider, Keys: []ai.Key{{Alias: "main", Secret: "sk"}}}},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}},
		Place:        func(context.Context, project.ID) (org, group int64, err error) { return int64(team), 1, nil }})
	h.must(err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.ai.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	h.must(h.ai.Roles().Seed(t.Context()))
	none := 0
	format := json.RawMessage(`{"type": "json_schema", "name": "word", "schema": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": false}}`)
	_, err = h.ai.Roles().Create(t.Context(), ai.Role{Code: writer, SystemMessage: "Write.", Retries: &none, RateLimitIntervalMs: 3_600_000, ResponseFormat: format}, "kim")
	h.must(err)
	h.open()
	return h
}

// open makes a queue and the service anew, as a restart does.
func (h *house) open() {
	h.t.Helper()
	var err error
	h.jobs, err = job.New(job.Options{DB: h.db, Node: "test", PollInterval: 20 * time.Millisecond, Queues: map[string]int{quality.Queue: quality.Workers}})
	h.must(err)
	h.Service, err = quality.New(quality.Options{DB: h.db, Jobs: h.jobs, AI: h.ai})
	h.must(err)
	h.Register(h.jobs)
}

// work starts the queue and returns what ends it; end hard gives up what runs.
func (h *house) work() (stop func(hard bool)) {
	h.t.Helper()
	h.must(h.jobs.Start(h.t.Context()))
	var once sync.Once
	queue := h.jobs
	stop = func(hard bool) {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if hard {
				cancel()
			}
			_ = queue.Stop(ctx)
		})
	}
	h.t.Cleanup(func() { stop(true) })
	return stop
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// until waits for something that a job does.
func (h *house) until(what string, done func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			h.t.Fatalf("not within %s: %s", patience, what)
		}
		select {
		case <-h.t.Context().Done():
			h.t.Fatal(h.t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *house) results(id int64) *quality.Results {
	h.t.Helper()
	r, err := h.Results(h.t.Context(), shop, id)
	h.must(err)
	return r
}

// run asks the writer as a caller of its own, because of its interval.
func (h *house) run(name, message string, grounded bool) *ai.Result {
	h.t.Helper()
	result, err := h.ai.Run(h.t.Context(), ai.Caller{Project: shop, Kind: "test", Name: name}, writer,
		ai.Input{Message: message, Grounded: func(string) bool { return grounded }})
	h.must(err)
	h.must(h.ai.Flush(h.t.Context()))
	return result
}

// word answers a request for a word.
func word(w string) llm.Reply { return llm.Reply{Text: `{"word": "` + w + `"}`} }

func TestTheIntervalOfWilsonIsAsInTheLiterature(t *testing.T) {
	f := func(hits, of int, low, high float64) {
		t.Helper()
		r := quality.Wilson(hits, of)
		if math.Abs(r.Low-low) > 0.0005 || math.Abs(r.High-high) > 0.0005 || r.Of != of {
			t.Errorf("%d of %d: %+v, want %g to %g", hits, of, r, low, high)
		}
	}
	// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
	f(81, 263, 0.2553, 0.3662)
	f(15, 148, 0.0624, 0.1605)
	f(0, 20, 0, 0.1611)
	f(1, 29, 0.0061, 0.1718)
	f(0, 0, 0, 1)
}

func TestWhatPeopleThinkIsKeptChangedTakenBackAndCountedByVersion(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.model.Behave(func(llm.Request) llm.Reply { return word("yes") })
		first, second := h.run("a", "one", true).CallID, h.run("b", "two", false).CallID
		say := func(call string, person int64, up bool, comment string) {
			t.Helper()
			_, err := h.Say(t.Context(), shop, quality.Feedback{CallID: call, Person: person, Name: fmt.Sprint("person ", person), Up: up, Comment: comment})
			h.must(err)
		}
		say(first, 1, false, "wrong")
		say(first, 1, true, "right after all")
		say(first, 2, true, "")
		say(second, 1, false, "vague")
		say(second, 2, true, "")
		h.must(h.TakeBack(t.Context(), shop, second, 2))
		if err := h.TakeBack(t.Context(), shop, second, 2); !fault.Is(err, fault.NotFound) {
			t.Errorf("taken back twice: %v", err)
		}
		said, err := h.Said(t.Context(), shop, first)
		h.must(err)
		i := slices.IndexFunc(said, func(f quality.Feedback) bool { return f.Person == 1 })
		if len(said) != 2 || i < 0 || !said[i].Up || said[i].Comment != "right after all" || said[i].Name != "person 1" || said[i].At.IsZero() {
			t.Errorf("said %+v", said)
		}
		if _, err := h.Say(t.Context(), shop+1, quality.Feedback{CallID: first, Person: 1}); !fault.Is(err, fault.NotFound) {
			t.Errorf("feedback on a call of another project: %v", err)
		}
		from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		versions, err := h.Versions(t.Context(), shop, writer, from, to)
		h.must(err)
		if len(versions) != 1 {
			t.Fatalf("versions %+v", versions)
		}
		v := versions[0]
		if v.Calls != 2 || v.Liked.Hits != 2 || v.Liked.Of != 3 || v.Valid.Hits != 2 || v.Valid.Of != 2 || v.Grounded.Hits != 1 || v.Grounded.Of != 2 ||
			v.Answered.Rate != 1 || v.CostPerCall == nil || v.Version != 1 || v.Model != "gpt-4.1-mini" {
			t.Errorf("version %+v", v)
		}
		h.must(h.db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error { return quality.Erase(ctx, tx, shop) }))
		if said, err := h.Said(t.Context(), shop, first); err != nil || len(said) != 0 {
			t.Errorf("after the project was erased: %+v, %v", said, err)
		}
	})
}

func TestACommentIsBoundedInCharacters(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(llm.Request) llm.Reply { return word("yes") })
	id := h.run("a", "question", true).CallID
	say := func(n int) error {
		_, err := h.Say(t.Context(), shop, quality.Feedback{CallID: id, Person: 1, Name: "kim", Comment: strings.Repeat("가", n)})
		return err
	}
	h.must(say(2000))
	if err := say(2001); !fault.Is(err, fault.Invalid) {
		t.Errorf("2001 characters: %v", err)
	}
}

func TestTheJudgeIsAskedAboutASampleOnceAndNeverAboutItself(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(r llm.Request) llm.Reply {
		if strings.Contains(r.Messages[0].Content, "You judge") {
			return llm.Reply{Text: `{"score": 4, "reason": "fits"}`}
		}
		return word("yes")
	})
	if _, err := h.SetJudging(t.Context(), quality.Judging{Role: ai.AnswerJudge, Share: 100, Daily: 10}); !fault.Is(err, fault.Invalid) {
		t.Errorf("the judge may be judged: %v", err)
	}
	_, err := h.SetJudging(t.Context(), quality.Judging{Role: writer, Share: 100, Daily: 2, UpdatedBy: "kim"})
	h.must(err)
	var calls []string
	for _, name := range []string{"a", "b", "c"} {
		calls = append(calls, h.run(name, "question "+name, true).CallID)
	}
	stop := h.work()
	judged := func() (n int) {
		for _, id := range calls {
			j, err := h.JudgementOf(t.Context(), shop, id)
			h.must(err)
			if j != nil && j.Score == 4 && j.Reason == "fits" && j.JudgeCall != "" {
				n++
			}
		}
		return n
	}
	h.until("two judgements", func() bool { return judged() == 2 })
	stop(false)
	if n := judged(); n != 2 {
		t.Errorf("%d judged, and the bound of a day is 2", n)
	}
	h.must(h.ai.Flush(t.Context()))
	page, err := h.ai.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Role: ai.AnswerJudge}})
	h.must(err)
	if page.Total != 2 || page.Items[0].CallerKind != quality.KindJudge || !strings.HasPrefix(page.Items[0].CallerRef, "call/") {
		t.Errorf("calls of the judge %+v", page)
	}
	versions, err := h.Versions(t.Context(), shop, writer, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	h.must(err)
	if len(versions) != 1 || versions[0].Judged.Of != 2 || versions[0].Judged.Score != 4 || versions[0].Judged.Good.Hits != 2 {
		t.Errorf("versions %+v", versions)
	}
}

// spec asks two inputs of two temperatures and two models.
func spec() quality.Spec {
	return quality.Spec{Name: "colder", Role: writer, Repeats: 1, Ground: true,
		Models:       []quality.SpecModel{{Provider: "openai", Model: "gpt-4.1-mini"}, {Provider: "openai", Model: "o3"}},
		Temperatures: []float64{0, 1}, Inputs: []quality.SpecInput{{Message: "the table orders took 300 ms"}, {Message: "the table orders took 500 ms"}}}
}

func TestAnExperimentAsksEveryInputOfEveryVariantAndTheWinnerBecomesADraft(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.model.Behave(func(r llm.Request) llm.Reply {
			switch {
			case r.Temperature == nil: // o3 takes none
				return word("it took 900 ms")
			case *r.Temperature == 1:
				return llm.Reply{Text: "no JSON at all"}
			}
			return word("it took 300 ms")
		})
		estimate, err := h.Estimate(t.Context(), shop, spec())
		h.must(err)
		if estimate.Cells != 8 || len(estimate.Variants) != 4 || estimate.InputTokens == 0 || !slices.Equal(estimate.Variants[2].Dropped, []string{"temperature"}) || len(estimate.Variants[0].Dropped) != 0 {
			t.Errorf("estimate %+v", estimate)
		}
		many := spec()
		many.Repeats, many.Inputs = 10, slices.Repeat(many.Inputs, 20)
		if _, err := h.Start(t.Context(), shop, 1, "kim", many); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d cells are too many: %v", 4*40*10, err)
		}
		e, err := h.Start(t.Context(), shop, 1, "kim", spec())
		h.must(err)
		h.work()
		h.until("the end of the experiment", func() bool { return h.results(e.ID).State == quality.Done })
		r := h.results(e.ID)
		if r.Finished != 8 || r.Failed != 2 {
			t.Errorf("finished %d, failed %d", r.Finished, r.Failed)
		}
		cold, warm, o3 := r.Variants[0], r.Variants[1], r.Variants[2]
		if cold.Valid.Hits != 2 || cold.Valid.Of != 2 || cold.Grounded.Hits != 1 || cold.Grounded.Of != 2 || cold.CostPerCall == nil {
			t.Errorf("cold %+v", cold)
		}
		if warm.Failed != 2 || warm.Valid.Hits != 0 || warm.Valid.Of != 2 {
			t.Errorf("warm %+v", warm)
		}
		if o3.Grounded.Hits != 0 || o3.Grounded.Of != 2 || !slices.Equal(o3.Dropped, []string{"temperature"}) {
			t.Errorf("o3 %+v", o3)
		}
		for _, a := range r.Answers {
			if a.Variant == 2 && (!slices.Equal(a.Outcome.Dropped, []string{"temperature"}) || len(a.Outcome.Unstated) != 1) {
				t.Errorf("cell %+v", a.Outcome)
			}
		}
		if _, err := h.Say(t.Context(), shop, quality.Feedback{CallID: r.Answers[0].Outcome.CallID, Person: 1, Up: true}); err != nil {
			t.Error(err)
		}
		if r := h.results(e.ID); r.Variants[0].Thumbs.Up != 1 || r.Answers[0].Thumbs.Up != 1 {
			t.Errorf("thumbs %+v", r.Variants[0].Thumbs)
		}
		versions, err := h.Versions(t.Context(), shop, "", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err != nil || len(versions) != 0 {
			t.Errorf("an experiment counts as the quality of a version: %+v, %v", versions, err)
		}

		draft, err := h.Promote(t.Context(), shop, e.ID, 0, "best of four", "kim", true)
		h.must(err)
		if draft.Version != 2 || draft.Parameters.Temperature == nil || *draft.Parameters.Temperature != 0 || draft.Chain[0].Model != "gpt-4.1-mini" ||
			!strings.Contains(draft.Notes, fmt.Sprintf("experiment %d", e.ID)) || !strings.Contains(draft.Notes, "best of four") || draft.RateLimitIntervalMs != 3_600_000 {
			t.Errorf("draft %+v", draft)
		}
		live, err := h.ai.Roles().Released(t.Context(), ai.Shared, writer, "", 0)
		if err != nil || live.Version != 1 {
			t.Errorf("the draft is in production: %+v, %v", live, err)
		}
		own, err := h.Promote(t.Context(), shop, e.ID, 0, "", "lee", false) // who may not edit the installation's roles
		h.must(err)
		if own.Owner != team || own.Version != 2 || own.Parameters.Temperature == nil || *own.Parameters.Temperature != 0 {
			t.Errorf("draft of the organisation %+v", own)
		}
		if live, err := h.ai.Roles().Released(t.Context(), team, writer, "", 0); err != nil || live.Owner != team || live.Version != 1 || live.Parameters.Temperature != nil {
			t.Errorf("the organisation's calls get %+v, %v", live, err)
		}
		if shared, err := h.ai.Roles().Get(t.Context(), ai.Shared, writer); err != nil || shared.Version != draft.Version {
			t.Errorf("the installation's role is %+v, %v", shared, err)
		}
		if _, err := h.Results(t.Context(), shop+1, e.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another project reads the experiment: %v", err)
		}
		h.must(h.Delete(t.Context(), shop, e.ID))
		if list, err := h.Experiments(t.Context(), shop, "", 0); err != nil || len(list.Items) != 0 || list.Total != 0 {
			t.Errorf("after it was deleted: %+v, %v", list, err)
		}
	})
}

func TestExperimentsAreListedByPageNewestFirst(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		var want, got []int64
		for range 5 {
			e, err := h.Start(t.Context(), shop, 1, "kim", spec())
			h.must(err)
			want = append([]int64{e.ID}, want...)
		}
		for cursor := ""; ; {
			page, err := h.Experiments(t.Context(), shop, cursor, 2)
			if err != nil || page.Total != 5 {
				t.Fatalf("page %+v, %v", page, err)
			}
			for _, e := range page.Items {
				got = append(got, e.ID)
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
			if len(got) == 2 { // what begins elsewhere meanwhile is on no page
				_, err := h.Start(t.Context(), shop+1, 1, "lee", spec())
				h.must(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		if page, err := h.Experiments(t.Context(), shop+1, fmt.Sprint(want[0]), 0); err != nil || len(page.Items) != 0 || page.Total != 1 {
			t.Errorf("with a cursor of another project: %+v, %v", page, err)
		}
		for _, cursor := range []string{"x", "0", "-3", "1.5"} {
			if _, err := h.Experiments(t.Context(), shop, cursor, 0); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "cursor" {
				t.Errorf("cursor %q: %v", cursor, err)
			}
		}
	})
}

func TestAfterARestartAnExperimentRepeatsNoFinishedCell(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		var mu sync.Mutex
		asked, hang := 0, true
		h.model.Behave(func(llm.Request) llm.Reply {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return llm.Reply{Text: `{"word": "yes"}`, Hang: hang && asked > 3}
		})
		s := spec()
		s.Models, s.Temperatures, s.Repeats = nil, nil, 5
		e, err := h.Start(t.Context(), shop, 1, "kim", s)
		h.must(err)
		stop := h.work()
		h.until("three answers", func() bool { return h.results(e.ID).Finished == 3 })
		stop(true) // with calls under way
		before := h.results(e.ID)
		mu.Lock()
		hang, asked = false, 0
		mu.Unlock()
		h.open()
		h.work()
		h.until("the end of the experiment", func() bool { return h.results(e.ID).State == quality.Done })
		after := h.results(e.ID)
		if after.Finished != 10 || asked != 7 {
			t.Errorf("finished %d, asked %d times after the restart; want 10 and 7", after.Finished, asked)
		}
		for i, a := range before.Answers {
			if a.Outcome != nil && a.Outcome.CallID != after.Answers[i].Outcome.CallID {
				t.Errorf("cell %d was asked again", a.Number)
			}
		}
	})
}

func TestAnExperimentEndsWhenItIsCancelledAndGoesOnWhenItIsTakenUpAgain(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	var mu sync.Mutex
	hang := true
	h.model.Behave(func(llm.Request) llm.Reply {
		mu.Lock()
		defer mu.Unlock()
		return llm.Reply{Text: `{"word": "yes"}`, Hang: hang}
	})
	e, err := h.Start(t.Context(), shop, 1, "kim", spec())
	h.must(err)
	h.work()
	h.until("calls under way", func() bool { return len(h.model.Requests()) >= 4 })
	h.must(h.Cancel(t.Context(), shop, e.ID))
	if err := h.Cancel(t.Context(), shop, e.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("cancelled twice: %v", err)
	}
	// The calls are given up, and logged as such.
	h.until("the calls to be given up", func() bool {
		h.must(h.ai.Flush(t.Context()))
		page, err := h.ai.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Status: ai.CallCancelled, Caller: quality.KindExperiment}})
		h.must(err)
		return page.Total >= 4
	})
	if r := h.results(e.ID); r.State != quality.Cancelled || r.Finished != 0 || r.EndedAt == nil {
		t.Errorf("after the end %+v", r.Experiment)
	}
	mu.Lock()
	hang = false
	mu.Unlock()
	h.must(h.Resume(t.Context(), shop, e.ID))
	h.until("the end of the experiment", func() bool { return h.results(e.ID).State == quality.Done })
	if r := h.results(e.ID); r.Finished != 8 || r.Failed != 0 {
		t.Errorf("finished %d, failed %d", r.Finished, r.Failed)
	}
}

func TestAnExperimentStopsAtItsCostAndAtABudget(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(llm.Request) llm.Reply {
		r := word("yes")
		r.Usage = &llm.Usage{Input: 1_000_000, Output: 1_000_000}
		return r
	})
	s := spec()
	s.Repeats, s.Models, s.MaxCostUSD = 10, nil, 3 // one answer of gpt-4.1-mini costs 2 USD
	e, err := h.Start(t.Context(), shop, 1, "kim", s)
	h.must(err)
	h.work()
	h.until("the stop at the cost", func() bool { return h.results(e.ID).State == quality.Stopped })
	if r := h.results(e.ID); r.Finished >= r.Cells || r.Finished == 0 || !strings.Contains(r.Reason, "3 USD") {
		t.Errorf("stopped %+v", r.Experiment)
	}
	_, err = h.ai.Roles().SetBudget(t.Context(), ai.Budget{Scope: "role", Of: writer, Measure: "requests", Period: "day", Limit: 1}, "kim")
	h.must(err)
	s.MaxCostUSD = 0
	e, err = h.Start(t.Context(), shop, 1, "kim", s)
	h.must(err)
	h.until("the stop at the budget", func() bool { return h.results(e.ID).State == quality.Stopped })
	if r := h.results(e.ID); r.Finished != 1 || !strings.Contains(r.Reason, "budget") {
		t.Errorf("stopped %+v", r.Experiment)
	}
}

func TestTheJudgeStopsAtItsOwnBudgetAndLeavesThePlaygroundAlone(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(r llm.Request) llm.Reply {
		if strings.Contains(r.Messages[0].Content, "You judge") {
			return llm.Reply{Text: `{"score": 4, "reason": "fits"}`, Usage: &llm.Usage{Input: 1_000_000, Output: 1_000_000}} // 2 USD
		}
		return word("yes")
	})
	_, err := h.ai.Roles().SetBudget(t.Context(), ai.Budget{Scope: "purpose", Of: quality.KindJudge, Measure: "usd", Period: "day", Limit: 1}, "kim")
	h.must(err)
	_, err = h.SetJudging(t.Context(), quality.Judging{Role: writer, Share: 100, Daily: 10, UpdatedBy: "kim"})
	h.must(err)
	for _, name := range []string{"a", "b", "c"} {
		h.run(name, "question "+name, true)
	}
	s := spec()
	s.Models = nil
	stop := h.work()
	judged := func() uint64 {
		h.must(h.ai.Flush(t.Context()))
		page, err := h.ai.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Caller: "judge"}})
		h.must(err)
		for _, c := range page.Items {
			if c.Purpose != quality.KindJudge {
				t.Errorf("a call of the judge is for %q", c.Purpose)
			}
		}
		return page.Total
	}
	h.until("the first judgement", func() bool { return judged() == 1 })
	e, err := h.Start(t.Context(), shop, 1, "kim", s)
	h.must(err)
	h.until("the experiment", func() bool { return h.results(e.ID).State == quality.Done })
	stop(false)
	if n := judged(); n != 1 {
		t.Errorf("the judge was asked %d times for over a dollar a day", n)
	}
}

func TestARecordedCallIsAskedAgainWithItsMaskedMessage(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(llm.Request) llm.Reply { return word("yes") })
	id := h.run("a", "mail kim@example.com about it", true).CallID
	logged, err := h.ai.Call(t.Context(), shop, id)
	h.must(err)
	role, in, err := h.ReplayOf(t.Context(), shop, id, quality.Replay{Provider: "openai", Model: "gpt-4.1"})
	h.must(err)
	if in.Message != logged.Message || strings.Contains(in.Message, "kim@example.com") {
		t.Errorf("asked again with %q, and the log holds %q", in.Message, logged.Message)
	}
	result, err := h.ai.Try(t.Context(), ai.Caller{Project: shop, Kind: quality.KindReplay, Name: "kim"}, role, in)
	h.must(err)
	requests := h.model.Requests()
	if last := requests[len(requests)-1]; result.Model != "gpt-4.1" || last.Messages[1].Content != requests[0].Messages[1].Content || strings.Contains(last.Messages[1].Content, "kim@example.com") {
		t.Errorf("%s got %q, the first time it was %q", result.Model, last.Messages[1].Content, requests[0].Messages[1].Content)
	}
	if _, _, err := h.ReplayOf(t.Context(), shop+1, id, quality.Replay{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project asks the call again: %v", err)
	}
}

func TestOriginalsThatTheLogKeepsArePutBackIntoTheAnswerOfAReplayOnlyWhenAskedFor(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	h.model.Behave(func(r llm.Request) llm.Reply { // repeats the address it was told
		return word(strings.Fields(r.Messages[len(r.Messages)-1].Content)[1])
	})
	role, err := h.ai.Roles().Get(t.Context(), ai.Shared, writer)
	h.must(err)
	role.KeepTexts, role.RateLimitIntervalMs = ai.KeepOriginals, 0
	_, err = h.ai.Roles().Update(t.Context(), *role, true, ai.Meant, "kim")
	h.must(err)
	id := h.run("a", "mail kim@example.com about it", true).CallID
	for originals, want := range map[bool]string{true: "kim@example.com", false: "@x.example"} {
		role, in, err := h.ReplayOf(t.Context(), shop, id, quality.Replay{Originals: originals})
		h.must(err)
		result, err := h.ai.Try(t.Context(), ai.Caller{Project: shop, Kind: quality.KindReplay, Name: "kim"}, role, in)
		h.must(err)
		if !strings.Contains(result.Text, want) {
			t.Errorf("with originals %v: %s", originals, result.Text)
		}
		requests := h.model.Requests()
		if last, first := requests[len(requests)-1].Messages[1].Content, requests[0].Messages[1].Content; last != first || strings.Contains(last, "kim@") {
			t.Errorf("asked again with %q, the first time with %q", last, first)
		}
		h.must(h.ai.Flush(t.Context()))
		again, err := h.ai.Call(t.Context(), shop, result.CallID)
		h.must(err)
		if strings.Contains(again.Message+again.Answer, "kim@") || again.HasOriginals != originals {
			t.Errorf("with originals %v the log holds %q, %q, %v", originals, again.Message, again.Answer, again.HasOriginals)
		}
	}
}
