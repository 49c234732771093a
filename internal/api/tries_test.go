package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// The first administrator is a member of a project, too, and so may play.
func TestARoleIsTriedAndACallAskedAgainAtOnceOrAsAStream(t *testing.T) {
	engine := clickhousetest.New(t)
	if err := engine.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, metadbtest.SQLite(t), engine, nil)
	admin, role := h.admin(), h.newRole()
	project := h.first.Project.ID
	call := func(id string) (found ai.Call) {
		t.Helper()
		h.must(h.opts.AI.Flush(t.Context()))
		h.decode(admin.do(http.MethodGet, fmt.Sprintf("/api/v1/projects/%d/ai-calls/%s", project, id), nil, nil), http.StatusOK, &found)
		return found
	}
	streamed := func(path string, body any) (answer TryAnswer) {
		t.Helper()
		response := admin.do(http.MethodPost, path, body, nil)
		events := strings.Split(strings.TrimSpace(response.Body.String()), "\n\n")
		if len(events) != 2 || events[0] != "event: text\ndata: {\"text\":\"hello\"}" || !strings.HasPrefix(events[1], "event: done\ndata: ") {
			t.Fatalf("events %q", events)
		}
		h.must(json.Unmarshal([]byte(strings.TrimPrefix(events[1], "event: done\ndata: ")), &answer))
		return answer
	}

	edit := RoleRequest{SystemMessage: "You help {{team}}.", Chain: []ai.Entry{}}
	try := TryRequest{Role: edit, Input: "mail kim@example.com", Variables: map[string]string{"team": "ops"}, Language: "en"}
	path := fmt.Sprintf("/api/v1/ai/roles/%s/try?project=%d", role, project)
	var tried TryAnswer
	h.decode(admin.do(http.MethodPost, path, try, nil), http.StatusOK, &tried)
	if tried.Text != "hello" || tried.Error != "" || tried.Provider != "canned" || len(tried.Attempts) != 1 || len(tried.Masked) != 1 {
		t.Errorf("tried %+v", tried)
	}
	if logged := call(tried.CallID); logged.Purpose != "try" || !strings.HasPrefix(logged.System, "You help ops.\n") || strings.Contains(logged.Message, "kim@") || logged.Person == 0 {
		t.Errorf("logged %+v", logged)
	}
	try.Stream = true
	if tried := streamed(path, try); tried.Text != "hello" || tried.CallID == "" {
		t.Errorf("tried as a stream %+v", tried)
	}

	var run RunAnswer
	h.decode(admin.do(http.MethodPost, fmt.Sprintf("/api/v1/ai/roles/%s/runs?project=%d", role, project), RunRequest{Input: "mail kim@example.com"}, nil), http.StatusOK, &run)
	recorded := call(run.CallID)
	path = fmt.Sprintf("/api/v1/projects/%d/ai-calls/%s/replay", project, run.CallID)
	cold, short := 0.0, int64(50)
	replay := ReplayRequest{Version: 1, Provider: "canned", Model: "other", Parameters: &ai.Parameters{Temperature: &cold, MaxTokens: &short, ReasoningEffort: "low"}, Originals: true}
	var again TryAnswer
	h.decode(admin.do(http.MethodPost, path, replay, nil), http.StatusOK, &again)
	if logged := call(again.CallID); again.Text != "hello" || logged.Purpose != "replay" || logged.CallerRef != "call/"+run.CallID || logged.Message != recorded.Message ||
		logged.Model != "other" || logged.Parameters.Temperature == nil || *logged.Parameters.MaxTokens != 50 || logged.Parameters.ReasoningEffort != "low" {
		t.Errorf("answered %+v, logged %+v, recorded %q", again, logged, recorded.Message)
	}
	replay.Stream = true
	if again := streamed(path, replay); again.Text != "hello" {
		t.Errorf("asked again as a stream %+v", again)
	}
	h.problem(admin.do(http.MethodPost, fmt.Sprintf("/api/v1/projects/%d/ai-calls/none/replay", project), ReplayRequest{}, nil), http.StatusNotFound)

	check := "/api/v1/ai-providers/canned/keys/main/check"
	var checked ai.KeyCheck
	h.decode(admin.do(http.MethodPost, check+fmt.Sprintf("?project=%d", project), ProviderCheckRequest{Model: "m"}, nil), http.StatusOK, &checked)
	if logged := call(checked.CallID); !checked.OK || logged.Purpose != ai.PurposeCheck || logged.Person != recorded.Person {
		t.Errorf("checked %+v, logged %+v", checked, logged)
	}
	h.problem(admin.do(http.MethodPost, check+"?project=9999", ProviderCheckRequest{Model: "m"}, nil), http.StatusNotFound)
}
