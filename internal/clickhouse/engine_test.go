package clickhouse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	engine "github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// parentEnv makes the test binary a parent that starts an engine in the named
// directory, prints its pid, and waits to be killed.
const parentEnv = "CLICKHOUSE_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" && len(os.Args) == 1 {
		e, err := engine.StartEngine(context.Background(), engine.EngineOptions{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(e.PID())
		select {}
	}
	clickhousetest.Main(m)
}

func start(t testing.TB, opts engine.EngineOptions) *engine.Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	e, err := engine.StartEngine(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e) })
	return e
}

func stop(t testing.TB, e *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func open(t testing.TB, dsns ...string) *engine.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	db, err := engine.Open(ctx, engine.Options{DSNs: dsns})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func countPoints(t testing.TB, db *engine.DB) uint64 {
	t.Helper()
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := db.SystemSelect(t.Context(), &rows, "SELECT count() AS n FROM points"); err != nil {
		t.Fatal(err)
	}
	return rows[0].N
}

func TestRowsSurviveAStopAndAStart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, engine.EngineOptions{Dir: dir})
	db := open(t, first.DSN())
	createPoints(t, db)
	if err := db.Insert(t.Context(), "points", pointsInput(1, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	pid := first.PID()
	stop(t, first)
	if !gone(pid) {
		t.Error("the process is still there after Stop")
	}
	second := start(t, engine.EngineOptions{Dir: dir})
	if second.DSN() == first.DSN() {
		t.Error("the password did not change with the start")
	}
	if n := countPoints(t, open(t, second.DSN())); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
}

func TestAKilledEngineIsBackWithAllRowsUnderTheSameAddress(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir()})
	db := open(t, e.DSN())
	createPoints(t, db)
	if err := db.Insert(t.Context(), "points", pointsInput(1, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 3; round++ {
		if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		eventually(t, func() bool { return e.Restarts() == round && e.Healthy() })
		t.Logf("back after %s", time.Since(began).Round(time.Millisecond))
		// The same handle: its idle connections died with the process and must not cost an insert.
		if err := db.Insert(t.Context(), "points", pointsInput(1, int64(round))); err != nil {
			t.Errorf("insert after restart %d: %v", round, err)
		}
		if n := countPoints(t, db); n != uint64(3+round) {
			t.Errorf("%d rows after restart %d, want %d", n, round, 3+round)
		}
	}
}

func TestWhileTheEngineIsDownRequestsAreToldToRetry(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir()})
	db := open(t, e.DSN())
	createPoints(t, db)
	stop(t, e)
	var rows []point
	for what, err := range map[string]error{
		"insert": db.Insert(t.Context(), "points", pointsInput(1, 1)),
		"select": db.Select(t.Context(), 1, &rows, "SELECT x, note FROM points WHERE project_id = {project:UInt32}"),
		"ping":   db.Ping(t.Context()),
	} {
		if !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter != time.Second {
			t.Errorf("%s = %v, want unavailable with a second to retry", what, err)
		}
	}
}

func TestTheEngineDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+dir)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the parent says %q", line)
	}
	if gone(pid) {
		t.Fatal("the engine does not run")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed, as it should be
	eventually(t, func() bool { return gone(pid) })
	start(t, engine.EngineOptions{Dir: dir}) // and it left the directory
}

// gone reports whether no process of that id runs; one that nobody waited for counts as gone.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(after, "Z")
}

