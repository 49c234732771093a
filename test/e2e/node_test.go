package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// postgres returns the DSN of a real PostgreSQL, which these programs query.
func postgres(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("MATRIX_TEST_POSTGRES")
	if dsn == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("MATRIX_TEST_POSTGRES is not set: run the tests with scripts/test.sh")
		}
		t.Skip("needs a PostgreSQL: run the tests with scripts/test.sh")
	}
	return dsn
}

// program starts a program, waits for the line that tells its port and ends it with the test.
func program(t *testing.T, cmd *exec.Cmd, ready string) (port string) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was told to end
	})
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			if _, after, ok := strings.Cut(scanner.Text(), ready); ok {
				lines <- strings.TrimSpace(after)
			}
		}
	}()
	select {
	case port, ok := <-lines:
		if !ok {
			t.Fatalf("%s ended before it was ready", cmd.Path)
		}
		go func() { // a full pipe would stop the program
			for range lines {
			}
		}()
		return port
	case <-time.After(patience):
		t.Fatalf("%s was not ready within %s", cmd.Path, patience)
	}
	return ""
}

// request does one GET and wants it to succeed.
func request(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s\n%s", url, response.Status, body)
	}
}

// TestAnUnmodifiedNodeProgramIsReportedOn runs a program of express and pg
// under the unmodified auto-instrumentation. Of OpenTelemetry only the endpoint
// is set: its first slow query must end in a report that names it.
func TestAnUnmodifiedNodeProgramIsReportedOn(t *testing.T) {
	if _, err := os.Stat("node/node_modules"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("test/e2e/node has no packages: sh scripts/setup.sh node-e2e")
		}
		t.Skip("needs npm packages: sh scripts/setup.sh node-e2e")
	}
	dsn := postgres(t)
	h := start(t)

	cmd := exec.CommandContext(context.Background(), "node", "--require", "./loopback-only.js", "--require", "@opentelemetry/auto-instrumentations-node/register", "server.js", dsn)
	cmd.Dir = "node"
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OTEL_") }),
		"OTEL_EXPORTER_OTLP_ENDPOINT="+h.app.OTLPHTTPURL())
	base := "http://127.0.0.1:" + program(t, cmd, "listening on ")
	for i := range 5 {
		request(t, fmt.Sprintf("%s/orders/%d", base, i+1))
	}
	request(t, base+"/members/42/history?seconds=9")
	request(t, base+"/orders/9")

	detail := h.analysed()
	if detail.Matches != 1 {
		t.Errorf("%d matches, want the one statement", detail.Matches)
	}
	named := false
	for _, fact := range detail.Evidence {
		named = named || strings.Contains(fact.Text, "pg_sleep")
	}
	if !named {
		t.Error("no fact names pg_sleep")
	}
	h.eventually("the report on the console", func() bool { return strings.Contains(h.console.String(), "[조치 방안]") })
	text := h.console.String()
	expectInOrder(t, text, "[SQL Response time >= 8000 ms] occurred 1 times.", "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]")
	_, report, _ := strings.Cut(text, "[요약]")
	if !strings.Contains(report, "pg_sleep") {
		t.Errorf("the report does not name the statement:\n%s", report)
	}
	if !strings.Contains(report, "90") && !strings.Contains(report, "9,0") {
		t.Errorf("the report does not name its time of about 9000 ms:\n%s", report)
	}
}
