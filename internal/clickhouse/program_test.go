package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
)

// No real `clickhouse` program is installed where the tests run, so a script
// stands for it: what is tested is how it is called and that it ends with us.
func TestAClickHouseProgramIsRunAsAServerAndEndsWithItsInput(t *testing.T) {
	dir := t.TempDir()
	script, said := filepath.Join(dir, "clickhouse"), filepath.Join(dir, "said")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho $$ \"$@\" > '"+said+".new' && mv '"+said+".new' '"+said+"'\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	serve := exec.Command(os.Args[0], "engine", "--dir", dir, "--server", script)
	serve.ExtraFiles = []*os.File{lock}
	input, err := serve.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	var words []string
	eventually(t, func() bool {
		text, err := os.ReadFile(said)
		words = strings.Fields(string(text))
		return err == nil
	})
	if want := "server --config-file=" + filepath.Join(dir, "config.xml"); strings.Join(words[1:], " ") != want {
		t.Errorf("called with %q, want %q", words[1:], want)
	}
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	_ = serve.Wait() // the script ends by the signal, which Wait reports
	pid, err := strconv.Atoi(words[0])
	if err != nil || !gone(pid) {
		t.Errorf("the program %v is still there (%v)", words[0], err)
	}
}

func TestAProgramThatHangsIsKilledWithItsWrapper(t *testing.T) {
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	script := "#!/bin/sh\ntrap '' TERM\necho $$ > '" + said + "'\nwhile :; do sleep 1; done\n"
	if err := os.WriteFile(filepath.Join(dir, "clickhouse"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(clickhouse.LibraryEnv, "")
	ctx, giveUp := context.WithCancel(t.Context())
	started := make(chan error, 1)
	go func() {
		_, err := clickhouse.StartEngine(ctx, clickhouse.EngineOptions{Dir: t.TempDir()})
		started <- err
	}()
	var pid int
	eventually(t, func() bool {
		text, _ := os.ReadFile(said)
		_, err := fmt.Sscan(string(text), &pid)
		return err == nil
	})
	giveUp()
	if err := <-started; !errors.Is(err, context.Canceled) {
		t.Errorf("start: %v", err)
	}
	eventually(t, func() bool { return gone(pid) })
}
