package openai_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
)

const key = "sk-0123456789"

func start(t *testing.T) *llm.Server {
	t.Helper()
	server, err := llm.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// dialing is a client that finds the server under every name.
func dialing(t *testing.T, server *llm.Server) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server.Base, "http://"))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func question(model string) ai.Request {
	return ai.Request{Key: key, Model: model, Messages: []ai.Message{{Role: ai.RoleUser, Text: "x"}}}
}

func TestTheServiceOfOpenAIAndThoseLikeItAreToldTheLimitInTheirWords(t *testing.T) {
	for host, field := range map[string]string{
		"api.openai.com": `"max_completion_tokens":100`, "house.openai.azure.com": `"max_completion_tokens":100`, "vllm.example.com": `"max_tokens":100`, "openai.com.example.com": `"max_tokens":100`,
	} {
		server := start(t)
		p, err := openai.New(openai.Options{BaseURL: "http://" + host + "/v1/", Client: dialing(t, server)})
		if err != nil {
			t.Fatal(err)
		}
		server.Script(llm.Reply{Text: "ok"})
		r, limit := question("gpt-5"), int64(100)
		if strings.HasSuffix(host, "example.com") {
			r.Model = "llama"
		}
		r.Parameters.MaxTokens = &limit
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Errorf("%s: %v, faults %v", host, err, server.Faults())
			continue
		}
		if raw := string(server.Requests()[0].Raw); !strings.Contains(raw, field) {
			t.Errorf("%s was sent %s", host, raw)
		}
	}
}

func TestAzureTakesTheKeyInAHeaderOfItsOwn(t *testing.T) {
	server := start(t)
	server.Script(llm.Reply{Text: "ok"}, llm.Reply{Text: "ok"})
	opts := openai.Options{BaseURL: "http://house.openai.azure.com/v1", Client: dialing(t, server)}
	chat, err := openai.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	responses, err := openai.NewResponses(opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []ai.Provider{chat, responses} {
		if _, err := p.Complete(t.Context(), question("gpt-5"), nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range server.Requests() {
		if r.Header.Get("Api-Key") != key || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: headers %v", r.Wire, r.Header)
		}
	}
}

func TestOpenAIIsNotSentWhatOnlyOthersKnow(t *testing.T) {
	server := start(t)
	p, err := openai.New(openai.Options{BaseURL: "http://api.openai.com/v1", Client: dialing(t, server)})
	if err != nil {
		t.Fatal(err)
	}
	r, k := question("gpt-5"), int64(5)
	r.Parameters.TopK = &k
	var failed *ai.Failure
	if _, err := p.Complete(t.Context(), r, nil); !errors.As(err, &failed) || failed.Class != ai.BadRequest || len(server.Requests()) > 0 {
		t.Errorf("err %v", err)
	}
}

func TestOpenAIKeepsNoResponses(t *testing.T) {
	server := start(t)
	server.Script(llm.Reply{Text: "ok"})
	p, err := openai.NewResponses(openai.Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Complete(t.Context(), question("gpt-5"), nil); err != nil {
		t.Fatal(err)
	}
	if raw := string(server.Requests()[0].Raw); !strings.Contains(raw, `"store":false`) {
		t.Errorf("sent %s", raw)
	}
}

// TestServersThatDifferInSmallThingsAreUnderstood answers as compatible servers
// have been seen to.
func TestServersThatDifferInSmallThingsAreUnderstood(t *testing.T) {
	f := func(kind, body string, check func(ai.Response, error) bool) {
		t.Helper()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
		}))
		defer server.Close()
		p, err := openai.New(openai.Options{BaseURL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		var on func(ai.Piece) error
		if kind == "text/event-stream" {
			on = func(ai.Piece) error { return nil }
		}
		if response, err := p.Complete(t.Context(), question("m"), on); !check(response, err) {
			t.Errorf("%s\nresponse %+v, err %v", body, response, err)
		}
	}
	failed := func(class ai.Class, status int, code string) func(ai.Response, error) bool {
		return func(_ ai.Response, err error) bool {
			var f *ai.Failure
			return errors.As(err, &f) && f.Class == class && f.Status == status && f.Code == code
		}
	}
	// An error with status 200, its code a status.
	f("application/json", `{"error":{"message":"busy","code":429}}`, failed(ai.RateLimited, 429, ""))
	f("application/json", `{"error":{"message":"spent","code":"insufficient_quota"}}`, failed(ai.QuotaExceeded, 0, "insufficient_quota"))
	f("text/event-stream", "data: {\"error\":{\"message\":\"busy\",\"code\":\"503\"}}\n\n", failed(ai.Overloaded, 503, ""))
	// Two calls that have the same number, and no message in the last chunk.
	f("text/event-stream", `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"x","arguments":"{\"n\""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":":1}"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"y","arguments":""}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: [DONE]

`, func(r ai.Response, err error) bool {
		return err == nil && r.Finish == ai.FinishCalls && reflect.DeepEqual(r.Calls, []ai.ToolCall{{ID: "a", Name: "x", Arguments: `{"n":1}`}, {ID: "b", Name: "y", Arguments: "{}"}})
	})
	// A proxy that ends the stream cleanly in the middle.
	f("text/event-stream", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n", func(r ai.Response, err error) bool {
		return r.Text == "half" && failed(ai.Transport, 0, "")(r, err)
	})
	// A comment to keep the connection open, and lines that end as in Windows.
	f("text/event-stream", ": waiting\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\r\n\r\n", func(r ai.Response, err error) bool {
		return err == nil && r.Text == "ok"
	})
}

func TestTextsAreEmbedded(t *testing.T) {
	server := start(t)
	p, err := openai.New(openai.Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	var _ ai.Embedder = p
	got, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: "small", Input: []string{"하나", "둘"}, Dimensions: 5})
	if err != nil || len(got.Vectors) != 2 || len(got.Vectors[0]) != 5 || got.Usage.InputTokens == 0 || got.Model != "small" {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := llm.Vector("둘", 5); float32(got.Vectors[1][4]) != want[4] {
		t.Errorf("got %v, want %v", got.Vectors[1], want)
	}
	server.Script(llm.Reply{Status: 429, RetryAfter: time.Second})
	var failed *ai.Failure
	if _, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: "small", Input: []string{"x"}}); !errors.As(err, &failed) || failed.Class != ai.RateLimited || failed.RetryAfter != time.Second {
		t.Errorf("err %v", err)
	}
	server.Script(llm.Reply{Body: `{"data":[{"index":0,"embedding":[1]},{"index":7,"embedding":[1]}]}`})
	if _, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: "small", Input: []string{"x", "y"}}); !errors.As(err, &failed) || failed.Class != ai.Transport {
		t.Errorf("an answer for half of the texts: %v", err)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"api.openai.com", "ftp://x/v1", "http://", "://", "https://x/v1?key=1", "https://x/v1#a"} {
		if _, err := openai.New(openai.Options{BaseURL: base}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", base, err)
		}
		if _, err := openai.NewResponses(openai.Options{BaseURL: base}); !fault.Is(err, fault.Invalid) {
			t.Errorf("responses, %q: %v", base, err)
		}
	}
}
