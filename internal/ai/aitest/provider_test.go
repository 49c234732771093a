package aitest

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/anthropic"
	"github.com/matrix-aiops/matrix/internal/ai/gemini"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

// key is the one that the service accepts. No error may contain it.
const key = "sk-conformance-0123456789abcdef"

// question is what is asked. No error may contain it either.
const question = "질문 <b>\"x\"</b>"

// kind is a provider under test.
type kind struct {
	name   string
	wire   string
	model  string
	start  func(s *llm.Server, client *http.Client) (ai.Provider, error)
	header string // that carries the key
	lacks  []string
	errors []failure
}

// failure is an error of the service's documentation and what it means.
type failure struct {
	reply llm.Reply
	class ai.Class
	code  string
}

// openAIErrors are those of https://platform.openai.com/docs/guides/error-codes,
// of both APIs.
var openAIErrors = []failure{
	{llm.Reply{Status: 400}, ai.BadRequest, ""},
	{llm.Reply{Status: 400, Code: "context_length_exceeded"}, ai.TooLong, "context_length_exceeded"},
	{llm.Reply{Status: 400, Message: "This model's maximum context length is 8192 tokens."}, ai.TooLong, ""}, // vLLM
	{llm.Reply{Status: 400, Code: "content_filter"}, ai.Refused, "content_filter"},                           // Azure
	{llm.Reply{Status: 400, Code: "invalid_prompt"}, ai.Refused, "invalid_prompt"},
	{llm.Reply{Status: 400, Code: "unsupported_parameter"}, ai.BadRequest, "unsupported_parameter"},
	{llm.Reply{Status: 401}, ai.BadKey, "invalid_api_key"},
	{llm.Reply{Status: 403, Code: "unsupported_country_region_territory"}, ai.NotAllowed, "unsupported_country_region_territory"},
	{llm.Reply{Status: 403}, ai.NotAllowed, ""},
	{llm.Reply{Status: 404}, ai.UnknownModel, "model_not_found"},
	{llm.Reply{Status: 404, Code: "DeploymentNotFound"}, ai.UnknownModel, "DeploymentNotFound"}, // Azure
	{llm.Reply{Status: 408}, ai.Overloaded, ""},
	{llm.Reply{Status: 409}, ai.BadRequest, ""},
	{llm.Reply{Status: 413}, ai.TooLong, ""},
	{llm.Reply{Status: 422}, ai.BadRequest, ""},
	{llm.Reply{Status: 429, RetryAfter: 1500 * time.Millisecond}, ai.RateLimited, "rate_limit_exceeded"},
	{llm.Reply{Status: 400, Message: "litellm.ContextWindowExceededError: too many"}, ai.TooLong, ""},
	{llm.Reply{Status: 429, Message: "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 42027."}, ai.TooLong, "rate_limit_exceeded"},
	{llm.Reply{Status: 429, Code: "insufficient_quota"}, ai.QuotaExceeded, "insufficient_quota"},
	{llm.Reply{Status: 500}, ai.Overloaded, "server_error"},
	{llm.Reply{Status: 502, Body: "<html>bad gateway " + key + "</html>"}, ai.Overloaded, ""},
	{llm.Reply{Status: 503, Code: "slow_down", RetryAfter: 7 * time.Second}, ai.RateLimited, "slow_down"},
	{llm.Reply{Status: 500, Code: "sk-conformance-0123456789abcdef"}, ai.Overloaded, "server_error"}, // the type stands in for a code that is not known
}

