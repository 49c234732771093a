package host

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Overview is one machine over time, and what ran on it in the whole range.
type Overview struct {
	Host
	Start  int64   `json:"start"` // of the first step, in Unix seconds
	Step   int64   `json:"step"`  // s
	Charts []Chart `json:"charts"`
}

// Chart is a measure of a host over time.
type Chart struct {
	Chart string `json:"chart" enum:"cpu,memory,disk,network,disk_io,load"`
	Lines []Line `json:"lines"` // by name
}

// Line is one line of a chart, a value for each step: shares of cpu by state and
// of disk by mount point, bytes of memory by state, bytes per second of network
// and disk_io by direction, the load by minutes.
type Line struct {
	Line   string     `json:"line"`
	Values []*float64 `json:"values"` // null where nothing was recorded
}

// Host returns one machine. It is NotFound when it was not heard of in the range.
func (s *Store) Host(ctx context.Context, p project.ID, name string, from, to, now time.Time) (*Overview, error) {
	to, err := until(from, to, now)
	if err != nil {
		return nil, err
	}
	step := stepOf(to.Sub(from))
	from = from.Truncate(step)
	instances, err := s.instances(ctx, p, name, from, to)
	if err != nil {
		return nil, err
	}
	of := oneHost(name, instances)
	found, err := s.find(ctx, p, of, from, to)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "no host of this name was heard of in the time range")
	}
	answer, err := s.metrics.Range(ctx, p, query(charts, of, max(step, 2*time.Minute)), from, to, step, max(silentAfter, step))
	if err != nil {
		return nil, fmt.Errorf("draw host: %w", err)
	}
	defer answer.Release()
	lines := answer.Value.(promql.Matrix)
	h := found[name]
	for _, each := range found { // under its address: the name it gave is no longer told
		if h == nil {
			each.Host, h = name, each
		}
	}
	if err := s.place(ctx, p, map[string]*Host{name: h}, from, to, now, name); err != nil {
		return nil, err
	}
	out := &Overview{Host: *h, Start: from.Unix(), Step: int64(step / time.Second), Charts: make([]Chart, len(charts))}
	steps := int(to.Sub(from)/step) + 1
	for i, c := range charts {
		out.Charts[i] = Chart{Chart: c.name, Lines: []Line{}}
		for _, series := range lines {
			if series.Metric.Get("measure") == c.name {
				out.Charts[i].Lines = append(out.Charts[i].Lines, Line{series.Metric.Get("line"), onSteps(series.Floats, from, step, steps)})
			}
		}
		slices.SortFunc(out.Charts[i].Lines, func(a, b Line) int { return strings.Compare(a.Line, b.Line) })
	}
	return out, nil
}

// instances are the addresses under which a node_exporter told of a host of that name.
func (s *Store) instances(ctx context.Context, p project.ID, name string, from, to time.Time) ([]string, error) {
	answer, err := s.metrics.Instant(ctx, p, fmt.Sprintf("group by (instance) (last_over_time(node_uname_info{nodename=%q}[%ds]))", name, int(to.Sub(from).Seconds())+1), to, 0)
	if err != nil {
		return nil, fmt.Errorf("find host: %w", err)
	}
	defer answer.Release()
	var all []string
	for _, sample := range answer.Value.(promql.Vector) {
		all = append(all, sample.Metric.Get("instance"))
	}
	return all, nil
}

// stepOf is how far apart the points of charts are.
func stepOf(d time.Duration) time.Duration {
	for _, s := range []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour} {
		if d/s <= chartSteps {
			return s
		}
	}
	return 24 * time.Hour
}
