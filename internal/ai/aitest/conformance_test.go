package aitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

const answer = "답변 \"y\" <&> 한국어로 된 긴 답입니다."

func TestTheQuestionArrivesAsItIsAndTheAnswerComesBack(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: answer, Chunk: 3, Split: 2})
		response := b.mustAsk(b.request(), stream)
		if response.Text != answer || response.Finish != ai.FinishStop || response.Model != b.model || response.Usage.InputTokens <= 0 || response.Usage.OutputTokens <= 0 || response.Calls != nil {
			b.Errorf("response %+v", response)
		}
		seen := b.seen()
		want := []llm.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: question}}
		if seen.Wire != b.wire || seen.Model != b.model || !reflect.DeepEqual(seen.Messages, want) || seen.Stream != stream {
			b.Errorf("seen %+v", seen)
		}
	})
}

func TestAConversationIsCarriedWhole(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "better"})
		r := b.request()
		r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Text: "bad"}, ai.Message{Role: ai.RoleUser, Text: "again"})
		b.mustAsk(r, false)
		if seen := b.seen().Messages; len(seen) != 4 || seen[2].Role != "assistant" || seen[2].Content != "bad" || seen[3].Content != "again" {
			b.Errorf("seen %+v", seen)
		}
	})
}

func TestASystemThatSaysNothingIsNone(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "ok"})
		r := b.request()
		r.Messages[0].Text = ""
		b.mustAsk(r, false)
		if seen := b.seen().Messages; len(seen) != 1 || seen[0].Role != "user" {
			b.Errorf("seen %+v", seen)
		}
	})
}

func float(v float64) *float64 { return &v }
func integer(v int64) *int64   { return &v }

// parameters are all there are, each with its name and where the service sees it.
var parameters = []struct {
	name string
	set  func(*ai.Parameters)
	seen func(llm.Request) bool
}{
	{"temperature", func(p *ai.Parameters) { p.Temperature = float(0) }, func(r llm.Request) bool { return r.Temperature != nil && *r.Temperature == 0 }},
	{"top_p", func(p *ai.Parameters) { p.TopP = float(0.5) }, func(r llm.Request) bool { return r.TopP != nil && *r.TopP == 0.5 }},
	{"top_k", func(p *ai.Parameters) { p.TopK = integer(7) }, func(r llm.Request) bool { return r.TopK != nil && *r.TopK == 7 }},
	{"max_tokens", func(p *ai.Parameters) { p.MaxTokens = integer(100) }, func(r llm.Request) bool { return r.MaxTokens != nil && *r.MaxTokens == 100 }},
	{"seed", func(p *ai.Parameters) { p.Seed = integer(42) }, func(r llm.Request) bool { return r.Seed != nil && *r.Seed == 42 }},
	{"stop", func(p *ai.Parameters) { p.Stop = []string{"END", "\n\n"} }, func(r llm.Request) bool { return slices.Equal(r.Stop, []string{"END", "\n\n"}) }},
	{"presence_penalty", func(p *ai.Parameters) { p.PresencePenalty = float(-0.25) }, func(r llm.Request) bool { return r.PresencePenalty != nil && *r.PresencePenalty == -0.25 }},
	{"frequency_penalty", func(p *ai.Parameters) { p.FrequencyPenalty = float(0.25) }, func(r llm.Request) bool { return r.FrequencyPenalty != nil && *r.FrequencyPenalty == 0.25 }},
	{"reasoning_effort", func(p *ai.Parameters) { p.ReasoningEffort = "low" }, func(r llm.Request) bool { return r.ReasoningEffort == "low" }},
}

