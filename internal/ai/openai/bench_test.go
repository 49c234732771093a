package openai_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
)

// canned answers every request at once with the same body.
type canned struct {
	body        string
	contentType string
}

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.contentType}}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

var prompt = strings.Repeat("order-api: \"SELECT * FROM orders\" took 3,104 ms\n", 80) // 4 KB

// BenchmarkAnAnswerAtOnce is what a call costs beside its transport.
func BenchmarkAnAnswerAtOnce(b *testing.B) {
	complete(b, canned{`{"id":"chatcmpl-1","object":"chat.completion","created":1764400000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("slow query. ", 36) +
		`","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":0}}}`, "application/json"}, nil)
}

// BenchmarkAStreamedAnswer is the same in 14 events.
func BenchmarkAStreamedAnswer(b *testing.B) {
	var events bytes.Buffer
	for range 12 {
		events.WriteString(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764400000,"model":"m","choices":[{"index":0,"delta":{"content":"a slow query of the orders table "},"finish_reason":null}]}` + "\n\n")
	}
	events.WriteString(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764400000,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n")
	events.WriteString(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1764400000,"model":"m","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}` + "\n\ndata: [DONE]\n\n")
	complete(b, canned{events.String(), "text/event-stream"}, func(ai.Piece) error { return nil })
}

func complete(b *testing.B, transport canned, on func(ai.Piece) error) {
	p, err := openai.New(openai.Options{BaseURL: "http://model.test/v1", Client: &http.Client{Transport: transport}})
	if err != nil {
		b.Fatal(err)
	}
	request := ai.Request{Model: "m", Key: "sk", Messages: []ai.Message{{Role: ai.RoleSystem, Text: "Answer."}, {Role: ai.RoleUser, Text: prompt}}}
	b.ReportAllocs()
	for b.Loop() {
		answer, err := p.Complete(b.Context(), request, on)
		if err != nil || answer.Usage.InputTokens != 1000 || len(answer.Text) < 300 {
			b.Fatal(answer, err)
		}
	}
}
