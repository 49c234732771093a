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
// it names and dies the moment a message got through, before it can say so.
const crashEnv = "MATRIX_TEST_CRASH_AFTER_SEND"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashEnv); dsn != "" {
		dieAfterSending(dsn)
	}
	os.Exit(m.Run())
}

// mortal is a webhook channel that kills its process after a send.
type mortal struct{ *webhook.Channel }

func (c mortal) Send(ctx context.Context, config json.RawMessage, m notify.Message) error {
	if err := c.Channel.Send(ctx, config, m); err != nil {
		return err
	}
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

func dieAfterSending(dsn string) {
	db, err := metadb.Open(context.Background(), dsn)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	dev := notify.Guard{Dev: true}
	h := newHouse(&testing.T{}, db, mortal{webhook.New(webhook.Options{Client: notify.NewClient(dev), Guard: dev})})
	if err := h.jobs.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	time.Sleep(time.Minute) // it is dead long before
	os.Exit(1)
}

func TestAMessageSentJustBeforeKill9CountsOnceAtItsReceiver(t *testing.T) {
	f := func(t *testing.T, dsn string) {
		receiver := fakewebhook.New(t, secret)
		db := metadbtest.Open(t, dsn)
		h := newHouse(t, db, realChannels(fakeslack.New(t))...)
		h.target("webhook", "x", string(receiver.Config()))
		h.enqueue(notify.Message{Key: "a", Text: "once"})

		node := exec.Command(os.Args[0])
		node.Env = append(os.Environ(), crashEnv+"="+dsn)
		if out, err := node.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("the node ended with %v: %s", err, out)
		}
		if d := h.deliveries()[0]; d.State != notify.Sending || len(receiver.Events()) != 1 {
			t.Fatalf("after the crash: %+v, %d events", d, len(receiver.Events()))
		}
		h.Advance(time.Minute) // past the dead node's lease
		h.work()
		if d := h.until("x", notify.Delivered); d.Attempts != 2 {
			t.Fatalf("delivered at attempt %d", d.Attempts)
		}
		keys := receiver.Keys()
		if len(receiver.Events()) != 1 || len(keys) != 2 || keys[0] != keys[1] {
			t.Fatalf("events %d, keys %q", len(receiver.Events()), keys)
		}
	}
	// On PostgreSQL another node takes the job over only after minutes, and by the same code.
	f(t, metadbtest.SQLiteDSN(t))
}
