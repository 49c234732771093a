package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
)

// exposing serves what a program tells of itself at /metrics, and returns its address.
func exposing(t *testing.T, tell func() string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, tell())
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// nodeExporter tells what a node_exporter tells of a machine that is a quarter busy.
func nodeExporter(name string) func() string {
	began := time.Now()
	return func() string {
		s := time.Since(began).Seconds()
		return fmt.Sprintf(`# HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
# TYPE node_cpu_seconds_total counter
node_cpu_seconds_total{cpu="0",mode="idle"} %f
node_cpu_seconds_total{cpu="0",mode="user"} %f
node_memory_MemTotal_bytes 8e9
node_memory_MemAvailable_bytes 2e9
node_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 1e11
node_filesystem_free_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 4e10
node_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/"} 4e10
node_load1 1.5
node_uname_info{nodename=%q} 1
`, 100+0.75*s, 10+0.25*s, name)
	}
}

// TestAMachineThatIsScrapedIsAHost takes the configuration of deploy/prometheus
// as it is, but for addresses and interval.
func TestAMachineThatIsScrapedIsAHost(t *testing.T) {
	const example = "../../deploy/prometheus"
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	rewrite := func(name string, pairs ...string) {
		t.Helper()
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(string(text), pairs[i]) {
				t.Fatalf("%s does not contain %q", name, pairs[i])
			}
		}
		if err := os.WriteFile(path, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rewrite("prometheus.yml", "30s", "1s")
	rewrite("targets/nodes.yml", "10.0.0.1:9100", exposing(t, nodeExporter("web-1")), "10.0.0.2:9100", exposing(t, nodeExporter("web-2")))
	rewrite("targets/apps.yml", "10.0.1.1:8080", exposing(t, func() string { return "go_gc_cycles 1\norders_total 3\n" }))

	h := start(t, func(o *app.Options) {
		o.File.Scrape = []app.FileScrape{{File: filepath.Join(dir, "prometheus.yml")}} // without a key: of the first project
	})
	var hosts struct {
		Items []struct {
			Host   string  `json:"host"`
			CPU    float64 `json:"cpu"`
			Memory float64 `json:"memory"`
		} `json:"items"`
	}
	h.eventually("two hosts with a CPU", func() bool {
		h.get(h.path("/hosts?sort=name"), &hosts)
		return len(hosts.Items) == 2 && hosts.Items[0].CPU > 0 && hosts.Items[1].CPU > 0
	})
	if first := hosts.Items[0]; first.Host != "web-1" || first.CPU < 0.2 || first.CPU > 0.3 || first.Memory != 0.75 {
		t.Errorf("host = %+v", first)
	}
	h.eventually("three targets that are up", func() bool {
		var targets struct {
			Data struct {
				ActiveTargets []struct{ Health, ScrapePool string } `json:"activeTargets"`
			} `json:"data"`
		}
		h.get(h.path("/prometheus/api/v1/targets"), &targets)
		up := 0
		for _, target := range targets.Data.ActiveTargets {
			if target.Health == "up" {
				up++
			}
		}
		return up == 3
	})
	var series struct {
		Data []string `json:"data"`
	}
	h.get(h.path("/prometheus/api/v1/label/__name__/values?match[]={job=%%22apps%%22}"), &series)
	if names := strings.Join(series.Data, " "); !strings.Contains(names, "orders_total") || strings.Contains(names, "go_gc") {
		t.Errorf("the program's metrics are %s", names)
	}
}

// scrapeTargets is what the screens show: targets of which one is well, one is
// down, of one not all is stored, and one is dropped.
func scrapeTargets(t *testing.T) func(*app.Options) {
	t.Helper()
	well := exposing(t, func() string { return "# TYPE orders_waiting gauge\norders_waiting 3\n" })
	partly := exposing(t, func() string { return "orders_waiting 5\norders_of_long_ago 1 1000\n" })
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	text := fmt.Sprintf(`
global: {scrape_interval: 5s, scrape_timeout: 2s}
scrape_configs:
- job_name: checkout
  static_configs: [{targets: [%q], labels: {environment: production}}]
- job_name: payment
  static_configs: [{targets: ["127.0.0.1:1"], labels: {environment: production}}]
- job_name: legacy
  static_configs: [{targets: [%q, "10.9.8.7:9100"]}]
  relabel_configs: [{source_labels: [__address__], regex: "10[.].*", action: drop}]
`, well, partly)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *app.Options) { o.File.Scrape = []app.FileScrape{{File: path}} }
}