// What needs no rights at all, such as SELECT 1, is all that is left to it.
func TestTheAccountDefaultCanNeitherReadNorWriteNorStopTheListener(t *testing.T) {
	e := clickhousetest.Engine(t)
	db := clickhousetest.New(t)
	createPoints(t, db)
	address := mustURL(t, e.DSN())
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{address.Host}, Auth: clickhouse.Auth{Username: "default"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, sql := range []string{
		"SELECT * FROM test_1.points",
		"SELECT name FROM system.tables",
		"SELECT * FROM file('/etc/passwd', 'LineAsString', 'x String')",
		"CREATE TABLE default.mine (n UInt8) ENGINE = Memory",
		"INSERT INTO FUNCTION file('/tmp/x', 'TSV', 'x String') SELECT 'a'",
		"SYSTEM STOP LISTEN TCP",
		"SYSTEM SHUTDOWN",
		"GRANT ALL ON *.* TO default",
	} {
		if err := conn.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: allowed", sql)
		}
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestTheProductsAccountReadsNoFilesAndNoAddresses(t *testing.T) {
	db := clickhousetest.New(t)
	for _, sql := range []string{
		"SELECT * FROM file('/etc/passwd', 'LineAsString', 'x String')",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'x String')",
	} {
		if err := db.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "ACCESS_DENIED") {
			t.Errorf("%s: %v, want to be denied", sql, err)
		}
	}
}

// The library ends itself when a login fails (ADR 0002), so what is tested is
// that the intruder gets nothing and the others are served again.
func TestAWrongPasswordIsRefused(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir()})
	db := open(t, e.DSN())
	dsn := mustURL(t, e.DSN())
	dsn.User = url.UserPassword("matrix", "guess")
	_, err := engine.Open(t.Context(), engine.Options{DSNs: []string{dsn.String()}})
	if err == nil || !strings.Contains(err.Error(), "AUTHENTICATION_FAILED") || strings.Contains(err.Error(), "guess") {
		t.Errorf("error = %v, want a refusal without the password", err)
	}
	eventually(t, func() bool { return db.Ping(t.Context()) == nil })
}

func TestCancelledRequestsDoNotHurtTheEngine(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	for i := range 40 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*50*time.Microsecond)
		db, err := engine.Open(ctx, engine.Options{DSNs: []string{e.DSN()}})
		if err == nil {
			_ = db.Insert(ctx, "nosuch", pointsInput(1, 1)) // its error is of no interest here
			db.Close()
		}
		cancel()
	}
	db := open(t, e.DSN())
	for i := range 20 { // and with an answer half read
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond+time.Duration(i)*time.Millisecond)
		if rows, err := db.Query(ctx, 1, "SELECT number, {project:UInt32} FROM system.numbers"); err == nil {
			rows.Next()
			cancel()
			_ = rows.Close() // it was broken off on purpose
		}
		cancel()
	}
	if n := e.Restarts(); n != 0 || db.Ping(t.Context()) != nil {
		t.Errorf("the engine ended %d times", n)
	}
}

func TestTheMemoryLimitReachesTheEngine(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir(), Memory: 777 << 20})
	var rows []struct {
		Value string `ch:"value"`
	}
	err := open(t, e.DSN()).SystemSelect(t.Context(), &rows, "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Value != strconv.Itoa(777<<20) {
		t.Errorf("limit = %v, want 777 MiB", rows)
	}
}

func TestAnEngineThatIsNotToldTakesHalfAndAtMost8GiB(t *testing.T) {
	e := start(t, engine.EngineOptions{Dir: t.TempDir()})
	var rows []struct {
		Total uint64 `ch:"total"`
		Query uint64 `ch:"query"`
	}
	err := open(t, e.DSN()).SystemSelect(t.Context(), &rows, `SELECT toUInt64(value) AS total, toUInt64(getSetting('max_memory_usage')) AS query
		FROM system.server_settings WHERE name = 'max_server_memory_usage'`)
	if err != nil {
		t.Fatal(err)
	}
	most := uint64(8 << 30)
	var kib uint64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err != nil {
			t.Fatal(err)
		}
		most = min(most, kib<<10/2)
	}
	if r := rows[0]; r.Total == 0 || r.Total > most || r.Query != r.Total/2 {
		t.Errorf("%+v, want at most %d, and half of that for a query", r, most)
	}
}

