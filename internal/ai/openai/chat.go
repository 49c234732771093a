package openai

import (
	"context"
	"net/http"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/wire"
)

const completions = "chat/completions"

// Complete implements ai.Provider.
func (p *Provider) Complete(ctx context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	body, err := p.request(r)
	if err != nil {
		return ai.Response{}, err
	}
	x, answer := p.exchange(r.Key, on != nil), &wire.Answer{On: on, Format: r.Format}
	if on == nil {
		err = p.whole(x.With(ctx), x, body, answer)
	} else {
		err = p.stream(x.With(ctx), x, body, answer)
	}
	if err != nil {
		return answer.SoFar(), err
	}
	return answer.Whole()
}

func (p *Provider) whole(ctx context.Context, x *wire.Exchange, body *chatRequest, answer *wire.Answer) error {
	var completion chatCompletion
	if err := p.client.Post(ctx, completions, body, &completion); !x.OK(err) {
		return failure(ctx, x, err)
	}
	answer.Response.Model = completion.Model
	completion.Usage.into(&answer.Response)
	if len(completion.Choices) == 0 {
		if told := within(x, completion.Error); told != nil {
			return told
		}
		return x.Unreadable()
	}
	choice := &completion.Choices[0]
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

func (p *Provider) stream(ctx context.Context, x *wire.Exchange, body *chatRequest, answer *wire.Answer) error {
	body.Stream, body.StreamOptions = true, &chatStreamOption{IncludeUsage: true}
	var response *http.Response
	err := p.client.Post(ctx, completions, body, &response, option.WithHeader("Accept", "text/event-stream"))
	stream := ssestream.NewStream[chatCompletion](ssestream.NewDecoder(response), err)
	defer func() { _ = stream.Close() }()
	var calls callKeys
	for stream.Next() {
		chunk := stream.Current()
		if chunk.Model != "" {
			answer.Response.Model = chunk.Model
		}
		chunk.Usage.into(&answer.Response)
		for i := range chunk.Choices {
			choice := &chunk.Choices[i]
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
