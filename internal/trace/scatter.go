package trace

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// MaxDots is how many dots one answer holds at most.
const MaxDots = 100_000

const (
	maxPixels = 8_192            // of a picture's width or height
	dotPixels = 2                // a dot is drawn at least so wide: closer ones hide one another
	maxCells  = 40_000           // of a heatmap
	logFloor  = time.Millisecond // where a logarithmic axis begins
)

// ScatterQuery selects transactions as TransactionQuery does (its Order, Cursor
// and Limit aside) and says what picture they are drawn into.
type ScatterQuery struct {
	TransactionQuery
	Width, Height int           // of the picture in pixels; of a Heat in cells
	Top           time.Duration // elapsed time at its upper edge, where what is above is drawn too. 0: the longest
	Log           bool          // logarithmic, from 1 ms on
	// Live: To is only the picture's right edge. Transactions that ended after
	// it by their sender's clock come too, so that none is missed.
	Live  bool
	Since string // the Cursor of the answer before: only what arrived after it. "": all
	Dots  int    // default and at most MaxDots
}

// Scatter is transactions as dots, in the order of their end. The lists are
// compact: a dot costs eight bytes of JSON (ADR 0009).
type Scatter struct {
	Total     uint64 `json:"total" doc:"transactions selected"`
	Errors    uint64 `json:"errors" doc:"failed ones among them"`
	LongestNs uint64 `json:"longest_ns" doc:"of all selected, not only of those shown"`
	Thinned   bool   `json:"thinned" doc:"of the transactions in one cell of the picture one that failed and one that did not are shown"`
	CellPx    int    `json:"cell_px" doc:"width and height of such a cell, 0 when not thinned"`
	Cursor    string `json:"cursor" doc:"send it as since to get what arrives from now on"`

	Ended   []int64  `json:"ended" doc:"unix ms of the first end, then the ms from each end to the next"`
	Elapsed []uint64 `json:"elapsed" doc:"µs, rounded down"`
	Failed  []uint32 `json:"failed" doc:"index of the first that failed, then the distance from each to the next"`
}

// Heat is transactions counted in the cells of a grid. The lists run in
// parallel: one entry per cell that holds any.
type Heat struct {
	Total     uint64   `json:"total"`
	Errors    uint64   `json:"errors"`
	LongestNs uint64   `json:"longest_ns"`
	X         []uint16 `json:"x" doc:"column, 0 begins at from"`
	Y         []uint16 `json:"y" doc:"row, 0 is the shortest"`
	Count     []uint64 `json:"count"`
	Failed    []uint64 `json:"failed"`
}

func (q *ScatterQuery) check() error {
	if q.Width < 1 || q.Width > maxPixels || q.Height < 1 || q.Height > maxPixels {
		return fault.New(fault.Invalid, "a picture of %d × %d is not between 1 and %d wide and high", q.Width, q.Height, maxPixels).WithField("width")
	}
	if q.Dots == 0 {
		q.Dots = MaxDots
	}
	if q.Dots < 2 || q.Dots > MaxDots {
		return fault.New(fault.Invalid, "%d dots are not between 2 and %d", q.Dots, MaxDots).WithField("dots")
	}
	return q.TransactionQuery.check()
}

