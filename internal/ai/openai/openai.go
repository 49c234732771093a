// Package openai is the provider for OpenAI and for everything that speaks its
// chat completions: Azure OpenAI (its /openai/v1 endpoint), vLLM, Ollama,
// LiteLLM, and most gateways. It owns the translation of one request and its
// errors for chat completions, responses and embeddings, through the official
// client with retries off: the chain is package ai's.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
)

// DefaultBaseURL is OpenAI's own service.
const DefaultBaseURL = "https://api.openai.com/v1"

const longestCallID = 40 // that the service takes

// Options configure a Provider.
type Options struct {
	BaseURL string // up to and without /chat/completions; default DefaultBaseURL
	Client  *http.Client
}

// Provider implements ai.Provider with chat completions, and ai.Embedder.
type Provider struct {
	service
	client     *sdk.Client
	embeddings sdk.EmbeddingService
	listing
}

// Responses implements ai.Provider with the responses API.
type Responses struct {
	service
	responses responses.ResponseService
	listing
}

// service is one address.
type service struct {
	own   bool // OpenAI or Azure: max_completion_tokens, and no parameters of others
	azure bool
}

// New returns a provider for one service. It connects to nothing.
func New(opts Options) (*Provider, error) {
	s, options, err := connect(opts)
	if err != nil {
		return nil, err
	}
	// Client and services are made by themselves, not through sdk.NewClient, which
	// would take keys and addresses out of the environment: that is app's to read.
	return &Provider{service: s, client: &sdk.Client{Options: options}, embeddings: sdk.NewEmbeddingService(options...), listing: listing{s, sdk.NewModelService(options...)}}, nil
}

// NewResponses returns a provider for one service that speaks the responses API.
func NewResponses(opts Options) (*Responses, error) {
	s, options, err := connect(opts)
	if err != nil {
		return nil, err
	}
	return &Responses{service: s, responses: responses.NewResponseService(options...), listing: listing{s, sdk.NewModelService(options...)}}, nil
}

func connect(opts Options) (service, []option.RequestOption, error) {
	base := opts.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	u, err := wire.CheckURL(base)
	if err != nil {
		return service{}, nil, err
	}
	host := u.Hostname()
	azure := strings.HasSuffix(host, ".azure.com")
	return service{own: azure || strings.HasSuffix(host, ".openai.com"), azure: azure}, []option.RequestOption{
		option.WithBaseURL(u.String() + "/"), option.WithHTTPClient(wire.Client(opts.Client)), option.WithMaxRetries(0),
	}, nil
}

func (s service) exchange(key string, stream bool) *wire.Exchange {
	switch {
	case key == "":
		return &wire.Exchange{Stream: stream}
	case s.azure:
		return &wire.Exchange{Header: "Api-Key", Value: key, Stream: stream}
	}
	return &wire.Exchange{Header: "Authorization", Value: "Bearer " + key, Stream: stream}
}

// codes are the service's error codes, and for want of one its types, that are
// known: those of its documentation, of Azure and of streams.
var codes = map[string]ai.Class{
	"invalid_api_key": ai.BadKey, "invalid_organization": ai.BadKey, "account_deactivated": ai.NotAllowed, "ip_not_authorized": ai.NotAllowed,
	"unsupported_country_region_territory": ai.NotAllowed, "data_residency_mismatch": ai.NotAllowed,
	"insufficient_quota": ai.QuotaExceeded, "billing_hard_limit_reached": ai.QuotaExceeded, "billing_not_active": ai.QuotaExceeded,
	"rate_limit_exceeded": ai.RateLimited, "slow_down": ai.RateLimited,
	"server_error": ai.Overloaded, "overloaded": ai.Overloaded, "server_is_overloaded": ai.Overloaded,
	"model_not_found": ai.UnknownModel, "DeploymentNotFound": ai.UnknownModel,
	"context_length_exceeded": ai.TooLong,
	"content_filter":          ai.Refused, "content_policy_violation": ai.Refused, "invalid_prompt": ai.Refused, "bio_policy": ai.Refused, "misalignment_policy_violation": ai.Refused,
	"unsupported_parameter": ai.BadRequest, "unsupported_value": ai.BadRequest, "unknown_parameter": ai.BadRequest, "missing_required_parameter": ai.BadRequest,
	"invalid_value": ai.BadRequest, "invalid_type": ai.BadRequest,
}

