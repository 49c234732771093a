package trace

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

var noon = time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)

// span makes one of service "api"; times are ms after noon.
func span(id, parent SpanID, kind Kind, name string, from, to int) Span {
	return Span{
		SpanID: id, ParentID: parent, Service: "api", Instance: "pod-1", Name: name, Operation: name, Kind: kind,
		Start: noon.Add(time.Duration(from) * time.Millisecond), StartOffsetNs: int64(from) * 1e6, DurationNs: int64(to-from) * 1e6,
		Entry: kind == KindServer || kind == KindConsumer || parent == 0,
	}
}

func query(id, parent SpanID, statement string, from, to int) Span {
	s := span(id, parent, KindClient, "SELECT db", from, to)
	s.DB = &DBCall{System: "mysql", Name: "shop", Statement: statement}
	return s
}

func profile(t *testing.T, at SpanID, spans ...Span) *Profile {
	t.Helper()
	p, err := BuildProfile(&Trace{TraceID: TraceID{1}, Start: noon, Spans: spans}, at)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines writes a profile as people read it: "index depth kind name offset+elapsed self gap tail", times in ms.
func lines(p *Profile) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%d%s %s %s %d+%d self %d gap %d tail %d\n", s.Index, strings.Repeat(" .", s.Depth), s.Kind, s.Name,
			s.OffsetNs/1e6, s.ElapsedNs/1e6, s.SelfNs/1e6, s.GapNs/1e6, s.TailNs/1e6)
	}
	return b.String()
}

func expectLines(t *testing.T, p *Profile, want string) {
	t.Helper()
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "") + "\n"
	if got := lines(p); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestAStatementThatMapperAndDriverBothRecordIsOneStatement(t *testing.T) {
	p := profile(t, 1,
		span(1, 0, KindServer, "GET /items", 0, 100),
		query(2, 1, `SELECT * FROM "items" WHERE id = ?`, 10, 90),
		query(3, 2, `SELECT * FROM "items" WHERE id = $1`, 20, 80),
		query(4, 1, "SELECT 1 FROM a", 91, 99),
	)
	expectLines(t, p, `
		1 method GET /items 0+100 self 12 gap 0 tail 1
		2 . method SELECT db 10+80 self 20 gap 10 tail 10
		3 . . sql SELECT db 20+60 self 60 gap 10 tail 0
		4 . sql SELECT db 91+8 self 8 gap 1 tail 0`)
	if p.Transaction.SQLCount != 2 || p.Transaction.SQLNs != 68e6 {
		t.Errorf("%d statements of %d ns", p.Transaction.SQLCount, p.Transaction.SQLNs)
	}
}

func TestATransactionIsTakenApartIntoNumberedSteps(t *testing.T) {
	p := profile(t, 1,
		query(4, 3, "SELECT 1 FROM a", 150, 250),
		span(1, 0, KindServer, "GET /x", 0, 1000),
		span(2, 1, KindInternal, "HikariDataSource.getConnection", 10, 110),
		span(3, 1, KindInternal, "Dao.load", 120, 400),
		query(5, 3, "SELECT 2 FROM a", 300, 400),
		span(6, 1, KindClient, "GET", 500, 900),
	)
	expectLines(t, p, `
		1 method GET /x 0+1000 self 220 gap 0 tail 100
		2 . wait HikariDataSource.getConnection 10+100 self 100 gap 10 tail 0
		3 . method Dao.load 120+280 self 80 gap 10 tail 0
		4 . . sql SELECT db 150+100 self 100 gap 30 tail 0
		5 . . sql SELECT db 300+100 self 100 gap 50 tail 0
		6 . call GET 500+400 self 400 gap 100 tail 0`)
	if tx := p.Transaction; tx.SQLCount != 2 || tx.SQLNs != 200e6 || tx.CallCount != 1 || tx.CallNs != 400e6 {
		t.Errorf("sums: %+v", tx)
	}
	if st := p.Steps[3].Statement; st == nil || st.Text != "SELECT ? FROM a" || p.Steps[3].ParentIndex != 3 {
		t.Errorf("step 4: %+v", p.Steps[3])
	}
}

