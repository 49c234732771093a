package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestAMessageReachesEveryEnabledTargetOnceHoweverOftenItIsEnqueued(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s, first, second := fakeslack.New(t), fakewebhook.New(t, secret), fakewebhook.New(t, secret)
		h := newHouse(t, db, realChannels(s)...)
		h.target("slack", "team", fmt.Sprintf(`{"webhook_url": %q}`, s.WebhookURL()))
		h.target("webhook", "first", string(first.Config()))
		chosen := h.target("webhook", "second", string(second.Config()))
		off := h.target("webhook", "off", string(second.Config()))
		off.Enabled = false
		if _, err := h.outbox.Targets().Update(t.Context(), off, "ann"); err != nil {
			t.Fatal(err)
		}
		m := notify.Message{Key: "a", Subject: "s", Text: "to all", Data: map[string]int64{"big": 1<<53 + 1}}
		h.enqueue(m)
		h.enqueue(m)
		h.work()
		h.enqueue(m)
		h.enqueue(notify.Message{Key: "b", Subject: "s", Text: "to one"}, chosen.ID)

		s.Expect(t, "to all")
		if got := first.Expect(t, "to all"); string(got.Data) != `{"big":9007199254740993}` {
			t.Errorf("data %s", got.Data)
		}
		second.Expect(t, "to all")
		second.Expect(t, "to one")
		for _, name := range []string{"team", "first", "second"} {
			h.until(name, notify.Delivered)
		}
		if n, k := s.Requests(), len(first.Keys()); n != 1 || k != 1 || len(second.Keys()) != 2 || len(h.deliveries()) != 4 {
			t.Fatalf("slack %d, first %d, second %d, deliveries %+v", n, k, len(second.Keys()), h.deliveries())
		}
	})
}

func TestAMessageOfARolledBackTransactionIsNotSent(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{}
		h := newHouse(t, db, c)
		h.target("scripted", "x", `{}`)
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			m := notify.Message{Project: 1, Key: "gone", Kind: "test.message", Ref: "test/1"}
			return errors.Join(h.outbox.Enqueue(ctx, tx, nil, m), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		h.work()
		h.enqueue(notify.Message{Key: "stays", Text: "x"})
		h.until("x", notify.Delivered)
		if len(c.sent) != 1 || !strings.HasPrefix(c.sent[0].Key, "stays/") {
			t.Fatalf("sent %+v", c.sent)
		}
	})
}

func TestAnotherProjectsTargetsGetNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, &scripted{})
		foreign, err := h.outbox.Targets().Create(t.Context(), notify.Target{Project: 2, Kind: "scripted", Name: "x",
			Config: json.RawMessage(`{}`), Enabled: true}, "eve")
		if err != nil {
			t.Fatal(err)
		}
		h.enqueue(notify.Message{Key: "a"})
		h.enqueue(notify.Message{Key: "b"}, foreign.ID)
		if d := h.deliveries(); len(d) != 1 || d[0].State != notify.Failed || d[0].Target != fmt.Sprintf("#%d", foreign.ID) {
			t.Fatalf("deliveries %+v", d)
		}
		if d, err := h.outbox.Deliveries(t.Context(), 2, "test/1"); err != nil || len(d) != 0 {
			t.Fatalf("the other project reads %+v, %v", d, err)
		}
		if err := h.outbox.Test(t.Context(), 1, foreign.ID, notify.Message{}); !fault.Is(err, fault.NotFound) {
			t.Fatalf("test send to a foreign target: %v", err)
		}
	})
}

func TestADeliveryIsTriedAgainWithGrowingPausesAndGivenUpAfterTwoDays(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{send: func(context.Context, int) error { return fault.New(fault.Unavailable, "no answer in time") }}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		start := h.Now()
		var pauses []time.Duration
		for h.deliveries()[0].State != notify.Failed && len(pauses) < 300 {
			if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
				pauses = append(pauses, snoozed(t, err))
				h.Advance(pauses[len(pauses)-1])
			}
		}
		if first, tenth := pauses[0], pauses[9]; first > 7*time.Second || tenth < 20*time.Minute {
			t.Fatalf("the pauses do not grow: first %s, tenth %s", first, tenth)
		}
		d := h.deliveries()[0]
		if lasted := h.Now().Sub(start); lasted < 47*time.Hour || d.Attempts < 80 || d.Attempts > 200 {
			t.Fatalf("gave up after %s and %d attempts", lasted, d.Attempts)
		}
		if d.Error != "given up after two days: no answer in time" {
			t.Fatalf("error %q", d.Error)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s := fakeslack.New(t)
		h := newHouse(t, db, realChannels(s)...)
		target := h.target("slack", "team", fmt.Sprintf(`{"webhook_url": %q}`, s.WebhookURL()))
		h.enqueue(notify.Message{Key: "a", Text: "patience"})
		s.Limit(1, 5*time.Minute)
		if pause := snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID)); pause < 5*time.Minute {
			t.Fatalf("pause %s", pause)
		}
		h.Advance(4 * time.Minute)
		snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID))
		if s.Requests() != 1 {
			t.Fatal("Slack was asked before its Retry-After")
		}
		h.Advance(time.Minute)
		if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
			t.Fatal(err)
		}
		s.Expect(t, "patience")
	})
}

