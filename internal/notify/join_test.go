package notify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	fakepagerduty "github.com/matrix-aiops/matrix/internal/fake/pagerduty"
	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/pagerduty"
)

// reader is a scripted channel that people read.
type reader struct{ scripted }

func (*reader) Digest() {}

// drain runs every delivery that is due until nothing is left to do.
func (h *house) drain(target int64) {
	h.t.Helper()
	for range 100 {
		again := false
		for _, d := range h.log() {
			if d.State == notify.Pending {
				again = true
				_ = h.outbox.Deliver(h.t.Context(), d.ID, target)
			}
		}
		if !again {
			return
		}
		h.Advance(time.Minute)
	}
	h.t.Fatal("deliveries are still waiting")
}

func (h *house) log() []notify.Delivery {
	h.t.Helper()
	log, err := h.outbox.DeliveryLog(h.t.Context(), 1, notify.DeliveryQuery{Limit: 200})
	if err != nil {
		h.t.Fatal(err)
	}
	return log
}

func TestAChannelThatWasDownForADayIsToldEverythingInTwoMessages(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		down := true
		c := &reader{}
		c.send = func(context.Context, int) error {
			if down {
				return fault.New(fault.Unavailable, "the connection was refused")
			}
			return nil
		}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		for i := range 40 {
			h.enqueue(notify.Message{Key: fmt.Sprint(i), Subject: fmt.Sprintf("alarm %d", i/2), Text: "t", Thread: fmt.Sprintf("incident/%d", i/2), Language: "ko"})
			h.Advance(30 * time.Minute)
			_ = h.outbox.Deliver(t.Context(), int64(i+1), target.ID)
		}
		h.Advance(5 * time.Hour) // a day and an hour after the first
		c.sent, down = nil, false
		h.enqueue(notify.Message{Key: "new", Subject: "fresh", Text: "t"})
		h.drain(target.ID)
		if len(c.sent) != 3 { // the first, which found out; the rest together; the fresh one
			t.Fatalf("sent %d messages", len(c.sent))
		}
		told := c.sent[0].Subject + c.sent[1].Subject + c.sent[1].Text + c.sent[2].Subject + c.sent[2].Text
		for i := range 20 {
			if !strings.Contains(told, fmt.Sprintf("alarm %d", i)) {
				t.Errorf("alarm %d was told to nobody", i)
			}
		}
		if !strings.Contains(told, "전하지 못했던 알림 39건") || !strings.Contains(told, "(×2)") {
			t.Errorf("told %q", told)
		}
		joined := 0
		for _, d := range h.log() {
			switch d.State {
			case notify.Joined:
				joined++
			case notify.Delivered:
			default:
				t.Errorf("left behind: %+v", d)
			}
		}
		if joined != 39 {
			t.Errorf("%d deliveries were joined", joined)
		}
	})
}

func TestMachinesGetEveryMessageAfterAnOutage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		receiver := fakewebhook.New(t, secret)
		h := newHouse(t, db, realChannels(fakeslack.New(t))...)
		target := h.target("webhook", "x", string(receiver.Config()))
		for i := range 6 {
			h.enqueue(notify.Message{Key: fmt.Sprint(i), Text: fmt.Sprint("event ", i)})
		}
		h.Advance(time.Hour)
		h.drain(target.ID)
		if n := len(receiver.Events()); n != 6 {
			t.Fatalf("%d events", n)
		}
	})
}