var kinds = []kind{
	{
		name: "openai chat completions", wire: llm.OpenAIChat, model: "some-model", header: "Authorization", errors: openAIErrors,
		start: func(s *llm.Server, client *http.Client) (ai.Provider, error) {
			return openai.New(openai.Options{BaseURL: s.URL, Client: client})
		},
	},
	{
		name: "openai responses", wire: llm.OpenAIResponses, model: "some-model", header: "Authorization", errors: openAIErrors,
		start: func(s *llm.Server, client *http.Client) (ai.Provider, error) {
			return openai.NewResponses(openai.Options{BaseURL: s.URL, Client: client})
		},
		lacks: []string{"top_k", "seed", "stop", "presence_penalty", "frequency_penalty"},
	},
	{
		name: "anthropic", wire: llm.Anthropic, model: "claude-some-model", header: "X-Api-Key",
		start: func(s *llm.Server, client *http.Client) (ai.Provider, error) {
			return anthropic.New(anthropic.Options{BaseURL: s.Base, Client: client})
		},
		lacks: []string{"seed", "presence_penalty", "frequency_penalty"},
		errors: []failure{ // of https://platform.claude.com/docs/en/api/errors
			{llm.Reply{Status: 400}, ai.BadRequest, "invalid_request_error"},
			{llm.Reply{Status: 400, Message: "prompt is too long: 205000 tokens > 200000 maximum"}, ai.TooLong, "invalid_request_error"},
			{llm.Reply{Status: 400, Message: "Your credit balance is too low to access the Anthropic API."}, ai.QuotaExceeded, "invalid_request_error"},
			{llm.Reply{Status: 400, Message: "Output blocked by content filtering policy"}, ai.Refused, "invalid_request_error"},
			{llm.Reply{Status: 401}, ai.BadKey, "authentication_error"},
			{llm.Reply{Status: 402}, ai.QuotaExceeded, "billing_error"},
			{llm.Reply{Status: 403}, ai.NotAllowed, "permission_error"},
			{llm.Reply{Status: 404}, ai.UnknownModel, "not_found_error"},
			{llm.Reply{Status: 413}, ai.TooLong, "request_too_large"},
			{llm.Reply{Status: 429, RetryAfter: 7 * time.Second}, ai.RateLimited, "rate_limit_error"},
			{llm.Reply{Status: 500}, ai.Overloaded, "api_error"},
			{llm.Reply{Status: 502, Body: "<html>bad gateway " + key + "</html>"}, ai.Overloaded, ""},
			{llm.Reply{Status: 504}, ai.Overloaded, "timeout_error"},
			{llm.Reply{Status: 529}, ai.Overloaded, "overloaded_error"},
		},
	},
	{
		name: "gemini", wire: llm.Gemini, model: "gemini-some-model", header: "X-Goog-Api-Key",
		start: func(s *llm.Server, client *http.Client) (ai.Provider, error) {
			return gemini.New(gemini.Options{BaseURL: s.Base, Client: client})
		},
		errors: []failure{ // of https://ai.google.dev/gemini-api/docs/troubleshooting
			{llm.Reply{Status: 400}, ai.BadRequest, "INVALID_ARGUMENT"},
			{llm.Reply{Status: 400, Message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}, ai.TooLong, "INVALID_ARGUMENT"},
			{llm.Reply{Status: 400, Code: "FAILED_PRECONDITION"}, ai.NotAllowed, "FAILED_PRECONDITION"},
			{llm.Reply{Status: 400, Code: "API_KEY_INVALID"}, ai.BadKey, "API_KEY_INVALID"},
			{llm.Reply{Status: 401}, ai.BadKey, "UNAUTHENTICATED"},
			{llm.Reply{Status: 403}, ai.NotAllowed, "PERMISSION_DENIED"},
			{llm.Reply{Status: 404}, ai.UnknownModel, "NOT_FOUND"},
			{llm.Reply{Status: 429, RetryAfter: 34070 * time.Millisecond}, ai.RateLimited, "RESOURCE_EXHAUSTED"},
			{llm.Reply{Status: 429, Code: "quota_per_day", RetryAfter: 5 * time.Second}, ai.QuotaExceeded, "quota_per_day"},
			{llm.Reply{Status: 499}, ai.Overloaded, "CANCELLED"},
			{llm.Reply{Status: 500}, ai.Overloaded, "INTERNAL"},
			{llm.Reply{Status: 502, Body: "<html>bad gateway " + key + "</html>"}, ai.Overloaded, ""},
			{llm.Reply{Status: 503}, ai.Overloaded, "UNAVAILABLE"},
			{llm.Reply{Status: 504}, ai.Overloaded, "DEADLINE_EXCEEDED"},
		},
	},
}

// bench is a provider and its service, both fresh.
type bench struct {
	*testing.T
	kind
	server   *llm.Server
	provider ai.Provider
}

