package trace

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// TraceID is the 16-byte identity of a trace. The zero value is no trace.
type TraceID [16]byte

// ParseTraceID reads 32 hexadecimal digits of either case.
func ParseTraceID(s string) (TraceID, error) {
	var id TraceID
	if len(s) != 32 {
		return TraceID{}, fmt.Errorf("trace id %q: want 32 hexadecimal digits", s)
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return TraceID{}, fmt.Errorf("trace id %q: want 32 hexadecimal digits", s)
	}
	return id, nil
}

// IsZero reports whether id is no trace.
func (id TraceID) IsZero() bool { return id == TraceID{} }

// String returns 32 lower-case hexadecimal digits.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler: JSON carries ids as hex strings.
func (id TraceID) MarshalText() ([]byte, error) {
	return hex.AppendEncode(nil, id[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *TraceID) UnmarshalText(text []byte) error {
	parsed, err := ParseTraceID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// SpanID is the identity of a span within its trace: the 8 bytes of OTLP read
// as one big-endian number. 0 is no span; as a parent it marks a root.
type SpanID uint64

// ParseSpanID reads 16 hexadecimal digits of either case.
func ParseSpanID(s string) (SpanID, error) {
	if len(s) == 16 {
		if id, err := strconv.ParseUint(s, 16, 64); err == nil {
			return SpanID(id), nil
		}
	}
	return 0, fmt.Errorf("span id %q: want 16 hexadecimal digits", s)
}

// String returns 16 lower-case hexadecimal digits, "" for no span.
func (id SpanID) String() string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("%016x", uint64(id))
}

// MarshalText implements encoding.TextMarshaler: JSON carries ids as hex
// strings, and the absent parent of a root as "".
func (id SpanID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; "" is no span.
func (id *SpanID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = 0
		return nil
	}
	parsed, err := ParseSpanID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}
