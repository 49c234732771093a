package aitest

import (
	"net/http"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

func TestEachErrorOfTheServiceHasItsClass(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		for i, f := range b.errors {
			reply := f.reply
			if reply.Message == "" { // as real services do, it quotes what it was sent
				reply.Message = "scripted: " + key + ", you said " + question
			}
			b.server.Script(reply)
			response, failed := b.refused(b.request(), stream, f.class)
			if failed.Status != reply.Status || failed.Code != f.code || response.Text != "" {
				b.Errorf("%+v: status %d, code %q, text %q", f.reply, failed.Status, failed.Code, response.Text)
			}
			if failed.RetryAfter != reply.RetryAfter {
				b.Errorf("%+v: retry after %s", f.reply, failed.RetryAfter)
			}
			if n := len(b.server.Requests()); n != i+1 {
				b.Fatalf("%+v: %d requests were made: the chain decides on retries, not the provider", f.reply, n-i)
			}
		}
	})
}

func TestRetryAfterIsReadInEachForm(t *testing.T) {
	each(t, func(b *bench) {
		f := func(header, value string, low, high time.Duration) {
			b.Helper()
			b.server.Script(llm.Reply{Status: 429, Header: http.Header{header: {value}}})
			if _, failed := b.refused(b.request(), false, ai.RateLimited); failed.RetryAfter < low || failed.RetryAfter > high {
				b.Errorf("%s: %s is %s", header, value, failed.RetryAfter)
			}
		}
		f("Retry-After", "7", 7*time.Second, 7*time.Second)
		f("Retry-After-Ms", "250", 250*time.Millisecond, 250*time.Millisecond)
		f("Retry-After", time.Now().Add(time.Minute).UTC().Format(http.TimeFormat), 50*time.Second, time.Minute)
		f("Retry-After", "-3", 0, 0)
		f("Retry-After", "1e300", 24*time.Hour, 24*time.Hour)
		f("Retry-After", "soon", 0, 0)
	})
}

func TestAnErrorWithinAStreamKeepsWhatCameBefore(t *testing.T) {
	codes := map[string]string{llm.OpenAIChat: "server_error", llm.OpenAIResponses: "server_error", llm.Anthropic: "overloaded_error", llm.Gemini: "UNAVAILABLE"}
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "0123456789", Chunk: 2, Status: 503, Code: codes[b.wire], Message: "scripted " + key, FailAfter: 2})
		response, failed := b.refused(b.request(), true, ai.Overloaded)
		if response.Text != "0123" || failed.Code != codes[b.wire] {
			b.Errorf("text %q, failure %+v", response.Text, failed)
		}
		b.seen()
	})
}

func TestACutConnectionIsATransportFailure(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: "0123456789", Chunk: 2, CutAfter: 2})
		response, _ := b.refused(b.request(), stream, ai.Transport)
		if want := map[bool]string{true: "0123"}[stream]; response.Text != want {
			b.Errorf("text %q, want %q", response.Text, want)
		}
		b.server.Script(llm.Reply{Drop: true})
		b.refused(b.request(), stream, ai.Transport)
		if n := len(b.server.Requests()); n != 2 {
			b.Errorf("%d requests were made", n)
		}
	})
	modes(t, func(b *bench, stream bool) {
		var err error
		if b.provider, err = b.start(b.server, unreachable()); err != nil {
			b.Fatal(err)
		}
		b.refused(b.request(), stream, ai.Transport)
	})
}

func TestARedirectIsNotFollowed(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		other, err := llm.Start("")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = other.Close() })
		for _, status := range []int{302, 307, 308} {
			b.server.Script(llm.Reply{Status: status, Header: http.Header{"Location": {other.Base + "/v1/messages"}}, Body: "{}"})
			if _, failed := b.refused(b.request(), stream, ai.Transport); failed.Status != status {
				b.Errorf("status %d, want %d", failed.Status, status)
			}
		}
		if len(other.Requests())+len(other.Faults()) > 0 {
			b.Error("the question went elsewhere")
		}
	})
}
