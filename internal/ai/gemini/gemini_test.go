package gemini_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/gemini"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
)

const key = "AIza0123456789"

func start(t *testing.T) (*llm.Server, *gemini.Provider) {
	t.Helper()
	server, err := llm.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	p, err := gemini.New(gemini.Options{BaseURL: server.Base + "/v1beta/"}) // with the version that people write, too
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}

func question(model string) ai.Request {
	return ai.Request{Key: key, Model: model, Messages: []ai.Message{{Role: ai.RoleUser, Text: "x"}}}
}

func class(err error) ai.Class {
	var failed *ai.Failure
	if errors.As(err, &failed) {
		return failed.Class
	}
	return ""
}

func TestTheSignatureAndTheIdOfACallComeBackAndNothingIsMadeUp(t *testing.T) {
	server, p := start(t)
	for _, call := range []llm.Call{{ID: "real-1", Name: "now", Signature: "c2lnbg=="}, {Name: "now", Signature: "c2lnbg=="}} {
		server.Script(llm.Reply{Calls: []llm.Call{call}}, llm.Reply{Text: "ok"})
		r := question("gemini-3-pro")
		r.Tools = []ai.Tool{{Name: "now", Schema: []byte(`{"type":"object","properties":{}}`)}}
		got, err := p.Complete(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Calls: got.Calls}, ai.Message{Role: ai.RoleTool, CallID: got.Calls[0].ID, Text: "noon"})
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Fatalf("%v, faults %q", err, server.Faults())
		}
		seen := server.Requests()
		raw := string(seen[len(seen)-1].Raw)
		if !strings.Contains(raw, `"thoughtSignature":"c2lnbg=="`) || strings.Count(raw, `"id":"real-1"`) != map[string]int{"real-1": 2}[call.ID] || strings.Count(raw, `"id":`) != map[string]int{"real-1": 2}[call.ID] {
			t.Errorf("sent %s", raw)
		}
	}
}

func TestOlderModelsAreSentNoSignatureThatTheyDidNotGive(t *testing.T) {
	server, p := start(t)
	for model, signed := range map[string]bool{"gemini-2.5-flash": false, "gemini-3-pro": true, "gemini-flash-latest": true} {
		server.Script(llm.Reply{Text: "ok"})
		r := question(model)
		r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Calls: []ai.ToolCall{{ID: "call_1", Name: "now", Arguments: "{}"}, {ID: "call_2", Name: "now", Arguments: "{}"}}},
			ai.Message{Role: ai.RoleTool, CallID: "call_1", Text: "noon"}, ai.Message{Role: ai.RoleTool, CallID: "call_2", Text: "noon"})
		if _, err := p.Complete(t.Context(), r, nil); err != nil {
			t.Fatalf("%v, faults %q", err, server.Faults())
		}
		seen := server.Requests()
		if raw := string(seen[len(seen)-1].Raw); strings.Contains(raw, "thoughtSignature") != signed || strings.Contains(raw, "call_1") {
			t.Errorf("%s was sent %s", model, raw)
		}
	}
}

func TestACallThatIsNotWellFormedIsAnInvalidAnswer(t *testing.T) {
	server, p := start(t)
	server.Script(llm.Reply{Body: `{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}],"usageMetadata":{"promptTokenCount":3}}`})
	got, err := p.Complete(t.Context(), question("gemini-x"), nil)
	if class(err) != ai.InvalidAnswer || got.Usage.InputTokens != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnAnswerOfWhichThereIsMoreIsNotAskedForAgain(t *testing.T) {
	server, p := start(t)
	const part = `{"candidates":[{"content":{"role":"model","parts":[{"text":"half"}]},"finishReason":"CONTINUATION","continuationToken":"dG9rZW4="}]}`
	for _, on := range []func(ai.Piece) error{nil, func(ai.Piece) error { return nil }} {
		reply := llm.Reply{Body: part}
		if on != nil {
			reply = llm.Reply{Body: "data: " + part + "\n\n", Header: http.Header{"Content-Type": {"text/event-stream"}}}
		}
		before := len(server.Requests())
		server.Script(reply)
		got, err := p.Complete(t.Context(), question("gemini-x"), on)
		if err != nil || got.Text != "half" || got.Finish != ai.FinishLength || len(server.Requests())-before != 1 {
			t.Errorf("%+v, %v, %d requests", got, err, len(server.Requests())-before)
		}
	}
}

func TestAStreamThatIsOneErrorIsAFailure(t *testing.T) {
	server, p := start(t)
	events := http.Header{"Content-Type": {"text/event-stream"}}
	f := func(body string, want ai.Class) {
		t.Helper()
		server.Script(llm.Reply{Header: events, Body: body})
		if _, err := p.Complete(t.Context(), question("gemini-x"), func(ai.Piece) error { return nil }); class(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	f(`data: {"error":{"code":503,"status":"UNAVAILABLE","message":"x"}}`+"\n\n", ai.Overloaded)
	f(`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}`, ai.RateLimited)
	f(`data: {"candidates":[{"content":{"parts":[{"text":"half"}]}}]}`+"\n\n", ai.Transport)
}

func TestANameOfAModelDoesNotChangeTheAddress(t *testing.T) {
	server, p := start(t)
	for _, model := range []string{"", "x?key=1", "../../v1/messages", "a:embed#", "a%2e"} {
		if _, err := p.Complete(t.Context(), question(model), nil); class(err) != ai.UnknownModel {
			t.Errorf("%q: %v", model, err)
		}
		if _, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: model, Input: []string{"x"}}); class(err) != ai.UnknownModel {
			t.Errorf("embed, %q: %v", model, err)
		}
	}
	if n := len(server.Requests()) + len(server.Faults()); n > 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestANumberThatTheServiceCannotHoldIsRefused(t *testing.T) {
	_, p := start(t)
	r, seed := question("gemini-x"), int64(math.MaxInt32)+1
	r.Parameters.Seed = &seed
	if _, err := p.Complete(t.Context(), r, nil); class(err) != ai.BadRequest {
		t.Errorf("err %v", err)
	}
}

func TestTextsAreEmbedded(t *testing.T) {
	server, p := start(t)
	var _ ai.Embedder = p
	got, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: "gemini-embedding-001", Input: []string{"하나", "둘"}, Dimensions: 5})
	if err != nil || len(got.Vectors) != 2 || len(got.Vectors[1]) != 5 || fmt.Sprint(float32(got.Vectors[1][4])) != fmt.Sprint(llm.Vector("둘", 5)[4]) {
		t.Fatalf("%+v, %v, faults %q", got, err, server.Faults())
	}
	server.Script(llm.Reply{Status: 503})
	if _, err := p.Embed(t.Context(), ai.EmbedRequest{Key: key, Model: "gemini-embedding-001", Input: []string{"x"}}); class(err) != ai.Overloaded {
		t.Errorf("err %v", err)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"generativelanguage.googleapis.com", "ftp://x", "http://", "://"} {
		if _, err := gemini.New(gemini.Options{BaseURL: base}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", base, err)
		}
	}
}
