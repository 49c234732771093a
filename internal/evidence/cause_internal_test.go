package evidence

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// days are traces of a shop: the front asks orders, and orders ask the prices.
type day struct {
	traces     int
	priceFails int           // of them, traces in which the prices throw instead of answering
	random     int           // traces in which orders write a line that depends on the data
	ordersOwn  time.Duration // that orders take themselves
	between    time.Duration // that goes by between orders and prices
	cut        int           // traces of which the span of orders has not arrived
	cpu        float64       // of the prices
}

func (d day) observe() *Observed {
	var executions []trace.Execution
	var lines []logs.Line
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for i := range d.traces {
		id := trace.TraceID{byte(i), byte(i >> 8), 1}
		span := func(n, parent trace.SpanID, service, operation string, took time.Duration) {
			executions = append(executions, trace.Execution{Trace: id, Span: n, Parent: parent, Service: service, Operation: operation, Start: at, DurationNs: took.Nanoseconds()})
		}
		line := func(span trace.SpanID, service, place, body string) {
			lines = append(lines, logs.Line{Trace: id, Span: uint64(span), Service: service, Place: place, Body: body, Level: 9})
		}
		fails := i < d.priceFails
		prices := 10 * time.Millisecond
		own := 5*time.Millisecond + d.ordersOwn + time.Duration(i%7)*time.Microsecond
		span(1, 0, "front", "GET /order", prices+own+d.between+time.Millisecond)
		if i >= d.cut {
			span(2, 1, "orders", "POST /orders", prices+own+d.between)
		}
		span(5, 2, "orders", "GET", prices+d.between)
		executions[len(executions)-1].Kind = trace.KindClient
		span(3, 5, "prices", "GET /prices", prices)
		if fails {
			line(3, "prices", "Prices#17", "no price for 4711")
			line(2, "orders", "Orders#90", "the prices did not answer")
		} else {
			line(3, "prices", "Prices#21", "the price is 12")
			span(4, 3, "prices", "SELECT prices", prices/2)
		}
		if i%10 < d.random {
			line(2, "orders", "Orders#33", "a gift is added")
		}
	}
	cpu := map[string]float64{"prices": d.cpu, "front": 0.9} // the front is always busy
	return &Observed{shape: shapeOf(executions, lines), used: map[string]map[string]float64{utilisations[0]: cpu}}
}

// usually are eight days on which nothing happened but that gifts were added to more or fewer orders.
func usually() []*Observed {
	var all []*Observed
	for i := range 8 {
		all = append(all, day{traces: 40, random: i, cpu: 0.1}.observe())
	}
	return all
}

func first(t *testing.T, now day) Cause {
	t.Helper()
	causes := Causes(now.observe(), usually())
	if len(causes) == 0 {
		t.Fatal("no cause is named")
	}
	return causes[0]
}

func TestAServiceThatNoLongerDoesWhatItDidIsNamedWithThePlaceInItsCode(t *testing.T) {
	c := first(t, day{traces: 60, priceFails: 50, random: 3, cpu: 0.1})
	places := map[string]string{}
	for _, d := range c.Deviations {
		places[d.Step.Line] = d.Kind
	}
	if c.Service != "prices" || places["Prices#21"] != StepLess || places["Prices#17"] != StepMore || c.By != "" {
		t.Errorf("%+v", c)
	}
	d := c.Deviations[0]
	if d.Operation != (Operation{"prices", "GET /prices"}) || d.Traces != 60 || math.Abs(d.Now-d.Usual) < 0.7 {
		t.Errorf("strongest %+v", d)
	}
}

func TestACallerThatNoticesIsExplainedByWhatItCalls(t *testing.T) {
	causes := Causes(day{traces: 60, priceFails: 50, random: 3, cpu: 0.1}.observe(), usually())
	for _, c := range causes[1:] {
		if c.Service == "orders" {
			if c.By != "prices" || c.Strength > causes[0].Strength/2 {
				t.Errorf("%+v after %+v", c, causes[0])
			}
			return
		}
	}
	t.Errorf("orders have noticed, and are not among %+v", causes)
}

