package trace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestASearchPointsAtTheColumnThatIsWrong(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		err := trace.CheckSearch(query)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", query, err)
			}
			return
		}
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != "q" || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s…", query, err, want)
		}
	}
	f(``, "")
	f(`service:order-api duration>2s sql.count>20 sql.time>1s status:error attr.customer.id=42 attr.region!=eu attr.path~"^/v1" has:attr.coupon "tb_order_item"`, "")
	f(`  endpoint:"GET /a","GET \"b\"" -status:ok -has:span.x -tb_order calls.time<=1.5s http>=500`, "")
	f(`attr.경로~"^/주문,(취소|환불)$" exception!~Timeout`, "")
	f(`service:a servce:b`, `column 11: there is no field "servce"`)
	f(`resource.k8s.pod.name=a has:resource.host.name -resource.host.name~"^db"`, "")
	f(`resource.=1`, `column 1: the attribute's key is missing`)
	f(`resource.a>1`, `column 11: resource.a takes =, !=, ~ and !~`)
	f(`host.name=a`, `column 1: there is no field "host.name"; an attribute is attr.host.name, span.host.name or resource.host.name`)
	f(`주문서 servce:b`, `column 5: there is no field "servce"`)
	f(`duration>2`, `column 10: "2" is not a duration`)
	f(`duration>-2s`, `column 10: "-2s" is not a duration`)
	f(`duration~2s`, `column 9: duration takes no regular expression`)
	f(`sql.count>many`, `column 11: "many" is not a whole number`)
	f(`sql.count:1,2`, `column 11: sql.count takes one value`)
	f(`status:broken`, `column 8: status is ok or error`)
	f(`service>a`, `column 8: service takes =, !=, ~ and !~`)
	f(`attr.a>1`, `column 7: attr.a takes =, !=, ~ and !~`)
	f(`attr.=1`, `column 1: the attribute's key is missing`)
	f(`attr.path~"^/v1("`, `column 11: this regular expression has a fault: missing closing )`)
	f(`attr.path~"(?=a)"`, `column 11: this regular expression has a fault`)
	f(`service:`, `column 9: a value is missing`)
	f(`service:a, b`, `column 11: a value is missing`)
	f(`:a`, `column 1: text to look for in statements has at least 3 characters`)
	f(`"never closed`, `column 1: this double quote is not closed`)
	f(`service:"a"b`, `column 12: a space is missing`)
	f(`has:coupon`, `column 5: has takes one attribute`)
	f(`ab`, `column 1: text to look for in statements has at least 3 characters`)
	f(`(status:ok OR -(http>=500 a.b.c)) AND NOT version:1.*`, "")
	f(`(status:ok`, `column 1: this parenthesis is not closed`)
	f(`(status:ok OR servce:a)`, `column 15: there is no field "servce"`)
	f(`has:attr.a,attr.b`, `column 5: has takes one field`)
	f(strings.Repeat("x", 4097), `the query has 4097 bytes`)
	f(strings.Repeat("abc ", 21), `column 81: a search has at most 20 terms`)
	f(`attr.a~`+strings.Repeat("x", 1001), `column 8: a regular expression has at most 1000 characters`)
}

