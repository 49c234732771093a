package ai_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

var kim = ai.Caller{Project: shop, Kind: "api", Name: "kim", Person: 7}

// talking is a house that keeps conversations.
func talking(t *testing.T, db *metadb.DB) *house {
	t.Helper()
	h := newHouse(t, db)
	h.use(t, talkingGateway(t, h))
	return h
}

// talkingGateway is a node of it whose key file holds the keys, 7 when none is named.
func talkingGateway(t *testing.T, h *house, keys ...byte) *ai.Gateway {
	t.Helper()
	if len(keys) == 0 {
		keys = []byte{7}
	}
	p, err := openai.New(openai.Options{BaseURL: h.first.URL})
	if err != nil {
		t.Fatal(err)
	}
	g, err := ai.New(ai.Options{DB: h.db, Telemetry: h.telemetry, Dir: t.TempDir(), Sealer: sealer(t, keys...), Now: h.clock, Wait: h.wait,
		Services:     map[string]ai.Service{"openai": {Kind: "openai", Provider: p, Keys: []ai.Key{{Alias: "main", Secret: "sk-secret-key"}}}},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}},
		Place: func(_ context.Context, p project.ID) (org, group int64, err error) {
			return int64(p) * 10, int64(p), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (h *house) say(t *testing.T, thread, text, answer string) *ai.Result {
	t.Helper()
	h.first.Script(llm.Reply{Text: answer})
	result, err := h.Run(t.Context(), kim, writer, ai.Input{Thread: thread, Message: text})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestTokensStayTheSameOverTheTurnsOfAConversation(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := talking(t, db)
		first := h.say(t, ai.NewThread, "Who is "+mail+"?", "a colleague")
		token := first.Tokens[0].Token
		h.say(t, first.Thread, "And lee@kakaocorp.com?", "another one")
		other := talkingGateway(t, h) // another node
		closeAfter(t, other)
		h.Gateway = other
		third := h.say(t, first.Thread, "Compare them.", "The first is "+token+".")
		if third.Text != "The first is "+mail+"." || third.Thread != first.Thread {
			t.Errorf("answered %+v", third)
		}
		requests := h.first.Requests()
		turns := requests[len(requests)-1].Messages
		if len(turns) != 6 || turns[1].Content != "Who is "+token+"?" || turns[2].Content != "a colleague" || strings.Contains(sentTo(h.first), "kakaocorp") {
			t.Errorf("told %+v", turns)
		}
		thread, err := h.Thread(t.Context(), kim, first.Thread)
		if err != nil || len(thread.Turns) != 6 || thread.Turns[0].Text != "Who is "+mail+"?" || thread.Turns[5].Text != third.Text {
			t.Errorf("thread %+v, %v", thread, err)
		}
		var sealed string
		if err := db.QueryRow(t.Context(), `SELECT sealed FROM ai_thread`).Scan(&sealed); err != nil || strings.Contains(sealed, "kakaocorp") {
			t.Errorf("stored %q, %v", sealed, err)
		}
	})
}

func TestAConversationIsItsPersonsItsProjectsAndItsRolesAlone(t *testing.T) {
	h := talking(t, metadbtest.SQLite(t))
	id := h.say(t, ai.NewThread, "hi", "hello").Thread
	ask := func(caller ai.Caller, role, thread string) error {
		_, err := h.Run(t.Context(), caller, role, ai.Input{Thread: thread, Message: "again"})
		return err
	}
	lee, elsewhere, nobody := kim, kim, kim
	lee.Person, elsewhere.Project, nobody.Person = 8, shop+1, 0
	for _, err := range []error{ask(lee, writer, id), ask(elsewhere, writer, id), ask(kim, writer, "gone")} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("err %v", err)
		}
	}
	for _, err := range []error{ask(nobody, writer, ai.NewThread), ask(kim, ai.AlertAnalyzer, id)} {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("err %v", err)
		}
	}
	if err := h.DeleteThread(t.Context(), lee, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("err %v", err)
	}
	h.advance(31 * 24 * time.Hour)
	if err := ask(kim, writer, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("a conversation of last month goes on: %v", err)
	}
	fresh := h.say(t, ai.NewThread, "hi", "hello").Thread
	if err := h.DeleteThread(t.Context(), kim, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(t.Context(), kim, fresh); !fault.Is(err, fault.NotFound) {
		t.Errorf("err %v", err)
	}
}

func TestOfTwoTurnsAtOnceOneIsPartOfTheConversation(t *testing.T) {
	h := talking(t, metadbtest.SQLite(t))
	id := h.say(t, ai.NewThread, "hi", "hello").Thread
	h.first.Script(llm.Reply{Text: "slow"}, llm.Reply{Text: "quick"})
	_, err := h.Run(t.Context(), kim, writer, ai.Input{Thread: id, Message: "first", Validate: func(answer string) error {
		if answer == "slow" { // while the first is answered, another turn is asked
			h.say(t, id, "second", "quick")
		}
		return nil
	}})
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("err %v", err)
	}
	if thread, err := h.Thread(t.Context(), kim, id); err != nil || len(thread.Turns) != 4 || thread.Turns[2].Text != "second" {
		t.Errorf("thread %+v, %v", thread, err)
	}
}

func TestConversationsGoOnWithTheNewMasterKeyWhenTheOldOneIsGone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := talking(t, db)
		var begun []string
		for range 60 { // more than are read at a time
			begun = append(begun, h.say(t, ai.NewThread, "Who is "+mail+"?", "a colleague").Thread)
		}
		const lost = "0-of-a-key-that-is-gone"
		if _, err := db.Exec(t.Context(), `INSERT INTO ai_thread (id, version, project, person, role, sealed, used_at) SELECT $1, 1, project, person, role, sealed, used_at FROM ai_thread WHERE id = $2`, lost, begun[0]); err != nil {
			t.Fatal(err) // sealed for another place, it does not open
		}
		both, after := talkingGateway(t, h, 8, 7), talkingGateway(t, h, 8)
		closeAfter(t, both)
		closeAfter(t, after)
		if _, err := after.Thread(t.Context(), kim, begun[0]); err == nil {
			t.Fatal("the new key alone opens what the old one sealed: the test shows nothing")
		}
		for range 2 { // the second time there is nothing to do
			if err := both.RewrapThreads(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range begun {
			thread, err := after.Thread(t.Context(), kim, id)
			if err != nil || len(thread.Turns) != 2 || thread.Turns[0].Text != "Who is "+mail+"?" {
				t.Fatalf("%+v, %v", thread, err)
			}
		}
		h.Gateway = after
		if third := h.say(t, begun[59], "Again?", "as before"); third.Thread != begun[59] {
			t.Errorf("went on as %q", third.Thread)
		}
	})
}
