package openai_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/aitest"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/model"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// service tells the fake what the conformance suite asks for.
type service struct{ *model.Server }

func (s service) Answer(text string)   { s.Script(model.Reply{Text: text}) }
func (s service) Truncate(text string) { s.Script(model.Reply{Text: text, Finish: "length"}) }
func (s service) Decline()             { s.Script(model.Reply{Refusal: "I cannot help with that."}) }
func (s service) Garbage()             { s.Script(model.Reply{Body: "<html>It works!</html>"}) }
func (s service) Hang()                { s.Script(model.Reply{Hang: true}) }
func (s service) Huge()                { s.Script(model.Reply{Text: strings.Repeat("a", 4<<20)}) }

func (s service) Fail(status int) {
	s.Script(model.Reply{Status: status, Header: http.Header{"Location": {s.URL + "/chat/completions"}, "Retry-After": {"7"}},
		Body: `{"error":{"message":"Incorrect API key provided: ` + aitest.Key + `, you said 질문","type":"x","code":"` + aitest.Key + `"}}`})
}

func (s service) Seen() []aitest.Seen {
	var all []aitest.Seen
	for _, r := range s.Requests() {
		seen := aitest.Seen{Model: r.Model, Structured: r.ResponseFormat != nil, Temperature: r.Temperature, TopP: r.TopP, MaxTokens: r.MaxTokens}
		for _, m := range r.Messages {
			seen.Messages = append(seen.Messages, ai.Message{Role: m.Role, Text: m.Content})
		}
		all = append(all, seen)
	}
	return all
}

func start(t *testing.T) *model.Server {
	t.Helper()
	server, err := model.Start(aitest.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func TestConformance(t *testing.T) {
	aitest.Conformance(t, func(t *testing.T) (ai.Provider, aitest.Service) {
		server := start(t)
		p, err := openai.New(openai.Options{BaseURL: server.URL, APIKey: aitest.Key})
		if err != nil {
			t.Fatal(err)
		}
		return p, service{server}
	})
}

func TestAWrongKeyIsSaidWithoutQuotingIt(t *testing.T) {
	p, err := openai.New(openai.Options{BaseURL: start(t).URL, APIKey: "sk-wrong"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Complete(t.Context(), ai.Request{Model: "m", Messages: []ai.Message{{Role: "user", Text: "x"}}})
	if !fault.Is(err, fault.Unauthenticated) || strings.Contains(err.Error(), "sk-wrong") || !strings.Contains(err.Error(), "invalid_api_key") {
		t.Errorf("err %v", err)
	}
}

func TestTheEnvironmentDoesNotChangeWhereTheQuestionGoes(t *testing.T) {
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
	t.Setenv("OPENAI_API_KEY", "sk-environment")
	server := start(t)
	server.Script(model.Reply{Text: "ok"})
	p, err := openai.New(openai.Options{BaseURL: server.URL + "/", APIKey: aitest.Key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Complete(t.Context(), ai.Request{Model: "m", Messages: []ai.Message{{Role: "user", Text: "x"}}}); err != nil {
		t.Error(err)
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"api.openai.com", "ftp://x/v1", "http://", "://"} {
		if _, err := openai.New(openai.Options{BaseURL: base}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", base, err)
		}
	}
}
