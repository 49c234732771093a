package ai_test

import (
	"context"
	"encoding/hex"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
)

func TestATraceparentIsReadAsW3CSays(t *testing.T) {
	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	f := func(header string, want bool) {
		t.Helper()
		got, ok := ai.ParseTraceparent(header)
		if ok != want {
			t.Errorf("%q: ok = %v", header, ok)
		}
		if ok && (hex.EncodeToString(got.TraceID[:]) != trace || hex.EncodeToString(got.SpanID[:]) != span) {
			t.Errorf("%q: %x %x", header, got.TraceID, got.SpanID)
		}
		if !ok && got != (ai.TraceContext{}) {
			t.Errorf("%q: half of it was taken: %v", header, got)
		}
	}
	f("00-"+trace+"-"+span+"-01", true)
	f("00-"+trace+"-"+span+"-03", true)
	f("cc-"+trace+"-"+span+"-01-what-the-future-brings", true)
	f("00-"+trace+"-"+span+"-00", false) // not recorded
	f("00-"+trace+"-"+span+"-01-more", false)
	f("ff-"+trace+"-"+span+"-01", false)
	f("00-00000000000000000000000000000000-"+span+"-01", false)
	f("00-"+trace+"-0000000000000000-01", false)
	f("00-"+trace+"-"+span+"-0", false)
	f("00-"+trace[:31]+"x-"+span+"-01", false)
	f("", false)
}

func TestAContextKeepsItsTrace(t *testing.T) {
	if _, ok := ai.TraceOf(t.Context()); ok {
		t.Error("a context without a trace has one")
	}
	want := ai.TraceContext{TraceID: [16]byte{1}, SpanID: [8]byte{2}}
	if got, ok := ai.TraceOf(context.WithoutCancel(ai.WithTrace(t.Context(), want))); !ok || got != want {
		t.Errorf("%v %v", got, ok)
	}
}