func TestAFinalErrorIsNotTriedAgain(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		receiver := fakewebhook.New(t, secret)
		h := newHouse(t, db, realChannels(fakeslack.New(t))...)
		target := h.target("webhook", "x", string(receiver.Config()))
		receiver.Answer(1, http.StatusGone, nil)
		h.enqueue(notify.Message{Key: "a"})
		for range 3 {
			if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
				t.Fatal(err)
			}
		}
		d := h.deliveries()[0]
		if d.State != notify.Failed || d.Attempts != 1 || d.Error != "the receiver answered 410" {
			t.Fatalf("delivery %+v", d)
		}
	})
}

func TestADeliveredMessageIsNotSentWhenItsJobRunsAgain(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		for range 3 {
			if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
				t.Fatal(err)
			}
			h.Advance(time.Hour)
		}
		if len(c.sent) != 1 {
			t.Fatalf("sent %d times", len(c.sent))
		}
	})
}

func TestTwoNodesNeverSendTheSameDeliveryAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		here, there := &scripted{}, &scripted{}
		sending, goOn := make(chan struct{}), make(chan struct{})
		here.send = func(context.Context, int) error { close(sending); <-goOn; return nil }
		h, other := newHouse(t, db, here), newHouse(t, db, there)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		done := make(chan error)
		go func() { done <- h.outbox.Deliver(context.WithoutCancel(t.Context()), 1, target.ID) }()
		<-sending
		if wait := snoozed(t, other.outbox.Deliver(t.Context(), 1, target.ID)); wait > time.Minute {
			t.Fatalf("the other node comes back only after %s", wait)
		}
		close(goOn)
		if err := errors.Join(<-done, other.outbox.Deliver(t.Context(), 1, target.ID)); err != nil {
			t.Fatal(err)
		}
		if len(here.sent) != 1 || len(there.sent) != 0 {
			t.Fatalf("sent %d and %d times", len(here.sent), len(there.sent))
		}
	})
}

func TestAStoppedAttemptIsWrittenDownAndTriedAgain(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx, stop := context.WithCancel(t.Context())
		c := &scripted{send: func(ctx context.Context, n int) error {
			if n == 1 {
				stop()
				return notify.TransportFault(ctx.Err())
			}
			return nil
		}}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		h.Advance(snoozed(t, h.outbox.Deliver(ctx, 1, target.ID)))
		if d := h.deliveries()[0]; d.State != notify.Pending || d.Error != "the attempt was stopped" {
			t.Fatalf("delivery %+v", d)
		}
		if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
			t.Fatal(err)
		}
		if c.sent[0].Key != c.sent[1].Key {
			t.Fatalf("keys %q and %q", c.sent[0].Key, c.sent[1].Key)
		}
	})
}

func TestAChannelThatPanicsIsTriedAgainLikeAnyOther(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{send: func(_ context.Context, n int) error {
			if n == 1 {
				panic("boom")
			}
			return nil
		}}
		h := newHouse(t, db, c)
		target := h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		h.Advance(snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID)))
		if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil || h.deliveries()[0].State != notify.Delivered {
			t.Fatalf("%v, %+v", err, h.deliveries())
		}
	})
}

func TestATargetThatIsGoneOrOffFailsItsDeliveriesVisibly(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		c := &scripted{}
		h := newHouse(t, db, c)
		gone, off := h.target("scripted", "gone", `{}`), h.target("scripted", "off", `{}`)
		h.enqueue(notify.Message{Key: "a"})
		if err := h.outbox.Targets().Delete(t.Context(), 1, gone.ID); err != nil {
			t.Fatal(err)
		}
		off.Enabled = false
		if _, err := h.outbox.Targets().Update(t.Context(), off, "ann"); err != nil {
			t.Fatal(err)
		}
		h.work()
		if d := h.until("gone", notify.Failed); d.Error != "the channel was removed" {
			t.Errorf("gone: %+v", d)
		}
		if d := h.until("off", notify.Failed); d.Error != "the channel was switched off" {
			t.Errorf("off: %+v", d)
		}
		if len(c.sent) != 0 {
			t.Errorf("sent %+v", c.sent)
		}
	})
}

