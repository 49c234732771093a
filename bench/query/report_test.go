package main

import (
	"testing"
	"time"
)

func TestTheLastLineSaysEverythingThatIsToBeReached(t *testing.T) {
	f := &filling{options: options{spans: 10_000, logs: 1000, series: 20, samples: 40, runs: 20, over: time.Hour}, until: time.Unix(1_750_000_000, 0)}
	f.spansSent, f.spanBytes = sent{items: 10_000, took: 100 * time.Millisecond}, 500_000
	said, err := f.truth()
	if err != nil {
		t.Fatal(err)
	}
	var all []*asked
	for _, q := range questions(f, said) {
		a := &asked{question: q}
		for i := range 20 {
			a.warm = append(a.warm, time.Duration(i+1)*1500*time.Microsecond)
		}
		if q.key == "scatter_p95_ms" {
			a.missing = "not built"
		}
		all = append(all, a)
	}
	const want = "RESULT ingest_spans_per_s=100000 bytes_per_span=50.0 trace_by_id_p95_ms=28.5 newest_p95_ms=28.5 attr_p95_ms=28.5 " +
		"overview_p95_ms=28.5 scatter_p95_ms=not_built sql_p95_ms=28.5 logword_p95_ms=28.5 promql_p95_ms=28.5"
	if got := resultLine(f, all); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	report(f, all) // does not panic on what has not been measured
}

func TestAWrongAnswerIsToldFromARightOne(t *testing.T) {
	f := func(check func([]byte) error, body string, right bool) {
		t.Helper()
		if err := check([]byte(body)); (err == nil) != right {
			t.Errorf("%s: %v", body, err)
		}
	}
	endpoints := sums(func(c counted) string { return c.Endpoint }, map[string]int{"GET /a": 3})
	f(endpoints, `{"items":[{"endpoint":"GET /a","now":{"count":3}}]}`, true)
	f(endpoints, `{"items":[{"endpoint":"GET /a","now":{"count":2}}]}`, false)
	f(endpoints, `{"items":[]}`, false)
	rates := decode(func(got promAnswer) error { return got.check(20) })
	f(rates, `{"data":{"result":[]}}`, false)
	f(page(nil), `{"items":[]}`, true)
	f(page(nil), `{"items":[{"trace_id":"00"}]}`, false)
	f(total(2), `{"total":2}`, true)
	f(total(2), `{"total":3}`, false)
}
