package logs

import (
	"testing"
	"time"
)

func TestLinesOfTracesTellWhereInTheProgramTheyWereWritten(t *testing.T) {
	db, store := open(t)
	bodies := []struct{ body, place string }{
		{"12:00:00.107 INFO  u.c.UserController#48 TraceID: e8ce323f [getUserByUserId][Get user by user id]", "u.c.UserController#48"},
		{"panic: at OrderService.java:81: no price", "OrderService.java:81"},
		{"main.go:12 listening", "main.go:12"},
		{"order #4711 is late", ""},
		{"http://example.com:8080 answered", ""},
		{"nothing of the kind", ""},
	}
	var lines []line
	for i, b := range bodies {
		lines = append(lines, line{body: b.body, trace: 1, severity: 9, at: noon.Add(time.Duration(i) * time.Second)})
	}
	insert(t, db, 7, append(lines, line{body: "another trace", trace: 2}, line{body: "no trace"})...)
	insert(t, db, 8, line{body: "a neighbour's", trace: 1})
	got, _, err := store.Lines(t.Context(), 7, noon, noon.Add(time.Minute), [][16]byte{{1}, {3}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(bodies) {
		t.Fatalf("%d lines: %+v", len(got), got)
	}
	for i, b := range bodies {
		if got[i].Place != b.place || got[i].Body != b.body || got[i].Trace != [16]byte{1} || got[i].Service != "api" || got[i].Level.Level() != "info" || got[i].Pattern == 0 {
			t.Errorf("%q: %+v", b.body, got[i])
		}
	}
	if none, _, err := store.Lines(t.Context(), 7, noon, noon.Add(time.Minute), nil); err != nil || len(none) > 0 {
		t.Errorf("lines of no trace: %v, %v", none, err)
	}
}
