package modelapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	anthropic "github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/modelapi"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// model is a service in this process: what it is asked, and what it answers.
type model struct {
	asked  []ai.Request
	answer func(ai.Request) (ai.Response, error)
}

// Complete implements ai.Provider: it streams an answer in pieces of two runes.
func (m *model) Complete(_ context.Context, r ai.Request, on func(ai.Piece) error) (ai.Response, error) {
	m.asked = append(m.asked, r)
	response, err := m.answer(r)
	response.Model, response.Usage = "m-1", ai.Usage{InputTokens: 20, CachedTokens: 5, OutputTokens: 7, ReasoningTokens: 3}
	if response.Finish == "" {
		response.Finish = ai.FinishStop
	}
	for rest := []rune(response.Text); on != nil && len(rest) > 0; {
		n := min(2, len(rest))
		if err := on(ai.Piece{Text: string(rest[:n])}); err != nil {
			return response, err
		}
		rest = rest[n:]
	}
	return response, err
}

// Embed implements ai.Embedder: a vector tells the length of its text.
func (m *model) Embed(_ context.Context, r ai.EmbedRequest) (ai.EmbedResponse, error) {
	var out ai.EmbedResponse
	for _, text := range r.Input {
		m.asked = append(m.asked, ai.Request{Messages: []ai.Message{{Text: text}}})
		out.Vectors = append(out.Vectors, []float64{float64(len(text)), 0.5})
	}
	out.Usage.InputTokens = 4
	return out, nil
}

// last is the last turn that the service was told.
func (m *model) last() ai.Message {
	messages := m.asked[len(m.asked)-1].Messages
	return messages[len(messages)-1]
}

type house struct {
	*model
	gateway *ai.Gateway
	url     string
}

const (
	rolesOnly = "mtx_api_roles"
	anyModel  = "mtx_api_models"
)

