package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// The one place where a fault becomes OTLP's answer.
// https://opentelemetry.io/docs/specs/otlp/#failures
var answers = map[fault.Kind]struct {
	code codes.Code
	http int
}{
	fault.Internal:        {codes.Internal, http.StatusInternalServerError},
	fault.Invalid:         {codes.InvalidArgument, http.StatusBadRequest},
	fault.Unauthenticated: {codes.Unauthenticated, http.StatusUnauthorized},
	fault.Denied:          {codes.PermissionDenied, http.StatusForbidden},
	fault.NotFound:        {codes.NotFound, http.StatusNotFound},
	fault.Conflict:        {codes.Aborted, http.StatusConflict},
	// Without RetryInfo RESOURCE_EXHAUSTED tells a client not to repeat.
	fault.TooLarge:    {codes.ResourceExhausted, http.StatusRequestEntityTooLarge},
	fault.RateLimited: {codes.ResourceExhausted, http.StatusTooManyRequests},
	fault.Unsupported: {codes.Unimplemented, http.StatusUnsupportedMediaType},
	fault.Unavailable: {codes.Unavailable, http.StatusServiceUnavailable},
}

// defaultRetry is how long a caller waits when nobody knows better.
const defaultRetry = time.Second

// answer turns err into the status to send, the HTTP code, and how long the
// caller is to wait before it repeats, 0 when it is not to. An error nobody
// classified is logged here under an id, which is all the caller learns.
func answer(log *slog.Logger, err error) (*status.Status, int, time.Duration) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = fault.Wrap(err, fault.Unavailable, "the request ended before it was stored")
	}
	kind, message := fault.Internal, ""
	var retry time.Duration
	if f := fault.As(err); f != nil {
		kind, message, retry = f.Kind, f.Message, f.RetryAfter
	}
	if kind == fault.Internal {
		id := rand.Text()[:10]
		log.Error("request failed", "error", err, "error_id", id)
		message = "internal error " + id
	}
	a := answers[kind]
	s := status.New(a.code, message)
	if kind != fault.RateLimited && kind != fault.Unavailable {
		return s, a.http, 0
	}
	if retry <= 0 {
		retry = defaultRetry
	}
	// The only possible error is a status of OK, which this is not.
	if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retry)}); err == nil {
		s = with
	}
	return s, a.http, retry
}
