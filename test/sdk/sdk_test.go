// Package sdk runs the official clients of the model services, of npm and
// unmodified, against the fake that the other tests rely on.
package sdk

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

// answer replies to the words that clients.test.js asks.
func answer(r llm.Request) llm.Reply {
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
		return llm.Reply{Text: `{"city":"서울","degrees":21}`}
	case asked == "refuse":
		return llm.Reply{Refusal: "no"}
	case asked == "error":
		code := map[string]string{llm.OpenAIChat: "insufficient_quota", llm.OpenAIResponses: "insufficient_quota"}[r.Wire]
		return llm.Reply{Status: 429, Code: code, RetryAfter: 7 * time.Second}
	}
	return llm.Reply{Text: `한국어로 된 답 <&> "y"`, Chunk: 2, Split: 5, Usage: &llm.Usage{Input: 100, Cached: 30, CacheWrite: 10, Output: 20, Reasoning: 5}}
}

func TestTheOfficialClientsOfNpmAcceptTheFake(t *testing.T) {
	if _, err := os.Stat("node_modules"); err != nil {
		t.Fatal("test/sdk has no packages: sh scripts/setup.sh node-sdk")
	}
	server, err := llm.Start("sk-of-the-sdk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.Offer("gpt-4.1", "claude-x")
	server.Behave(answer)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "--test", "clients.test.js")
	cmd.Env = append(os.Environ(), "FAKE_LLM="+server.Base, "FAKE_LLM_KEY=sk-of-the-sdk")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "# pass 27\n") {
		t.Errorf("not all 27 were run:\n%s", out)
	}
	// One request is not well formed, on purpose.
	if faults := server.Faults(); len(faults) != 1 || !strings.Contains(faults[0], "top_q") {
		t.Errorf("faults %q", faults)
	}
}