// newHouse serves the protocols in front of a gateway with one service and the
// role guide. Two tokens may ask: one of them models, too.
func newHouse(t *testing.T, answer func(ai.Request) (ai.Response, error)) *house {
	t.Helper()
	h := &house{model: &model{answer: answer}}
	telemetry := clickhousetest.New(t)
	if err := telemetry.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	h.gateway = newGateway(t, telemetry, h.model)
	server := httptest.NewServer(modelapi.New(modelapi.Options{Gateway: h.gateway, Asker: func(r *http.Request) (modelapi.Asker, error) {
		key := r.Header.Get("X-Api-Key")
		if key == "" {
			key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		}
		if key != rolesOnly && key != anyModel {
			return modelapi.Asker{}, fault.New(fault.Unauthenticated, "sign in, or send an API token")
		}
		return modelapi.Asker{Caller: ai.Caller{Project: 7, Kind: "api", Name: "kim"}, Models: key == anyModel}, nil
	}}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func newGateway(t *testing.T, telemetry *clickhouse.DB, m *model) *ai.Gateway {
	t.Helper()
	g, err := ai.New(ai.Options{DB: metadbtest.SQLite(t), Telemetry: telemetry, Dir: t.TempDir(),
		Services:     map[string]ai.Service{"house": {Kind: "test", Provider: m, Keys: []ai.Key{{Alias: "main"}}}},
		DefaultChain: []ai.Entry{{Provider: "house", Model: "m-1"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, r := range []ai.Role{
		{Code: "guide", SystemMessage: "You guide {{team}}."},
		{Code: "judge", SystemMessage: "Judge.", ResponseFormat: json.RawMessage(format)},
	} {
		if _, err := g.Roles().Create(t.Context(), r, "kim"); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

const format = `{"type":"json_schema","name":"verdict","schema":{"type":"object","properties":{"good":{"type":"boolean"}},"required":["good"],"additionalProperties":false}}`

func (h *house) openAI(key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(h.url+"/v1/"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func (h *house) anthropic(key string) anthropic.Client {
	return anthropic.NewClient(anthropicoption.WithBaseURL(h.url), anthropicoption.WithAPIKey(key), anthropicoption.WithMaxRetries(0))
}

// repeats answers with the last turn.
func repeats(r ai.Request) (ai.Response, error) {
	return ai.Response{Text: "you said: " + r.Messages[len(r.Messages)-1].Text}, nil
}

const question = "mail kim@kakaocorp.com, 010-1234-5678"

func chat(model string, change func(*openai.ChatCompletionNewParams)) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{
		Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.DeveloperMessage("Be brief."), openai.UserMessage(question)},
		Metadata: shared.Metadata{"team": "ops"},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func TestAnOpenAIClientAsksARole(t *testing.T) {
	h := newHouse(t, repeats)
	client := h.openAI(rolesOnly)
	answer, err := client.Chat.Completions.New(t.Context(), chat("role:guide", func(p *openai.ChatCompletionNewParams) { p.Temperature = openai.Float(0.5) }))
	if err != nil {
		t.Fatal(err)
	}
	choice := answer.Choices[0]
	if choice.Message.Content != "you said: "+question || choice.FinishReason != "stop" || answer.Usage.PromptTokens != 20 || answer.Usage.PromptTokensDetails.CachedTokens != 5 ||
		answer.Usage.CompletionTokensDetails.ReasoningTokens != 3 || answer.Model != "role:guide" {
		t.Errorf("answer %+v", answer)
	}
	asked := h.asked[0]
	if system := asked.Messages[0].Text; !strings.HasPrefix(system, "You guide ops.") || !strings.HasSuffix(system, "Be brief.") || strings.Contains(h.last().Text, "kakaocorp") || *asked.Parameters.Temperature != 0.5 {
		t.Errorf("asked %+v", asked)
	}
	if err := h.gateway.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	call, err := h.gateway.Call(t.Context(), 7, strings.TrimPrefix(answer.ID, "chatcmpl-"))
	if err != nil || call.Role != "guide" || call.RoleVersion != 1 || call.CallerName != "kim" {
		t.Errorf("logged %+v, %v", call, err)
	}
}

func TestAnOpenAIClientReadsAStream(t *testing.T) {
	h := newHouse(t, repeats)
	client := h.openAI(rolesOnly)
	stream := client.Chat.Completions.NewStreaming(t.Context(), chat("role:guide", func(p *openai.ChatCompletionNewParams) { p.StreamOptions.IncludeUsage = openai.Bool(true) }))
	all := openai.ChatCompletionAccumulator{}
	chunks := 0
	for stream.Next() {
		chunks++
		if !all.AddChunk(stream.Current()) {
			t.Fatalf("chunk %+v does not fit", stream.Current())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if got := all.Choices[0].Message.Content; got != "you said: "+question || chunks < 10 || all.Usage.TotalTokens != 27 || all.Choices[0].FinishReason != "stop" {
		t.Errorf("%d chunks: %+v", chunks, all)
	}
}

func TestAnOpenAIClientCallsTools(t *testing.T) {
	h := newHouse(t, func(r ai.Request) (ai.Response, error) {
		if last := r.Messages[len(r.Messages)-1]; last.Role == ai.RoleTool {
			return ai.Response{Text: "it is " + last.Text}, nil
		}
		return ai.Response{Calls: []ai.ToolCall{{ID: "call_1", Name: "weather", Arguments: `{"city":"Seoul"}`}}, Finish: ai.FinishCalls}, nil
	})
	client := h.openAI(anyModel)
	ask := chat("house/m-1", func(p *openai.ChatCompletionNewParams) {
		p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "weather", Parameters: shared.FunctionParameters{"type": "object"}})}
		p.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "weather"})
	})
	for _, streamed := range []bool{false, true} {
		var said openai.ChatCompletionMessage
		if streamed {
			stream, all := client.Chat.Completions.NewStreaming(t.Context(), ask), openai.ChatCompletionAccumulator{}
			for stream.Next() {
				all.AddChunk(stream.Current())
			}
			if err := stream.Err(); err != nil {
				t.Fatal(err)
			}
			said = all.Choices[0].Message
		} else {
			answer, err := client.Chat.Completions.New(t.Context(), ask)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Choices[0].FinishReason != "tool_calls" {
				t.Errorf("finished for %q", answer.Choices[0].FinishReason)
			}
			said = answer.Choices[0].Message
		}
		if len(said.ToolCalls) != 1 || said.ToolCalls[0].ID != "call_1" || said.ToolCalls[0].Function.Arguments != `{"city":"Seoul"}` {
			t.Fatalf("streamed %v: said %+v", streamed, said)
		}
		next := ask
		next.Messages = append(next.Messages[:len(next.Messages):len(next.Messages)], said.ToParam(), openai.ToolMessage("sunny", "call_1"))
		answer, err := client.Chat.Completions.New(t.Context(), next)
		if err != nil || answer.Choices[0].Message.Content != "it is sunny" {
			t.Fatalf("answer %+v, %v", answer, err)
		}
	}
	if first := h.asked[0]; first.ToolChoice != "weather" || first.Tools[0].Name != "weather" || first.Messages[0].Text != "Be brief." {
		t.Errorf("asked %+v", first)
	}
}

func TestAStructuredAnswerIsCheckedWhoeverGaveTheSchema(t *testing.T) {
	h := newHouse(t, func(ai.Request) (ai.Response, error) { return ai.Response{Text: `{"good":true}`}, nil })
	client := h.openAI(anyModel)
	withFormat := func(p *openai.ChatCompletionNewParams) {
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
			Name: "verdict", Schema: map[string]any{"type": "object", "properties": map[string]any{"good": map[string]any{"type": "boolean"}}, "required": []string{"good"}},
		}}
	}
	for model, change := range map[string]func(*openai.ChatCompletionNewParams){"role:judge": nil, "m-1": withFormat} {
		answer, err := client.Chat.Completions.New(t.Context(), chat(model, change))
		if err != nil || answer.Choices[0].Message.Content != `{"good":true}` || h.asked[len(h.asked)-1].Format == nil {
			t.Errorf("%s: %+v, %v", model, answer, err)
		}
	}
	if _, err := client.Chat.Completions.New(t.Context(), chat("role:judge", withFormat)); status(err) != http.StatusBadRequest {
		t.Errorf("a second format: %v", err)
	}
}

func TestAnOpenAIClientAsksForAResponse(t *testing.T) {
	h := newHouse(t, func(r ai.Request) (ai.Response, error) {
		if len(r.Tools) > 0 && r.Messages[len(r.Messages)-1].Role == ai.RoleUser {
			return ai.Response{Text: "let me look", Calls: []ai.ToolCall{{ID: "call_1", Name: "weather", Arguments: `{"city":"Seoul"}`}}, Finish: ai.FinishCalls}, nil
		}
		return repeats(r)
	})
	client := h.openAI(rolesOnly)
	ask := responses.ResponseNewParams{Model: "role:guide", Instructions: openai.String("Be brief."), Metadata: shared.Metadata{"team": "ops"},
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(question)}}
	answer, err := client.Responses.New(t.Context(), ask)
	if err != nil || answer.OutputText() != "you said: "+question || answer.Status != "completed" || answer.Usage.OutputTokensDetails.ReasoningTokens != 3 {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	if system := h.asked[0].Messages[0].Text; !strings.HasPrefix(system, "You guide ops.") || !strings.HasSuffix(system, "Be brief.") || strings.Contains(h.last().Text, "kakaocorp") {
		t.Errorf("asked %+v", h.asked[0])
	}

	ask.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction("weather", map[string]any{"type": "object"}, false)}
	stream := client.Responses.NewStreaming(t.Context(), ask)
	text, sequence := "", int64(0)
	var whole responses.Response
	for stream.Next() {
		event := stream.Current()
		if event.SequenceNumber != sequence {
			t.Errorf("event %d is numbered %d", sequence, event.SequenceNumber)
		}
		sequence++
		switch event.Type {
		case "response.output_text.delta":
			text += event.Delta
		case "response.completed":
			whole = event.Response
		}
	}
	if err := stream.Err(); err != nil || text != "let me look" || whole.OutputText() != text || len(whole.Output) != 2 || whole.Output[1].CallID != "call_1" {
		t.Fatalf("text %q, whole %+v, %v", text, whole, err)
	}
	next := ask
	next.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		responses.ResponseInputItemParamOfMessage(question, responses.EasyInputMessageRoleUser),
		responses.ResponseInputItemParamOfFunctionCall(`{"city":"Seoul"}`, "call_1", "weather"),
		{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{CallID: openai.String("call_1"),
			Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: openai.String("sunny")}}},
	}}
	if answer, err = client.Responses.New(t.Context(), next); err != nil || answer.OutputText() != "you said: sunny" {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	if turns := h.asked[len(h.asked)-1].Messages; turns[2].Calls[0].ID != "call_1" || turns[3].CallID != "call_1" {
		t.Errorf("asked %+v", turns)
	}
	next.PreviousResponseID = openai.String(answer.ID)
	if _, err := client.Responses.New(t.Context(), next); status(err) != http.StatusBadRequest {
		t.Errorf("an answer that is not kept: %v", err)
	}
}

// status is that of an error of OpenAI's client.
func status(err error) int {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}

func TestAnErrorIsWordedAsOpenAIDoes(t *testing.T) {
	h := newHouse(t, func(ai.Request) (ai.Response, error) {
		return ai.Response{}, ai.Fail(ai.BadRequest, "no")
	})
	f := func(key, model string, change func(*openai.ChatCompletionNewParams), wantStatus int, wantCode, wantParam string) {
		t.Helper()
		client := h.openAI(key)
		_, err := client.Chat.Completions.New(t.Context(), chat(model, change))
		var refused *openai.Error
		if !errors.As(err, &refused) || refused.StatusCode != wantStatus || refused.Code != wantCode || refused.Param != wantParam || refused.Message == "" {
			t.Errorf("%s of %s: %v", model, key, err)
		}
	}
	f("wrong", "role:guide", nil, 401, "invalid_api_key", "")
	f(rolesOnly, "house/m-1", nil, 403, "", "model")
	f(anyModel, "other/m-1", nil, 400, "", "") // with one service the whole is the name of a model
	f(rolesOnly, "role:nobody", nil, 404, "model_not_found", "")
	f(rolesOnly, "role:guide", func(p *openai.ChatCompletionNewParams) { p.Metadata = nil }, 400, "", "variables.team")
	f(rolesOnly, "role:guide", func(p *openai.ChatCompletionNewParams) { p.N = openai.Int(2) }, 400, "", "n")
	f(rolesOnly, "role:guide", func(p *openai.ChatCompletionNewParams) { p.Temperature = openai.Float(9) }, 400, "", "parameters.temperature")
	f(rolesOnly, "role:guide", func(p *openai.ChatCompletionNewParams) {
		p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "https://example.com/a.png"}),
		})}
	}, 400, "", "messages")
}

