package shop

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// served counts the HTTP requests that the pods answered since the shop was opened, by route and answer.
type served map[*resourcepb.Resource]map[string]*answered

// answered is what a pod took for one kind of answer.
type answered struct {
	scope, version string
	attributes     []*commonpb.KeyValue
	took           distribution
}

// Bounds of the durations of requests, as the conventions advise: in seconds, and in ms before they were stable.
var (
	secondBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	msBounds     = []float64{5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000}
)

// labelled are the attributes of a server span that its metric has, too, in the order of their names.
var labelled = []string{
	"error.type", "http.method", "http.request.method", "http.response.status_code", "http.route", "http.scheme", "http.status_code", "url.scheme",
}

func (s served) count(spans *tracepb.TracesData) {
	for _, resource := range spans.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				if span.Kind == tracepb.Span_SPAN_KIND_SERVER {
					s.add(resource.Resource, scope.Scope, span)
				}
			}
		}
	}
}

func (s served) add(resource *resourcepb.Resource, scope *commonpb.InstrumentationScope, span *tracepb.Span) {
	var attributes []*commonpb.KeyValue
	key, stable := "", false
	for _, name := range labelled {
		i := slices.IndexFunc(span.Attributes, func(kv *commonpb.KeyValue) bool { return kv.Key == name })
		if i >= 0 {
			attributes = append(attributes, span.Attributes[i])
			v := span.Attributes[i].Value
			key += fmt.Sprintf("%s=%s%d;", name, v.GetStringValue(), v.GetIntValue())
			stable = stable || name == "http.request.method"
		}
	}
	if !strings.Contains(key, "method=") {
		return // gRPC
	}
	if s[resource] == nil {
		s[resource] = map[string]*answered{}
	}
	a := s[resource][key]
	if a == nil {
		a = &answered{scope: scope.Name, version: scope.Version, attributes: attributes, took: distribution{bounds: msBounds}}
		if stable {
			a.took.bounds = secondBounds
		}
		a.took.counts = make([]uint64, len(a.took.bounds)+1)
		s[resource][key] = a
	}
	v := float64(span.EndTimeUnixNano-span.StartTimeUnixNano) / 1e6
	if stable {
		v /= 1000
	}
	a.took.counts[sort.SearchFloat64s(a.took.bounds, v)]++
	a.took.sum += v
}

// measure writes the requests of every pod, ordered by pod and answer.
func (s served) measure(since, at time.Time) (all []*metricspb.ResourceMetrics) {
	pods := make([]*resourcepb.Resource, 0, len(s))
	for resource := range s {
		pods = append(pods, resource)
	}
	slices.SortFunc(pods, func(a, b *resourcepb.Resource) int { return cmp.Compare(podName(a), podName(b)) })
	for _, resource := range pods {
		answers := s[resource]
		keys := make([]string, 0, len(answers))
		for key := range answers {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		b := newBook(since, at)
		for _, key := range keys {
			name, unit := "http.server.request.duration", "s"
			if &answers[key].took.bounds[0] == &msBounds[0] {
				name, unit = "http.server.duration", "ms"
			}
			b.histogram(name, unit, answers[key].took, answers[key].attributes...)
		}
		first := answers[keys[0]]
		all = append(all, b.of(resource, first.scope, first.version))
	}
	return all
}

func podName(r *resourcepb.Resource) string {
	for _, kv := range r.Attributes {
		if kv.Key == "k8s.pod.name" {
			return kv.Value.GetStringValue()
		}
	}
	return ""
}
