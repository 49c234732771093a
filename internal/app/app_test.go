package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// options are those of a node on free ports, on the test binary's own engine.
func options(t *testing.T) app.Options {
	t.Helper()
	return app.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", OTLPGRPC: "127.0.0.1:0", OTLPHTTP: "127.0.0.1:0",
		ClickHouse: []string{clickhousetest.Engine(t).DSN()}, Console: io.Discard,
	}
}

func newApp(o app.Options) *app.App { return app.New(o, slog.New(slog.DiscardHandler)) }

func start(t *testing.T, o app.Options) *app.App {
	t.Helper()
	a := newApp(o)
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	return a
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func TestAPortThatIsTakenCostsNoCredentials(t *testing.T) {
	for _, which := range []string{"http", "grpc"} {
		t.Run(which, func(t *testing.T) {
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer taken.Close()
			o := options(t)
			first := o
			if which == "http" {
				first.OTLPHTTP = taken.Addr().String()
			} else {
				first.OTLPGRPC = taken.Addr().String()
			}
			a := newApp(first)
			if err := a.Start(t.Context()); err == nil {
				stop(t, a)
				t.Fatal("started on a port that is taken")
			}
			if a.FirstStart() != nil {
				t.Error("the first start was used up")
			}
			made := start(t, o).FirstStart()
			if made == nil || made.Password == "" || made.Key == "" {
				t.Fatalf("the next start has nothing to print: %+v", made)
			}
		})
	}
}

func TestADataDirectoryServesOneProcess(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		o := options(t)
		if db.Dialect() == metadb.Postgres {
			o.MetaDB = metadbtest.PostgresDSN(t)
		}
		first := newApp(o)
		if err := first.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := newApp(o)
		if err := second.Start(t.Context()); !fault.Is(err, fault.Conflict) {
			stop(t, second)
			t.Errorf("a second process on one directory: %v", err)
		}
		stop(t, first)
		start(t, o)
	})
}

func TestAPasswordIsResetBesideTheRunningServer(t *testing.T) {
	o := options(t)
	if _, err := app.ResetPassword(t.Context(), o, "admin@localhost"); !fault.Is(err, fault.NotFound) {
		t.Fatalf("without an installation: %v", err)
	}
	a := start(t, o)
	first := a.FirstStart()
	password, err := app.ResetPassword(t.Context(), o, first.Email)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SignIn(t.Context(), a.URL(), first.Email, first.Password); err == nil {
		t.Error("the old password still works")
	}
	if _, err := client.SignIn(t.Context(), a.URL(), first.Email, password); err != nil {
		t.Error(err)
	}
}

func TestNobodyIsSentToAnAddressThatStandsForAll(t *testing.T) {
	o := options(t)
	o.Listen, o.OTLPHTTP, o.OTLPGRPC = "[::]:0", "0.0.0.0:0", ":0"
	a := start(t, o)
	for _, url := range []string{a.URL(), a.OTLPHTTPURL(), a.OTLPGRPCURL()} {
		if !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("%s", url)
		}
	}
	o = options(t)
	o.File.BaseURL, o.File.OTLPURL, o.File.OTLPGRPCURL = "https://m.example", "https://otlp.example", "https://grpc.example"
	a = start(t, o)
	if got := []string{a.URL(), a.OTLPHTTPURL(), a.OTLPGRPCURL()}; fmt.Sprint(got) != "[https://m.example https://otlp.example https://grpc.example]" {
		t.Errorf("%v", got)
	}
}

// A client that does not send the body it announced holds the API up, and
// nothing else: a batch under way is answered, and the jobs end.
func TestAnAPIClientThatHangsTakesNoTimeFromTheRest(t *testing.T) {
	a := newApp(options(t))
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	hanging := dial(t, a.URL())
	send(t, hanging, "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
	batch := dial(t, a.OTLPHTTPURL())
	send(t, batch, "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nx-matrix-key: "+a.FirstStart().Key+
		"\r\nExpect: 100-continue\r\nContent-Length: 21\r\n\r\n")
	if line := make([]byte, len("HTTP/1.1 100")); read(t, batch, line) != "HTTP/1.1 100" { // the receiver has the request
		t.Fatalf("%s", line)
	}

	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
		defer cancel()
		stopped <- a.Stop(ctx)
	}()
	for { // until it is the receivers' turn
		probe, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", hostOf(a.OTLPHTTPURL()))
		if err != nil {
			break
		}
		probe.Close()
	}
	send(t, batch, `{"resourceSpans": []}`)
	answer, err := io.ReadAll(batch)
	if err != nil || !bytes.Contains(answer, []byte("HTTP/1.1 ")) {
		t.Errorf("the batch was cut off: %q, %v", answer, err)
	}
	err = <-stopped
	if err == nil || !strings.Contains(err.Error(), "stop api") {
		t.Errorf("the client did not hang: %v", err)
	}
	for _, part := range []string{"stop ingest", "stop jobs", "stop metadata"} {
		if err != nil && strings.Contains(err.Error(), part) {
			t.Errorf("%v", err)
		}
	}
	if _, err := client.SignIn(t.Context(), a.URL(), "a", "b"); err == nil {
		t.Error("the API still answers")
	}
}

func hostOf(url string) string { return strings.TrimPrefix(url, "http://") }

func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", hostOf(url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, conn net.Conn, into []byte) string {
	t.Helper()
	if _, err := io.ReadFull(conn, into); err != nil {
		t.Fatal(err)
	}
	return string(into)
}