// Scatter returns the selected transactions as dots. Of more than q.Dots it
// keeps, for each cell of the picture, one that failed and one that did not. A
// transaction that was delivered twice is two dots in one place.
//
// A client that follows sends the Cursor of one answer as Since of the next: it
// gets every transaction once, however late it arrived.
func (s *Store) Scatter(ctx context.Context, p project.ID, q ScatterQuery) (Scatter, error) {
	out := Scatter{Ended: []int64{}, Elapsed: []uint64{}, Failed: []uint32{}}
	if err := q.check(); err != nil {
		return out, err
	}
	since, err := strconv.ParseInt("0"+q.Since, 10, 64)
	if err != nil {
		return out, fault.New(fault.Invalid, "since is not a cursor of a scatter: start again without one").WithField("since")
	}
	until, err := s.arrivedUntil(ctx, p)
	if err != nil {
		return out, err
	}
	until = max(until, since)
	out.Cursor = strconv.FormatInt(until, 10)
	edge := q.To
	if q.Live {
		q.To = latest
	}
	where, params, err := s.filter(ctx, p, &q.TransactionQuery)
	if err != nil {
		return out, err
	}
	where += ` AND arrived > fromUnixTimestamp64Milli({since:Int64}) AND arrived <= fromUnixTimestamp64Milli({until:Int64})`
	params = append(params, clickhouse.P("since", since), clickhouse.P("until", until))
	all, err := s.totals(ctx, p, where, params)
	if err != nil || all.Total == 0 {
		return out, err
	}
	out.Total, out.Errors, out.LongestNs = all.Total, all.Errors, all.Longest
	dots := `SELECT ended, elapsed, error FROM transactions WHERE ` + where
	if out.Total > uint64(q.Dots) {
		out.Thinned, out.CellPx = true, q.cellPixels()
		x, y, grid := q.cells(edge, out.LongestNs, (q.Width+out.CellPx-1)/out.CellPx, (q.Height+out.CellPx-1)/out.CellPx)
		dots = `SELECT tupleElement(one, 1) AS ended, tupleElement(one, 2) AS elapsed, error FROM (
			SELECT any(tuple(ended, elapsed)) AS one, error FROM transactions WHERE ` + where + ` GROUP BY ` + x + `, ` + y + `, error)`
		params = append(params, grid...)
	}
	var rows []struct {
		Ended   []int64  `ch:"ends"`
		Elapsed []uint64 `ch:"lengths"`
		Failed  []uint32 `ch:"failed"` // from 1
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT groupArray(toUnixTimestamp64Milli(ended)) AS ends, groupArray(intDiv(elapsed, 1000)) AS lengths,
			arrayFilter((i, e) -> e, arrayEnumerate(groupArray(error) AS flags), flags) AS failed
		FROM (SELECT ended, elapsed, error FROM (`+dots+`) ORDER BY ended, elapsed)`, params...)
	if err != nil {
		return out, fmt.Errorf("read scatter: %w", err)
	}
	out.Ended, out.Elapsed, out.Failed = distances(rows[0].Ended), rows[0].Elapsed, distances(rows[0].Failed)
	if len(out.Failed) > 0 {
		out.Failed[0]--
	}
	return out, nil
}

// distances replaces all values but the first by their distance from the one before.
func distances[T int64 | uint32](values []T) []T {
	for i := len(values) - 1; i > 0; i-- {
		values[i] -= values[i-1]
	}
	return values
}

// Heat counts the selected transactions in a grid of q.Width × q.Height cells.
func (s *Store) Heat(ctx context.Context, p project.ID, q ScatterQuery) (Heat, error) {
	out := Heat{X: []uint16{}, Y: []uint16{}, Count: []uint64{}, Failed: []uint64{}}
	if err := q.check(); err != nil {
		return out, err
	}
	if q.Width*q.Height > maxCells {
		return out, fault.New(fault.Invalid, "a grid of %d × %d has more than %d cells", q.Width, q.Height, maxCells).WithField("width")
	}
	where, params, err := s.filter(ctx, p, &q.TransactionQuery)
	if err != nil {
		return out, err
	}
	all, err := s.totals(ctx, p, where, params)
	if err != nil || all.Total == 0 {
		return out, err
	}
	out.Total, out.Errors, out.LongestNs = all.Total, all.Errors, all.Longest
	x, y, grid := q.cells(q.To, all.Longest, q.Width, q.Height)
	var rows []struct {
		X      []uint16 `ch:"xs"`
		Y      []uint16 `ch:"ys"`
		Count  []uint64 `ch:"counts"`
		Failed []uint64 `ch:"failures"`
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT groupArray(toUInt16(x)) AS xs, groupArray(toUInt16(y)) AS ys, groupArray(n) AS counts, groupArray(failed) AS failures
		FROM (SELECT `+x+` AS x, `+y+` AS y, count() AS n, countIf(error) AS failed FROM transactions WHERE `+where+` GROUP BY x, y ORDER BY x, y)`,
		append(params, grid...)...)
	if err != nil {
		return out, fmt.Errorf("read heatmap: %w", err)
	}
	out.X, out.Y, out.Count, out.Failed = rows[0].X, rows[0].Y, rows[0].Count, rows[0].Failed
	return out, nil
}