func TestAStreamThatBreaksOffSaysSoInBand(t *testing.T) {
	h := newHouse(t, func(ai.Request) (ai.Response, error) {
		return ai.Response{Text: "one two three"}, ai.Fail(ai.Transport, "cut")
	})
	client := h.openAI(rolesOnly)
	stream := client.Chat.Completions.NewStreaming(t.Context(), chat("role:guide", nil))
	text := ""
	for stream.Next() {
		text += stream.Current().Choices[0].Delta.Content
	}
	if err := stream.Err(); err == nil || !strings.Contains(err.Error(), "broke off") || !strings.HasPrefix(text, "one") {
		t.Errorf("text %q, err %v", text, err)
	}
}

func TestRolesAreListedAsModels(t *testing.T) {
	h := newHouse(t, repeats)
	client := h.openAI(rolesOnly)
	page, err := client.Models.List(t.Context())
	if err != nil || len(page.Data) != 2 || page.Data[0].ID != "role:guide" {
		t.Fatalf("%+v, %v", page, err)
	}
	one, err := client.Models.Get(t.Context(), "role:judge")
	if err != nil || one.ID != "role:judge" || one.OwnedBy != "matrix" {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestModelsWithAPriceAreListedForWhoMayAskThemByName(t *testing.T) {
	h := newHouse(t, repeats)
	if _, err := h.gateway.Roles().SetPrice(t.Context(), ai.Price{Provider: "house", Model: "m-1", Input: 1}, "kim"); err != nil {
		t.Fatal(err)
	}
	ids := func(key string) string {
		client := h.openAI(key)
		page, err := client.Models.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range page.Data {
			ids = append(ids, m.ID)
		}
		return strings.Join(ids, " ")
	}
	if roles, all := ids(rolesOnly), ids(anyModel); roles != "role:guide role:judge" || all != roles+" house/m-1" {
		t.Errorf("for roles only %s, for all %s", roles, all)
	}
	mayAll, mayRoles := h.openAI(anyModel), h.openAI(rolesOnly)
	if one, err := mayAll.Models.Get(t.Context(), "house/m-1"); err != nil || one.OwnedBy != "house" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := mayRoles.Models.Get(t.Context(), "house/m-1"); err == nil {
		t.Error("it is told to who may ask roles only")
	}
}

func TestTextsBecomeVectorsMasked(t *testing.T) {
	h := newHouse(t, repeats)
	client := h.openAI(anyModel)
	for _, encoding := range []openai.EmbeddingNewParamsEncodingFormat{"", "float"} {
		answer, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model: "house/m-1", EncodingFormat: encoding, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"hello", question}},
		})
		if err != nil || len(answer.Data) != 2 || answer.Data[0].Embedding[0] != 5 || answer.Data[0].Embedding[1] != 0.5 || answer.Usage.TotalTokens != 4 {
			t.Fatalf("%+v, %v", answer, err)
		}
	}
	if strings.Contains(h.last().Text, "kakaocorp") {
		t.Errorf("embedded %q", h.last().Text)
	}
}

