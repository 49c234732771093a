package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/load"
)

// town is many projects of one organisation.
type town struct {
	options
	matrix   *rig.Matrix
	client   *client.Client
	projects []place
}

// place is a project and the key its telemetry comes with.
type place struct{ path, key string }

// newTown makes the projects, through the API as people do.
func newTown(ctx context.Context, matrix *rig.Matrix, o options) (*town, error) {
	c, err := client.SignIn(ctx, matrix.URL, matrix.Email, matrix.Password)
	if err != nil {
		return nil, err
	}
	var first struct {
		Projects []struct {
			Group int64 `json:"group_id"`
		} `json:"projects"`
	}
	if _, err := c.Get(ctx, "/api/v1/me", &first); err != nil {
		return nil, err
	}
	if len(first.Projects) == 0 {
		return nil, errors.New("no project after the first start")
	}
	t := &town{options: o, matrix: matrix, client: c}
	for i := range o.projects {
		var made struct {
			ID int64 `json:"id"`
		}
		if _, err := c.Call(ctx, http.MethodPost, fmt.Sprintf("/api/v1/groups/%d/projects", first.Projects[0].Group), "", map[string]any{"name": fmt.Sprintf("project-%02d", i)}, &made); err != nil {
			return nil, err
		}
		p := place{path: fmt.Sprintf("/api/v1/projects/%d", made.ID)}
		var key struct {
			Secret string `json:"secret"`
		}
		if _, err := c.Call(ctx, http.MethodPost, p.path+"/keys", "", map[string]any{"name": "bench"}, &key); err != nil {
			return nil, err
		}
		p.key = key.Secret
		t.projects = append(t.projects, p)
	}
	return t, nil
}

// sendAll has spans and metrics come into every project until what it returns is
// called, which returns what went wrong.
func (t *town) sendAll(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() {
		err := t.reportAll(ctx)
		if ctx.Err() != nil {
			err = nil
		}
		ended <- err
	}()
	for i, p := range t.projects {
		go func() {
			const batch = 200
			report, err := load.Run(ctx, load.Options{
				Endpoint: t.matrix.HTTP, Key: p.key, Spans: 1 << 30, Batch: batch, Concurrency: 1, Rate: t.rate / float64(len(t.projects)), Seed: uint64(i + 1),
			})
			switch {
			case ctx.Err() != nil:
				err = nil
			case err == nil:
				err = fmt.Errorf("the senders ended early: %+v", report)
			}
			ended <- err
		}()
	}
	return func() error {
		cancel()
		var all []error
		for range len(t.projects) + 1 {
			all = append(all, <-ended)
		}
		return errors.Join(all...)
	}
}

// reportEvery is how often the metrics of a project are sent.
const reportEvery = 15 * time.Second

// reportAll has every project report the metrics of its services and hosts, as
// agents do, until ctx is done.
func (t *town) reportAll(ctx context.Context) error {
	services, err := t.servicesOf(ctx)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		for i, p := range t.projects {
			if err := t.matrix.RemoteWrite(ctx, p.key, report(services, time.Now(), n)); err != nil {
				return err
			}
			if err := sleep(ctx, reportEvery/time.Duration(len(t.projects)+1)); err != nil {
				return fmt.Errorf("project %d: %w", i, err)
			}
		}
	}
}

// hosts is how many hosts a project has.
const hosts = 4

// report is what a project's services and hosts say the n-th time: all is well.
func report(services []string, at time.Time, n int) []byte {
	var request []byte
	add := func(value float64, labels ...[2]string) {
		request = rig.AppendSeries(request, labels, rig.Sample{At: at, Value: value})
	}
	name := func(metric string) [2]string { return [2]string{"__name__", metric} }
	for _, service := range services {
		of := [2]string{"service_name", service}
		for pod := range 2 {
			instance := [2]string{"service_instance_id", fmt.Sprintf("%s-%d", service, pod)}
			heap := [2]string{"jvm_memory_type", "heap"}
			for _, pool := range []string{"eden", "old", "survivor"} {
				add(1e8+float64(n%7)*1e6, name("jvm_memory_used_bytes"), heap, [2]string{"jvm_memory_pool_name", pool}, instance, of)
				add(1e9, name("jvm_memory_limit_bytes"), heap, [2]string{"jvm_memory_pool_name", pool}, instance, of)
			}
			add(float64(n)*0.05, name("jvm_gc_duration_seconds_sum"), [2]string{"jvm_gc_name", "G1"}, instance, of)
			for _, code := range []string{"200", "404", "500"} {
				add(float64(n)*20, name("http_server_request_duration_seconds_count"), [2]string{"http_response_status_code", code}, instance, of)
			}
		}
	}
	for host := range hosts {
		on := [2]string{"host_name", fmt.Sprintf("host-%d", host)}
		for _, state := range []string{"idle", "user", "system"} {
			add(float64(n)*5, name("system_cpu_time_seconds_total"), on, [2]string{"state", state})
		}
		for _, state := range []string{"used", "free", "cached"} {
			add(4e9, name("system_memory_usage_bytes"), on, [2]string{"state", state})
		}
		for _, state := range []string{"used", "free"} {
			add(5e10, name("system_filesystem_usage_bytes"), [2]string{"device", "/dev/vda"}, on, [2]string{"mountpoint", "/"}, [2]string{"state", state}, [2]string{"type", "ext4"})
		}
	}
	return request
}

