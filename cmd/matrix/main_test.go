package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/client"
)

func TestTheDemoShowsTheAlarmThenTheReportAndEnds(t *testing.T) {
	f := func(lang string, parts ...string) {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p := run(t, nil, append([]string{"demo", "--once", "--lang", lang}, ports...)...)
			p.exits(0)
			rest := p.stdout()
			for _, part := range parts { // in this order
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("no %q where it belongs", part)
				}
				rest = after
			}
		})
	}
	f("ko", "MATRIX is ready on http://127.0.0.1:", "No model is configured", "has become slow", "SlowSQL", "[요약]", "[조치 방안]", "The incident", "/incidents/1\n")
	f("en", "No model is configured", "has become slow", "SlowSQL", "[Summary]", "The incident", "/incidents/1\n")
}

func TestADemoWhoseReportIsNotDeliveredInTimeFails(t *testing.T) {
	t.Parallel()
	p := run(t, nil, append([]string{"demo", "--once", "--patience=1ms"}, ports...)...)
	p.exits(1)
	if text := p.stderr(); !strings.Contains(text, "not delivered within 1ms: no incident was opened") {
		t.Errorf("%s", text)
	}
}

func TestAnInterruptedDemoSaysNothingFalse(t *testing.T) {
	t.Parallel()
	p := run(t, nil, append([]string{"demo"}, ports...)...)
	p.find(`has become (slow)`)
	p.signal(os.Interrupt)
	p.exits(130)
	if text := p.stderr(); strings.Contains(text, "matrix: ") {
		t.Errorf("%s", text)
	}
}

// One long life of a server: its first start, its users, its second start.
func TestServePrintsItsFirstStartOnceAndDrainsOnSIGTERM(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	serve := append([]string{"serve", "--data", data}, ports...)
	p := run(t, nil, serve...)
	url := p.find(`Sign in at +(\S+)`)
	email, password, key := p.find(`E-mail +(\S+)`), p.find(`Password +(\S+)`), p.find(`Ingest key +(\S+)`)
	otlp := p.find(`OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)`)
	p.find(`MATRIX is ready on (\S+)`)
	if _, err := client.SignIn(t.Context(), url, email, password); err != nil {
		t.Fatal(err)
	}
	load := run(t, []string{"MATRIX_KEY=" + key}, "load", "--endpoint", otlp, "--spans=4000")
	load.exits(0)
	load.find(`accepted +(4000) spans`)
	logs := run(t, []string{"MATRIX_KEY=" + key}, "load", "--endpoint", otlp, "--signal=logs", "--records=3000", "--over=1h")
	logs.exits(0)
	logs.find(`accepted +(3000) log records`)

	second := run(t, nil, serve...)
	second.exits(1)
	if !strings.Contains(second.stderr(), "another matrix process uses") {
		t.Errorf("%s", second.stderr())
	}

	reset := run(t, nil, "user", "reset-password", "--data", data, email)
	reset.exits(0)
	fresh := reset.find(`shown this one time:\n +(\S+)`)
	if _, err := client.SignIn(t.Context(), url, email, password); err == nil {
		t.Error("the old password still works")
	}
	if _, err := client.SignIn(t.Context(), url, email, fresh); err != nil {
		t.Error(err)
	}
	p.signal(syscall.SIGTERM)
	p.exits(0)

	again := run(t, nil, serve...)
	again.find(`MATRIX is ready on (\S+)`)
	if strings.Contains(again.stdout(), "First start") {
		t.Errorf("%s", again.stdout())
	}
	// A second interrupt does not wait for whoever holds the first one up.
	address := strings.TrimPrefix(again.find(`MATRIX is ready on (\S+)`), "http://")
	hanging := dial(t, address)
	if _, err := hanging.Write([]byte("POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(hanging).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server does not wait for the body: %q, %v", line, err)
	}
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		again.signal(os.Interrupt)
		select {
		case <-tick.C:
			continue
		case <-again.done:
		}
		break
	}
	again.exits(-1) // by the signal
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestAFirstStartWithoutAnEngineSaysHowToInstallOne(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	p := run(t, []string{"HOME=" + empty, "XDG_CACHE_HOME=" + empty, "PATH=" + empty, "MATRIX_ENGINE_LIB="},
		append([]string{"serve", "--data", filepath.Join(empty, "data")}, ports...)...)
	p.exits(1)
	for _, part := range []string{"make setup", "npm install"} {
		if !strings.Contains(p.stderr(), part) {
			t.Errorf("no %q", part)
		}
	}
	if strings.Contains(p.stdout(), "First start") {
		t.Error("credentials of a server that never ran")
	}
}

func TestLoadExitsWithWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	answering := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		return server.URL
	}
	f := func(code int, stderr string, args ...string) {
		t.Helper()
		p := run(t, nil, append([]string{"load", "--spans=80", "--batch=40"}, args...)...)
		p.exits(code)
		if !strings.Contains(p.stderr(), stderr) {
			t.Errorf("%v: %s", args, p.stderr())
		}
	}
	f(0, "", "--endpoint", answering(http.StatusOK))
	f(1, "80 spans were not taken", "--endpoint", answering(http.StatusUnauthorized))
	f(1, "80 log records were not taken", "--signal=logs", "--endpoint", answering(http.StatusUnauthorized))
	f(1, "multiple of 4", "--batch=30")
	f(1, "shorter than 2s", "--over=1s")
	f(1, "cannot be written", "--ledger=nowhere/ledger")
	f(80, "unknown flag", "--nonsense") // kong's own code for a command line it does not understand
}

func TestAnInterruptedLoadSaysSo(t *testing.T) {
	t.Parallel()
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	p := run(t, nil, "load", "--endpoint", "http://"+hanging.Addr().String())
	conn, err := hanging.Accept() // a request is under way
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p.signal(os.Interrupt)
	p.exits(130)
}

func TestTheHelpNamesEveryKeyOfTheFile(t *testing.T) {
	help := configCommand{}.Help()
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for i := range of.NumField() {
			key := prefix + of.Field(i).Tag.Get("yaml")
			if of.Field(i).Type.Kind() == reflect.Struct {
				walk(key+".", of.Field(i).Type)
			} else if !strings.Contains(help, fmt.Sprintf("\n%s ", key)) {
				t.Errorf("%s is missing", key)
			}
		}
	}
	walk("", reflect.TypeFor[app.File]())
}

func TestTheDemoTakesNoStoreOfItsOwn(t *testing.T) {
	t.Parallel()
	p := run(t, nil, "demo", "--metadb=postgres://127.0.0.1/x")
	p.exits(80)
}
