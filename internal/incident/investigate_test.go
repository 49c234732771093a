package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/investigate"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/logs/logstest"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// riddle is a slow transaction of shop whose own time nothing explains. Shop calls
// stock; billing has nothing to do with either.
func riddle(ended time.Time) []tracetest.Span {
	const ms = time.Millisecond
	start := ended.Add(-9500 * ms)
	sql := func(one, id, parent uint64, service, table string, took time.Duration) tracetest.Span {
		return tracetest.Span{Trace: tracetest.ID(one), ID: trace.SpanID(id), Parent: trace.SpanID(parent), Service: service, Name: "SELECT", Kind: trace.KindClient, Start: start.Add(20 * ms), Duration: took,
			Attributes: map[string]string{"db.system": "mysql", "db.statement": "SELECT a FROM " + table + " WHERE b = 7"}}
	}
	entry := func(one, id, parent uint64, service, route string, took time.Duration) tracetest.Span {
		return tracetest.Span{Trace: tracetest.ID(one), ID: trace.SpanID(id), Parent: trace.SpanID(parent), Service: service, Name: "GET " + route, Kind: trace.KindServer, Start: start.Add(5 * ms), Duration: took,
			Attributes: map[string]string{"http.request.method": "GET", "http.route": route}}
	}
	return []tracetest.Span{
		entry(1, 1, 0, "shop", "/v1/members", 9400*ms),
		{Trace: tracetest.ID(1), ID: 2, Parent: 1, Service: "shop", Name: "MemberService.find", Start: start.Add(10 * ms), Duration: 9300 * ms},
		{Trace: tracetest.ID(1), ID: 6, Parent: 2, Service: "shop", Name: "MemberService.load", Start: start.Add(320 * ms), Duration: 3000 * ms},
		{Trace: tracetest.ID(1), ID: 7, Parent: 2, Service: "shop", Name: "MemberService.order", Start: start.Add(3320 * ms), Duration: 3000 * ms},
		{Trace: tracetest.ID(1), ID: 8, Parent: 2, Service: "shop", Name: "MemberService.render", Start: start.Add(6320 * ms), Duration: 2980 * ms},
		{Trace: tracetest.ID(1), ID: 3, Parent: 2, Service: "shop", Name: "GET", Kind: trace.KindClient, Start: start.Add(15 * ms), Duration: 300 * ms,
			Attributes: map[string]string{"http.request.method": "GET", "url.full": "http://stock/v1/stock", "server.address": "stock"}},
		entry(1, 4, 3, "stock", "/v1/stock", 200*ms),
		sql(1, 5, 4, "stock", "stock_items", 150*ms),
		entry(2, 1, 0, "billing", "/v1/bills", 8000*ms),
		sql(2, 2, 1, "billing", "secret_bills", 7000*ms),
	}
}

// riddled is a house with an investigator, on real stores, in which an alarm about
// the riddle has fired.
func riddled(t *testing.T, db *metadb.DB, engine *clickhouse.DB) *house {
	t.Helper()
	traces, lines, metrics := trace.NewStore(engine), logs.NewStore(engine), metric.NewEngine(metric.NewStore(engine), nil)
	h := newHouse(t, db, func(o *incident.Options) { o.Tools = investigate.New(traces, lines, metrics) })
	h.now = time.Now().Truncate(time.Microsecond)
	h.ask = h.gateway(engine)
	h.collectAbout = evidence.New(traces, lines, metrics).Collect
	h.calls = func() (map[string][]string, error) {
		graph, err := traces.Graph(t.Context(), 1, trace.GraphQuery{From: h.now.Add(-time.Hour), To: h.now.Add(time.Minute)})
		if err != nil {
			return nil, err
		}
		return graph.ServiceCalls(), nil
	}
	ended := h.now.Add(-40 * time.Second) // long enough for the analysis to wait for no more
	tracetest.Insert(t, engine, 1, riddle(ended)...)
	start := ended.Add(-9495 * time.Millisecond)
	h.fire(rule.Firing{
		Rule:    rule.Rule{ID: 1, Project: 1, Name: "slow", Kind: rule.SlowSQL, Params: rule.Params{"threshold_ms": 8000.0}, Count: 1, WindowMinutes: 10, QuietMinutes: 10, Channels: []int64{}},
		Service: "shop", Met: true, Count: 1, New: 1, From: h.now.Add(-10 * time.Minute), To: h.now,
		Window:  []rule.Match{{TraceID: tracetest.ID(1), SpanID: 2, Start: start, DurationNs: 9300e6}},
		Matches: []rule.Match{{TraceID: tracetest.ID(1), SpanID: 2, Start: start, DurationNs: 9300e6}},
	})
	return h
}

