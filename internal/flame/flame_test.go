package flame

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func open(t testing.TB) (*clickhouse.DB, *Store) {
	t.Helper()
	db, _ := tracetest.Open(t)
	if err := db.Migrate(t.Context(), "flame", Migrations()); err != nil {
		t.Fatal(err)
	}
	return db, NewStore(db)
}

// stack is a sample of a profile: functions from the outermost, its CPU time, and labels.
type stack struct {
	frames string // separated by spaces
	cpu    int64
	labels map[string][]string
}

// pprofOf writes a profile the way profilers do, the innermost call first.
func pprofOf(t testing.TB, stacks ...stack) []byte {
	t.Helper()
	p := &profile.Profile{TimeNanos: noon.UnixNano(), SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}}
	functions := map[string]*profile.Location{}
	for _, s := range stacks {
		sample := &profile.Sample{Value: []int64{1, s.cpu}, Label: s.labels}
		names := strings.Fields(s.frames)
		for i := len(names) - 1; i >= 0; i-- {
			l := functions[names[i]]
			if l == nil {
				id := uint64(len(functions) + 1)
				f := &profile.Function{ID: id, Name: names[i]}
				l = &profile.Location{ID: id, Line: []profile.Line{{Function: f, Line: 7}}}
				p.Function, p.Location = append(p.Function, f), append(p.Location, l)
				functions[names[i]] = l
			}
			sample.Location = append(sample.Location, l)
		}
		p.Sample = append(p.Sample, sample)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func insert(t testing.TB, db *clickhouse.DB, from Source, data []byte) {
	t.Helper()
	p, err := ParsePprof(data)
	if err != nil {
		t.Fatal(err)
	}
	c := NewColumns()
	c.Append(from, p, noon)
	if err := db.Insert(t.Context(), c.Table(), c.Input()); err != nil {
		t.Fatal(err)
	}
}

// drawn writes a graph as lines of "depth name total self".
func drawn(n *Node, depth int) string {
	out := fmt.Sprintf("%s%s %d %d\n", strings.Repeat(" ", depth), n.Name, n.Total, n.Self)
	for _, c := range n.Children {
		out += drawn(c, depth+1)
	}
	return out
}

func (s *Store) draw(t testing.TB, p project.ID, q Query) string {
	t.Helper()
	q.From, q.To = noon.Add(-time.Hour), noon.Add(time.Hour)
	g, err := s.Graph(t.Context(), p, q)
	if err != nil {
		t.Fatal(err)
	}
	return g.Unit + "\n" + drawn(g.Root, 0)
}

func TestProfilesAddUpToAFlameGraphOfAnEndpoint(t *testing.T) {
	db, store := open(t)
	id := tracetest.ID(7)
	tracetest.Insert(t, db, 1, tracetest.Span{Trace: id, ID: 1, Service: "shop", Name: "GET /orders", Kind: trace.KindServer, Start: noon, Duration: time.Second,
		Attributes: map[string]string{"http.request.method": "GET", "http.route": "/orders"}})
	data := pprofOf(t,
		stack{"main serve parse", 30, map[string][]string{"trace_id": {id.String()}}},
		stack{"main serve parse", 20, map[string][]string{"endpoint": {"GET /orders"}}},
		stack{"main serve", 5, map[string][]string{"endpoint": {"GET /orders"}}},
		stack{"main gc", 40, nil},
	)
	insert(t, db, Source{Project: 1, RetentionDays: 20_000, Service: "shop"}, data)
	insert(t, db, Source{Project: 2, RetentionDays: 20_000, Service: "shop"}, data)

	if got, want := store.draw(t, 1, Query{Service: "shop", Kind: "cpu"}), "nanoseconds\nshop 95 0\n main 95 0\n  serve 55 5\n   parse 50 50\n  gc 40 40\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := store.draw(t, 1, Query{Service: "shop", Kind: "cpu", Endpoint: "GET /orders"}), "nanoseconds\nshop 55 0\n main 55 0\n  serve 55 5\n   parse 50 50\n"; got != want {
		t.Errorf("of the endpoint\n%swant\n%s", got, want)
	}
	if got, want := store.draw(t, 1, Query{Service: "other", Kind: "cpu"}), "\nother 0 0\n"; got != want {
		t.Errorf("of a service without profiles: %q", got)
	}
	kinds, err := store.Kinds(t.Context(), 1, Query{Service: "shop", From: noon.Add(-time.Hour), To: noon.Add(time.Hour)})
	if err != nil || len(kinds) != 2 || kinds[0].Kind != "cpu" || kinds[0].Samples != 4 || fmt.Sprint(kinds[0].Endpoints) != "[GET /orders]" {
		t.Errorf("%+v, %v", kinds, err)
	}
}

