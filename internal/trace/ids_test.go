package trace_test

import (
	"encoding/json"
	"testing"

	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestIDsAreHexInJSON(t *testing.T) {
	type ids struct {
		Trace  trace.TraceID `json:"trace_id"`
		Span   trace.SpanID  `json:"span_id"`
		Parent trace.SpanID  `json:"parent_id"`
	}
	const text = `{"trace_id":"0102030405060708090a0b0c0d0e0f10","span_id":"00000000000000ff","parent_id":""}`
	var got ids
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Span != 255 || got.Parent != 0 || got.Trace[15] != 16 {
		t.Fatalf("got %+v", got)
	}
	if out, err := json.Marshal(got); err != nil || string(out) != text {
		t.Fatalf("got %s, %v", out, err)
	}
}

func TestIDsOfAnotherShapeAreRefused(t *testing.T) {
	for _, s := range []string{"", "0102", "0102030405060708090a0b0c0d0e0f1g", "0102030405060708090a0b0c0d0e0f1011"} {
		if _, err := trace.ParseTraceID(s); err == nil {
			t.Errorf("trace id %q is accepted", s)
		}
	}
	for _, s := range []string{"", "ff", "00000000000000fg", "-000000000000001", "+000000000000001", "00000000000000ff00"} {
		if _, err := trace.ParseSpanID(s); err == nil {
			t.Errorf("span id %q is accepted", s)
		}
	}
}
