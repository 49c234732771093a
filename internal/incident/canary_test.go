package incident_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

// canaries is two slow transactions with a canary in whatever their spans can carry.
// Free of canaries is only what a model is to read as it is: the names of
// classes, methods, RPCs, mapped statements and types of exceptions, and the phase.
func canaries(ended time.Time) []tracetest.Span {
	start := ended.Add(-20 * time.Second)
	var spans []tracetest.Span
	var id trace.TraceID
	add := func(parent trace.SpanID, service string, kind trace.Kind, name string, offset, ms int, attributes map[string]string) *tracetest.Span {
		// What no convention has a place for stands on every span.
		all := map[string]string{
			"enduser.id": "canary-user", "thread.name": "canary-thread", "user_agent.original": "canary-agent/1", "client.address": "canary-client",
			"http.request.header.authorization": "Bearer canary-bearer", "session.id": "canary-session", "url.query": "q=canary", "canary.key": "canary",
			"db.query.parameter.0": "canary-parameter", "db.connection_string": "mysql://canary-string:3306", "net.host.name": "canary-net",
			"peer.service": "canary-peer", "messaging.message.id": "canary-message", "code.filepath": "/canary/Order.java", "http.client_ip": "canary-ip",
		}
		for key, value := range attributes {
			all[key] = value
		}
		spans = append(spans, tracetest.Span{Trace: id, ID: trace.SpanID(len(spans) + 1), Parent: parent,
			Service: service, Environment: "production", Instance: service + "-vm01", Version: "canary-version", Name: name, Kind: kind,
			Start: start.Add(time.Duration(offset) * time.Millisecond), Duration: time.Duration(ms) * time.Millisecond, Attributes: all,
			Events: []tracetest.Event{{At: start, Name: "canary-event", Attributes: map[string]string{"canary.key": "canary"}}}})
		return &spans[len(spans)-1]
	}
	fail := func(s *tracetest.Span, message string) {
		s.Error = true
		s.Events = append(s.Events, tracetest.Exception(s.Start, "java.sql.SQLException", message, "java.sql.SQLException: canary-stack\n\tat com.shop.Order.find(Order.java:7)"))
	}
	const shop, stock = "canary-shop", "canary-stock"
	id = tracetest.ID(1)
	add(0, shop, trace.KindServer, "POST /canary-route/{id}", 0, 20000, map[string]string{
		"http.request.method": "POST", "http.route": "/canary-route/{id}", "url.full": "http://canary-self.corp/canary-route/7?canary=1",
		"url.path": "/canary-route/7", "http.response.status_code": "500", "server.address": "canary-self"})
	add(1, shop, trace.KindInternal, "OrderService.find", 0, 1500, map[string]string{"code.namespace": "com.shop.OrderService", "code.function": "find"})
	sql := func(parent trace.SpanID, offset, ms int, system, text string) *tracetest.Span {
		return add(parent, shop, trace.KindClient, "SELECT canary_db.canary_span", offset, ms, map[string]string{
			"db.system": system, "db.name": "canary_db", "db.statement": text, "server.address": "canary-db01", "server.port": "3306"})
	}
	fail(sql(1, 1500, 9000, "mysql", "/* order.find */ SELECT a FROM canary_orders o JOIN `canary_items` i ON i.o = o.id WHERE o.owner = '홍길동 canary' AND o.n = 'canary2'"),
		"Duplicate entry 'canary-entry' for key 'canary_orders.mail'; '홍길동 canary'")
	fail(sql(1, 10500, 1, "postgresql", "INSERT INTO canary_audit VALUES ('canary-audit', 'canary')"),
		"Key (name)=(canary-key) already exists; canary-audit; Failing row contains (1, canary-row)")
	fail(add(1, shop, trace.KindClient, "UPDATE canary_db.canary_outline", 10500, 1500, map[string]string{
		"db.system": "mysql", "db.name": "canary_db", "db.operation": "UPDATE", "db.sql.table": "canary_outline", "server.address": "canary-db02"}),
		"Connection refused: canary-db02/10.66.77.88:3306, host=canary-db03 dbname=canary_db user=canary password=canary")
	add(1, shop, trace.KindClient, "find canary_mongo.canary_customers", 12000, 1500, map[string]string{
		"db.system": "mongodb", "db.name": "canary_mongo", "db.operation": "find", "db.mongodb.collection": "canary_customers", "server.address": "canary-mongo"})
	call := add(1, shop, trace.KindClient, "POST", 13500, 2500, map[string]string{
		"http.request.method": "POST", "url.full": "https://canary:canary@canary-pay.corp/canary/cards?token=canary#canary", "server.address": "canary-pay.corp", "http.response.status_code": "503"}).ID
	remote := add(call, stock, trace.KindServer, "GET /canary-stock/{id}", 13600, 2300, map[string]string{"http.request.method": "GET", "http.route": "/canary-stock/{id}"}).ID
	add(remote, stock, trace.KindClient, "SELECT canary_stock_db", 13700, 2000, map[string]string{"db.system": "mysql", "db.statement": "SELECT 1 FROM canary_stock"})

	id = tracetest.ID(2)
	root := add(0, shop, trace.KindConsumer, "canary-topic process", 0, 12000, map[string]string{"messaging.system": "kafka", "messaging.destination.name": "canary-topic"}).ID
	sql(root, 0, 8500, "other_sql", `SELECT a FROM canary_raw WHERE b = "canary raw"`)
	add(root, shop, trace.KindClient, "shop.Pay/Charge", 8500, 1500, map[string]string{"rpc.system": "grpc", "rpc.service": "shop.Pay", "rpc.method": "Charge", "server.address": "canary-rpc", "server.port": "9090"})
	fail(add(root, shop, trace.KindProducer, "canary-topic publish", 10000, 2000, map[string]string{
		"messaging.system": "kafka", "messaging.destination.name": "canary-topic", "server.address": "canary-kafka"}),
		"canary-topic at canary-kafka:9092 for canary@canary.example, 010-7788-9900, https://canary.corp/canary")
	return spans
}

func TestNoCanaryOfAnyFieldOfASpanReachesTheModel(t *testing.T) {
	engine := openEngine(t)
	h := newHouse(t, metadbtest.SQLite(t))
	h.ask = h.gateway(engine)
	h.slowQuery(engine, canaries(time.Now().Add(-time.Second)))
	h.slack.Expect(t, "[요약]", "[조치 방안]")
	if len(h.model.Requests()) == 0 {
		t.Fatal("the model was not asked")
	}
	for _, r := range h.model.Requests() {
		sent := string(r.Raw)
		for _, at := range regexp.MustCompile(`(?i).{0,60}(?:canary|홍길동|10\.66\.|010-7788).{0,60}`).FindAllString(sent, -1) {
			t.Errorf("a canary arrived at the model: …%s…", at)
		}
		for _, kept := range []string{"OrderService.find", "order.find", "shop.Pay/Charge", "mongodb find", "java.sql.SQLException", "9000 ms", "UPDATE"} {
			if !regexp.MustCompile(regexp.QuoteMeta(kept)).MatchString(sent) {
				t.Errorf("the model cannot reason about %s", kept)
			}
		}
	}
	if t.Failed() {
		t.Log(string(h.model.Requests()[0].Raw))
	}
}
