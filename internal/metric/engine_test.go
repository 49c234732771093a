package metric

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestAQueryIsAnsweredAsPrometheusWould(t *testing.T) {
	p := newPlace(t, Limits{})
	for i := range 11 {
		p.sample(1, now.Add(time.Duration(i-10)*time.Minute), float64(60*i), "__name__", "requests_total", "service", "api")
		p.sample(2, now.Add(time.Duration(i-10)*time.Minute), 5, "__name__", "requests_total", "service", "other")
	}
	e := NewEngine(p.store, nil)
	at, err := e.Instant(t.Context(), 1, `sum by (service) (rate(requests_total[5m]))`, now, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Release()
	if v := at.Value.(promql.Vector); len(v) != 1 || v[0].F != 1 || v[0].Metric.String() != `{service="api"}` {
		t.Errorf("instant: %v", v)
	}
	over, err := e.Range(t.Context(), 1, `requests_total`, now.Add(-2*time.Minute), now, time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer over.Release()
	if m := over.Value.(promql.Matrix); len(m) != 1 || len(m[0].Floats) != 3 || m[0].Floats[0].F != 480 {
		t.Errorf("range: %v", m)
	}
	remarked, err := e.Instant(t.Context(), 1, `rate(requests[5m])`, now, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer remarked.Release()
	if got, err := e.Format(`sum(rate(x[5m]))by(a)`); err != nil || got != "sum by (a) (rate(x[5m]))" {
		t.Errorf("formatted as %q, %v", got, err)
	}
}

func TestMetricsThatAProjectDoesNotHaveAreNotAskedFor(t *testing.T) {
	p := newPlace(t, Limits{})
	p.sample(1, now.Add(-time.Minute), 7, "__name__", "here", "service", "api")
	names, err := p.store.NamesSince(t.Context(), 1, now)
	if err != nil {
		t.Fatal(err)
	}
	// It comes after the names were read: who asks with them does not see it.
	p.sample(1, now.Add(-time.Minute), 8, "__name__", "later", "service", "api")
	p.sample(1, now.Add(-26*time.Hour), 9, "__name__", "yesterday", "service", "api")
	among := NewEngine(p.store, nil).Among(names)
	for query, want := range map[string]int{
		`here`: 1, `here{service="other"}`: 0, `here{service=~"a.*", pod=""}`: 1, `later`: 0, `here or later`: 1, `{service="api", __name__=~"here|later"}`: 2,
		`yesterday offset 26h`: 1, // of days whose names were not read everything is asked
	} {
		answer, err := among.Instant(t.Context(), 1, query, now, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(answer.Value.(promql.Vector)); got != want {
			t.Errorf("%s yields %d series, want %d", query, got, want)
		}
		answer.Release()
	}
}

func TestABadQuerySaysWhatIsWrongAndWhere(t *testing.T) {
	p := newPlace(t, Limits{})
	p.sample(1, now, 1, "__name__", "a", "x", "1")
	p.sample(1, now, 1, "__name__", "a", "x", "2")
	e := NewEngine(p.store, nil)
	for query, want := range map[string]string{
		"sum(rate(x[5m])":       "1:16: parse error",
		"up{job=~\"(\"}":        "parse error",
		"nope(x)":               "1:1: parse error",
		"a + ignoring(x) a":     "many-to-many",
		"count_values(\"\", a)": "invalid label name",
	} {
		if _, err := e.Instant(t.Context(), 1, query, now, 0); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	if _, err := e.Range(t.Context(), 1, "a", now.Add(-time.Hour), now, time.Millisecond, 0); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "step" {
		t.Errorf("too many steps: %v", err)
	}
	if _, err := e.Range(t.Context(), 1, "a", now, now.Add(-time.Hour), time.Minute, 0); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "end" {
		t.Errorf("the wrong way round: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Instant(ctx, 1, "a", now, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// BenchmarkRateOfAThousandSeries asks what a dashboard asks: 6 hours of 1,000
// series with a sample a minute, at 360 steps.
func BenchmarkRateOfAThousandSeries(b *testing.B) {
	p := newPlace(b, Limits{})
	end := time.Now().Truncate(time.Minute)
	const minutes = 6*60 + 10
	batch := p.writer.Begin(1, 30, end)
	for i := range 1000 {
		s, err := batch.Series(labels.FromStrings("__name__", "x", "service", fmt.Sprint("service-", i%20), "instance", fmt.Sprint("10.0.0.", i)))
		for m := range minutes {
			if err == nil {
				err = batch.Sample(s, 0, end.Add(-time.Duration(m)*time.Minute).UnixMilli(), float64((minutes-m)*i))
			}
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := p.writer.Write(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	e := NewEngine(p.store, nil)
	for b.Loop() {
		a, err := e.Range(b.Context(), 1, "sum by (service) (rate(x[5m]))", end.Add(-6*time.Hour), end, time.Minute, 0)
		if err != nil || len(a.Value.(promql.Matrix)) != 20 {
			b.Fatal(a, err)
		}
		a.Release()
	}
}
