package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// chartSteps is how many points a chart has at most.
const chartSteps = 120

// maxGroups is how many endpoints, instances or versions of one service are told apart.
const maxGroups = 2000

// OneService selects one service.
type OneService struct {
	Range
	Service     string
	Environment string       // "" selects all
	Text        string       // part of the name of what is listed, in any case
	Order       ServiceOrder // of a list
	Limit       int          // default 100, at most 500
}

// ServiceSummary is what a service did in a range.
type ServiceSummary struct {
	Service      string    `json:"service"`
	Environments []string  `json:"environments"` // of the range; all, whichever is selected
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Compared
	Health ServiceHealth `json:"health"`
	Series Series        `json:"series"`
}

// Series is rate, errors and duration over time. A step in which nothing was
// recorded is missing from the points.
type Series struct {
	Step    int64    `json:"step"` // s
	Now     []Bucket `json:"now"`
	WeekAgo []Bucket `json:"week_ago"` // at the times they have a week later
}

// Bucket is one step of a series. A rate is over as much of the step as lies in the range.
type Bucket struct {
	At int64 `json:"at"` // when the step begins, in Unix seconds
	RED
}

// serviceFilter selects the rows of OneService.params in every rollup.
const serviceFilter = `service = {service:String} AND ({environment:String} = '' OR environment = {environment:String})`

func (q *OneService) params() []clickhouse.Param {
	return []clickhouse.Param{
		clickhouse.P("service", q.Service), clickhouse.P("environment", q.Environment), clickhouse.P("text", q.Text),
		clickhouse.P("limit", maxGroups),
	}
}

