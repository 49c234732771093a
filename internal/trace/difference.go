package trace

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	differenceSample  = 10_000  // transactions of the selection, and as many of the rest
	differenceGroups  = 200_000 // distinct values read; beyond them the rarest are left out
	maxDifferences    = 40
	valuesOfAttribute = 3
	leastZ            = 3.0 // standard errors: less may be chance
	leastCount        = 5   // of a value on both sides: the test says nothing about fewer
)

// Selection is a rectangle of a scatter. Zero fields select all.
type Selection struct {
	From, To               time.Time // by the time they ended; To is exclusive
	MinElapsed, MaxElapsed time.Duration
	Failed                 *bool // nil: both
}

// Difference is a value that is more, or less, frequent in a selection than in
// the rest. Shares are of 0 to 1 of the transactions looked at.
type Difference struct {
	Attribute string  `json:"attribute" doc:"as the search language names it"`
	Value     string  `json:"value"`
	Selected  float64 `json:"selected" doc:"share of the selected transactions that have it"`
	Rest      float64 `json:"rest" doc:"share of the rest"`
	// Score is Youden's J (W. J. Youden, Index for rating diagnostic tests, Cancer
	// 3, 1950): Selected − Rest, from −1 (all of the rest and none of the
	// selection) over 0 (no difference) to 1 (the other way round).
	Score   float64 `json:"score"`
	Support uint64  `json:"support" doc:"selected transactions looked at that have it"`
}

// Differences says how a selection of transactions differs from the rest.
type Differences struct {
	Selected      uint64       `json:"selected" doc:"transactions selected"`
	Rest          uint64       `json:"rest"`
	SelectedShown uint64       `json:"selected_sample" doc:"how many of them were looked at, chosen by chance"`
	RestShown     uint64       `json:"rest_sample"`
	Items         []Difference `json:"items"`
}

// Differences ranks the attributes of the transactions of q by how unevenly
// they occur in the selection and in the rest: by the size of Score, among
// those whose difference is at least three standard errors of the two-proportion
// z-test (pooled). At most three values of an attribute, 40 in all.
func (s *Store) Differences(ctx context.Context, p project.ID, q TransactionQuery, sel Selection) (Differences, error) {
	out := Differences{Items: []Difference{}}
	if err := q.check(); err != nil {
		return out, err
	}
	if sel == (Selection{}) {
		return out, fault.New(fault.Invalid, "the selection selects everything: there is no rest to compare with").WithField("selection")
	}
	where, params, err := s.filter(ctx, p, &q)
	if err != nil {
		return out, err
	}
	params = append(params, sel.params()...)
	var sizes []struct {
		Selected uint64 `ch:"selected"`
		Rest     uint64 `ch:"rest"`
		Longest  uint64 `ch:"longest"`
	}
	if err := s.db.Select(ctx, p, &sizes, `SELECT countIf(`+selectionCondition+`) AS selected, countIf(NOT `+selectionCondition+`) AS rest, max(elapsed) AS longest
		FROM transactions WHERE `+where, params...); err != nil {
		return out, fmt.Errorf("count the selection: %w", err)
	}
	out.Selected, out.Rest = sizes[0].Selected, sizes[0].Rest
	if out.Selected == 0 || out.Rest == 0 {
		return out, nil
	}
	params = append(params,
		clickhouse.P("every_selected", 1+out.Selected/differenceSample), clickhouse.P("every_rest", 1+out.Rest/differenceSample),
		clickhouse.P("begin", q.From.Add(-time.Duration(min(sizes[0].Longest, math.MaxInt64))).UTC()), clickhouse.P("groups", differenceGroups))
	counted, err := s.countValues(ctx, p, where, params)
	if err != nil {
		return out, err
	}
	out.rank(counted)
	return out, nil
}

const selectionCondition = `(ended >= {sel_from:DateTime64(9)} AND ended < {sel_to:DateTime64(9)} AND elapsed >= {sel_min:UInt64}
	AND ({sel_max:UInt64} = 0 OR elapsed <= {sel_max:UInt64}) AND ({sel_failed:Int8} < 0 OR error = {sel_failed:Int8}))`