type scatterTotals struct {
	Total   uint64 `ch:"total"`
	Errors  uint64 `ch:"errors"`
	Longest uint64 `ch:"longest"`
}

func (s *Store) totals(ctx context.Context, p project.ID, where string, params []clickhouse.Param) (scatterTotals, error) {
	var rows []scatterTotals
	err := s.db.Select(ctx, p, &rows, `SELECT count() AS total, countIf(error) AS errors, max(elapsed) AS longest FROM transactions WHERE `+where, params...)
	if err != nil {
		return scatterTotals{}, fmt.Errorf("count transactions: %w", err)
	}
	return rows[0], nil
}

// cellPixels returns the side of the smallest cells of which, with two dots in
// each, q.Dots are enough.
func (q *ScatterQuery) cellPixels() int {
	for px := dotPixels; ; px++ {
		if 2*((q.Width+px-1)/px)*((q.Height+px-1)/px) <= q.Dots {
			return px
		}
	}
}

// cells returns expressions for the column and the row of a transaction in a
// grid between q.From and edge. What is outside is counted at the edge.
func (q *ScatterQuery) cells(edge time.Time, longest uint64, columns, rows int) (x, y string, params []clickhouse.Param) {
	top := uint64(q.Top)
	if top == 0 {
		top = longest
	}
	x = `least(greatest(intDiv(toUnixTimestamp64Nano(ended) - {grid_from:Int64}, {grid_step:Int64}), 0), {grid_right:Int64})`
	y = `least(intDiv(elapsed, {grid_unit:UInt64}), {grid_upper:UInt64})`
	if q.Log {
		y = `toUInt64(least(greatest(log(greatest(elapsed, 1) / {grid_floor:UInt64}) * {grid_rate:Float64}, 0.), toFloat64({grid_upper:UInt64})))`
	}
	rate := float64(rows) / max(math.Log(float64(top)/float64(logFloor)), 1e-9)
	params = []clickhouse.Param{
		clickhouse.P("grid_from", q.From.UnixNano()), clickhouse.P("grid_step", roundUp(edge.Sub(q.From).Nanoseconds(), int64(columns))),
		clickhouse.P("grid_right", columns-1), clickhouse.P("grid_upper", rows-1), clickhouse.P("grid_unit", roundUp(top, uint64(rows))),
		clickhouse.P("grid_floor", uint64(logFloor)), clickhouse.P("grid_rate", rate),
	}
	return x, y, params
}

// roundUp divides what is at least 0, and returns at least 1.
func roundUp[T int64 | uint64](n, by T) T { return max((n+by-1)/by, 1) }

// arrivedUntil returns an arrival time, in unix ms, up to which everything has
// become visible: a row is given its time when its insert begins, and can be
// read when that has ended.
func (s *Store) arrivedUntil(ctx context.Context, p project.ID) (int64, error) {
	var rows []struct {
		Until int64 `ch:"until"`
	}
	err := s.db.Select(ctx, p, &rows, `
		SELECT toUnixTimestamp64Milli(now64(3)) - 1 - toInt64(ceil(max(elapsed) * 1000)) AS until
		FROM system.processes WHERE query_kind = 'Insert' AND positionCaseInsensitive(query, 'spans') > 0 AND {project:UInt32} != 0`)
	if err != nil {
		return 0, fmt.Errorf("read arrival time: %w", err)
	}
	return rows[0].Until, nil
}
