package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// exception is an error the server reported. Its text is cut down to what
// cannot contain the statement, because errors end up in logs.
type exception struct {
	code    proto.Error
	message string
}

func (e *exception) Error() string { return fmt.Sprintf("clickhouse %s: %s", e.code, e.message) }

// overloaded lists the server's ways to say "not now", and how long to wait.
var overloaded = map[proto.Error]time.Duration{
	proto.ErrTooManySimultaneousQueries: time.Second,
	proto.ErrMemoryLimitExceeded:        2 * time.Second,
	proto.ErrTooManyParts:               5 * time.Second,
	proto.ErrNotEnoughSpace:             30 * time.Second,
	proto.ErrSocketTimeout:              time.Second,
	proto.ErrNetworkError:               time.Second,
	proto.ErrTimeoutExceeded:            time.Second,
	proto.ErrAborted:                    time.Second,
	proto.ErrQueryWasCancelled:          time.Second,
	proto.ErrTableIsReadOnly:            5 * time.Second,
	proto.ErrNoFreeConnection:           time.Second,
	proto.ErrAllConnectionTriesFailed:   time.Second,
}

// mapError gives err its kind. Contexts that their owner cancelled stay as they
// are, so that the caller's errors.Is finds context.Canceled.
func mapError(err error) error {
	switch {
	case err == nil, fault.As(err) != nil:
		return err
	case errors.Is(err, context.Canceled):
		return err
	}
	if e := asException(err); e != nil {
		if after, ok := overloaded[e.code]; ok {
			message := "the telemetry engine is overloaded"
			switch e.code {
			case proto.ErrNotEnoughSpace:
				message = "the disk of the telemetry engine is full"
			case proto.ErrTimeoutExceeded:
				message = "the telemetry query took longer than its limit; narrow the time range"
			case proto.ErrMemoryLimitExceeded:
				message = "the telemetry query needs more memory than its limit; narrow the time range"
			}
			return unavailable(e, message, after)
		}
		return fault.Wrap(e, fault.Internal, "telemetry engine")
	}
	if unreachable(err) {
		return unavailable(err, "the telemetry engine is not reachable", time.Second)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, driver.ErrAcquireConnTimeout) {
		return unavailable(err, "the telemetry engine did not answer in time", time.Second)
	}
	return fault.Wrap(err, fault.Internal, "telemetry engine")
}

// tooMuch turns the error of a read that is over one of its own limits into one
// that its caller can do something about. What other reads have taken from it
// stays Unavailable.
func tooMuch(err error) error {
	e := asException(err)
	if e == nil {
		return err
	}
	const narrow = "narrow the time range or add a filter"
	switch e.code {
	case proto.ErrTimeoutExceeded:
		return fault.Wrap(e, fault.Invalid, "this needs more than the %s that one query may take: %s", queryTime, narrow)
	case proto.ErrTooManyRows, proto.ErrTooManyRowsOrBytes:
		return fault.Wrap(e, fault.Invalid, "this has more than the %d rows that one query may return: %s", maxResultRows, narrow)
	case proto.ErrMemoryLimitExceeded:
		if !strings.Contains(e.message, "(total)") {
			return fault.Wrap(e, fault.Invalid, "this needs more memory than one query may take: %s", narrow)
		}
	}
	return err
}

func unavailable(cause error, message string, after time.Duration) error {
	err := fault.Wrap(cause, fault.Unavailable, "%s", message)
	fault.As(err).RetryAfter = after
	return err
}

// unreachable reports whether err is about the connection, so that another
// server, or the same one after its restart, may well answer.
func unreachable(err error) bool {
	if asException(err) != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	var op *net.OpError
	return errors.As(err, &op) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, ch.ErrClosed) || errors.Is(err, driver.ErrConnectionClosed)
}

// asException finds what the server reported in either driver's form.
func asException(err error) *exception {
	var mine *exception
	if errors.As(err, &mine) {
		return mine
	}
	var read *driver.Exception
	if errors.As(err, &read) {
		return &exception{code: proto.Error(read.Code), message: brief(read.Message)}
	}
	var write *ch.Exception
	if errors.As(err, &write) {
		return &exception{code: write.Code, message: brief(write.Message)}
	}
	return nil
}

// brief keeps the first words of a server's message: enough to know the fault,
// ending before the server starts to quote the statement.
func brief(message string) string {
	const limit = 160
	for _, mark := range []string{"\n", " in scope ", ": While ", ": SELECT", ": INSERT", ": CREATE", ": ALTER", ": WITH", "(query", "(in query"} {
		if i := strings.Index(message, mark); i >= 0 {
			message = message[:i]
		}
	}
	if len(message) > limit {
		message = strings.ToValidUTF8(message[:limit], "") + "…"
	}
	return strings.TrimSpace(message)
}
