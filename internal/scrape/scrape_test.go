package scrape

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/metric"
)

const often = "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"

func TestWhatAClientLibraryExposesIsReadByPromQL(t *testing.T) {
	registry := prometheus.NewRegistry()
	orders := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders that were placed."}, []string{"zone"})
	queue := prometheus.NewGauge(prometheus.GaugeOpts{Name: "queue_length", Help: "Orders that wait."})
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took_seconds", Buckets: []float64{1, 10}})
	native := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "size_bytes", NativeHistogramBucketFactor: 1.1})
	registry.MustRegister(orders, queue, classic, native)
	orders.WithLabelValues("seoul").Add(42)
	queue.Set(3.5)
	classic.Observe(2)
	for range 5 {
		native.Observe(100)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)

	p := here(t)
	p.shop("global: {scrape_interval: 200ms, scrape_timeout: 200ms, scrape_native_histograms: true}\nscrape_configs: [{job_name: api, static_configs: [{targets: [%q], labels: {env: prod}}]}]", address(server))
	p.expect("shop", `orders_total{job="api", instance="`+address(server)+`", env="prod", zone="seoul"}`, "42")
	p.expect("shop", `queue_length`, "3.5")
	p.expect("shop", `took_seconds_bucket{le="10.0"}`, "1")
	p.expect("shop", `histogram_count(size_bytes)`, "5")
	p.expect("shop", `histogram_sum(size_bytes)`, "500")
	p.expect("shop", `up{job="api", env="prod"}`, "1")
	p.expect("shop", `scrape_samples_scraped`, "8") // of these 5 are the classic histogram's
	p.expect("shop", `scrape_duration_seconds > 0 < bool 10`, "1")
	queue.Set(4)
	p.expect("shop", `queue_length`, "4")

	said, err := p.engine.Metadata(t.Context(), projects["shop"], "")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []metric.Metadata{
		{Metric: "orders_total", Type: "counter", Help: "Orders that were placed."},
		{Metric: "queue_length", Type: "gauge", Help: "Orders that wait."},
		{Metric: "size_bytes", Type: "histogram"},
		{Metric: "up", Type: "gauge", Unit: "targets", Help: "Health of the scrape target. 1 means the target is healthy, 0 if the scrape failed."},
	} {
		if !slices.Contains(said, want) {
			t.Errorf("%+v is not among %+v", want, said)
		}
	}
	target := p.target("shop", "api", "up", "")
	if target.URL != server.URL+"/metrics" || target.Labels["env"] != "prod" || target.Discovered["__address__"] != address(server) ||
		target.At == nil || target.Duration <= 0 || target.Interval != "200ms" {
		t.Errorf("target = %+v", target)
	}
	server.Close()
	p.expect("shop", `up`, "0")
	for _, ended := range []string{"orders_total", "size_bytes"} { // a native histogram ends, too
		p.expect("shop", ended, "")
	}
	p.target("shop", "api", "down", "connection refused")
}

func TestTargetsOfAFileComeAndGo(t *testing.T) {
	first, second := newExposes(t, "a 1\n"), newExposes(t, "b 2\n")
	p := here(t)
	p.file("targets.json", `[{"targets": [%q], "labels": {"rack": "r1"}}]`, address(first.Server))
	p.shop(often + "scrape_configs: [{job_name: racks, file_sd_configs: [{files: [targets.json]}]}]") // beside the file that names it
	p.expect("shop", `a{rack="r1"}`, "1")

	p.file("targets.json", `[{"targets": [%q], "labels": {"rack": "r2"}}]`, address(second.Server))
	p.expect("shop", `b{rack="r2"}`, "2")
	p.expect("shop", `a`, "")             // not for five more minutes
	p.expect("shop", `up{rack="r1"}`, "") // it is not down: it is none
	p.expect("shop", `up{rack="r2"}`, "1")
}

