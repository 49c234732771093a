package clickhouse

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// EngineOptions say where the embedded engine lives and what it may use.
type EngineOptions struct {
	// Dir is the data directory of the product; the engine keeps to Dir/engine.
	Dir string
	// Memory is what the engine may use, in bytes; 0 is half of the machine's
	// (or the container's) memory, at most 8 GiB.
	Memory int64
	// Port on 127.0.0.1; 0 takes a free one and keeps it over restarts.
	Port int
	Log  *slog.Logger
	// Command runs ServeEngine in a new process; arguments are appended.
	// Default: this program with the subcommand "engine".
	Command []string

	probeTimeout time.Duration // 5 s
	hangs        int           // probes in a row without an answer after which it is killed; 6
}

const (
	// startTime is how long a start may take until the engine answers. Opening
	// tables of a large data directory is what takes time.
	startTime   = 2 * time.Minute
	probePeriod = time.Second

	firstBackoff = 20 * time.Millisecond
	lastBackoff  = 10 * time.Second
	// steady is how long the engine has to run for its next end to count as a first one.
	steady = 5 * time.Second
)

// Engine is a ClickHouse child process: started, watched, and started again
// when it ends. Its address and password stay the same for the life of the value.
type Engine struct {
	opts     EngineOptions
	binary   Binary
	dir      string
	password string
	lock     *os.File
	output   *engineLog
	log      *slog.Logger

	pid      atomic.Int64
	healthy  atomic.Bool
	restarts atomic.Int64

	stopOnce sync.Once
	stopping chan struct{} // closed by Stop
	kill     chan struct{} // closed when Stop's patience is over
	killOnce sync.Once
	done     chan struct{} // closed when the supervisor has ended
}

// StartEngine starts the engine and returns once it answers. It fails when none
// is installed (see Locate), when another process uses the directory
// (fault.Conflict), or when the engine ends before it answers; the error then
// holds the last lines it printed.
func StartEngine(ctx context.Context, opts EngineOptions) (*Engine, error) {
	if opts.Dir == "" {
		return nil, fault.New(fault.Invalid, "the engine needs a data directory").WithField("data")
	}
	data, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("engine directory: %w", err)
	}
	binary, err := Locate(data)
	if err != nil {
		return nil, err
	}
	if len(opts.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("engine command: %w", err)
		}
		opts.Command = []string{self, "engine"}
	}
	opts.probeTimeout = cmp.Or(opts.probeTimeout, 5*time.Second)
	opts.hangs = cmp.Or(opts.hangs, 6)
	log := cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "engine")
	e := &Engine{
		opts: opts, binary: binary, dir: filepath.Join(data, "engine"), password: rand.Text(), log: log,
		output: &engineLog{log: log}, stopping: make(chan struct{}), kill: make(chan struct{}), done: make(chan struct{}),
	}
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine directory: %w", err)
	}
	if e.lock, err = lockDir(ctx, filepath.Join(e.dir, "lock")); err != nil {
		return nil, err
	}
	if err := e.configure(); err != nil {
		return nil, errors.Join(err, e.lock.Close())
	}
	started := make(chan error, 1)
	go e.supervise(started)
	select {
	case err = <-started:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		e.abandon()
		<-e.done
		return nil, fmt.Errorf("start engine %s: %w%s", e.binary, err, e.output.tail())
	}
	log.Info("engine started", "pid", e.PID(), "address", e.address(), "binary", e.binary.String())
	return e, nil
}

func (e *Engine) configure() error {
	if e.opts.Port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		e.opts.Port = port
	}
	return engineConfig{
		Dir: e.dir, Port: e.opts.Port, Password: e.password, Memory: cmp.Or(e.opts.Memory, defaultMemory()),
		Cores: runtime.NumCPU(), Library: e.binary.Library != "",
	}.write()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("engine port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func (e *Engine) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(e.opts.Port)) }

// DSN returns the address for Open, with the password: not for logs.
func (e *Engine) DSN() string {
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(engineUser, e.password), Host: e.address()}
	return u.String()
}

// PID returns the process id of the running child, 0 when there is none.
func (e *Engine) PID() int { return int(e.pid.Load()) }

// Healthy reports whether the engine answered the last probe.
func (e *Engine) Healthy() bool { return e.healthy.Load() }

// Restarts returns how often the engine was started again.
func (e *Engine) Restarts() int { return int(e.restarts.Load()) }

// Stop ends the engine: queries under way may finish until ctx ends, then it is
// killed, which loses no confirmed row. It returns when the process is gone.
func (e *Engine) Stop(ctx context.Context) error {
	e.stopOnce.Do(func() { close(e.stopping) })
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		e.abandon()
		<-e.done
		return fmt.Errorf("stop engine: killed: %w", ctx.Err())
	}
}