// surge writes lines of shop: what it always said, and what it says of late.
func surge(t *testing.T, engine *clickhouse.DB, p project.ID, now time.Time, body string) {
	t.Helper()
	var all []logstest.Line
	for i := range 60 {
		all = append(all, logstest.Line{Service: "shop", At: now.Add(-time.Duration(i+40) * time.Minute), Severity: 9, Body: "order accepted"})
	}
	for i := range 30 {
		all = append(all, logstest.Line{Service: "shop", At: now.Add(-time.Duration(60+i) * time.Second), Severity: 17, Body: body})
	}
	logstest.Insert(t, engine, p, all...)
}

func call(name, arguments string) llm.Call {
	return llm.Call{Name: name, Arguments: arguments}
}

// asked returns the answers of tools that the last question to a model holds.
func answersOf(h *house) (answers []string) {
	h.t.Helper()
	for _, r := range h.model.Requests() {
		if len(r.Tools) == 0 {
			continue
		}
		answers = answers[:0]
		for _, m := range r.Messages {
			if m.Role == "tool" {
				answers = append(answers, m.Content)
			}
		}
	}
	return answers
}

func TestWhatTheInvestigatorAsksForBecomesFactsThatAReportMayCite(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		engine := openEngine(t)
		h := riddled(t, db, engine)
		surge(t, engine, 1, h.now, "connection pool is exhausted after 30000 ms")
		logstest.Insert(t, engine, 2, logstest.Line{Service: "shop", At: h.now.Add(-time.Minute), Severity: 17, Body: "canary of another project"})
		h.model.Script(
			llm.Reply{Calls: []llm.Call{call("log_patterns", `{"levels":["error"]}`), call("transactions", `{"service":"stock"}`)}},
			llm.Reply{Calls: []llm.Call{call("transaction_profile", `{"trace_id":"`+tracetest.ID(1).String()+`"}`), call("calls", `{}`)}},
			llm.Reply{Text: "done"},
		)
		h.model.Behave(func(r llm.Request) llm.Reply {
			id := regexp.MustCompile(`\[(E[0-9]+)\] finding: .*exhausted`).FindStringSubmatch(r.Messages[1].Content)
			if id == nil {
				return llm.Reply{Text: "no finding in " + r.Messages[1].Content}
			}
			return llm.Reply{Text: fmt.Sprintf(`{"summary":{"text":"커넥션 풀이 고갈되었습니다.","evidence":["%[1]s"]},"transaction":[{"text":"응답시간은 9400ms입니다.","evidence":["E1"]}],
				"analysis":[{"text":"커넥션 풀 고갈 로그가 30회 기록되었습니다.","evidence":["%[1]s"]}],"actions":[{"text":"커넥션 풀 설정을 확인해 주세요.","evidence":["%[1]s"]}]}`, id[1])}
		})
		h.analyse(1, 1)

		d := h.get(1)
		if d.Report.Source != report.ByModel || d.Report.Confidence != report.Low {
			t.Fatalf("report %+v\nevidence %s", d.Report, told(d.Evidence))
		}
		found := d.Report.Analysis[0].Evidence[0]
		at := slices.IndexFunc(d.Evidence, func(f ground.Fact) bool { return f.ID == found })
		if f := d.Evidence[at]; f.Kind != ground.Finding || f.Asked != `log_patterns {"levels":["error"]}` || f.Get(ground.Deviates) != "new" || f.Get("count") != "30" {
			t.Errorf("the fact it stands on is %+v", f)
		}
		if i := d.Investigation; i == nil || i.Ended != "answered" || len(i.Questions) != 4 || len(i.Calls) != 3 || i.Role != ai.Investigator || i.Tokens == 0 || !slices.Contains(i.Questions[0].Facts, found) {
			t.Errorf("investigation %+v", i)
		}
		all := told(d.Evidence)
		for _, want := range []string{"SELECT on stock_items took 150 ms", "shop called service stock 1 times"} {
			if !strings.Contains(all, want) {
				t.Errorf("%q is not among the facts:\n%s", want, all)
			}
		}
		if strings.Contains(all, "canary") {
			t.Errorf("another project's lines are among the facts:\n%s", all)
		}
		if events := kinds(d); !slices.Contains(events, "investigated") {
			t.Errorf("timeline %v", events)
		}
		if faults := h.model.Faults(); len(faults) > 0 {
			t.Errorf("faults %q", faults)
		}
	})
}

