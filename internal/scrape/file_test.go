package scrape

import (
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
)

func TestAWrongFileSaysWhatIsWrongAndWhere(t *testing.T) {
	p := &place{t: t, dir: t.TempDir()}
	f := func(text string, want ...string) {
		t.Helper()
		err := Check(p.file("prometheus.yml", "%s", text))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s\nis %v", text, err)
			return
		}
		for _, w := range append(want, "prometheus.yml") {
			if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q does not say %q", err, w)
			}
		}
	}
	f("scrape_configs:\n- job_name: pods\n  kubernetes_sd_configs:\n  - role: pod\n", "line 3", "kubernetes_sd_configs is not built", "file_sd_configs")
	f("rule_files: [a]\nscrape_configs:\n- job_name: x\n  scrape_intervall: 5s\n", "line 4", "scrape_intervall")
	f("alerting: {}\nscrapes: []\n", "line 2", "scrapes")
	f("scrape_configs:\n- {job_name: x, static_configs: [{targets: ['http://a:1/x']}]}\n", "http://a:1/x")
	f("scrape_configs:\n- {job_name: x}\n- {job_name: x}\n", "x")
	f("global: {scrape_interval: 5s, scrape_timeout: 6s}\n", "timeout")
	f("scrape_configs: [\n", "line")
	f("just a text\n", "config")
	f("scrape_configs:\n- {job_name: x, tls_config: {ca_file: missing.pem}}\n", "job x", "missing.pem")
	p.file("more.yml", "scrape_configs:\n- job_name: y\n  dns_sd_configs: [{names: [a]}]\n")
	f("scrape_config_files: [more.yml]\n", "more.yml", "line 3", "dns_sd_configs")
	if err := Check(p.dir + "/none.yml"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "none.yml") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestTheRestOfAPrometheusFileIsLeftOut(t *testing.T) {
	p := &place{t: t, dir: t.TempDir()}
	f, err := load(p.file("prometheus.yml", `
# What somebody has had for years.
global:
  scrape_interval: 15s
  external_labels: {cluster: a}
rule_files: [rules/*.yml]
alerting:
  alertmanagers:
  - kubernetes_sd_configs: [{role: pod}]
scrape_configs:
- job_name: a
  static_configs: [{targets: ["a:1"]}]
remote_write:
- url: nonsense that is not read
  sigv4: {}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.ignored, " "); got != "rule_files alerting remote_write global.external_labels" {
		t.Errorf("ignored = %s", got)
	}
	if jobs := f.config.ScrapeConfigs; len(jobs) != 1 || jobs[0].JobName != "a" || jobs[0].ScrapeInterval.String() != "15s" || jobs[0].BodySizeLimit != maxBody {
		t.Errorf("jobs = %+v", jobs)
	}
}

func TestAnEmptyFileScrapesNothing(t *testing.T) {
	p := &place{t: t, dir: t.TempDir()}
	for _, text := range []string{"", "# nothing yet\n", "global: {body_size_limit: 1KB}\n"} {
		if err := Check(p.file("prometheus.yml", "%s", text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