func (sel *Selection) params() []clickhouse.Param {
	from, to, failed := earliest, latest, -1
	if !sel.From.IsZero() {
		from = sel.From
	}
	if !sel.To.IsZero() {
		to = sel.To
	}
	if sel.Failed != nil {
		failed = 0
		if *sel.Failed {
			failed = 1
		}
	}
	return []clickhouse.Param{
		clickhouse.P("sel_from", from.UTC()), clickhouse.P("sel_to", to.UTC()), clickhouse.P("sel_min", uint64(max(sel.MinElapsed, 0))),
		clickhouse.P("sel_max", uint64(max(sel.MaxElapsed, 0))), clickhouse.P("sel_failed", failed),
	}
}

type countedValue struct {
	Attribute string `ch:"attribute"`
	Value     string `ch:"value"`
	Selected  uint64 `ch:"in_selected"`
	Rest      uint64 `ch:"in_rest"`
}

// countValues counts each value of each attribute in a sample of either side.
// The attribute "" counts the transactions themselves.
func (s *Store) countValues(ctx context.Context, p project.ID, where string, params []clickhouse.Param) ([]countedValue, error) {
	var rows []countedValue
	err := s.db.Select(ctx, p, &rows, `
		WITH chosen AS (SELECT span_id AS id, `+selectionCondition+` AS in_selection FROM transactions
			WHERE `+where+` AND cityHash64(trace_id, span_id) % if(in_selection, {every_selected:UInt64}, {every_rest:UInt64}) = 0)
		SELECT tupleElement(pair, 1) AS attribute, tupleElement(pair, 2) AS value, countIf(selected) AS in_selected, countIf(NOT selected) AS in_rest
		FROM (
			SELECT span_id IN (SELECT id FROM chosen WHERE in_selection) AS selected,
				arrayJoin(arrayConcat([('', ''), ('service', toString(service)), ('environment', toString(environment)), ('endpoint', toString(operation)),
					('instance', toString(instance)), ('version', toString(version)), ('exception', toString(exception_type)),
					('http', if(http_status = 0, '', toString(http_status))), ('status', if(status = 2, 'error', 'ok'))],
					arrayZip(arrayMap(k -> concat('attr.', k), attr_keys), attr_values))) AS pair
			FROM spans
			WHERE project_id = {project:UInt32} AND indexHint(start >= {begin:DateTime64(9)} AND start < {to:DateTime64(9)}
				AND toStartOfFiveMinutes(start) >= toStartOfFiveMinutes({begin:DateTime64(9)}) AND toStartOfFiveMinutes(start) <= {to:DateTime64(9)}) AND entry
				AND span_id IN (SELECT id FROM chosen)
		)
		GROUP BY attribute, value HAVING attribute = '' OR value != '' ORDER BY in_selected + in_rest DESC LIMIT {groups:UInt32}`, params...)
	if err != nil {
		return nil, fmt.Errorf("compare the selection: %w", err)
	}
	return rows, nil
}

// rank fills in everything but the sizes.
func (d *Differences) rank(counted []countedValue) {
	for _, c := range counted {
		if c.Attribute == "" {
			d.SelectedShown, d.RestShown = c.Selected, c.Rest
		}
	}
	n, m := float64(d.SelectedShown), float64(d.RestShown)
	if n == 0 || m == 0 {
		return
	}
	for _, c := range counted {
		a, b := float64(c.Selected)/n, float64(c.Rest)/m
		pooled := float64(c.Selected+c.Rest) / (n + m)
		z := (a - b) / math.Sqrt(pooled*(1-pooled)*(1/n+1/m))
		if c.Attribute == "" || c.Selected+c.Rest < leastCount || !(math.Abs(z) >= leastZ) { // of what all have z is not a number
			continue
		}
		d.Items = append(d.Items, Difference{Attribute: c.Attribute, Value: c.Value, Selected: a, Rest: b, Score: a - b, Support: c.Selected})
	}
	slices.SortFunc(d.Items, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Score), math.Abs(a.Score)), cmp.Compare(a.Attribute, b.Attribute), cmp.Compare(a.Value, b.Value))
	})
	shown := map[string]int{}
	d.Items = slices.DeleteFunc(d.Items, func(x Difference) bool {
		shown[x.Attribute]++
		return shown[x.Attribute] > valuesOfAttribute
	})
	d.Items = d.Items[:min(len(d.Items), maxDifferences)]
}