// Service sums up one service. Like all reads of one service it is NotFound when
// none of its transactions is still stored.
func (s *Store) Service(ctx context.Context, p project.ID, q OneService) (*ServiceSummary, error) {
	out := &ServiceSummary{Service: q.Service, From: q.From(), To: q.To()}
	var rows []redRow
	group, together := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := s.db.Select(together, p, &rows, `SELECT w, `+redSums+`
			FROM `+byService.over(redStates, serviceFilter, q.unit, q.windows()...)+` GROUP BY w`, q.params()...)
		if err != nil {
			return fmt.Errorf("sum up service: %w", err)
		}
		return nil
	})
	group.Go(func() (err error) {
		out.Environments, err = s.environments(together, p, q)
		return err
	})
	group.Go(func() (err error) {
		if out.Series, err = s.series(together, p, q.Range, byService, serviceFilter, q.params()); err != nil {
			return fmt.Errorf("draw service: %w", err)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if err := s.known(ctx, p, q); err != nil {
			return nil, err
		}
	}
	for _, r := range rows {
		out.set(r.Window, r.red(q.seconds(r.Window)))
	}
	out.Health = judge(&out.Compared)
	return out, nil
}

// environments lists those of a service in the range.
func (s *Store) environments(ctx context.Context, p project.ID, q OneService) ([]string, error) {
	var rows []struct {
		Environment string `ch:"environment"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT DISTINCT toString(environment) AS environment
		FROM `+byService.over("environment", "service = {service:String}", q.unit, q.window)+` ORDER BY environment LIMIT 100`, q.params()...)
	if err != nil {
		return nil, fmt.Errorf("list environments: %w", err)
	}
	names := make([]string, 0, len(rows))
	for _, r := range rows {
		if r.Environment != "" {
			names = append(names, r.Environment)
		}
	}
	return names, nil
}

// known returns NotFound when nothing of the service is stored, whenever it was:
// asked when a range holds nothing of it.
func (s *Store) known(ctx context.Context, p project.ID, q OneService) error {
	var rows []struct {
		One uint8 `ch:"one"`
	}
	err := s.db.Select(ctx, p, &rows, `SELECT toUInt8(1) AS one FROM service_hour
		WHERE project_id = {project:UInt32} AND service = {service:String} LIMIT 1`, q.params()...)
	if err != nil {
		return fmt.Errorf("look for service: %w", err)
	}
	if len(rows) == 0 {
		return fault.New(fault.NotFound, "no service of this name has run a transaction that is still stored")
	}
	return nil
}

// series reads a rollup over time, beside a week before.
func (s *Store) series(ctx context.Context, p project.ID, r Range, from rollup, filter string, params []clickhouse.Param) (Series, error) {
	step := r.step(chartSteps)
	series := Series{Step: step, Now: []Bucket{}, WeekAgo: []Bucket{}}
	var rows []struct {
		At int64 `ch:"at"`
		redRow
	}
	err := s.db.Select(ctx, p, &rows, fmt.Sprintf(`SELECT w, intDiv(t, %d) * %d AS at, %s FROM %s GROUP BY w, at ORDER BY at`,
		step, step, redSums, from.over(redStates, filter, step, r.window, r.before(week))), params...)
	for _, row := range rows {
		bucket := Bucket{At: row.At, RED: row.red(r.covered(row.Window, row.At, step))}
		if row.Window == present {
			series.Now = append(series.Now, bucket)
		} else {
			series.WeekAgo = append(series.WeekAgo, bucket)
		}
	}
	return series, err
}

// Endpoint is one endpoint of a service: its transactions of one name.
type Endpoint struct {
	Endpoint string `json:"endpoint"`
	Compared
}

// Endpoints lists what a service does, by time spent unless ordered otherwise.
func (s *Store) Endpoints(ctx context.Context, p project.ID, q OneService) (Top[Endpoint], error) {
	top := Top[Endpoint]{Items: []Endpoint{}}
	limit, err := limited(q.Limit)
	if err != nil {
		return top, err
	}
	var rows []struct {
		Operation string `ch:"operation"`
		redRow
	}
	filter := serviceFilter + " AND entry AND ({text:String} = '' OR positionCaseInsensitiveUTF8(operation, {text:String}) > 0)"
	err = s.db.Select(ctx, p, &rows, `SELECT w, operation, `+redSums+`
		FROM `+byOperation.over("operation, "+redStates, filter, q.unit, q.windows()...)+`
		GROUP BY w, operation ORDER BY n DESC LIMIT {limit:UInt32} BY w`, q.params()...)
	if err != nil {
		return top, fmt.Errorf("list endpoints: %w", err)
	}
	if len(rows) == 0 {
		return top, s.known(ctx, p, q)
	}
	at := map[string]int{}
	for _, r := range rows {
		i, ok := at[r.Operation]
		if !ok {
			i = len(top.Items)
			at[r.Operation] = i
			top.Items = append(top.Items, Endpoint{Endpoint: r.Operation})
		}
		top.Items[i].set(r.Window, r.red(q.seconds(r.Window)))
	}
	order := cmp.Or(q.Order, ByTime)
	slices.SortFunc(top.Items, func(a, b Endpoint) int {
		return cmp.Or(order.compare(&a.Compared, &b.Compared, judge(&a.Compared), judge(&b.Compared)), strings.Compare(a.Endpoint, b.Endpoint))
	})
	top.Total = uint64(len(top.Items))
	top.Items = top.Items[:min(limit, len(top.Items))]
	return top, nil
}

// Instance is one running copy of a service.
type Instance struct {
	Instance    string    `json:"instance"` // "" when it does not say
	Environment string    `json:"environment"`
	Versions    []string  `json:"versions"` // that it ran in the range, by name
	LastSeen    time.Time `json:"last_seen"`
	RED
}

// ServiceVersion is one version of a service.
type ServiceVersion struct {
	Version   string    `json:"version"`    // "" when it does not say
	FirstSeen time.Time `json:"first_seen"` // of all that is stored
	LastSeen  time.Time `json:"last_seen"`  // in the range
	Instances int       `json:"instances"`
	RED
}

// Of single transactions, by the time they ended.
const serviceTransactions = `FROM transactions
	WHERE project_id = {project:UInt32} AND ended >= {from:DateTime64(9)} AND ended < {to:DateTime64(9)} AND ` + serviceFilter

func (q *OneService) exact() []clickhouse.Param {
	return append(q.params(), clickhouse.P("from", q.From()), clickhouse.P("to", q.To()))
}

// Instances lists the instances of a service, those with the most transactions
// first unless ordered otherwise.
func (s *Store) Instances(ctx context.Context, p project.ID, q OneService) (Top[Instance], error) {
	top := Top[Instance]{Items: []Instance{}}
	limit, err := limited(q.Limit)
	if err != nil {
		return top, err
	}
	var rows []struct {
		Instance    string    `ch:"instance"`
		Environment string    `ch:"environment"`
		Versions    []string  `ch:"versions"`
		Last        time.Time `ch:"last"`
		redRow
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT toUInt8(0) AS w, toString(instance) AS instance, toString(environment) AS environment,
			arraySort(groupUniqArray(20)(toString(version))) AS versions, max(ended) AS last, `+redRaw+`
		`+serviceTransactions+` AND ({text:String} = '' OR positionCaseInsensitiveUTF8(instance, {text:String}) > 0)
		GROUP BY instance, environment ORDER BY n DESC, instance LIMIT {limit:UInt32}`, q.exact()...)
	if err != nil {
		return top, fmt.Errorf("list instances: %w", err)
	}
	if len(rows) == 0 {
		return top, s.known(ctx, p, q)
	}
	for _, r := range rows {
		top.Items = append(top.Items, Instance{
			Instance: r.Instance, Environment: r.Environment, LastSeen: r.Last.UTC(), RED: r.red(q.seconds(present)),
			Versions: slices.DeleteFunc(r.Versions, func(v string) bool { return v == "" }),
		})
	}
	slices.SortStableFunc(top.Items, func(a, b Instance) int { return cmp.Or(q.Order, ByRate).red(&a.RED, &b.RED) })
	top.Total = uint64(len(top.Items))
	top.Items = top.Items[:min(limit, len(top.Items))]
	return top, nil
}

// Versions lists the versions of a service that ran in the range, the newest
// first. When a version was first seen is read from all that is stored.
func (s *Store) Versions(ctx context.Context, p project.ID, q OneService) (Top[ServiceVersion], error) {
	top := Top[ServiceVersion]{Items: []ServiceVersion{}}
	limit, err := limited(q.Limit)
	if err != nil {
		return top, err
	}
	var rows []struct {
		Version   string    `ch:"version"`
		Last      time.Time `ch:"last"`
		Instances uint64    `ch:"instances"`
		redRow
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT toUInt8(0) AS w, toString(version) AS version, max(ended) AS last, uniqExact(instance) AS instances, `+redRaw+`
		`+serviceTransactions+` AND ({text:String} = '' OR positionCaseInsensitiveUTF8(version, {text:String}) > 0)
		GROUP BY version ORDER BY n DESC, version LIMIT {limit:UInt32}`, q.exact()...)
	if err != nil {
		return top, fmt.Errorf("list versions: %w", err)
	}
	if len(rows) == 0 {
		return top, s.known(ctx, p, q)
	}
	var first []struct {
		Version string    `ch:"version"`
		First   time.Time `ch:"first"`
	}
	err = s.db.Select(ctx, p, &first, `SELECT toString(version) AS version, min(ended) AS first FROM transactions
		WHERE project_id = {project:UInt32} AND ended < {to:DateTime64(9)} AND `+serviceFilter+`
		GROUP BY version`, q.exact()...)
	if err != nil {
		return top, fmt.Errorf("date versions: %w", err)
	}
	born := make(map[string]time.Time, len(first))
	for _, f := range first {
		born[f.Version] = f.First.UTC()
	}
	for _, r := range rows {
		top.Items = append(top.Items, ServiceVersion{
			Version: r.Version, FirstSeen: born[r.Version], LastSeen: r.Last.UTC(), Instances: int(r.Instances),
			RED: r.red(q.seconds(present)),
		})
	}
	slices.SortStableFunc(top.Items, func(a, b ServiceVersion) int { return b.FirstSeen.Compare(a.FirstSeen) })
	top.Total = uint64(len(top.Items))
	top.Items = top.Items[:min(limit, len(top.Items))]
	return top, nil
}