// told is the texts of facts.
func told(facts []ground.Fact) string {
	return (&ground.Bundle{Facts: facts}).Prompt()
}

func TestAQuestionReachesNoFurtherThanTheAlarm(t *testing.T) {
	engine := openEngine(t)
	h := riddled(t, metadbtest.SQLite(t), engine)
	refused := map[string]string{
		`statements {"service":"billing"}`:                                    "not at or below",
		`transactions {"service":"shop","project":2}`:                         "do not fit the schema",
		`transactions {"from":"2020-01-01"}`:                                  "do not fit the schema",
		`transaction_profile {"trace_id":"` + tracetest.ID(2).String() + `"}`: "no fact tells of",
		`metric {"query":"up offset 1w"}`:                                     "offset",
		`metric {"query":"max_over_time(up[30d])"}`:                           "over 1h",
		`metric {"query":"up{"}`:                                              "parse error",
		`delete_everything {}`:                                                "no tool",
	}
	for question, why := range refused {
		t.Run(question, func(t *testing.T) {
			name, arguments, _ := strings.Cut(question, " ")
			h.model.Script(llm.Reply{Calls: []llm.Call{call(name, arguments)}}, llm.Reply{Text: "done"})
			before := h.get(1)
			run := h.again(before)
			h.analyse(1, run)
			d := h.get(1)
			if d.Investigation == nil {
				t.Fatalf("nothing was asked about\n%s", told(d.Evidence))
			}
			if q := d.Investigation.Questions; len(q) != 1 || !strings.Contains(q[0].Error, why) || len(q[0].Facts) > 0 {
				t.Errorf("questions %+v", q)
			}
			if got := answersOf(h); len(got) != 1 || !strings.Contains(got[0], why) {
				t.Errorf("the model was told %q", got)
			}
			if all := told(d.Evidence); strings.Contains(all, "bills") {
				t.Errorf("what is not below the alarm is among the facts:\n%s", all)
			}
			if d.Report == nil || len(d.Report.Actions) == 0 {
				t.Errorf("report %+v", d.Report)
			}
		})
	}
}

// again asks for another analysis, if there was one, and returns its number.
func (h *house) again(d *incident.Detail) int64 {
	h.t.Helper()
	if d.Report == nil {
		return 1
	}
	if err := h.service.Analyze(h.t.Context(), 1, d.ID, "ann"); err != nil {
		h.t.Fatal(err)
	}
	run := int64(1)
	for _, kind := range kinds(h.get(d.ID)) {
		if kind == "analysis_requested" {
			run++
		}
	}
	return run
}

