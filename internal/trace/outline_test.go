package trace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// remote makes a span of another service, on another machine.
func remote(id, parent SpanID, kind Kind, name string, from, to int) Span {
	s := span(id, parent, kind, name, from, to)
	s.Service, s.Instance = "stock", "pod-9"
	return s
}

// sql is a statement as an Outline reads it: by its hash.
func sql(id, parent SpanID, hash string, from, to int) Span {
	s := span(id, parent, KindClient, "SELECT db", from, to)
	s.DB = &DBCall{System: "mysql", Operation: "SELECT", Tables: []string{"orders"}, Hash: hash, Text: "SELECT 1"}
	return s
}

func outline(spans ...Span) *Outline {
	return newOutline(&Trace{TraceID: TraceID{1}, Start: noon, Spans: spans})
}

// drawn writes the tree as people see it: "name self", indented, times in ms.
func (o *Outline) drawn() string {
	var b strings.Builder
	depth := make([]int, len(o.Spans))
	for i, n := range o.Spans {
		if n.Parent >= 0 {
			depth[i] = depth[n.Parent] + 1
		}
		name := o.Operations[n.Operation].Name
		if n.Missing {
			name = "(missing)"
		}
		fmt.Fprintf(&b, "%s%s %d\n", strings.Repeat(". ", depth[i]), name, n.SelfNs/1e6)
	}
	return b.String()
}

// path writes the critical path, times in ms.
func (o *Outline) path() string {
	parts := make([]string, len(o.CriticalPath))
	for i, p := range o.CriticalPath {
		parts[i] = fmt.Sprintf("%s %d-%d", o.Operations[o.Spans[p.Span].Operation].Name, p.FromNs/1e6, p.ToNs/1e6)
	}
	return strings.Join(parts, ", ")
}

func TestTheCriticalPathIsWhatTheRequestWaitedFor(t *testing.T) {
	f := func(why, want string, spans ...Span) {
		t.Helper()
		if got := outline(spans...).path(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", why, got, want)
		}
	}
	root := span(1, 0, KindServer, "root", 0, 100)
	f("one after the other", "root 0-10, a 10-40, root 40-50, b 50-90, root 90-100", root,
		span(2, 1, KindInternal, "a", 10, 40), span(3, 1, KindInternal, "b", 50, 90))
	f("at once: the last to end counts", "root 0-10, b 10-90, root 90-100", root,
		span(2, 1, KindInternal, "a", 10, 40), span(3, 1, KindInternal, "b", 10, 90))
	f("overlapping: the earlier counts up to the later's start", "a 0-49, b 49-100", root,
		span(2, 1, KindInternal, "a", 0, 51), span(3, 1, KindInternal, "b", 49, 100))
	f("what was cut there is cut further down, too", "a 0-30, c 30-49, b 49-100", root,
		span(2, 1, KindInternal, "a", 0, 60), span(4, 2, KindInternal, "c", 30, 58), span(3, 1, KindInternal, "b", 49, 100))
	f("nobody waits for what its own process still does afterwards", "root 0-10, b 10-60, root 60-100", root,
		span(2, 1, KindInternal, "async", 20, 300), span(3, 1, KindInternal, "b", 10, 60))
	f("nobody waits for the receiver of a message", "root 0-100", root,
		remote(2, 1, KindConsumer, "receive", 10, 90))
	f("a call that was given up was waited for until then", "root 0-10, call 10-20, late 20-90, root 90-100", root,
		span(2, 1, KindClient, "call", 10, 90), remote(3, 2, KindServer, "late", 20, 300))
	f("a called service whose clock is 500 ms ahead", "root 0-10, call 10-20, ahead 20-80, call 80-90, root 90-100", root,
		span(2, 1, KindClient, "call", 10, 90), remote(3, 2, KindServer, "ahead", 520, 580))
	f("the longest root", "b 20-80", span(1, 0, KindServer, "a", 0, 10), span(2, 0, KindServer, "b", 20, 80))
	f("no length, no path", "", span(1, 0, KindServer, "a", 0, 0))
}

