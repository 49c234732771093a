package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// pushed keeps what receivers handed on.
type pushed struct {
	mu      sync.Mutex
	project project.ID
	alerts  []rule.Alert
	err     error
	came    chan struct{}
}

func (p *pushed) push(_ context.Context, of project.ID, alerts []rule.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	p.project, p.alerts = of, append(p.alerts, alerts...)
	select {
	case p.came <- struct{}{}:
	default:
	}
	return nil
}

func (p *pushed) take() []rule.Alert {
	p.mu.Lock()
	defer p.mu.Unlock()
	alerts := p.alerts
	p.alerts = nil
	return alerts
}

var alertNow = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func startAlerts(t *testing.T) (*harness, *pushed) {
	t.Helper()
	got := &pushed{came: make(chan struct{}, 1)}
	return start(t, func(o *Options) {
		o.PushAlerts = got.push
		o.Now = func() time.Time { return alertNow }
	}), got
}

// Prometheus' own notifier, configured as the guide says.
func TestPrometheusSendsItsAlertsHereAsToAnAlertmanager(t *testing.T) {
	h, got := startAlerts(t)
	for name, authorization := range map[string]string{
		"with a bearer key":     "authorization: {credentials: " + goodKey + "}",
		"with a basic password": "basic_auth: {username: matrix, password: " + goodKey + "}",
	} {
		t.Run(name, func(t *testing.T) {
			sent, err := config.Load(fmt.Sprintf("alerting:\n  alertmanagers:\n  - %s\n    static_configs:\n    - targets: [%q]\n", authorization, h.HTTPAddr()), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			manager := notifier.NewManager(&notifier.Options{QueueCapacity: 100}, model.LegacyValidation, slog.New(slog.DiscardHandler))
			if err := manager.ApplyConfig(sent); err != nil {
				t.Fatal(err)
			}
			targets := make(chan map[string][]*targetgroup.Group)
			var running sync.WaitGroup
			running.Go(func() { manager.Run(targets) })
			defer func() {
				manager.Stop()
				running.Wait()
			}()
			found := map[string][]*targetgroup.Group{}
			for id, c := range sent.AlertingConfig.AlertmanagerConfigs.ToMap() {
				for _, discovered := range c.ServiceDiscoveryConfigs {
					found[id] = append(found[id], discovered.(discovery.StaticConfig)...)
				}
			}
			targets <- found
			for deadline := time.Now().Add(5 * time.Second); len(manager.Alertmanagers()) == 0; {
				if time.Now().After(deadline) {
					t.Fatal("the notifier never took its target")
				}
			}
			firing := &notifier.Alert{
				Labels:      labels.FromStrings("alertname", "HighLatency", "severity", "page", "service", "order-api", "instance", "a:1"),
				Annotations: labels.FromStrings("summary", "orders are slow", "runbook_url", "https://runbooks.example.com/slow"),
				StartsAt:    alertNow.Add(-time.Hour), EndsAt: alertNow.Add(4 * time.Minute),
			}
			over := &notifier.Alert{Labels: labels.FromStrings("alertname", "Over"), StartsAt: alertNow.Add(-time.Hour), EndsAt: alertNow.Add(-time.Minute)}
			manager.Send(firing, over)
			var alerts []rule.Alert
			for len(alerts) < 2 {
				select {
				case <-got.came:
					alerts = append(alerts, got.take()...)
				case <-time.After(10 * time.Second):
					t.Fatalf("got %+v", alerts)
				}
			}
			want := []rule.Alert{
				{Name: "HighLatency", Labels: map[string]string{"service": "order-api", "instance": "a:1"}, Summary: "orders are slow",
					Runbook: "https://runbooks.example.com/slow", Severity: rule.Critical, StartsAt: alertNow.Add(-time.Hour)},
				{Name: "Over", Labels: map[string]string{}, Severity: rule.Warning, StartsAt: alertNow.Add(-time.Hour), Resolved: true},
			}
			if diff := cmp.Diff(want, alerts); diff != "" {
				t.Errorf("alerts (-want +got)\n%s", diff)
			}
			if got.project != 7 {
				t.Errorf("pushed to project %d", got.project)
			}
		})
	}
}

func TestGrafanasWebhookAndOneOfOurOwnAreTaken(t *testing.T) {
	h, got := startAlerts(t)
	f := func(path, body string, want ...rule.Alert) {
		t.Helper()
		response, answer := h.post(httpRequest{path: path, key: goodKey, content: typeJSON, body: []byte(body)})
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, response.StatusCode, answer)
		}
		if diff := cmp.Diff(want, got.take()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
	}
	// As Grafana 11 sends it.
	f(grafanaPath, `{"receiver":"matrix","status":"firing","orgId":1,"alerts":[
		{"status":"firing","labels":{"alertname":"Queue long","grafana_folder":"Orders","service":"order-worker"},
		 "annotations":{"summary":"The queue has 1200 entries","runbook_url":"https://runbooks.example.com/queue"},
		 "startsAt":"2026-11-29T11:50:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://grafana.example.com/alerting/grafana/x/view",
		 "fingerprint":"57c6d9296de2ad39","silenceURL":"https://grafana.example.com/alerting/silence/new","dashboardURL":"","panelURL":"","values":{"B":1200,"C":1},"valueString":"[ var='B' ]"},
		{"status":"resolved","labels":{"alertname":"Disk","severity":"critical"},"annotations":{},"startsAt":"2026-11-29T10:00:00Z","endsAt":"2026-11-29T11:00:00Z"}],
		"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://grafana.example.com/","version":"1","groupKey":"{}:{}","truncatedAlerts":0,"title":"[FIRING:1]","state":"alerting","message":""}`,
		rule.Alert{Name: "Queue long", Labels: map[string]string{"grafana_folder": "Orders", "service": "order-worker"}, Summary: "The queue has 1200 entries",
			Runbook: "https://runbooks.example.com/queue", Severity: rule.Warning, StartsAt: alertNow.Add(-10 * time.Minute), Value: 1200},
		rule.Alert{Name: "Disk", Labels: map[string]string{}, Severity: rule.Critical, StartsAt: alertNow.Add(-2 * time.Hour), Resolved: true})
	f(webhookPath, `{"name":"Backup failed","severity":"high","summary":"exit status 2","labels":{"service":"backup","host":"db1"},"value":2}`,
		rule.Alert{Name: "Backup failed", Labels: map[string]string{"service": "backup", "host": "db1"}, Summary: "exit status 2", Severity: rule.Critical, StartsAt: alertNow, Value: 2})
	f(webhookPath, `{"alerts":[{"name":"A"},{"name":"B","status":"resolved"}]}`,
		rule.Alert{Name: "A", Severity: rule.Warning, StartsAt: alertNow},
		rule.Alert{Name: "B", Severity: rule.Warning, StartsAt: alertNow, Resolved: true})
}

