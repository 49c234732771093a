package opsgenie_test

import (
	"encoding/json"
	"testing"

	fake "github.com/matrix-aiops/matrix/internal/fake/opsgenie"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/opsgenie"
)

func TestTheReportOfAnIncidentBecomesANoteOfItsAlert(t *testing.T) {
	s := fake.New(t)
	c := opsgenie.New(opsgenie.Options{Client: notify.NewClient(notify.Guard{Dev: true}), URL: s.URL()})
	config := json.RawMessage(`{"api_key": "` + fake.Key + `"}`)
	alarm := notify.Message{Project: 1, Key: "a", Thread: "incident/1", Subject: "alarm", Text: "what"}
	handle, err := c.SendIn(t.Context(), config, alarm, notify.Root{})
	if err != nil || handle == "" {
		t.Fatal(handle, err)
	}
	report := notify.Message{Project: 1, Key: "b", Thread: "incident/1", Subject: "report", Text: "why", Link: "https://m.example.com/1"}
	if _, err := c.SendIn(t.Context(), config, report, notify.Root{Handle: handle, Message: alarm}); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()
	if len(got) != 2 || got[0].Action != "create" || got[1].Action != "notes" || got[1].Key != got[0].Key ||
		got[1].Text != "report\n\nwhy\n\nhttps://m.example.com/1" {
		t.Fatalf("%+v", got)
	}
}
