package usage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Scope is what somebody may see of the use of models: the calls of these
// projects, and of them those of a person only when that is not 0. Without a
// project there is nothing to see.
type Scope struct {
	Projects []project.ID
	Person   int64
}

// Query asks what was used of models in [From, To).
type Query struct {
	From, To time.Time
	By       string            // of Dimensions; "" adds up all
	Where    map[string]string // value by dimension
	// Before compares with the time before that is as long.
	Before bool
}

// Dimensions are what use is told apart by, with the column of each.
var Dimensions = map[string]string{
	"org": "org_id", "group": "group_id", "project": "project_id", "person": "person", "token": "token",
	"purpose": "purpose", "role": "role", "provider": "provider", "model": "model",
}

// Used is what was used of models.
type Used struct {
	Calls            uint64 `json:"calls"`
	Failed           uint64 `json:"failed" doc:"calls that no model answered"`
	InputTokens      uint64 `json:"input_tokens" doc:"cached and cache_write included"`
	CachedTokens     uint64 `json:"cached_tokens"`
	CacheWriteTokens uint64 `json:"cache_write_tokens"`
	OutputTokens     uint64 `json:"output_tokens" doc:"reasoning included"`
	ReasoningTokens  uint64 `json:"reasoning_tokens"`
	// CostUSD is nil when no call has a known cost.
	CostUSD        *float64 `json:"cost_usd" doc:"of the calls whose cost is known; null when there are none"`
	Unpriced       uint64   `json:"unpriced" doc:"calls with tokens whose cost is not known: they are in no cost"`
	UnpricedTokens uint64   `json:"unpriced_tokens"`
	LatencyAvgMs   float64  `json:"latency_avg_ms"`
	LatencyP95Ms   float64  `json:"latency_p95_ms"`
}

// Row is what one of a dimension used.
type Row struct {
	Key    string `json:"key" doc:"number or name; of a person and a token 0 for none"`
	Name   string `json:"name" doc:"of the one the key numbers, empty when it has none"`
	Used   Used   `json:"used"`
	Before *Used  `json:"before" doc:"in the time before that is as long; null when it is not compared or used nothing"`
}

// Series is what one of a dimension used, step by step.
type Series struct {
	Key    string     `json:"key" doc:"empty for the others together"`
	Others bool       `json:"others"`
	Calls  []uint64   `json:"calls"`
	Tokens []uint64   `json:"tokens" doc:"of questions and answers"`
	Cost   []*float64 `json:"cost" doc:"null where none is known"`
	Failed []uint64   `json:"failed"`
}

// Narrowing is one of a dimension that a report is narrowed to.
type Narrowing struct {
	By   string `json:"by"`
	Key  string `json:"key"`
	Name string `json:"name" doc:"of the one the key numbers, empty when it has none or nothing was used"`
}

// Report is what was used of models over a time.
type Report struct {
	From   time.Time   `json:"from" doc:"as asked, to the whole hour when it is longer ago than the hour before this one"`
	To     time.Time   `json:"to"`
	By     string      `json:"by"`
	Where  []Narrowing `json:"where" doc:"what it is narrowed to"`
	Total  Used        `json:"total"`
	Before *Used       `json:"before" doc:"null when it is not compared"`
	Rows   []Row       `json:"rows" doc:"the most expensive first, then those of the most tokens; at most 500"`
	Keys   uint64      `json:"keys" doc:"how many there are in all"`
	Step   int64       `json:"step" doc:"seconds"`
	At     []int64     `json:"at" doc:"when each step begins, Unix seconds"`
	Series []Series    `json:"series" doc:"of the first rows, and the others together"`
}

const (
	maxRows = 500
	drawn   = 7
	maxDays = 93
)

// steps are the widths of a step that a chart has.
var steps = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 24 * time.Hour}

const mostSteps = 130

func stepOf(from, to time.Time, rolled bool) time.Duration {
	for _, step := range steps {
		if (!rolled || step >= time.Hour) && to.Sub(from) <= mostSteps*step {
			return step
		}
	}
	return steps[len(steps)-1]
}

