//go:build interop

package interop

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// record is a log record as the API tells it.
type record struct {
	ID         string            `json:"id"`
	Time       time.Time         `json:"time"`
	Service    string            `json:"service"`
	Logger     string            `json:"logger"`
	Level      string            `json:"level"`
	TraceID    string            `json:"trace_id"`
	SpanID     string            `json:"span_id"`
	Body       string            `json:"body"`
	Exception  string            `json:"exception_type"`
	Message    string            `json:"exception_message"`
	Attributes map[string]string `json:"attributes"`
	Resource   map[string]string `json:"resource"`
}

// The configuration that the user's guide recommends, as it stands in the repository.
func TestInteropLogFilesAreReadByAnUnmodifiedCollector(t *testing.T) {
	matrix, dir := startMATRIX(t), t.TempDir()
	reader := matrix.collector("filelog.yaml",
		"LOG_FILES="+filepath.Join(dir, "*.log"), "JSON_LOG_FILES="+filepath.Join(dir, "*.json"),
		"SERVICE_NAME=order-api", "ENVIRONMENT=production", "STATE_DIR="+t.TempDir(), "TZ=Asia/Seoul")

	seoul := time.FixedZone("KST", 9*60*60)
	at := time.Now().In(seoul).Add(-time.Minute).Truncate(time.Second)
	line := func(after time.Duration, rest string) string {
		return strings.Replace(at.Add(after).Format("2006-01-02 15:04:05.000"), ".", ",", 1) + " " + rest
	}
	const stack = "java.lang.IllegalStateException: approval timed out\n" +
		"\tat com.shop.order.payment.PaymentGateway.approve(PaymentGateway.java:52)\n" +
		"\tat com.shop.order.service.OrderService.place(OrderService.java:141)\n" +
		"Caused by: java.net.http.HttpTimeoutException: request timed out\n" +
		"\tat java.net.http/jdk.internal.net.http.HttpClientImpl.send(HttpClientImpl.java:569)\n" +
		"\t... 41 more"
	write(t, filepath.Join(dir, "shop.log"),
		line(123*time.Millisecond, "INFO  [main] com.shop.order.OrderService - order 4711 placed"),
		line(2*time.Second, "ERROR [http-nio-8080-exec-3] com.shop.order.OrderService - payment failed for order 4711"),
		stack,
		line(3*time.Second, "WARN  주문이 느립니다"),
		line(4*time.Second, "what has no level"))
	write(t, filepath.Join(dir, "pay.json"),
		fmt.Sprintf(`{"time":%q,"level":"warn","msg":"slow answer","logger":"pay.partner","order_no":4711,"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}`,
			at.Add(5500*time.Millisecond).Format(time.RFC3339Nano)),
		"not JSON at all")

	got := map[string]record{}
	reader.until("the records are in MATRIX", func() bool {
		for _, r := range matrix.logs("") {
			first, _, _ := strings.Cut(r.Body, "\n")
			got[first] = r
		}
		return len(got) >= 6
	})
	f := func(body, level, logger string, after time.Duration) record {
		t.Helper()
		r, ok := got[body]
		if !ok {
			t.Fatalf("no record %q among %v", body, got)
		}
		if r.Level != level || r.Logger != logger || r.Service != "order-api" || after > 0 && !r.Time.Equal(at.Add(after)) {
			t.Errorf("%q: level %s, logger %q, service %s, time %s (want %s, %q, order-api, %s)", body, r.Level, r.Logger, r.Service, r.Time, level, logger, at.Add(after).UTC())
		}
		return r
	}
	f("order 4711 placed", "info", "com.shop.order.OrderService", 123*time.Millisecond)
	failed := f("payment failed for order 4711", "error", "com.shop.order.OrderService", 2*time.Second)
	if !strings.HasSuffix(failed.Body, stack) || failed.Exception != "java.lang.IllegalStateException" || failed.Message != "approval timed out" ||
		failed.Attributes["exception.stacktrace"] != stack || failed.Attributes["thread.name"] != "http-nio-8080-exec-3" || failed.Attributes["log.file.name"] != "shop.log" {
		t.Errorf("the exception: %+v", failed)
	}
	f("주문이 느립니다", "warn", "", 3*time.Second)
	f(line(4*time.Second, "what has no level"), "unknown", "", 0)
	slow := f("slow answer", "warn", "pay.partner", 5500*time.Millisecond)
	if slow.Attributes["order_no"] != "4711" || slow.TraceID != "0af7651916cd43dd8448eb211c80319c" || slow.SpanID != "b7ad6b7169203331" {
		t.Errorf("the JSON line: %+v", slow)
	}
	for _, parsed := range []string{"time", "level", "logger", "message", "msg", "trace_id", "exception_type"} {
		for body, r := range got {
			if _, left := r.Attributes[parsed]; left {
				t.Errorf("%q: %s is both an attribute and a field of its own", body, parsed)
			}
		}
	}
	f("not JSON at all", "unknown", "", 0)
	if found := matrix.logs(`exception:java.lang.IllegalStateException "HttpTimeoutException" level:error`); len(found) != 1 {
		t.Errorf("a search finds %d records", len(found))
	}
	var whole record
	if _, err := matrix.user.Get(t.Context(), fmt.Sprintf("/api/v1/projects/%d/logs/%s", matrix.project, failed.ID), &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Resource["deployment.environment.name"] != "production" {
		t.Errorf("resource %v", whole.Resource)
	}
}

// logs searches the records of the last hour.
func (m *matrix) logs(query string) []record {
	m.t.Helper()
	now := time.Now()
	values := url.Values{"q": {query}, "from": {now.Add(-time.Hour).Format(time.RFC3339)}, "to": {now.Add(time.Hour).Format(time.RFC3339)}}
	var page struct {
		Items []record `json:"items"`
	}
	if _, err := m.user.Get(m.t.Context(), fmt.Sprintf("/api/v1/projects/%d/logs?%s", m.project, values.Encode()), &page); err != nil {
		m.t.Fatal(err)
	}
	return page.Items
}

// write puts lines into a file.
func write(t *testing.T, path string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
