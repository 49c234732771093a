package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestASearchFindsWhatItAsksFor(t *testing.T) {
	db, store := open(t)
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	insert(t, db, 1,
		line{at: at(1), severity: Info, body: "A: GET /v1/orders took 12 ms", attributes: []string{"http.route", "/v1/orders", "took", "12"}},
		line{at: at(2), severity: Warn, body: "B: connection reset by peer", service: "pay", pod: "pay-1", trace: 0xab},
		line{at: at(3), severity: Error, body: "C: Timeout while connecting", service: "pay", pod: "pay-2", attributes: []string{"exception.type", "java.net.SocketTimeoutException"}},
		line{at: at(4), severity: Unknown, body: "D: 결제가 실패했습니다", attributes: []string{"took", "250", "empty", ""}},
		line{at: at(5), severity: Debug, body: "E: 100% of_it [a.b]*", attributes: []string{"path", `/v1/"q"`}},
	)
	insert(t, db, 2, line{at: at(1), body: "Z: of another project timeout"})
	f := func(text, want string) {
		t.Helper()
		page, err := store.Search(t.Context(), 1, around(text), true, "", 10)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			return
		}
		got := ""
		for _, r := range page.Items {
			got += r.Body[:1]
		}
		if got != want {
			t.Errorf("%s finds %q, want %q", text, got, want)
		}
	}
	f("", "ABCDE")
	f("timeout", "C")
	f("TIMEOUT", "C")
	f("time", "")
	f("time*", "C")
	f(`"reset by"`, "B")
	f(`"by reset"`, "")
	f("/v1/orders", "A")
	f("결제", "D")
	f("실패했", "D")
	f("100%", "E")
	f(`"of_it"`, "E")
	f(`o*it`, "E")
	f("-timeout", "ABDE")
	f("reset OR took", "AB")
	f("(reset OR timeout) service:pay level>=error", "C")
	f("service:pay", "BC")
	f("service:p*", "BC")
	f("service!=pay", "ADE")
	f("service:pay,x instance:pay-1,pay-2", "BC")
	f("service!=pay,x", "ADE")
	f("level:warn,debug", "BE")
	f(`service~"^(pay|x)$"`, "BC")
	f("instance:pay-1", "B")
	f("level:warn", "B")
	f("level>=warn", "BC")
	f("level<info", "DE")
	f("level!=unknown", "ABCE")
	f("level:unknown", "D")
	f("has:level", "ABCE")
	f("exception:java.net.SocketTimeoutException", "C")
	f("has:exception", "C")
	f("attr.http.route:/v1/orders", "A")
	f("http.route:/v1/orders", "A")
	f("took>100", "D")
	f("took<=12", "A")
	f("has:took", "AD")
	f("-has:took", "BCE")
	f("took!=12", "BCDE")
	f(`empty:""`, "D")
	f(`path:"/v1/\"q\""`, "E")
	f("trace:ab000000000000000000000000000000", "B")
	f("has:trace", "B")
	f("resource.k8s.node.name:node-of-pay", "BC")
	f(`body~"conn.*(peer|x)"`, "B")
	f(`x' OR 1=1 -- `, "")
	f(`service:"' OR '1'='1"`, "")
	page, err := store.Search(t.Context(), 1, Query{Text: "reset OR timeout OR took", Levels: []string{"error", "info"}, From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}, true, "", 10)
	if err != nil || len(page.Items) != 2 || page.Items[0].Body[:1] != "A" || page.Items[1].Body[:1] != "C" {
		t.Errorf("of some levels: %v, %v", page.Items, err)
	}
}

