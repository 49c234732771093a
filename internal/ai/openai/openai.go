// Package openai is the provider for everything that speaks OpenAI's chat
// completions: OpenAI, Azure OpenAI (its /openai/v1 endpoint), vLLM, Ollama, and
// most gateways. It owns the translation of one request and its errors, through
// the official client with retries off: the chain is package ai's.
package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// DefaultBaseURL is OpenAI's own service.
const DefaultBaseURL = "https://api.openai.com/v1"

const maxResponse = 1 << 20 // bytes

// Options configure a Provider.
type Options struct {
	BaseURL string // up to and without /chat/completions; default DefaultBaseURL
	APIKey  string // may be empty for local servers
	Client  *http.Client
}

// Provider implements ai.Provider.
type Provider struct {
	completions sdk.ChatCompletionService
	ownService  bool     // OpenAI or Azure: max_completion_tokens, and a key is needed
	plainModels sync.Map // models whose server refused a JSON schema
}

// New returns a provider for one service. It connects to nothing.
func New(opts Options) (*Provider, error) {
	base := opts.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fault.New(fault.Invalid, "the base URL of the model service is not an http(s) address").WithField("base_url")
	}
	client := &http.Client{}
	if opts.Client != nil {
		copied := *opts.Client
		client = &copied
	}
	// A redirect would carry the prompt, and perhaps the key, elsewhere.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = bounded{client.Transport}
	// The service is made by itself, not through sdk.NewClient, which would take
	// keys and addresses out of the environment: that is app's to read.
	options := []option.RequestOption{
		option.WithBaseURL(strings.TrimRight(base, "/") + "/"), option.WithHTTPClient(client), option.WithMaxRetries(0),
	}
	if opts.APIKey != "" {
		options = append(options, option.WithAPIKey(opts.APIKey))
	}
	host := u.Hostname()
	return &Provider{
		completions: sdk.NewChatCompletionService(options...),
		ownService:  strings.HasSuffix(host, ".openai.com") || strings.HasSuffix(host, ".azure.com"),
	}, nil
}

// bounded cuts off a response over maxResponse.
type bounded struct{ next http.RoundTripper }

var errTooLarge = errors.New("the response is too large")

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	response, err := next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	err = errors.Join(err, response.Body.Close())
	if err != nil {
		return nil, err
	}
	if len(data) > maxResponse {
		return nil, errTooLarge
	}
	response.Body = io.NopCloser(bytes.NewReader(data))
	return response, nil
}

// Complete implements ai.Provider. A server that refuses the JSON schema with
// 400 or 422 is asked again without it, the schema written into the system
// message instead, and from then on at once.
func (p *Provider) Complete(ctx context.Context, r ai.Request) (ai.Response, error) {
	if _, plain := p.plainModels.Load(r.Model); r.Format == nil || plain {
		return p.complete(ctx, inWords(r))
	}
	response, err := p.complete(ctx, r)
	if !fault.Is(err, fault.Invalid) {
		return response, err
	}
	response, plainErr := p.complete(ctx, inWords(r))
	response.Requests++
	switch {
	case plainErr == nil:
		p.plainModels.Store(r.Model, true)
		return response, nil
	case fault.Is(plainErr, fault.Invalid):
		return response, err // the schema was not what it refused
	}
	return response, plainErr
}

// inWords moves the format of the answer into the system message.
func inWords(r ai.Request) ai.Request {
	if r.Format == nil {
		return r
	}
	messages := append([]ai.Message(nil), r.Messages...)
	words := "\n\nAnswer with exactly one JSON object, without code fence or other text, that is valid against this JSON schema:\n" + string(r.Format.Schema)
	for i := range messages {
		if messages[i].Role == "system" {
			messages[i].Text += words
			break
		}
	}
	r.Messages, r.Format = messages, nil
	return r
}

