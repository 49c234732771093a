package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Problem is every error of the API, as RFC 9457 describes it.
type Problem struct {
	Kind       string  `json:"kind" doc:"what a program can decide by: invalid, not_found, conflict, …"`
	Title      string  `json:"title" doc:"the HTTP status in words"`
	Status     int     `json:"status" doc:"the HTTP status"`
	Detail     string  `json:"detail" doc:"what is wrong and what to do"`
	Field      string  `json:"field,omitempty" doc:"the input field at fault"`
	RequestID  string  `json:"request_id,omitempty" doc:"finds the log line of an internal error"`
	Violations []Wrong `json:"violations,omitempty" doc:"each field at fault, when there are several"`
	header     http.Header
}

// Wrong is one violated rule of the request's schema. The offending value is
// not repeated: it may be a password.
type Wrong struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// statuses is the one place where a fault's kind becomes an HTTP status.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.RateLimited:     http.StatusTooManyRequests,
	fault.Unsupported:     http.StatusNotImplemented,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// errNoVersion asks for the If-Match header of a request that edits something.
var errNoVersion = &Problem{
	Kind: "precondition_required", Title: http.StatusText(http.StatusPreconditionRequired), Status: http.StatusPreconditionRequired,
	Detail: "send the ETag of what you read in If-Match, so that nobody's edit is lost",
}

// problem turns err into what the caller may see. versioned says that the
// request carried an If-Match: a conflict about the version is then a 412.
// An internal error is logged here, once, and shown as an id.
func problem(ctx context.Context, log *slog.Logger, err error, versioned bool) *Problem {
	var already *Problem
	if errors.As(err, &already) {
		return already
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return &Problem{Kind: "canceled", Title: "Client Closed Request", Status: 499, Detail: "the caller went away"}
	}
	if errors.Is(err, context.DeadlineExceeded) && fault.As(err) == nil {
		err = fault.Wrap(err, fault.Unavailable, "the answer took too long: ask for less, or again later")
	}
	kind := fault.KindOf(err)
	p := &Problem{Kind: kind.String(), Status: statuses[kind], header: http.Header{}}
	e := fault.As(err)
	if kind == fault.Internal {
		p.RequestID = requestID(ctx)
		p.Detail = "this is our fault: the log names the cause under " + p.RequestID
		log.ErrorContext(ctx, "request failed", "request_id", p.RequestID, "error", err.Error())
	} else {
		p.Detail, p.Field = e.Message, e.Field
		if e.RetryAfter > 0 {
			p.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
	}
	switch {
	case kind == fault.Conflict && versioned && (e.Field == "" || e.Field == "version"):
		p.Status = http.StatusPreconditionFailed
	case kind == fault.Unauthenticated:
		p.header.Set("WWW-Authenticate", `Bearer realm="matrix"`)
	case kind == fault.Unavailable:
		log.WarnContext(ctx, "request met a dependency that is down", "request_id", requestID(ctx), "error", err.Error())
		if p.header.Get("Retry-After") == "" {
			p.header.Set("Retry-After", strconv.Itoa(int(time.Second.Seconds())))
		}
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// reshape gives huma's own errors (a body that is no JSON, a field out of
// range) the shape of all others, and drops the values they echo.
func reshape(_ huma.Context, _ string, body any) (any, error) {
	model, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	p := &Problem{Kind: fault.Invalid.String(), Title: http.StatusText(model.Status), Status: model.Status, Detail: model.Detail}
	if model.Status == http.StatusRequestEntityTooLarge {
		p.Kind = fault.TooLarge.String()
	}
	for _, e := range model.Errors {
		p.Violations = append(p.Violations, Wrong{Field: e.Location, Message: e.Message})
	}
	return p, nil
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *Problem) { writeFailure(w, p.header, p) }

func writeFailure(w http.ResponseWriter, header http.Header, failure huma.StatusError) {
	for name, values := range header {
		w.Header()[name] = values
	}
	kind := "application/json"
	if own, ok := failure.(huma.ContentTypeFilter); ok {
		kind = own.ContentType(kind)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(failure.GetStatus())
	_ = json.NewEncoder(w).Encode(failure) // the caller is gone when this fails
}
