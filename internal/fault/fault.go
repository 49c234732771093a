// Package fault is the error vocabulary of MATRIX: a few kinds that every edge
// (HTTP, gRPC, MCP, jobs) maps to its own protocol in one place.
//
// It owns the kinds and how they travel through wrapped errors. It does not
// know any protocol, and it does not log: an error is logged once, at the edge.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what the caller can do about an error.
type Kind uint8

// The kinds. The zero value is Internal, so an error nobody classified is
// never shown to a caller by accident.
const (
	Internal        Kind = iota // our fault; the caller sees an id only
	Invalid                     // the request is wrong; saying it again will not help
	Unauthenticated             // we do not know who asks
	Denied                      // we know, and the answer is no
	NotFound                    // it does not exist, or the caller may not know that it does
	Conflict                    // the state has moved on; read again and retry
	TooLarge                    // the request is over a size limit
	RateLimited                 // too often; retry after RetryAfter
	Unsupported                 // well formed, but refused rather than approximated
	Unavailable                 // a dependency is down; retry after RetryAfter
)

var kindNames = [...]string{"internal", "invalid", "unauthenticated", "denied", "not_found",
	"conflict", "too_large", "rate_limited", "unsupported", "unavailable"}

// String returns the kind's name in snake_case, as it appears in problem types and logs.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", k)
}

// Error is an error with a kind and a message that may be shown to the caller.
type Error struct {
	Kind    Kind
	Message string // for the caller: what is wrong and what to do
	Field   string // the input field at fault, "" when none
	// RetryAfter is how long to wait before trying again; 0 when unknown.
	RetryAfter time.Duration
	err        error
}

// Error implements error.
func (e *Error) Error() string {
	if e.err != nil {
		return e.Message + ": " + e.err.Error()
	}
	return e.Message
}

// Unwrap returns the cause, which is for logs and never for callers.
func (e *Error) Unwrap() error { return e.err }

// New returns an error of the given kind. The message is formatted like
// fmt.Sprintf; a cause is attached with Wrap, so that it cannot leak into the message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of the given kind with a cause. It returns nil when cause is nil.
func Wrap(cause error, kind Kind, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), err: cause}
}

// WithField names the input field at fault and returns e.
func (e *Error) WithField(field string) *Error { e.Field = field; return e }

// WithRetryAfter sets how long the caller should wait and returns e.
func (e *Error) WithRetryAfter(d time.Duration) *Error { e.RetryAfter = d; return e }

// As returns the first *Error in err's chain, or nil.
func As(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// KindOf returns the kind of err; Internal for errors that carry none.
func KindOf(err error) Kind {
	if e := As(err); e != nil {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the given kind. A nil error is of no kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