func TestTargetsOfAnHTTPServiceAreFound(t *testing.T) {
	target := newExposes(t, "a 1\n")
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode([]map[string]any{{"targets": []string{address(target.Server)}, "labels": map[string]string{"__meta_rack": "r1"}}}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(list.Close)
	p := here(t)
	p.shop(often+"scrape_configs: [{job_name: racks, http_sd_configs: [{url: %q}], relabel_configs: [{source_labels: [__meta_rack], target_label: rack}]}]", list.URL)
	p.expect("shop", `a{rack="r1"}`, "1")
}

func TestASeriesThatATargetShowsNoMoreEnds(t *testing.T) {
	target := newExposes(t, "a 1\nb 2\n")
	p := here(t)
	p.shop(often+"scrape_configs: [{job_name: api, static_configs: [{targets: [%q]}]}]", address(target.Server))
	p.expect("shop", `a + on () b`, "3")
	target.say("b 2\n")
	p.expect("shop", `a`, "")
	p.expect("shop", `b`, "2")
	target.say("b 2\na 4\n")
	p.expect("shop", `a`, "4")
}

func TestAFileIsFollowedAsPrometheusFollowsIt(t *testing.T) {
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "secret" || r.URL.Query().Get("module") != "x" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "# HELP kept_total Kept.\nkept_total{job=\"own\",path=\"/a\"} 1\ndropped_total 2\n")
	}))
	t.Cleanup(guarded.Close)
	p := here(t)
	p.file("password", "secret")
	job := func(name, more string) string {
		return fmt.Sprintf(`
- job_name: %s
  metrics_path: /probe
  params: {module: [x]}
  static_configs: [{targets: [%q, "dropped.example:1"]}]
  relabel_configs:
  - {source_labels: [__address__], regex: "dropped.*", action: drop}
  metric_relabel_configs:
  - {source_labels: [__name__], regex: dropped_total, action: drop}
  - {regex: path, action: labeldrop}
  %s`, name, address(guarded), more)
	}
	p.shop("%s", often+"scrape_configs:"+job("honest", "honor_labels: true\n  basic_auth: {username: me, password_file: password}")+
		job("stern", "basic_auth: {username: me, password_file: password}")+job("locked", "basic_auth: {username: me, password: wrong}"))
	p.expect("shop", `kept_total{job="own", exported_job="", path=""}`, "1")
	p.expect("shop", `kept_total{job="stern", exported_job="own"}`, "1")
	p.expect("shop", `dropped_total`, "")
	p.expect("shop", `scrape_samples_post_metric_relabeling{job="stern"}`, "1")
	p.expect("shop", `scrape_samples_scraped{job="stern"}`, "2")
	p.target("shop", "locked", "down", "401")
	status := p.status("shop")
	if status.DroppedCounts["honest"] != 1 || len(status.Dropped) != 3 || status.Dropped[0].Discovered["__address__"] != "dropped.example:1" {
		t.Errorf("dropped = %+v, %v", status.Dropped, status.DroppedCounts)
	}
}

func TestABadTargetDoesNotHarmItsNeighbours(t *testing.T) {
	bad, good := newExposes(t, "a 1\n"), newExposes(t, "b 1\n")
	p := here(t)
	p.shop(often+`scrape_configs:
- {job_name: bad, sample_limit: 3, static_configs: [{targets: [%q]}]}
- {job_name: good, static_configs: [{targets: [%q]}]}`, address(bad.Server), address(good.Server))
	for text, why := range map[string]string{
		"a 9\nthis is { no metric\n":      "invalid syntax",
		"a 9\nc 2\nd 3\ne 4\n":            "sample limit exceeded",
		"a 9\n" + "x{l=\"\xff\xfe\"} 1\n": "UTF-8",
	} {
		bad.say("a 1\n")
		p.expect("shop", `a`, "1")
		bad.say(text)
		p.target("shop", "bad", "down", why)
		p.expect("shop", `up{job="bad"}`, "0")
		p.expect("shop", `{__name__=~"a|c|d"} == 9`, "") // nothing of such a scrape is stored
		p.expect("shop", `b`, "1")
		p.target("shop", "good", "up", "")
	}
}