func TestAlertsThatCannotBeTakenAreRefusedInWordsAndTheOthersAreTaken(t *testing.T) {
	h, got := startAlerts(t)
	f := func(r httpRequest, status int, want string, taken int) {
		t.Helper()
		r.content = typeJSON
		response, answer := h.post(r)
		if response.StatusCode != status || !strings.Contains(string(answer), want) {
			t.Errorf("%s %s: status %d: %s", r.path, r.body, response.StatusCode, answer)
		}
		if alerts := got.take(); len(alerts) != taken {
			t.Errorf("%s: took %d alerts, want %d", r.path, len(alerts), taken)
		}
	}
	many, err := json.Marshal(make([]outsideAlert, maxAlerts+1))
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", maxAlertText+1)
	f(httpRequest{path: alertmanagerPath, body: []byte(`[]`)}, 401, "no ingest key", 0)
	f(httpRequest{path: alertmanagerPath, key: "mtx_ing_wrong", body: []byte(`[]`)}, 401, "unknown or revoked", 0)
	f(httpRequest{path: alertmanagerPath, key: goodKey, method: "GET"}, 405, "POST", 0)
	f(httpRequest{path: alertmanagerPath, key: goodKey, body: []byte(`{"a":`)}, 400, "Alertmanager's API v2", 0)
	f(httpRequest{path: alertmanagerPath, key: goodKey, body: many}, 413, "at most 1000 alerts", 0)
	f(httpRequest{path: alertmanagerPath, key: goodKey, body: make([]byte, maxAlertBody+1)}, 413, "", 0)
	f(httpRequest{path: alertmanagerPath, key: goodKey, body: []byte(`[{"labels":{"a":"b"}},{"labels":{"alertname":"good"}}]`)}, 400, "1 alerts were refused, 1 are taken: alert 1: the label alertname is missing", 1)
	f(httpRequest{path: alertmanagerPath, key: goodKey, body: []byte(`[{"labels":{"alertname":"a","b":"` + long + `"}}]`)}, 400, `label "b": names and values have at most`, 0)
	f(httpRequest{path: grafanaPath, key: goodKey, body: []byte(`{"title":"x"}`)}, 400, "no list", 0)
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{"name":"x","sevrity":"high"}`)}, 400, `unknown field "sevrity"`, 0)
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{"alerts":[{"name":"x","state":"ok"}]}`)}, 400, `unknown field "state"`, 0)
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{"name":"x","status":"broken"}`)}, 400, "firing or resolved", 0)
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{}`)}, 400, "the name is missing", 0)
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{"name":"x","summary":"` + long + `","runbook":"` + long + `"}`)}, 200, "", 1)

	got.err = fault.New(fault.Invalid, "a project has at most 2000 rules")
	f(httpRequest{path: webhookPath, key: goodKey, body: []byte(`{"name":"x"}`)}, 400, "at most 2000 rules", 0)
}

func TestAProjectThatFloodsUsWithAlertsIsToldToSlowDownAndTheOthersAreNot(t *testing.T) {
	h, got := startAlerts(t)
	batch := []byte(`[` + strings.Repeat(`{"labels":{"alertname":"a"}},`, 599) + `{"labels":{"alertname":"a"}}]`)
	f := func(key string, want int) *http.Response {
		t.Helper()
		response, answer := h.post(httpRequest{path: alertmanagerPath, key: key, content: typeJSON, body: batch})
		if response.StatusCode != want {
			t.Errorf("status %d: %s", response.StatusCode, answer)
		}
		return response
	}
	f(goodKey, 200)
	if response := f(goodKey, 429); response.Header.Get("Retry-After") != "2" {
		t.Errorf("come again after %q s", response.Header.Get("Retry-After"))
	}
	f(slowKey, 200)
	if alerts := got.take(); len(alerts) != 1200 {
		t.Errorf("%d alerts were taken", len(alerts))
	}
}

func TestToolsThatAskForAnAlertmanagersStatusAreAnswered(t *testing.T) {
	h, _ := startAlerts(t)
	response, answer := h.post(httpRequest{method: "GET", path: statusPath, key: goodKey})
	var status struct {
		Cluster struct {
			Status string `json:"status"`
		} `json:"cluster"`
		Uptime time.Time `json:"uptime"`
	}
	if err := json.Unmarshal(answer, &status); err != nil || response.StatusCode != 200 || status.Cluster.Status != "disabled" || !status.Uptime.Equal(alertNow) {
		t.Errorf("status %d: %s", response.StatusCode, answer)
	}
	if response, _ := h.post(httpRequest{method: "GET", path: statusPath}); response.StatusCode != 401 {
		t.Errorf("without a key: status %d", response.StatusCode)
	}
}