func TestANamedTargetThatIsOffIsSeenToFailAndNeverCostsTheMessage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, &scripted{})
		on, off, gone := h.target("scripted", "on", `{}`), h.target("scripted", "off", `{}`), h.target("scripted", "gone", `{}`)
		off.Enabled = false
		if _, err := h.outbox.Targets().Update(t.Context(), off, "ann"); err != nil {
			t.Fatal(err)
		}
		if err := h.outbox.Targets().Delete(t.Context(), 1, gone.ID); err != nil {
			t.Fatal(err)
		}
		f := func(key string, want string, targets ...int64) {
			t.Helper()
			before := len(h.deliveries())
			h.enqueue(notify.Message{Key: key}, targets...)
			got := []string{}
			for _, d := range h.deliveries()[before:] {
				got = append(got, strings.TrimSpace(d.Target+" "+d.State+" "+d.Error))
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("%s: %s, want %s", key, text, want)
			}
		}
		f("all", "on pending")
		f("one is left", "off failed the channel was switched off, on pending", on.ID, off.ID)
		f("none is left", fmt.Sprintf("off failed the channel was switched off, #%d failed the channel was removed, on pending", gone.ID), gone.ID, off.ID, off.ID)
	})
}

func TestAJobThatSendsNothingSaysNothingAboutItsTarget(t *testing.T) {
	sending, goOn := make(chan struct{}), make(chan struct{})
	c := &scripted{send: func(_ context.Context, n int) error {
		if n == 1 {
			return fault.New(fault.Unavailable, "no answer in time")
		}
		close(sending)
		<-goOn
		return nil
	}}
	h := newHouse(t, metadbtest.SQLite(t), c)
	target := h.target("scripted", "x", `{}`)
	for _, key := range []string{"a", "b", "c"} {
		h.enqueue(notify.Message{Key: key})
	}
	snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID))
	h.Advance(time.Hour)
	if err := h.outbox.Deliver(t.Context(), 99, target.ID); err != nil { // pruned
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- h.outbox.Deliver(context.WithoutCancel(t.Context()), 2, target.ID) }()
	<-sending
	snoozed(t, h.outbox.Deliver(t.Context(), 3, target.ID)) // still suspect: one at a time
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(c.sent) != 2 {
		t.Fatalf("sent %d times", len(c.sent))
	}
}

func TestChannelsThatHangDoNotDelayAnother(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		s, hung := fakeslack.New(t), fakewebhook.New(t, secret)
		h := newHouse(t, db, realChannels(s)...)
		hung.Hang()
		h.target("webhook", "hung", string(hung.Config()))
		for i := range 2 * notify.Workers { // more than the queue has workers
			h.enqueue(notify.Message{Key: fmt.Sprint("old", i), Text: "old"})
		}
		h.target("slack", "team", fmt.Sprintf(`{"webhook_url": %q}`, s.WebhookURL()))
		h.work()
		h.enqueue(notify.Message{Key: "new", Text: "fresh alarm"})
		s.Expect(t, "fresh alarm") // in less time than one hung send takes
		hung.Resume()
		hung.Expect(t, "old")
	})
}

func TestATestSendSaysHowItWent(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		receiver := fakewebhook.New(t, secret)
		h := newHouse(t, db, realChannels(fakeslack.New(t))...)
		target := h.target("webhook", "x", string(receiver.Config()))
		if err := h.outbox.Test(t.Context(), 1, target.ID, notify.Message{Kind: "test", Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		receiver.Expect(t, "hello")
		receiver.Answer(1, 500, nil)
		if err := h.outbox.Test(t.Context(), 1, target.ID, notify.Message{Kind: "test"}); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("error %v", err)
		}
	})
}

func TestOldMessagesAreForgotten(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, &scripted{})
		h.target("scripted", "x", `{}`)
		h.enqueue(notify.Message{Key: "old"})
		h.Advance(91 * 24 * time.Hour)
		h.enqueue(notify.Message{Key: "new"})
		if err := h.outbox.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := h.deliveries(); len(d) != 1 {
			t.Fatalf("deliveries %+v", d)
		}
	})
}

func TestAnAnswerOfSlacksThatGotLostMakesTheMessageAppearTwice(t *testing.T) {
	s := fakeslack.New(t)
	h := newHouse(t, metadbtest.SQLite(t), realChannels(s)...)
	target := h.target("slack", "team", fmt.Sprintf(`{"webhook_url": %q}`, s.WebhookURL()))
	h.enqueue(notify.Message{Key: "a", Text: "at least once"})
	s.LoseAnswer()
	h.Advance(snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID)))
	for range 3 {
		if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Messages()); n != 2 { // documented: Slack has no key to recognise it by
		t.Fatalf("%d messages", n)
	}
}