func TestAMistakeInASearchIsPointedAt(t *testing.T) {
	_, store := open(t)
	f := func(text, want string) {
		t.Helper()
		_, err := store.Search(t.Context(), 1, around(text), false, "", 10)
		if e := fault.As(err); e == nil || e.Kind != fault.Invalid || e.Field != "q" || !strings.HasPrefix(e.Message, want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	f("a level:loud", "column 9: there is no level")
	f("level~warn", "column 1: a level is compared")
	f(`body~"a(b"`, "column 6: this regular expression")
	f("trace:12", "column 7: this id has 32")
	f("took>fast", "column 6: > needs a number")
	f("trace>12", "column 1: an id is compared")
	_, err := store.Search(t.Context(), 1, Query{From: noon, To: noon}, false, "", 10)
	if e := fault.As(err); e == nil || e.Field != "to" {
		t.Errorf("an empty range: %v", err)
	}
	q := around("")
	q.Levels = []string{"warn", "loud"}
	_, err = store.Search(t.Context(), 1, q, false, "", 10)
	if e := fault.As(err); e == nil || e.Field != "levels" {
		t.Errorf("a level that is none: %v", err)
	}
}

func TestPagesOfASearchRepeatAndLoseNothing(t *testing.T) {
	db, store := open(t)
	var lines []line
	for n := range 25 {
		lines = append(lines, line{at: noon.Add(time.Duration(n/10) * time.Second), body: fmt.Sprint(n)}) // many of one time
	}
	insert(t, db, 1, lines...)
	for _, oldestFirst := range []bool{false, true} {
		seen, cursor := map[string]bool{}, ""
		for range 10 {
			page, err := store.Search(t.Context(), 1, around(""), oldestFirst, cursor, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Items {
				if seen[r.ID] {
					t.Errorf("%s comes twice", r.Body)
				}
				seen[r.ID] = true
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if len(seen) != 25 {
			t.Errorf("oldest first %v: %d of 25 records", oldestFirst, len(seen))
		}
	}
	if _, err := store.Search(t.Context(), 1, around(""), false, "nonsense", 7); !fault.Is(err, fault.Invalid) {
		t.Errorf("a cursor of nothing: %v", err)
	}
}

// Records arrive late and out of order; the tail goes by their arrival.
func TestATailMissesNothingThatArrives(t *testing.T) {
	db, store := open(t)
	insert(t, db, 1, line{body: "first"})
	now := noon.Add(time.Second)
	tail, err := store.Tail(t.Context(), 1, around(""), "", 100, now)
	if err != nil || bodies(tail.Items) != "first" {
		t.Fatalf("%v %s", err, bodies(tail.Items))
	}
	insert(t, db, 1, line{body: "late", at: noon.Add(-30 * time.Minute)}, line{body: "second"})
	insert(t, db, 2, line{body: "foreign"})
	next, err := store.Tail(t.Context(), 1, around(""), tail.Next, 100, now)
	if err != nil || bodies(next.Items) != "first | late | second" {
		t.Errorf("%v %s", err, bodies(next.Items))
	}
	some, err := store.Tail(t.Context(), 1, around(""), tail.Next, 1, now)
	if err != nil || bodies(some.Items) != "second" || some.Skipped != 1 {
		t.Errorf("%v %s, %d skipped", err, bodies(some.Items), some.Skipped)
	}
	if _, err := store.Tail(t.Context(), 1, around(""), "x", 2, now); !fault.Is(err, fault.Invalid) {
		t.Errorf("a tail behind nothing: %v", err)
	}
}

// What an answer repeats, to miss nothing, is not what it leaves out.
func TestATailCallsSkippedOnlyWhatNoAnswerHeld(t *testing.T) {
	db, store := open(t)
	lines := func(n int) []line { return make([]line, n) }
	now := noon.Add(time.Second)
	next := ""
	f := func(arrive, limit int, want uint64) {
		t.Helper()
		if arrive > 0 {
			insert(t, db, 1, lines(arrive)...)
		}
		tail, err := store.Tail(t.Context(), 1, around(""), next, limit, now)
		if err != nil || tail.Skipped != want {
			t.Errorf("%d skipped, want %d: %v", tail.Skipped, want, err)
		}
		next = tail.Next
	}
	f(20, 10, 0) // the first answer is the newest of what there is
	f(0, 10, 0)
	f(10, 10, 0)
	f(13, 10, 3)
	now = now.Add(time.Minute)
	f(0, 10, 0)
	f(0, 10, 0)
}

func TestTheContextOfALineIsWhatItsProcessWrote(t *testing.T) {
	db, store := open(t)
	var lines []line
	for n := range 20 {
		lines = append(lines, line{pod: "a", body: fmt.Sprint("a", n), at: noon.Add(time.Duration(n) * time.Second)},
			line{pod: "b", body: fmt.Sprint("b", n), at: noon.Add(time.Duration(n) * time.Second)})
	}
	insert(t, db, 1, lines...)
	page, err := store.Search(t.Context(), 1, around("a10"), false, "", 10)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%v %v", page, err)
	}
	id, err := ParseID(page.Items[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.Context(t.Context(), 1, id, 2, 3)
	if err != nil || bodies(got) != "a8 | a9 | a10 | a11 | a12 | a13" {
		t.Errorf("%v: %s", err, bodies(got))
	}
	if _, err := store.Context(t.Context(), 2, id, 2, 3); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another project: %v", err)
	}
	d, err := store.Record(t.Context(), 1, id)
	if err != nil || d.Body != "a10" || d.Resource["k8s.pod.name"] != "a" {
		t.Errorf("%v: %+v", err, d)
	}
	if _, err := store.Record(t.Context(), 2, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another project: %v", err)
	}
}
