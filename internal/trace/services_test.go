package trace_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

const (
	aDay  = 24 * time.Hour
	aWeek = 7 * aDay
)

// serving returns n transactions of a service, one a second from at on; the
// i-th takes i+1 times unit, and the first failed of them fail.
func serving(service string, first uint64, at time.Time, n, failed int, unit time.Duration) []tracetest.Span {
	spans := make([]tracetest.Span, n)
	for i := range n {
		id := first + uint64(i)
		spans[i] = tracetest.Span{
			Trace: tracetest.ID(id), ID: trace.SpanID(id), Service: service, Environment: "PRODUCTION", Instance: fmt.Sprint("pod-", i%2), Version: "1.0",
			Name: "GET /items", Kind: trace.KindServer, Start: at.Add(time.Duration(i) * time.Second), Duration: time.Duration(i+1) * unit, Error: i < failed,
			Attributes: map[string]string{"http.request.method": "GET", "http.route": "/items"},
		}
	}
	return spans
}

// near reports whether a quantile is what it should be: within 2 % of a value
// that occurred, of which the neighbours are 1 % of the range apart.
func near(got int64, want time.Duration) bool {
	return math.Abs(float64(got)/float64(want)-1) < 0.05
}

func within(t *testing.T, from, to time.Time) trace.Range {
	t.Helper()
	r, err := trace.NewRange(from, to, to.Add(aDay))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hour is the range of an hour from then on.
func hour(t *testing.T, from time.Time) trace.Range { return within(t, from, from.Add(time.Hour)) }

func TestAServiceIsComparedWithADayAndAWeekAgo(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, serving("api", 1000, noon, 100, 5, 40*ms)...)
	tracetest.Insert(t, db, 1, serving("api", 2000, noon.Add(-aDay), 50, 0, 40*ms)...)
	tracetest.Insert(t, db, 1, serving("api", 3000, noon.Add(-aWeek), 100, 1, 10*ms)...)
	tracetest.Insert(t, db, 2, serving("secret", 4000, noon, 100, 5, 40*ms)...)

	top, err := store.Services(t.Context(), 1, trace.ServiceQuery{Range: hour(t, noon.Add(-3*time.Minute))})
	if err != nil {
		t.Fatal(err)
	}
	if len(top.Items) != 1 || top.Total != 1 {
		t.Fatalf("%d of %d services: %+v", len(top.Items), top.Total, top.Items)
	}
	s := top.Items[0]
	if s.Service != "api" || s.Now.Count != 100 || s.Now.Errors != 5 || s.Now.ErrorShare != 0.05 || s.Now.MaxNs != 4e9 {
		t.Errorf("now: %+v", s.Now)
	}
	if !near(s.Now.P50Ns, 2000*ms) || !near(s.Now.P90Ns, 3600*ms) || !near(s.Now.P95Ns, 3800*ms) || !near(s.Now.P99Ns, 3960*ms) {
		t.Errorf("quantiles: %+v", s.Now)
	}
	if want := 100.0 / 3600; s.Now.PerSecond != want {
		t.Errorf("%v per second, want %v", s.Now.PerSecond, want)
	}
	if s.DayAgo == nil || s.DayAgo.Count != 50 || !near(s.DayAgo.P95Ns, 1900*ms) {
		t.Errorf("a day ago: %+v", s.DayAgo)
	}
	if s.WeekAgo == nil || s.WeekAgo.Count != 100 || !near(s.WeekAgo.P95Ns, 950*ms) || s.WeekAgo.Errors != 1 {
		t.Errorf("a week ago: %+v", s.WeekAgo)
	}
	if h := s.Health; h.State != trace.Critical || h.Reason != trace.Failing || h.Against != "week" || h.Ratio != 5 {
		t.Errorf("health: %+v", h)
	}
	if diff := cmp.Diff([]string{"PRODUCTION"}, s.Environments); diff != "" {
		t.Error(diff)
	}
	var drawn float64
	for i, v := range s.Spark.PerSecond {
		if v != nil {
			drawn += *v * float64(s.Spark.Step)
		} else if s.Spark.P95Ns[i] != nil {
			t.Errorf("step %d has a duration and no rate", i)
		}
	}
	if math.Abs(drawn-100) > 1 {
		t.Errorf("the sparkline shows %v transactions, want 100", drawn)
	}
}

