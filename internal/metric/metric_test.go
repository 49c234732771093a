package metric

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// place is a database with the tables of this package.
type place struct {
	t      testing.TB
	store  *Store
	writer *Writer
}

func newPlace(t testing.TB, limits Limits) *place {
	t.Helper()
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "metric", Migrations()); err != nil {
		t.Fatal(err)
	}
	w := NewWriter(db, limits, clickhouse.BatchOptions{MaxDelay: time.Microsecond})
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &place{t, NewStore(db), w}
}

// now is a minute before the last midnight UTC: samples of two days are usual,
// and the engine has not expired them.
var now = time.Now().UTC().Truncate(24 * time.Hour).Add(-time.Minute)

// write stores what fill puts into a batch of a project, as a request would.
func (p *place) write(of project.ID, fill func(*Batch)) {
	p.t.Helper()
	b := p.writer.Begin(of, 30, now)
	defer p.writer.Release(b)
	fill(b)
	if err := p.writer.Write(p.t.Context(), b); err != nil {
		p.t.Fatal(err)
	}
}

// sample stores one float.
func (p *place) sample(of project.ID, at time.Time, v float64, ls ...string) {
	p.t.Helper()
	p.write(of, func(b *Batch) {
		s, err := b.Series(labels.FromStrings(ls...))
		if err == nil {
			err = b.Sample(s, 0, at.UnixMilli(), v)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	})
}

// read selects everything of the last day that a matcher finds: by series, its
// samples as "seconds from now=value".
func (p *place) read(of project.ID, matchers ...*labels.Matcher) map[string][]string {
	p.t.Helper()
	out := map[string][]string{}
	p.each(of, func(s storage.Series) {
		it := s.Iterator(nil)
		samples := []string{}
		for it.Next() != chunkenc.ValNone {
			t, v := it.At()
			samples = append(samples, fmt.Sprintf("%g=%g", float64(t-now.UnixMilli())/1000, v))
		}
		out[s.Labels().String()] = samples
	}, matchers...)
	return out
}

func (p *place) each(of project.ID, fn func(storage.Series), matchers ...*labels.Matcher) {
	p.t.Helper()
	q, err := p.store.Queryable(of).Querier(now.Add(-24*time.Hour).UnixMilli(), now.Add(time.Hour).UnixMilli())
	if err != nil {
		p.t.Fatal(err)
	}
	set := q.Select(p.t.Context(), true, nil, matchers...)
	for set.Next() {
		fn(set.At())
	}
	if err := set.Err(); err != nil {
		p.t.Fatal(err)
	}
}

func named(metric string) *labels.Matcher {
	return labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, metric)
}