// failure is the error of an exchange that did not end in an answer.
func failure(ctx context.Context, x *wire.Exchange, err error) error {
	if ended := x.Ended(ctx, err); ended != nil {
		return ended
	}
	var refused *sdk.Error
	if errors.As(err, &refused) {
		return x.Failure(0, codes, refused.Message, refused.Code, refused.Type)
	}
	var broken *ssestream.StreamError
	if errors.As(err, &broken) {
		if f := within(x, errorOf(broken.Event.Data)); f != nil {
			return f
		}
	}
	if !x.Answered() {
		return x.Failure(0, codes, "")
	}
	return x.Unreadable()
}

// errorOf is the error that a body holds, nil when it holds none.
func errorOf(body []byte) json.RawMessage {
	var holds struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &holds) != nil {
		return nil
	}
	return holds.Error
}

// within is the failure that an answer with status 200 tells of, as gateways in
// front of a service send it, nil when it tells of none.
func within(x *wire.Exchange, told json.RawMessage) error {
	var e *struct {
		Code    any    `json:"code"`
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(told, &e); err == nil && e != nil {
		code := fmt.Sprint(e.Code)
		status, _ := strconv.Atoi(code) // some send a status for a code
		if status < 400 || status > 599 {
			status = 0
		}
		return x.Failure(status, codes, e.Message, code, e.Type)
	}
	return nil
}

// definition is a schema with its name, as both APIs write it. It is encoded
// here because the client's own types would sort the properties.
type definition struct {
	Type        string          `json:"type,omitempty"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      bool            `json:"strict"`
}

// encoded is a parameter of the client that is the definition.
func encoded[T param.ParamStruct, P param.InferPtr[T]](d definition) (T, error) {
	data, err := json.Marshal(d)
	if err != nil {
		var none T
		return none, ai.Fail(ai.BadRequest, "a schema is not JSON")
	}
	return param.Override[T, P](json.RawMessage(data)), nil
}

// tool is the definition of a tool. It is not strict: strict mode would make the
// model fill in every optional argument with null, which a tool need not take.
func tool(t ai.Tool) definition {
	return definition{Name: t.Name, Description: t.Description, Parameters: t.Schema}
}

// listing implements ai.Lister for both APIs.
type listing struct {
	at     service
	models sdk.ModelService
}

// Models implements ai.Lister.
func (l listing) Models(ctx context.Context, key string) ([]string, error) {
	x := l.at.exchange(key, false)
	got, err := l.models.List(x.With(ctx))
	if !x.OK(err) {
		return nil, failure(ctx, x, err)
	}
	names := make([]string, len(got.Data))
	for i, m := range got.Data {
		names[i] = m.ID
	}
	return names, nil
}

// Embed implements ai.Embedder.
func (p *Provider) Embed(ctx context.Context, r ai.EmbedRequest) (ai.EmbedResponse, error) {
	x := p.exchange(r.Key, false)
	params := sdk.EmbeddingNewParams{Model: r.Model, Input: sdk.EmbeddingNewParamsInputUnion{OfArrayOfStrings: r.Input}}
	if r.Dimensions > 0 {
		params.Dimensions = sdk.Int(int64(r.Dimensions))
	}
	got, err := p.embeddings.New(x.With(ctx), params)
	if !x.OK(err) {
		return ai.EmbedResponse{}, failure(ctx, x, err)
	}
	response := ai.EmbedResponse{Model: got.Model, Usage: ai.Usage{InputTokens: got.Usage.PromptTokens}, UsageRaw: ai.RawUsage(got.Usage.RawJSON()), Vectors: make([][]float64, len(r.Input))}
	for _, e := range got.Data {
		if e.Index >= 0 && e.Index < int64(len(r.Input)) {
			response.Vectors[e.Index] = e.Embedding
		}
	}
	if slices.ContainsFunc(response.Vectors, func(v []float64) bool { return len(v) == 0 }) {
		return ai.EmbedResponse{Usage: response.Usage, UsageRaw: response.UsageRaw}, x.Unreadable()
	}
	return response, nil
}