func TestTheBudgetOfAnInvestigationIsKeptAndTheReportIsWrittenFromWhatIsThere(t *testing.T) {
	engine := openEngine(t)
	f := func(name, ended string, questions int, script func(h *house)) {
		t.Run(name, func(t *testing.T) {
			h := riddled(t, metadbtest.SQLite(t), engine)
			surge(t, engine, 1, h.now, "connection pool is exhausted")
			script(h)
			h.analyse(1, 1)
			d := h.get(1)
			if i := d.Investigation; i == nil || i.Ended != ended || len(i.Questions) != questions {
				t.Errorf("investigation %+v", i)
			}
			if d.Report.Source != report.ByModel || h.sent(1, "incident.report") != 2 {
				t.Errorf("report %+v", d.Report)
			}
		})
	}
	different := func(n int) (calls []llm.Call) {
		for i := range n {
			calls = append(calls, call("transactions", fmt.Sprintf(`{"endpoint":"GET /%d"}`, i)))
		}
		return calls
	}
	behave := func(h *house, r func(n int) llm.Reply) {
		n := 0
		h.model.Behave(func(q llm.Request) llm.Reply {
			if len(q.Tools) == 0 {
				return llm.Analyst(q)
			}
			n++
			return r(n)
		})
	}
	f("all at once", "questions", 8, func(h *house) { behave(h, func(int) llm.Reply { return llm.Reply{Calls: different(30)} }) })
	f("one by one", "questions", 8, func(h *house) {
		behave(h, func(n int) llm.Reply { return llm.Reply{Calls: different(n)[n-1:]} })
	})
	f("the same again and again", "questions", 8, func(h *house) { behave(h, func(int) llm.Reply { return llm.Reply{Calls: different(1)} }) })
	f("tokens", "tokens", 1, func(h *house) {
		behave(h, func(int) llm.Reply {
			return llm.Reply{Calls: different(1), Usage: &llm.Usage{Input: 40_000, Output: 1_000}}
		})
	})
	f("tokens nobody counts", "questions", 8, func(h *house) {
		behave(h, func(n int) llm.Reply { return llm.Reply{Calls: different(n)[n-1:], Usage: &llm.Usage{}} })
	})
	f("no call at all", "answered", 0, func(h *house) {
		behave(h, func(int) llm.Reply { return llm.Reply{Text: "the pool is exhausted, I think"} })
	})
	f("arguments that are no JSON", "answered", 1, func(h *house) {
		behave(h, func(n int) llm.Reply {
			if n > 1 {
				return llm.Reply{Text: "done"}
			}
			return llm.Reply{Calls: []llm.Call{call("transactions", `{"service":`)}}
		})
	})
}

func TestAnInvestigatorThatFailsCostsNobodyTheirReport(t *testing.T) {
	engine := openEngine(t)
	f := func(name, ended string, inquire func(context.Context, ai.Input) (*ai.Result, error)) {
		t.Run(name, func(t *testing.T) {
			h := riddled(t, metadbtest.SQLite(t), engine)
			h.inquire = inquire
			h.analyse(1, 1)
			d := h.get(1)
			if d.Report.Source != report.ByModel || h.sent(1, "incident.report") != 2 {
				t.Errorf("report %+v", d.Report)
			}
			switch {
			case ended == "" && d.Investigation != nil, ended != "" && (d.Investigation == nil || d.Investigation.Ended != ended):
				t.Errorf("investigation %+v", d.Investigation)
			}
		})
	}
	failing := func(err error) func(context.Context, ai.Input) (*ai.Result, error) {
		return func(context.Context, ai.Input) (*ai.Result, error) { return nil, err }
	}
	f("no model", "", failing(ai.ErrNoModel))
	f("no role", "model_failed", failing(fault.New(fault.NotFound, "there is no such role")))
	f("chain exhausted", "model_failed", failing(ai.ErrExhausted))
	f("masking", "masking_failed", failing(ai.ErrMasking))
	f("asked too often", "rate_limited", failing(fault.New(fault.RateLimited, "too often")))
	f("a panic of the provider's", "model_failed", func(context.Context, ai.Input) (*ai.Result, error) { panic("boom") })
}

