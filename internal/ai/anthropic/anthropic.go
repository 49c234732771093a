// Package anthropic is the provider for Anthropic's messages and for what speaks
// them. It owns the translation of one request and its errors, through the
// official client with retries off: the chain is package ai's.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// DefaultBaseURL is Anthropic's own service.
const DefaultBaseURL = "https://api.anthropic.com"

const (
	// defaultMaxTokens is sent when a request has no limit: the service has no
	// answer without one.
	defaultMaxTokens = 8192
	longestCallID    = 64 // that the service takes
	listed           = 1000
	// forever is over every deadline of a caller: without a time of its own the
	// client refuses an answer that might take longer than ten minutes.
	forever = 24 * time.Hour
)

// Options configure a Provider.
type Options struct {
	BaseURL string // up to and without /v1/messages; default DefaultBaseURL
	Client  *http.Client
}

// Provider implements ai.Provider and ai.Lister.
type Provider struct {
	messages sdk.MessageService
	models   sdk.ModelService
}

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
	// The service is made by itself, not through sdk.NewClient, which would take
	// keys and addresses out of the environment: that is app's to read. Nor may the
	// client trace: its spans can hold the prompt.
	options := []option.RequestOption{
		option.WithoutEnvironmentDefaults(), option.WithoutOpenTelemetry(), option.WithBaseURL(strings.TrimSuffix(u.String(), "/v1") + "/"),
		option.WithHTTPClient(wire.Client(opts.Client)), option.WithMaxRetries(0),
	}
	return &Provider{messages: sdk.NewMessageService(options...), models: sdk.NewModelService(options...)}, nil
}

// Models implements ai.Lister.
func (p *Provider) Models(ctx context.Context, key string) ([]string, error) {
	x := &wire.Exchange{Header: "X-Api-Key", Value: key}
	got, err := p.models.List(x.With(ctx), sdk.ModelListParams{Limit: param.NewOpt(int64(listed))})
	if !x.OK(err) {
		return nil, failure(ctx, x, err)
	}
	names := make([]string, len(got.Data))
	for i, m := range got.Data {
		names[i] = m.ID
	}
	return names, nil
}

// Complete implements ai.Provider.
func (p *Provider) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	params, err := params(r)
	if err != nil {
		return ai.Response{}, err
	}
	x, answer := &wire.Exchange{Header: "X-Api-Key", Value: r.Key, Stream: on != nil}, &wire.Answer{On: on, Format: r.Format}
	if on == nil {
		err = p.whole(x.With(ctx), x, params, answer)
	} else {
		err = p.stream(x.With(ctx), x, params, answer)
	}
	if err != nil {
		return answer.SoFar(), err
	}
	return answer.Whole()
}

func (p *Provider) whole(ctx context.Context, x *wire.Exchange, params sdk.MessageNewParams, answer *wire.Answer) error {
	message, err := p.messages.New(ctx, params, option.WithRequestTimeout(forever))
	if !x.OK(err) {
		return failure(ctx, x, err)
	}
	if message.StopReason == "" {
		return x.Unreadable()
	}
	answer.Response.Model, answer.Response.Usage, answer.Response.UsageRaw = message.Model, usage(message.Usage), ai.RawUsage(message.Usage.RawJSON())
	for i, block := range message.Content {
		var err error
		switch block.Type {
		case "text":
			err = answer.Text(block.Text)
		case "tool_use":
			err = answer.Call(i, block.ID, block.Name, string(block.Input))
		}
		if err != nil {
			return err
		}
	}
	finished(answer, message.StopReason)
	answer.Done = true
	return nil
}

func (p *Provider) stream(ctx context.Context, x *wire.Exchange, params sdk.MessageNewParams, answer *wire.Answer) error {
	stream := p.messages.NewStreaming(ctx, params)
	if !x.OK(stream.Err()) {
		return failure(ctx, x, stream.Err())
	}
	defer func() { _ = stream.Close() }()
	var total sdk.Usage
	for stream.Next() {
		if err := event(stream.Current(), &total, answer); err != nil {
			return err
		}
		answer.Response.Usage = usage(total)
	}
	if err := stream.Err(); !x.OK(err) {
		return failure(ctx, x, err)
	}
	return nil
}

