package shop

import (
	"fmt"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// What each instrumentation writes, attribute by attribute, as recorded from OpenTelemetry Java agent 2.33.1,
// 1.32.0 and @opentelemetry/auto-instrumentations-node 0.81.2.

const (
	internal = tracepb.Span_SPAN_KIND_INTERNAL
	server   = tracepb.Span_SPAN_KIND_SERVER
	client   = tracepb.Span_SPAN_KIND_CLIENT
	producer = tracepb.Span_SPAN_KIND_PRODUCER
	consumer = tracepb.Span_SPAN_KIND_CONSUMER
)

// serveHTTP records a request as its server sees it. body returns the status code.
func (c call) serveHTTP(method, route, path, query string, body func(call) int) int {
	scope := "io.opentelemetry.tomcat-10.0"
	if c.pod.language == "nodejs" {
		scope = "@opentelemetry/instrumentation-http"
	}
	host := c.pod.name + ".shop.svc.cluster.local"
	var attributes []*commonpb.KeyValue
	if c.pod.oldHTTP {
		attributes = []*commonpb.KeyValue{
			str("http.method", method), str("http.route", route), str("http.scheme", "http"), str("http.target", target(path, query)),
			str("net.host.name", host), num("net.host.port", c.pod.port), str("net.protocol.version", "1.1"),
			str("net.sock.peer.addr", fmt.Sprintf("10.42.%d.%d", c.rng.IntN(8)+10, c.rng.IntN(40)+20)), num("net.sock.peer.port", 32768+c.rng.IntN(28000)),
			str("user_agent.original", "Java-http-client/17.0.15"),
		}
	} else {
		agent, peer := "Java-http-client/17.0.15", fmt.Sprintf("10.42.%d.%d", c.rng.IntN(8)+10, c.rng.IntN(40)+20)
		if c.parent == nil {
			agent, peer = browsers[c.rng.IntN(len(browsers))], fmt.Sprintf("203.0.113.%d", 1+c.rng.IntN(250))
			host = "www.shop.example"
		}
		attributes = []*commonpb.KeyValue{
			str("client.address", peer), str("http.request.method", method), str("http.route", route),
			str("network.peer.address", peer), num("network.peer.port", 32768+c.rng.IntN(28000)), str("network.protocol.version", "1.1"),
			str("server.address", host), num("server.port", c.pod.port), str("url.path", path), str("url.scheme", "http"),
			str("user_agent.original", agent),
		}
		if query != "" {
			attributes = append(attributes, str("url.query", query))
		}
	}
	status := 0
	c.span(scope, method+" "+route, server, attributes, func(c call, s *tracepb.Span) {
		status = body(c)
		s.Attributes = append(s.Attributes, num(c.statusKey(), status))
		if status >= 500 {
			s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
			if !c.pod.oldHTTP {
				s.Attributes = append(s.Attributes, str("error.type", fmt.Sprint(status)))
			}
		}
	})
	return status
}

// callHTTP calls another service of the shop and returns the status code.
func (c call) callHTTP(to *service, method, route, path, query string, body func(call) int) int {
	return c.callPod(c.trace.pod(to), method, route, path, query, body)
}

func (c call) callPod(to *pod, method, route, path, query string, body func(call) int) int {
	host := to.name + ".shop.svc.cluster.local"
	status := 0
	c.requestHTTP(method, fmt.Sprintf("http://%s:%d%s", host, to.port, target(path, query)), host, to.port, func(c call, _ *tracepb.Span) int {
		c.spend(c.around(400 * time.Microsecond))
		status = c.on(to, "http", c.parent).serveHTTP(method, route, path, query, body)
		c.spend(c.around(300 * time.Microsecond))
		return status
	})
	return status
}

// requestHTTP records an outgoing request. body returns the status code, or 0 when there was no answer.
func (c call) requestHTTP(method, url, host string, port int, body func(call, *tracepb.Span) int) {
	scope := "io.opentelemetry.java-http-client"
	if c.pod.language == "nodejs" {
		scope = "@opentelemetry/instrumentation-http"
	}
	attributes := []*commonpb.KeyValue{str("http.request.method", method), str("network.protocol.version", "1.1"), str("server.address", host), num("server.port", port), str("url.full", url)}
	if c.pod.oldHTTP {
		attributes = []*commonpb.KeyValue{str("http.method", method), str("http.url", url), str("net.peer.name", host), num("net.peer.port", port), str("net.protocol.version", "1.1")}
	}
	c.span(scope, method, client, attributes, func(c call, s *tracepb.Span) {
		status := body(c, s)
		if status == 0 {
			return
		}
		s.Attributes = append(s.Attributes, num(c.statusKey(), status))
		if status >= 400 {
			s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
			s.Attributes = append(s.Attributes, str("error.type", fmt.Sprint(status)))
		}
	})
}

func (c call) statusKey() string {
	if c.pod.oldHTTP {
		return "http.status_code"
	}
	return "http.response.status_code"
}

func target(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

var browsers = [...]string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; SM-S938N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
}

// The gRPC status codes that the shop uses.
const (
	grpcOK          = 0
	grpcUnavailable = 14
)

// callGRPC calls a method of another service; body returns the gRPC status code.
func (c call) callGRPC(to *service, service, method string, body func(call) int) int {
	p := c.trace.pod(to)
	host := to.name + ".shop.svc.cluster.local"
	rpc := func() []*commonpb.KeyValue {
		return []*commonpb.KeyValue{str("rpc.method", method), str("rpc.service", service), str("rpc.system", "grpc"), str("server.address", host), num("server.port", to.port)}
	}
	finish := func(s *tracepb.Span, code int) {
		s.Attributes = append(s.Attributes, num("rpc.grpc.status_code", code))
		if code != grpcOK {
			s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
		}
	}
	code := 0
	c.span("io.opentelemetry.grpc-1.6", service+"/"+method, client, append(rpc(), str("network.peer.address", p.address), num("network.peer.port", to.port), str("network.type", "ipv4")), func(c call, s *tracepb.Span) {
		c.message(s, "SENT")
		c.spend(c.around(300 * time.Microsecond))
		served := c.on(p, "grpc", c.parent)
		served.span("io.opentelemetry.grpc-1.6", service+"/"+method, server, append(rpc(), str("network.peer.address", c.pod.address), num("network.peer.port", 32768+c.rng.IntN(28000)), str("network.type", "ipv4")), func(c call, s *tracepb.Span) {
			c.message(s, "RECEIVED")
			code = body(c)
			c.message(s, "SENT")
			finish(s, code)
		})
		c.spend(c.around(200 * time.Microsecond))
		c.message(s, "RECEIVED")
		finish(s, code)
	})
	return code
}

// message is the event that the gRPC instrumentation writes for each message.
func (c call) message(s *tracepb.Span, direction string) {
	s.Events = append(s.Events, &tracepb.Span_Event{TimeUnixNano: uint64(c.now.UnixNano()), Name: "message", Attributes: []*commonpb.KeyValue{num("message.id", 1), str("message.type", direction)}})
}

// database is where a service keeps its tables.
type database struct{ system, host, name, user string }

func (d database) port() int {
	if d.system == "mysql" {
		return 3306
	}
	return 5432
}

// sql runs a statement. table is named when it is the only one, as the agent does.
func (c call) sql(db database, statement, table string, took time.Duration) *tracepb.Span {
	return c.sqlRows(db, statement, table, took, -1)
}

// sqlRows is sql with the number of rows that came back; negative when unknown.
func (c call) sqlRows(db database, statement, table string, took time.Duration, rows int) *tracepb.Span {
	verb, name := operation(statement), db.name
	if table != "" {
		name += "." + table
	}
	attributes := []*commonpb.KeyValue{str("server.address", db.host), num("server.port", db.port())}
	if c.pod.newDB {
		attributes = append(attributes, str("db.namespace", db.name), str("db.query.summary", strings.TrimSpace(verb+" "+table)), str("db.query.text", statement), str("db.system.name", db.system))
		if table != "" {
			attributes = append(attributes, str("db.collection.name", table))
		}
		if rows >= 0 {
			attributes = append(attributes, num("db.response.returned_rows", rows))
		}
		name = strings.TrimSpace(verb + " " + table)
	} else {
		attributes = append(attributes, str("db.connection_string", fmt.Sprintf("%s://%s:%d", db.system, db.host, db.port())), str("db.name", db.name), str("db.operation", verb),
			str("db.statement", statement), str("db.system", db.system), str("db.user", db.user))
		if table != "" {
			attributes = append(attributes, str("db.sql.table", table))
		}
		name = verb + " " + name
	}
	return c.span("io.opentelemetry.jdbc", name, client, attributes, func(c call, _ *tracepb.Span) { c.spend(took) })
}

// operation is the verb of a statement behind its comment.
func operation(statement string) string {
	if _, rest, found := strings.Cut(statement, "*/"); found && strings.HasPrefix(statement, "/*") {
		statement = rest
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(statement), " ")
	return verb
}

// connection takes a connection out of the pool.
func (c call) connection(took time.Duration) {
	c.span("io.opentelemetry.jdbc-datasource", "HikariDataSource.getConnection", internal,
		[]*commonpb.KeyValue{str("code.function.name", "com.zaxxer.hikari.HikariDataSource.getConnection")}, func(c call, _ *tracepb.Span) { c.spend(took) })
}

// redis runs a Redis command on a key.
func (c call) redis(command, key string, took time.Duration) {
	operation, text, system := "db.operation", "db.statement", "db.system"
	if c.pod.newDB {
		operation, text, system = "db.operation.name", "db.query.text", "db.system.name"
	}
	c.span("io.opentelemetry.lettuce-5.1", command, client, []*commonpb.KeyValue{
		str(operation, command), str(text, command+" "+key), str(system, "redis"),
		str("network.peer.address", "10.43.77.12"), num("network.peer.port", 6379), str("network.type", "ipv4"),
		str("server.address", "redis-master.shop.svc.cluster.local"), num("server.port", 6379),
	}, func(c call, _ *tracepb.Span) { c.spend(took) })
}

// method runs a method that the agent records: a controller, a repository or an annotated one.
func (c call) method(scope, class, function string, body func(call, *tracepb.Span)) *tracepb.Span {
	attributes := []*commonpb.KeyValue{str("code.function.name", class+"."+function)}
	if c.pod.oldHTTP {
		attributes = []*commonpb.KeyValue{str("code.function", function), str("code.namespace", class)}
	}
	return c.span(scope, simpleName(class)+"."+function, internal, attributes, body)
}

// The instrumentations that record methods.
const (
	controller = "io.opentelemetry.spring-webmvc-6.0"
	repository = "io.opentelemetry.spring-data-1.8"
	annotated  = "io.opentelemetry.opentelemetry-instrumentation-annotations-1.16"
)

// publish sends a message to a topic; body is what its consumer does with it, some time later.
func (c call) publish(topic string, to *service, body func(call)) {
	c.span("io.opentelemetry.kafka-clients-0.11", topic+" publish", producer, []*commonpb.KeyValue{
		str("messaging.client_id", "producer-1"), str("messaging.destination.name", topic), num("messaging.destination.partition.id", c.rng.IntN(12)), str("messaging.operation", "publish"), str("messaging.system", "kafka"),
	}, func(c call, s *tracepb.Span) {
		c.spend(c.around(900 * time.Microsecond))
		returned := c.now
		c.spend(c.around(12 * time.Millisecond))
		p := c.trace.pod(to)
		c.on(p, "kafka", s.SpanId).span("io.opentelemetry.kafka-clients-0.11", topic+" process", consumer, []*commonpb.KeyValue{
			str("messaging.client_id", "consumer-delivery-1"), str("messaging.destination.name", topic), str("messaging.kafka.consumer.group", to.name),
			num("messaging.kafka.message.offset", 90_000+c.rng.IntN(9_000)), str("messaging.operation", "process"), str("messaging.system", "kafka"),
		}, func(c call, _ *tracepb.Span) { body(c) })
		c.now = returned
	})
}

// exception is what went wrong in a service.
type exception struct {
	kind, message string
	frames        []string
}

// attributes describe the exception as the event of a span and a log record both do.
func (e *exception) attributes() []*commonpb.KeyValue {
	return []*commonpb.KeyValue{str("exception.message", e.message), str("exception.stacktrace", e.stack()), str("exception.type", e.kind)}
}

func (e *exception) stack() string { return e.kind + ": " + e.message + "\n" + stack(e.frames) }

// stack writes frames as the JVM prints them.
func stack(frames []string) string { return "\tat " + strings.Join(frames, "\n\tat ") + "\n" }