func messages(change func(*anthropic.MessageNewParams)) anthropic.MessageNewParams {
	p := anthropic.MessageNewParams{
		Model: "house/m-1", MaxTokens: 100, System: []anthropic.TextBlockParam{{Text: "Be brief."}},
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func TestAnAnthropicClientAsks(t *testing.T) {
	h := newHouse(t, repeats)
	client := h.anthropic(anyModel)
	answer, err := client.Messages.New(t.Context(), messages(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Content) != 1 || answer.Content[0].Text != "you said: "+question || answer.StopReason != "end_turn" || answer.Usage.InputTokens != 15 || answer.Usage.CacheReadInputTokens != 5 {
		t.Errorf("answer %+v", answer)
	}
	if asked := h.asked[0]; asked.Messages[0].Text != "Be brief." || *asked.Parameters.MaxTokens != 100 || strings.Contains(h.last().Text, "kakaocorp") {
		t.Errorf("asked %+v", asked)
	}
}

func TestAnAnthropicClientReadsAStreamAndCallsTools(t *testing.T) {
	h := newHouse(t, func(r ai.Request) (ai.Response, error) {
		if last := r.Messages[len(r.Messages)-1]; last.Role == ai.RoleTool {
			return ai.Response{Text: "it is " + last.Text}, nil
		}
		return ai.Response{Text: "let me look", Calls: []ai.ToolCall{{ID: "toolu_1", Name: "weather", Arguments: `{"city":"Seoul"}`}}, Finish: ai.FinishCalls}, nil
	})
	client := h.anthropic(anyModel)
	ask := messages(func(p *anthropic.MessageNewParams) {
		p.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "weather", InputSchema: anthropic.ToolInputSchemaParam{}}}}
	})
	stream, said := client.Messages.NewStreaming(t.Context(), ask), anthropic.Message{}
	for stream.Next() {
		if err := said.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(said.Content) != 2 || said.Content[0].Text != "let me look" || said.Content[1].Name != "weather" || string(said.Content[1].Input) != `{"city":"Seoul"}` || said.StopReason != "tool_use" || said.Usage.OutputTokens != 7 {
		t.Fatalf("said %+v", said)
	}
	ask.Messages = append(ask.Messages, said.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock("toolu_1", "sunny", false)))
	answer, err := client.Messages.New(t.Context(), ask)
	if err != nil || answer.Content[0].Text != "it is sunny" {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	if turns := h.asked[1].Messages; turns[2].Calls[0].ID != "toolu_1" || turns[3].Role != ai.RoleTool || turns[3].CallID != "toolu_1" {
		t.Errorf("asked %+v", turns)
	}
}

func TestAnErrorIsWordedAsAnthropicDoes(t *testing.T) {
	h := newHouse(t, repeats)
	f := func(key string, change func(*anthropic.MessageNewParams), wantStatus int, want string) {
		t.Helper()
		client := h.anthropic(key)
		_, err := client.Messages.New(t.Context(), messages(change))
		var refused *anthropic.Error
		if !errors.As(err, &refused) || refused.StatusCode != wantStatus || !strings.Contains(refused.RawJSON(), `"type":"`+want+`"`) {
			t.Errorf("err %v", err)
		}
	}
	f("wrong", nil, 401, "authentication_error")
	f(rolesOnly, nil, 403, "permission_error")
	f(anyModel, func(p *anthropic.MessageNewParams) { p.Model = "role:nobody" }, 404, "not_found_error")
	f(anyModel, func(p *anthropic.MessageNewParams) {
		p.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewImageBlockBase64("image/png", "AAAA"))}
	}, 400, "invalid_request_error")
}
