// Package gemini is the provider for Google's Gemini API. It owns the
// translation of one request and its errors for generateContent and
// batchEmbedContents, through the official client with retries and automatic
// continuation off: the chain is package ai's.
package gemini

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genai"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// DefaultBaseURL is Google's own service.
const DefaultBaseURL = "https://generativelanguage.googleapis.com"

// Options configure a Provider.
type Options struct {
	BaseURL string // up to and without /v1beta; default DefaultBaseURL
	Client  *http.Client
}

// Provider implements ai.Provider, ai.Embedder and ai.Lister.
type Provider struct{ models *genai.Models }

// New returns a provider for one service. It connects to nothing.
func New(opts Options) (*Provider, error) {
	base := opts.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	u, err := wire.CheckURL(base)
	if err != nil {
		return nil, err
	}
	client, err := genai.NewClient(context.Background(), &genai.ClientConfig{
		// The client looks for what is empty in the environment, so nothing is; each
		// exchange puts its own key in this one's place.
		APIKey: "of-the-exchange", Backend: genai.BackendGeminiAPI, HTTPClient: wire.Client(opts.Client),
		HTTPOptions: genai.HTTPOptions{BaseURL: strings.TrimSuffix(u.String(), "/v1beta") + "/", APIVersion: "v1beta"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{models: client.Models}, nil
}

// listed is how many models one page has.
const listed = 1000

// Models implements ai.Lister.
func (p *Provider) Models(ctx context.Context, key string) ([]string, error) {
	x := &wire.Exchange{Header: "X-Goog-Api-Key", Value: key}
	got, err := p.models.List(x.With(ctx), &genai.ListModelsConfig{PageSize: listed})
	if err := failure(ctx, x, err); err != nil {
		return nil, err
	}
	names := make([]string, len(got.Items))
	for i, m := range got.Items {
		names[i] = strings.TrimPrefix(m.Name, "models/")
	}
	return names, nil
}

// modelName keeps a model's name from changing the address it becomes a part of.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@/-]*$`)

func exchange(key, model string, stream bool) (*wire.Exchange, error) {
	if !modelName.MatchString(model) || strings.Contains(model, "..") {
		return nil, ai.Fail(ai.UnknownModel, "the name of the model is none of this service")
	}
	return &wire.Exchange{Header: "X-Goog-Api-Key", Value: key, Stream: stream}, nil
}

// Complete implements ai.Provider.
func (p *Provider) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	x, err := exchange(r.Key, r.Model, on != nil)
	if err != nil {
		return ai.Response{}, err
	}
	contents, config, err := params(r)
	if err != nil {
		return ai.Response{}, err
	}
	answer := &gathering{Answer: wire.Answer{On: on, Format: r.Format}}
	if on == nil {
		got, callErr := p.models.GenerateContent(x.With(ctx), r.Model, contents, config)
		if err = failure(ctx, x, callErr); err == nil {
			err = answer.add(got)
		}
	} else {
		err = p.stream(ctx, x, r.Model, contents, config, answer)
	}
	if err != nil {
		return answer.SoFar(), err
	}
	if !answer.Done && on == nil {
		return answer.SoFar(), x.Unreadable()
	}
	return answer.Whole()
}

func (p *Provider) stream(ctx context.Context, x *wire.Exchange, model string, contents []*genai.Content, config *genai.GenerateContentConfig, answer *gathering) error {
	for got, err := range p.models.GenerateContentStream(x.With(ctx), model, contents, config) {
		if err != nil {
			return failure(ctx, x, err)
		}
		if err := answer.add(got); err != nil {
			return err
		}
	}
	return failure(ctx, x, nil)
}

// gathering is an answer of Gemini's, whose calls have no numbers.
type gathering struct {
	wire.Answer
	calls int
}

func (g *gathering) add(got *genai.GenerateContentResponse) error {
	if got.ModelVersion != "" {
		g.Response.Model = got.ModelVersion
	}
	if u := got.UsageMetadata; u != nil {
		if told, err := json.Marshal(u); err == nil {
			g.Response.UsageRaw = ai.RawUsage(string(told))
		}
		g.Response.Usage = ai.Usage{
			InputTokens: int64(u.PromptTokenCount) + int64(u.ToolUsePromptTokenCount), CachedTokens: int64(u.CachedContentTokenCount),
			OutputTokens: int64(u.CandidatesTokenCount) + int64(u.ThoughtsTokenCount), ReasoningTokens: int64(u.ThoughtsTokenCount),
		}
	}
	if f := got.PromptFeedback; f != nil && f.BlockReason != "" {
		g.Declined, g.Done = true, true
	}
	if len(got.Candidates) == 0 {
		return nil
	}
	candidate := got.Candidates[0]
	if candidate.Content != nil {
		for _, part := range candidate.Content.Parts {
			if err := g.part(part); err != nil {
				return err
			}
		}
	}
	if candidate.FinishReason != "" {
		return g.finished(candidate.FinishReason)
	}
	return nil
}

func (g *gathering) part(part *genai.Part) error {
	if part.FunctionCall == nil {
		if part.Thought {
			return nil
		}
		return g.Text(part.Text)
	}
	arguments := []byte("{}")
	if len(part.FunctionCall.Args) > 0 {
		var err error
		if arguments, err = json.Marshal(part.FunctionCall.Args); err != nil {
			return ai.Fail(ai.Transport, "the model service does not speak the protocol")
		}
	}
	g.calls++
	return g.Call(g.calls, callID(part), part.FunctionCall.Name, string(arguments))
}

func (g *gathering) finished(reason genai.FinishReason) error {
	g.Done, g.Response.Finish = true, ai.FinishStop
	switch reason {
	case genai.FinishReasonMaxTokens, genai.FinishReasonContinuation: // there is more, for another request
		g.Response.Finish = ai.FinishLength
	case genai.FinishReasonSafety, genai.FinishReasonRecitation, genai.FinishReasonLanguage, genai.FinishReasonBlocklist, genai.FinishReasonProhibitedContent, genai.FinishReasonSPII:
		g.Declined = true
	case genai.FinishReasonMalformedFunctionCall, genai.FinishReasonUnexpectedToolCall, genai.FinishReasonTooManyToolCalls:
		return ai.Fail(ai.InvalidAnswer, "the model made a call that is not well formed")
	}
	return nil
}

// codes are the states of Google's errors, and the reasons within them that say more.
var codes = map[string]ai.Class{
	"API_KEY_INVALID": ai.BadKey, "API_KEY_EXPIRED": ai.BadKey, "quota_per_day": ai.QuotaExceeded,
	"INVALID_ARGUMENT": ai.BadRequest, "FAILED_PRECONDITION": ai.NotAllowed, "UNAUTHENTICATED": ai.BadKey, "PERMISSION_DENIED": ai.NotAllowed,
	"NOT_FOUND": ai.UnknownModel, "RESOURCE_EXHAUSTED": ai.RateLimited, "INTERNAL": ai.Overloaded, "UNAVAILABLE": ai.Overloaded,
	"DEADLINE_EXCEEDED": ai.Overloaded, "CANCELLED": ai.Overloaded,
}

// failure is the error of an exchange that did not end in an answer, nil of one that did.
func failure(ctx context.Context, x *wire.Exchange, err error) error {
	if x.OK(err) {
		return nil
	}
	if ended := x.Ended(ctx, err); ended != nil {
		return ended
	}
	var refused genai.APIError
	if errors.As(err, &refused) {
		var reasons []string
		wait := 0.0
		for _, detail := range refused.Details {
			switch kind, _ := detail["@type"].(string); {
			case strings.HasSuffix(kind, "google.rpc.ErrorInfo"):
				reason, _ := detail["reason"].(string)
				reasons = append(reasons, reason)
			case strings.HasSuffix(kind, "google.rpc.QuotaFailure") && byDay(detail):
				reasons = append(reasons, "quota_per_day")
			case strings.HasSuffix(kind, "google.rpc.RetryInfo"):
				text, _ := detail["retryDelay"].(string)
				wait, _ = strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
			}
		}
		status := refused.Code
		if !x.Answered() || status < 400 || status > 599 {
			status = 0 // that of the response
		}
		f := x.Failure(status, codes, refused.Message, append(reasons, refused.Status)...)
		f.RetryAfter = max(f.RetryAfter, wire.Wait(wait))
		return f
	}
	if !x.Answered() {
		return x.Failure(0, codes, "")
	}
	return x.Unreadable()
}

// byDay reports whether a quota is one that a minute does not give back.
func byDay(detail map[string]any) bool {
	violations, _ := detail["violations"].([]any)
	return slices.ContainsFunc(violations, func(v any) bool {
		violation, _ := v.(map[string]any)
		id, _ := violation["quotaId"].(string)
		return strings.Contains(id, "PerDay")
	})
}

func params(r ai.Request) ([]*genai.Content, *genai.GenerateContentConfig, error) {
	off := false
	config := &genai.GenerateContentConfig{AutomaticContinuation: &off}
	contents, err := turns(config, r)
	if err != nil {
		return nil, nil, err
	}
	if err := set(config, r.Parameters); err != nil {
		return nil, nil, err
	}
	if f := r.Format; f != nil {
		lowered, err := wire.Lower(schema.Gemini, f.Schema)
		if err != nil {
			return nil, nil, err
		}
		config.ResponseMIMEType, config.ResponseJsonSchema = "application/json", lowered
	}
	if len(r.Tools) == 0 {
		return contents, config, nil
	}
	tool := &genai.Tool{}
	for _, t := range r.Tools {
		lowered, err := wire.Lower(schema.Gemini, t.Schema)
		if err != nil {
			return nil, nil, err
		}
		tool.FunctionDeclarations = append(tool.FunctionDeclarations, &genai.FunctionDeclaration{Name: t.Name, Description: t.Description, ParametersJsonSchema: lowered})
	}
	config.Tools = []*genai.Tool{tool}
	calling := &genai.FunctionCallingConfig{}
	switch r.ToolChoice {
	case ai.ToolAuto:
		return contents, config, nil
	case ai.ToolNone:
		calling.Mode = genai.FunctionCallingConfigModeNone
	case ai.ToolRequired:
		calling.Mode = genai.FunctionCallingConfigModeAny
	default:
		calling.Mode, calling.AllowedFunctionNames = genai.FunctionCallingConfigModeAny, []string{r.ToolChoice}
	}
	config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: calling}
	return contents, config, nil
}

func set(config *genai.GenerateContentConfig, from ai.Parameters) error {
	narrow := func(v *float64) *float32 {
		if v == nil {
			return nil
		}
		n := float32(*v)
		return &n
	}
	config.Temperature, config.TopP = narrow(from.Temperature), narrow(from.TopP)
	config.PresencePenalty, config.FrequencyPenalty = narrow(from.PresencePenalty), narrow(from.FrequencyPenalty)
	config.StopSequences = from.Stop
	if v := from.TopK; v != nil {
		k := float32(*v)
		config.TopK = &k
	}
	if v := from.MaxTokens; v != nil {
		config.MaxOutputTokens = int32(min(*v, math.MaxInt32)) // over every model's limit
	}
	if v := from.Seed; v != nil {
		if *v < math.MinInt32 || *v > math.MaxInt32 {
			return wire.Missing("seed of more than 32 bits")
		}
		seed := int32(*v)
		config.Seed = &seed
	}
	if from.ReasoningEffort != "" { // the service's own words, in capitals
		config.ThinkingConfig = &genai.ThinkingConfig{ThinkingLevel: genai.ThinkingLevel(strings.ToUpper(from.ReasoningEffort))}
	}
	return nil
}

// Embed implements ai.Embedder.
func (p *Provider) Embed(ctx context.Context, r ai.EmbedRequest) (ai.EmbedResponse, error) {
	x, err := exchange(r.Key, r.Model, false)
	if err != nil {
		return ai.EmbedResponse{}, err
	}
	var contents []*genai.Content
	for _, text := range r.Input {
		contents = append(contents, genai.NewContentFromText(text, genai.RoleUser))
	}
	config := &genai.EmbedContentConfig{}
	if r.Dimensions > 0 {
		dimensions := int32(min(r.Dimensions, math.MaxInt32))
		config.OutputDimensionality = &dimensions
	}
	got, err := p.models.EmbedContent(x.With(ctx), r.Model, contents, config)
	if err := failure(ctx, x, err); err != nil {
		return ai.EmbedResponse{}, err
	}
	if len(got.Embeddings) != len(r.Input) {
		return ai.EmbedResponse{}, x.Unreadable()
	}
	response := ai.EmbedResponse{Model: r.Model} // the service names no model, and counts no tokens
	for _, e := range got.Embeddings {
		vector := make([]float64, len(e.Values))
		for i, v := range e.Values {
			vector[i] = float64(v)
		}
		response.Vectors = append(response.Vectors, vector)
	}
	return response, nil
}
