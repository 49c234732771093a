package evidence

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/project"
)

// utilisations are the metrics of OpenTelemetry that tell how much of what a service
// may use it uses, as PromQL names them.
// https://opentelemetry.io/docs/specs/semconv/system/k8s-metrics/
var utilisations = []string{
	"k8s_pod_cpu_limit_utilization_ratio", "k8s_pod_memory_limit_utilization_ratio",
	"k8s_container_cpu_limit_utilization_ratio", "k8s_container_memory_limit_utilization_ratio",
	"jvm_cpu_recent_utilization_ratio", "process_cpu_utilization_ratio",
}

const (
	nearlyAll    = 0.8 // of a resource: beyond it work waits (Gregg, The USE Method)
	muchMore     = 3   // times what is usual
	ofSaturation = 10  // strength of a resource that is used up wholly
)

// saturated returns the services that have used up a resource and usually do not.
func saturated(now *Observed, usual []*Observed) []Deviation {
	var all []Deviation
	for _, resource := range utilisations {
		for service, share := range now.used[resource] {
			var was []float64
			for _, o := range usual {
				if before, known := o.used[resource][service]; known {
					was = append(was, before)
				}
			}
			if service == "" || share < nearlyAll || len(was) == 0 {
				continue
			}
			slices.Sort(was)
			if high := was[len(was)*9/10]; share >= muchMore*high {
				all = append(all, Deviation{Kind: Saturated, Operation: Operation{Service: service}, Resource: resource, Usual: median(was), Now: share, Strength: ofSaturation * min(share, 1)})
			}
		}
	}
	return all
}

// sent returns those of the utilisations that anything sent in a time: most systems
// send few of them, and each costs a query.
func (v *Investigator) sent(ctx context.Context, p project.ID, of Period) ([]string, error) {
	query := fmt.Sprintf(`group by (__name__) (last_over_time({__name__=~%q}[%ds]))`, strings.Join(utilisations, "|"), of.seconds())
	answer, err := v.metrics.Instant(ctx, p, query, of.To, 0)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	defer answer.Release()
	var names []string
	if vector, ok := answer.Value.(promql.Vector); ok {
		for _, s := range vector {
			names = append(names, strings.Clone(s.Metric.Get("__name__")))
		}
	}
	return names, nil
}

// seconds is how long a period is, as a range of PromQL.
func (p Period) seconds() int { return max(int(p.To.Sub(p.From).Seconds()), 1) }

// used returns the largest share of a resource that each service used in a time.
func (v *Investigator) used(ctx context.Context, p project.ID, resource string, of Period) (map[string]float64, error) {
	query := fmt.Sprintf(`max by (service_name) (max_over_time(%s[%ds]))`, resource, of.seconds())
	answer, err := v.metrics.Instant(ctx, p, query, of.To, 0)
	if err != nil {
		return nil, fmt.Errorf("share of %s: %w", resource, err)
	}
	defer answer.Release()
	used := map[string]float64{}
	if vector, ok := answer.Value.(promql.Vector); ok {
		for _, s := range vector {
			used[s.Metric.Get("service_name")] = s.F
		}
	}
	return used, nil
}