// market stores five transactions of two applications, 1 to 5, each of another trace.
func market(t *testing.T) *trace.Store {
	t.Helper()
	db, store := tracetest.Open(t)
	at := func(n uint64, d time.Duration, service string, failed bool, entry, below map[string]string, statement string) {
		start := noon.Add(time.Duration(n) * time.Minute)
		entry["http.request.method"], entry["http.route"] = "GET", "/items"
		below["db.system.name"], below["db.query.text"] = "mysql", statement
		sender := map[string]string{"k8s.pod.name": "pay-1"}
		if service == "order-api" {
			sender = map[string]string{"k8s.pod.name": "order-1", "cloud.region": "eu-1"}
		}
		spans := []tracetest.Span{
			{Trace: tracetest.ID(n), ID: trace.SpanID(n), Service: service, Environment: "prod", Resource: sender, Kind: trace.KindServer, Start: start, Duration: d, Error: failed, Attributes: entry},
			{Trace: tracetest.ID(n), ID: trace.SpanID(n*10 + 1), Parent: trace.SpanID(n), Service: service, Environment: "prod", Resource: sender, Kind: trace.KindClient, Start: start, Duration: d / 2, Attributes: below},
		}
		if n == 5 {
			again := spans[1]
			again.ID = 52
			spans = append(spans, again)
		}
		tracetest.Insert(t, db, 1, spans...)
	}
	at(1, 100*ms, "order-api", false, map[string]string{"customer.id": "42", "region": "eu"}, map[string]string{}, "SELECT * FROM tb_order WHERE no = 'ORD-7'")
	at(2, 900*ms, "order-api", true, map[string]string{"customer.id": "43", "region": "us"}, map[string]string{"shard": "s1"}, "SELECT * FROM tb_order_item")
	at(3, 3*time.Second, "order-api", false, map[string]string{"customer.id": "42", "path": "/v1/a"}, map[string]string{"shard": "s2"}, "UPDATE tb_stock SET n = 1")
	at(4, 200*ms, "pay-api", true, map[string]string{"customer.id": "44", "path": "/v2/a=b"}, map[string]string{"server.address": "db-1", "server.port": "3306"}, "SELECT 1")
	at(5, 10*time.Minute, "pay-api", false, map[string]string{"coupon": ""}, map[string]string{}, "SELECT 1")
	tracetest.Insert(t, db, 2, tracetest.Span{Trace: tracetest.ID(9), ID: 9, Service: "order-api", Kind: trace.KindServer, Start: noon, Duration: ms, Attributes: map[string]string{"customer.id": "42"}})
	return store
}

func TestASearchFindsWhatItSays(t *testing.T) {
	store := market(t)
	f := func(search string, want ...uint64) {
		t.Helper()
		page, err := store.Transactions(t.Context(), 1, trace.TransactionQuery{From: noon, To: noon.Add(time.Hour), Search: search})
		if err != nil {
			t.Errorf("%s: %v", search, err)
			return
		}
		var got []uint64
		for i := len(page.Items) - 1; i >= 0; i-- {
			got = append(got, uint64(page.Items[i].SpanID))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", search, diff)
		}
		total, err := store.CountTransactions(t.Context(), 1, trace.TransactionQuery{From: noon, To: noon.Add(time.Hour), Search: search})
		if err != nil || total != uint64(len(want)) {
			t.Errorf("%s: total %d, %v", search, total, err)
		}
	}
	f(``, 1, 2, 3, 4, 5)
	f(`service:order-api`, 1, 2, 3)
	f(`service:order-api,pay-api endpoint="GET /items"`, 1, 2, 3, 4, 5)
	f(`service!=order-api`, 4, 5)
	f(`-service:order-api`, 4, 5)
	f(`service~^pay service!~zzz`, 4, 5)
	f(`duration>200ms`, 2, 3, 5)
	f(`duration>=200ms duration<1s`, 2, 4)
	f(`status:error`, 2, 4)
	f(`status:ok`, 1, 3, 5)
	f(`-status:ok`, 2, 4)
	f(`status!=ok`, 2, 4)
	f(`sql.count>1`, 5)
	f(`sql.count=1 sql.time>=450ms`, 2, 3)
	f(`-sql.count:1`, 5)
	f(`calls.count>0`)
	f(`attr.customer.id=42`, 1, 3)
	f(`attr.customer.id:42,44`, 1, 3, 4)
	f(`attr.customer.id!=42`, 2, 4, 5)
	f(`attr.customer.id!=42 has:attr.customer.id`, 2, 4)
	f(`attr.customer.id=42 attr.region=eu`, 1)
	f(`attr.path~"^/v[12]" service:pay-api`, 4)
	f(`attr.path!~^/v1`, 1, 2, 4, 5)
	f(`attr.path="/v2/a=b"`, 4)
	f(`has:attr.coupon`, 5)
	f(`-has:attr.customer.id`, 5)
	f(`attr.shard=s1`)
	f(`span.shard=s1`, 2)
	f(`span.shard!=s1`, 1, 3, 4, 5)
	f(`has:span.shard`, 2, 3)
	f(`span.shard~s[23]`, 3)
	f(`attr.http.request.method=GET attr.http.route~items`, 1, 2, 3, 4, 5)
	f(`span.server.address=db-1 span.server.port=3306 has:span.server.port`, 4)
	f(`tb_order`, 1, 2)
	f(`"TB_ORDER WHERE no = 'ord-7'"`, 1)
	f(`-tb_order`, 3, 4, 5)
	f(`tb_order*no`, 1)
	f(`service:order-* endpoint:"GET *"`, 1, 2, 3)
	f(`service!=order-*,x`, 4, 5)
	f(`attr.path:/v1/*,/v2/*`, 3, 4)
	f(`attr.path:/v1/*,"/v2/a=b"`, 3, 4)
	f(`attr.http.route:/it*`, 1, 2, 3, 4, 5)
	f(`attr.path!=/v1/*`, 1, 2, 4, 5)
	f(`duration:>1s`, 3, 5)
	f(`service:pay-api OR attr.region=us`, 2, 4, 5)
	f(`attr.customer.id=42 OR attr.region=us`, 1, 2, 3)
	f(`(attr.region=eu OR has:attr.coupon) OR sql.count>1`, 1, 5)
	f(`(attr.customer.id=42 OR attr.customer.id=43) duration>200ms`, 2, 3)
	f(`-(attr.customer.id=42 OR status:error)`, 5)
	f(`NOT (attr.customer.id=42 attr.region=eu)`, 2, 3, 4, 5)
	f(`-(sql.count>1 OR sql.time<100ms) -tb_order`, 3, 4)
	f(`span.shard=s1 OR "select 1"`, 2, 4, 5)
	f(`resource.k8s.pod.name=order-1`, 1, 2, 3)
	f(`resource.k8s.pod.name=order-*,pay-1 resource.cloud.region=eu-1`, 1, 2, 3)
	f(`resource.k8s.pod.name!=order-1`, 4, 5)
	f(`-resource.k8s.pod.name:order-1`, 4, 5)
	f(`resource.k8s.pod.name~^pay`, 4, 5)
	f(`resource.k8s.pod.name!~^pay`, 1, 2, 3)
	f(`has:resource.cloud.region`, 1, 2, 3)
	f(`-has:resource.cloud.region`, 4, 5)
	f(`resource.cloud.region!=eu-1`, 4, 5)
	f(`resource.service.name=pay-api`, 4, 5)
	f(`resource.deployment.environment.name=prod attr.customer.id=42`, 1, 3)
	f(`resource.k8s.pod.name=order-1 OR attr.customer.id=44`, 1, 2, 3, 4)
	f(`resource.k8s.pod.name=order-2`)
	f(`resource.k8s.pod.name=order-1 tb_order`, 1, 2)
}

