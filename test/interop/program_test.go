//go:build interop

package interop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds how long a program may take to come up on a busy machine.
const patience = 2 * time.Minute

// program is a running program. It ends with the test.
type program struct {
	t      *testing.T
	output output
	done   chan struct{}
	pid    int
}

// start runs a program in dir. Of the variables of this process it gets those that any program needs; env is
// everything else. What it prints is shown when the test fails.
func start(t *testing.T, dir string, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, done: make(chan struct{})}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	for _, key := range []string{"PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR"} {
		if value, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = &p.output, &p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // a program that is asked to end need not do so with 0
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-p.done
		}
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, p.output.String())
		}
	})
	return p
}

// printed waits for a line with text and returns what follows it on that line.
func (p *program) printed(text string) string {
	p.t.Helper()
	rest := ""
	p.until("the program prints "+text, func() bool {
		_, after, found := strings.Cut(p.output.String(), text)
		line, _, whole := strings.Cut(after, "\n")
		rest = strings.TrimSpace(line)
		return found && whole
	})
	return rest
}

// until waits for something that the program brings about.
func (p *program) until(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		select {
		case <-p.done:
			p.t.Fatalf("the program ended before: %s", what)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// get fetches a page of the program and fails the test unless its status is 200.
func (p *program) get(url string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		p.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		p.t.Fatalf("GET %s: %s\n%s", url, response.Status, body)
	}
	return string(body)
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