func TestEveryAttemptIsInTheLogWithItsTimeAndItsError(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{send: func(_ context.Context, n int) error {
			switch n {
			case 1:
				return fault.New(fault.Unavailable, "no answer in time")
			case 2:
				return fault.New(fault.RateLimited, "the receiver limits the rate (429)").WithRetryAfter(time.Minute)
			}
			return nil
		}}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a", Subject: "the subject"})
		h.drain(target.ID)
		d := h.deliveries()[0]
		var log []string
		for i, a := range d.Log {
			log = append(log, fmt.Sprintf("%d %s %s", a.Number, a.Outcome, a.Error))
			if i > 0 && !a.At.After(d.Log[i-1].At) {
				t.Errorf("attempt %d is not after the one before", a.Number)
			}
		}
		want := "1 retried no answer in time, 2 retried the receiver limits the rate (429), 3 delivered "
		if got := strings.Join(log, ", "); got != want || d.Subject != "the subject" {
			t.Errorf("log %q of %q", got, d.Subject)
		}
		if other, err := h.outbox.DeliveryLog(t.Context(), 2, notify.DeliveryQuery{Limit: 10}); err != nil || len(other) != 0 {
			t.Errorf("another project reads %+v, %v", other, err)
		}
		h.enqueue(notify.Message{Key: "b"})
		for q, n := range map[notify.DeliveryQuery]int{{Limit: 1}: 1, {Limit: 9}: 2, {State: notify.Pending, Limit: 9}: 1, {Before: 2, Limit: 9}: 1,
			{Target: target.ID + 1, Limit: 9}: 0, {Ref: "test/1", Limit: 9}: 2} {
			if got, err := h.outbox.DeliveryLog(t.Context(), 1, q); err != nil || len(got) != n {
				t.Errorf("%+v: %d deliveries, %v", q, len(got), err)
			}
		}
	})
}

func TestTheThreadOfAnIncidentIsRememberedAndForgottenWithItsChannel(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := fakeslack.New(t)
		h := newHouse(t, db, realChannels(s)...)
		bot := `{"token": "` + fakeslack.Token + `", "channel": "#alerts"}`
		target := h.target("slack", "team", bot)
		for i, m := range []notify.Message{
			{Subject: "alarm", Text: "it is slow", State: notify.Open},
			{Subject: "report", Text: "because of a query"},
			{Subject: "over", Text: "it is well again", State: notify.Resolved},
		} {
			m.Key, m.Thread, m.Language = fmt.Sprint(i), "incident/1", "en"
			h.enqueue(m)
			h.drain(target.ID)
		}
		got := s.Messages()
		if len(got) != 3 || got[1].Thread != got[0].Stamp || got[2].Thread != got[0].Stamp || got[0].Header != "✅ Resolved · alarm" || !strings.Contains(got[0].Text, "it is slow") {
			t.Fatalf("%+v", got)
		}
		if err := h.outbox.Targets().Delete(t.Context(), 1, target.ID); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM notify_thread`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d threads are left, %v", n, err)
		}
	})
}

func TestATargetGetsTheWordsOfItsLanguage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{}
		h := newHouse(t, db, c)
		for _, language := range []string{"", "en", "ko"} {
			if _, err := h.outbox.Targets().Create(t.Context(), notify.Target{Project: 1, Kind: "scripted", Name: "x" + language,
				Config: []byte(`{}`), Enabled: true, Language: language}, "ann"); err != nil {
				t.Fatal(err)
			}
		}
		h.enqueue(notify.Message{Key: "a", Subject: "느림", Text: "느립니다", Language: "ko",
			Words: map[string]notify.Words{"en": {Subject: "slow", Text: "it is slow"}}})
		for id := range int64(3) {
			if err := h.outbox.Deliver(t.Context(), id+1, id+1); err != nil {
				t.Fatal(err)
			}
		}
		if c.sent[0].Subject != "느림" || c.sent[1].Subject != "slow" || c.sent[1].Text != "it is slow" || c.sent[2].Text != "느립니다" {
			t.Fatalf("%+v", c.sent)
		}
		bad := notify.Target{Project: 1, Kind: "scripted", Name: "y", Config: []byte(`{}`), Language: "fr"}
		if _, err := h.outbox.Targets().Create(t.Context(), bad, "ann"); !fault.Is(err, fault.Invalid) || fault.As(err).Field != "language" {
			t.Errorf("a language nobody writes: %v", err)
		}
	})
}

func TestATestOfAServiceThatKeepsCasesLeavesNoneOpen(t *testing.T) {
	s := fakepagerduty.New(t)
	h := newHouse(t, metadbtest.SQLite(t), pagerduty.New(pagerduty.Options{Client: notify.NewClient(notify.Guard{Dev: true}), URL: s.URL()}))
	target := h.target("pagerduty", "x", `{"routing_key": "`+fakepagerduty.Key+`"}`)
	if err := h.outbox.Test(t.Context(), 1, target.ID, notify.Message{Kind: "test", Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(); len(got) != 2 || got[0].Key != got[1].Key || s.State(got[0].Key) != "resolve" {
		t.Fatalf("%+v", got)
	}
}