func TestAnySpanLeadsToItsTransaction(t *testing.T) {
	spans := []Span{span(1, 0, KindServer, "GET /x", 0, 100), span(2, 1, KindInternal, "a", 0, 50), query(3, 2, "SELECT 1", 0, 50)}
	for _, at := range []SpanID{0, 1, 2, 3} {
		if p := profile(t, at, spans...); p.Transaction.SpanID != 1 || len(p.Steps) != 3 {
			t.Errorf("from span %d: %+v", at, p.Transaction)
		}
	}
	if _, err := BuildProfile(&Trace{Spans: spans}, 9); !fault.Is(err, fault.NotFound) {
		t.Errorf("a span that is not there: %v", err)
	}
	if _, err := BuildProfile(&Trace{}, 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty trace: %v", err)
	}
}

func TestAProfileEndsAtTheServicesBorder(t *testing.T) {
	remote := span(3, 2, KindServer, "GET /stock", 20, 80)
	remote.Service, remote.Instance = "stock", "pod-9"
	below := query(4, 3, "SELECT 1", 30, 70)
	below.Service, below.Instance = "stock", "pod-9"
	spans := []Span{span(1, 0, KindServer, "GET /x", 0, 100), span(2, 1, KindClient, "GET", 10, 90), remote, below}

	p := profile(t, 1, spans...)
	expectLines(t, p, `
		1 method GET /x 0+100 self 20 gap 0 tail 10
		2 . call GET 10+80 self 80 gap 10 tail 0`)
	if r := p.Steps[1].Remotes; len(r) != 1 || r[0].Service != "stock" || r[0].Endpoint != "GET /stock" || r[0].ElapsedNs != 60e6 {
		t.Errorf("remotes: %+v", r)
	}
	if p := profile(t, 4, spans...); p.Transaction.Service != "stock" || p.Transaction.SQLCount != 1 {
		t.Errorf("the other side: %+v", p.Transaction)
	}
}

func TestACallToItselfIsATransactionOfItsOwn(t *testing.T) {
	p := profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), span(2, 1, KindClient, "GET", 10, 90), span(3, 2, KindServer, "GET /y", 20, 80))
	if len(p.Steps) != 2 || len(p.Steps[1].Remotes) != 1 {
		t.Errorf("%s%+v", lines(p), p.Steps[1].Remotes)
	}
}

func TestParallelQueriesCountOnceInTheSQLTime(t *testing.T) {
	p := profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), query(2, 1, "SELECT 1", 10, 60), query(3, 1, "SELECT 2", 20, 70))
	if p.Transaction.SQLNs != 60e6 || p.Steps[0].SelfNs != 40e6 {
		t.Errorf("sql %d, self %d", p.Transaction.SQLNs, p.Steps[0].SelfNs)
	}
}

func TestAnAsynchronousChildMayOutliveItsParent(t *testing.T) {
	expectLines(t, profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), span(2, 1, KindInternal, "later", 90, 500)), `
		1 method GET /x 0+100 self 90 gap 0 tail 0
		2 . method later 90+410 self 410 gap 90 tail 0`)
}

func TestASpanWithoutItsParentGoesToTheTransactionThatRan(t *testing.T) {
	spans := []Span{
		span(1, 0, KindServer, "GET /first", 0, 100), span(2, 0, KindServer, "GET /second", 200, 300),
		query(3, 77, "SELECT 1", 210, 220), query(4, 77, "SELECT 1", 50, 60), query(5, 77, "SELECT 1", 120, 130),
	}
	if p := profile(t, 1, spans...); p.Transaction.SQLCount != 2 {
		t.Errorf("first has its own and the one after its end:\n%s", lines(p))
	}
	if p := profile(t, 3, spans...); p.Transaction.Endpoint != "GET /second" || p.Transaction.SQLCount != 1 {
		t.Errorf("second:\n%s", lines(p))
	}
}

