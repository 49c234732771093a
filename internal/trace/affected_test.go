package trace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestATimeOfTroubleKnowsWhomItMetAndWhatWasNewBeforeIt(t *testing.T) {
	engine, _ := tracetest.Open(t)
	store := trace.NewStore(engine)
	n := uint64(0)
	request := func(service, version, operation, user string, at time.Duration, failed bool) tracetest.Span {
		n++
		s := spanOf(n, service, trace.SpanID(n), 0, trace.KindServer, at, time.Duration(n)*ms)
		s.Name, s.Version = operation, version
		if user != "" {
			s.Attributes["enduser.id"] = user
		}
		if failed {
			s.Error = true
		}
		return s
	}
	tracetest.Insert(t, engine, 1,
		request("pay", "1.0", "GET /a", "u1", -30*time.Hour, false),
		request("pay", "1.1", "GET /a", "u1", -26*time.Hour, false), // too long before
		request("pay", "1.2", "GET /a", "u1", -time.Hour, true),     // before the time
		request("pay", "1.2", "GET /a", "u1", time.Minute, true),
		request("pay", "1.2", "GET /a", "u2", 2*time.Minute, false),
		request("pay", "1.3", "GET /b", "u2", 3*time.Minute, true),
		request("pay", "1.3", "GET /c", "", 4*time.Minute, false),
		request("order", "9", "GET /a", "u9", 4*time.Minute, true),
		request("pay", "1.4", "GET /a", "u9", time.Hour, true), // after it
	)
	got, err := store.Affected(t.Context(), 1, "pay", "prod", noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := &trace.Affected{From: noon.UTC(), To: noon.Add(time.Hour).UTC(), Transactions: 4, Failed: 2, Users: 2, FailedUsers: 2,
		Endpoints: []trace.AffectedEndpoint{{"GET /a", 2, 1, uint64(5 * ms)}, {"GET /b", 1, 1, uint64(6 * ms)}, {"GET /c", 1, 0, uint64(7 * ms)}},
		Versions:  []trace.VersionChange{{"1.3", "1.2", noon.Add(3*time.Minute + 6*ms).UTC()}, {"1.2", "1.1", noon.Add(-time.Hour + 3*ms).UTC()}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for name, ask := range map[string]func() (*trace.Affected, error){
		"another environment": func() (*trace.Affected, error) {
			return store.Affected(t.Context(), 1, "pay", "beta", noon, noon.Add(time.Hour))
		},
		"another project": func() (*trace.Affected, error) {
			return store.Affected(t.Context(), 2, "pay", "prod", noon, noon.Add(time.Hour))
		},
	} {
		if got, err := ask(); err != nil || got.Transactions != 0 || len(got.Versions) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestVersionsAreNewThatAServiceDidNotRunTheWeekBefore(t *testing.T) {
	engine, store := tracetest.Open(t)
	n := uint64(0)
	ran := func(service, version string, at time.Duration) tracetest.Span {
		n++
		s := spanOf(n, service, trace.SpanID(n), 0, trace.KindServer, at, ms)
		s.Version = version
		return s
	}
	tracetest.Insert(t, engine, 1,
		ran("pay", "1.0", -20*24*time.Hour),
		ran("pay", "1.1", -3*24*time.Hour),
		ran("pay", "1.0", -time.Hour), // rolled back
		ran("bank", "7", -2*24*time.Hour),
		ran("bank", "7", time.Minute),
		ran("young", "1", time.Minute), // the first one of a service is no change
		ran("order", "8", -2*24*time.Hour),
		ran("order", "9", time.Minute), // not asked about
	)
	got, err := store.NewVersions(t.Context(), 1, []string{"pay", "bank", "young"}, "prod", noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]trace.VersionChange{"pay": {{"1.0", "1.1", noon.Add(-time.Hour + ms).UTC()}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := store.NewVersions(t.Context(), 2, []string{"pay"}, "", noon, noon.Add(time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("another project: %v, %v", got, err)
	}
}
