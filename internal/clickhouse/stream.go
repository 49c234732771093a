package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// streamSettings bound a Stream as bounded does other reads, but for the rows:
// its caller stops it by an error of block.
var streamSettings = []ch.Setting{
	ch.SettingInt("max_execution_time", int(queryTime.Seconds())),
	{Key: "timeout_overflow_mode", Value: "throw", Important: true},
	{Key: "session_timezone", Value: "UTC", Important: true},
}

// Stream is Query for results of very many rows: the engine's blocks arrive in
// into, column by column, and block is called after each. A column holds the
// rows of one block at a time. An error of block ends the query and is
// returned. sql must contain {project:UInt32}. Params are strings, integers and
// slices of these. A read that is over a bound is
// fault.Invalid, as with Select.
func (db *DB) Stream(ctx context.Context, p project.ID, sql string, into proto.Results, block func() error, params ...Param) error {
	if err := scoped(p, sql); err != nil {
		return err
	}
	release, err := db.turns.take(ctx, p)
	if err != nil {
		return err
	}
	defer release()
	query := ch.Query{Body: sql, Settings: streamSettings}
	for _, param := range append(params[:len(params):len(params)], P("project", uint32(p))) {
		value, err := parameter(param.Value)
		if err != nil {
			return fmt.Errorf("parameter %s: %w", param.Name, err)
		}
		query.Parameters = append(query.Parameters, proto.Parameter{Key: param.Name, Value: value})
	}
	var seen bool
	var failed error
	query.Result = into
	query.OnResult = func(_ context.Context, b proto.Block) error {
		if b.Rows == 0 { // the header
			return nil
		}
		seen = true
		failed = block()
		return failed
	}
	for _, s := range db.order() {
		if err = db.prepare(ctx, s); err == nil {
			_, err = s.streams.do(ctx, query)
			err = mapError(err)
		}
		switch {
		case failed != nil:
			return failed
		case err == nil:
			s.succeeded()
			return nil
		case unreachable(err):
			s.failed()
		}
		if seen || ctx.Err() != nil || !fault.Is(err, fault.Unavailable) { // half a result is not begun again
			return tooMuch(err)
		}
	}
	return err
}

// A parameter travels as a quoted literal, whose content the server reads as
// tab-separated text: a string is escaped for both.
var (
	escapeText    = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
	escapeElement = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
)

func parameter(value any) (string, error) {
	var text string
	switch v := value.(type) {
	case string:
		text = escapeText.Replace(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case uint32:
		text = strconv.FormatUint(uint64(v), 10)
	case []uint64:
		text = list(v, func(b []byte, e uint64) []byte { return strconv.AppendUint(b, e, 10) })
	case []string:
		text = list(v, func(b []byte, e string) []byte {
			return append(append(append(b, '\''), escapeElement.Replace(e)...), '\'')
		})
	default:
		return "", fault.New(fault.Internal, "a %T cannot be a parameter of Stream", value)
	}
	return "'" + escapeElement.Replace(text) + "'", nil
}

func list[E any](values []E, add func([]byte, E) []byte) string {
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = add(b, v)
	}
	return string(append(b, ']'))
}