func TestARangeIsReadInWholeMinutesAndALongOneInWholeHours(t *testing.T) {
	db, store := tracetest.Open(t)
	midnight := time.Date(2025, 6, 17, 0, 0, 0, 0, time.UTC)
	var spans []tracetest.Span
	for m := range 50 * 60 { // one a minute, for two days around midnight
		spans = append(spans, serving("api", uint64(m+1), midnight.Add(time.Duration(m-25*60)*time.Minute), 1, 0, 10*ms)...)
	}
	tracetest.Insert(t, db, 1, spans...)
	f := func(from, to, wantFrom, wantTo time.Duration) {
		t.Helper()
		got, err := store.Service(t.Context(), 1, trace.OneService{Service: "api", Range: within(t, midnight.Add(from), midnight.Add(to))})
		if err != nil {
			t.Fatal(err)
		}
		if !got.From.Equal(midnight.Add(wantFrom)) || !got.To.Equal(midnight.Add(wantTo)) {
			t.Errorf("from %v to %v is read from %v to %v", from, to, got.From, got.To)
		}
		if want := uint64((wantTo - wantFrom).Minutes()); got.Now.Count != want || math.Abs(got.Now.PerSecond*60-1) > 1e-9 {
			t.Errorf("from %v to %v: %d transactions, want %d, %v a minute", from, to, got.Now.Count, want, got.Now.PerSecond*60)
		}
		var drawn uint64
		for _, p := range got.Series.Now {
			drawn += p.Count
			if math.Abs(p.PerSecond*60-1) > 1e-9 {
				t.Errorf("from %v to %v, at %d: %v a minute", from, to, p.At, p.PerSecond*60)
			}
		}
		if drawn != got.Now.Count {
			t.Errorf("from %v to %v: the chart shows %d", from, to, drawn)
		}
	}
	const m = time.Minute
	f(-60*m, 60*m, -60*m, 60*m)
	f(-61*m, 61*m, -61*m, 61*m)
	f(-5*m-time.Second, 5*m+time.Second, -6*m, 6*m)
	f(-359*m, 360*m, -359*m, 360*m)
	f(-360*m, 360*m, -360*m, 360*m)
	f(-361*m, 361*m, -420*m, 420*m)
	f(-20*60*m-m, 4*60*m-m, -21*60*m, 4*60*m)
}

func TestAChartLeavesOutWhereNothingWasRecorded(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, serving("api", 1, noon, 1, 0, 10*ms)...)
	tracetest.Insert(t, db, 1, serving("api", 2, noon.Add(30*time.Minute), 1, 0, 10*ms)...)
	tracetest.Insert(t, db, 1, serving("api", 3, noon.Add(10*time.Minute-aWeek), 1, 0, 10*ms)...)
	got, err := store.Service(t.Context(), 1, trace.OneService{Service: "api", Range: hour(t, noon)})
	if err != nil {
		t.Fatal(err)
	}
	times := func(points []trace.Bucket) (at []int64) {
		for _, p := range points {
			at = append(at, (p.At-noon.Unix())/60)
		}
		return at
	}
	if diff := cmp.Diff([]int64{0, 30}, times(got.Series.Now)); diff != "" || got.Series.Step != 60 {
		t.Errorf("step %d, now (-want +got)\n%s", got.Series.Step, diff)
	}
	if diff := cmp.Diff([]int64{10}, times(got.Series.WeekAgo)); diff != "" {
		t.Errorf("a week ago (-want +got)\n%s", diff)
	}
}