func TestAParameterIsSentWhenItIsSetAndRefusedWhenTheServiceHasNone(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Behave(func(llm.Request) llm.Reply { return llm.Reply{Text: "a"} })
		b.mustAsk(b.request(), false)
		for _, p := range parameters {
			if bare := b.server.Requests()[0]; p.seen(bare) {
				b.Errorf("%s was sent without being set", p.name)
			}
			r, before := b.request(), len(b.server.Requests())
			p.set(&r.Parameters)
			if slices.Contains(b.lacks, p.name) {
				if _, failed := b.refused(r, false, ai.BadRequest); !strings.Contains(failed.Message, p.name) || len(b.server.Requests()) != before {
					b.Errorf("%s: %v, %d requests", p.name, failed, len(b.server.Requests())-before)
				}
				continue
			}
			b.mustAsk(r, false)
			if seen := b.server.Requests(); !p.seen(seen[len(seen)-1]) {
				b.Errorf("%s was set and not sent: %s", p.name, seen[len(seen)-1].Raw)
			}
		}
	})
}

func TestTheHealthReportOfTheSeedIsAskedForAndAnswered(t *testing.T) {
	const report = `{"applications": [{"name": "TEST", "applicationId": 1, "state": "UNSTABLE", "metric": ["ALERT", "ISSUE"], "comment": "<b>"}], "state": "UNSTABLE", "comment": "오류"}`
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: report, Chunk: 5})
		r := b.request()
		r.Format = healthReport(b.T)
		if response := b.mustAsk(r, stream); response.Text != report {
			b.Errorf("answer %s", response.Text)
		}
		seen := b.seen().ResponseFormat
		if seen == nil {
			b.Fatal("the schema was not sent as one")
		}
		sent, first, last := string(seen.JSONSchema.Schema), `"applications"`, `"comment":{"type":"string"}}`
		if b.wire != llm.Gemini && (!strings.Contains(sent, first) || strings.Index(sent, first) > strings.LastIndex(sent, last)) {
			b.Errorf("the properties are not in their order: %s", sent)
		}
		if b.wire == llm.Gemini && !strings.Contains(sent, `"propertyOrdering":["applications","state","comment"]`) {
			b.Errorf("the order of the properties is not told: %s", sent)
		}
	})
}

func TestAnOptionalPropertyThatIsNullIsLeftOutOfTheAnswer(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: `{"a":null,"b":"x","n":null,"c":null}`, Chunk: 3})
		r := b.request()
		r.Format = &ai.Format{Type: "json_schema", Name: "n", Schema: object(`{"type":"object","properties":{"b":{"type":"string","minLength":1},"a":{"type":"string"},"n":{"type":["number","null"]},"c":{"type":"string"}},"required":["b"]}`)}
		if response := b.mustAsk(r, stream); response.Text != `{"b":"x","n":null}` {
			b.Errorf("answer %s", response.Text)
		}
	})
}

func TestASchemaThatTheServiceCannotTakeIsABadRequest(t *testing.T) {
	each(t, func(b *bench) {
		r := b.request()
		r.Format = &ai.Format{Type: "json_schema", Name: "n", Schema: object(`{"type":"object","properties":{"a":false}}`)}
		b.refused(r, false, ai.BadRequest)
		if n := len(b.server.Requests()); n != 0 {
			b.Errorf("%d requests were made", n)
		}
	})
	each(t, func(b *bench) {
		b.server.RefuseSchemas()
		r := b.request()
		r.Format = healthReport(b.T)
		b.refused(r, false, ai.BadRequest)
		b.seen() // once: it is package ai that asks again in words
	})
}

func tools() []ai.Tool {
	return []ai.Tool{
		{Name: "weather", Description: "the weather of a city", Schema: object(`{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"string","enum":["C","F"]}},"required":["city"]}`)},
		{Name: "now", Description: "the time", Schema: object(`{"type":"object","properties":{}}`)},
	}
}

