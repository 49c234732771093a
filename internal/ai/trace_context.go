package ai

import (
	"context"
	"encoding/hex"
)

// TraceContext is where in a trace a call was made.
type TraceContext struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// ParseTraceparent reads the W3C header traceparent. ok is false when there is
// none, when it is malformed, and when the caller does not record its trace: the
// call would be alone in it.
func ParseTraceparent(header string) (t TraceContext, ok bool) {
	// version "-" trace-id "-" parent-id "-" trace-flags; later versions may go on.
	const length = 55
	if len(header) < length || header[2] != '-' || header[35] != '-' || header[52] != '-' || header[:2] == "ff" {
		return t, false
	}
	if len(header) > length && (header[:2] == "00" || header[length] != '-') {
		return t, false
	}
	var version, flags [1]byte
	for _, part := range []struct {
		to   []byte
		text string
	}{{version[:], header[:2]}, {t.TraceID[:], header[3:35]}, {t.SpanID[:], header[36:52]}, {flags[:], header[53:55]}} {
		if _, err := hex.Decode(part.to, []byte(part.text)); err != nil {
			return TraceContext{}, false
		}
	}
	if t.TraceID == [16]byte{} || t.SpanID == [8]byte{} || flags[0]&1 == 0 {
		return TraceContext{}, false
	}
	return t, true
}

type traceKey struct{}

// WithTrace returns a context of calls that are part of a trace.
func WithTrace(ctx context.Context, t TraceContext) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf returns the trace that ctx is part of; ok is false for none.
func TraceOf(ctx context.Context) (t TraceContext, ok bool) {
	t, ok = ctx.Value(traceKey{}).(TraceContext)
	return t, ok
}
