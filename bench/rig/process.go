// Package rig is what the benchmarks stand on: processes with their CPU time and memory, a MATRIX and an
// engine to measure, and the facts about the machine that belong beside a number.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a program under measurement.
type Process struct {
	name   string
	cmd    *exec.Cmd
	output *output
	done   chan struct{}
	err    error // valid after done
}

// Start runs a program, which outlives ctx: Stop or Kill ends it. What it prints goes to a file in dir and can be waited for.
func Start(ctx context.Context, dir, name, path string, args ...string) (*Process, error) {
	file, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &Process{name: name, cmd: exec.CommandContext(context.WithoutCancel(ctx), path, args...), output: &output{file: file}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), file.Close())
	}
	go func() {
		defer close(p.done)
		p.err = errors.Join(p.cmd.Wait(), file.Close())
	}()
	return p, nil
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Printed waits until the process has printed text and returns all that it printed so far.
func (p *Process) Printed(ctx context.Context, text string) (string, error) {
	for {
		printed := p.output.String()
		if strings.Contains(printed, text) {
			return printed, nil
		}
		select {
		case <-p.done:
			return "", fmt.Errorf("%s ended before it printed %q: %w\n%s", p.name, text, p.err, tail(p.output.String()))
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not print %q: %w\n%s", p.name, text, ctx.Err(), tail(printed))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Kill ends the process as kill -9 does and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the process to end and waits for it, at most a minute.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-time.After(time.Minute):
		p.Kill()
		return fmt.Errorf("%s did not end within a minute:\n%s", p.name, tail(p.output.String()))
	}
}

// output keeps what a process printed, in memory and in a file.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	file io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(b)
	return o.file.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func tail(text string) string {
	const limit = 2000
	if len(text) > limit {
		text = "…" + text[len(text)-limit:]
	}
	return text
}

// Usage is what a process has used so far.
type Usage struct {
	CPU  time.Duration // user and system time of all its threads
	Peak int64         // largest resident memory, in bytes
	// Resident is the resident memory now, in bytes.
	Resident int64
	// Mapped is the part of Resident that is files, as the program itself: pages
	// that the kernel shares, and takes back when it needs them.
	Mapped int64
}

// clockTick is the unit of CPU time in /proc on Linux.
const clockTick = 10 * time.Millisecond

// UsageOf reads the usage of a running process.
func UsageOf(pid int) (Usage, error) {
	var u Usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// The second field is the name in parentheses, which may contain anything; utime and stime are fields 14 and 15.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return u, fmt.Errorf("process %d: unexpected stat %q", pid, stat)
	}
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return u, fmt.Errorf("process %d: %w", pid, err)
		}
		u.CPU += time.Duration(ticks) * clockTick
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, kib, _ := strings.Cut(line, ":")
		into, wanted := map[string]*int64{"VmHWM": &u.Peak, "VmRSS": &u.Resident, "RssFile": &u.Mapped}[name]
		if !wanted {
			continue
		}
		n, err := strconv.ParseInt(strings.Fields(kib)[0], 10, 64)
		if err != nil {
			return u, fmt.Errorf("process %d: %w", pid, err)
		}
		*into = n << 10
	}
	return u, nil
}

// CPU reads the CPU time that running processes have used so far.
func CPU(pids ...int) ([]time.Duration, error) {
	var out []time.Duration
	for _, pid := range pids {
		u, err := UsageOf(pid)
		if err != nil {
			return nil, err
		}
		out = append(out, u.CPU)
	}
	return out, nil
}

// Child returns the only child of a process, 0 when there is none.
func Child(pid int) (int, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, task := range tasks {
		children, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		if first, _, _ := strings.Cut(string(children), " "); first != "" {
			return strconv.Atoi(first)
		}
	}
	return 0, nil
}

// FreeAddress returns an address on loopback that nothing listens on.
func FreeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