func TestRepeatedAndCircularSpansAppearOnce(t *testing.T) {
	a, b := span(2, 3, KindInternal, "a", 10, 50), span(3, 2, KindInternal, "b", 20, 40)
	expectLines(t, profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), a, b, a, b), `
		1 method GET /x 0+100 self 60 gap 0 tail 50
		2 . method a 10+40 self 20 gap 10 tail 10
		3 . . method b 20+20 self 20 gap 10 tail 0`)
	self := span(1, 1, KindServer, "GET /x", 0, 100)
	if p := profile(t, 1, self); len(p.Steps) != 1 {
		t.Errorf("its own parent:\n%s", lines(p))
	}
}

func TestAnExceptionThatPassesThroughMethodsIsOneStep(t *testing.T) {
	thrown := func(s Span, at int) Span {
		s.Events = []Event{{OffsetNs: int64(at) * 1e6, Name: "exception", Attributes: map[string]any{
			"exception.type": "SQLException", "exception.message": "too slow",
			"exception.stacktrace": "SQLException: too slow\n\tat java.base/java.lang.Thread.run(Thread.java:1)\n\tat com.shop.Dao.load(Dao.java:7)\n",
		}}}
		s.Exception = &Exception{Type: "SQLException", Message: "too slow"}
		return s
	}
	p := profile(t, 1, thrown(span(1, 0, KindServer, "GET /x", 0, 100), 99), thrown(span(2, 1, KindInternal, "Dao.load", 10, 80), 79), thrown(query(3, 2, "SELECT 1", 20, 60), 59))
	expectLines(t, p, `
		1 method GET /x 0+100 self 30 gap 0 tail 20
		2 . method Dao.load 10+70 self 30 gap 10 tail 20
		3 . . sql SELECT db 20+40 self 40 gap 10 tail 0
		4 . . . exception SQLException 59+0 self 0 gap 0 tail 0`)
	if got := p.Steps[3]; got.Code != "com.shop.Dao.load(Dao.java:7)" || got.Exception.Message != "too slow" || got.SpanID != 3 {
		t.Errorf("%+v", got)
	}
}

// anyTrace draws a trace with every fault a sender can make.
func anyTrace(t *rapid.T) []Span {
	n := rapid.IntRange(1, 30).Draw(t, "spans")
	spans := make([]Span, 0, n)
	for i := range n {
		from := rapid.IntRange(-50, 200).Draw(t, "from")
		s := span(SpanID(rapid.IntRange(1, 20).Draw(t, "id")), SpanID(rapid.IntRange(0, 22).Draw(t, "parent")),
			Kind(rapid.IntRange(0, 5).Draw(t, "kind")), fmt.Sprint("s", i), from, from+rapid.IntRange(0, 150).Draw(t, "length"))
		s.Service = rapid.SampledFrom([]string{"api", "stock"}).Draw(t, "service")
		if rapid.Bool().Draw(t, "query") {
			s.DB = &DBCall{System: "mysql", Statement: "SELECT 1"}
		}
		spans = append(spans, s)
	}
	return spans
}

func TestEverySpanIsAStepOfExactlyOneProfile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := anyTrace(t)
		tree := newTree(spans)
		steps := map[string]int{}
		for i, top := range tree.top {
			if i != top {
				continue
			}
			b := profileBuilder{tree: tree, entry: top, known: map[string]sqltext.Statement{}}
			b.span(top, 0, 0, 0)
			for k, s := range b.steps {
				if s.Index != k+1 {
					t.Fatalf("step %d has index %d", k+1, s.Index)
				}
				if k > 0 && (s.ParentIndex < 1 || s.ParentIndex > k || s.Depth != b.steps[s.ParentIndex-1].Depth+1) {
					t.Fatalf("step %d: parent %d, depth %d", s.Index, s.ParentIndex, s.Depth)
				}
				if s.Service != b.steps[0].Service {
					t.Fatalf("step %d is of service %s", s.Index, s.Service)
				}
				if s.SelfNs < 0 || s.SelfNs > s.ElapsedNs || s.GapNs < 0 || s.TailNs < 0 || s.OffsetNs < 0 {
					t.Fatalf("step %d: self %d gap %d tail %d offset %d", s.Index, s.SelfNs, s.GapNs, s.TailNs, s.OffsetNs)
				}
				steps[fmt.Sprint(s.SpanID, s.Service, s.Name)]++
			}
		}
		for _, s := range distinct(slices.Clone(spans)) {
			if got := steps[fmt.Sprint(s.SpanID, s.Service, s.Name)]; got != 1 {
				t.Fatalf("span %d of %s is %d steps", s.SpanID, s.Service, got)
			}
		}
	})
}

