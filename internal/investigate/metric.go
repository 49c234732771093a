package investigate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
)

const (
	serviceLabel = "service_name" // what OpenTelemetry's service.name is called
	metricStep   = time.Minute
	longestRange = time.Hour // that a query may look back by itself
	maxLabels    = 8         // of a series, told
)

// metric answers with each series in short, as it was and as it is.
func (t *Tools) metric(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct{ Query string }
	if err := json.Unmarshal(arguments, &in); err != nil {
		return nil, fault.New(fault.Invalid, "the arguments cannot be read: %v", err)
	}
	query, err := t.metrics.Within(in.Query, serviceLabel, of.Names(), longestRange)
	if err != nil {
		return nil, err
	}
	usualFrom, _ := of.usual()
	answer, err := t.metrics.Range(ctx, of.Project, query, usualFrom, of.To, metricStep, 0)
	if err != nil {
		return nil, fmt.Errorf("query metrics: %w", err)
	}
	defer answer.Release()
	matrix, ok := answer.Value.(promql.Matrix)
	if !ok {
		return nil, fault.New(fault.Invalid, "the query yields a %s: ask for series", answer.Value.Type()).WithField("query")
	}
	sort.SliceStable(matrix, func(i, j int) bool { return labels.Compare(matrix[i].Metric, matrix[j].Metric) < 0 })
	var facts []ground.Fact
	for _, series := range matrix {
		var now, usual span
		for _, point := range series.Floats {
			if point.T >= of.From.UnixMilli() {
				now.add(point.F)
			} else {
				usual.add(point.F)
			}
		}
		if now.n == 0 {
			continue // histograms, and series that had ended
		}
		changed, said := deviates(now.average(), usual.average(), usual.n > 0)
		what, values := described(series.Metric)
		values = append(values, text("query", clip(in.Query, maxName)), figure("average", now.average()), figure("max", now.max), changed)
		was := "no value"
		if usual.n > 0 {
			was = fmt.Sprintf("%s on average and at most %s", number(usual.average()), number(usual.max))
			values = append(values, figure("usual", usual.average()))
		}
		facts = append(facts, fact(ground.Finding, fmt.Sprintf("The metric %s of %s was %s on average and at most %s; the hour before %s%s.",
			clip(in.Query, maxName), what, number(now.average()), number(now.max), was, said), values...))
	}
	return unlikeFirst(facts), nil
}

// span sums up a part of a series.
type span struct {
	n        int
	sum, max float64
}

func (s *span) add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if s.n == 0 || v > s.max {
		s.max = v
	}
	s.n++
	s.sum += v
}

func (s *span) average() float64 { return s.sum / float64(max(s.n, 1)) }

// figure is a number that has a unit only its metric knows.
func figure(name string, v float64) ground.Value {
	return ground.Value{Name: name, Value: number(v), Unit: "count"}
}

// described names a series by its labels.
func described(ls labels.Labels) (string, []ground.Value) {
	var said []string
	var values []ground.Value
	ls.Range(func(l labels.Label) {
		if len(said) == maxLabels {
			return
		}
		said = append(said, l.Name+" "+clip(l.Value, maxName))
		switch l.Name {
		case serviceLabel:
			values = append(values, service(clip(l.Value, maxName)))
		case "instance", "service_instance_id", "host_name", "k8s_pod_name", "k8s_node_name":
			values = append(values, address("instance", clip(l.Value, maxName)))
		case "__name__":
		default:
			values = append(values, named("label", clip(l.Value, maxName), mask.Name))
		}
	})
	if len(said) == 0 {
		return "all services asked about", nil
	}
	return strings.Join(said, ", "), values
}
