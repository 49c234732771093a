package telegram_test

import (
	"encoding/json"
	"testing"

	fake "github.com/matrix-aiops/matrix/internal/fake/telegram"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/telegram"
)

func TestLaterMessagesAnswerTheFirst(t *testing.T) {
	s := fake.New(t)
	c := telegram.New(telegram.Options{Client: notify.NewClient(notify.Guard{Dev: true}), APIURL: s.URL()})
	config := json.RawMessage(`{"token": "` + fake.Token + `", "chat_id": "` + fake.Chat + `"}`)
	root := notify.Root{}
	for i, want := range []string{"sendMessage", "reply to 1", "reply to 1"} {
		handle, err := c.SendIn(t.Context(), config, notify.Message{Subject: "s", Text: "t"}, root)
		if err != nil {
			t.Fatal(err)
		}
		if root.Handle == "" {
			root.Handle = handle
		}
		if got := s.Messages()[i].Action; got != want {
			t.Errorf("message %d is %q, want %q", i, got, want)
		}
	}
	root.Handle = "4711" // deleted
	if _, err := c.SendIn(t.Context(), config, notify.Message{Subject: "s", Text: "t"}, root); err != nil {
		t.Fatal(err)
	}
}