// makeRules makes the rules of every template for services, those of hosts, and
// those of a Prometheus rule file in every project, and returns how many these are.
func (t *town) makeRules(ctx context.Context, services []string) (int, error) {
	rules := 0
	for _, p := range t.projects {
		apply := func(template, service string) error {
			var made struct {
				Made    []struct{} `json:"made"`
				Skipped []string   `json:"skipped"`
			}
			_, err := t.client.Call(ctx, http.MethodPost, p.path+"/rule-templates/"+template, "", map[string]any{"language": "en", "service": service}, &made)
			rules += len(made.Made)
			return err
		}
		if err := apply("hosts", ""); err != nil {
			return 0, err
		}
		for _, service := range services {
			for _, template := range []string{"web", "java", "database"} {
				if err := apply(template, service); err != nil {
					return 0, err
				}
			}
		}
		var imported struct {
			Made   int   `json:"made"`
			Faults []any `json:"faults"`
		}
		if _, err := t.client.Call(ctx, http.MethodPost, p.path+"/rules/prometheus", "", map[string]any{"text": t.ruleFile(services)}, &imported); err != nil {
			return 0, err
		}
		if imported.Made != t.promql {
			return 0, fmt.Errorf("%d of %d alerts were imported: %v", imported.Made, t.promql, imported.Faults)
		}
		rules += imported.Made
	}
	return rules, nil
}

// ruleFile is a file of Prometheus rules over the metrics that MATRIX makes of spans.
func (t *town) ruleFile(services []string) string {
	var b strings.Builder
	b.WriteString("groups:\n- name: bench\n  rules:\n")
	for i := range t.promql {
		fmt.Fprintf(&b, "  - alert: Busy%02d\n    expr: sum by (service_name) (rate(http_server_request_duration_seconds_count{service_name=%q}[5m])) > %d\n    for: 2m\n",
			i, services[i%len(services)], 1000+i)
	}
	return b.String()
}

// servicesOf waits until there are as many services as get rules: those of the
// first project, which all have.
func (t *town) servicesOf(ctx context.Context) ([]string, error) {
	p := t.projects[0]
	for {
		var list struct {
			Items []struct {
				Name string `json:"service"`
			} `json:"items"`
		}
		if _, err := t.client.Get(ctx, p.path+"/services", &list); err != nil {
			return nil, err
		}
		if len(list.Items) >= t.services {
			var names []string
			for _, s := range list.Items[:t.services] {
				names = append(names, s.Name)
			}
			return names, nil
		}
		if err := sleep(ctx, time.Second); err != nil {
			return nil, fmt.Errorf("%s has %d services: %w", p.path, len(list.Items), err)
		}
	}
}

// watch asks every project, one after the other and each every two seconds, how far
// behind its rules are.
func (t *town) watch(ctx context.Context, how time.Duration) ([]time.Duration, error) {
	var seen []time.Duration
	for until, next := time.Now().Add(how), time.Now(); time.Now().Before(until); next = next.Add(2 * time.Second) {
		for _, p := range t.projects {
			var at struct {
				Failing  int   `json:"failing"`
				BehindMs int64 `json:"behind_ms"`
			}
			if _, err := t.client.Get(ctx, p.path+"/rules/evaluation", &at); err != nil {
				return nil, err
			}
			if at.Failing > 0 {
				return nil, fmt.Errorf("%d rules of %s cannot be evaluated", at.Failing, p.path)
			}
			seen = append(seen, time.Duration(at.BehindMs)*time.Millisecond)
		}
		if err := sleep(ctx, time.Until(next.Add(2*time.Second))); err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// cost is what MATRIX and its engine used in a second, in seconds of CPU, and the
// most memory MATRIX has held.
type cost struct {
	matrix, engine float64
	peak           int64
}

func (t *town) cost(ctx context.Context, pair *rig.Pair, how time.Duration) (cost, error) {
	return t.costWhile(pair, func() error { return sleep(ctx, how) })
}

func (t *town) costWhile(pair *rig.Pair, do func() error) (cost, error) {
	began := time.Now()
	before, err := rig.CPU(pair.Matrix.PID(), pair.Engine.PID())
	if err != nil {
		return cost{}, err
	}
	if err := do(); err != nil {
		return cost{}, err
	}
	took := time.Since(began).Seconds()
	after, err := rig.CPU(pair.Matrix.PID(), pair.Engine.PID())
	if err != nil {
		return cost{}, err
	}
	matrix, err := rig.UsageOf(pair.Matrix.PID())
	return cost{(after[0] - before[0]).Seconds() / took, (after[1] - before[1]).Seconds() / took, matrix.Peak}, err
}
