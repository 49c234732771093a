package openai

import (
	"context"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// Complete implements ai.Provider.
func (p *Responses) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	params, err := p.params(r)
	if err != nil {
		return ai.Response{}, err
	}
	x, answer := p.exchange(r.Key, on != nil), &wire.Answer{On: on, Format: r.Format}
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

func (p *Responses) whole(ctx context.Context, x *wire.Exchange, params responses.ResponseNewParams, answer *wire.Answer) error {
	response, err := p.responses.New(ctx, params)
	if !x.OK(err) {
		return failure(ctx, x, err)
	}
	if response.Status == "" {
		if told := within(x, errorOf([]byte(response.RawJSON()))); told != nil {
			return told
		}
	}
	for i, item := range response.Output {
		switch item.Type {
		case "message":
			for _, part := range item.Content {
				answer.Declined = answer.Declined || part.Type == "refusal"
				if err := answer.Text(part.Text); err != nil {
					return err
				}
			}
		case "function_call":
			call := item.AsFunctionCall()
			if err := answer.Call(i, call.CallID, call.Name, call.Arguments); err != nil {
				return err
			}
		}
	}
	return ended(x, *response, answer)
}

func (p *Responses) stream(ctx context.Context, x *wire.Exchange, params responses.ResponseNewParams, answer *wire.Answer) error {
	stream := p.responses.NewStreaming(ctx, params)
	defer func() { _ = stream.Close() }()
	for stream.Next() {
		if err := p.event(x, stream.Current(), answer); err != nil {
			return err
		}
	}
	if err := stream.Err(); !x.OK(err) {
		return failure(ctx, x, err)
	}
	return nil
}

func (p *Responses) event(x *wire.Exchange, e responses.ResponseStreamEventUnion, answer *wire.Answer) error {
	key := int(e.OutputIndex)
	switch e.Type {
	case "response.output_text.delta":
		return answer.Text(e.Delta)
	case "response.refusal.delta":
		answer.Declined = true
	case "response.output_item.added":
		if e.Item.Type == "function_call" {
			call := e.Item.AsFunctionCall()
			return answer.Call(key, call.CallID, call.Name, call.Arguments)
		}
	case "response.function_call_arguments.delta":
		return answer.Call(key, "", "", e.Delta)
	case "response.function_call_arguments.done":
		if !answer.Called(key) { // a server may send them in one
			return answer.Call(key, "", "", e.Arguments)
		}
	case "response.completed", "response.incomplete", "response.failed":
		return ended(x, e.Response, answer)
	case "error":
		return x.Failure(0, codes, e.Message, e.Code)
	}
	return nil
}

// ended reads the state in which an answer ended.
func ended(x *wire.Exchange, r responses.Response, answer *wire.Answer) error {
	answer.Response.Model = r.Model
	answer.Response.UsageRaw = ai.RawUsage(r.Usage.RawJSON())
	answer.Response.Usage = ai.Usage{
		InputTokens: r.Usage.InputTokens, CachedTokens: r.Usage.InputTokensDetails.CachedTokens, CacheWriteTokens: r.Usage.InputTokensDetails.CacheWriteTokens,
		OutputTokens: r.Usage.OutputTokens, ReasoningTokens: r.Usage.OutputTokensDetails.ReasoningTokens,
	}
	answer.Response.Finish = ai.FinishStop
	switch r.Status {
	case responses.ResponseStatusCompleted:
	case responses.ResponseStatusIncomplete:
		if r.IncompleteDetails.Reason == "content_filter" {
			answer.Declined = true
		} else {
			answer.Response.Finish = ai.FinishLength
		}
	case responses.ResponseStatusFailed, responses.ResponseStatusCancelled:
		return x.Failure(0, codes, r.Error.Message, string(r.Error.Code), r.Error.Type)
	default:
		return x.Unreadable()
	}
	answer.Done = true
	return nil
}

func (p *Responses) params(r ai.Request) (responses.ResponseNewParams, error) {
	// The service keeps nothing: the call log is MATRIX's.
	params := responses.ResponseNewParams{Model: r.Model, Store: sdk.Bool(false), Reasoning: shared.ReasoningParam{Effort: shared.ReasoningEffort(r.Parameters.ReasoningEffort)}}
	for _, m := range r.Messages {
		if m.Role == ai.RoleSystem {
			if m.Text != "" {
				params.Instructions = sdk.String(m.Text)
			}
			continue
		}
		params.Input.OfInputItemList = append(params.Input.OfInputItemList, items(m)...)
	}
	if err := setResponses(&params, r.Parameters); err != nil {
		return params, err
	}
	for _, t := range r.Tools {
		d := tool(t)
		d.Type = "function"
		function, err := encoded[responses.FunctionToolParam](d)
		if err != nil {
			return params, err
		}
		params.Tools = append(params.Tools, responses.ToolUnionParam{OfFunction: &function})
	}
	switch {
	case len(r.Tools) == 0 || r.ToolChoice == ai.ToolAuto:
	case r.ToolChoice == ai.ToolNone || r.ToolChoice == ai.ToolRequired: // the service's own words
		params.ToolChoice.OfToolChoiceMode = sdk.Opt(responses.ToolChoiceOptions(r.ToolChoice))
	default:
		params.ToolChoice.OfFunctionTool = &responses.ToolChoiceFunctionParam{Name: r.ToolChoice}
	}
	if f := r.Format; f != nil {
		lowered, err := wire.Lower(schema.OpenAI, f.Schema)
		if err != nil {
			return params, err
		}
		format, err := encoded[responses.ResponseFormatTextJSONSchemaConfigParam](definition{Type: "json_schema", Name: f.Name, Schema: lowered, Strict: true})
		if err != nil {
			return params, err
		}
		params.Text.Format.OfJSONSchema = &format
	}
	return params, nil
}

func setResponses(params *responses.ResponseNewParams, from ai.Parameters) error {
	for what, set := range map[string]bool{
		"top_k": from.TopK != nil, "seed": from.Seed != nil, "stop": len(from.Stop) > 0,
		"presence_penalty": from.PresencePenalty != nil, "frequency_penalty": from.FrequencyPenalty != nil,
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
	if v := from.MaxTokens; v != nil {
		params.MaxOutputTokens = sdk.Int(*v)
	}
	return nil
}

// items are what a turn is in the input: a text, each call and each result of
// one are items of their own.
func items(m ai.Message) []responses.ResponseInputItemUnionParam {
	if m.Role == ai.RoleTool {
		result := responses.ResponseInputItemParamOfFunctionCallOutput(m.Text)
		result.OfFunctionCallOutput.CallID = sdk.String(wire.CallID(m.CallID, longestCallID))
		return []responses.ResponseInputItemUnionParam{result}
	}
	var all []responses.ResponseInputItemUnionParam
	if m.Text != "" || len(m.Calls) == 0 {
		all = append(all, responses.ResponseInputItemParamOfMessage(m.Text, responses.EasyInputMessageRole(m.Role)))
	}
	for _, c := range m.Calls {
		all = append(all, responses.ResponseInputItemParamOfFunctionCall(c.Arguments, wire.CallID(c.ID, longestCallID), c.Name))
	}
	return all
}
