package trace_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestAComparisonSaysWhichStepIsSlowerThanUsual(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	for n := range uint64(10) {
		tracetest.Insert(t, db, 1, request(n+1, noon.Add(-time.Hour+time.Duration(n)*time.Minute), 500*ms)...)
	}
	slow := request(50, noon, 2*time.Second)
	slow[1].Duration = 1500 * ms
	extra := slow[1]
	extra.ID, extra.Attributes = 509, map[string]string{"db.system": "mysql", "db.statement": "SELECT * FROM stock"}
	extra.Duration = 20 * ms
	tracetest.Insert(t, db, 1, append(slow, extra)...)

	c, err := store.Compare(ctx, 1, tracetest.ID(50), 0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Count != 10 || c.Sample != 10 || c.P50Ns != 500e6 || c.ElapsedNs != 2e9 || c.Endpoint != "GET /items" {
		t.Errorf("%+v", c)
	}
	f := func(at int, kind trace.StepKind, name string, count int, usualCount float64, totalMs, usualMs int64) {
		t.Helper()
		s := c.Steps[at]
		if s.Kind != kind || s.Name != name || s.Count != count || s.UsualCount != usualCount || s.TotalNs != totalMs*1e6 || s.UsualNs != usualMs*1e6 || s.ExcessNs != s.TotalNs-s.UsualNs {
			t.Errorf("step %d: %+v", at, s)
		}
	}
	if len(c.Steps) != 4 {
		t.Fatalf("%+v", c.Steps)
	}
	f(0, trace.StepSQL, "SELECT items", 1, 1, 1500, 300)
	f(1, trace.StepMethod, "", 1, 1, 380, 100)
	f(2, trace.StepSQL, "SELECT stock", 1, 0, 20, 0)
	f(3, trace.StepCall, "GET pay.example.com", 1, 1, 100, 100)
	if c.Steps[0].SpanID != 502 || c.Steps[0].Hash == "" {
		t.Errorf("the statement: %+v", c.Steps[0])
	}

	if c, err = store.Compare(ctx, 1, tracetest.ID(1), 0); err != nil || c.Count != 0 || len(c.Steps) != 0 {
		t.Errorf("the first of its kind: %+v, %v", c, err)
	}
	if _, err = store.Compare(ctx, 2, tracetest.ID(1), 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("another project sees it: %v", err)
	}
}

func TestAStatementThatMapperAndDriverRecordIsComparedOnce(t *testing.T) {
	db, store := tracetest.Open(t)
	mapped := func(n uint64, at time.Time, took time.Duration) []tracetest.Span {
		spans := request(n, at, took)
		driver := spans[1]
		spans[1].Kind = trace.KindInternal // the mapper's, of the same statement
		spans[1].Duration += 10 * ms
		driver.ID, driver.Parent = 900+trace.SpanID(n), spans[1].ID
		return append(spans, driver)
	}
	for n := range uint64(4) {
		tracetest.Insert(t, db, 1, mapped(n+1, noon.Add(-time.Hour+time.Duration(n)*time.Minute), 500*ms)...)
	}
	tracetest.Insert(t, db, 1, mapped(50, noon, 500*ms)...)
	c, err := store.Compare(t.Context(), 1, tracetest.ID(50), 0)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(c.Steps, func(s trace.ComparedStep) bool { return s.Name == "SELECT items" })
	if at < 0 {
		t.Fatalf("%+v", c.Steps)
	}
	if s := c.Steps[at]; s.Count != 1 || s.UsualCount != 1 || s.TotalNs != 300e6 || s.UsualNs != 300e6 || s.SpanID != 950 {
		t.Errorf("%+v", s)
	}
	u, err := store.Usual(t.Context(), 1, trace.UsualQuery{Service: c.Service, Environment: c.Environment, Endpoint: c.Endpoint, From: c.From, To: c.To})
	if err != nil || u.SQLCount != 1 || u.SQLNs != 300e6 {
		t.Errorf("what is usual: %+v, %v", u, err)
	}
}

func TestATraceLeavesInTheEncodingOfOTLP(t *testing.T) {
	ctx := context.Background()
	db, store := tracetest.Open(t)
	spans := request(1, noon, time.Second)
	spans[0].Events = []tracetest.Event{tracetest.Exception(noon.Add(900*ms), "Boom", "no", "at A")}
	spans[0].Error = true
	spans[2].Links = []trace.Link{{TraceID: tracetest.ID(7), SpanID: 9, Attributes: map[string]any{"why": "batch"}}}
	tracetest.Insert(t, db, 1, spans...)
	read, err := store.Trace(ctx, 1, tracetest.ID(1))
	if err != nil {
		t.Fatal(err)
	}
	text, err := read.OTLP()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"resourceSpans":[{"resource":{"attributes":[{"key":"deployment.environment.name","value":{"stringValue":"PRODUCTION"}}`,
		`"traceId":"ab000000000000000000000000000001","spanId":"000000000000000b","name":"GET /items","kind":2,"startTimeUnixNano":"1750168980000000000","endTimeUnixNano":"1750168981000000000"`,
		`{"key":"http.response.status_code","value":{"intValue":"200"}}`,
		`"events":[{"timeUnixNano":"1750168980900000000","name":"exception","attributes":[{"key":"exception.message","value":{"stringValue":"no"}}`,
		`"status":{"code":2}`,
		`"parentSpanId":"000000000000000b"`,
		`{"key":"db.query.text","value":{"stringValue":"SELECT * FROM items WHERE id = 1"}}`,
		`{"key":"server.address","value":{"stringValue":"db.internal"}},{"key":"server.port","value":{"intValue":"3306"}}`,
		`"links":[{"traceId":"ab000000000000000000000000000007","spanId":"0000000000000009","attributes":[{"key":"why","value":{"stringValue":"batch"}}]}]`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}
