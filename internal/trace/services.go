package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Limits of lists that are not paged: they hold the first ones in their order,
// and say how many there are.
const (
	defaultTop = 100
	maxTop     = 500
	// maxServices is how many services are ranked at all, those with the most transactions.
	maxServices = 1000
	// sparkSteps is how many points a sparkline has at most.
	sparkSteps = 30
)

// Top is the beginning of a list, and how long the whole list is.
type Top[T any] struct {
	Items []T    `json:"items"`
	Total uint64 `json:"total"` // of the whole list
}

// ServiceOrder is the order of a list of services, endpoints, instances or versions.
type ServiceOrder string

// The orders; all but ByName with the largest first.
const (
	ByHealth ServiceOrder = "worst"
	ByName   ServiceOrder = "name"
	ByRate   ServiceOrder = "rate"
	ByErrors ServiceOrder = "errors"
	ByP95    ServiceOrder = "p95"
	ByTime   ServiceOrder = "time" // all durations added up
)

// ServiceQuery selects services; a zero field selects all.
type ServiceQuery struct {
	Range
	Environment string
	Text        string       // part of the name, in any case
	Order       ServiceOrder // default ByHealth
	Limit       int          // default 100, at most 500
}

// Service is one service in a list.
type Service struct {
	Service      string   `json:"service"`
	Environments []string `json:"environments"`
	Compared
	Health ServiceHealth `json:"health"`
	Spark  Spark         `json:"spark"`
}

// Spark is a service over time in little. What nothing was recorded of is null.
type Spark struct {
	Start     int64      `json:"start"` // of the first step, in Unix seconds
	Step      int64      `json:"step"`  // s
	PerSecond []*float64 `json:"per_second"`
	P95Ns     []*float64 `json:"p95_ns"`
}

// limited returns how many items a list of at most limit has.
func limited(limit int) (int, error) {
	if limit < 0 || limit > maxTop {
		return 0, fault.New(fault.Invalid, "limit %d is not between 1 and %d", limit, maxTop).WithField("limit")
	}
	return cmp.Or(limit, defaultTop), nil
}

// Services lists the services that ran a transaction in the range or, of those
// it is compared with, a day or a week before it.
func (s *Store) Services(ctx context.Context, p project.ID, q ServiceQuery) (Top[Service], error) {
	top := Top[Service]{Items: []Service{}}
	limit, err := limited(q.Limit)
	if err != nil {
		return top, err
	}
	const filter = `({environment:String} = '' OR environment = {environment:String})
		AND ({text:String} = '' OR positionCaseInsensitiveUTF8(service, {text:String}) > 0)`
	params := []clickhouse.Param{clickhouse.P("environment", q.Environment), clickhouse.P("text", q.Text)}
	var rows []struct {
		Service      string   `ch:"service"`
		Environments []string `ch:"environments"`
		redRow
	}
	// The two reads take as long as each other, and little of it is reading.
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := s.db.Select(both, p, &rows, `
			SELECT w, service, arraySort(groupUniqArray(20)(environment)) AS environments, `+redSums+`
			FROM `+byService.over("service, toString(environment) AS environment, "+redStates, filter, q.unit, q.windows()...)+`
			GROUP BY w, service ORDER BY n DESC LIMIT {limit:UInt32} BY w`, append(params[:len(params):len(params)], clickhouse.P("limit", maxServices))...)
		if err != nil {
			return fmt.Errorf("list services: %w", err)
		}
		return nil
	})
	var points []sparkPoint
	group.Go(func() (err error) {
		points, err = s.sparkPoints(both, p, q, filter, params)
		return err
	})
	if err := group.Wait(); err != nil {
		return top, err
	}
	at := map[string]int{}
	for _, r := range rows {
		i, ok := at[r.Service]
		if !ok {
			i = len(top.Items)
			at[r.Service] = i
			top.Items = append(top.Items, Service{Service: r.Service, Environments: []string{}})
		}
		item := &top.Items[i]
		item.set(r.Window, r.red(q.seconds(r.Window)))
		for _, e := range r.Environments {
			if e != "" && !slices.Contains(item.Environments, e) {
				item.Environments = append(item.Environments, e)
			}
		}
	}
	for i := range top.Items {
		top.Items[i].Health = judge(&top.Items[i].Compared)
	}
	top.Total = uint64(len(top.Items))
	slices.SortFunc(top.Items, func(a, b Service) int {
		return cmp.Or(q.Order.compare(&a.Compared, &b.Compared, a.Health, b.Health), strings.Compare(a.Service, b.Service))
	})
	top.Items = top.Items[:min(limit, len(top.Items))]
	if len(points) > maxSparkPoints {
		names := make([]string, len(top.Items))
		for i := range names {
			names[i] = top.Items[i].Service
		}
		points, err = s.sparkPoints(ctx, p, q, filter+" AND service IN {services:Array(String)}", append(params[:len(params):len(params)], clickhouse.P("services", names)))
		if err != nil {
			return top, err
		}
	}
	addSparks(q, top.Items, points)
	return top, nil
}

