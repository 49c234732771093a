package ingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// Alerts of other systems: as Prometheus sends them to an Alertmanager, as
// Grafana and Alertmanager send them to a webhook, and in a form of our own for
// everything else.
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
// https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
const (
	alertmanagerPath = "/api/v2/alerts"
	statusPath       = "/api/v2/status"
	grafanaPath      = "/api/v1/alerts/in/grafana"
	webhookPath      = "/api/v1/alerts/in/webhook"
)

// Limits of one request, and of what projects may send: every alert is written
// to the metadata database, which many share.
const (
	maxAlertBody   = 2 << 20 // bytes
	maxAlerts      = 1000
	maxAlertLabels = 64
	maxAlertText   = 2048 // bytes of a label's value, a summary, a runbook
	alertRate      = 100  // alerts/s of a project, of each node
)

// alertSignal has a rate of its own.
var alertSignal = signal{name: "alerts", items: "alerts", rate: project.Metrics}

// alertReader reads the alerts of a request; refused are those it cannot take,
// with the reason.
type alertReader func(body []byte, now time.Time) (alerts []rule.Alert, refused []string, err error)

// handleAlerts registers the paths of alerts.
func (s *Server) handleAlerts(mux *http.ServeMux) {
	for path, read := range map[string]alertReader{alertmanagerPath: readAlertmanager, grafanaPath: readGrafana, webhookPath: readWebhook} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.receiveAlerts(w, r, read) })
	}
	mux.HandleFunc(statusPath, s.alertmanagerStatus)
}

func (s *Server) receiveAlerts(w http.ResponseWriter, r *http.Request, read alertReader) {
	s.stats.requests.Add(1)
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "send alerts with POST", http.StatusMethodNotAllowed)
		return
	}
	taken, refused, err := s.takeAlerts(r, read)
	switch {
	case err != nil:
		s.refusePlain(w, err)
	case len(refused) > 0:
		// 400 tells the sender not to repeat: what could be taken is.
		http.Error(w, fmt.Sprintf("%d alerts were refused, %d are taken: %s", len(refused), taken, strings.Join(refused[:min(len(refused), 10)], "; ")), http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// takeAlerts reads a request and pushes what it brings.
func (s *Server) takeAlerts(r *http.Request, read alertReader) (taken int, refused []string, err error) {
	tenant, err := s.authenticate(withBasicKey(r))
	if err != nil {
		return 0, nil, err
	}
	if s.opts.PushAlerts == nil {
		return 0, nil, fault.New(fault.Unsupported, "this receiver takes no alerts")
	}
	b := s.newBody(tenant)
	defer b.release()
	limit := min(maxAlertBody, s.opts.MaxBody)
	if err := b.receive(r.Body, r.ContentLength, limit); err != nil {
		return 0, nil, err
	}
	if err := b.decompress(r.Header.Get("Content-Encoding"), limit); err != nil {
		return 0, nil, err
	}
	alerts, refused, err := read(b.bytes, s.now())
	if err != nil {
		return 0, nil, err
	}
	if n := len(alerts) + len(refused); n > maxAlerts {
		return 0, nil, fault.New(fault.TooLarge, "a request has at most %d alerts, not %d", maxAlerts, n)
	}
	limited := Tenant{Project: tenant.Project, Rate: project.Rate{Metrics: alertRate}}
	settle, err := s.pay(limited, &alertSignal, len(alerts))
	if err != nil {
		return 0, nil, err
	}
	if len(alerts) > 0 {
		err = s.opts.PushAlerts(r.Context(), tenant.Project, alerts)
	}
	settle(err)
	return len(alerts), refused, err
}

// withBasicKey is the request with the password of basic authentication as its
// key: senders that cannot set a header of their own can that.
func withBasicKey(r *http.Request) *http.Request {
	_, password, ok := r.BasicAuth()
	if !ok {
		return r
	}
	with := r.Clone(r.Context())
	with.Header.Set("Authorization", "Bearer "+password)
	return with
}

// alertmanagerStatus is what tools ask an Alertmanager before they use it.
func (s *Server) alertmanagerStatus(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "ask with GET", http.StatusMethodNotAllowed)
		return
	}
	if _, err := s.authenticate(withBasicKey(r)); err != nil {
		s.refusePlain(w, err)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that is gone has nobody to tell
		"cluster":     map[string]any{"status": "disabled", "peers": []string{}},
		"config":      map[string]string{"original": ""},
		"uptime":      s.started.UTC().Format(time.RFC3339),
		"versionInfo": map[string]string{"version": "MATRIX", "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": ""},
	})
}

