package shop_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/shop"
)

// line is one log record with what its request says about it.
type line struct {
	service, pod, logger string
	attributes           map[string]string
	body                 string
	record               *logspb.LogRecord
}

func lines(requests []proto.Message, visit func(line)) {
	for _, r := range requests {
		logs, _ := r.(*logspb.LogsData)
		for _, rl := range logs.GetResourceLogs() {
			resource := texts(rl.Resource.Attributes)
			for _, sl := range rl.ScopeLogs {
				for _, record := range sl.LogRecords {
					visit(line{service: resource["service.name"], pod: resource["k8s.pod.name"], logger: sl.Scope.Name,
						attributes: texts(record.Attributes), body: record.Body.GetStringValue(), record: record})
				}
			}
		}
	}
}

func TestEveryLineIsWrittenInsideASpanOfItsPod(t *testing.T) {
	requests := run(open(t, shop.Options{Rate: 20}), 2*time.Minute)
	spans := map[string]entry{}
	requestsServed := 0
	each(requests, func(e entry) {
		spans[string(e.span.SpanId)] = e
		if e.span.ParentSpanId == nil {
			requestsServed++
		}
	})
	written, lost := 0, 0
	lines(requests, func(l line) {
		written++
		span, ok := spans[string(l.record.SpanId)]
		if !ok {
			lost++ // it has not ended yet
			return
		}
		at := l.record.TimeUnixNano
		if string(span.span.TraceId) != string(l.record.TraceId) || span.resource["k8s.pod.name"] != l.pod ||
			at < span.span.StartTimeUnixNano || at > span.span.EndTimeUnixNano {
			t.Fatalf("%q does not fit into %s of %s", l.body, span.span.Name, span.resource["k8s.pod.name"])
		}
	})
	if lost > written/50 {
		t.Errorf("%d of %d lines have no span", lost, written)
	}
	if perRequest := float64(written) / float64(requestsServed); perRequest < 2 || perRequest > 5 {
		t.Errorf("%.1f lines a request", perRequest)
	}
}

func TestTheServicesLogInTheirOwnWays(t *testing.T) {
	seen, services := map[string]bool{}, map[string]bool{}
	levels := map[logspb.SeverityNumber]int{}
	lines(run(open(t, shop.Options{Rate: 10}), 10*time.Minute), func(l line) {
		services[l.service] = true
		levels[l.record.SeverityNumber]++
		for key := range l.attributes {
			seen[key] = true
		}
		seen[l.logger] = true
		for _, script := range []string{"주문 접수", "재고 부족", "payment PAY-", "GET /v1/api/products/"} {
			if strings.HasPrefix(l.body, script) {
				seen[script] = true
			}
		}
		if l.service == "delivery" && !json.Valid([]byte(l.body)) {
			t.Fatalf("delivery logs %s", l.body)
		}
	})
	if len(services) != 7 {
		t.Errorf("lines of %v", services)
	}
	for _, want := range []string{"thread.name", "reqId", "responseTime", "exception.stacktrace", "member_no", "주문 접수", "재고 부족", "payment PAY-", "GET /v1/api/products/",
		"com.shop.order.service.OrderService", "@opentelemetry/instrumentation-pino"} {
		if !seen[want] {
			t.Errorf("no line shows %s", want)
		}
	}
	quiet := levels[logspb.SeverityNumber_SEVERITY_NUMBER_INFO] + levels[logspb.SeverityNumber_SEVERITY_NUMBER_DEBUG]
	warnings, errors := levels[logspb.SeverityNumber_SEVERITY_NUMBER_WARN], levels[logspb.SeverityNumber_SEVERITY_NUMBER_ERROR]
	if errors == 0 || warnings == 0 || quiet < 8*(warnings+errors) {
		t.Errorf("levels %v", levels)
	}
}

// What is told twice, as the event of a span and as a line, is the same exception.
func TestAnExceptionInTheLogIsTheOneOfItsTrace(t *testing.T) {
	requests := run(open(t, shop.Options{Rate: 10}), 10*time.Minute)
	events := map[string]bool{}
	each(requests, func(e entry) {
		for _, event := range e.span.Events {
			if a := texts(event.Attributes); event.Name == "exception" {
				events[string(e.span.TraceId)+a["exception.type"]+a["exception.message"]+a["exception.stacktrace"]] = true
			}
		}
	})
	found, errors := 0, 0
	lines(requests, func(l line) {
		if l.attributes["exception.type"] == "" {
			return
		}
		found++
		if l.record.SeverityNumber == logspb.SeverityNumber_SEVERITY_NUMBER_ERROR {
			errors++
		}
		if !events[string(l.record.TraceId)+l.attributes["exception.type"]+l.attributes["exception.message"]+l.attributes["exception.stacktrace"]] {
			// The span of a transaction that is still under way has not been sent.
			if time.Unix(0, int64(l.record.TimeUnixNano)).Before(noon.Add(9 * time.Minute)) {
				t.Fatalf("%q of trace %s has no event", l.body, hex.EncodeToString(l.record.TraceId))
			}
		}
	})
	if found < 10 || errors == 0 {
		t.Errorf("%d exceptions, %d at error", found, errors)
	}
}

func TestNoLineIsSentBeforeItIsWritten(t *testing.T) {
	s := open(t, shop.Options{})
	s.SlowSQL()
	for at := noon; at.Before(noon.Add(time.Minute)); at = at.Add(100 * time.Millisecond) {
		lines(s.Advance(at), func(l line) {
			if written := time.Unix(0, int64(l.record.TimeUnixNano)); written.After(at) {
				t.Fatalf("%q was written at %s and sent at %s", l.body, written, at)
			}
		})
	}
}

func TestThePastHasLines(t *testing.T) {
	sink := newReceiver(t)
	if err := open(t, shop.Options{Endpoint: sink.URL}).Backfill(context.Background()); err != nil {
		t.Fatal(err)
	}
	hourAgo, dayAgo := 0, 0
	lines(sink.requests(), func(l line) {
		switch ago := noon.Sub(time.Unix(0, int64(l.record.TimeUnixNano))); {
		case ago < 0:
			t.Fatalf("%q is of the future", l.body)
		case ago < 2*time.Hour:
			hourAgo++
		default:
			dayAgo++
		}
	})
	if hourAgo < 1000 || dayAgo < 1000 {
		t.Errorf("%d lines an hour ago, %d a day ago", hourAgo, dayAgo)
	}
}