func TestSelfTimesOfStepsOneAfterAnotherAddUpToTheTransaction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := SpanID(1)
		spans := []Span{span(1, 0, KindServer, "GET /x", 0, 10_000)}
		var grow func(parent SpanID, from, to, depth int)
		grow = func(parent SpanID, from, to, depth int) {
			for at := from; depth < 4 && len(spans) < 40; {
				start := at + rapid.IntRange(0, 500).Draw(t, "gap")
				end := start + rapid.IntRange(1, 3000).Draw(t, "length")
				if end > to {
					return
				}
				id++
				own := id
				spans = append(spans, span(own, parent, KindInternal, "s", start, end))
				grow(own, start, end, depth+1)
				at = end
			}
		}
		grow(1, 0, 10_000, 0)
		p, err := BuildProfile(&Trace{Spans: spans}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var sum, gaps int64
		for _, s := range p.Steps {
			sum += s.SelfNs
			gaps += s.GapNs + s.TailNs
		}
		if sum != 10_000e6 {
			t.Fatalf("self times add up to %d ms", sum/1e6)
		}
		if gaps > sum {
			t.Fatalf("gaps add up to %d ms", gaps/1e6)
		}
	})
}

func TestAStatementSentWithoutItsTextIsStillSQL(t *testing.T) {
	f := func(outline, operation, tables string) {
		t.Helper()
		p := profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), query(2, 1, outline, 10, 60))
		s := p.Steps[1]
		if s.Kind != StepSQL || s.Statement.Operation != operation || strings.Join(s.Statement.Tables, " ") != tables || s.Statement.Text != outline {
			t.Errorf("%q is a step %s, statement %+v", outline, s.Kind, s.Statement)
		}
		if p.Transaction.SQLCount != 1 || p.Transaction.SQLNs != 50e6 {
			t.Errorf("%q: %d statements of %d ns", outline, p.Transaction.SQLCount, p.Transaction.SQLNs)
		}
	}
	f("SELECT … FROM orders", "SELECT", "orders")
	f("SELECT … FROM shop.orders", "SELECT", "shop.orders")
	f("INSERT INTO orders …", "INSERT", "orders")
	f("REPLACE INTO orders …", "REPLACE", "orders")
	f("UPDATE orders …", "UPDATE", "orders")
	f("DELETE FROM orders …", "DELETE", "orders")
	f("CALL f …", "CALL", "")
	f("UPDATE …", "UPDATE", "")
}

func TestADatabaseCallThatIsNoSQLSaysWhatItsAttributesSay(t *testing.T) {
	find := span(2, 1, KindClient, "find shop.customers", 10, 60)
	find.DB = &DBCall{System: "mongodb", Name: "shop", Operation: "find"}
	find.Attributes = map[string]string{"db.mongodb.collection": "customers"}
	s := profile(t, 1, span(1, 0, KindServer, "GET /x", 0, 100), find).Steps[1]
	if s.Kind != StepCall || s.Statement.System != "mongodb" || s.Statement.Operation != "find" || strings.Join(s.Statement.Tables, " ") != "customers" || s.Database != "shop" {
		t.Errorf("step %+v, statement %+v", s, s.Statement)
	}
}
