package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RowID names a row of a table that is sorted by time, in paths and cursors.
type RowID struct {
	Time   time.Time
	Number uint64 // tells rows of one time apart
}

// String writes the id as "<unix ns>-<number>".
func (id RowID) String() string { return fmt.Sprintf("%d-%d", id.Time.UnixNano(), id.Number) }

// ParseRowID reads what String wrote; ok is false when it is anything else.
func ParseRowID(text string) (id RowID, ok bool) {
	at, number, _ := strings.Cut(text, "-")
	nanos, err1 := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.ParseUint(number, 10, 64)
	return RowID{time.Unix(0, nanos).UTC(), n}, err1 == nil && err2 == nil
}
