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

func TestARoleIsAskedAtOnceOrAsAStream(t *testing.T) {
	engine := clickhousetest.New(t)
	if err := engine.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, metadbtest.SQLite(t), engine, nil)
	viewer, path := h.viewer(), fmt.Sprintf("/api/v1/ai/roles/%s/runs", h.newRole()) // who sees one project need not name it

	var answer RunAnswer
	h.decode(viewer.do(http.MethodPost, path, RunRequest{Input: "hi"}, nil), http.StatusOK, &answer)
	if answer.Text != "hello" || answer.RoleVersion != 1 || answer.Provider != "canned" || answer.CallID == "" || answer.Finish != ai.FinishStop {
		t.Errorf("answer %+v", answer)
	}
	response := viewer.do(http.MethodPost, path, RunRequest{Input: "hi", Stream: true}, nil)
	if kind := response.Header().Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("content type %q: %s", kind, response.Body)
	}
	events := strings.Split(strings.TrimSpace(response.Body.String()), "\n\n")
	if len(events) != 2 || events[0] != "event: text\ndata: {\"text\":\"hello\"}" || !strings.HasPrefix(events[1], "event: done\ndata: ") {
		t.Fatalf("events %q", events)
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(events[1], "event: done\ndata: ")), &answer); err != nil || answer.Text != "hello" {
		t.Errorf("the last event is %q: %v", events[1], err)
	}
	h.problem(viewer.do(http.MethodPost, path, RunRequest{Input: "hi", Label: "nightly"}, nil), http.StatusNotFound)
}

func TestAConversationGoesOnByItsIDAndIsForgottenOnRequest(t *testing.T) {
	engine := clickhousetest.New(t)
	if err := engine.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, metadbtest.SQLite(t), engine, nil)
	viewer, path := h.viewer(), fmt.Sprintf("/api/v1/ai/roles/%s/runs", h.newRole())
	ask := func(conversation string) (answer RunAnswer) {
		t.Helper()
		h.decode(viewer.do(http.MethodPost, path, RunRequest{Input: "hi", Conversation: conversation}, nil), http.StatusOK, &answer)
		return answer
	}
	id := ask(ai.NewThread).Conversation
	if again := ask(id).Conversation; id == "" || again != id {
		t.Errorf("begun as %q, went on as %q", id, again)
	}
	var thread ai.Thread
	h.decode(viewer.do(http.MethodGet, "/api/v1/ai/conversations/"+id, nil, nil), http.StatusOK, &thread)
	if len(thread.Turns) != 4 || thread.Turns[0].Text != "hi" || thread.Turns[1].Text != "hello" {
		t.Errorf("turns %+v", thread.Turns)
	}
	if gone := viewer.do(http.MethodDelete, "/api/v1/ai/conversations/"+id, nil, nil); gone.Code != http.StatusNoContent {
		t.Errorf("status %d: %s", gone.Code, gone.Body)
	}
	h.problem(viewer.do(http.MethodPost, path, RunRequest{Input: "hi", Conversation: id}, nil), http.StatusNotFound)
}