func TestWhatComesAndGoesWithTheDataIsNoCause(t *testing.T) {
	for _, random := range []int{2, 3, 5} {
		if causes := Causes(day{traces: 60, random: random, cpu: 0.1}.observe(), usually()); len(causes) > 0 {
			t.Errorf("with %d gifts in 10 orders: %+v", random, causes)
		}
	}
}

func TestAServiceThatTakesLongerItselfIsNamedAndNotItsCaller(t *testing.T) {
	c := first(t, day{traces: 60, random: 3, ordersOwn: 80 * time.Millisecond, cpu: 0.1})
	if d := c.Deviations[0]; c.Service != "orders" || d.Kind != Slower || d.Usual > 6 || d.Now < 80 {
		t.Errorf("%+v", c)
	}
}

func TestTimeBetweenTwoServicesIsFoundOnTheWayToTheCalledOne(t *testing.T) {
	c := first(t, day{traces: 60, random: 3, between: 80 * time.Millisecond, cpu: 0.1})
	if d := c.Deviations[0]; c.Service != "prices" || d.Kind != Apart || d.Usual > 1 || d.Now < 80 {
		t.Errorf("%+v", c)
	}
}

func TestATraceOfWhichAPartHasNotArrivedSaysNothing(t *testing.T) {
	if causes := Causes(day{traces: 60, random: 3, cut: 50, cpu: 0.1}.observe(), usually()); len(causes) > 0 {
		t.Errorf("%+v", causes)
	}
}

func TestAResourceThatIsUsedUpIsACauseUnlessItAlwaysIs(t *testing.T) {
	causes := Causes(day{traces: 60, random: 3, cpu: 0.97}.observe(), usually())
	if len(causes) != 1 || causes[0].Service != "prices" || causes[0].Deviations[0].Kind != Saturated || causes[0].Deviations[0].Resource != utilisations[0] {
		t.Errorf("%+v", causes)
	}
}

func TestWithoutWhatIsUsualNothingIsACause(t *testing.T) {
	if causes := Causes(day{traces: 60, priceFails: 50, cpu: 1}.observe(), nil); len(causes) > 0 {
		t.Errorf("%+v", causes)
	}
}

func TestTheSameIsAlwaysNamedInTheSameOrder(t *testing.T) {
	now := day{traces: 60, priceFails: 50, random: 3, cpu: 0.97}
	want := fmt.Sprint(Causes(now.observe(), usually()))
	for range 20 {
		if got := fmt.Sprint(Causes(now.observe(), usually())); got != want {
			t.Fatalf("%s, and then %s", want, got)
		}
	}
}

func TestHowMuchTwoRatesDiffer(t *testing.T) {
	for _, c := range []struct {
		k0, n0, k1, n1 int
		low, high      float64
	}{
		{5, 10, 50, 100, 0, 0.01},    // the same rate
		{0, 1, 1, 1, 0, 1},           // one observation of each proves nothing
		{0, 100, 100, 100, 120, 140}, // all against none: 200 ln 2, nearly
	} {
		if got := ratesDiffer(c.k0, c.n0, c.k1, c.n1); got < c.low-1e-9 || got > c.high {
			t.Errorf("%d of %d and %d of %d differ by %.3f, want %.2f to %.2f", c.k0, c.n0, c.k1, c.n1, got, c.low, c.high)
		}
	}
}

func TestTheSumOfRanksIsAsInTheLiterature(t *testing.T) {
	// U = 16 of 16, of which the normal score is 8 / sqrt(12) = 2.309.
	if got := largerRanks([]float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}); math.Abs(got-2.309*2.309/2) > 0.01 {
		t.Errorf("larger by %.3f", got)
	}
	if got := largerRanks([]float64{5, 6, 7, 8}, []float64{1, 2, 3, 4}); got != 0 {
		t.Errorf("what is smaller is larger by %.3f", got)
	}
	if got := largerRanks([]float64{1, 1, 1, 1}, []float64{1, 1, 1, 1}); got != 0 {
		t.Errorf("what is equal is larger by %.3f", got)
	}
}