func TestTheCriticalPathCoversItsRootWithoutOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := []Span{span(1, 0, KindServer, "1", 0, rapid.IntRange(1, 1000).Draw(t, "length"))}
		for id := range rapid.IntRange(0, 40).Draw(t, "spans") {
			from := rapid.IntRange(0, 1200).Draw(t, "from")
			parent := rapid.IntRange(1, id+1).Draw(t, "parent")
			s := span(SpanID(id+2), SpanID(parent), Kind(rapid.IntRange(1, 5).Draw(t, "kind")), fmt.Sprint(id+2), from, from+rapid.IntRange(0, 900).Draw(t, "took"))
			spans = append(spans, s)
		}
		o := outline(spans...)
		var until int64
		for _, p := range o.CriticalPath {
			n := o.Spans[p.Span]
			if p.FromNs != until || p.ToNs <= p.FromNs || p.FromNs < n.StartNs || p.ToNs > n.StartNs+n.DurationNs {
				t.Fatalf("part %+v of %+v after %d in %s", p, n, until, o.path())
			}
			until = p.ToNs
		}
		if until != spans[0].DurationNs {
			t.Fatalf("the path ends at %d: %s", until, o.path())
		}
		if len(o.Spans) != len(spans) {
			t.Fatalf("%d of %d spans", len(o.Spans), len(spans))
		}
		for i, n := range o.Spans {
			if n.Parent >= i || n.Parent >= 0 && i > n.Parent+o.Spans[n.Parent].Below || n.SelfNs < 0 || n.SelfNs > n.DurationNs {
				t.Fatalf("span %d: %+v", i, n)
			}
		}
	})
}

func TestTheSpansBelowAMissingParentStandTogether(t *testing.T) {
	o := outline(
		span(1, 0, KindServer, "root", 0, 100),
		span(2, 77, KindInternal, "a", 10, 30), span(3, 77, KindInternal, "b", 40, 60), // of the same instance: a part of root
		remote(4, 88, KindServer, "elsewhere", 50, 80),
	)
	want := "root 50\n. (missing) 10\n. . a 20\n. . b 20\n(missing) 0\n. elsewhere 30\n"
	if got := o.drawn(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if o.Missing != 2 || o.Roots != 2 || o.Stored != 4 || o.Spans[1].SpanID != 77 || !o.Spans[1].Missing {
		t.Errorf("%+v", o)
	}
}

func TestACallMadeAgainAndAgainUnderOneParentIsFound(t *testing.T) {
	loop := func(make func(i int) []Span) []Span {
		spans := []Span{span(1, 0, KindServer, "root", 0, 200)}
		for i := range 6 {
			spans = append(spans, make(i)...)
		}
		return spans
	}
	f := func(why string, want RepeatedCall, members int, spans []Span) {
		t.Helper()
		o := outline(spans...)
		marked := 0
		for _, n := range o.Spans {
			if n.Repeat == 1 {
				marked++
			}
		}
		if len(o.Repeats) != 1 || o.Repeats[0] != want || marked != members {
			t.Errorf("%s: %d marked, %+v, want %+v", why, marked, o.Repeats, want)
		}
	}
	id := func(i, n int) SpanID { return SpanID(10*(i+1) + n) }
	f("a statement", RepeatedCall{Parent: 0, Operation: 1, Count: 6, TotalNs: 60e6, CoveredNs: 60e6, First: 1, NPlusOne: true}, 6,
		loop(func(i int) []Span { return []Span{sql(id(i, 0), 1, "00000000000000aa", i*20, i*20+10)} }))
	f("within a method each", RepeatedCall{Parent: 0, Operation: 2, Count: 6, TotalNs: 60e6, CoveredNs: 60e6, First: 2, NPlusOne: true}, 6,
		loop(func(i int) []Span {
			return []Span{span(id(i, 0), 1, KindInternal, "find", i*20, i*20+15), sql(id(i, 1), id(i, 0), "00000000000000aa", i*20, i*20+10)}
		}))
	f("recorded by mapper and driver", RepeatedCall{Parent: 0, Operation: 1, Count: 6, TotalNs: 60e6, CoveredNs: 60e6, First: 2, NPlusOne: true}, 6,
		loop(func(i int) []Span {
			return []Span{sql(id(i, 0), 1, "00000000000000aa", i*20, i*20+15), sql(id(i, 1), id(i, 0), "00000000000000aa", i*20, i*20+10)}
		}))
	f("a call, all at once", RepeatedCall{Parent: 0, Operation: 1, Count: 6, TotalNs: 60e6, CoveredNs: 10e6, First: 1}, 6,
		loop(func(i int) []Span { return []Span{span(id(i, 0), 1, KindClient, "GET", 10, 20)} }))
	few := outline(loop(func(i int) []Span {
		return []Span{sql(id(i, 0), 1, fmt.Sprintf("%016x", i/2+1), i*20, i*20+10), span(id(i, 1), 1, KindInternal, "step", i*20, i*20+10)}
	})...)
	if len(few.Repeats) != 0 {
		t.Errorf("different statements, and the program's own methods: %+v", few.Repeats)
	}
}

func TestLongTimeThatNothingAccountsForIsAGap(t *testing.T) {
	o := outline(
		span(1, 0, KindServer, "root", 0, 1000),
		span(2, 1, KindInternal, "a", 200, 300),
		span(3, 1, KindInternal, "short", 310, 330), // 10 ms before it are no gap
		span(4, 1, KindClient, "call", 330, 1000), remote(5, 4, KindServer, "other", 430, 1000),
	)
	want := []TraceGap{{Span: 0, FromNs: 0, ToNs: 200e6}, {Span: 3, FromNs: 330e6, ToNs: 430e6, Network: true}}
	if !slices.Equal(o.Gaps, want) {
		t.Errorf("got %+v", o.Gaps)
	}
	if short := outline(span(1, 0, KindServer, "root", 0, 0), span(2, 1, KindInternal, "a", 0, 0)); len(short.Gaps) != 0 {
		t.Errorf("a trace without length: %+v", short.Gaps)
	}
}

func TestClocksThatDisagreeAreToldOnce(t *testing.T) {
	o := outline(
		span(1, 0, KindServer, "root", 0, 100),
		span(2, 1, KindClient, "call", 10, 50), remote(3, 2, KindServer, "behind", -300, -280),
		remote(4, 3, KindInternal, "within", -295, -285), // by the same clock
		span(5, 1, KindClient, "call", 60, 90), remote(6, 5, KindServer, "behind", -240, -220),
	)
	if len(o.Skews) != 1 || o.Skews[0].ShiftNs != 320e6 || o.Skews[0].Instance != "pod-9" || o.Skews[0].ParentInstance != "pod-1" {
		t.Errorf("%+v", o.Skews)
	}
	if got, want := o.drawn(), "root 30\n. call 20\n. . behind 10\n. . . within 10\n. call 10\n. . behind 20\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if behind := o.Spans[2]; !o.Start.Equal(noon) || o.DurationNs != 100e6 || behind.StartNs != 20e6 || behind.ShiftNs != 320e6 {
		t.Errorf("times are not on one clock: %+v of %+v", behind, o)
	}
	failed := span(2, 1, KindClient, "call", 10, 50)
	failed.Status = StatusError
	if queued := outline(span(1, 0, KindServer, "root", 0, 100), failed, remote(3, 2, KindServer, "queued", 70, 80)); len(queued.Skews) != 0 {
		t.Errorf("a call that was taken up after it had been given up: %+v", queued.Skews)
	}
}

