package logs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/pattern"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Range is a time of which records are counted, [From, To).
type Range struct{ From, To time.Time }

// GrowthQuery asks which patterns services write more often now than earlier. All
// ranges are equally long; those of Earlier do not overlap.
type GrowthQuery struct {
	Services    []string
	Environment string // "" is all
	Factor      uint64 // that a pattern must have grown by at least, against the most of the earlier ranges
	Now         Range
	Earlier     []Range
}

// Growth is a pattern that a service wrote more often than in any earlier range, by
// the factor that was asked for.
type Growth struct {
	Service  string
	Pattern  string   // 16 hex digits, as LogPattern has it
	Template string   // the first line, <*> for what varies
	Level    Severity // the gravest
	Count    uint64
	Usual    uint64 // the most of an earlier range; 0 when it is new
	Ranges   int    // earlier ones in which the service wrote anything: at least one
	First    time.Time
}

// maxGrowths is how many patterns one answer holds.
const maxGrowths = 100

// Growths returns the patterns of q that have grown against each of the earlier
// ranges: errors first, then the most frequent. Of a service that wrote
// nothing in any of them it tells nothing, since all would be new.
func (s *Store) Growths(ctx context.Context, p project.ID, q GrowthQuery) ([]Growth, error) {
	if len(q.Services) == 0 || len(q.Earlier) == 0 {
		return nil, nil
	}
	params := []clickhouse.Param{clickhouse.P("services", q.Services), clickhouse.P("environment", q.Environment), clickhouse.P("limit", maxGrowths), clickhouse.P("error", uint8(Error))}
	var within, counts []string
	for i, r := range append([]Range{q.Now}, q.Earlier...) {
		from, to := "from"+strconv.Itoa(i), "to"+strconv.Itoa(i)
		params = append(params, clickhouse.P(from, r.From.UTC()), clickhouse.P(to, r.To.UTC()))
		within = append(within, "time >= {"+from+":DateTime64(9)} AND time < {"+to+":DateTime64(9)}")
		counts = append(counts, "countIf("+within[i]+")")
	}
	var rows []struct {
		Service string    `ch:"service"`
		Pattern uint64    `ch:"pattern"`
		Counts  []uint64  `ch:"counts"`
		Heard   []uint64  `ch:"heard"`
		Gravest uint8     `ch:"gravest"`
		First   time.Time `ch:"first"`
		Latest  time.Time `ch:"latest"`
		ID      uint64    `ch:"latest_id"`
	}
	sql := `WITH counted AS (
			SELECT service, pattern, [` + strings.Join(counts, ", ") + `] AS counts, maxIf(severity, ` + within[0] + `) AS gravest,
				minIf(time, ` + within[0] + `) AS first, maxIf((time, id), ` + within[0] + `) AS newest
			FROM logs WHERE project_id = {project:UInt32} AND (` + strings.Join(within, " OR ") + `)
				AND service IN {services:Array(String)} AND ({environment:String} = '' OR environment = {environment:String})
			GROUP BY service, pattern)
		SELECT service, pattern, counts, sumForEach(counts) OVER (PARTITION BY service) AS heard, gravest, first, newest.1 AS latest, newest.2 AS latest_id FROM counted
		QUALIFY counts[1] > arrayMax(arrayPopFront(counts)) AND counts[1] >= {factor:UInt64} * arrayMax(arrayPopFront(counts)) AND arraySum(arrayPopFront(heard)) > 0
		ORDER BY gravest >= {error:UInt8} DESC, counts[1] DESC, service, pattern LIMIT {limit:UInt32}`
	if err := s.db.Select(ctx, p, &rows, sql, append(params, clickhouse.P("factor", q.Factor))...); err != nil {
		return nil, fmt.Errorf("compare patterns of logs: %w", err)
	}
	places := make([]clickhouse.RowID, len(rows))
	for i, r := range rows {
		places[i] = clickhouse.RowID{Time: r.Latest, Number: r.ID}
	}
	bodies, err := s.bodies(ctx, p, places)
	if err != nil {
		return nil, err
	}
	out := make([]Growth, 0, len(rows))
	for i, r := range rows {
		g := Growth{Service: r.Service, Pattern: fmt.Sprintf("%016x", r.Pattern), Template: string(pattern.Append(nil, []byte(bodies[i]))), Level: Severity(r.Gravest),
			Count: r.Counts[0], Usual: slices.Max(r.Counts[1:]), First: r.First.UTC()}
		for _, n := range r.Heard[1:] {
			if n > 0 {
				g.Ranges++
			}
		}
		out = append(out, g)
	}
	return out, nil
}

// bodies returns the beginnings of the bodies of records, "" for one that is gone.
func (s *Store) bodies(ctx context.Context, p project.ID, of []clickhouse.RowID) ([]string, error) {
	if len(of) == 0 {
		return nil, nil
	}
	times, numbers := make([]int64, len(of)), make([]uint64, len(of))
	for i, id := range of {
		times[i], numbers[i] = id.Time.UnixNano(), id.Number
	}
	var rows []struct {
		Time time.Time `ch:"time"`
		ID   uint64    `ch:"id"`
		Body string    `ch:"said"`
	}
	if err := s.db.Select(ctx, p, &rows, `SELECT time, id, substringUTF8(body, 1, {sentence:UInt32}) AS said FROM logs
		WHERE project_id = {project:UInt32} AND time IN (SELECT fromUnixTimestamp64Nano(arrayJoin({times:Array(Int64)}), 'UTC')) AND id IN {ids:Array(UInt64)}`,
		clickhouse.P("sentence", uint32(sentence)), clickhouse.P("times", times), clickhouse.P("ids", numbers)); err != nil {
		return nil, fmt.Errorf("read log records: %w", err)
	}
	bodies := make([]string, len(of))
	for i, id := range of {
		for _, r := range rows {
			if r.ID == id.Number && r.Time.Equal(id.Time) {
				bodies[i] = r.Body
			}
		}
	}
	return bodies, nil
}
