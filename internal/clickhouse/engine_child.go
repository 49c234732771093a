package clickhouse

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// lockFD is the file descriptor under which the child inherits the lock of the
// data directory: the lock is free only once both parent and child are gone.
const lockFD = 3

// ServeEngine is the body of the hidden command `matrix engine`: it runs
// ClickHouse until standard input ends, which is when the parent closes it or
// dies. args are those StartEngine passes.
func ServeEngine(args []string) error {
	flags := flag.NewFlagSet("engine", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory of the generated configuration")
	port := flags.Int("port", 0, "TCP port on loopback")
	library := flags.String("library", "", "path of libchdb.so")
	server := flags.String("server", "", "path of a clickhouse program")
	if err := flags.Parse(args); err != nil {
		return err
	}
	// A terminal's Ctrl-C is for the parent, which stops us once its callers are
	// answered. SIGPIPE on a thread of the library would end the process.
	signal.Ignore(syscall.SIGINT, syscall.SIGPIPE)
	switch {
	case *library != "":
		return serveLibrary(*library, *dir, *port)
	case *server != "":
		return serveProgram(*server, *dir)
	}
	return errors.New("engine: neither --library nor --server is given; this command is for `matrix serve` only")
}

// serveLibrary runs ClickHouse inside this process. The second queries file is
// standard input, which the library reads to its end before it goes on: this is
// what keeps it open, and it needs no rights in the database.
func serveLibrary(path, dir string, port int) error {
	lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load the engine library: %w", err)
	}
	var setSignalHandlers func(enabled int32)
	var query func(argc int32, argv unsafe.Pointer) uintptr
	var resultError func(result uintptr) string
	for name, target := range map[string]any{
		"chdb_set_signal_handlers_enabled": &setSignalHandlers,
		"chdb_query_cmdline":               &query,
		"chdb_result_error":                &resultError,
	} {
		symbol, err := purego.Dlsym(lib, name)
		if err != nil {
			return fmt.Errorf("the engine library %s is of another version: %w", path, err)
		}
		purego.RegisterFunc(target, symbol)
	}
	setSignalHandlers(0) // Go's stay in place

	var pin runtime.Pinner
	defer pin.Unpin()
	var argv []*byte
	for _, arg := range []string{
		"clickhouse",
		"--config-file", filepath.Join(dir, configFile),
		"--path", filepath.Join(dir, dataFolder),
		"--listen_host", "127.0.0.1",
		"--tcp_port", strconv.Itoa(port),
		"--queries-file", filepath.Join(dir, startFile),
		"--queries-file", "/dev/stdin",
	} {
		text := append([]byte(arg), 0)
		pin.Pin(&text[0])
		argv = append(argv, &text[0])
	}
	argv = append(argv, nil)
	pin.Pin(&argv[0])
	result := query(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	if result == 0 {
		return errors.New("engine: the library returned no result")
	}
	if message := resultError(result); message != "" {
		return fmt.Errorf("engine: %s", message)
	}
	return nil
}

// serveProgram runs a real `clickhouse server` below this process and ends it
// when standard input ends.
func serveProgram(path, dir string) error {
	cmd := exec.Command(path, "server", "--config-file="+filepath.Join(dir, configFile))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(lockFD, "lock")}
	cmd.SysProcAttr = programAttributes()
	cmd.Env = append(os.Environ(), "CLICKHOUSE_WATCHDOG_ENABLE=0") // we are the one who watches
	runtime.LockOSThread()                                         // programAttributes: the program lives as long as this thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start clickhouse server: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end, whatever the reason, is the news
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("clickhouse server: %w", err)
	}
	return nil
}
