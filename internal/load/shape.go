package load

import (
	"fmt"
	"time"
)

// shape says what the traces of a run look like.
type shape struct {
	spansPerHop int
	// span says what the i-th span of the hop at hand is; the first is the server's.
	span func(w *writer, i int) spanText
}

// spanText is what a span says, but for its ids.
type spanText struct {
	name         string
	kind         uint64
	offset, took time.Duration
	attributes   []any // keys and values
}

// The shapes by their names: spans in a trace × attributes of a span.
const (
	agentShape = "20x9"
	shortShape = "10x11"
)

var shapes = map[string]*shape{
	agentShape: {spansPerHop: 4, span: (*writer).agentSpan},
	shortShape: {spansPerHop: 2, span: (*writer).shortSpan},
}

// customers is how many customers the server spans of the shape 10x11 speak of.
const customers = 100_000

// customer is whose trace it is, by the low half of its id.
func customer(low uint64) uint64 { return low % customers }

var (
	words      = [...]string{"order", "payment", "member", "catalog", "stock", "coupon", "review", "delivery", "point", "search"}
	operations = [...]string{"SELECT", "SELECT", "SELECT", "SELECT", "INSERT", "UPDATE", "SELECT", "DELETE"}
)

// subject is what the hop at hand is about.
func (w *writer) subject() string { return words[(w.service+w.endpoint)%len(words)] }

func (w *writer) path() string { return fmt.Sprintf("/v1/api/%ss/%02d", w.subject(), w.endpoint) }

func (w *writer) httpStatus() int {
	if w.failed {
		return 500
	}
	return 200
}

// next is the host of the service that is called.
func (w *writer) next() string {
	return fmt.Sprintf("%s-%02d.load.svc.cluster.local", words[(w.service+1)%len(words)], (w.service+1)%serviceCount)
}

// agentSpan is a hop as an agent in the process sees it: the request as the server sees it, a method, a
// statement, and the call to the next service.
func (w *writer) agentSpan(i int) spanText {
	subject, path := w.subject(), w.path()
	said := spanText{kind: kindClient, offset: w.offset, took: w.took}
	switch i {
	case 0:
		said.name, said.kind = "GET "+path+"/{id}", kindServer
		said.attributes = []any{"http.request.method", "GET", "url.path", path + "/00000000", "http.route", path + "/{id}", "http.response.status_code", w.httpStatus(),
			"server.address", w.name() + ".load.svc.cluster.local", "client.address", fmt.Sprintf("10.42.%d.%d", w.service, 2+w.thread), "user_agent.original", "Java-http-client/17.0.15"}
	case 1:
		class := fmt.Sprintf("com.shop.%s.service.%sService%02d", subject, subject, w.endpoint)
		said.name, said.kind = fmt.Sprintf("%sService%02d.find", subject, w.endpoint), kindInternal
		said.offset, said.took = w.offset+w.took/20, w.took*9/10
		said.attributes = []any{"code.function.name", class + ".find", "code.file.path", subject + "Service.java", "code.line.number", 40 + w.endpoint,
			"app.tenant", "shop", "app.feature", subject, "app.cache", "miss", "app.attempt", 1}
	case 2:
		verb := operations[w.endpoint%len(operations)]
		said.name = fmt.Sprintf("%s shop.tb_%s", verb, subject)
		said.offset, said.took = w.offset+w.took/10, w.took/2
		said.attributes = []any{"db.system", "mysql", "db.name", "shop", "db.operation", verb, "db.sql.table", "tb_" + subject, "db.statement", statement(verb, subject, w.endpoint),
			"server.address", subject + "-db.load.internal", "server.port", 3306}
	default:
		said.name = "GET"
		said.offset, said.took = w.offset+w.took*6/10, w.took*3/10
		said.attributes = []any{"http.request.method", "GET", "url.full", "http://" + w.next() + ":8080" + path + "/00000000", "server.address", w.next(), "server.port", 8080, "http.response.status_code", w.httpStatus(),
			"network.protocol.version", "1.1", "network.peer.address", fmt.Sprintf("10.43.%d.%d", w.service, 1+w.endpoint)}
	}
	said.attributes = append(said.attributes, "thread.id", 30+w.thread, "thread.name", fmt.Sprintf("http-nio-8080-exec-%d", w.thread))
	return said
}

// shortSpan is a hop seen from outside: the request as the server sees it, and the call to the next service, of
// the last one a statement.
func (w *writer) shortSpan(i int) spanText {
	var said spanText
	switch {
	case i == 0:
		said = w.agentSpan(0)
		said.attributes = append(said.attributes, "network.protocol.version", "1.1", "customer.id", "c-00000000")
	case w.service%hops == hops-1:
		said = w.agentSpan(2)
		said.attributes = append(said.attributes, "app.feature", w.subject(), "app.tenant", "shop")
	default:
		said = w.agentSpan(3)
		said.attributes = append(said.attributes, "app.feature", w.subject(), "network.transport", "tcp")
	}
	return said
}

// statement is one of about 240 in a run, sanitised as the agent does.
func statement(verb, subject string, endpoint int) string {
	table := "tb_" + subject
	switch verb {
	case "INSERT":
		return fmt.Sprintf("INSERT INTO %s (%s_no, member_no, status_%02d, created_at) VALUES (?, ?, ?, ?)", table, subject, endpoint)
	case "UPDATE":
		return fmt.Sprintf("UPDATE %s SET status_%02d = ?, updated_at = ? WHERE %s_no = ?", table, endpoint, subject)
	case "DELETE":
		return fmt.Sprintf("DELETE FROM %s WHERE %s_no = ? AND version_%02d = ?", table, subject, endpoint)
	default:
		return fmt.Sprintf("SELECT a.%[1]s_no, a.member_no, a.status_%02[2]d, b.name FROM tb_%[1]s a JOIN tb_%[1]s_detail b ON b.%[1]s_no = a.%[1]s_no WHERE a.member_no = ? AND a.status_%02[2]d IN (?, ?, ?) ORDER BY a.created_at DESC LIMIT ?", subject, endpoint)
	}
}