func TestSamplesOverALimitAreRefusedAndTheOthersStored(t *testing.T) {
	target := newExposes(t, "a 1\n")
	p := newPlace(t, metadbtest.SQLite(t), metric.Limits{MaxActive: 7}) // two, and five about the scrape
	p.shop(often+"scrape_configs: [{job_name: api, static_configs: [{targets: [%q]}]}]", address(target.Server))
	p.expect("shop", `up`, "1")
	target.say("a 2\nb 1\nc 1\nd 1 1000\n")
	found := p.target("shop", "api", "up", "ingest.max_active_series")
	if !strings.HasPrefix(found.Error, "2 samples were refused, the others are stored: ") || !strings.Contains(found.Error, "out of bounds") {
		t.Errorf("error = %q", found.Error)
	}
	p.expect("shop", `a`, "2")
	p.expect("shop", `b`, "1")
	if n := strings.Count(p.log.String(), "not all of a scrape is stored"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
	target.say("a 3\n")
	p.target("shop", "api", "up", "")
}

func TestAFileThatChangesIsTakenOverUnlessItIsWrong(t *testing.T) {
	first, second := newExposes(t, "a 1\n"), newExposes(t, "b 2\n")
	p := here(t)
	p.shop(often+"scrape_configs: [{job_name: one, static_configs: [{targets: [%q]}]}]\nscrape_config_files: [more-*.yml]", address(first.Server))
	p.expect("shop", `a{job="one"}`, "1")
	p.file("more-1.yml", "scrape_configs: [{job_name: two, static_configs: [{targets: [%q]}]}]", address(second.Server))
	p.expect("shop", `b{job="two"}`, "2")

	p.file("more-1.yml", "scrape_configs: [{job_name: two, consul_sd_configs: []}]")
	p.eventually(func() string {
		if s := p.status("shop"); !strings.Contains(s.Problem, "consul_sd_configs is not built") {
			return "problem = " + s.Problem
		}
		return ""
	})
	first.say("a 3\n")
	p.expect("shop", `a`, "3")
	p.target("shop", "two", "up", "")
	if n := strings.Count(p.log.String(), "is not taken over"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}

	p.file("more-1.yml", "scrape_configs: []")
	p.eventually(func() string {
		if s := p.status("shop"); s.Problem != "" || len(s.Targets) != 1 || s.Targets[0].Job != "one" {
			return fmt.Sprintf("status = %+v", s)
		}
		return ""
	})
}

func TestProjectsNeverSeeEachOthersTargets(t *testing.T) {
	ours, theirs := newExposes(t, "a 1\n"), newExposes(t, "a 2\n")
	p := here(t)
	file := func(name string, of *exposes) string {
		return p.file(name, often+"scrape_configs: [{job_name: %s, static_configs: [{targets: [%q]}]}]", strings.TrimSuffix(name, ".yml"), address(of.Server))
	}
	p.scrape("node-1", Entry{"shop", file("shop.yml", ours)}, Entry{"bank", file("bank.yml", theirs)})
	p.expect("shop", `a`, "1")
	p.expect("bank", `a`, "2")
	p.target("shop", "shop", "up", "")
	p.target("bank", "bank", "up", "")
	for _, key := range []string{"shop", "bank"} {
		if s := p.status(key); len(s.Targets) != 1 || s.Targets[0].Job != key {
			t.Errorf("%s sees %+v", key, s.Targets)
		}
	}
	if s, err := NewStore(p.meta, nil).Status(t.Context(), 9); err != nil || s.Configured || len(s.Targets) > 0 {
		t.Errorf("a project without targets sees %+v, %v", s, err)
	}
}

func TestOneProjectIsScrapedByOneFile(t *testing.T) {
	target := newExposes(t, "a 1\n")
	p := here(t)
	p.scrape("node-1",
		Entry{"shop", p.file("one.yml", often+"scrape_configs: [{job_name: one, static_configs: [{targets: [%q]}]}]", address(target.Server))},
		Entry{"shop", p.file("two.yml", often+"scrape_configs: [{job_name: two, static_configs: [{targets: [%q]}]}]", address(target.Server))})
	p.expect("shop", `count(up)`, "1")
	p.eventually(func() string {
		if !strings.Contains(p.log.String(), "is scraped for the same project") {
			return "nothing is said"
		}
		return ""
	})
}

func TestAStateWithoutTargetsHasEmptyLists(t *testing.T) {
	p := here(t)
	p.shop("scrape_configs: []")
	p.eventually(func() string {
		if s := p.status("shop"); !s.Scraping {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	for _, s := range []State{p.status("shop").State, p.status("bank").State} {
		if s.Targets == nil || s.Dropped == nil || s.DroppedCounts == nil {
			t.Errorf("%+v", s)
		}
	}
}

func TestARevokedKeyStopsScraping(t *testing.T) {
	target := newExposes(t, "a 1\n")
	p := here(t)
	p.revoke("shop", true) // as it is when the node starts
	p.shop(often+"scrape_configs: [{job_name: api, static_configs: [{targets: [%q]}]}]", address(target.Server))
	p.eventually(func() string {
		if !strings.Contains(p.log.String(), "unknown or revoked") {
			return "nothing is said"
		}
		return ""
	})
	p.revoke("shop", false)
	p.expect("shop", `a`, "1")
	p.revoke("shop", true)
	p.eventually(func() string {
		if s := p.status("shop"); s.Scraping || !s.Configured {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
}