func event(e sdk.MessageStreamEventUnion, total *sdk.Usage, answer *wire.Answer) error {
	key := int(e.Index)
	switch e.Type {
	case "message_start":
		answer.Response.Model, *total, answer.Response.UsageRaw = e.Message.Model, e.Message.Usage, ai.RawUsage(e.Message.Usage.RawJSON())
	case "content_block_start":
		switch e.ContentBlock.Type {
		case "text":
			return answer.Text(e.ContentBlock.Text)
		case "tool_use":
			return answer.Call(key, e.ContentBlock.ID, e.ContentBlock.Name, "")
		}
	case "content_block_delta":
		switch e.Delta.Type {
		case "text_delta":
			return answer.Text(e.Delta.Text)
		case "input_json_delta":
			return answer.Call(key, "", "", e.Delta.PartialJSON)
		}
	case "message_delta":
		// The counts are those of the whole message so far; what did not change is
		// left out.
		total.OutputTokens = e.Usage.OutputTokens
		if e.Usage.JSON.InputTokens.Valid() {
			total.InputTokens = e.Usage.InputTokens
		}
		if e.Usage.JSON.CacheReadInputTokens.Valid() {
			total.CacheReadInputTokens = e.Usage.CacheReadInputTokens
		}
		if e.Usage.JSON.CacheCreationInputTokens.Valid() {
			total.CacheCreationInputTokens = e.Usage.CacheCreationInputTokens
		}
		if e.Usage.JSON.OutputTokensDetails.Valid() {
			total.OutputTokensDetails = e.Usage.OutputTokensDetails
		}
		answer.Response.UsageRaw = over(answer.Response.UsageRaw, ai.RawUsage(e.Usage.RawJSON()))
		finished(answer, e.Delta.StopReason)
	case "message_stop":
		answer.Done = true
	}
	return nil
}

// over is an object with the properties of a later one put over its own.
func over(object, later json.RawMessage) json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, each := range []json.RawMessage{object, later} {
		if each != nil && json.Unmarshal(each, &all) != nil {
			return object
		}
	}
	if len(all) == 0 {
		return nil
	}
	merged, err := json.Marshal(all)
	if err != nil {
		return object
	}
	return merged
}

func finished(answer *wire.Answer, reason sdk.StopReason) {
	answer.Response.Finish = ai.FinishStop
	switch reason {
	case sdk.StopReasonMaxTokens, sdk.StopReasonModelContextWindowExceeded:
		answer.Response.Finish = ai.FinishLength
	case sdk.StopReasonToolUse:
		answer.Response.Finish = ai.FinishCalls
	case sdk.StopReasonRefusal:
		answer.Declined = true
	}
}

func usage(u sdk.Usage) ai.Usage {
	return ai.Usage{
		InputTokens:  u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens, // the service counts them apart
		CachedTokens: u.CacheReadInputTokens, CacheWriteTokens: u.CacheCreationInputTokens,
		OutputTokens: u.OutputTokens, ReasoningTokens: u.OutputTokensDetails.ThinkingTokens,
	}
}

// codes are the service's types of errors.
var codes = map[string]ai.Class{
	"invalid_request_error": ai.BadRequest, "authentication_error": ai.BadKey, "billing_error": ai.QuotaExceeded, "permission_error": ai.NotAllowed,
	"not_found_error": ai.UnknownModel, "request_too_large": ai.TooLong, "rate_limit_error": ai.RateLimited, "timeout_error": ai.Overloaded,
	"api_error": ai.Overloaded, "overloaded_error": ai.Overloaded,
}

// failure is the error of an exchange that did not end in an answer.
func failure(ctx context.Context, x *wire.Exchange, err error) error {
	if ended := x.Ended(ctx, err); ended != nil {
		return ended
	}
	var refused *sdk.Error
	if errors.As(err, &refused) {
		var body struct {
			Error struct {
				Type    string `json:"type"`
				Message string `json:"message"`
			} `json:"error"`
		}
		// What is not JSON, of a proxy on the way, is known by its status.
		_ = json.Unmarshal([]byte(refused.RawJSON()), &body)
		return x.Failure(0, codes, body.Error.Message, body.Error.Type)
	}
	if !x.Answered() {
		return x.Failure(0, codes, "")
	}
	return x.Unreadable()
}