func TestToolsAreCalledAndTheirResultsComeBack(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: "One moment.", Chunk: 4, Calls: []llm.Call{{ID: "call_of_weather", Name: "weather", Arguments: `{"city":"서울 <서>"}`, Signature: "c2lnbmVk"}, {Name: "now", Arguments: "{}"}}}, llm.Reply{Text: "21 degrees"})
		r := b.request()
		r.Tools = tools()
		response := b.mustAsk(r, stream)
		calls := response.Calls
		if response.Text != "One moment." || response.Finish != ai.FinishCalls || len(calls) != 2 || calls[0].Name != "weather" || calls[1].Name != "now" || calls[1].Arguments != "{}" || calls[0].ID == calls[1].ID {
			b.Fatalf("response %+v", response)
		}
		if !strings.HasSuffix(calls[0].ID, "call_of_weather") { // Gemini's has its signature before it
			b.Errorf("id %q", calls[0].ID)
		}
		var arguments map[string]string
		if err := json.Unmarshal([]byte(calls[0].Arguments), &arguments); err != nil || arguments["city"] != "서울 <서>" {
			b.Errorf("arguments %s: %v", calls[0].Arguments, err)
		}
		seen := b.seen()
		if len(seen.Tools) != 2 || seen.Tools[0].Name != "weather" || seen.Tools[0].Description != "the weather of a city" || seen.Tools[0].Strict || seen.ToolChoice != "" {
			b.Errorf("tools %+v, choice %q", seen.Tools, seen.ToolChoice)
		}

		r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Text: response.Text, Calls: calls},
			ai.Message{Role: ai.RoleTool, CallID: calls[0].ID, Text: "21"}, ai.Message{Role: ai.RoleTool, CallID: calls[1].ID, Text: "noon"})
		if response := b.mustAsk(r, stream); response.Text != "21 degrees" {
			b.Errorf("response %+v", response)
		}
		turns := b.server.Requests()[1].Messages
		if len(turns) != 5 || turns[2].Content != "One moment." || len(turns[2].Calls) != 2 || turns[3].CallID != turns[2].Calls[0].ID || turns[3].Content != "21" || turns[4].Content != "noon" {
			b.Errorf("turns %+v", turns)
		}
		if b.wire == llm.Gemini && turns[2].Calls[0].Signature != "c2lnbmVk" {
			b.Errorf("the signature %q came back", turns[2].Calls[0].Signature)
		}
	})
}

func TestAToolCanBeForcedAndForbidden(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Behave(func(llm.Request) llm.Reply { return llm.Reply{Text: "a"} })
		for i, choice := range []string{"weather", ai.ToolRequired, ai.ToolNone} {
			r := b.request()
			r.Tools, r.ToolChoice = tools(), choice
			b.mustAsk(r, false)
			if seen := b.server.Requests()[i].ToolChoice; seen != choice {
				b.Errorf("choice %q was sent as %q", choice, seen)
			}
		}
	})
}

// TestAConversationMovesFromOneServiceToAnother, as it does when a chain falls
// through: the ids of calls are those of somebody else.
func TestAConversationMovesFromOneServiceToAnother(t *testing.T) {
	each(t, func(b *bench) {
		b.model = strings.Replace(b.model, "gemini-some", "gemini-3-some", 1) // which checks signatures
		for _, id := range []string{"call_abc", "toolu_01A", "gemini.c2lnbmVk.-abc", "gemini." + strings.Repeat("A", 400) + ".x y"} {
			b.server.Script(llm.Reply{Text: "ok"})
			r := b.request()
			r.Tools = tools()
			r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Calls: []ai.ToolCall{{ID: id, Name: "now", Arguments: "{}"}}}, ai.Message{Role: ai.RoleTool, CallID: id, Text: "noon"})
			b.mustAsk(r, false)
		}
	})
}

