package logs

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Line is what is said by a record of a trace, without its values.
type Line struct {
	Trace   [16]byte
	Span    uint64 // 0: none
	Service string
	Level   Severity
	// Place is where in the program the line was written, as it says itself:
	// OrderService#81, Order.java:81. Empty when it does not.
	Place   string
	Pattern uint64
	Body    string // its beginning
}

// writtenAt finds where in a program a line was written: a class and its line, as
// logback's %logger#%line writes them, or a file of source code and its line.
const writtenAt = `(?:^|[^\w$.])([A-Za-z_$][\w$.]*#\d+|[\w$-]+\.(?:java|kt|scala|go|py|rb|php|cs|rs|js|ts|c|cc|cpp):\d+)(?:$|[^\w$.])`

// sentence is how many bytes of a line a person needs to know it by.
const sentence = 300

// maxLines bounds the records of one reading.
const maxLines = 300_000

// Lines returns the records of traces that are in [from, to), trace by trace and
// the oldest first. Beyond 300,000 records it reads fewer traces, each as a whole:
// those it did read, of those that were asked for, come with them.
func (s *Store) Lines(ctx context.Context, p project.ID, from, to time.Time, traces [][16]byte) (lines []Line, read func(trace [16]byte) bool, err error) {
	if len(traces) == 0 {
		return nil, func([16]byte) bool { return false }, nil
	}
	ids := make([]string, len(traces))
	for i := range traces {
		ids[i] = hex.EncodeToString(traces[i][:])
	}
	rows, err := s.db.Query(ctx, p, `SELECT trace_id, span_id, service, severity, extract(substring(body, 1, {sentence:UInt32}), {place:String}) AS place, pattern, substringUTF8(body, 1, {sentence:UInt32}) AS body
		FROM logs WHERE project_id = {project:UInt32} AND time >= {from:DateTime64(9)} AND time < {to:DateTime64(9)}
			AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
		ORDER BY trace_id, time, id LIMIT {limit:UInt32}`,
		clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("traces", ids), clickhouse.P("place", writtenAt), clickhouse.P("sentence", uint32(sentence)), clickhouse.P("limit", uint32(maxLines)))
	if err != nil {
		return nil, nil, fmt.Errorf("read lines of traces: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below carries what matters
	var all []Line
	for rows.Next() {
		var (
			l     Line
			id    string
			level uint8
		)
		if err := rows.Scan(&id, &l.Span, &l.Service, &level, &l.Place, &l.Pattern, &l.Body); err != nil {
			return nil, nil, fmt.Errorf("read lines of traces: %w", err)
		}
		copy(l.Trace[:], id)
		l.Level = Severity(level)
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("read lines of traces: %w", err)
	}
	if len(all) < maxLines {
		return all, func([16]byte) bool { return true }, nil
	}
	last := all[len(all)-1].Trace // of which a part may be missing
	for len(all) > 0 && all[len(all)-1].Trace == last {
		all = all[:len(all)-1]
	}
	return all, func(trace [16]byte) bool { return bytes.Compare(trace[:], last[:]) < 0 }, nil
}