func TestAProjectSaysWhenTheInvestigatorIsAsked(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		set, err := newHouse(t, db).service.AnalysisSettings(t.Context(), 1)
		if err != nil || set.Investigate != incident.InvestigateUnclear || set.Version != 0 {
			t.Fatalf("settings of a project that set nothing: %+v, %v", set, err)
		}
	})
	engine := openEngine(t)
	f := func(investigate string, clear, want bool) {
		t.Run(fmt.Sprint(investigate, clear), func(t *testing.T) {
			h := riddled(t, metadbtest.SQLite(t), engine)
			if clear { // a statement took most of the time
				h.collectAbout = nil
				h.collect = func() (*ground.Bundle, error) {
					b := evidenceOf()
					b.Facts[1].TraceID, b.Facts[1].SpanID = tracetest.ID(1).String(), trace.SpanID(1).String()
					return b, nil
				}
			}
			set, err := h.service.SetAnalysisSettings(t.Context(), 1, incident.AnalysisSettings{Investigate: investigate}, "ann")
			if err != nil || set.Version != 1 || set.UpdatedBy != "ann" {
				t.Fatalf("set %+v, %v", set, err)
			}
			if _, err := h.service.SetAnalysisSettings(t.Context(), 1, incident.AnalysisSettings{Investigate: investigate}, "bob"); !fault.Is(err, fault.Conflict) {
				t.Errorf("an old version was taken: %v", err)
			}
			asked := false
			h.inquire = func(context.Context, ai.Input) (*ai.Result, error) {
				asked = true
				return &ai.Result{Text: "done"}, nil
			}
			h.Advance(time.Minute)
			h.analyse(1, 1)
			if asked != want {
				t.Errorf("asked: %v", asked)
			}
		})
	}
	f(incident.InvestigateOff, false, false)
	f(incident.InvestigateUnclear, false, true)
	f(incident.InvestigateUnclear, true, false)
	f(incident.InvestigateAlways, true, true)
	if _, err := newHouse(t, metadbtest.SQLite(t)).service.SetAnalysisSettings(t.Context(), 1, incident.AnalysisSettings{Investigate: "perhaps"}, "ann"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a word that means nothing was taken: %v", err)
	}
}

func TestARunThatWasCutOffGoesOnWithWhatTheInvestigatorFound(t *testing.T) {
	engine := openEngine(t)
	h := riddled(t, metadbtest.SQLite(t), engine)
	surge(t, engine, 1, h.now, "connection pool is exhausted")
	h.model.Script(llm.Reply{Calls: []llm.Call{call("log_patterns", `{}`)}}, llm.Reply{Text: "done"})
	ctx, stop := context.WithCancel(t.Context())
	ask := h.ask
	h.ask = func(ctx context.Context, in ai.Input) (*ai.Result, error) {
		stop() // the node stops while the report is written
		return nil, ctx.Err()
	}
	if err := h.service.RunAnalysis(ctx, 1, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("the job ended with %v, want it to run again", err)
	}
	h.ask = ask
	h.inquire = func(context.Context, ai.Input) (*ai.Result, error) {
		t.Error("the investigator was asked again")
		return nil, ai.ErrExhausted
	}
	h.analyse(1, 1)
	d := h.get(1)
	if d.Investigation == nil || len(d.Investigation.Questions) != 1 {
		t.Fatalf("investigation %+v", d.Investigation)
	}
	ids := d.Investigation.Questions[0].Facts
	if !strings.Contains(told(d.Evidence), "exhausted") || len(ids) == 0 || !slices.ContainsFunc(d.Evidence, func(f ground.Fact) bool { return f.ID == ids[0] && f.Asked != "" }) {
		t.Errorf("investigation %+v\n%s", d.Investigation, told(d.Evidence))
	}
}

