package clickhouse

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAnEngineThatHangsIsKilledAndStartedAgain(t *testing.T) {
	e, err := StartEngine(t.Context(), EngineOptions{Dir: t.TempDir(), probeTimeout: 200 * time.Millisecond, hangs: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop(context.Background())
	if err := syscall.Kill(e.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for e.Restarts() == 0 || !e.Healthy() {
		if time.Now().After(deadline) {
			t.Fatal("it was not started again")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestPausesBetweenStartsGrowUpToALimit(t *testing.T) {
	var b backoff
	want := firstBackoff
	for range 20 {
		if got := b.after(time.Second); got < want/2 || got > want*3/2 {
			t.Errorf("waits %v, want about %v", got, want)
		}
		want = min(2*want, lastBackoff)
	}
	if want != lastBackoff {
		t.Errorf("20 ends in a row do not reach %v", lastBackoff)
	}
	if got := b.after(steady + 1); got > firstBackoff*3/2 {
		t.Errorf("waits %v after it ran well", got)
	}
}

func TestTheLeastLimitOfAContainerCounts(t *testing.T) {
	f := func(want int64, files map[string]string) {
		t.Helper()
		root := t.TempDir()
		for name, text := range files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := containerMemory(root); got != want || ok != (want != 0) {
			t.Errorf("%v: %d, %v, want %d", files, got, ok, want)
		}
	}
	f(0, nil)
	f(0, map[string]string{"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "max"})
	f(1000, map[string]string{"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "1000"})
	f(500, map[string]string{"proc/self/cgroup": "0::/a/b", "sys/fs/cgroup/a/b/memory.max": "800", "sys/fs/cgroup/a/memory.max": "500", "sys/fs/cgroup/memory.max": "max"})
	f(700, map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/x", "sys/fs/cgroup/memory/memory.limit_in_bytes": "700"})
}

func TestLinesOfTheEngineKeepTheirLevelAndLoseTheStatement(t *testing.T) {
	f := func(line string, level slog.Level, source, message string) {
		t.Helper()
		gotLevel, gotSource, gotMessage := parseLogLine(line)
		if gotLevel != level || gotSource != source || gotMessage != message {
			t.Errorf("%q → %v %q %q", line, gotLevel, gotSource, gotMessage)
		}
	}
	f("2026.11.23 08:34:02.267175 [ 27292 ] {} <Error> MergeTreeBackgroundExecutor: Code: 243. DB::Exception: Cannot reserve",
		slog.LevelError, "MergeTreeBackgroundExecutor", "Code: 243. DB::Exception: Cannot reserve")
	f("2026.11.23 08:34:02.267175 [ 27292 ] {b0-1} <Warning> TCPHandler: slow (in query: SELECT secret)", slog.LevelWarn, "TCPHandler", "slow")
	f("engine: load the engine library", slog.LevelDebug, "", "engine: load the engine library")
	f("a } <b", slog.LevelDebug, "", "a } <b")
	f("", slog.LevelDebug, "", "")
}

func FuzzLogLines(f *testing.F) {
	f.Add("t [ 1 ] {} <Error> A: b (in query: SELECT 1)\npart")
	f.Fuzz(func(t *testing.T, text string) {
		l := &engineLog{log: slog.New(slog.DiscardHandler)}
		for chunk := range strings.SplitAfterSeq(text, " ") {
			if n, err := l.Write([]byte(chunk)); n != len(chunk) || err != nil {
				t.Fatal(n, err)
			}
		}
		if strings.Contains(l.tail(), "(in query:") {
			t.Errorf("a statement is kept: %q", l.tail())
		}
		if len(l.last) > keptLines || len(l.partial) > maxLogLine {
			t.Errorf("kept %d lines and %d bytes", len(l.last), len(l.partial))
		}
	})
}
