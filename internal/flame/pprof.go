package flame

import (
	"bytes"
	"encoding/hex"
	"slices"
	"time"

	"github.com/google/pprof/profile"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// What one profile may hold; more is Invalid.
const (
	maxSamples = 100_000
	maxFrames  = 512 // of one stack; deeper ones lose their outermost frames
	maxName    = 512 // bytes of a function's name
	maxKinds   = 8
)

// Profile is a profile as read: stacks, each with a value per kind.
type Profile struct {
	Time  time.Time // when it began; zero when it does not tell
	Kinds []Kind
	Stack []Stack
}

// Kind is what is counted, as pprof names it.
type Kind struct{ Name, Unit string }

// Stack is a call stack with its values.
type Stack struct {
	Frames   []string // functions, the outermost first
	Values   []int64  // one per kind
	Endpoint string   // by label; "" when it has none
	TraceID  [16]byte // by label; zero when it has none
	SpanID   uint64
}

// ParsePprof reads a profile in the format of pprof, compressed or not.
// https://github.com/google/pprof/blob/main/proto/profile.proto
func ParsePprof(data []byte) (*Profile, error) {
	p, err := profile.ParseData(data)
	if err != nil {
		return nil, fault.New(fault.Invalid, "this is no profile in the format of pprof: %v", err)
	}
	switch {
	case len(p.SampleType) == 0 || len(p.SampleType) > maxKinds:
		return nil, fault.New(fault.Invalid, "the profile has %d kinds of values, from 1 to %d are read", len(p.SampleType), maxKinds)
	case len(p.Sample) > maxSamples:
		return nil, fault.New(fault.Invalid, "the profile has %d stacks, at most %d are read: profile for a shorter time", len(p.Sample), maxSamples)
	}
	out := &Profile{}
	if p.TimeNanos > 0 {
		out.Time = time.Unix(0, p.TimeNanos).UTC()
	}
	for _, t := range p.SampleType {
		out.Kinds = append(out.Kinds, Kind{Name: clip(t.Type), Unit: clip(t.Unit)})
	}
	for _, sample := range p.Sample {
		s := Stack{Values: slices.Clone(sample.Value), Endpoint: clip(label(sample, "endpoint", "trace endpoint", "http.route", "span_name"))}
		if id, err := hex.DecodeString(label(sample, "trace_id", "trace id", "traceID")); err == nil && len(id) == len(s.TraceID) {
			copy(s.TraceID[:], id)
		}
		if id, err := hex.DecodeString(label(sample, "span_id", "span id", "spanID")); err == nil && len(id) == 8 {
			for _, b := range id {
				s.SpanID = s.SpanID<<8 | uint64(b)
			}
		}
		for _, location := range sample.Location { // the innermost first
			for _, line := range location.Line { // functions inlined into the last
				name := "?"
				if line.Function != nil && line.Function.Name != "" {
					name = clip(line.Function.Name)
				}
				s.Frames = append(s.Frames, name)
			}
			if len(location.Line) == 0 && location.Mapping != nil {
				s.Frames = append(s.Frames, clip(location.Mapping.File))
			}
		}
		s.Frames = s.Frames[:min(len(s.Frames), maxFrames)]
		slices.Reverse(s.Frames)
		out.Stack = append(out.Stack, s)
	}
	return out, nil
}

// label is the first of the labels that the sample has.
func label(s *profile.Sample, names ...string) string {
	for _, name := range names {
		if v := s.Label[name]; len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

func clip(s string) string {
	b := bytes.ToValidUTF8([]byte(s), []byte("\uFFFD"))
	return string(b[:min(len(b), maxName)])
}