func TestTheWorstServiceComesFirst(t *testing.T) {
	db, store := tracetest.Open(t)
	id := uint64(0)
	service := func(name string, before, after time.Duration, failed, n int) {
		id += 1000
		tracetest.Insert(t, db, 1, serving(name, id, noon.Add(-aDay), 100, 0, before)...)
		if n > 0 {
			tracetest.Insert(t, db, 1, serving(name, id+500, noon, n, failed, after)...)
		}
	}
	service("healthy", 2*ms, 2*ms, 0, 100)
	service("twice", 2*ms, 4*ms, 0, 100)
	service("four-times", 2*ms, 8*ms, 0, 100)
	service("failing", 2*ms, 2*ms, 50, 100)
	service("stopped", 2*ms, 2*ms, 0, 0)
	service("quiet", 2*ms, 2*ms, 0, 25)
	service("rare", 2*ms, 2*ms, 0, 3)
	tracetest.Insert(t, db, 1, serving("new", 100_000, noon, 5, 0, ms)...)

	order := func(q trace.ServiceQuery) (names []string, items map[string]trace.ServiceHealth) {
		t.Helper()
		q.Range = hour(t, noon)
		top, err := store.Services(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		items = map[string]trace.ServiceHealth{}
		for _, s := range top.Items {
			names = append(names, s.Service)
			items[s.Service] = s.Health
		}
		return names, items
	}
	names, health := order(trace.ServiceQuery{})
	if diff := cmp.Diff([]string{"failing", "stopped", "four-times", "quiet", "twice"}, names[:5]); diff != "" {
		t.Errorf("worst first (-want +got)\n%s", diff)
	}
	for name, want := range map[string]trace.ServiceHealth{
		"healthy": {State: trace.Healthy}, "twice": {State: trace.Warning, Reason: trace.Slow, Against: "day"},
		"four-times": {State: trace.Critical, Reason: trace.Slow, Against: "day"}, "failing": {State: trace.Critical, Reason: trace.Failing, Against: "day"},
		"stopped": {State: trace.Critical, Reason: trace.Silent, Against: "day"}, "quiet": {State: trace.Warning, Reason: trace.Quiet, Against: "day"},
		"rare": {State: trace.Unknown}, "new": {State: trace.Unknown},
	} {
		if got := health[name]; got.State != want.State || got.Reason != want.Reason || got.Against != want.Against {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if names, _ = order(trace.ServiceQuery{Order: trace.ByName, Limit: 2}); !cmp.Equal(names, []string{"failing", "four-times"}) {
		t.Errorf("by name: %v", names)
	}
	if names, _ = order(trace.ServiceQuery{Text: "IE"}); !cmp.Equal(names, []string{"quiet"}) {
		t.Errorf("of a text: %v", names)
	}
	if names, _ = order(trace.ServiceQuery{Environment: "STAGING"}); len(names) != 0 {
		t.Errorf("of another environment: %v", names)
	}
}

func TestAServiceThatNeverRanIsNotFoundAndASilentOneIs(t *testing.T) {
	db, store := tracetest.Open(t)
	top, err := store.Services(t.Context(), 1, trace.ServiceQuery{Range: hour(t, noon)})
	if err != nil || len(top.Items) != 0 {
		t.Errorf("an empty project: %+v, %v", top, err)
	}
	tracetest.Insert(t, db, 1, serving("api", 1, noon, 1, 0, ms)...)
	tracetest.Insert(t, db, 2, serving("secret", 1, noon, 1, 0, ms)...)
	for _, name := range []string{"nobody", "secret"} {
		if _, err := store.Service(t.Context(), 1, trace.OneService{Service: name, Range: hour(t, noon)}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := store.Versions(t.Context(), 1, trace.OneService{Service: name, Range: hour(t, noon)}); !fault.Is(err, fault.NotFound) {
			t.Errorf("versions of %s: %v", name, err)
		}
	}
	got, err := store.Service(t.Context(), 1, trace.OneService{Service: "api", Range: hour(t, noon.Add(9*time.Hour))})
	if err != nil || got.Now.Count != 0 || len(got.Series.Now) != 0 {
		t.Errorf("hours later: %+v, %v", got, err)
	}
}

func TestARangeThatCannotBeReadSaysWhatCan(t *testing.T) {
	f := func(from, to time.Time, field string) {
		t.Helper()
		if _, err := trace.NewRange(from, to, noon); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("from %v to %v: %v", from, to, err)
		}
	}
	f(noon, noon, "to")
	f(noon, noon.Add(-time.Hour), "to")
	f(noon.AddDate(-2, 0, 0), noon, "from")
	f(time.Time{}, time.Time{}.Add(time.Hour), "from")
	_, store := tracetest.Open(t)
	if _, err := store.Services(t.Context(), 1, trace.ServiceQuery{Range: hour(t, noon), Limit: 501}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a limit of 501: %v", err)
	}
}

func TestARateIsOverTheTimeThatHasPassed(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, serving("api", 1, noon, 90, 0, ms)...)
	tracetest.Insert(t, db, 1, serving("api", 1000, noon.Add(-aDay), 90, 0, ms)...)
	r, err := trace.NewRange(noon, noon.Add(2*time.Minute), noon.Add(90*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.Service(t.Context(), 1, trace.OneService{Service: "api", Range: r})
	if err != nil {
		t.Fatal(err)
	}
	if got.Now.PerSecond != 1 || got.DayAgo.PerSecond != 0.75 || got.Series.Now[1].PerSecond != 1 {
		t.Errorf("now %v and lately %v per second, a day ago %v", got.Now.PerSecond, got.Series.Now[1].PerSecond, got.DayAgo.PerSecond)
	}
}

func TestTheEndpointsOfAServiceAreItsTransactionsByName(t *testing.T) {
	db, store := tracetest.Open(t)
	for n := range uint64(30) {
		tracetest.Insert(t, db, 1, request(n+1, noon, time.Second)...)
	}
	tracetest.Insert(t, db, 1, request(100, noon.Add(-aDay), time.Second)...)
	other := serving("api", 5000, noon, 40, 0, ms)
	for i := range other {
		other[i].Attributes["http.route"] = "/fast"
	}
	tracetest.Insert(t, db, 1, other...)
	q := trace.OneService{Service: "api", Range: hour(t, noon.Add(-time.Minute))}
	names := func(order trace.ServiceOrder, text string) (names []string) {
		t.Helper()
		q.Order, q.Text = order, text
		top, err := store.Endpoints(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range top.Items {
			names = append(names, e.Endpoint)
		}
		return names
	}
	if got := names("", ""); !cmp.Equal(got, []string{"GET /items", "GET /fast"}) {
		t.Errorf("by time: %v", got)
	}
	if got := names(trace.ByRate, ""); !cmp.Equal(got, []string{"GET /fast", "GET /items"}) {
		t.Errorf("by rate: %v", got)
	}
	if got := names("", "FAST"); !cmp.Equal(got, []string{"GET /fast"}) {
		t.Errorf("of a text: %v", got)
	}
	q.Order, q.Text = "", ""
	top, err := store.Endpoints(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if e := top.Items[0]; e.Now.Count != 30 || e.DayAgo == nil || e.DayAgo.Count != 1 || e.WeekAgo != nil || e.Now.TotalNs != 30e9 {
		t.Errorf("%+v", e)
	}
}

func TestInstancesAndVersionsOfAService(t *testing.T) {
	db, store := tracetest.Open(t)
	old := serving("api", 1, noon.Add(-30*aDay), 4, 0, 10*ms)
	rest := serving("api", 100, noon, 40, 10, 10*ms)
	fresh := serving("api", 1000, noon.Add(20*time.Minute), 10, 0, 10*ms)
	for i := range fresh {
		fresh[i].Version = "2.0"
	}
	tracetest.Insert(t, db, 1, append(append(old, rest...), fresh...)...)
	tracetest.Insert(t, db, 2, serving("api", 1, noon, 40, 10, 10*ms)...)
	q := trace.OneService{Service: "api", Range: hour(t, noon)}

	instances, err := store.Instances(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if instances.Total != 2 {
		t.Fatalf("%+v", instances)
	}
	i := instances.Items[0]
	if i.Instance != "pod-0" || i.Count != 25 || i.Errors != 5 || i.Environment != "PRODUCTION" || !cmp.Equal(i.Versions, []string{"1.0", "2.0"}) {
		t.Errorf("%+v", i)
	}
	versions, err := store.Versions(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	if versions.Total != 2 || versions.Items[0].Version != "2.0" || versions.Items[1].Version != "1.0" {
		t.Fatalf("%+v", versions)
	}
	if v := versions.Items[0]; v.Count != 10 || !v.FirstSeen.Equal(noon.Add(20*time.Minute+10*ms)) || v.Instances != 2 {
		t.Errorf("%+v", v)
	}
	if v := versions.Items[1]; v.Count != 40 || !v.FirstSeen.Equal(noon.Add(-30*aDay+10*ms)) {
		t.Errorf("%+v", v)
	}
}