func TestWhatIsSensitiveInAnswersOfToolsIsMaskedAndComesBackInQuestions(t *testing.T) {
	engine := openEngine(t)
	h := riddled(t, metadbtest.SQLite(t), engine)
	surge(t, engine, 1, h.now, "login of kim@example.com from 10.66.77.88 failed")
	rounds := 0
	h.model.Behave(func(r llm.Request) llm.Reply {
		if len(r.Tools) == 0 {
			return llm.Analyst(r)
		}
		if rounds++; rounds > 1 {
			if rounds > 2 {
				return llm.Reply{Text: "done"}
			}
			return llm.Reply{Calls: []llm.Call{call("log_patterns", `{}`)}}
		}
		// The service by the token that it has in the alarm's fact.
		token := regexp.MustCompile(`min window\) in ([^ ,.]+)`).FindStringSubmatch(r.Messages[1].Content)[1]
		arguments, _ := json.Marshal(map[string]string{"service": token})
		return llm.Reply{Calls: []llm.Call{call("calls", string(arguments))}}
	})
	h.analyse(1, 1)
	d := h.get(1)
	if q := d.Investigation.Questions; len(q) != 2 || q[0].Asked != `calls {"service":"shop"}` || q[0].Error != "" {
		t.Errorf("questions %+v", q)
	}
	for _, r := range h.model.Requests() {
		for _, secret := range []string{"kim@example.com", "10.66.77.88", "stock_items"} {
			if strings.Contains(string(r.Raw), secret) {
				t.Errorf("%s went to the model", secret)
			}
		}
	}
	if faults := h.model.Faults(); len(faults) > 0 {
		t.Errorf("faults %q", faults)
	}
}

func TestPastIncidentsAndMetricsAreToldAsFarAsTheyAreOfTheServicesBelow(t *testing.T) {
	engine := openEngine(t)
	h := riddled(t, metadbtest.SQLite(t), engine)
	h.Advance(-2 * time.Hour)
	for i, service := range []string{"stock", "billing"} {
		f := firing()
		f.Rule.ID, f.Rule.Name, f.Service, f.Phase = int64(i+2), "rule of "+service, service, ""
		h.fire(f)
	}
	h.Advance(2 * time.Hour)
	writer := metric.NewWriter(engine, metric.Limits{}, clickhouse.BatchOptions{MaxDelay: time.Microsecond})
	t.Cleanup(func() { _ = writer.Close(context.Background()) })
	batch := writer.Begin(1, 20_000, h.now)
	for _, service := range []string{"stock", "billing"} {
		series, err := batch.Series(labels.FromStrings("__name__", "pool_used", "service_name", service))
		for m := range 80 {
			used := 2.0
			if m < 10 {
				used = 20
			}
			if err == nil {
				err = batch.Sample(series, 0, h.now.Add(-time.Duration(m)*time.Minute).UnixMilli(), used)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	h.model.Script(llm.Reply{Calls: []llm.Call{call("past_incidents", `{}`), call("metric", `{"query":"pool_used"}`)}}, llm.Reply{Text: "done"})
	h.analyse(1, 1)
	d := h.get(1)
	all := told(d.Evidence)
	for _, want := range []string{"Incident 2 of stock", "service_name stock was", "at most 20; the hour before 2 on average and at most 2"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among the facts:\n%s", want, all)
		}
	}
	if strings.Contains(all, "billing") {
		t.Errorf("what is not below the alarm is among the facts:\n%s", all)
	}
	if q := d.Investigation.Questions; len(q) != 2 || q[0].Error != "" || q[1].Error != "" {
		t.Errorf("questions %+v", q)
	}
}
