package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/console"
)

func TestNothingATerminalWouldObeyReachesIt(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := console.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	f("[요약]\n- URL: /v1/api/test<GET>\t✓", "[요약]\n- URL: /v1/api/test<GET>\t✓")
	f("\x1b[31mred\x1b[0m", "red")
	f("\x1b]0;own title\x07text", "text")
	f("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click")
	f("\x1bP1;2|payload\x1b\\after", "after")
	f("\x1b[2J\x1b[1;1Hcleared", "cleared")
	f("\u009b31mC1", "C1")
	f("\x1bc\x1b(0reset", "reset")
	f("over\rwritten\x08\x00\x7f", "overwritten")
	f("invoice\u202egpj.exe", "invoicegpj.exe")
	f("\xff broken \xc3", "\uFFFD broken \uFFFD")
	f("cut off \x1b[", "cut off ")
	f("cut off \x1b", "cut off ")
}

func FuzzCleanLeavesNoControlCharacter(f *testing.F) {
	f.Add("\x1b[31m\x1b]0;x\x07\u009b")
	f.Fuzz(func(t *testing.T, in string) {
		for _, r := range console.Clean(in) {
			if r != '\n' && r != '\t' && (r < 0x20 || r >= 0x7f && r < 0xa0) {
				t.Fatalf("%q is left of %q", r, in)
			}
		}
	})
}

func TestMessagesThatArriveTogetherAreNotMixed(t *testing.T) {
	var out strings.Builder // safe only because the channel writes one message at a time
	c := console.New(&out)
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			text := strings.Repeat(fmt.Sprintf("line of %02d\n", i), 10)
			if err := c.Send(t.Context(), nil, notify.Message{Text: text, Link: "http://127.0.0.1:8080/x"}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for i := range 20 {
		if !strings.Contains(out.String(), strings.Repeat(fmt.Sprintf("line of %02d\n", i), 10)+"→ http://127.0.0.1:8080/x\n") {
			t.Fatalf("message %d was torn:\n%s", i, out.String())
		}
	}
}

// stuck is a terminal that takes nothing until it is released.
type stuck struct{ release chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	<-s.release
	return len(p), nil
}

func TestATerminalThatTakesNothingHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := stuck{make(chan struct{})}
		c := console.New(out)
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := c.Send(ctx, nil, notify.Message{Text: "x"}); !fault.Is(err, fault.Unavailable) {
					t.Errorf("%v", err)
				}
			})
		}
		wait.Wait()
		close(out.release)
		if err := c.Send(t.Context(), nil, notify.Message{Text: "x"}); err != nil {
			t.Errorf("after it takes again: %v", err)
		}
	})
}

func TestTheConsoleHasNoSettings(t *testing.T) {
	c := console.New(&strings.Builder{})
	if err := c.Check(json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`{"path": "/etc/passwd"}`, `[]`, ``, `"x"`} {
		if err := c.Check(json.RawMessage(bad)); !fault.Is(err, fault.Invalid) {
			t.Errorf("config %s: %v", bad, err)
		}
	}
}
