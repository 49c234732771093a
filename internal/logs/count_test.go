package logs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The minute rollup and the records themselves must tell the same.
func TestAHistogramCountsByLevelFromEitherSource(t *testing.T) {
	db, store := open(t)
	for n := range 90 {
		severity := []Severity{Info, Info, Error}[n%3]
		insert(t, db, 1, line{at: noon.Add(time.Duration(n) * 20 * time.Second), severity: severity, body: "tick"})
	}
	insert(t, db, 2, line{severity: Error, body: "foreign"})
	count := func(text string, from, to time.Time) *LogHistogram {
		t.Helper()
		h, err := store.Histogram(t.Context(), 1, Query{Text: text, From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	coarse := count("service:api", noon, noon.Add(2*time.Hour))
	fine := count("tick", noon, noon.Add(2*time.Hour))
	if coarse.StepSeconds != 60 || coarse.Total != 90 || len(coarse.Levels) != 2 || coarse.Levels[0].Level != "info" || coarse.Levels[0].Total != 60 {
		t.Errorf("%+v", coarse)
	}
	if fmt.Sprint(coarse) != fmt.Sprint(fine) {
		t.Errorf("the rollup says %v\nthe records %v", coarse, fine)
	}
	if got := coarse.Levels[1].Counts[:4]; fmt.Sprint(got) != "[1 1 1 1]" {
		t.Errorf("errors per minute: %v", got)
	}
	if h := count("", noon.Add(30*time.Second), noon.Add(90*time.Second)); h.Total != 3 || h.StepSeconds != 1 {
		t.Errorf("part of minutes: %+v", h)
	}
	ragged := [2]time.Time{noon.Add(10 * time.Second), noon.Add(100*time.Minute + 50*time.Second)}
	coarse, fine = count("service:api", ragged[0], ragged[1]), count("tick", ragged[0], ragged[1])
	if coarse.Total != 89 || fmt.Sprint(coarse) != fmt.Sprint(fine) {
		t.Errorf("of a range that cuts minutes the rollup says %v\nthe records %v", coarse, fine)
	}
	if h := count("nothing", noon, noon.Add(time.Hour)); h.Total != 0 || h.Levels == nil || h.Bars != 120 {
		t.Errorf("nothing: %+v", h)
	}
}

func TestPatternsGroupWhatDiffersInValuesOnly(t *testing.T) {
	db, store := open(t)
	var lines []line
	for n := range 30 {
		lines = append(lines, line{body: fmt.Sprintf("order %d of customer c-%d took %d ms", n, n*7, n%5), severity: Info})
	}
	for n := range 10 { // five an hour before noon, five half an hour after it
		at := noon.Add(time.Duration(n/5*90)*time.Minute - time.Hour)
		lines = append(lines, line{body: fmt.Sprintf("payment of order %d failed: timeout", n), severity: Error, service: "pay", at: at})
	}
	insert(t, db, 1, lines...)
	insert(t, db, 2, line{body: "foreign"})
	got, err := store.Patterns(t.Context(), 1, around(""))
	if err != nil || len(got) != 2 {
		t.Fatalf("%v %+v", err, got)
	}
	if p := got[0]; p.Template != "order <*> of customer <*> took <*> ms" || p.Count != 30 || p.Share != 0.75 || p.Level != "info" {
		t.Errorf("%+v", p)
	}
	if p := got[1]; p.Count != 10 || p.Level != "error" || fmt.Sprint(p.Services) != "[pay]" {
		t.Errorf("%+v", p)
	}
	// Two hours in steps of five minutes.
	if p := got[1]; len(p.Bars) != 24 || p.Bars[0] != 5 || p.Bars[18] != 5 || got[0].Bars[12] != 30 {
		t.Errorf("over time: %v and %v", p.Bars, got[0].Bars)
	}
	page, err := store.Search(t.Context(), 1, around("pattern:"+got[1].Pattern), false, "", 100)
	if err != nil || len(page.Items) != 10 {
		t.Errorf("search by pattern: %d, %v", len(page.Items), err)
	}
}

func TestFacetsSayWhatCanBeAskedFor(t *testing.T) {
	db, store := open(t)
	insert(t, db, 1,
		line{severity: Error, body: "x", attributes: []string{"region", "eu", "exception.stacktrace", strings.Repeat("at x\n", 100)}},
		line{severity: Error, body: "y", attributes: []string{"region", "eu"}},
		line{severity: Info, body: "z", attributes: []string{"region", "us"}, service: "pay"})
	got, err := store.Facets(t.Context(), 1, around(""))
	if err != nil || got.Records != 3 {
		t.Fatalf("%v %+v", err, got)
	}
	want := map[string]string{"level": "[{error 2} {info 1}]", "service": "[{api 2} {pay 1}]", "attr.region": "[{eu 2} {us 1}]"}
	for _, f := range got.Fields {
		if w, ok := want[f.Field]; ok && fmt.Sprint(f.Values) != w {
			t.Errorf("%s: %v, want %s", f.Field, f.Values, w)
		}
		delete(want, f.Field)
	}
	if slices.ContainsFunc(got.Fields, func(f LogFacet) bool { return f.Field == "attr.exception.stacktrace" }) {
		t.Error("a stack trace is offered as a value")
	}
	if len(want) > 0 || got.Fields[0].Field != "level" {
		t.Errorf("missing %v in %+v", want, got)
	}
}

func TestTheLevelOfAPlainLineIsFound(t *testing.T) {
	f := func(body string, want Severity) {
		t.Helper()
		if got := detectSeverity([]byte(body)); got != want {
			t.Errorf("%q is %s, want %s", body, got.Level(), want.Level())
		}
	}
	f("2026-11-20 12:00:01,123 ERROR [main] c.s.Order - x", Error)
	f("[WARN] disk", Warn)
	f("INFO: started", Info)
	f(`{"ts":1,"level":"warning","msg":"x"}`, Warn)
	f("time=12 level=debug msg=x", Debug)
	f(`severity: "critical"`, Fatal)
	f("An error occurred", Unknown)
	f("ERROR_CODE 5", Unknown)
	f("NON-FATAL thing", Unknown)
	f("", Unknown)
}
