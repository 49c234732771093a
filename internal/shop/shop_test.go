package shop_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/shop"
)

// noon is when the shops of these tests open.
var noon = time.Date(2025, 6, 17, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, opts shop.Options) *shop.Shop {
	t.Helper()
	opts.Endpoint = cmp.Or(opts.Endpoint, "http://127.0.0.1:1")
	if opts.Now == nil {
		opts.Now = func() time.Time { return noon }
	}
	s, err := shop.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run lets the shop run for some time and returns all that it would have sent.
func run(s *shop.Shop, d time.Duration) []proto.Message {
	var out []proto.Message
	for at := noon; at.Before(noon.Add(d)); at = at.Add(time.Second) {
		out = append(out, s.Advance(at)...)
	}
	return out
}

func marshal(t *testing.T, requests []proto.Message) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, r := range requests {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.Bytes()
}

func TestTheSameSeedSendsTheSameBytes(t *testing.T) {
	day := func(seed uint64) []byte { return marshal(t, run(open(t, shop.Options{Seed: seed}), time.Minute)) }
	if !bytes.Equal(day(7), day(7)) {
		t.Fatal("two runs with one seed differ")
	}
	if bytes.Equal(day(7), day(8)) {
		t.Fatal("two seeds send the same")
	}
}

func TestUsersComeAtTheGivenRate(t *testing.T) {
	visits := 0
	each(run(open(t, shop.Options{Rate: 4}), 10*time.Minute), func(e entry) {
		if e.span.ParentSpanId == nil {
			visits++
		}
	})
	if want := 2400; visits < want*9/10 || visits > want*11/10 {
		t.Fatalf("%d visits in ten minutes, want about %d", visits, want)
	}
}

func TestNoSpanIsSentBeforeItsEnd(t *testing.T) {
	s := open(t, shop.Options{})
	for at := noon; at.Before(noon.Add(time.Minute)); at = at.Add(100 * time.Millisecond) {
		each(s.Advance(at), func(e entry) {
			if end := time.Unix(0, int64(e.span.EndTimeUnixNano)); end.After(at) {
				t.Fatalf("%s ends at %s and was sent at %s", e.span.Name, end, at)
			}
		})
	}
}

func TestTheShopSpeaksEveryDialectOfItsFleet(t *testing.T) {
	services, releases, pods := map[string]bool{}, map[string]bool{}, map[string]map[string]bool{}
	seen := map[string]bool{}
	each(run(open(t, shop.Options{}), 10*time.Minute), func(e entry) {
		services[e.service] = true
		releases[e.resource["service.version"]] = true
		if pods[e.service] == nil {
			pods[e.service] = map[string]bool{}
		}
		pods[e.service][e.resource["k8s.pod.name"]] = true
		for _, key := range []string{"db.system", "db.system.name", "http.method", "http.request.method", "rpc.system", "messaging.system"} {
			if v := e.attributes[key]; v != "" {
				seen[key+"="+v] = true
			}
		}
		for key := range e.attributes {
			seen[key] = true
		}
		seen[e.scope] = true
		for _, event := range e.span.Events {
			seen["event "+event.Name] = true
		}
		seen[e.span.Kind.String()] = true
	})
	if len(services) < 6 {
		t.Errorf("services %v, want at least six", services)
	}
	for service, names := range pods {
		if len(names) < 2 {
			t.Errorf("%s runs in %d pods, want several", service, len(names))
		}
	}
	for _, want := range []string{
		"db.system=mysql", "db.system=redis", "db.system.name=postgresql", "http.method=GET", "http.request.method=POST", "rpc.system=grpc", "messaging.system=kafka",
		"db.statement", "db.query.text", "db.connection_string", "db.collection.name", "http.route", "url.path", "url.full", "http.target", "user_agent.original",
		"thread.id", "thread.name", "code.function.name", "network.peer.address", "rpc.grpc.status_code",
		"io.opentelemetry.jdbc", "io.opentelemetry.tomcat-10.0", "io.opentelemetry.grpc-1.6", "io.opentelemetry.lettuce-5.1", "io.opentelemetry.spring-data-1.8",
		"@opentelemetry/instrumentation-http", "event exception",
		"SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_INTERNAL", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
	} {
		if !seen[want] {
			t.Errorf("no span shows %s", want)
		}
	}
}

func TestSpansHangTogether(t *testing.T) {
	s := open(t, shop.Options{Rate: 20})
	var all []entry
	each(run(s, 2*time.Minute), func(e entry) { all = append(all, e) })
	byID := map[string]entry{}
	for _, e := range all {
		id := string(e.span.SpanId)
		if _, twice := byID[id]; twice || len(e.span.TraceId) != 16 || len(e.span.SpanId) != 8 {
			t.Fatalf("span id %x is used twice or malformed", id)
		}
		byID[id] = e
	}
	for _, e := range all {
		if e.span.EndTimeUnixNano < e.span.StartTimeUnixNano {
			t.Fatalf("%s ends before it starts", e.span.Name)
		}
		parent, ok := byID[string(e.span.ParentSpanId)]
		if !ok {
			continue // it has not ended yet, or there is none
		}
		if !bytes.Equal(parent.span.TraceId, e.span.TraceId) || parent.span.StartTimeUnixNano > e.span.StartTimeUnixNano {
			t.Fatalf("%s does not fit into %s", e.span.Name, parent.span.Name)
		}
		if parent.span.EndTimeUnixNano < e.span.EndTimeUnixNano && e.span.Kind != tracepb.Span_SPAN_KIND_CONSUMER && parent.span.Kind != tracepb.Span_SPAN_KIND_CONSUMER {
			t.Fatalf("%s outlasts its parent %s", e.span.Name, parent.span.Name)
		}
		if remote := parent.resource["k8s.pod.name"] != e.resource["k8s.pod.name"]; remote != (e.span.Flags&0x200 != 0) {
			t.Fatalf("%s: remote parent %v, flags %x", e.span.Name, remote, e.span.Flags)
		}
	}
}

// The transaction of the incident that MATRIX is about.
func TestTheFaultIsASlowStatementInTheEleventhStep(t *testing.T) {
	s := open(t, shop.Options{Rate: 0.0001})
	s.SlowSQL()
	var steps []entry
	each(s.Advance(noon), func(e entry) {
		if e.service == "order-api" {
			steps = append(steps, e)
		}
	})
	slices.SortStableFunc(steps, func(a, b entry) int {
		if a.span.StartTimeUnixNano != b.span.StartTimeUnixNano {
			return cmp.Compare(a.span.StartTimeUnixNano, b.span.StartTimeUnixNano)
		}
		return cmp.Compare(b.span.EndTimeUnixNano, a.span.EndTimeUnixNano)
	})
	if len(steps) != 12 {
		t.Fatalf("%d steps, want 12", len(steps))
	}
	entrySpan, slow := steps[0], steps[10]
	if entrySpan.span.Kind != tracepb.Span_SPAN_KIND_SERVER || entrySpan.attributes["http.route"] != "/v1/api/orders/history" || entrySpan.took() != 11_354*time.Millisecond {
		t.Errorf("the transaction is %s of %s", entrySpan.span.Name, entrySpan.took())
	}
	if pod := entrySpan.resource["k8s.pod.name"]; pod != "prod-order-api-6945c568-2ghw8" {
		t.Errorf("it ran on %s", pod)
	}
	statement := slow.attributes["db.statement"]
	if slow.took() != 8_003*time.Millisecond || !strings.HasPrefix(statement, "/* order.selectTotalHistory */\nSELECT COUNT(1)") || !strings.Contains(statement, "WITH step1 AS") {
		t.Errorf("step 11 is %s of %s: %s", slow.span.Name, slow.took(), statement)
	}
	for _, table := range []string{"tb_order o", "tb_order_item i", "tb_payment_history p", "tb_delivery_history d"} {
		if !strings.Contains(statement, table) {
			t.Errorf("the statement does not read %s", table)
		}
	}
	if !strings.Contains(slow.attributes["code.stacktrace"], "com.shop.order.repository.OrderHistoryRepository.selectTotalHistory(OrderHistoryRepository.java:112)") {
		t.Error("the slow span does not say where it was called")
	}
	inSQL, others := time.Duration(0), 0
	for _, e := range steps {
		if e.attributes["db.system"] == "mysql" {
			inSQL += e.took()
			if e.took() >= 8*time.Second {
				others++
			}
		}
	}
	if inSQL != 11_327*time.Millisecond || others != 1 {
		t.Errorf("%s in SQL, %d slow statements", inSQL, others)
	}
}

func TestTheFaultStaysOnOnePodUntilItHeals(t *testing.T) {
	s := open(t, shop.Options{Rate: 10})
	s.SlowSQL()
	slow := map[string]int{}
	count := func(e entry) {
		if e.took() >= 8*time.Second && e.attributes["db.statement"] != "" {
			slow[e.resource["k8s.pod.name"]]++
		}
	}
	each(run(s, 2*time.Minute), count)
	if len(slow) != 1 || slow["prod-order-api-6945c568-2ghw8"] < 10 {
		t.Fatalf("slow statements by pod: %v", slow)
	}
	s.Heal()
	each(s.Advance(noon.Add(150*time.Second)), func(entry) {}) // those under way end
	clear(slow)
	each(s.Advance(noon.Add(200*time.Second)), count)
	if len(slow) != 0 {
		t.Fatalf("slow statements after the end of the fault: %v", slow)
	}
}

// entry is one span with what its request says about it.
type entry struct {
	service, scope       string
	resource, attributes map[string]string
	span                 *tracepb.Span
}

func (e entry) took() time.Duration {
	return time.Duration(e.span.EndTimeUnixNano - e.span.StartTimeUnixNano)
}

func each(requests []proto.Message, visit func(entry)) {
	for _, r := range requests {
		spans, _ := r.(*tracepb.TracesData)
		for _, rs := range spans.GetResourceSpans() {
			resource := texts(rs.Resource.Attributes)
			for _, ss := range rs.ScopeSpans {
				for _, span := range ss.Spans {
					visit(entry{service: resource["service.name"], scope: ss.Scope.Name, resource: resource, attributes: texts(span.Attributes), span: span})
				}
			}
		}
	}
}

func texts(attributes []*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range attributes {
		switch v := kv.Value.Value.(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		default:
			out[kv.Key] = fmt.Sprint(v)
		}
	}
	return out
}

func TestThePastIsNormalAnHourADayAndAWeekAgo(t *testing.T) {
	sink := newReceiver(t)
	s := open(t, shop.Options{Endpoint: sink.URL})
	if err := s.Backfill(context.Background()); err != nil {
		t.Fatal(err)
	}
	hourAgo, dayAgo, weekAgo, versions := 0, 0, 0, map[string]bool{}
	each(sink.requests(), func(e entry) {
		end := time.Unix(0, int64(e.span.EndTimeUnixNano))
		if end.After(noon) {
			t.Fatalf("%s of trace %s ends in the future", e.span.Name, hex.EncodeToString(e.span.TraceId))
		}
		if e.took() > 5*time.Second {
			t.Fatalf("the past has a slow %s", e.span.Name)
		}
		if e.service != "order-api" {
			return
		}
		versions[e.resource["service.version"]] = true
		if e.attributes["http.route"] == "/v1/api/orders/history" {
			switch ago := noon.Sub(end); {
			case ago < 2*time.Hour:
				hourAgo++
			case ago > 22*time.Hour && ago < 26*time.Hour:
				dayAgo++
			case ago > 166*time.Hour && ago < 170*time.Hour:
				weekAgo++
			default:
				t.Fatalf("a transaction of %s ago", ago)
			}
		}
	})
	if hourAgo < 100 || dayAgo < 100 || weekAgo < 100 {
		t.Errorf("%d transactions an hour ago, %d a day ago, %d a week ago", hourAgo, dayAgo, weekAgo)
	}
	if len(versions) != 3 {
		t.Errorf("releases %v, want three", versions)
	}
}