func TestSamplesAreReadInOrderByTheirProjectOnly(t *testing.T) {
	p := newPlace(t, Limits{})
	p.sample(1, now, 2, "__name__", "up", "job", "api")
	p.sample(1, now.Add(-time.Minute), 1, "__name__", "up", "job", "api")  // out of order
	p.sample(1, now.Add(2*time.Minute), 3, "__name__", "up", "job", "api") // the next day
	p.sample(1, now, 9, "__name__", "up", "job", "web")
	p.sample(2, now, 7, "__name__", "up", "job", "api")
	want := map[string][]string{
		`{__name__="up", job="api"}`: {"-60=1", "0=2", "120=3"},
		`{__name__="up", job="web"}`: {"0=9"},
	}
	if diff := cmp.Diff(want, p.read(1, named("up"))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOfTwoSamplesWithOneTimeTheLaterWrittenStays(t *testing.T) {
	p := newPlace(t, Limits{})
	for _, v := range []float64{1, 5, 5, 3} {
		p.sample(1, now, v, "__name__", "x")
	}
	if got := p.read(1, named("x")); len(got[`{__name__="x"}`]) != 1 || got[`{__name__="x"}`][0] != "0=3" {
		t.Errorf("read %v", got)
	}
}

func TestEveryBitOfAValueIsKept(t *testing.T) {
	p := newPlace(t, Limits{})
	bits := []uint64{value.StaleNaN, value.NormalNaN, 0x7ff8000000000123, 0x8000000000000000, 0, 1, math.Float64bits(math.Inf(-1)), math.Float64bits(math.MaxFloat64)}
	p.write(1, func(b *Batch) {
		s, err := b.Series(labels.FromStrings("__name__", "x"))
		for i, v := range bits {
			if err == nil {
				err = b.Sample(s, int64(i), now.UnixMilli()+int64(i), math.Float64frombits(v))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	p.each(1, func(s storage.Series) {
		it := s.Iterator(nil)
		for i, want := range bits {
			if it.Next() != chunkenc.ValFloat {
				t.Fatalf("only %d samples", i)
			}
			if _, got := it.At(); math.Float64bits(got) != want || it.AtST() != int64(i) {
				t.Errorf("%#x came back as %#x, started at %d", want, math.Float64bits(got), it.AtST())
			}
		}
	}, named("x"))
}

func TestANativeHistogramIsReadBackAsItWasSent(t *testing.T) {
	p := newPlace(t, Limits{})
	spans := []histogram.Span{{Offset: -2, Length: 2}, {Offset: 3, Length: 1}}
	whole := &histogram.Histogram{
		CounterResetHint: histogram.GaugeType, Schema: 3, ZeroThreshold: 1e-9, ZeroCount: 2, Count: 13, Sum: -3.5,
		PositiveSpans: spans, PositiveBuckets: []int64{1, 2, -1}, NegativeSpans: spans[:1], NegativeBuckets: []int64{2, 1},
	}
	custom := &histogram.FloatHistogram{
		Schema: histogram.CustomBucketsSchema, Count: 4.5, Sum: 11.25, PositiveSpans: []histogram.Span{{Length: 3}}, PositiveBuckets: []float64{1.5, 2, 1},
		CustomValues: []float64{0.1, 0.5},
	}
	stale := &histogram.Histogram{Sum: math.Float64frombits(value.StaleNaN)}
	p.write(1, func(b *Batch) {
		s, err := b.Series(labels.FromStrings("__name__", "x"))
		for i, add := range []func(t int64) error{
			func(at int64) error { return b.Histogram(s, 0, at, whole) },
			func(at int64) error { return b.FloatHistogram(s, 0, at, custom) },
			func(at int64) error { return b.Sample(s, 0, at, 1.5) },
			func(at int64) error { return b.Histogram(s, 0, at, stale) },
		} {
			if err == nil {
				err = add(now.UnixMilli() + int64(i))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	series := 0
	p.each(1, func(s storage.Series) {
		series++
		it := s.Iterator(nil)
		if kind := it.Next(); kind != chunkenc.ValHistogram {
			t.Fatalf("the first is a %s", kind)
		}
		if _, got := it.AtHistogram(nil); !got.Equals(whole) || got.CounterResetHint != whole.CounterResetHint {
			t.Errorf("%v came back as %v", whole, got)
		}
		if kind := it.Seek(now.UnixMilli() + 1); kind != chunkenc.ValFloatHistogram {
			t.Fatalf("the second is a %s", kind)
		}
		if _, got := it.AtFloatHistogram(&histogram.FloatHistogram{}); !got.Equals(custom) {
			t.Errorf("%v came back as %v", custom, got)
		}
		if kind := it.Next(); kind != chunkenc.ValFloat {
			t.Fatalf("the third is a %s", kind)
		}
		if kind := it.Next(); kind != chunkenc.ValHistogram {
			t.Fatalf("the fourth is a %s", kind)
		}
		if _, got := it.AtHistogram(nil); !value.IsStaleNaN(got.Sum) {
			t.Errorf("the staleness marker came back as %v", got)
		}
		if it.Next() != chunkenc.ValNone || it.Err() != nil {
			t.Errorf("it does not end: %v", it.Err())
		}
	}, named("x"))
	if series != 1 {
		t.Errorf("%d series", series)
	}
}

func TestMatchersMeanWhatPrometheusMeans(t *testing.T) {
	p := newPlace(t, Limits{})
	for _, ls := range []string{"", "api", "api-2", "API", "a\nb", "it's", `back\slash`, "한글", "a.c", "abc"} {
		p.sample(1, now, 1, "__name__", "x", "job", ls, "other", "o")
	}
	p.sample(1, now, 1, "__name__", "y")
	for _, m := range []struct {
		kind  labels.MatchType
		value string
	}{
		{labels.MatchEqual, "api"}, {labels.MatchEqual, ""}, {labels.MatchEqual, "a\nb"}, {labels.MatchEqual, "it's"}, {labels.MatchEqual, `back\slash`}, {labels.MatchEqual, "한글"},
		{labels.MatchNotEqual, "api"}, {labels.MatchNotEqual, ""},
		{labels.MatchRegexp, "api|abc|"}, {labels.MatchRegexp, "api.*"}, {labels.MatchRegexp, "(?i)api"}, {labels.MatchRegexp, "a.b"}, {labels.MatchRegexp, "a.+"}, {labels.MatchRegexp, ".*"}, {labels.MatchRegexp, "a\\.c"}, {labels.MatchRegexp, ".한?글"},
		{labels.MatchNotRegexp, "api|abc"}, {labels.MatchNotRegexp, "a.*"}, {labels.MatchNotRegexp, ".+"},
	} {
		matcher := labels.MustNewMatcher(m.kind, "job", m.value)
		got := p.read(1, named("x"), matcher)
		want := 0
		for _, v := range []string{"", "api", "api-2", "API", "a\nb", "it's", `back\slash`, "한글", "a.c", "abc"} {
			if matcher.Matches(v) {
				want++
				if _, ok := got[labels.FromStrings("__name__", "x", "job", v, "other", "o").WithoutEmpty().String()]; !ok {
					t.Errorf("%s does not find %q", matcher, v)
				}
			}
		}
		if len(got) != want {
			t.Errorf("%s finds %d series, want %d: %v", matcher, len(got), want, got)
		}
	}
}

func TestManySeriesAreSelectedByALabel(t *testing.T) {
	p := newPlace(t, Limits{})
	const n = 20_000
	p.write(1, func(b *Batch) {
		for i := range n {
			s, err := b.Series(labels.FromStrings("__name__", "x", "half", fmt.Sprint(i%2), "i", fmt.Sprint(i)))
			if err == nil {
				err = b.Sample(s, 0, now.UnixMilli(), float64(i))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	series, samples := 0, 0
	p.each(1, func(s storage.Series) {
		series++
		for it := s.Iterator(nil); it.Next() == chunkenc.ValFloat; samples++ {
			if _, v := it.At(); fmt.Sprint(v) != s.Labels().Get("i") {
				t.Fatalf("%s has %g", s.Labels(), v)
			}
		}
	}, named("x"), labels.MustNewMatcher(labels.MatchEqual, "half", "1"))
	if series != n/2 || samples != n/2 {
		t.Errorf("%d series, %d samples", series, samples)
	}
}

func TestLabelsAreListed(t *testing.T) {
	p := newPlace(t, Limits{})
	p.sample(1, now, 1, "__name__", "x", "job", "api", "pod", "1")
	p.sample(1, now, 1, "__name__", "y", "job", "web")
	p.sample(2, now, 1, "__name__", "z", "secret", "web")
	q, err := p.store.Queryable(1).Querier(now.Add(-time.Hour).UnixMilli(), now.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		label    string // "" asks for names
		matchers []*labels.Matcher
		limit    int
		want     string
	}{
		{"", nil, 0, "__name__ job pod"},
		{"", []*labels.Matcher{named("y")}, 0, "__name__ job"},
		{"__name__", nil, 0, "x y"},
		{"job", nil, 0, "api web"},
		{"job", nil, 1, "api"},
		{"job", []*labels.Matcher{named("y")}, 0, "web"},
		{"secret", nil, 0, ""},
	} {
		var got []string
		var err error
		hints := &storage.LabelHints{Limit: c.limit}
		if c.label == "" {
			got, _, err = q.LabelNames(t.Context(), hints, c.matchers...)
		} else {
			got, _, err = q.LabelValues(t.Context(), c.label, hints, c.matchers...)
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q with %v: %q, %v; want %q", c.label, c.matchers, got, err, c.want)
		}
	}
}

func TestMetadataIsWhatSendersSaid(t *testing.T) {
	p := newPlace(t, Limits{})
	said := Metadata{Metric: "x_total", Type: "counter", Unit: "bytes", Help: "What was sent."}
	for range 2 {
		p.write(1, func(b *Batch) { b.Metadata(said); b.Metadata(Metadata{Metric: "y", Type: "gauge"}) })
	}
	all, err := p.store.MetadataOf(t.Context(), 1, "")
	if err != nil || len(all) != 2 || all[0] != said {
		t.Errorf("all: %+v, %v", all, err)
	}
	if one, err := p.store.MetadataOf(t.Context(), 1, "y"); err != nil || len(one) != 1 || one[0].Type != "gauge" {
		t.Errorf("y: %+v, %v", one, err)
	}
	if none, err := p.store.MetadataOf(t.Context(), 2, ""); err != nil || len(none) != 0 {
		t.Errorf("of another project: %+v, %v", none, err)
	}
}

func TestASampleFarFromNowIsRefused(t *testing.T) {
	p := newPlace(t, Limits{})
	b := p.writer.Begin(1, 30, now)
	s, err := b.Series(labels.FromStrings("__name__", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for at, ok := range map[time.Duration]bool{0: true, 9 * time.Minute: true, 11 * time.Minute: false, -29 * 24 * time.Hour: true, -31 * 24 * time.Hour: false} {
		if err := b.Sample(s, 0, now.Add(at).UnixMilli(), 1); (err == nil) != ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%v from now: %v", at, err)
		}
	}
}

func TestAProjectOverItsSeriesIsToldWhichMetricHasThem(t *testing.T) {
	p := newPlace(t, Limits{MaxActive: 3, MaxNewPerDay: 5})
	add := func(of project.ID, at time.Time, metric, id string) error {
		b := p.writer.Begin(of, 30, at)
		defer p.writer.Release(b)
		s, err := b.Series(labels.FromStrings("__name__", metric, "id", id))
		if err != nil {
			t.Fatal(err)
		}
		return b.Sample(s, 0, at.UnixMilli(), 1)
	}
	for _, id := range []string{"1", "2"} {
		if err := add(1, now, "many", id); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(1, now, "few", "1"); err != nil {
		t.Fatal(err)
	}
	err := add(1, now, "few", "2")
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "3 active series") || !strings.Contains(err.Error(), "metric many") {
		t.Errorf("the fourth series: %v", err)
	}
	if err := add(1, now, "many", "1"); err != nil {
		t.Errorf("a series that is known: %v", err)
	}
	if err := add(2, now, "few", "2"); err != nil {
		t.Errorf("another project: %v", err)
	}
	// An hour later the old ones are no longer active, but they were new today.
	later := now.Add(-12 * time.Hour)
	p = newPlace(t, Limits{MaxActive: 3, MaxNewPerDay: 5})
	for i, at := range []time.Duration{0, 0, 0, 2 * time.Hour, 2 * time.Hour} {
		if err := add(1, later.Add(at), "many", fmt.Sprint(i)); err != nil {
			t.Fatalf("series %d: %v", i, err)
		}
	}
	if err := add(1, later.Add(4*time.Hour), "many", "6"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "5 new series a day") {
		t.Errorf("the sixth of the day: %v", err)
	}
	if err := add(1, later.Add(24*time.Hour), "many", "7"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestLabelsThatNoSeriesMayHaveAreRefused(t *testing.T) {
	p := newPlace(t, Limits{})
	b := p.writer.Begin(1, 30, now)
	many := labels.NewScratchBuilder(0)
	for i := range maxLabels + 1 {
		many.Add(fmt.Sprintf("l%03d", i), "v")
	}
	twice := labels.NewScratchBuilder(0)
	twice.Add("__name__", "x")
	twice.Add("a", "1")
	twice.Add("a", "2")
	for name, ls := range map[string]labels.Labels{
		"none": labels.EmptyLabels(), "too many": many.Labels(), "one twice": twice.Labels(),
		"too long": labels.FromStrings("__name__", "x", "a", strings.Repeat("v", maxLabelsBytes)), "not UTF-8": labels.FromStrings("__name__", "x", "a", "\xff"),
	} {
		if _, err := b.Series(ls); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReadIsBounded(t *testing.T) {
	p := newPlace(t, Limits{})
	p.write(1, func(b *Batch) {
		for i := range 3 {
			s, err := b.Series(labels.FromStrings("__name__", "x", "i", fmt.Sprint(i)))
			for j := range 10 {
				if err == nil {
					err = b.Sample(s, 0, now.UnixMilli()-int64(j), 1)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	q := &querier{store: p.store, project: 1, mint: now.UnixMilli() - 1000, maxt: now.UnixMilli(), budget: 50}
	if set := q.Select(t.Context(), false, nil, named("x")); set.Err() != nil {
		t.Fatal(set.Err())
	}
	if set := q.Select(t.Context(), false, nil, named("x")); !fault.Is(set.Err(), fault.Invalid) || !strings.Contains(set.Err().Error(), "narrow") {
		t.Errorf("the second selector of the query, over its budget: %v", set.Err())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if set := (&querier{store: p.store, project: 1, maxt: now.UnixMilli(), budget: 50}).Select(ctx, false, nil, named("x")); set.Err() == nil {
		t.Error("a cancelled read was answered")
	}
}

func TestASeriesEndsInTheKindItHasUnlessASampleCameLater(t *testing.T) {
	p := newPlace(t, Limits{})
	end := func(metric string, at time.Time, want bool) {
		t.Helper()
		p.write(1, func(b *Batch) {
			s, err := b.Series(labels.FromStrings("__name__", metric))
			if err != nil {
				t.Fatal(err)
			}
			if ended, err := b.End(s, at.UnixMilli()); err != nil || ended != want {
				t.Errorf("%s ended = %v, %v", metric, ended, err)
			}
		})
	}
	p.sample(1, now, 3, "__name__", "float")
	p.write(1, func(b *Batch) {
		s, err := b.Series(labels.FromStrings("__name__", "histogram"))
		if err == nil {
			err = b.Histogram(s, 0, now.UnixMilli(), &histogram.Histogram{Count: 1, Sum: 2, PositiveSpans: []histogram.Span{{Length: 1}}, PositiveBuckets: []int64{1}})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	// What was put into a batch that is not stored does not count.
	dropped := p.writer.Begin(1, 30, now.Add(time.Minute))
	s, err := dropped.Series(labels.FromStrings("__name__", "float"))
	if err == nil {
		err = dropped.Sample(s, 0, now.UnixMilli(), 4)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.writer.Release(dropped)
	for _, metric := range []string{"float", "histogram"} {
		end(metric, now.Add(-time.Second), false)
		end(metric, now.Add(time.Second), true)
		q, err := NewEngine(p.store, slog.New(slog.DiscardHandler)).Instant(t.Context(), 1, metric, now.Add(2*time.Second), 0)
		if err != nil {
			t.Fatal(err)
		}
		if left := q.Value.String(); left != "" {
			t.Errorf("%s is still there: %s", metric, left)
		}
		q.Release()
	}
	p.each(1, func(s storage.Series) {
		it := s.Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValHistogram {
				t.Errorf("the histogram ends with a sample of kind %s", kind)
			}
		}
	}, named("histogram"))
}
