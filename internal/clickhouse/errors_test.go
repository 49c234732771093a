package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestErrorsOfTheEngineGetTheirKind(t *testing.T) {
	f := func(err error, kind fault.Kind, retry time.Duration) {
		t.Helper()
		got := fault.As(mapError(fmt.Errorf("wrapped: %w", err)))
		if got == nil || got.Kind != kind || got.RetryAfter != retry {
			t.Errorf("%v → %+v, want %s after %s", err, got, kind, retry)
		}
	}
	f(io.EOF, fault.Unavailable, time.Second)
	f(&net.OpError{Op: "dial", Err: errors.New("refused")}, fault.Unavailable, time.Second)
	f(ch.ErrClosed, fault.Unavailable, time.Second)
	f(context.DeadlineExceeded, fault.Unavailable, time.Second)
	f(driver.ErrAcquireConnTimeout, fault.Unavailable, time.Second)
	f(&ch.Exception{Code: proto.ErrTooManyParts}, fault.Unavailable, 5*time.Second)
	f(&driver.Exception{Code: int32(proto.ErrMemoryLimitExceeded)}, fault.Unavailable, 2*time.Second)
	f(&driver.Exception{Code: int32(proto.ErrTimeoutExceeded)}, fault.Unavailable, time.Second)
	f(&driver.Exception{Code: int32(proto.ErrUnknownTable)}, fault.Internal, 0)
	f(errors.New("odd"), fault.Internal, 0)
	if err := mapError(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request became %v", err)
	}
	if mapError(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestErrorsOfTheEngineDoNotQuoteTheStatement(t *testing.T) {
	for _, message := range []string{
		"Unknown expression identifier `y` in scope SELECT y, 'secret' FROM t",
		"Syntax error: failed at position 8 (secret): SELECT secret",
		"Cannot parse: While executing secret",
		"x\nsecret",
		strings.Repeat("long ", 60) + "secret",
	} {
		err := mapError(&driver.Exception{Code: 47, Message: message})
		if strings.Contains(err.Error(), "SELECT") || strings.HasSuffix(err.Error(), "secret") || !strings.Contains(err.Error(), "(47)") {
			t.Errorf("%q → %q", message, err)
		}
	}
}