// each runs a test with each provider; what the service got must be well formed.
func each(t *testing.T, test func(b *bench)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			b := open(t, k)
			test(b)
			if faults := b.server.Faults(); len(faults) > 0 {
				t.Errorf("the service got requests that are not well formed: %q", faults)
			}
		})
	}
}

// modes runs a test with each provider, once whole and once as a stream.
func modes(t *testing.T, test func(b *bench, stream bool)) {
	t.Run("whole", func(t *testing.T) { each(t, func(b *bench) { test(b, false) }) })
	t.Run("stream", func(t *testing.T) { each(t, func(b *bench) { test(b, true) }) })
}

func open(t *testing.T, k kind) *bench {
	server, err := llm.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	provider, err := k.start(server, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{T: t, kind: k, server: server, provider: provider}
}

func (b *bench) request() ai.Request {
	return ai.Request{Key: key, Model: b.model, Messages: []ai.Message{{Role: ai.RoleSystem, Text: "be brief"}, {Role: ai.RoleUser, Text: question}}}
}

// ask completes; with stream it also checks that the pieces add up to the answer.
func (b *bench) ask(ctx context.Context, r ai.Request, stream bool) (ai.Response, error) {
	b.Helper()
	if !stream {
		return b.provider.Complete(ctx, r, nil)
	}
	text, calls := "", []ai.ToolCall{}
	response, err := b.provider.Complete(ctx, r, func(p ai.Piece) error {
		text += p.Text
		if c := p.Call; c != nil {
			switch {
			case c.Index == len(calls):
				calls = append(calls, ai.ToolCall{ID: c.ID, Name: c.Name})
			case c.Index > len(calls) || c.ID != "" || c.Name != "":
				b.Errorf("piece %+v comes after %+v", c, calls)
				return nil
			}
			calls[c.Index].Arguments += c.Arguments
		}
		return nil
	})
	if text != response.Text {
		b.Errorf("the pieces add up to %q, the answer is %q", text, response.Text)
	}
	for i := range calls {
		if calls[i].Arguments == "" {
			calls[i].Arguments = "{}"
		}
	}
	if len(calls) != len(response.Calls) {
		b.Errorf("the pieces are of %d calls, the answer has %d", len(calls), len(response.Calls))
		return response, err
	}
	for i, c := range response.Calls {
		if calls[i] != c {
			b.Errorf("the pieces add up to %+v, the call is %+v", calls[i], c)
		}
	}
	return response, err
}

func (b *bench) mustAsk(r ai.Request, stream bool) ai.Response {
	b.Helper()
	response, err := b.ask(b.Context(), r, stream)
	if err != nil {
		b.Fatalf("ask: %v", err)
	}
	return response
}

// refused asks and wants a failure that tells nothing it must not.
func (b *bench) refused(r ai.Request, stream bool, class ai.Class) (ai.Response, *ai.Failure) {
	b.Helper()
	response, err := b.ask(b.Context(), r, stream)
	var failed *ai.Failure
	if !errors.As(err, &failed) || failed.Class != class {
		b.Fatalf("err %v, want one of class %s", err, class)
	}
	b.discreet(err)
	return response, failed
}

func (b *bench) discreet(err error) {
	b.Helper()
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		for _, secret := range []string{key, "질문", "scripted", "be brief"} {
			if strings.Contains(cause.Error(), secret) {
				b.Errorf("the error holds %q: %v", secret, cause)
			}
		}
	}
}

// seen is the only request that the service got.
func (b *bench) seen() llm.Request {
	b.Helper()
	requests := b.server.Requests()
	if len(requests) != 1 {
		b.Fatalf("%d requests were made", len(requests))
	}
	return requests[0]
}

// healthReport is the schema of the seed.
func healthReport(t *testing.T) *ai.Format {
	t.Helper()
	raw, err := os.ReadFile("../../schema/testdata/application_health_report_format.json")
	if err != nil {
		t.Fatal(err)
	}
	return &ai.Format{Type: "json_schema", Name: "application_health_report_format", Schema: raw}
}

func object(text string) json.RawMessage { return json.RawMessage(text) }

// unreachable is an address at which nobody listens.
func unreachable() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused for " + key)
	}}}
}
