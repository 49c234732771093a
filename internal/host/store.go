package host

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	// defaultTop and maxTop bound the list, which is not paged.
	defaultTop, maxTop = 100, 500
	// silentAfter is how old a host's last sample may be: Prometheus' own 5 minutes.
	silentAfter = 5 * time.Minute
	// maxCourse is how far back the list looks for hosts that are silent now, and courseSteps how finely.
	maxCourse   = 6 * time.Hour
	courseSteps = 60
	// placedWithin is how far back the list looks for what runs on the hosts.
	placedWithin = 15 * time.Minute
	// chartSteps is how many points a chart has at most.
	chartSteps = 90
)

// Store reads hosts. It is safe for concurrent use.
type Store struct {
	metrics *metric.Engine
	traces  *trace.Store
}

// NewStore returns a Store over the metrics and the spans.
func NewStore(metrics *metric.Engine, traces *trace.Store) *Store {
	return &Store{metrics: metrics, traces: traces}
}

// Host is one machine as it was at the end of the range. What it does not tell
// of is null; rates are over the last 5 minutes.
type Host struct {
	Host              string            `json:"host"`
	Health            Health            `json:"health"`
	CPU               *float64          `json:"cpu"` // share of all cores that is not idle
	Cores             *float64          `json:"cores"`
	Memory            *float64          `json:"memory"` // share in use
	MemoryBytes       *float64          `json:"memory_bytes"`
	Disk              *float64          `json:"disk"` // used share of the fullest file system
	DiskMount         string            `json:"disk_mount"`
	ReceivePerSecond  *float64          `json:"receive_bytes_per_second"`
	TransmitPerSecond *float64          `json:"transmit_bytes_per_second"`
	Load              *float64          `json:"load"` // average of the last minute
	Processes         *float64          `json:"processes"`
	LastSeen          time.Time         `json:"last_seen"`
	Spark             LoadSpark         `json:"spark"`
	Services          []trace.Placement `json:"services"` // that ran transactions on it
}

// LoadSpark is the load of a host over time in little. Where it was silent is null.
type LoadSpark struct {
	Start int64      `json:"start"` // of the first step, in Unix seconds
	Step  int64      `json:"step"`  // s
	Load  []*float64 `json:"load"`
}

// Query selects hosts; a zero field selects all.
type Query struct {
	From, To time.Time
	Text     string // part of the name, or of a service's on it, in any case
	Order    Order  // default ByHealth
	Limit    int    // default 100, at most 500
}

// Order is the order of a list of hosts.
type Order string

// The orders; all but ByName with the largest first.
const (
	ByHealth  Order = "worst"
	ByName    Order = "name"
	ByCPU     Order = "cpu"
	ByMemory  Order = "memory"
	ByDisk    Order = "disk"
	ByNetwork Order = "network"
	ByLoad    Order = "load"
)

// Hosts lists the machines that were heard of in the range, of which at most the
// last 6 hours count, with what they do at its end.
func (s *Store) Hosts(ctx context.Context, p project.ID, q Query, now time.Time) (trace.Top[Host], error) {
	top := trace.Top[Host]{Items: []Host{}}
	if q.Limit < 0 || q.Limit > maxTop {
		return top, fault.New(fault.Invalid, "limit %d is not between 1 and %d", q.Limit, maxTop).WithField("limit")
	}
	to, err := until(q.From, q.To, now)
	if err != nil {
		return top, err
	}
	found, err := s.find(ctx, p, everyHost, later(q.From, to.Add(-maxCourse)), to)
	if err != nil || len(found) == 0 {
		return top, err
	}
	if err := s.place(ctx, p, found, to.Add(-placedWithin), to, now, ""); err != nil {
		return top, err
	}
	text := strings.ToLower(q.Text)
	for _, h := range found {
		if text == "" || strings.Contains(strings.ToLower(h.Host), text) ||
			slices.ContainsFunc(h.Services, func(s trace.Placement) bool { return strings.Contains(strings.ToLower(s.Service), text) }) {
			top.Items = append(top.Items, *h)
		}
	}
	top.Total = uint64(len(top.Items))
	slices.SortFunc(top.Items, func(a, b Host) int { return cmp.Or(q.Order.compare(&a, &b), strings.Compare(a.Host, b.Host)) })
	top.Items = top.Items[:min(cmp.Or(q.Limit, defaultTop), len(top.Items))]
	return top, nil
}

