package openai

import (
	"context"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// Complete implements ai.Provider.
func (p *Provider) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
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

func (p *Provider) whole(ctx context.Context, x *wire.Exchange, params sdk.ChatCompletionNewParams, answer *wire.Answer) error {
	completion, err := p.completions.New(ctx, params)
	if !x.OK(err) {
		return failure(ctx, x, err)
	}
	answer.Response.Model, answer.Response.Usage = completion.Model, chatUsage(completion.Usage)
	if len(completion.Choices) == 0 {
		if told := within(x, []byte(completion.RawJSON())); told != nil {
			return told
		}
		return x.Unreadable()
	}
	choice := completion.Choices[0]
	answer.Declined = choice.Message.Refusal != ""
	if err := answer.Text(choice.Message.Content); err != nil {
		return err
	}
	for i, call := range choice.Message.ToolCalls {
		if err := answer.Call(i, call.ID, call.Function.Name, call.Function.Arguments); err != nil {
			return err
		}
	}
	finished(answer, choice.FinishReason)
	answer.Done = true
	return nil
}

func (p *Provider) stream(ctx context.Context, x *wire.Exchange, params sdk.ChatCompletionNewParams, answer *wire.Answer) error {
	params.StreamOptions = sdk.ChatCompletionStreamOptionsParam{IncludeUsage: sdk.Bool(true)}
	stream := p.completions.NewStreaming(ctx, params)
	defer func() { _ = stream.Close() }()
	var calls callKeys
	for stream.Next() {
		chunk := stream.Current()
		if chunk.Model != "" {
			answer.Response.Model = chunk.Model
		}
		if chunk.JSON.Usage.Valid() {
			answer.Response.Usage = chatUsage(chunk.Usage)
		}
		for _, choice := range chunk.Choices {
			answer.Declined = answer.Declined || choice.Delta.Refusal != ""
			if err := answer.Text(choice.Delta.Content); err != nil {
				return err
			}
			for _, call := range choice.Delta.ToolCalls {
				if err := answer.Call(calls.key(call.Index, call.ID), call.ID, call.Function.Name, call.Function.Arguments); err != nil {
					return err
				}
			}
			if choice.FinishReason != "" {
				finished(answer, choice.FinishReason)
				answer.Done = true
			}
		}
	}
	if err := stream.Err(); !x.OK(err) {
		return failure(ctx, x, err)
	}
	return nil
}

// callKeys numbers the calls of a stream. Some servers number all of them 0 and
// tell them apart by their ids.
type callKeys struct {
	ids  map[int64]string
	keys map[int64]int
	next int
}

func (k *callKeys) key(index int64, id string) int {
	if known, ok := k.ids[index]; ok && (id == "" || id == known) {
		return k.keys[index]
	}
	if k.ids == nil {
		k.ids, k.keys = map[int64]string{}, map[int64]int{}
	}
	k.ids[index], k.keys[index] = id, k.next
	k.next++
	return k.keys[index]
}

func finished(answer *wire.Answer, reason string) {
	answer.Response.Finish = ai.FinishStop
	switch reason {
	case "length":
		answer.Response.Finish = ai.FinishLength
	case "tool_calls", "function_call":
		answer.Response.Finish = ai.FinishCalls
	case "content_filter":
		answer.Declined = true
	}
}

func chatUsage(u sdk.CompletionUsage) ai.Usage {
	return ai.Usage{
		InputTokens: u.PromptTokens, CachedTokens: u.PromptTokensDetails.CachedTokens, CacheWriteTokens: u.PromptTokensDetails.CacheWriteTokens,
		OutputTokens: u.CompletionTokens, ReasoningTokens: u.CompletionTokensDetails.ReasoningTokens,
	}
}

func (p *Provider) params(r ai.Request) (sdk.ChatCompletionNewParams, error) {
	params := sdk.ChatCompletionNewParams{Model: r.Model, ReasoningEffort: shared.ReasoningEffort(r.Parameters.ReasoningEffort)}
	for _, m := range r.Messages {
		if m.Role != ai.RoleSystem || m.Text != "" {
			params.Messages = append(params.Messages, chatMessage(m))
		}
	}
	if err := p.set(&params, r.Parameters); err != nil {
		return params, err
	}
	for _, t := range r.Tools {
		function, err := encoded[shared.FunctionDefinitionParam](tool(t))
		if err != nil {
			return params, err
		}
		params.Tools = append(params.Tools, sdk.ChatCompletionFunctionTool(function))
	}
	switch {
	case len(r.Tools) == 0 || r.ToolChoice == ai.ToolAuto:
	case r.ToolChoice == ai.ToolNone || r.ToolChoice == ai.ToolRequired: // the service's own words
		params.ToolChoice.OfAuto = sdk.String(r.ToolChoice)
	default:
		params.ToolChoice = sdk.ToolChoiceOptionFunctionToolChoice(sdk.ChatCompletionNamedToolChoiceFunctionParam{Name: r.ToolChoice})
	}
	if f := r.Format; f != nil {
		lowered, err := wire.Lower(schema.OpenAI, f.Schema)
		if err != nil {
			return params, err
		}
		format, err := encoded[shared.ResponseFormatJSONSchemaJSONSchemaParam](definition{Name: f.Name, Schema: lowered, Strict: true})
		if err != nil {
			return params, err
		}
		params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: format}
	}
	return params, nil
}

func (p *Provider) set(params *sdk.ChatCompletionNewParams, from ai.Parameters) error {
	if v := from.Temperature; v != nil {
		params.Temperature = sdk.Float(*v)
	}
	if v := from.TopP; v != nil {
		params.TopP = sdk.Float(*v)
	}
	if v := from.MaxTokens; v != nil {
		if p.own {
			params.MaxCompletionTokens = sdk.Int(*v)
		} else {
			params.MaxTokens = sdk.Int(*v) // what vLLM and Ollama know
		}
	}
	if v := from.Seed; v != nil {
		params.Seed = sdk.Int(*v)
	}
	if v := from.PresencePenalty; v != nil {
		params.PresencePenalty = sdk.Float(*v)
	}
	if v := from.FrequencyPenalty; v != nil {
		params.FrequencyPenalty = sdk.Float(*v)
	}
	params.Stop.OfStringArray = from.Stop
	if v := from.TopK; v != nil {
		if p.own {
			return wire.Missing("top_k")
		}
		params.SetExtraFields(map[string]any{"top_k": *v}) // vLLM and LiteLLM know it
	}
	return nil
}

func chatMessage(m ai.Message) sdk.ChatCompletionMessageParamUnion {
	switch m.Role {
	case ai.RoleSystem:
		return sdk.SystemMessage(m.Text)
	case ai.RoleTool:
		return sdk.ToolMessage(m.Text, wire.CallID(m.CallID, longestCallID))
	case ai.RoleAssistant:
		said := &sdk.ChatCompletionAssistantMessageParam{}
		if m.Text != "" || len(m.Calls) == 0 {
			said.Content.OfString = sdk.String(m.Text)
		}
		for _, c := range m.Calls {
			said.ToolCalls = append(said.ToolCalls, sdk.ChatCompletionMessageToolCallUnionParam{OfFunction: &sdk.ChatCompletionMessageFunctionToolCallParam{
				ID: wire.CallID(c.ID, longestCallID), Function: sdk.ChatCompletionMessageFunctionToolCallFunctionParam{Name: c.Name, Arguments: c.Arguments},
			}})
		}
		return sdk.ChatCompletionMessageParamUnion{OfAssistant: said}
	}
	return sdk.UserMessage(m.Text)
}
