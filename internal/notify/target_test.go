package notify_test

import (
	"encoding/json"
	"slices"
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

func TestTargetsAreVersionedAndTheirSecretsNeverRead(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, realChannels(fakeslack.New(t))...)
		targets := h.outbox.Targets()
		created := h.target("webhook", " ops ", `{"url": "https://hooks.example.com/a", "secret": "`+secret+`"}`)
		if created.Version != 1 || created.Name != "ops" || created.UpdatedBy != "ann" {
			t.Fatalf("created %+v", created)
		}
		var stored string
		if err := db.QueryRow(t.Context(), `SELECT config FROM notify_target`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		list, err := targets.List(t.Context(), 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		got, err := targets.Get(t.Context(), 1, created.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{stored, string(created.Config), string(list[0].Config), string(got.Config)} {
			if strings.Contains(text, secret) {
				t.Errorf("the secret can be read in %s", text)
			}
		}
		if !strings.Contains(string(got.Config), notify.Kept) || !strings.Contains(string(got.Config), "hooks.example.com") {
			t.Errorf("config reads %s", got.Config)
		}

		got.Config = json.RawMessage(strings.Replace(string(got.Config), "/a", "/b", 1))
		updated, err := targets.Update(t.Context(), got, "bob")
		if err != nil || updated.Version != 2 || updated.UpdatedBy != "bob" || !strings.Contains(string(updated.Config), "/b") {
			t.Fatalf("updated %+v, %v", updated, err)
		}
		if _, err := targets.Update(t.Context(), got, "cid"); !fault.Is(err, fault.Conflict) {
			t.Errorf("an update of an old version: %v", err)
		}
		h.target("webhook", "other", `{"url": "https://hooks.example.com/a", "secret": "`+secret+`"}`)
		updated.Name = "other"
		if _, err := targets.Update(t.Context(), updated, "bob"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a name that is taken: %v", err)
		}
		second := notify.Target{Project: 1, Kind: "webhook", Name: "ops",
			Config: json.RawMessage(`{"url": "https://hooks.example.com/a", "secret": "` + secret + `"}`)}
		if _, err := targets.Create(t.Context(), second, "bob"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second ops: %v", err)
		}
		second.Kind = "pager"
		if _, err := targets.Create(t.Context(), second, "bob"); !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown kind: %v", err)
		}

		foreign := updated
		foreign.Project = 2
		_, readErr := targets.Get(t.Context(), 2, updated.ID)
		_, writeErr := targets.Update(t.Context(), foreign, "eve")
		for _, err := range []error{readErr, writeErr, targets.Delete(t.Context(), 2, updated.ID)} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("another project: %v", err)
			}
		}
		if err := targets.Delete(t.Context(), 1, updated.ID); err != nil {
			t.Error(err)
		}
		if !slices.Equal(targets.Kinds(), []string{"slack", "webhook"}) {
			t.Errorf("kinds %q", targets.Kinds())
		}
	})
}

func TestASecretThatIsKeptStillSigns(t *testing.T) {
	db := metadbtest.SQLite(t)
	receiver := fakewebhook.New(t, secret)
	h := newHouse(t, db, realChannels(fakeslack.New(t))...)
	target := h.target("webhook", "x", string(receiver.Config()))
	target.Name = "renamed"
	if _, err := h.outbox.Targets().Update(t.Context(), target, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := h.outbox.Test(t.Context(), 1, target.ID, notify.Message{Kind: "test", Text: "signed"}); err != nil {
		t.Fatal(err, receiver.Refused())
	}
}

func TestAChannelWhoseSecretsKeyWasLostFailsVisiblyAndCanBeSetUpAgain(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		receiver := fakewebhook.New(t, secret)
		before := newHouse(t, db, realChannels(fakeslack.New(t))...)
		target := before.target("webhook", "x", string(receiver.Config()))
		before.enqueue(notify.Message{Key: "a", Text: "hello"})

		h := newHouseWithKey(t, db, 8, realChannels(fakeslack.New(t))...)
		snoozed(t, h.outbox.Deliver(t.Context(), 1, target.ID))
		if d := h.deliveries()[0]; !strings.Contains(d.Error, "secrets key") {
			t.Errorf("delivery %+v", d)
		}
		shown, err := h.outbox.Targets().Get(t.Context(), 1, target.ID)
		if err != nil || string(shown.Config) != "{}" {
			t.Fatalf("shown %+v, %v", shown, err)
		}
		shown.Config = target.Config // with the secret as Kept
		if _, err := h.outbox.Targets().Update(t.Context(), shown, "ann"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a secret that is lost is kept: %v", err)
		}
		shown.Config = receiver.Config()
		if _, err := h.outbox.Targets().Update(t.Context(), shown, "ann"); err != nil {
			t.Fatal(err)
		}
		h.Advance(time.Hour)
		if err := h.outbox.Deliver(t.Context(), 1, target.ID); err != nil {
			t.Fatal(err)
		}
		receiver.Expect(t, "hello")
	})
}

func TestChannelsGoOnSigningWithTheNewMasterKeyWhenTheOldOneIsGone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		receiver := fakewebhook.New(t, secret)
		before := newHouse(t, db, realChannels(fakeslack.New(t))...)
		target := before.target("webhook", "x", string(receiver.Config()))
		of := func(keys ...byte) *house { return newHouseWithKeys(t, db, keys, realChannels(fakeslack.New(t))...) }
		sealed := func() (text string) {
			if err := db.QueryRow(t.Context(), `SELECT config FROM notify_target WHERE id = $1`, target.ID).Scan(&text); err != nil {
				t.Fatal(err)
			}
			return text
		}
		old := sealed()
		if err := of(8).outbox.Targets().Rewrap(t.Context()); err != nil || sealed() != old {
			t.Errorf("what does not open is left as it is: %v", err)
		}
		if err := of(8, 7).outbox.Targets().Rewrap(t.Context()); err != nil || sealed() == old {
			t.Fatalf("nothing is put under the new key: %v", err)
		}
		again := sealed()
		if err := of(8, 7).outbox.Targets().Rewrap(t.Context()); err != nil || sealed() != again {
			t.Errorf("what is under the current key is done again: %v", err)
		}
		if err := of(8).outbox.Test(t.Context(), 1, target.ID, notify.Message{Kind: "test", Text: "signed"}); err != nil {
			t.Fatal(err, receiver.Refused())
		}
		receiver.Expect(t, "signed")
	})
}

func TestTheOutlineOfATargetShowsTheHostOfAnAddressOnly(t *testing.T) {
	target := notify.Target{Config: json.RawMessage(`{"url": "https://ann:pw@hooks.example.com:8443/t/path-secret?key=query-secret#x", "channel": "#alarms", "n": 1}`)}
	if got := string(target.Outline().Config); got != `{"channel":"#alarms","n":1,"url":"https://hooks.example.com:8443"}` {
		t.Errorf("%s", got)
	}
	people := notify.Target{Config: json.RawMessage(`{"recipients": "010-1234-5678, 01087654321", "template": "{\"token\": \"abc\"}"}`)}
	if got := string(people.Outline().Config); got != `{"recipients":"***-****-**78, *********21"}` {
		t.Errorf("%s", got)
	}
}