func TestTokensAreCountedByKind(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: "a", Thoughts: "hm", Usage: &llm.Usage{Input: 1000, Cached: 600, CacheWrite: 50, Output: 300, Reasoning: 200}})
		response := b.mustAsk(b.request(), stream)
		got := response.Usage
		want := ai.Usage{InputTokens: 1000, CachedTokens: 600, CacheWriteTokens: 50, OutputTokens: 300, ReasoningTokens: 200}
		if b.wire == llm.Gemini {
			want.CacheWriteTokens = 0 // it does not tell them
		}
		if got != want {
			b.Errorf("usage %+v, want %+v", got, want)
		}
		name := map[string]string{llm.OpenAIChat: "prompt_tokens", llm.OpenAIResponses: "input_tokens", llm.Anthropic: "cache_read_input_tokens", llm.Gemini: "promptTokenCount"}[b.wire]
		if raw := string(response.UsageRaw); !json.Valid(response.UsageRaw) || !strings.Contains(raw, `"`+name+`":`) || !strings.Contains(raw, "200") {
			b.Errorf("as the service told it: %s", raw)
		}
	})
}

func TestThoughtsAreNoPartOfTheAnswer(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Thoughts: "let me see", Text: "the answer"})
		if got := b.mustAsk(b.request(), stream).Text; got != "the answer" {
			b.Errorf("text %q", got)
		}
	})
}

func TestADeclinedAnswerIsAFailureThatWasPaidFor(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		for _, reply := range []llm.Reply{{Refusal: "scripted: I cannot help with that."}, {Text: "Well,", Finish: "content_filter"}} {
			b.server.Script(reply)
			response, _ := b.refused(b.request(), stream, ai.Refused)
			b.paid(response)
		}
	})
}

// paid checks that what an unusable answer cost is told.
func (b *bench) paid(r ai.Response) {
	b.Helper()
	if r.Usage.InputTokens <= 0 || r.Usage.OutputTokens <= 0 || r.Model != b.model {
		b.Errorf("the answer cost %+v", r)
	}
}

func TestAnAnswerThatEndsAtTheLimitSaysSo(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: `{"a":`, Finish: "length"})
		if response := b.mustAsk(b.request(), stream); response.Finish != ai.FinishLength || response.Text != `{"a":` {
			b.Errorf("response %+v", response)
		}
	})
}

func TestAnEmptyAnswerIsAFailureThatWasPaidFor(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		for _, reply := range []llm.Reply{{}, {Text: " \n"}, {Thoughts: "hm", Finish: "length"}} {
			b.server.Script(reply)
			response, _ := b.refused(b.request(), stream, ai.EmptyAnswer)
			b.paid(response)
		}
	})
}

func TestAnAnswerThatIsNotOfTheProtocolIsATransportFailure(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		events := http.Header{"Content-Type": {"text/event-stream"}}
		bodies := []llm.Reply{{Body: "<html>It works! " + key + "</html>"}, {Body: `{"answer":"scripted"}`}, {Body: `[]`}, {Body: `{"model":`}, {Body: " "},
			{Header: events, Body: "data: {scripted\n\n"}, {Header: events, Body: "data: [DONE]\n\n"}, {Header: events, Body: "event: message_stop\ndata: 7\n\n"}}
		for _, reply := range bodies {
			b.server.Script(reply)
			b.refused(b.request(), stream, ai.Transport)
		}
	})
}

func TestAnAnswerWithoutEndIsLeft(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: strings.Repeat("a", 4<<20), Chunk: 64 << 10})
		response, _ := b.refused(b.request(), stream, ai.HugeAnswer)
		if len(response.Text) > 2<<20 {
			b.Errorf("%d bytes were kept", len(response.Text))
		}
	})
}

func TestASlowAnswerIsWaitedForAndAHungOneLeftWhenTheTimeIsUp(t *testing.T) {
	modes(t, func(b *bench, stream bool) {
		b.server.Script(llm.Reply{Text: "late", Delay: 30 * time.Millisecond}, llm.Reply{Hang: true})
		if got := b.mustAsk(b.request(), stream).Text; got != "late" {
			b.Errorf("text %q", got)
		}
		ctx, cancel := context.WithTimeout(b.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := b.ask(ctx, b.request(), stream); !errors.Is(err, context.DeadlineExceeded) {
			b.Errorf("err %v", err)
		} else {
			b.discreet(err)
		}
	})
}

// TestAStreamThatStallsKeepsWhatCameBefore also shows that pieces are told when
// they come: the rest of the answer never does.
func TestAStreamThatStallsKeepsWhatCameBefore(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "0123456789", Chunk: 2, StallAfter: 3})
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		told := ""
		response, err := b.provider.Complete(ctx, b.request(), func(p ai.Piece) error {
			if told += p.Text; told == "012345" {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || response.Text != "012345" {
			b.Errorf("err %v, text %q", err, response.Text)
		}
		b.discreet(err)
	})
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "0123456789", StallAfter: 1})
		ctx, cancel := context.WithTimeout(b.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := b.provider.Complete(ctx, b.request(), nil); !errors.Is(err, context.DeadlineExceeded) {
			b.Errorf("a whole answer: err %v", err)
		}
	})
}

