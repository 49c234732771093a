package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// asMatrix makes the test binary the program itself, so that the tests run it
// as people do: as a process. It is inherited by the engine's process.
const asMatrix = "MATRIX_TEST_AS_MATRIX"

func TestMain(m *testing.M) {
	if os.Getenv(asMatrix) != "" {
		main()
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait for processes, and hardly compute
		panic(err)
	}
	os.Exit(m.Run())
}

// patience bounds every wait of these tests, which share two cores.
const patience = 90 * time.Second

// process is a matrix that runs.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu  sync.Mutex
	out bytes.Buffer // standard output
	err bytes.Buffer // standard error
}

// run starts matrix with these arguments and, beside the environment of the
// test, these variables. It is killed at the end of the test.
func run(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(self, args...), done: make(chan struct{})}
	// Nothing of the developer's own providers, and no cached keys.
	p.cmd.Env = append(slicesWithout(os.Environ(), "OPENAI_", "MATRIX_KEY"), append(env, asMatrix+"=1")...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = p.keep(&p.out), p.keep(&p.err)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the state says how it ended
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended already when the test is good
		<-p.done
		if t.Failed() {
			t.Logf("matrix %s\n%s\n%s", strings.Join(args, " "), p.stdout(), p.stderr())
		}
	})
	return p
}

// ports are flags that take free ports, and little memory.
var ports = []string{"--listen=127.0.0.1:0", "--otlp-http=127.0.0.1:0", "--otlp-grpc=127.0.0.1:0", "--engine-memory=1GiB"}

func slicesWithout(env []string, prefixes ...string) []string {
	var kept []string
	for _, variable := range env {
		drop := false
		for _, prefix := range prefixes {
			drop = drop || strings.HasPrefix(variable, prefix)
		}
		if !drop {
			kept = append(kept, variable)
		}
	}
	return kept
}

// keep returns a writer into buffer that others may read meanwhile.
func (p *process) keep(buffer *bytes.Buffer) io.Writer { return locked{&p.mu, buffer} }

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

func (p *process) stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err.String()
}

// find waits until standard output has what pattern describes, and returns its
// last group.
func (p *process) find(pattern string) string {
	p.t.Helper()
	compiled := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if found := compiled.FindStringSubmatch(p.stdout()); found != nil {
			return found[len(found)-1]
		}
		select {
		case <-tick.C:
		case <-p.done:
			if found := compiled.FindStringSubmatch(p.stdout()); found != nil {
				return found[len(found)-1]
			}
			p.t.Fatalf("it ended (%s) without %s", p.cmd.ProcessState, pattern)
		case <-deadline:
			p.t.Fatalf("no %s in time", pattern)
		}
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// exits waits for the end and checks its code.
func (p *process) exits(code int) {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatal("it does not end")
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit %d, want %d", got, code)
	}
}
