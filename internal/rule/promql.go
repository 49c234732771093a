package rule

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
)

// promQL fires for every series that an expression yields and whose value is
// beyond a limit, or for every series at all, as rules of Prometheus do.
var promQL = minutes(&Kind{
	Name: "promql", Group: "expressions",
	Params: []Param{
		{Name: "query", Type: PromQL},
		{Name: "op", Type: Choice, Default: "above", Choices: []string{"above", "below", "any"}},
		{Name: "threshold", Type: Number, Optional: true, Min: -1e300},
		{Name: "calm", Type: Number, Optional: true, Min: -1e300},
	},
	Count: 1, WindowMinutes: 1, QuietMinutes: 10, Severity: Warning,
	check: func(p Params) error {
		if err := metric.Parses(p.text("query")); err != nil {
			return badParam("query", "%v", err)
		}
		if p.text("op") != "any" && !p.has("threshold") {
			return badParam("threshold", "say beyond which value the rule counts, or choose any series")
		}
		return nil
	},
	condition: func(r *Rule) Condition {
		c := Condition{Measure: r.Params.text("query"), Op: ">=", Threshold: r.Params.number("threshold")}
		switch r.Params.text("op") {
		case "below":
			c.Op = "<="
		case "any":
			c = Condition{Measure: r.Params.text("query")}
		}
		return c
	},
	low: below,
}, &measure{
	shared: func(r *Rule) string { return fmt.Sprintf("%d\x00%s", r.Project, r.Params.text("query")) },
	window: func(*Rule) time.Duration { return time.Minute },
	limits: func(r *Rule, _ float64) (float64, float64) {
		fire := r.Params.number("threshold")
		if r.Params.text("op") == "any" {
			return math.Inf(-1), math.Inf(-1)
		}
		if !r.Params.has("calm") {
			return fire, fire
		}
		if below(r) {
			return fire, max(fire, r.Params.number("calm"))
		}
		return fire, min(fire, r.Params.number("calm"))
	},
	read: func(ctx context.Context, src *Sources, rules []*Rule, _ time.Duration, ends []time.Time) ([]reading, error) {
		return readMetric(ctx, src, rules[0].Project, rules[0].Params.text("query"), ends)
	},
})

func below(r *Rule) bool { return r.Params.text("op") == "below" }

// readMetric evaluates an expression at ends.
func readMetric(ctx context.Context, src *Sources, p project.ID, query string, ends []time.Time) ([]reading, error) {
	engine, err := src.metricsOf(ctx, p, ends[0])
	if err != nil {
		return nil, err
	}
	var readings []reading
	for _, run := range runs(ends) {
		answer, err := engine.Range(ctx, p, query, run[0], run[len(run)-1], time.Minute, 0)
		if err != nil {
			return nil, err
		}
		matrix, _ := answer.Value.(promql.Matrix)
		for _, s := range matrix {
			of := seriesOf(s.Metric)
			of.Project = p
			for _, f := range s.Floats {
				if math.IsNaN(f.F) {
					continue
				}
				of.End, of.Value = time.UnixMilli(f.T).UTC(), f.F
				readings = append(readings, of)
			}
		}
		answer.Release()
	}
	return readings, nil
}

// metricsOf returns the engine for expressions over a project. Most rules about
// resources name metrics that a project does not send: that is known, and not asked
// each time. It does not matter that a new metric is known a little later, since
// minutes are judged again.
func (s *Sources) metricsOf(ctx context.Context, p project.ID, from time.Time) (*metric.Engine, error) {
	now := time.Now()
	if now.Sub(from) > day {
		return s.Metrics, nil
	}
	names := s.names.of(p, now)
	if names == nil {
		var err error
		if names, err = s.Metrics.NamesSince(ctx, p, now.Add(-2*day)); err != nil {
			return nil, err
		}
		s.names.keep(p, names, now)
	}
	return s.Metrics.Among(names), nil
}

// namesLife is how long the names of a project's metrics count as known.
const namesLife = 30 * time.Second

// metricNames remembers the metrics of projects. It is safe for concurrent use.
type metricNames struct {
	mu    sync.Mutex
	known map[project.ID]knownNames
}

type knownNames struct {
	at    time.Time
	names *metric.Names
}

// of returns what is known of a project, nil when that is nothing or long ago.
func (m *metricNames) of(p project.ID, now time.Time) *metric.Names {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.known[p]; now.Sub(known.at) <= namesLife {
		return known.names
	}
	return nil
}

func (m *metricNames) keep(p project.ID, names *metric.Names, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.known, func(_ project.ID, k knownNames) bool { return now.Sub(k.at) > namesLife })
	m.known[p] = knownNames{now, names}
}

// runs splits ends where they are not a minute apart.
func runs(ends []time.Time) [][]time.Time {
	var all [][]time.Time
	from := 0
	for i := 1; i <= len(ends); i++ {
		if i == len(ends) || ends[i].Sub(ends[i-1]) != time.Minute || i-from >= 10_000 {
			all = append(all, ends[from:i])
			from = i
		}
	}
	return all
}

// The labels under which senders name services, environments and instances.
var (
	serviceLabels     = []string{"service_name", "service", "job"}
	environmentLabels = []string{"deployment_environment_name", "deployment_environment", "environment", "env"}
	instanceLabels    = []string{"service_instance_id", "instance", "pod", "k8s_pod_name", "host_name"}
)

// maxSubject is how long a subject may be, in bytes.
const maxSubject = 300

// seriesOf returns what a series is of: its service, environment and instance as
// far as labels say them, and what is left of the labels.
func seriesOf(metric labels.Labels) reading {
	left := metric.Map()
	delete(left, "__name__")
	take := func(names []string) string {
		for _, name := range names {
			if value, ok := left[name]; ok && value != "" {
				delete(left, name)
				return value
			}
		}
		return ""
	}
	of := reading{Service: take(serviceLabels), Environment: take(environmentLabels)}
	parts := make([]string, 0, len(left))
	for _, name := range slices.Sorted(maps.Keys(left)) {
		parts = append(parts, name+"="+left[name])
	}
	of.Subject = strings.Join(parts, ", ")
	if len(of.Subject) > maxSubject {
		of.Subject = strings.ToValidUTF8(of.Subject[:maxSubject], "")
	}
	for _, name := range instanceLabels {
		of.Instance = cmp.Or(of.Instance, metric.Get(name))
	}
	return of
}