// The Java agent's extension puts a stack on slow spans: no profiler is needed.
func TestStacksOfSlowSpansAddUpByTheTimeTheyTook(t *testing.T) {
	db, store := open(t)
	java := func(frames ...string) string {
		return "\tat " + strings.Join(frames, "\n\tat ") + "\n"
	}
	span := func(n uint64, took time.Duration, trace_ string) []tracetest.Span {
		id := tracetest.ID(n)
		return []tracetest.Span{
			{Trace: id, ID: 1, Service: "shop", Name: "GET /orders", Kind: trace.KindServer, Start: noon, Duration: took,
				Attributes: map[string]string{"http.request.method": "GET", "http.route": "/orders"}},
			{Trace: id, ID: 2, Parent: 1, Service: "shop", Name: "SELECT orders", Kind: trace.KindClient, Start: noon, Duration: took,
				Attributes: map[string]string{"code.stacktrace": trace_}},
		}
	}
	tracetest.Insert(t, db, 1, span(1, 2*time.Second, java("com.shop.Dao.load(Dao.java:7)", "com.shop.Web.get(Web.java:3)"))...)
	tracetest.Insert(t, db, 1, span(2, time.Second, java("com.shop.Dao.load(Dao.java:9)", "com.shop.Web.get(Web.java:3)"))...)
	want := "nanoseconds\nshop 3000000000 0\n com.shop.Web.get 3000000000 0\n  com.shop.Dao.load 3000000000 0\n   SELECT orders 3000000000 3000000000\n"
	if got := store.draw(t, 1, Query{Service: "shop", Kind: SlowSpans, Endpoint: "GET /orders"}); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := store.draw(t, 1, Query{Service: "shop", Kind: SlowSpans, Endpoint: "GET /other"}); !strings.Contains(got, "shop 0 0") {
		t.Errorf("of another endpoint\n%s", got)
	}
	kinds, err := store.Kinds(t.Context(), 1, Query{Service: "shop", From: noon.Add(-time.Hour), To: noon.Add(time.Hour)})
	if err != nil || len(kinds) != 1 || kinds[0].Kind != SlowSpans || kinds[0].Samples != 2 || fmt.Sprint(kinds[0].Endpoints) != "[GET /orders]" {
		t.Errorf("%+v, %v", kinds, err)
	}
}

func TestWhatIsTooNarrowToSeeIsCutAndCounted(t *testing.T) {
	root := &Node{Name: "root"}
	root.add([]string{"a", "b"}, 10_000)
	for i := range 100 {
		root.add([]string{"a", fmt.Sprint("small", i)}, 1)
	}
	if cut := root.prune(5); cut != 100 || len(root.Children[0].Children) != 1 || root.Total != 10_100 {
		t.Errorf("cut %d, %s", cut, drawn(root, 0))
	}
	wide := &Node{Name: "root"}
	for i := range maxNodes + 500 {
		wide.add([]string{fmt.Sprint(i)}, 10)
	}
	if cut := wide.prune(1); cut != 5000 || len(wide.Children) != maxNodes {
		t.Errorf("cut %d of %d", cut, len(wide.Children))
	}
}

func TestABadProfileIsRefusedWithTheReason(t *testing.T) {
	f := func(data []byte, want string) {
		t.Helper()
		if _, err := ParsePprof(data); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	f([]byte("nonsense"), "no profile in the format of pprof")
	f(nil, "no profile")
	many := make([]stack, maxSamples+1)
	for i := range many {
		many[i] = stack{frames: "a", cpu: int64(i + 1), labels: map[string][]string{"n": {fmt.Sprint(i)}}}
	}
	f(pprofOf(t, many...), "at most 100000 are read")
	deep := strings.Repeat("f ", 2000)
	p, err := ParsePprof(pprofOf(t, stack{frames: deep, cpu: math.MaxInt64}))
	if err != nil || len(p.Stack[0].Frames) != maxFrames {
		t.Errorf("a deep stack: %v", err)
	}
}

func FuzzNoProfileBreaksTheParser(f *testing.F) {
	f.Add(pprofOf(f, stack{"main serve", 3, map[string][]string{"trace_id": {"ab"}, "span_id": {"0102030405060708"}}}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if p, err := ParsePprof(data); err == nil {
			NewColumns().Append(Source{}, p, noon)
		}
	})
}

func TestArrivingProfilesAreCountedByProcessTimeAndKind(t *testing.T) {
	db, store := open(t)
	for n := range 3 {
		insert(t, db, Source{Project: 1, RetentionDays: 20_000, Service: "api", Instance: fmt.Sprint(n)}, pprofOf(t, stack{frames: "main work", cpu: 5}, stack{frames: "main rest", cpu: 7}))
	}
	a, err := store.Arriving(t.Context(), 1, noon.Add(2*time.Minute))
	if err != nil || math.Round(a.PerSecond*300) != 6 || a.Last == nil || !a.Last.Equal(noon) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := store.Arriving(t.Context(), 2, noon.Add(2*time.Minute)); err != nil || a.PerSecond != 0 || a.Last != nil {
		t.Errorf("another project: %+v, %v", a, err)
	}
}
