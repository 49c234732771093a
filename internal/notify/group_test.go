package notify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// alarms enqueues, in one transaction, what a rule says of so many services.
func (h *house) alarms(what, lead string, services int) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
		for i := range services {
			ref := fmt.Sprintf("incident/%d", i+1)
			err := h.outbox.Enqueue(ctx, tx, nil, notify.Message{Project: 1, Key: ref + what, Kind: "incident." + what, Ref: ref, Thread: ref, Language: "ko",
				Subject: lead + "p95 · service-" + fmt.Sprint(i+1), Text: "t", Severity: notify.Warning, Group: &notify.Group{Key: "rule/7/" + what, Title: lead + "p95"}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestOneRuleThatFiresForFortyServicesIsOneMessage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c, other := &reader{}, &machine{}
		h := newHouse(t, db, c, other)
		people := h.target("scripted", "people", `{}`)
		h.target("machine", "machine", `{}`)
		h.alarms("alarm", "", 40)
		h.deliver()
		h.deliver()
		if len(c.sent) != 1 || len(other.sent) != 40 {
			t.Fatalf("%d messages to people, %d to a machine", len(c.sent), len(other.sent))
		}
		if m := c.sent[0]; m.Subject != "p95 · 40건" || !strings.HasPrefix(m.Text, "service-1\nservice-2\n") || !strings.HasSuffix(m.Text, "service-10\n그 밖에 30건이 더 있습니다.") {
			t.Errorf("told %q: %q", m.Subject, m.Text)
		}
		// What follows comes one by one, and is gathered for half a minute.
		h.alarms("resolved", "해결 · ", 40)
		h.deliver()
		if len(c.sent) != 1 {
			t.Fatalf("told of the end at once: %q", c.sent[len(c.sent)-1].Subject)
		}
		h.Advance(30 * time.Second)
		if err := h.outbox.TellHeld(t.Context(), people.ID); err != nil {
			t.Fatal(err)
		}
		h.deliver()
		if len(c.sent) != 2 || c.sent[1].Subject != "해결 · p95 · 40건" {
			t.Fatalf("%d messages, the last %q", len(c.sent), c.sent[len(c.sent)-1].Subject)
		}
	})
}

func TestALoneAlarmAndItsEndAreToldAsTheyAreAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &reader{}
		h := newHouse(t, db, c)
		h.target("scripted", "people", `{}`)
		h.alarms("alarm", "", 1)
		h.deliver()
		h.alarms("resolved", "해결 · ", 1)
		h.deliver()
		if len(c.sent) != 2 || c.sent[0].Subject != "p95 · service-1" || c.sent[1].Subject != "해결 · p95 · service-1" {
			t.Fatalf("%+v", c.sent)
		}
	})
}