func TestEachRequestHasItsOwnKey(t *testing.T) {
	each(t, func(b *bench) {
		r := b.request()
		r.Key = "sk-wrong-0123456789"
		_, failed := b.refused(r, false, ai.BadKey)
		if strings.Contains(failed.Error(), r.Key) {
			b.Errorf("the error quotes the key: %v", failed)
		}
		b.server.Script(llm.Reply{Text: "ok"})
		b.mustAsk(b.request(), false)
		for name, values := range b.seen().Header {
			if strings.Contains(strings.Join(values, " "), key) != (name == b.header) {
				b.Errorf("header %s: %q", name, values)
			}
		}
	})
	for _, k := range kinds {
		t.Run("none, "+k.name, func(t *testing.T) {
			b := open(t, k)
			open, err := llm.Start("")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = open.Close() })
			if b.provider, err = k.start(open, nil); err != nil {
				t.Fatal(err)
			}
			open.Script(llm.Reply{Text: "ok"})
			r := b.request()
			r.Key = ""
			b.mustAsk(r, false)
			if values, ok := open.Requests()[0].Header[k.header]; ok {
				t.Errorf("%s: %q was sent without a key", k.header, values)
			}
		})
	}
}

func TestTheEnvironmentChangesNothing(t *testing.T) {
	for _, name := range []string{"OPENAI", "ANTHROPIC", "GOOGLE_GEMINI"} {
		t.Setenv(name+"_BASE_URL", "http://127.0.0.1:1/v1")
	}
	for _, name := range []string{"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT", "OPENAI_ORG_ID"} {
		t.Setenv(name, "of-the-environment")
	}
	t.Setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
	t.Setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Custom: of-the-environment")
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "ok"})
		b.mustAsk(b.request(), false)
		for name, values := range b.seen().Header {
			if strings.Contains(strings.Join(values, " "), "of-the-environment") {
				b.Errorf("header %s: %q", name, values)
			}
		}
	})
}

func TestManyAskAtOnce(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Behave(func(r llm.Request) llm.Reply { return llm.Reply{Text: "to " + r.Messages[0].Content, Chunk: 2} })
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				text, told := fmt.Sprintf("question %d", i), ""
				response, err := b.provider.Complete(b.Context(), ai.Request{Key: key, Model: b.model, Messages: []ai.Message{{Role: ai.RoleUser, Text: text}}}, func(p ai.Piece) error {
					told += p.Text
					return nil
				})
				if err != nil || response.Text != "to "+text || told != response.Text {
					b.Errorf("%q: %q, %q, %v", text, response.Text, told, err)
				}
			})
		}
		all.Wait()
	})
}

func TestWhoListensCanEndTheCall(t *testing.T) {
	enough := errors.New("enough")
	each(t, func(b *bench) {
		b.server.Script(llm.Reply{Text: "0123456789", Chunk: 2})
		told := 0
		response, err := b.provider.Complete(b.Context(), b.request(), func(ai.Piece) error {
			if told++; told == 2 {
				return enough
			}
			return nil
		})
		if err != enough || told != 2 || response.Text != "0123" { //nolint:errorlint // as it is, not wrapped
			b.Errorf("err %v after %d pieces, text %q", err, told, response.Text)
		}
		b.seen()
	})
}
