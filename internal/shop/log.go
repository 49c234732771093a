package shop

import (
	"encoding/json"
	"fmt"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
)

// The severities that the shop's loggers know.
const (
	debug  = logspb.SeverityNumber_SEVERITY_NUMBER_DEBUG
	info   = logspb.SeverityNumber_SEVERITY_NUMBER_INFO
	warn   = logspb.SeverityNumber_SEVERITY_NUMBER_WARN
	severe = logspb.SeverityNumber_SEVERITY_NUMBER_ERROR
)

var severityTexts = map[logspb.SeverityNumber]string{debug: "DEBUG", info: "INFO", warn: "WARN", severe: "ERROR"}

// log writes a line of a logger inside of the current span, with what the logback appender of the Java agent
// (with its experimental attributes on) or the pino instrumentation of Node.js add to it.
func (c call) log(logger string, severity logspb.SeverityNumber, body string, attributes ...*commonpb.KeyValue) {
	text := severityTexts[severity]
	if c.pod.language == "java" {
		attributes = append(attributes, num("thread.id", c.thread.id), str("thread.name", c.thread.name))
	} else {
		logger, text = "@opentelemetry/instrumentation-pino", pinoLevels[severity]
	}
	at := uint64(c.now.UnixNano())
	c.records = append(c.records, record{pod: c.pod, scope: logger, end: c.now, log: &logspb.LogRecord{
		TimeUnixNano:         at,
		ObservedTimeUnixNano: at,
		SeverityNumber:       severity,
		SeverityText:         text,
		Body:                 &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: body}},
		Attributes:           attributes,
		Flags:                0x01, // sampled
		TraceId:              c.id,
		SpanId:               c.parent,
	}})
}

var pinoLevels = map[logspb.SeverityNumber]string{debug: "debug", info: "info", warn: "warn", severe: "error"}

// logException is log with an exception.
func (c call) logException(logger string, severity logspb.SeverityNumber, e *exception, body string) {
	c.log(logger, severity, body, e.attributes()...)
}

// logJSON writes a line of a logger whose layout is JSON.
func (c call) logJSON(logger string, severity logspb.SeverityNumber, fields any) {
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // structs of numbers and texts
	}
	c.log(logger, severity, string(body))
}

// access writes the gateway's line about a request that is done.
func (c call) access(method, route, target string, status int, began time.Time) {
	severity := info
	switch {
	case status >= 500:
		severity = severe
	case status >= 400 || c.now.Sub(began) >= time.Second:
		severity = warn
	}
	took := c.now.Sub(began).Milliseconds()
	c.log("", severity, fmt.Sprintf("%s %s %d %dms", method, target, status, took),
		str("req.method", method), str("req.route", route), num("res.statusCode", status), num("responseTime", took),
		str("reqId", fmt.Sprintf("req-%06x", c.words.IntN(1<<24))))
}

// The loggers of the Java services.
const (
	orderLog     = "com.shop.order.service.OrderService"
	historyLog   = "com.shop.order.service.OrderHistoryService"
	sqlLog       = "com.shop.order.support.SlowSqlInterceptor"
	paymentLog   = "com.shop.payment.service.PaymentService"
	stockLog     = "com.shop.inventory.service.StockService"
	productLog   = "com.shop.catalog.service.ProductService"
	searchLog    = "com.shop.catalog.search.SearchService"
	loginLog     = "com.shop.member.auth.LoginService"
	pointLog     = "com.shop.member.point.PointService"
	deliveryLog  = "com.shop.delivery.DeliveryTracker"
	consumerLog  = "com.shop.delivery.OrderEventListener"
	slowFrom     = time.Second // statements that SlowSqlInterceptor warns of
	slowSearchAt = 45 * time.Millisecond
)