// Report adds up what a scope used of models. Calls that were counted again count
// as they were then, and each once. Errors: fault.Invalid.
func (l *Ledger) Report(ctx context.Context, scope Scope, q Query) (*Report, error) {
	if !q.From.Before(q.To) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	if q.To.Sub(q.From) > maxDays*24*time.Hour {
		return nil, fault.New(fault.Invalid, "at most %d days are added up at once", maxDays).WithField("from")
	}
	if q.By != "" && Dimensions[q.By] == "" {
		return nil, fault.New(fault.Invalid, "use is not told apart by %q", q.By).WithField("by")
	}
	for name := range q.Where {
		if Dimensions[name] == "" {
			return nil, fault.New(fault.Invalid, "use is not told apart by %q", name).WithField(name)
		}
	}
	now := l.now().UTC()
	rolled := rolledBefore(now)
	q.From, q.To = q.From.UTC(), q.To.UTC()
	old := q.From.Before(rolled)
	if old {
		q.From = q.From.Truncate(time.Hour)
	}
	if q.To.Before(rolled) && !q.To.Equal(q.To.Truncate(time.Hour)) {
		q.To = q.To.Truncate(time.Hour).Add(time.Hour)
	}
	step := stepOf(q.From, q.To, old)
	report := &Report{From: q.From, To: q.To, By: q.By, Where: narrowed(q.Where), Rows: []Row{}, Series: []Series{}, Step: int64(step / time.Second), At: []int64{}}
	for at := q.From.Truncate(step); at.Before(q.To); at = at.Add(step) {
		report.At = append(report.At, at.Unix())
	}
	if len(scope.Projects) == 0 {
		return report, nil
	}
	if err := l.fill(ctx, scope, q, rolled, report); err != nil {
		return nil, fmt.Errorf("add up the use of models: %w", err)
	}
	return report, nil
}

// narrowed lists what a query is narrowed to, by the name of the dimension.
func narrowed(where map[string]string) []Narrowing {
	all := make([]Narrowing, 0, len(where))
	for _, by := range slices.Sorted(maps.Keys(where)) {
		all = append(all, Narrowing{By: by, Key: where[by]})
	}
	return all
}

func (l *Ledger) fill(ctx context.Context, scope Scope, q Query, rolled time.Time, report *Report) error {
	s := span{from: q.From, now: q.From, to: q.To, rolled: rolled, step: report.Step}
	if q.Before {
		report.Before = &Used{}
		if s.from = q.From.Add(-q.To.Sub(q.From)); s.from.Before(rolled) {
			s.from = s.from.Round(time.Hour) // as whole hours are added up
		}
	}
	rows, err := l.usedBy(ctx, scope, &q, s)
	if err != nil {
		return err
	}
	of := map[string]int{}
	for i := range rows {
		row, used := &rows[i], rows[i].used()
		switch {
		case row.Whole > 0 && row.Present > 0:
			report.Total = used
		case row.Whole > 0:
			report.Before = &used
		case row.Present > 0:
			of[row.Key], report.Keys = len(report.Rows), row.Keys
			report.Rows = append(report.Rows, Row{Key: row.Key, Used: used})
		default:
			report.Rows[of[row.Key]].Before = &used // the present comes first
		}
	}
	if len(report.Rows) == 0 {
		return nil
	}
	s.from = s.now
	steps, err := l.usedOver(ctx, scope, &q, s, report.drawn())
	if err != nil {
		return err
	}
	report.draw(steps)
	return nil
}

// drawn are the keys of the rows that are drawn by themselves.
func (r *Report) drawn() []string {
	keys := make([]string, 0, drawn)
	for i := range min(len(r.Rows), drawn) {
		keys = append(keys, r.Rows[i].Key)
	}
	return keys
}

