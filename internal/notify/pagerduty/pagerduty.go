// Package pagerduty opens, acknowledges and resolves incidents of PagerDuty
// through its Events API v2. The messages of one incident of MATRIX are one
// there, by dedup_key, however often they are sent.
package pagerduty

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// The limits of developer.pagerduty.com/docs/events-api-v2/trigger-events. An
// event may have 512 KB; nobody reads that much.
const (
	maxSummary = 1024
	maxText    = 60_000 // characters, ours
	maxLink    = 2000
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// URL replaces the Events API's, for a fake.
	URL string
}

// Channel sends events.
type Channel struct{ opts Options }

// New returns a PagerDuty channel.
func New(opts Options) *Channel { return &Channel{opts} }

type config struct {
	RoutingKey string `json:"routing_key"`
	Region     string `json:"region,omitempty"`
}

// KeepsCases says that the service does.
func (c *Channel) KeepsCases() {}

// Kind is "pagerduty".
func (c *Channel) Kind() string { return "pagerduty" }

// Secrets is the integration's key.
func (c *Channel) Secrets() []string { return []string{"routing_key"} }

// Check wants {"routing_key": "32 characters", "region": "us" or "eu"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9]{32}$`)

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"routing_key": …, "region": "us" or "eu"}`); err != nil {
		return cfg, err
	}
	switch {
	case !keyForm.MatchString(cfg.RoutingKey):
		return cfg, fault.New(fault.Invalid, "routing_key must be the 32 characters of an Events API v2 integration").WithField("config.routing_key")
	case cfg.Region != "" && cfg.Region != "us" && cfg.Region != "eu":
		return cfg, fault.New(fault.Invalid, "region must be us or eu").WithField("config.region")
	}
	return cfg, nil
}

// Send sends the event that m's state asks for.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	cfg, err := c.read(raw)
	if err != nil {
		return err
	}
	to := c.opts.URL
	switch {
	case to != "":
	case cfg.Region == "eu":
		to = "https://events.eu.pagerduty.com"
	default:
		to = "https://events.pagerduty.com"
	}
	answer, err := notify.Post(ctx, c.opts.Client, to+"/v2/enqueue", nil, event(cfg, m))
	if err != nil {
		return err
	}
	if answer.Status == http.StatusBadRequest {
		return fault.New(fault.Invalid, "PagerDuty refused the event (400): is the routing key that of an Events API v2 integration?")
	}
	return notify.StatusFault(answer.Status, answer.Header)
}

func event(cfg config, m notify.Message) map[string]any {
	e := map[string]any{"routing_key": cfg.RoutingKey, "event_action": action(m.State), "dedup_key": m.CaseKey(255), "client": "MATRIX"}
	var links []map[string]string
	for _, b := range m.Buttons(maxLink) {
		links = append(links, map[string]string{"href": b.URL, "text": b.Label})
	}
	if len(links) > 0 {
		e["links"] = links
	}
	if link := m.Address(maxLink); link != "" {
		e["client_url"] = link
	}
	if e["event_action"] != "trigger" {
		return e
	}
	source := m.Service
	if source == "" {
		source = "MATRIX"
	}
	details := map[string]any{"text": m.Shorter(maxText, notify.Characters)}
	for name, value := range map[string]string{"service": m.Service, "environment": m.Environment} {
		if value != "" {
			details[name] = value
		}
	}
	if len(m.Labels) > 0 {
		details["labels"] = m.Labels
	}
	severity := m.Severity
	if severity == "" {
		severity = notify.Critical
	}
	e["payload"] = map[string]any{"summary": m.Title(maxSummary, notify.Characters), "source": source, "severity": severity,
		"class": m.Kind, "custom_details": details}
	return e
}

func action(state string) string {
	switch state {
	case notify.Acknowledged:
		return "acknowledge"
	case notify.Resolved:
		return "resolve"
	}
	return "trigger"
}