// compare says which of two comes first in the order, 0 for those that are
// alike or ordered by name.
func (o ServiceOrder) compare(a, b *Compared, ofA, ofB ServiceHealth) int {
	if o == "" || o == ByHealth {
		return cmp.Or(cmp.Compare(ofB.weight, ofA.weight), cmp.Compare(b.Now.Count, a.Now.Count))
	}
	return o.red(&a.Now, &b.Now)
}

// red is compare for what has no past.
func (o ServiceOrder) red(a, b *RED) int {
	switch o {
	case ByRate:
		return cmp.Compare(b.Count, a.Count)
	case ByErrors:
		return cmp.Compare(b.ErrorShare, a.ErrorShare)
	case ByP95:
		return cmp.Compare(b.P95Ns, a.P95Ns)
	case ByTime:
		return cmp.Compare(b.TotalNs, a.TotalNs)
	default:
		return 0
	}
}

// sparkPoint is a service in one step of a sparkline.
type sparkPoint struct {
	Service string  `ch:"service"`
	At      int64   `ch:"at"`
	Count   uint64  `ch:"n"`
	P95     float64 `ch:"p95"`
}

// maxSparkPoints is how many points are read before it is known whose are shown.
const maxSparkPoints = maxServices * sparkSteps

// sparkPoints reads the sparklines of the services that filter selects, at most
// one point more than maxSparkPoints.
func (s *Store) sparkPoints(ctx context.Context, p project.ID, q ServiceQuery, filter string, params []clickhouse.Param) ([]sparkPoint, error) {
	step := q.step(sparkSteps)
	var points []sparkPoint
	err := s.db.Select(ctx, p, &points, fmt.Sprintf(`
		SELECT service, intDiv(t, %d) * %d AS at, sum(count) AS n, quantilesDDMerge(0.02, 0.95)(duration_state)[1] AS p95
		FROM %s GROUP BY service, at LIMIT {limit:UInt32}`, step, step,
		byService.over("service, count, duration_state", filter, step, q.window)),
		append(params[:len(params):len(params)], clickhouse.P("limit", maxSparkPoints+1))...)
	if err != nil {
		return nil, fmt.Errorf("draw services: %w", err)
	}
	return points, nil
}

// addSparks fills in the sparklines. Points of other services are passed over.
func addSparks(q ServiceQuery, items []Service, points []sparkPoint) {
	step := q.step(sparkSteps)
	first := q.from - q.from%step
	n := (ceil(q.to, step) - first) / step
	at := make(map[string]*Spark, len(items))
	for i := range items {
		items[i].Spark = Spark{Start: first, Step: step, PerSecond: make([]*float64, n), P95Ns: make([]*float64, n)}
		at[items[i].Service] = &items[i].Spark
	}
	for _, point := range points {
		spark := at[point.Service]
		if spark == nil {
			continue
		}
		i := (point.At - first) / step
		perSecond := float64(point.Count) / q.covered(present, point.At, step)
		spark.PerSecond[i], spark.P95Ns[i] = &perSecond, &point.P95
	}
}