// outsideAlert is an alert in the words that Prometheus, Alertmanager and Grafana share.
type outsideAlert struct {
	Status      string             `json:"status"` // of webhooks only
	Labels      map[string]string  `json:"labels"`
	Annotations map[string]string  `json:"annotations"`
	StartsAt    time.Time          `json:"startsAt"`
	EndsAt      time.Time          `json:"endsAt"`
	Values      map[string]float64 `json:"values"` // of Grafana only
}

// readAlertmanager reads what Prometheus posts to an Alertmanager. EndsAt lies in
// the future while the alert lasts: it says when nobody repeats it any more.
func readAlertmanager(body []byte, now time.Time) ([]rule.Alert, []string, error) {
	var sent []outsideAlert
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, nil, unreadable(err, "a list of alerts as Alertmanager's API v2 takes them")
	}
	alerts, refused := takenOver(sent, now)
	return alerts, refused, nil
}

// readGrafana reads what Grafana and Alertmanager post to a webhook.
func readGrafana(body []byte, now time.Time) ([]rule.Alert, []string, error) {
	var sent struct {
		Alerts []outsideAlert `json:"alerts"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, nil, unreadable(err, "a webhook of Grafana or Alertmanager: an object with a list of alerts")
	}
	if sent.Alerts == nil {
		return nil, nil, fault.New(fault.Invalid, "there is no list \"alerts\" in it, as webhooks of Grafana and Alertmanager have")
	}
	alerts, refused := takenOver(sent.Alerts, now)
	return alerts, refused, nil
}

func takenOver(sent []outsideAlert, now time.Time) (alerts []rule.Alert, refused []string) {
	for i := range sent {
		a, err := sent[i].alert(now)
		if err != nil {
			refused = append(refused, fmt.Sprintf("alert %d: %v", i+1, err))
			continue
		}
		alerts = append(alerts, a)
	}
	return alerts, refused
}

func (a *outsideAlert) alert(now time.Time) (rule.Alert, error) {
	labels := maps.Clone(a.Labels)
	name := labels["alertname"]
	if name == "" {
		return rule.Alert{}, errors.New("the label alertname is missing")
	}
	delete(labels, "alertname")
	severity := labels["severity"]
	delete(labels, "severity")
	var value float64
	if refs := slices.Sorted(maps.Keys(a.Values)); len(refs) > 0 {
		value = a.Values[refs[0]] // what was measured; the others are expressions on it
	}
	return checked(rule.Alert{
		Name: name, Labels: labels, Severity: severity, StartsAt: a.StartsAt, Value: value,
		Summary:  cmp.Or(a.Annotations["summary"], a.Annotations["message"], a.Annotations["description"]),
		Runbook:  cmp.Or(a.Annotations["runbook_url"], a.Annotations["runbook"]),
		Resolved: a.Status == "resolved" || !a.EndsAt.IsZero() && !a.EndsAt.After(now),
	}, now)
}

// plainAlert is an alert in our own words.
type plainAlert struct {
	Name     string            `json:"name"`
	Status   string            `json:"status"` // firing or resolved; "" is firing
	Severity string            `json:"severity"`
	Summary  string            `json:"summary"`
	Runbook  string            `json:"runbook"`
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"starts_at"`
	Value    float64           `json:"value"`
}

// readWebhook reads one alert in our own words, or an object with a list of them.
// What it does not know is refused: a misspelt field would be lost in silence.
func readWebhook(body []byte, now time.Time) ([]rule.Alert, []string, error) {
	const want = `{"name": …, "status": "firing", "severity": …, "summary": …, "runbook": …, "labels": {…}, "starts_at": …, "value": …}, or {"alerts": [ … ]} of those`
	var several struct {
		Alerts []plainAlert `json:"alerts"`
	}
	var probe map[string]json.RawMessage
	if err := json.Unmarshal(body, &probe); err != nil {
		return nil, nil, unreadable(err, want)
	}
	if _, ok := probe["alerts"]; ok {
		if err := strictly(body, &several); err != nil {
			return nil, nil, unreadable(err, want)
		}
	} else {
		several.Alerts = make([]plainAlert, 1)
		if err := strictly(body, &several.Alerts[0]); err != nil {
			return nil, nil, unreadable(err, want)
		}
	}
	var alerts []rule.Alert
	var refused []string
	for i, sent := range several.Alerts {
		a, err := sent.alert(now)
		if err != nil {
			refused = append(refused, fmt.Sprintf("alert %d: %v", i+1, err))
			continue
		}
		alerts = append(alerts, a)
	}
	return alerts, refused, nil
}

func (a *plainAlert) alert(now time.Time) (rule.Alert, error) {
	switch {
	case a.Name == "":
		return rule.Alert{}, errors.New("the name is missing")
	case a.Status != "" && a.Status != "firing" && a.Status != "resolved":
		return rule.Alert{}, fmt.Errorf("the status is firing or resolved, not %q", a.Status)
	}
	return checked(rule.Alert{
		Name: a.Name, Labels: a.Labels, Severity: a.Severity, StartsAt: a.StartsAt, Value: a.Value,
		Summary: a.Summary, Runbook: a.Runbook, Resolved: a.Status == "resolved",
	}, now)
}

// checked is the alert within its limits. Texts that are too long are cut; a
// label that is may not be, as it says what the alert is about.
func checked(a rule.Alert, now time.Time) (rule.Alert, error) {
	a.Labels = maps.Clone(a.Labels)
	maps.DeleteFunc(a.Labels, func(_, value string) bool { return value == "" })
	if len(a.Labels) > maxAlertLabels {
		return a, fmt.Errorf("it has %d labels, at most %d are taken", len(a.Labels), maxAlertLabels)
	}
	for name, value := range a.Labels {
		if name == "" || len(name) > maxAlertText || len(value) > maxAlertText {
			return a, fmt.Errorf("label %.40q: names and values have at most %d bytes", name, maxAlertText)
		}
	}
	if math.IsNaN(a.Value) || math.IsInf(a.Value, 0) {
		a.Value = 0
	}
	if a.StartsAt.IsZero() || a.StartsAt.After(now) {
		a.StartsAt = now
	}
	a.Severity = rule.SeverityOf(a.Severity)
	a.Name, a.Summary = cut(a.Name), cut(a.Summary)
	if len(a.Runbook) > maxAlertText {
		a.Runbook = "" // half an address is none
	}
	return a, nil
}

// cut shortens a text to maxAlertText, to whole characters.
func cut(text string) string {
	if len(text) <= maxAlertText {
		return text
	}
	return strings.ToValidUTF8(text[:maxAlertText], "")
}

// strictly reads JSON into v and refuses fields that v does not have.
func strictly(body []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows after the end")
	}
	return nil
}

func unreadable(err error, want string) error {
	return fault.New(fault.Invalid, "the request cannot be read: %s; send %s", strings.TrimPrefix(err.Error(), "json: "), want)
}

// PushAlerts hands alerts of other systems to who makes incidents of them.
type PushAlerts func(ctx context.Context, p project.ID, alerts []rule.Alert) error
