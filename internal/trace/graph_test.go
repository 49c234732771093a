package trace_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// shopCall is a span of a service; tests fill in the rest.
func spanOf(traceID uint64, service string, id, parent trace.SpanID, kind trace.Kind, at time.Duration, took time.Duration, attributes ...string) tracetest.Span {
	s := tracetest.Span{
		Trace: tracetest.ID(traceID), ID: id, Parent: parent, Service: service, Environment: "prod", Name: "span", Kind: kind,
		Start: noon.Add(at), Duration: took, Attributes: map[string]string{},
	}
	for i := 0; i+1 < len(attributes); i += 2 {
		s.Attributes[attributes[i]] = attributes[i+1]
	}
	return s
}

// order is a request to "order", which calls "stock", its database, its cache
// and a partner, and sends a message that "delivery" works off an hour later.
func order(n uint64) []tracetest.Span {
	id := func(i uint64) trace.SpanID { return trace.SpanID(n*100 + i) }
	return []tracetest.Span{
		spanOf(n, "order", id(1), 0, trace.KindServer, 0, time.Second),
		spanOf(n, "order", id(2), id(1), trace.KindClient, 10*ms, 200*ms, "server.address", "stock", "server.port", "8080"),
		spanOf(n, "stock", id(3), id(2), trace.KindServer, 20*ms, 100*ms),
		spanOf(n, "stock", id(4), id(3), trace.KindClient, 30*ms, 50*ms, "db.system", "mysql", "db.name", "shop", "server.address", "db", "server.port", "3306"),
		spanOf(n, "stock", id(5), id(3), trace.KindClient, 90*ms, 5*ms, "db.system", "redis", "server.address", "cache"),
		spanOf(n, "order", id(6), id(1), trace.KindClient, 300*ms, 300*ms, "server.address", "pay.example", "server.port", "443"),
		spanOf(n, "order", id(7), id(1), trace.KindProducer, 700*ms, 5*ms, "messaging.destination.name", "orders"),
		spanOf(n, "delivery", id(8), id(7), trace.KindConsumer, time.Hour, 40*ms, "messaging.destination.name", "orders"),
	}
}

