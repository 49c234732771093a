package usage_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// usage reads what was used in the last two days.
func (b *books) used(t *testing.T, by string, where map[string]string, projects ...project.ID) *usage.Report {
	t.Helper()
	now := b.clock()
	report, err := b.Report(t.Context(), usage.Scope{Projects: projects}, usage.Query{From: now.Add(-48 * time.Hour), To: now.Add(time.Second), By: by, Where: where, Before: true})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestUseIsAddedUpByEveryDimensionAndForTheProjectsOfTheScopeOnly(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	b.price(t, ai.Price{Input: 1, Output: 1})
	for i := range 3 {
		ask(t, g, ai.Caller{Project: shop, Kind: "api", Person: int64(i%2) + 1, Token: 9, Purpose: "api"})
	}
	ask(t, g, ai.Caller{Project: bakery, Kind: "incident", Purpose: "incident_report"})
	keys := func(r *usage.Report) string {
		text := ""
		for _, row := range r.Rows {
			text += fmt.Sprintf("%s:%d ", row.Key, row.Used.Calls)
		}
		return text
	}
	for by, want := range map[string]string{
		"": ":4 ", "org": "70:3 80:1 ", "group": "700:3 800:1 ", "project": "7:3 8:1 ", "person": "1:2 0:1 2:1 ", "token": "9:3 0:1 ",
		"purpose": "api:3 incident_report:1 ", "role": writer + ":4 ", "provider": "openai:4 ", "model": "gpt-4.1-mini:4 ",
	} {
		r := b.used(t, by, nil, shop, bakery)
		if keys(r) != want || r.Total.Calls != 4 || r.Total.InputTokens != 4000 || !costs(r.Total.CostUSD, 0.0044) || r.Before == nil || r.Before.Calls != 0 {
			t.Errorf("by %q: %s want %s, total %+v", by, keys(r), want, r.Total)
		}
		drawn := uint64(0)
		for _, s := range r.Series {
			for _, n := range s.Calls {
				drawn += n
			}
		}
		if drawn != 4 {
			t.Errorf("by %q %d calls are drawn", by, drawn)
		}
	}
	if r := b.used(t, "project", nil, bakery); keys(r) != "8:1 " || r.Total.Calls != 1 {
		t.Errorf("of one project: %+v", r)
	}
	if r := b.used(t, "project", nil); len(r.Rows) != 0 || r.Total.Calls != 0 {
		t.Errorf("of no project: %+v", r)
	}
	if r := b.used(t, "person", map[string]string{"purpose": "api", "person": "2"}, shop, bakery); keys(r) != "2:1 " {
		t.Errorf("filtered: %+v", r)
	}
	mine, err := b.Report(t.Context(), usage.Scope{Projects: []project.ID{shop, bakery}, Person: 1}, usage.Query{From: b.clock().Add(-time.Hour), To: b.clock().Add(time.Second), By: "person"})
	if err != nil || mine.Total.Calls != 2 || keys(mine) != "1:2 " {
		t.Errorf("of a person: %+v, %v", mine, err)
	}
	if _, err := b.Report(t.Context(), usage.Scope{Projects: []project.ID{shop}}, usage.Query{From: b.clock(), To: b.clock().Add(time.Hour), By: "1; DROP"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("by what there is not: %v", err)
	}
}

func TestEachRowStandsBesideTheTimeBeforeThatIsAsLong(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	b.price(t, ai.Price{Input: 1, Output: 1})
	by := func(person int64, times int) {
		t.Helper()
		for range times {
			ask(t, g, ai.Caller{Project: shop, Kind: "api", Person: person})
		}
	}
	check := func(what string, from, to time.Time) {
		t.Helper()
		r, err := b.Report(t.Context(), usage.Scope{Projects: []project.ID{shop}}, usage.Query{From: from, To: to, By: "person", Before: true})
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, row := range r.Rows {
			before := uint64(0)
			if row.Before != nil {
				before = row.Before.Calls
			}
			text += fmt.Sprintf("%s: %d and %d before, ", row.Key, row.Used.Calls, before)
		}
		if want := "2: 3 and 1 before, 1: 1 and 2 before, 4: 1 and 0 before, "; text != want || r.Keys != 3 {
			t.Errorf("%s: %s of %d, want %s", what, text, r.Keys, want)
		}
		if r.Total.Calls != 5 || r.Before == nil || r.Before.Calls != 4 || !costs(r.Before.CostUSD, 0.0044) || !costs(r.Total.CostUSD, 0.0055) {
			t.Errorf("%s: total %+v, before %+v", what, r.Total, r.Before)
		}
		drawn := uint64(0)
		for _, s := range r.Series {
			for _, n := range s.Calls {
				drawn += n
			}
		}
		if drawn != 5 {
			t.Errorf("%s: %d calls are drawn", what, drawn)
		}
	}
	// A step begins at a whole minute; the present begins within one.
	b.advance(b.clock().Truncate(time.Minute).Add(70 * time.Second).Sub(b.clock()))
	by(1, 2)
	by(2, 1)
	by(3, 1) // used nothing since
	b.advance(20 * time.Second)
	now := b.clock()
	by(2, 3)
	by(1, 1)
	by(4, 1)
	check("within a minute", now, now.Add(20*time.Second))
	// The same in hours that were added up.
	hour := b.clock().Truncate(time.Hour).Add(-50 * time.Hour)
	log := func(person int, at time.Time, times int) {
		t.Helper()
		err := b.telemetry.Exec(t.Context(), `INSERT INTO ai_calls (project_id, at, call_id, status, person, input_tokens, output_tokens, cost_usd, stored_at)
			SELECT 7, {at:DateTime64(3)}, concat('by ', {person:String}, ' ', toString({at:DateTime64(3)}), ' ', toString(number)), 'ok', toUInt64({person:String}), 1000, 100, 0.0011, now64(3) FROM numbers({times:UInt64})`,
			clickhouse.P("at", at.UTC()), clickhouse.P("person", strconv.Itoa(person)), clickhouse.P("times", uint64(times)))
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, each := range []struct{ person, before, present int }{{1, 2, 1}, {2, 1, 3}, {3, 1, 0}, {4, 0, 1}} {
		log(each.person, hour.Add(-time.Minute), each.before)
		log(each.person, hour.Add(time.Minute), each.present)
	}
	if err := b.AddUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("by hours", hour, hour.Add(time.Hour))
	check("by hours around", hour.Add(20*time.Minute), hour.Add(55*time.Minute))
}

func TestMoreKeysThanAreListedAreCountedAndDrawnTogether(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	err := b.telemetry.Exec(t.Context(), `INSERT INTO ai_calls (project_id, at, call_id, caller_kind, purpose, role, provider, model, status, person, input_tokens, output_tokens, cost_usd, latency_ms, stored_at)
		SELECT 7, now64(3) - INTERVAL 30 MINUTE, toString(number), 'api', 'api', 'writer', 'openai', 'm', 'ok', 1 + number, 10, 1, 1 + number, 100 + number % 100, now64(3) FROM numbers(700)`)
	if err != nil {
		t.Fatal(err)
	}
	r := b.used(t, "person", nil, shop)
	if len(r.Rows) != 500 || r.Keys != 700 || r.Rows[0].Key != "700" || r.Rows[499].Key != "201" || r.Total.Calls != 700 || r.Total.LatencyP95Ms < 190 || r.Total.LatencyP95Ms > 199 {
		t.Fatalf("%d rows of %d keys, total %+v", len(r.Rows), r.Keys, r.Total)
	}
	var others uint64
	for _, s := range r.Series {
		for _, n := range s.Calls {
			if s.Others {
				others += n
			}
		}
	}
	if len(r.Series) != 8 || others != 693 {
		t.Errorf("%d series, %d calls of the others", len(r.Series), others)
	}
}

func TestHoursThatWereAddedUpCountTheSameAsTheirCallsAndNothingTwice(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	b.price(t, ai.Price{Input: 1, Output: 1})
	for range 3 {
		ask(t, g, caller)
	}
	b.advance(5 * time.Hour)
	add := func() {
		t.Helper()
		if err := b.AddUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	add()
	add() // once more changes nothing
	ask(t, g, caller)
	check := func(calls uint64) {
		t.Helper()
		if r := b.used(t, "role", nil, shop); r.Total.Calls != calls || len(r.Rows) != 1 || r.Rows[0].Used.Calls != calls || r.Total.InputTokens != 1000*calls || !costs(r.Total.CostUSD, 0.0011*float64(calls)) {
			t.Errorf("total %+v, rows %+v", r.Total, r.Rows)
		}
	}
	check(4)
	// The same records once more, as after a crash between storing and forgetting them.
	if err := b.telemetry.Exec(t.Context(), `INSERT INTO ai_calls SELECT * FROM ai_calls`); err != nil {
		t.Fatal(err)
	}
	add()
	check(4)
	// A late record of an hour that was added up long ago.
	if err := b.telemetry.Exec(t.Context(), `INSERT INTO ai_calls SELECT * REPLACE ('late' AS call_id, now64(3) AS stored_at) FROM ai_calls ORDER BY at LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	add()
	check(5)
}

func TestUnknownPricesAreNoCostAndTheirModelsAreListed(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	if err := b.roles.DeletePrice(t.Context(), "openai", "gpt-4.1-mini", "kim"); err != nil {
		t.Fatal(err)
	}
	ask(t, g, caller)
	r := b.used(t, "model", nil, shop)
	if r.Total.CostUSD != nil || r.Total.Unpriced != 1 || r.Total.UnpricedTokens != 1100 || r.Rows[0].Used.CostUSD != nil {
		t.Errorf("usage %+v", r)
	}
	models, err := b.Unpriced(t.Context(), b.clock().Add(-time.Hour), b.clock().Add(time.Hour))
	if err != nil || len(models) != 1 || models[0].Model != "gpt-4.1-mini" || models[0].InputTokens != 1000 || models[0].OutputTokens != 100 {
		t.Errorf("models %+v, %v", models, err)
	}
	bill, err := b.Bill(t.Context(), usage.Scope{Projects: []project.ID{shop}}, nil)
	if err != nil || bill.Spent != 0 || bill.UnpricedTokens != 1100 || bill.UnpricedShare != 1 || bill.Method != "none" {
		t.Errorf("bill %+v, %v", bill, err)
	}
}

func TestAnOrganisationSeesTheModelsWithoutAPriceOfItsOwnProvidersOnly(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	if err := b.roles.DeletePrice(t.Context(), "openai", "gpt-4.1-mini", "kim"); err != nil {
		t.Fatal(err)
	}
	ask(t, g, caller)
	// As calls of providers of their own are logged: of shop's twice, and one of bakery's.
	for provider, p := range map[string]project.ID{"70/azure": shop, "70/lab": shop, "80/azure": bakery} {
		if err := b.telemetry.Exec(t.Context(), `INSERT INTO ai_attempts SELECT * REPLACE ({p:UInt32} AS project_id, {provider:String} AS provider, generateUUIDv4()::String AS call_id) FROM (SELECT * FROM ai_attempts WHERE provider = 'openai')`,
			clickhouse.P("p", uint32(p)), clickhouse.P("provider", provider)); err != nil {
			t.Fatal(err)
		}
	}
	from, to := b.clock().Add(-time.Hour), b.clock().Add(time.Hour)
	names := func(models []usage.UnpricedModel, err error) (names string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range models {
			names += fmt.Sprintf("%s of %d, ", m.Provider, m.Owner)
		}
		return names
	}
	if got := names(b.Unpriced(t.Context(), from, to)); got != "azure of 70, lab of 70, azure of 80, openai of 0, " {
		t.Errorf("of all: %s", got)
	}
	if got := names(b.UnpricedOf(t.Context(), 70, []project.ID{shop}, from, to)); got != "azure of 70, lab of 70, " {
		t.Errorf("of shop's: %s", got)
	}
	if got := names(b.UnpricedOf(t.Context(), 80, []project.ID{bakery}, from, to)); got != "azure of 80, " {
		t.Errorf("of bakery's: %s", got)
	}
	// Neither by its number nor by its projects does one see what is another's.
	if got := names(b.UnpricedOf(t.Context(), 70, []project.ID{bakery}, from, to)); got != "" {
		t.Errorf("shop's in the projects of bakery: %s", got)
	}
	if got := names(b.UnpricedOf(t.Context(), ai.Shared, []project.ID{shop, bakery}, from, to)); got != "" {
		t.Errorf("of no organisation: %s", got)
	}
	if _, err := b.UnpricedOf(t.Context(), 70, []project.ID{shop}, to, from); !fault.Is(err, fault.Invalid) {
		t.Errorf("a range that ends before it begins: %v", err)
	}
}

// working gives a ledger a queue that works its jobs.
func working(t *testing.T, db *metadb.DB, l *usage.Ledger) {
	t.Helper()
	q, err := job.New(job.Options{DB: db, Node: "test", PollInterval: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l.Register(q)
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func recounted(t *testing.T, l *usage.Ledger, id int64) usage.Recount {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		all, err := l.Recounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.ID == id && r.State == usage.RecountDone {
				return r
			}
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatal("the recount did not end")
	return usage.Recount{}
}

func TestCostsAreCountedAgainWithThePricesOfToday(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		b := open(t, db)
		budget, err := b.roles.SetBudget(t.Context(), ai.Budget{Scope: "project", Measure: "usd", Period: "month", Limit: 100}, "kim")
		if err != nil {
			t.Fatal(err)
		}
		used := ai.Usage{InputTokens: 1000, CachedTokens: 600, CacheWriteTokens: 100, OutputTokens: 500, ReasoningTokens: 200}
		g := b.gateway(t, used)
		if err := b.roles.DeletePrice(t.Context(), "openai", "gpt-4.1-mini", "kim"); err != nil {
			t.Fatal(err)
		}
		unknown := ask(t, g, caller)
		start := b.clock()
		b.advance(time.Hour)
		b.price(t, ai.Price{Input: 7, Output: 7})
		wrong := ask(t, g, caller)
		before, _, err := b.roles.BudgetsOf(ai.Shared, nil, nil).Uses(t.Context(), budget.ID, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		// It turns out what it cost all the time, and that it became dearer in between.
		history, err := b.roles.PriceHistory(t.Context(), "openai", "gpt-4.1-mini")
		if err != nil || !history[1].Ended {
			t.Fatalf("history %+v, %v", history, err)
		}
		if err := b.roles.WithdrawPrice(t.Context(), history[1].Version, "kim"); err != nil {
			t.Fatal(err)
		}
		earlier, later := start.Add(-time.Hour), start.Add(30*time.Minute)
		cheap := b.price(t, ai.Price{Input: 1, Output: 2, Cached: dollars(0.1), CacheWrite: dollars(1.25), Reasoning: dollars(3), From: &earlier})
		b.price(t, ai.Price{Input: 10, Output: 20, From: &later})
		at := b.clock()
		dear := b.price(t, ai.Price{Input: 10, Output: 20, From: &at}) // over the wrong one
		working(t, db, b.Ledger)
		run := func() usage.Recount {
			t.Helper()
			r, err := b.StartRecount(t.Context(), start.Add(-24*time.Hour), "kim")
			if err != nil {
				t.Fatal(err)
			}
			return recounted(t, b.Ledger, r.ID)
		}
		if r := run(); r.Calls != 2 || r.FinishedAt == nil || !r.DoneUntil.Equal(r.To) || r.CreatedBy != "kim" {
			t.Errorf("recount %+v", r)
		}
		check := func(id string, want float64, version int64) {
			t.Helper()
			call, err := g.Call(t.Context(), shop, id)
			if err != nil || !costs(call.Usage.CostUSD, want) || call.PriceVersion != version || !costs(call.Attempts[0].Usage.CostUSD, want) || call.Attempts[0].PriceVersion != version || call.Message != "hello" {
				t.Errorf("call %+v, %v; want %v of version %d", call, err, want, version)
			}
		}
		cheapCost, dearCost := (300*1.0+600*0.1+100*1.25+300*2+200*3)/1e6, (1000*10.0+500*20)/1e6
		check(unknown.CallID, cheapCost, cheap.Version)
		check(wrong.CallID, dearCost, dear.Version)
		if r := b.used(t, "", nil, shop); r.Total.Calls != 2 || r.Total.Unpriced != 0 || !costs(r.Total.CostUSD, cheapCost+dearCost) {
			t.Errorf("usage %+v", r.Total)
		}
		page, err := g.Calls(t.Context(), shop, ai.CallQuery{})
		if err != nil || len(page.Items) != 2 || !costs(page.Items[0].Usage.CostUSD, dearCost) {
			t.Errorf("page %+v, %v", page, err)
		}
		spent, err := g.Spent(t.Context(), shop, start.Add(-time.Hour), b.clock().Add(time.Hour))
		if err != nil || spent.Calls != 2 || math.Abs(spent.CostUSD-cheapCost-dearCost) > 1e-12 {
			t.Errorf("spent %+v, %v", spent, err)
		}
		if r := run(); r.Calls != 0 {
			t.Errorf("counted once more, %d calls changed", r.Calls)
		}
		if err := b.telemetry.Exec(t.Context(), `OPTIMIZE TABLE ai_calls FINAL`); err != nil {
			t.Fatal(err)
		}
		check(unknown.CallID, cheapCost, cheap.Version)
		after, _, err := b.roles.BudgetsOf(ai.Shared, nil, nil).Uses(t.Context(), budget.ID, time.Time{})
		if err != nil || len(before) != len(after) || before[0].Used != after[0].Used {
			t.Errorf("the budget was at %+v and is at %+v, %v", before, after, err)
		}
	})
}

func TestARecountGoesOnWhereItWasLeftAndOneRunsAtATime(t *testing.T) {
	b := open(t, metadbtest.SQLite(t))
	g := b.gateway(t, ai.Usage{InputTokens: 1000, OutputTokens: 100})
	for range 2 {
		ask(t, g, caller)
		b.advance(24 * time.Hour)
	}
	long := b.clock().Add(-40 * 24 * time.Hour)
	b.price(t, ai.Price{Input: 3, Output: 3, From: &long})
	if _, err := b.StartRecount(t.Context(), long, "kim"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a queue: %v", err)
	}
	// Nobody works yet: the node that was asked has stopped after the first days.
	idle, err := job.New(job.Options{DB: b.db})
	if err != nil {
		t.Fatal(err)
	}
	b.Register(idle)
	r, err := b.StartRecount(t.Context(), long, "kim")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.StartRecount(t.Context(), long, "lee"); !fault.Is(err, fault.Conflict) {
		t.Errorf("two at a time: %v", err)
	}
	skipped := b.clock().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	if _, err := b.db.Exec(t.Context(), `UPDATE ai_recount SET next = $1`, metadb.Micros(skipped)); err != nil {
		t.Fatal(err)
	}
	working(t, b.db, b.ledger(t, g))
	if done := recounted(t, b.Ledger, r.ID); done.Calls != 1 {
		t.Errorf("the days that were done are done again: %+v", done)
	}
	for what, at := range map[string]time.Time{"before": b.clock().Add(-time.Hour), "while": b.clock(), "after": b.clock().Add(time.Hour)} {
		if found, err := b.Recounting(t.Context(), at, at.Add(time.Minute)); err != nil || found != (what == "while") {
			t.Errorf("%s the recount records may change: %v, %v", what, found, err)
		}
	}
	if err := b.CancelRecount(t.Context(), r.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("what is done is cancelled: %v", err)
	}
}

func TestUseOfManyCallsIsReadFast(t *testing.T) {
	rows := os.Getenv("MATRIX_USAGE_ROWS")
	if rows == "" {
		t.Skip("MATRIX_USAGE_ROWS says of how many calls")
	}
	b := open(t, metadbtest.SQLite(t))
	db := b.telemetry
	began := time.Now()
	// Over sixty days: thirty are asked for, beside the thirty before them. In parts,
	// so that each is within the time of a statement.
	const parts = 12
	n, err := strconv.Atoi(rows)
	if err != nil {
		t.Fatal(err)
	}
	for range parts {
		err := db.Exec(t.Context(), `INSERT INTO ai_calls (project_id, at, call_id, caller_kind, purpose, role, provider, model, status, org_id, group_id, person, token, input_tokens, output_tokens, cached_tokens, cost_usd, latency_ms, message, answer, stored_at)
			SELECT 1 + who % 20, now64(3) - toIntervalMillisecond(toUInt64(rand64(2) % (60 * 86400000))), hex(rand64(3)), 'api', ['api','incident_report','conversation'][1 + job % 3], concat('role-', toString(job % 12)), 'openai',
			concat('model-', toString(job % 6)), if(rand(7) % 50 = 0, 'error', 'ok'), 1 + who % 20 % 4, 1 + who % 20 % 8, who, 0, rand(9) % 5000, rand(10) % 1000, 0, if(rand(11) % 20 = 0, NULL, rand(12) % 1000 / 1e5), rand(13) % 8000, '', '', now64(3)
			FROM (SELECT rand(1) % 200 AS who, who + rand(4) % 3 AS job FROM numbers(`+strconv.Itoa(n/parts)+`)) SETTINGS max_partitions_per_insert_block = 200, max_execution_time = 300`)
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s calls are written in %s", rows, time.Since(began))
	var projects []project.ID
	for p := range 20 {
		projects = append(projects, project.ID(p+1))
	}
	b.now = time.Now()
	read := func(what string) {
		for _, by := range []string{"", "role", "person", "project"} {
			began := time.Now()
			r, err := b.Report(t.Context(), usage.Scope{Projects: projects}, usage.Query{From: b.now.Add(-30 * 24 * time.Hour), To: b.now, By: by, Before: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s by %q: %d calls, and %d before, in %s", what, by, r.Total.Calls, r.Before.Calls, time.Since(began))
		}
	}
	began = time.Now()
	var plain []struct {
		N uint64 `ch:"n"`
	}
	if err := db.SystemSelect(t.Context(), &plain, `SELECT count() AS n FROM (SELECT role, sum(input_tokens), sum(cost_usd), quantileTDigest(0.95)(latency_ms) FROM ai_calls FINAL GROUP BY role)
		SETTINGS do_not_merge_across_partitions_select_final = 1`); err != nil {
		t.Fatal(err)
	}
	t.Logf("one plain query over the calls takes %s", time.Since(began))
	began = time.Now()
	if err := b.AddUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("they are added up in %s", time.Since(began))
	read("added up")
	read("once more")
	began = time.Now()
	if err := b.AddUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("and once more in %s", time.Since(began))
}