// draw makes the series of a chart: the first rows by themselves, the rest as one.
func (r *Report) draw(steps []usedRow) {
	index := map[int64]int{}
	for i, at := range r.At {
		index[at] = i
	}
	series := map[string]*Series{}
	add := func(key string, others bool) *Series {
		n := len(r.At)
		r.Series = append(r.Series, Series{Key: key, Others: others, Calls: make([]uint64, n), Tokens: make([]uint64, n), Cost: make([]*float64, n), Failed: make([]uint64, n)})
		return &r.Series[len(r.Series)-1]
	}
	own := r.drawn()
	r.Series = slices.Grow(r.Series, len(own)+1)
	for _, key := range own {
		series[key] = add(key, false)
	}
	var others *Series
	for i := range steps {
		row := &steps[i]
		at, known := index[row.At]
		if !known {
			continue
		}
		s := series[row.Key]
		if row.Others > 0 {
			if others == nil {
				others = add("", true)
			}
			s = others
		}
		s.Calls[at] += row.Calls
		s.Failed[at] += row.Failed
		s.Tokens[at] += row.Input + row.Output
		if usd := row.cost(); usd != nil {
			sum := *usd + *cmp.Or(s.Cost[at], new(float64))
			s.Cost[at] = &sum
		}
	}
}

// UnpricedModel is a model without a price for tokens it used.
type UnpricedModel struct {
	Owner        ai.Owner  `json:"org_id" doc:"whose provider it is; 0: the installation's"`
	Provider     string    `json:"provider" ch:"provider"`
	Model        string    `json:"model" ch:"model"`
	Attempts     uint64    `json:"attempts" ch:"attempts"`
	InputTokens  uint64    `json:"input_tokens" ch:"input"`
	OutputTokens uint64    `json:"output_tokens" ch:"output"`
	First        time.Time `json:"first" ch:"first"`
	Last         time.Time `json:"last" ch:"last"`
}

// Unpriced lists the models that used tokens in [from, to) whose price was not
// known, those of the most tokens first. It is for who administers the prices of
// the installation: it reads all projects and tells of none.
func (l *Ledger) Unpriced(ctx context.Context, from, to time.Time) ([]UnpricedModel, error) {
	return unpriced(from, to, func(models *[]UnpricedModel, params ...clickhouse.Param) error {
		return l.telemetry.SystemSelect(ctx, models, fmt.Sprintf(unpricedModels, ""), params...)
	})
}

// UnpricedOf lists those of an organisation's own providers, which calls of its
// projects asked.
func (l *Ledger) UnpricedOf(ctx context.Context, owner ai.Owner, projects []project.ID, from, to time.Time) ([]UnpricedModel, error) {
	if len(projects) == 0 || owner == ai.Shared {
		return []UnpricedModel{}, nil
	}
	return unpriced(from, to, func(models *[]UnpricedModel, params ...clickhouse.Param) error {
		return l.telemetry.SelectOf(ctx, projects, models, fmt.Sprintf(unpricedModels, ` AND project_id IN {projects:Array(UInt32)} AND startsWith(provider, {own:String})`),
			append(params, clickhouse.P("own", owner.Prefix()))...)
	})
}

// unpricedModels are the models without a price of the attempts that a further
// condition leaves.
const unpricedModels = `SELECT provider::String AS provider, model::String AS model, count() AS attempts, sum(input_tokens) AS input, sum(output_tokens) AS output, min(at) AS first, max(at) AS last
	FROM (SELECT provider, model, input_tokens, output_tokens, at, cost_usd FROM ai_attempts FINAL WHERE at >= {from:DateTime64(3)} AND at < {to:DateTime64(3)}%s)
	WHERE cost_usd IS NULL AND input_tokens + output_tokens > 0
	GROUP BY provider, model ORDER BY input + output DESC, provider, model LIMIT 200`

// unpriced reads models of a time range and tells whose providers they are of.
func unpriced(from, to time.Time, read func(*[]UnpricedModel, ...clickhouse.Param) error) ([]UnpricedModel, error) {
	if !from.Before(to) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	models := []UnpricedModel{}
	if err := read(&models, clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC())); err != nil {
		return nil, fmt.Errorf("list models without a price: %w", err)
	}
	for i := range models {
		m := &models[i]
		m.Owner, m.Provider = ai.Owned(m.Provider)
	}
	return models, nil
}
