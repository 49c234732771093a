package shop_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/shop"
)

// measured is one point of a metric with what its request says about it.
type measured struct {
	metric           string
	monotonic        bool
	resource, labels map[string]string
	at               time.Time
	value            float64 // the sum of a histogram
	count            uint64  // of a histogram
	histogram        bool
}

func (m measured) series() string {
	return m.metric + m.resource["k8s.pod.name"] + m.resource["host.name"] + fmt.Sprint(m.labels)
}

func points(requests []proto.Message, visit func(measured)) {
	for _, r := range requests {
		metrics, _ := r.(*metricspb.MetricsData)
		for _, rm := range metrics.GetResourceMetrics() {
			resource := texts(rm.Resource.Attributes)
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					p := measured{metric: m.Name, resource: resource, monotonic: m.GetSum().GetIsMonotonic()}
					for _, number := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
						p.labels, p.value, p.at = texts(number.Attributes), number.GetAsDouble(), time.Unix(0, int64(number.TimeUnixNano))
						visit(p)
					}
					for _, h := range m.GetHistogram().GetDataPoints() {
						p.labels, p.value, p.count, p.histogram, p.at = texts(h.Attributes), h.GetSum(), h.Count, true, time.Unix(0, int64(h.TimeUnixNano))
						visit(p)
					}
				}
			}
		}
	}
}

func TestEveryNodeAndRuntimeIsMeasuredEveryTenSeconds(t *testing.T) {
	times, hosts, metrics := map[time.Time]bool{}, map[string]bool{}, map[string]bool{}
	points(run(open(t, shop.Options{}), time.Minute), func(p measured) {
		times[p.at] = true
		metrics[p.metric] = true
		if strings.HasPrefix(p.metric, "system.") {
			hosts[p.resource["host.name"]] = true
		}
	})
	if len(times) != 6 || len(hosts) != 6 {
		t.Errorf("%d times in a minute, %d hosts, want six of each", len(times), len(hosts))
	}
	for _, want := range []string{
		"system.cpu.time", "system.cpu.utilization", "system.cpu.load_average.1m", "system.memory.usage", "system.memory.utilization",
		"system.filesystem.usage", "system.disk.io", "system.network.io", "system.processes.count",
		"jvm.memory.used", "jvm.memory.limit", "jvm.gc.duration", "jvm.thread.count", "db.client.connection.count",
		"process.cpu.utilization", "jvm.cpu.recent_utilization", "http.server.request.duration", "http.server.duration",
	} {
		if !metrics[want] {
			t.Errorf("no %s", want)
		}
	}
}

func TestEveryPodRunsOnANodeThatIsMeasured(t *testing.T) {
	requests := run(open(t, shop.Options{}), time.Minute)
	measuredNodes := map[string]bool{}
	points(requests, func(p measured) {
		if p.metric == "system.cpu.time" {
			measuredNodes[p.resource["host.name"]] = true
		}
	})
	each(requests, func(e entry) {
		if !measuredNodes[e.resource["k8s.node.name"]] {
			t.Fatalf("%s runs on %s, which is not measured", e.service, e.resource["k8s.node.name"])
		}
	})
}

func TestCountersNeverFallFromThePastToNow(t *testing.T) {
	sink := newReceiver(t)
	s := open(t, shop.Options{Endpoint: sink.URL})
	if err := s.Backfill(context.Background()); err != nil {
		t.Fatal(err)
	}
	last := map[string]float64{}
	series := 0
	points(append(sink.requests(), run(s, time.Minute)...), func(p measured) {
		if !p.monotonic {
			return
		}
		if before, ok := last[p.series()]; ok && p.value < before {
			t.Fatalf("%s falls from %v to %v at %s", p.series(), before, p.value, p.at)
		}
		last[p.series()] = p.value
		series++
	})
	if series == 0 {
		t.Fatal("no counters")
	}
}

func TestTheMetricsOfRequestsCountTheSpans(t *testing.T) {
	requests := run(open(t, shop.Options{Rate: 20}), time.Minute)
	spans, counted := map[string]uint64{}, map[string]measured{}
	last := noon.Add(50 * time.Second) // of the metrics
	each(requests, func(e entry) {
		if e.attributes["http.route"] != "" && e.span.Kind.String() == "SPAN_KIND_SERVER" && !time.Unix(0, int64(e.span.EndTimeUnixNano)).After(last) {
			spans[e.service]++
		}
	})
	points(requests, func(p measured) {
		if strings.HasPrefix(p.metric, "http.server.") {
			counted[p.series()] = p
		}
	})
	services := map[string]uint64{}
	for _, p := range counted {
		services[p.resource["service.name"]] += p.count
	}
	if len(spans) < 4 {
		t.Fatalf("spans of %v", spans)
	}
	for service, n := range spans {
		if services[service] != n {
			t.Errorf("%s: %d requests in the metrics, %d spans", service, services[service], n)
		}
	}
}

func TestTheFaultUsesUpThePoolOfItsPod(t *testing.T) {
	s := open(t, shop.Options{})
	s.SlowSQL()
	waiting := map[string]bool{}
	points(run(s, 20*time.Second), func(p measured) {
		if p.metric == "db.client.connection.pending_requests" && p.value > 0 {
			waiting[p.resource["k8s.pod.name"]] = true
		}
	})
	if len(waiting) != 1 {
		t.Fatalf("requests wait for a connection in %v, want one pod", waiting)
	}
}
