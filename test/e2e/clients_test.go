package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

// repeat answers what test/sdk/matrix.test.js asks.
func repeat(r llm.Request) llm.Reply {
	asked, last := "", llm.Message{}
	for _, m := range r.Messages {
		if last = m; m.Role == "user" {
			asked = m.Content
		}
	}
	switch {
	case len(r.Input) > 0:
		return llm.Reply{}
	case last.Role == "tool":
		return llm.Reply{Text: "result " + last.Content}
	case asked == "tools":
		return llm.Reply{Calls: []llm.Call{{Name: "weather", Arguments: `{"city":"서울"}`}}, Chunk: 3}
	case asked == "schema":
		return llm.Reply{Text: `{"good":true}`}
	}
	return llm.Reply{Text: "you said: " + asked, Chunk: 2, Split: 5}
}

func TestUnmodifiedClientsOfModelServicesAskMatrix(t *testing.T) {
	const secret = "sk-of-the-service"
	fake, err := llm.Start(secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fake.Close() })
	fake.Behave(repeat)
	h := start(t, func(o *app.Options) {
		o.File.AI = app.FileAI{
			Providers: map[string]app.FileProvider{
				"openai":  {Kind: "openai", BaseURL: fake.Base + "/v1", APIKey: secret},
				"answers": {Kind: "openai-responses", BaseURL: fake.Base + "/v1", APIKey: secret},
				"gem":     {Kind: "gemini", BaseURL: fake.Base, APIKey: secret},
				"claude":  {Kind: "anthropic", BaseURL: fake.Base, APIKeys: map[string]string{"main": secret}},
			},
			DefaultChain: []string{"openai/gpt-4.1"},
		}
	})
	call := func(path string, body, into any) {
		t.Helper()
		if _, err := h.api.Call(t.Context(), http.MethodPost, path, "", body, into); err != nil {
			t.Fatal(err)
		}
	}
	call("/api/v1/roles", map[string]any{"code": "guide", "system_message": "Be brief.", "chain": []any{}, "parameters": map[string]any{}}, nil)
	var token struct {
		Secret string `json:"secret"`
	}
	call("/api/v1/tokens", map[string]any{"name": "clients", "scopes": []string{"ai.model"}, "expires_at": time.Now().Add(time.Hour)}, &token)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "matrix.test.js")
	cmd.Dir = "../sdk"
	cmd.Env = append(os.Environ(), "MATRIX_URL="+h.app.URL(), "MATRIX_TOKEN="+token.Secret)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if faults := fake.Faults(); len(faults) > 0 {
		t.Errorf("the service got requests that are not well formed: %v", faults)
	}
	for _, r := range fake.Requests() {
		if strings.Contains(string(r.Raw), "kakaocorp") || strings.Contains(string(r.Raw), "1234-5678") {
			t.Errorf("an original left: %s", r.Raw)
		}
	}
	var page struct {
		Total int `json:"total"`
		Items []struct {
			CallerRef string `json:"caller_ref"`
			Status    string `json:"status"`
		} `json:"items"`
	}
	deadline := time.Now().Add(20 * time.Second) // records go to the engine in batches
	for page.Total < len(fake.Requests()) && time.Now().Before(deadline) {
		h.get(h.path("/ai-calls?limit=200"), &page)
	}
	if page.Total != len(fake.Requests()) {
		t.Errorf("%d calls are logged of %d requests", page.Total, len(fake.Requests()))
	}
	for _, item := range page.Items {
		if item.Status != "ok" || !strings.HasPrefix(item.CallerRef, "token/") {
			t.Errorf("logged %+v", item)
		}
	}
}
