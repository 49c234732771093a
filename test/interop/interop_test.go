//go:build interop

// Package interop runs what others wrote, unmodified, against MATRIX: a Spring Boot program under the OpenTelemetry
// Java agent, an OpenTelemetry Collector that reads log files and the machine it runs on, and an OpenSearch node.
package interop

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// The case of the incident report that MATRIX was made for: a Java backend with one slow statement among others.
func TestInteropASlowStatementOfASpringBootProgramIsReported(t *testing.T) {
	build(t)
	database := postgres(t)
	matrix := startMATRIX(t)
	program := start(t, ".", []string{
		"JDBC_URL=" + jdbc(database),
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + matrix.endpoint(),
		"OTEL_JAVAAGENT_EXTENSIONS=target/opentelemetry-span-stacktrace.jar",
		"OTEL_JAVA_EXPERIMENTAL_SPAN_STACKTRACE_MIN_DURATION=1s",
	}, "java", "-javaagent:target/opentelemetry-javaagent.jar", "-jar", "target/interop.jar")
	port, _, _ := strings.Cut(program.printed("Tomcat started on port "), " ")
	program.printed("Started OrderApplication")

	history := "http://127.0.0.1:" + port + "/v1/api/orders/history/7"
	for range 5 {
		program.get(history)
	}
	program.get(history + "?seconds=8.3")

	incident := matrix.awaitReport()
	if incident.Service != "order-api" || incident.Matches != 1 {
		t.Errorf("incident of %s with %d matches", incident.Service, incident.Matches)
	}
	if !strings.Contains(incident.Alarm, "[SQL Response time >= 8000 ms] occurred 1 times.") {
		t.Errorf("alarm:\n%s", incident.Alarm)
	}
	if host, err := os.Hostname(); err != nil || !strings.Contains(incident.Alarm, "["+host+": 1 times]") {
		t.Errorf("the alarm does not call the instance by its host %q (%v), but:\n%s", host, err, incident.Alarm)
	}
	facts := incident.facts()
	for _, want := range []string{
		"order.selectTotalHistory", "orders", "order_item", "WITH step1 AS", "/v1/api/orders/history/{memberId}",
		"interop.OrderController.history", // by the agent's stack traces
		"1 outgoing calls",                // to the partner, too short to be a fact of its own
	} {
		if !strings.Contains(facts, want) {
			t.Errorf("the evidence does not mention %s", want)
		}
	}
	words := incident.words()
	if !strings.Contains(words, "order.selectTotalHistory") || !strings.Contains(words, "orders") || !regexp.MustCompile(`\b8[,.]?[34]\d\d?`).MatchString(words) {
		t.Errorf("the report does not name the statement, its table and its time")
	}
	if t.Failed() {
		t.Logf("evidence:\n%s\nreport:\n%s", facts, words)
	}
}

// build makes the program and fetches the agent, both with Maven.
func build(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s on this machine", tool)
		}
	}
	if out, err := exec.Command("mvn", "-q", "-B", "-ntp", "package").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
}