func params(r ai.Request) (sdk.MessageNewParams, error) {
	params := sdk.MessageNewParams{Model: r.Model, MaxTokens: defaultMaxTokens}
	if err := turns(&params, r.Messages); err != nil {
		return params, err
	}
	if err := set(&params, r.Parameters); err != nil {
		return params, err
	}
	for _, t := range r.Tools {
		tool := sdk.ToolParam{Name: t.Name, InputSchema: param.Override[sdk.ToolInputSchemaParam](t.Schema)}
		if t.Description != "" {
			tool.Description = sdk.String(t.Description)
		}
		params.Tools = append(params.Tools, sdk.ToolUnionParam{OfTool: &tool})
	}
	if len(r.Tools) > 0 {
		switch r.ToolChoice {
		case ai.ToolAuto:
		case ai.ToolNone:
			params.ToolChoice.OfNone = &sdk.ToolChoiceNoneParam{}
		case ai.ToolRequired:
			params.ToolChoice.OfAny = &sdk.ToolChoiceAnyParam{}
		default:
			params.ToolChoice.OfTool = &sdk.ToolChoiceToolParam{Name: r.ToolChoice}
		}
	}
	if f := r.Format; f != nil {
		lowered, err := wire.Lower(schema.Anthropic, f.Schema)
		if err != nil {
			return params, err
		}
		// As it is, because the client's own type would sort the properties.
		format, err := json.Marshal(map[string]json.RawMessage{"type": json.RawMessage(`"json_schema"`), "schema": lowered})
		if err != nil {
			return params, ai.Fail(ai.BadRequest, "the schema is not JSON")
		}
		params.OutputConfig.Format = param.Override[sdk.JSONOutputFormatParam](json.RawMessage(format))
	}
	return params, nil
}

func set(params *sdk.MessageNewParams, from ai.Parameters) error {
	for what, set := range map[string]bool{
		"seed": from.Seed != nil, "presence_penalty": from.PresencePenalty != nil, "frequency_penalty": from.FrequencyPenalty != nil,
		"reasoning effort minimal": from.ReasoningEffort == "minimal",
	} {
		if set {
			return wire.Missing(what)
		}
	}
	if v := from.Temperature; v != nil {
		params.Temperature = sdk.Float(*v)
	}
	if v := from.TopP; v != nil {
		params.TopP = sdk.Float(*v)
	}
	if v := from.TopK; v != nil {
		params.TopK = sdk.Int(*v)
	}
	if v := from.MaxTokens; v != nil {
		params.MaxTokens = *v
	}
	params.StopSequences = from.Stop
	params.OutputConfig.Effort = sdk.OutputConfigEffort(from.ReasoningEffort)
	return nil
}

// turns writes the conversation: the system has a place of its own, and the
// results of calls are blocks of the user's turn.
func turns(params *sdk.MessageNewParams, messages []ai.Message) error {
	for _, m := range messages {
		var blocks []sdk.ContentBlockParamUnion
		role := sdk.MessageParamRoleUser
		switch m.Role {
		case ai.RoleSystem:
			if m.Text != "" { // the service takes no empty text
				params.System = append(params.System, sdk.TextBlockParam{Text: m.Text})
			}
			continue
		case ai.RoleTool:
			result := &sdk.ToolResultBlockParam{ToolUseID: wire.CallID(m.CallID, longestCallID)}
			if m.Text != "" { // nor here, but a result without any
				result.Content = []sdk.ToolResultBlockParamContentUnion{{OfText: &sdk.TextBlockParam{Text: m.Text}}}
			}
			blocks = append(blocks, sdk.ContentBlockParamUnion{OfToolResult: result})
		case ai.RoleAssistant:
			role = sdk.MessageParamRoleAssistant
			if m.Text != "" || len(m.Calls) == 0 {
				blocks = append(blocks, sdk.NewTextBlock(m.Text))
			}
			for _, c := range m.Calls {
				var input map[string]json.RawMessage
				if json.Unmarshal([]byte(c.Arguments), &input) != nil || input == nil {
					return ai.Fail(ai.BadRequest, "the arguments of a call are no JSON object")
				}
				blocks = append(blocks, sdk.NewToolUseBlock(wire.CallID(c.ID, longestCallID), json.RawMessage(c.Arguments), c.Name))
			}
		default:
			blocks = append(blocks, sdk.NewTextBlock(m.Text))
		}
		if last := len(params.Messages) - 1; last >= 0 && params.Messages[last].Role == role {
			params.Messages[last].Content = append(params.Messages[last].Content, blocks...)
			continue
		}
		params.Messages = append(params.Messages, sdk.MessageParam{Role: role, Content: blocks})
	}
	return nil
}