// until returns the end of the range, which is not in the future.
func until(from, to, now time.Time) (time.Time, error) {
	if !from.Before(to) {
		return to, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	if to.After(now) && from.Before(now) {
		to = now
	}
	return to, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (o Order) compare(a, b *Host) int {
	value := map[Order]func(*Host) float64{
		ByCPU:     func(h *Host) float64 { return known(h.CPU) },
		ByMemory:  func(h *Host) float64 { return known(h.Memory) },
		ByDisk:    func(h *Host) float64 { return known(h.Disk) },
		ByNetwork: func(h *Host) float64 { return known(h.ReceivePerSecond) + known(h.TransmitPerSecond) },
		ByLoad:    func(h *Host) float64 { return known(h.Load) },
	}[o]
	switch {
	case o == ByName:
		return 0
	case value == nil:
		return cmp.Or(cmp.Compare(b.Health.weight, a.Health.weight), cmp.Compare(known(b.CPU), known(a.CPU)))
	}
	return cmp.Compare(value(b), value(a))
}

// known is a value to compare by: what is not known comes last.
func known(v *float64) float64 {
	if v == nil {
		return -1
	}
	return *v
}

// find returns the hosts that matchers select, by name, as they are at to, and
// their load from from on.
func (s *Store) find(ctx context.Context, p project.ID, of matchers, from, to time.Time) (map[string]*Host, error) {
	step := max(to.Sub(from)/courseSteps, time.Minute).Truncate(time.Second)
	steps := int(to.Sub(from)/step) + 1
	from = to.Add(-time.Duration(steps-1) * step) // the last step is the end: what was heard until then counts
	answer, err := s.metrics.Instant(ctx, p, query(state, of, silentAfter), to, 0)
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	defer answer.Release()
	over, err := s.metrics.Range(ctx, p, query(course, of, silentAfter), from, to, step, max(silentAfter, step))
	if err != nil {
		return nil, fmt.Errorf("read the course of hosts: %w", err)
	}
	defer over.Release()

	now := answer.Value.(promql.Vector)
	names := map[string]string{}
	for _, sample := range now {
		if sample.Metric.Get("measure") == "name" {
			names[sample.Metric.Get("instance")] = sample.Metric.Get("nodename")
		}
	}
	found := map[string]*Host{}
	for _, series := range over.Value.(promql.Matrix) {
		h := hostOf(found, names, series.Metric)
		if series.Metric.Get("measure") == "load" {
			h.Spark = LoadSpark{Start: from.Unix(), Step: int64(step / time.Second), Load: onSteps(series.Floats, from, step, steps)}
			continue
		}
		for _, f := range series.Floats {
			if at := time.UnixMilli(int64(f.F * 1000)).UTC(); at.After(h.LastSeen) {
				h.LastSeen = at
			}
		}
	}
	for _, sample := range now {
		if sample.Metric.Get("measure") == "name" || math.IsNaN(sample.F) || math.IsInf(sample.F, 0) {
			continue
		}
		hostOf(found, names, sample.Metric).set(sample.Metric.Get("measure"), sample.Metric.Get("line"), sample.F)
	}
	for name, h := range found {
		if h.LastSeen.IsZero() { // it tells of no memory
			delete(found, name)
			continue
		}
		h.Health = judge(h, to)
	}
	return found, nil
}

// hostOf returns the host that a series is of: node_exporter calls it what
// node_uname_info says, else by its address.
func hostOf(found map[string]*Host, names map[string]string, series labels.Labels) *Host {
	name := series.Get("host_name")
	if name == "" {
		instance := series.Get("instance")
		name = names[instance]
		if name == "" {
			name = instance
			if address, _, err := net.SplitHostPort(instance); err == nil {
				name = address
			}
		}
	}
	h := found[name]
	if h == nil {
		h = &Host{Host: name, Services: []trace.Placement{}, Spark: LoadSpark{Load: []*float64{}}}
		found[name] = h
	}
	return h
}

func (h *Host) set(measure, line string, v float64) {
	into := map[string]**float64{
		"cpu": &h.CPU, "cores": &h.Cores, "memory": &h.Memory, "memory_bytes": &h.MemoryBytes, "disk": &h.Disk,
		"receive": &h.ReceivePerSecond, "transmit": &h.TransmitPerSecond, "load": &h.Load, "processes": &h.Processes,
	}[measure]
	if measure == "disk" {
		if h.Disk != nil && *h.Disk >= v {
			return
		}
		h.DiskMount = line
	}
	*into = &v
}

// onSteps lays points out in their steps, null where there is none.
func onSteps(points []promql.FPoint, from time.Time, step time.Duration, steps int) []*float64 {
	values := make([]*float64, steps)
	for _, f := range points {
		i := int(time.UnixMilli(f.T).Sub(from) / step)
		if i >= 0 && i < steps && !math.IsNaN(f.F) && !math.IsInf(f.F, 0) {
			values[i] = &f.F
		}
	}
	return values
}

// place adds to hosts what ran on them.
func (s *Store) place(ctx context.Context, p project.ID, hosts map[string]*Host, from, to, now time.Time, one string) error {
	r, err := trace.NewRange(from, to, now)
	if err != nil {
		return err
	}
	placed, err := s.traces.Placements(ctx, p, r, one)
	if err != nil {
		return err
	}
	for _, each := range placed {
		if h := hosts[each.Host]; h != nil {
			h.Services = append(h.Services, each)
		}
	}
	return nil
}