func (e *Engine) abandon() {
	e.stopOnce.Do(func() { close(e.stopping) })
	e.killOnce.Do(func() { close(e.kill) })
}

// supervise runs children one after the other until Stop. It reports the first
// start to started and gives up when that fails.
func (e *Engine) supervise(started chan<- error) {
	defer close(e.done)
	defer e.lock.Close()
	// The kernel ties the child to the thread that made it (childAttributes).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var pause backoff
	for first := true; ; first = false {
		began := time.Now()
		up := false
		err := e.run(func() {
			up = true
			if first {
				started <- nil
			}
		})
		e.healthy.Store(false)
		e.pid.Store(0)
		if e.isStopping() {
			return
		}
		if first && !up {
			started <- err
			return
		}
		wait := pause.after(time.Since(began))
		e.log.Error("engine ended, starting it again", "error", err, "wait", wait)
		select {
		case <-time.After(wait):
		case <-e.stopping:
			return
		}
		e.restarts.Add(1)
	}
}

// backoff is the pause before the next start, without its jitter.
type backoff time.Duration

// after returns how long to wait when the engine ended after running for ran.
func (b *backoff) after(ran time.Duration) time.Duration {
	pause := time.Duration(*b)
	if pause == 0 || ran > steady {
		pause = firstBackoff
	}
	*b = backoff(min(2*pause, lastBackoff))
	// Jitter: many nodes whose engines died of one cause must not come back in step.
	return pause/2 + mathrand.N(pause)
}

func (e *Engine) isStopping() bool {
	select {
	case <-e.stopping:
		return true
	default:
		return false
	}
}

// run starts one child and returns when it is gone, with the reason. It calls
// ready once the child answers.
func (e *Engine) run(ready func()) error {
	args := slices.Concat(e.opts.Command[1:], []string{"--dir", e.dir, "--port", strconv.Itoa(e.opts.Port)})
	if e.binary.Library != "" {
		args = append(args, "--library", e.binary.Library)
	} else {
		args = append(args, "--server", e.binary.Server)
	}
	cmd := exec.Command(e.opts.Command[0], args...)
	cmd.SysProcAttr = childAttributes()
	cmd.ExtraFiles = []*os.File{e.lock} // becomes lockFD
	cmd.Stdout, cmd.Stderr = e.output, e.output
	cmd.WaitDelay = time.Second
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	e.pid.Store(int64(cmd.Process.Pid))
	defer killGroup(cmd.Process.Pid) // a program that outlives its wrapper would keep port and data
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()

	watchCtx, stopWatching := context.WithCancel(context.Background())
	verdict := make(chan error, 1)
	go func() { verdict <- e.watch(watchCtx, ready) }()
	defer func() {
		stopWatching()
		<-verdict //nolint:errcheck // it has ended, what it found no longer matters
	}()
	select {
	case err := <-exited:
		return ended(err)
	case err := <-verdict:
		verdict <- nil // for the deferred receive
		killGroup(cmd.Process.Pid)
		<-exited //nolint:errcheck // killed, as meant
		return err
	case <-e.stopping:
	}
	_ = lifeline.Close() // ServeEngine ends
	select {
	case err := <-exited:
		return err
	case <-e.kill:
		killGroup(cmd.Process.Pid)
		return <-exited
	}
}

// killGroup ends the child and what it started; when all are gone already it
// finds nobody.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// ended words the end of a child nobody asked to end.
func ended(err error) error {
	if err == nil {
		return errors.New("it ended by itself")
	}
	return err
}

// watch probes the child until ctx ends. It returns an error when the child
// does not come up or does not answer any more.
func (e *Engine) watch(ctx context.Context, ready func()) error {
	began := time.Now()
	misses := 0
	up := false
	for ctx.Err() == nil {
		err := e.probe(ctx)
		wait := probePeriod
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the probe failed because watching has ended
		case err == nil:
			misses = 0
			e.healthy.Store(true)
			if !up {
				up = true
				ready()
			}
		case !up && time.Since(began) > startTime:
			return fmt.Errorf("no answer for %s: %w", startTime, err)
		case !up:
			wait = 10 * time.Millisecond
		default:
			misses++
			e.healthy.Store(false)
			if misses >= e.opts.hangs {
				return fmt.Errorf("no answer to %d probes: %w", misses, err)
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return nil
}

// probe logs in, which runs through the listener, the accounts and a thread of the pool.
func (e *Engine) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.probeTimeout)
	defer cancel()
	conn, err := dialGently(ctx, e.address(), e.opts.probeTimeout)
	if err != nil {
		return err
	}
	client, err := ch.Connect(ctx, conn, ch.Options{
		User: engineUser, Password: e.password, HandshakeTimeout: e.opts.probeTimeout, ReadTimeout: e.opts.probeTimeout,
	})
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return errors.Join(client.Ping(ctx), client.Close())
}