// graph reads the whole graph of the hours around noon, as "a > b" to "calls/errors".
func graph(t *testing.T, store *trace.Store, q trace.GraphQuery) (*trace.Graph, map[string]string) {
	t.Helper()
	q.From, q.To = noon.Add(-time.Hour), noon.Add(2*time.Hour)
	g, err := store.Graph(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	edges := map[string]string{}
	for _, e := range g.Edges {
		edges[e.From+" > "+e.To] = fmt.Sprintf("%d/%d", e.Count, e.Errors)
	}
	return g, edges
}

// eitherWay runs check on the graph as it is joined at read, and as JoinEdges
// has written it down.
func eitherWay(t *testing.T, db *clickhouse.DB, store *trace.Store, check func(t *testing.T)) {
	t.Helper()
	t.Run("joined at read", check)
	joinAll(t, store)
	var left []struct {
		N uint64 `ch:"n"`
	}
	err := db.Select(t.Context(), 1, &left, `SELECT uniqExact(minute) AS n FROM red_minute WHERE project_id = {project:UInt32}
		AND minute NOT IN (SELECT minute FROM edge_minute WHERE from_kind = '' AND project_id = {project:UInt32})`)
	if err != nil || left[0].N != 0 {
		t.Fatalf("%d minutes are not joined, %v", left[0].N, err)
	}
	t.Run("joined before", check)
}

func joinAll(t *testing.T, store *trace.Store) int {
	t.Helper()
	n, err := store.JoinEdges(t.Context(), noon.Add(-24*time.Hour), noon.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheGraphSaysWhoCalledWhom(t *testing.T) {
	db, store := tracetest.Open(t)
	first := order(1)
	first[5].Error = true
	tracetest.Insert(t, db, 1, first...)
	tracetest.Insert(t, db, 1, order(2)...)
	tracetest.Insert(t, db, 2, order(3)...)
	eitherWay(t, db, store, func(t *testing.T) {
		g, edges := graph(t, store, trace.GraphQuery{})
		want := map[string]string{
			"user: > service:order":                       "2/0",
			"service:order > service:stock":               "2/0",
			"service:stock > database:mysql:shop:db:3306": "2/0",
			"service:stock > cache:redis::cache":          "2/0",
			"service:order > external:pay.example":        "2/1",
			"service:order > queue:orders":                "2/0",
			"queue:orders > service:delivery":             "2/0",
		}
		if diff := cmp.Diff(want, edges); diff != "" {
			t.Error(diff)
		}
		call := g.Callers("service:stock")[0]
		if off := float64(call.P50Ns)/200e6 - 1; call.TotalNs != 400e6 || call.MaxNs != 200e6 || off < -0.03 || off > 0.03 || call.Unanswered != 0 {
			t.Errorf("the call of stock as order felt it: %+v", call)
		}
		stock, _ := g.Node("service:stock")
		if stock.Count != 2 || stock.TotalNs != 200e6 || stock.Kind != trace.NodeService {
			t.Errorf("stock as it measured itself: %+v", stock)
		}
		shop, _ := g.Node("database:mysql:shop:db:3306")
		if shop.Name != "shop" || shop.System != "mysql" || shop.Address != "db:3306" || shop.Count != 2 || shop.MaxNs != 50e6 || shop.P95Ns == 0 {
			t.Errorf("the database: %+v", shop)
		}
		if g.TotalNodes != 8 || len(g.Nodes) != 8 || g.Truncated || g.SampledBy != 1 || g.MissingUntil != nil || !slices.Equal(g.Environments, []string{"prod"}) {
			t.Errorf("%d nodes: %+v", g.TotalNodes, g)
		}
	})
}

func TestACallIsOneEdgeEvenWhenItsSpansArriveApart(t *testing.T) {
	db, store := tracetest.Open(t)
	spans := order(1)
	tracetest.Insert(t, db, 1, slices.Delete(slices.Clone(spans), 2, 3)...)
	eitherWay(t, db, store, func(t *testing.T) {
		_, edges := graph(t, store, trace.GraphQuery{})
		if edges["service:order > external:stock:8080"] != "1/0" || edges["service:order > service:stock"] != "" {
			t.Errorf("without the callee: %v", edges)
		}
	})
	tracetest.Insert(t, db, 1, spans[2])
	if n := joinAll(t, store); n != 1 {
		t.Errorf("joined %d minutes again, want the one whose spans came late", n)
	}
	_, edges := graph(t, store, trace.GraphQuery{})
	if edges["service:order > service:stock"] != "1/0" || edges["service:order > external:stock:8080"] != "" || len(edges) != 7 {
		t.Errorf("with the callee: %v", edges)
	}
	if n := joinAll(t, store); n != 0 {
		t.Errorf("joined %d minutes in which nothing is new", n)
	}
}

func TestACallAcrossMinutesIsOneEdge(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1,
		spanOf(1, "a", 1, 0, trace.KindServer, -100*ms, time.Second),
		spanOf(1, "a", 2, 1, trace.KindClient, -50*ms, time.Second, "server.address", "b"),
		spanOf(1, "b", 3, 2, trace.KindServer, 50*ms, 500*ms))
	eitherWay(t, db, store, func(t *testing.T) {
		_, edges := graph(t, store, trace.GraphQuery{})
		if diff := cmp.Diff(map[string]string{"user: > service:a": "1/0", "service:a > service:b": "1/0"}, edges); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACallThatWasNotAnsweredLeadsToTheServiceOfThatAddress(t *testing.T) {
	db, store := tracetest.Open(t)
	refused := order(2)[:2]
	refused[1].Error = true
	tracetest.Insert(t, db, 1, append(order(1), refused...)...)
	eitherWay(t, db, store, func(t *testing.T) {
		g, edges := graph(t, store, trace.GraphQuery{})
		if edges["service:order > service:stock"] != "2/1" || edges["service:order > external:stock:8080"] != "" {
			t.Errorf("%v", edges)
		}
		if e := g.Callers("service:stock")[0]; e.Unanswered != 1 {
			t.Errorf("%+v", e)
		}
	})
}

func TestASpanThatWrapsAnotherOfItsServiceIsNoCall(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1,
		spanOf(1, "a", 1, 0, trace.KindServer, 0, time.Second),
		spanOf(1, "a", 2, 1, trace.KindClient, 10*ms, 100*ms, "server.address", "sdk"), // of an SDK, around
		spanOf(1, "a", 3, 2, trace.KindClient, 20*ms, 80*ms, "server.address", "bucket"),
		spanOf(1, "a", 4, 1, trace.KindConsumer, 0, 100*ms, "messaging.destination.name", "q"), // the poll, around
		spanOf(1, "a", 5, 4, trace.KindConsumer, 0, 50*ms, "messaging.destination.name", "q"),
		spanOf(1, "a", 6, 1, trace.KindServer, 0, 50*ms)) // handed on within
	eitherWay(t, db, store, func(t *testing.T) {
		_, edges := graph(t, store, trace.GraphQuery{})
		want := map[string]string{"user: > service:a": "1/0", "service:a > external:bucket": "1/0", "queue:q > service:a": "1/0"}
		if diff := cmp.Diff(want, edges); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACallerWithoutClientSpansIsKnownByItsCallees(t *testing.T) {
	db, store := tracetest.Open(t)
	called := spanOf(1, "b", 2, 1, trace.KindServer, 10*ms, 30*ms)
	called.Error = true
	unknown := spanOf(2, "b", 4, 99, trace.KindServer, 0, 30*ms) // its parent is in a browser
	tracetest.Insert(t, db, 1, spanOf(1, "a", 1, 0, trace.KindInternal, 0, time.Second), called, unknown)
	eitherWay(t, db, store, func(t *testing.T) {
		g, edges := graph(t, store, trace.GraphQuery{})
		if diff := cmp.Diff(map[string]string{"service:a > service:b": "1/1", "user: > service:b": "1/0"}, edges); diff != "" {
			t.Error(diff)
		}
		if e := g.Callees("service:a"); len(e) != 1 || e[0].TotalNs != 30e6 {
			t.Errorf("%+v", e)
		}
	})
}

func TestAGraphIsFilteredByEnvironment(t *testing.T) {
	db, store := tracetest.Open(t)
	staged := order(2)
	for i := range staged {
		staged[i].Environment = "staging"
	}
	tracetest.Insert(t, db, 1, append(order(1), staged[:1]...)...)
	eitherWay(t, db, store, func(t *testing.T) {
		g, edges := graph(t, store, trace.GraphQuery{Environment: "staging"})
		if diff := cmp.Diff(map[string]string{"user: > service:order": "1/0"}, edges); diff != "" {
			t.Error(diff)
		}
		if len(g.Nodes) != 2 || !slices.Equal(g.Environments, []string{"prod", "staging"}) {
			t.Errorf("%+v", g)
		}
	})
}

func TestAGraphIsSeenFromOneNode(t *testing.T) {
	db, store := tracetest.Open(t)
	tracetest.Insert(t, db, 1, order(1)...)
	f := func(focus string, depth int, want ...string) {
		t.Helper()
		g, _ := graph(t, store, trace.GraphQuery{Focus: focus, Depth: depth})
		got := map[string]bool{}
		for _, n := range g.Nodes {
			got[n.ID] = true
		}
		if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, want) {
			t.Errorf("around %s at depth %d: %v", focus, depth, ids)
		}
	}
	f("service:stock", 1, "cache:redis::cache", "database:mysql:shop:db:3306", "service:order", "service:stock")
	f("service:stock", 2, "cache:redis::cache", "database:mysql:shop:db:3306", "service:order", "service:stock", "user:")
	f("service:delivery", 1, "queue:orders", "service:delivery")
	if _, err := store.Graph(t.Context(), 1, trace.GraphQuery{From: noon, To: noon.Add(time.Hour), Focus: "service:nobody"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a focus that is not there: %v", err)
	}
}

func TestAGraphOfManyNodesIsCutAndSaysSo(t *testing.T) {
	db, store := tracetest.Open(t)
	var spans []tracetest.Span
	for n := range uint64(150) {
		spans = append(spans, spanOf(n+1, "crawler", 1, 0, trace.KindClient, 0, ms, "server.address", fmt.Sprintf("host-%03d", n)))
	}
	tracetest.Insert(t, db, 1, append(spans, spans[0], spans[0])...)
	eitherWay(t, db, store, func(t *testing.T) {
		g, edges := graph(t, store, trace.GraphQuery{})
		if g.TotalNodes != 102 || edges["service:crawler > external:"+trace.OtherHosts] != "50/0" || edges["service:crawler > external:host-000"] != "3/0" {
			t.Errorf("%d nodes, others %q", g.TotalNodes, edges["service:crawler > external:"+trace.OtherHosts])
		}
		g, _ = graph(t, store, trace.GraphQuery{Limit: 10})
		if len(g.Nodes) != 10 || g.TotalNodes != 102 || !g.Truncated || len(g.Edges) != 9 {
			t.Errorf("%d of %d nodes, %d edges, truncated %v", len(g.Nodes), g.TotalNodes, len(g.Edges), g.Truncated)
		}
	})
}

func TestAGraphQueryThatMakesNoSenseIsRefused(t *testing.T) {
	_, store := tracetest.Open(t)
	for _, q := range []trace.GraphQuery{
		{From: noon, To: noon}, {From: noon, To: noon.Add(time.Hour), Depth: 11}, {From: noon, To: noon.Add(time.Hour), Limit: 501},
	} {
		if _, err := store.Graph(t.Context(), 1, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
