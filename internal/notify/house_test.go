package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
	sealing "github.com/matrix-aiops/matrix/internal/secret"
)

const secret = "whsec-0123456789abcdef"

// house is an outbox on a real database, with a clock of its own.
type house struct {
	t      testing.TB
	db     *metadb.DB
	jobs   *job.Queue
	outbox *notify.Outbox

	mu  sync.Mutex
	now time.Time
}

func (h *house) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) Advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHouse(t testing.TB, db *metadb.DB, channels ...notify.Channel) *house {
	t.Helper()
	return newHouseWithKey(t, db, 7, channels...)
}

func newHouseWithKey(t testing.TB, db *metadb.DB, key byte, channels ...notify.Channel) *house {
	t.Helper()
	return newHouseWithKeys(t, db, []byte{key}, channels...)
}

// newHouseWithKeys has a key file of the keys, of which the first seals.
func newHouseWithKeys(t testing.TB, db *metadb.DB, numbers []byte, channels ...notify.Channel) *house {
	t.Helper()
	return buildHouse(t, db, numbers, nil, channels...)
}

// newHouseWith has options of its own.
func newHouseWith(t testing.TB, db *metadb.DB, change func(*notify.Options), channels ...notify.Channel) *house {
	t.Helper()
	return buildHouse(t, db, []byte{7}, change, channels...)
}

func buildHouse(t testing.TB, db *metadb.DB, numbers []byte, change func(*notify.Options), channels ...notify.Channel) *house {
	t.Helper()
	h := &house{t: t, db: db, now: time.Now().Truncate(time.Microsecond)}
	all := make([][]byte, len(numbers))
	for i, n := range numbers {
		all[i] = bytes.Repeat([]byte{n}, sealing.KeySize)
	}
	keys, err := sealing.NewKeyFile(all...)
	if err != nil {
		t.Fatal(err)
	}
	h.jobs, err = job.New(job.Options{DB: db, PollInterval: 50 * time.Millisecond,
		Queues: map[string]int{notify.Queue: notify.Workers}})
	if err != nil {
		t.Fatal(err)
	}
	options := notify.Options{DB: db, Jobs: h.jobs, Sealer: sealing.NewSealer(keys), Channels: channels,
		SendTimeout: 30 * time.Second, Now: h.Now, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&options)
	}
	h.outbox, err = notify.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// work runs the queue until the test ends.
func (h *house) work() {
	h.t.Helper()
	if err := h.jobs.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.jobs.Stop(ctx); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) target(kind, name, config string) notify.Target {
	h.t.Helper()
	t, err := h.outbox.Targets().Create(h.t.Context(), notify.Target{Project: 1, Kind: kind, Name: name,
		Config: json.RawMessage(config), Enabled: true}, "ann")
	if err != nil {
		h.t.Fatal(err)
	}
	return t
}

func (h *house) enqueue(m notify.Message, targets ...int64) {
	h.t.Helper()
	m.Project, m.Kind, m.Ref = 1, "test.message", "test/1"
	err := h.db.InTx(h.t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
		return h.outbox.Enqueue(ctx, tx, targets, m)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) deliveries() []notify.Delivery {
	h.t.Helper()
	d, err := h.outbox.Deliveries(h.t.Context(), 1, "test/1")
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// until waits for a delivery to reach state.
func (h *house) until(target, state string) notify.Delivery {
	h.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, d := range h.deliveries() {
			if d.Target == target && d.State == state {
				return d
			}
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%s was not %s in time: %+v", target, state, h.deliveries())
		}
	}
}

// snoozed returns for how long err puts a job off.
func snoozed(t testing.TB, err error) time.Duration {
	t.Helper()
	var snooze *river.JobSnoozeError
	if !errors.As(err, &snooze) {
		t.Fatalf("the job ended with %v, want it put off", err)
	}
	return snooze.Duration
}

// scripted is a channel whose sends do what the test says.
type scripted struct {
	mu   sync.Mutex
	sent []notify.Message
	send func(ctx context.Context, n int) error
}

func (c *scripted) Kind() string                { return "scripted" }
func (c *scripted) Check(json.RawMessage) error { return nil }
func (c *scripted) Secrets() []string           { return []string{"token"} }
func (c *scripted) Send(ctx context.Context, _ json.RawMessage, m notify.Message) error {
	c.mu.Lock()
	c.sent = append(c.sent, m)
	n := len(c.sent)
	c.mu.Unlock()
	if c.send == nil {
		return nil
	}
	return c.send(ctx, n)
}

func realChannels(s *fakeslack.Server) []notify.Channel {
	dev := notify.Guard{Dev: true}
	client := notify.NewClient(dev)
	return []notify.Channel{
		webhook.New(webhook.Options{Client: client, Guard: dev}),
		slack.New(slack.Options{Client: client, Dev: true, APIURL: s.APIURL()}),
	}
}