func (p *Provider) complete(ctx context.Context, r ai.Request) (ai.Response, error) {
	params, err := p.params(r)
	if err != nil {
		return ai.Response{}, err
	}
	completion, err := p.completions.New(ctx, params)
	if err != nil {
		return ai.Response{Requests: 1}, classify(ctx, err)
	}
	usage := completion.Usage
	response := ai.Response{
		Model: completion.Model, Requests: 1,
		Usage: ai.Usage{InputTokens: usage.PromptTokens, CachedTokens: usage.PromptTokensDetails.CachedTokens, OutputTokens: usage.CompletionTokens},
	}
	if len(completion.Choices) == 0 {
		return response, fault.New(fault.Unavailable, "the model service answered without a choice")
	}
	choice := completion.Choices[0]
	switch {
	case choice.Message.Refusal != "", choice.FinishReason == "content_filter":
		return response, fault.New(fault.Unsupported, "the model declined to answer")
	case choice.FinishReason == "length":
		return response, fault.New(fault.TooLarge, "the answer was cut off at the token limit")
	case strings.TrimSpace(choice.Message.Content) == "":
		return response, fault.New(fault.Unavailable, "the model service answered with an empty message")
	}
	response.Text = choice.Message.Content
	return response, nil
}

func (p *Provider) params(r ai.Request) (sdk.ChatCompletionNewParams, error) {
	params := sdk.ChatCompletionNewParams{Model: r.Model}
	for _, m := range r.Messages {
		switch m.Role {
		case "system":
			params.Messages = append(params.Messages, sdk.SystemMessage(m.Text))
		case "assistant":
			params.Messages = append(params.Messages, sdk.AssistantMessage(m.Text))
		default:
			params.Messages = append(params.Messages, sdk.UserMessage(m.Text))
		}
	}
	if t := r.Parameters.Temperature; t != nil {
		params.Temperature = sdk.Float(*t)
	}
	if t := r.Parameters.TopP; t != nil {
		params.TopP = sdk.Float(*t)
	}
	if n := r.Parameters.MaxTokens; n != nil {
		if p.ownService {
			params.MaxCompletionTokens = sdk.Int(*n)
		} else {
			params.MaxTokens = sdk.Int(*n) // what vLLM and Ollama know
		}
	}
	if f := r.Format; f != nil {
		var schema any
		if err := json.Unmarshal(f.Schema, &schema); err != nil {
			return params, fault.Wrap(err, fault.Internal, "the response format is not JSON")
		}
		params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: f.Name, Strict: sdk.Bool(true), Schema: schema},
		}
	}
	return params, nil
}

// codes are the error codes that are passed on. Nothing else of an error body
// is: it may quote the key or the prompt, in whatever field.
var codes = map[string]bool{
	"invalid_api_key": true, "insufficient_quota": true, "rate_limit_exceeded": true, "billing_hard_limit_reached": true,
	"model_not_found": true, "DeploymentNotFound": true, "context_length_exceeded": true, "content_filter": true,
	"unsupported_parameter": true, "unsupported_value": true, "invalid_request_error": true, "server_error": true,
}

func classify(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask model: %w", ctx.Err())
	}
	if errors.Is(err, errTooLarge) {
		return fault.New(fault.TooLarge, "the model service answered with more than %d bytes", maxResponse)
	}
	var refused *sdk.Error
	if !errors.As(err, &refused) {
		return fault.New(fault.Unavailable, "the model service cannot be reached or does not speak the protocol")
	}
	reason := fmt.Sprintf("status %d", refused.StatusCode)
	if codes[refused.Code] {
		reason += " " + refused.Code
	}
	switch status := refused.StatusCode; {
	case status == http.StatusUnauthorized:
		return fault.New(fault.Unauthenticated, "the model service does not accept the key (%s)", reason)
	case status == http.StatusForbidden:
		return fault.New(fault.Denied, "the model service denies access (%s)", reason)
	case status == http.StatusNotFound:
		return fault.New(fault.NotFound, "the model service does not know the model or the path (%s)", reason)
	case status == http.StatusTooManyRequests:
		limited := fault.New(fault.RateLimited, "the model service is asked too often (%s)", reason)
		if refused.Response != nil {
			if wait, err := time.ParseDuration(refused.Response.Header.Get("Retry-After") + "s"); err == nil {
				limited = limited.WithRetryAfter(wait)
			}
		}
		return limited
	case status == http.StatusRequestTimeout || status >= 500:
		return fault.New(fault.Unavailable, "the model service is failing (%s)", reason)
	case status >= 400:
		return fault.New(fault.Invalid, "the model service refused the request (%s)", reason)
	}
	return fault.New(fault.Unavailable, "the model service answered unexpectedly (%s)", reason)
}
