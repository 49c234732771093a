package trace

import (
	"math"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/otel"
)

// The values are those of the specification and of OTEP 235.
func TestATracestateTellsTheProbabilityOfConsistentSampling(t *testing.T) {
	f := func(state string, adjusted float64) {
		t.Helper()
		p, ok := probabilityOf([]byte(state))
		switch {
		case adjusted == 0 && ok:
			t.Errorf("%q: probability %g, want none", state, p)
		case adjusted != 0 && (!ok || math.Abs(1/p-adjusted) > 1e-4*adjusted):
			t.Errorf("%q: adjusted count %g, %v, want %g", state, 1/p, ok, adjusted)
		}
	}
	f("ot=th:0", 1)
	f("ot=th:8", 2)
	f("ot=th:c", 4)
	f("ot=th:C", 4)
	f("ot=th:fd70a4", 100) // 1 %
	f("ot=th:ffffffffffffff", 1<<56)
	f("ot=th:00000000000001", 1)
	f("ot=th:c;rv:d29d6a7215ced0", 4)
	f("rojo=00f067aa0ba902b7, ot=rv:d29d6a7215ced0;th:c,congo=t61rcWkgMzE", 4)

	f("", 0)
	f("rojo=th:c", 0)
	f("tenant@ot=th:c", 0)
	f("ot=rv:d29d6a7215ced0", 0)
	f("ot=th:", 0)
	f("ot=th:000000000000000", 0) // 15 digits
	f("ot=th:g", 0)
	f("ot=p:8;r:62", 0) // as it was before
	f("ot=xth:c", 0)
}

func TestASampledTransactionCarriesItsProbability(t *testing.T) {
	f := func(state, own string, parent SpanID, want string) {
		t.Helper()
		r := NewRow()
		r.Kind, r.ParentID = kindClient, parent
		if own != "" {
			r.Attribute([]byte(samplingProbability), []byte(own))
		}
		r.TraceState([]byte(state))
		got := ""
		for _, a := range r.attrs {
			got += string(a.Key) + "=" + string(a.Value)
		}
		if got != want {
			t.Errorf("%q: stored %q, want %q", state, got, want)
		}
	}
	f("ot=th:c", "", 0, "sampling.probability=0.25")
	f("ot=th:fd70a4", "", 0, "sampling.probability=0.009999990463256836")
	f("ot=th:c", "0.5", 0, "sampling.probability=0.5")
	f("ot=th:0", "", 0, "")
	f("", "", 0, "")
	f("ot=th:c", "", 7, "") // no transaction

	full := NewRow()
	for range otel.MaxAttributes {
		full.Attribute([]byte("a"), []byte("b"))
	}
	if full.TraceState([]byte("ot=th:c")); full.Dropped != 0 {
		t.Error("an attribute that nobody sent counts as cut")
	}
}

func TestReadingATracestateAllocatesNothing(t *testing.T) {
	r := NewRow()
	state := []byte("rojo=00f067aa0ba902b7,ot=rv:d29d6a7215ced0;th:" + strings.Repeat("f", 14))
	r.TraceState(state)
	if n := testing.AllocsPerRun(100, func() {
		r.Reset()
		r.TraceState(state)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
