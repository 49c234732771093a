package anthropic_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/anthropic"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
)

const key = "sk-ant-0123456789"

func start(t *testing.T) (*llm.Server, *anthropic.Provider) {
	t.Helper()
	server, err := llm.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	p, err := anthropic.New(anthropic.Options{BaseURL: server.URL}) // with the /v1 that people write, too
	if err != nil {
		t.Fatal(err)
	}
	return server, p
}

func question() ai.Request {
	return ai.Request{Key: key, Model: "claude-x", Messages: []ai.Message{{Role: ai.RoleUser, Text: "x"}}}
}

func TestALongAnswerMayBeAskedForWhole(t *testing.T) {
	server, p := start(t)
	server.Script(llm.Reply{Text: "ok"}, llm.Reply{Text: "ok"})
	r, many := question(), int64(128_000) // over what the client takes for ten minutes
	r.Parameters.MaxTokens = &many
	if _, err := p.Complete(t.Context(), r, nil); err != nil {
		t.Error(err)
	}
	if _, err := p.Complete(t.Context(), question(), nil); err != nil {
		t.Error(err)
	}
	if seen := server.Requests(); *seen[0].MaxTokens != many || *seen[1].MaxTokens <= 0 {
		t.Errorf("limits %d and %d", *seen[0].MaxTokens, *seen[1].MaxTokens)
	}
}

func TestAResultWithoutTextIsAResult(t *testing.T) {
	server, p := start(t)
	server.Script(llm.Reply{Text: "ok"})
	r := question()
	r.Tools = []ai.Tool{{Name: "now", Schema: []byte(`{"type":"object"}`)}}
	r.Messages = append(r.Messages, ai.Message{Role: ai.RoleAssistant, Calls: []ai.ToolCall{{ID: "a", Name: "now", Arguments: "{}"}}}, ai.Message{Role: ai.RoleTool, CallID: "a"}, ai.Message{Role: ai.RoleUser, Text: "well?"})
	if _, err := p.Complete(t.Context(), r, nil); err != nil {
		t.Fatalf("%v, faults %q", err, server.Faults())
	}
	if raw := string(server.Requests()[0].Raw); strings.Count(raw, `"role":"user"`) != 2 {
		t.Errorf("the result and what the user says after it are not one turn: %s", raw)
	}
}

func TestWhatTheServiceCannotTakeIsABadRequest(t *testing.T) {
	server, p := start(t)
	minimal, mangled := question(), question()
	minimal.Parameters.ReasoningEffort = "minimal"
	mangled.Messages = append(mangled.Messages, ai.Message{Role: ai.RoleAssistant, Calls: []ai.ToolCall{{ID: "a", Name: "now", Arguments: `{"a":`}}}, ai.Message{Role: ai.RoleTool, CallID: "a", Text: "x"})
	for _, r := range []ai.Request{minimal, mangled} {
		var failed *ai.Failure
		if _, err := p.Complete(t.Context(), r, nil); !errors.As(err, &failed) || failed.Class != ai.BadRequest || len(server.Requests()) > 0 {
			t.Errorf("err %v", err)
		}
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, base := range []string{"api.anthropic.com", "ftp://x", "http://", "://"} {
		if _, err := anthropic.New(anthropic.Options{BaseURL: base}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", base, err)
		}
	}
}
