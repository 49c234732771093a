package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
)

// crashEnv makes this test binary a node that works the queue of the database
// it names and dies at the step that crashStep names.
const (
	crashEnv  = "MATRIX_TEST_CRASH_DATABASE"
	crashStep = "MATRIX_TEST_CRASH_STEP"
)

// The steps between "fired" and "notified" at which a node may die.
const (
	claimed  = "claimed"  // written down as being sent, not sent
	sent     = "sent"     // sent, not written down
	recorded = "recorded" // written down as delivered, the job not yet done
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashEnv); dsn != "" {
		dieAt(os.Getenv(crashStep), dsn)
	}
	os.Exit(m.Run())
}

// mortal is a webhook channel that kills its process at a step.
type mortal struct {
	*webhook.Channel
	step string
	db   *metadb.DB
}

func (c mortal) Send(ctx context.Context, config json.RawMessage, m notify.Message) error {
	if c.step == claimed {
		die()
	}
	if err := c.Channel.Send(ctx, config, m); err != nil {
		return err
	}
	if c.step == sent {
		die()
	}
	go func() {
		for {
			var n int
			err := c.db.QueryRow(context.Background(), `SELECT count(*) FROM notify_delivery WHERE state = 'delivered'`).Scan(&n)
			if err == nil && n > 0 {
				die()
			}
		}
	}()
	return nil
}

func die() {
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

func dieAt(step, dsn string) {
	db, err := metadb.Open(context.Background(), dsn)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dev := notify.Guard{Dev: true}
	h := newHouse(&testing.T{}, db, mortal{webhook.New(webhook.Options{Client: notify.NewClient(dev), Guard: dev}), step, db})
	if err := h.jobs.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(time.Minute) // it is dead long before
	os.Exit(1)
}

func TestAMessageCountsOnceAtItsReceiverWhereverItsNodeIsKilled(t *testing.T) {
	f := func(step, state string, requests int, log string) {
		t.Run(step, func(t *testing.T) {
			receiver := fakewebhook.New(t, secret)
			dsn := metadbtest.SQLiteDSN(t)
			db := metadbtest.Open(t, dsn)
			h := newHouse(t, db, realChannels(fakeslack.New(t))...)
			h.target("webhook", "x", string(receiver.Config()))
			h.enqueue(notify.Message{Key: "a", Text: "once"})

			node := exec.Command(os.Args[0])
			node.Env = append(os.Environ(), crashEnv+"="+dsn, crashStep+"="+step)
			if out, err := node.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the node ended with %v: %s", err, out)
			}
			if d := h.deliveries()[0]; d.State != state {
				t.Fatalf("after the crash: %+v", d)
			}
			h.Advance(time.Minute) // past the dead node's lease
			h.work()
			d := h.until("x", notify.Delivered)
			h.enqueue(notify.Message{Key: "b", Text: "the queue goes on"})
			receiver.Expect(t, "the queue goes on")
			keys := receiver.Keys()
			if len(receiver.Events()) != 2 || len(keys) != requests+1 || keys[0] != keys[requests-1] {
				t.Fatalf("events %+v, keys %q", receiver.Events(), keys)
			}
			var outcomes []string
			for _, a := range d.Log {
				outcomes = append(outcomes, a.Outcome)
			}
			if got := strings.Join(outcomes, " "); got != log {
				t.Errorf("the log says %q, want %q", got, log)
			}
		})
	}
	// On PostgreSQL another node takes the job over only after minutes, and by the same code.
	f(claimed, notify.Sending, 1, "lost delivered")
	f(sent, notify.Sending, 2, "lost delivered")
	f(recorded, notify.Delivered, 1, "delivered")
}