func TestDaysAreThoseOfUTCWhereverTheEngineStands(t *testing.T) {
	t.Setenv("TZ", "Asia/Seoul")
	e := start(t, engine.EngineOptions{Dir: t.TempDir()})
	var rows []struct {
		Server string    `ch:"server"`
		Day    time.Time `ch:"day"`
	}
	err := open(t, e.DSN()).SystemSelect(t.Context(), &rows, "SELECT serverTimezone() AS server, toDate({at:DateTime64(9)}) AS day",
		engine.P("at", time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.Server != "Asia/Seoul" || r.Day.Format(time.DateOnly) != "2026-03-01" {
		t.Errorf("at 20:00 UTC it is %s for an engine in %s", r.Day.Format(time.DateOnly), r.Server)
	}
}

func TestTheCacheOfTheSetupScriptIsSearched(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("MATRIX_CACHE", cache)
	t.Setenv(engine.LibraryEnv, "")
	t.Setenv("PATH", "")
	_, err := engine.Locate("")
	if err == nil || !strings.Contains(err.Error(), filepath.Join(cache, "engine", "node_modules")) {
		t.Errorf("%v, want a library to be looked for below %s", err, cache)
	}
}

func TestTheEngineKeepsNoLogTables(t *testing.T) {
	db := clickhousetest.New(t)
	var rows []struct {
		Name string `ch:"name"`
	}
	if err := db.SystemSelect(t.Context(), &rows, "SELECT name FROM system.tables WHERE database = 'system' AND engine LIKE '%MergeTree'"); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 0 {
		t.Errorf("system tables that grow: %v", rows)
	}
}

func TestFilesOfTheEngineAreForThisUserOnly(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "engine", "users.xml")
	if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(old, nil, 0o644); err != nil { // one that was there before keeps no mode
		t.Fatal(err)
	}
	e := start(t, engine.EngineOptions{Dir: dir})
	password, _ := mustURL(t, e.DSN()).User.Password()
	for _, name := range []string{"users.xml", "config.xml"} {
		path := filepath.Join(dir, "engine", name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		if text, _ := os.ReadFile(path); strings.Contains(string(text), password) {
			t.Errorf("%s holds the password in clear", name)
		}
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", e.PID()))
	if err == nil && strings.Contains(string(command), password) {
		t.Error("the password is on the command line")
	}
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOneDirectoryHasOneEngine(t *testing.T) {
	dir := t.TempDir()
	start(t, engine.EngineOptions{Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := engine.StartEngine(ctx, engine.EngineOptions{Dir: dir})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("error = %v, want a conflict that names the directory and the process", err)
	}
}

func TestAnEngineThatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = engine.StartEngine(t.Context(), engine.EngineOptions{Dir: t.TempDir(), Port: taken.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "last lines of the engine") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("error = %v, want the engine's own words about the port", err)
	}
}

func TestWithoutAnEngineTheErrorSaysHowToInstallOne(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv(engine.LibraryEnv, "")
	_, err := engine.StartEngine(t.Context(), engine.EngineOptions{Dir: t.TempDir()})
	for _, want := range []string{"make setup", "npm install --prefix ", "@chdb/lib-", "PATH"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to say %q", err, want)
		}
	}
}

func TestTheEngineIsLookedForInTheDocumentedOrder(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	cache, data := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv(engine.LibraryEnv, "")
	place := func(path string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	_, err := engine.Locate(data)
	_, platform, _ := strings.Cut(err.Error(), "@chdb/lib-")
	platform, _, _ = strings.Cut(platform, "/")
	expect := func(want engine.Binary) {
		t.Helper()
		if got, err := engine.Locate(data); err != nil || got != want {
			t.Errorf("found %v, %v; want %v", got, err, want)
		}
	}
	inModules := filepath.Join("node_modules", "@chdb", "lib-"+platform, "libchdb.so")
	expect(engine.Binary{Library: place(filepath.Join(cache, "matrix", "engine", inModules))})
	expect(engine.Binary{Library: place(filepath.Join(data, "engine", inModules))})
	expect(engine.Binary{Server: place(filepath.Join(os.Getenv("PATH"), "clickhouse"))})
	named := place(filepath.Join(t.TempDir(), "lib.so"))
	t.Setenv(engine.LibraryEnv, named)
	expect(engine.Binary{Library: named})
	t.Setenv(engine.LibraryEnv, named+".missing")
	if _, err := engine.Locate(data); !fault.Is(err, fault.Invalid) {
		t.Errorf("a variable that points nowhere: %v", err)
	}
}