func TestASearchWithoutAnEndFindsToo(t *testing.T) {
	store := market(t)
	for _, search := range []string{`attr.customer.id=42`, `span.shard=s1`, `resource.k8s.pod.name=pay-1`, `tb_order`} {
		page, err := store.Transactions(t.Context(), 1, trace.TransactionQuery{From: noon, Search: search})
		if err != nil || len(page.Items) == 0 {
			t.Errorf("%s: %d transactions, %v", search, len(page.Items), err)
		}
	}
}

func TestASearchCannotLeaveItsValue(t *testing.T) {
	store := market(t)
	for _, search := range []string{
		`service:"') OR 1=1 --"`, `service:"\\') OR 1=1 --"`, `attr.x="' OR '1'='1"`, `attr.x'OR'1='1'`, `attr.a')OR(1=y`,
		`attr.{project}=1`, `"%' OR 1=1 --"`, `span.x~"' OR '1'='1"`, `has:attr.x')OR(1`, `resource.x="' OR '1'='1"`, `has:resource.x')OR(1`, `attr.x={project:UInt32}`, "service:\"a\x00b\"",
	} {
		page, err := store.Transactions(t.Context(), 1, trace.TransactionQuery{From: noon, To: noon.Add(time.Hour), Search: search})
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", search, err)
		}
		if len(page.Items) > 0 {
			t.Errorf("%s finds %d transactions", search, len(page.Items))
		}
	}
}

func TestASearchPagesLikeAnyList(t *testing.T) {
	store := market(t)
	q := trace.TransactionQuery{From: noon, To: noon.Add(time.Hour), Search: `attr.http.request.method=GET -attr.customer.id=43`, Limit: 2, Order: trace.Slowest}
	var got []uint64
	for {
		page, err := store.Transactions(t.Context(), 1, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			got = append(got, uint64(item.SpanID))
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]uint64{5, 3, 4, 1}, got); diff != "" {
		t.Error(diff)
	}
}