func TestAFailureStandsWhereItBegan(t *testing.T) {
	spans := []Span{
		span(1, 0, KindServer, "root", 0, 100), span(2, 1, KindInternal, "a", 10, 90), span(3, 2, KindInternal, "b", 20, 80), span(4, 1, KindInternal, "fine", 92, 93),
	}
	for i := range 3 {
		spans[i].Status, spans[i].StatusMessage = StatusError, "no"
	}
	spans[2].Exception = &Exception{Type: "Boom"}
	o := outline(spans...)
	want := []SpanFailure{{Span: 2, Origin: true, Type: "Boom", Message: "no"}, {Span: 0, Message: "no"}, {Span: 1, Message: "no"}}
	if !slices.Equal(o.Failures, want) || o.FailedSpans != 3 {
		t.Errorf("got %+v", o.Failures)
	}
}

func TestWhatEachStatementCostIsAddedUp(t *testing.T) {
	slow := sql(3, 1, "00000000000000aa", 20, 90)
	slow.Status, slow.DB.Rows = StatusError, 7
	o := outline(span(1, 0, KindServer, "root", 0, 100), sql(2, 1, "00000000000000aa", 0, 10), slow, sql(4, 1, "00000000000000bb", 90, 100))
	if len(o.Statements) != 2 {
		t.Fatalf("%+v", o.Statements)
	}
	st := o.Statements[0]
	if st.Hash != "00000000000000aa" || st.Count != 2 || st.TotalNs != 80e6 || st.MaxNs != 70e6 || st.Slowest != 2 || st.Failed != 1 || st.Rows != 7 || st.Text != "SELECT 1" {
		t.Errorf("%+v", st)
	}
	if o.Shares[0].TotalNs != 80e6 || o.Shares[0].Spans != 2 || o.Operations[o.Shares[0].Operation].Name != "SELECT orders" {
		t.Errorf("shares: %+v", o.Shares)
	}
}

func TestTracesOfFiftyThousandSpansOfAnyShapeAreOutlined(t *testing.T) {
	const n = 50_000
	f := func(what string, parent func(i int) SpanID) {
		t.Helper()
		spans := make([]Span, n)
		for i := range spans {
			spans[i] = sql(SpanID(i+1), parent(i), "00000000000000aa", i/100, i/100+2)
			spans[i].Entry = false
		}
		spans[0] = span(1, 0, KindServer, "root", 0, n)
		o := outline(spans...)
		if o.Stored != n || len(o.CriticalPath) == 0 {
			t.Errorf("%s: %d spans, %d parts", what, o.Stored, len(o.CriticalPath))
		}
	}
	f("a star", func(i int) SpanID { return SpanID(min(i, 1)) })
	f("a chain", func(i int) SpanID { return SpanID(i) })
	f("each with a parent of its own missing", func(i int) SpanID { return SpanID(n + i) })
}
