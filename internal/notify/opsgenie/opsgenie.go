// Package opsgenie creates, acknowledges and closes alerts of Opsgenie. The
// messages of one incident of MATRIX are one alert there, by alias: the first
// one creates it, later ones become its notes or change its state.
package opsgenie

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// The limits of docs.opsgenie.com/docs/alert-api, in characters.
const (
	maxMessage     = 130
	maxDescription = 15_000
	maxNote        = 25_000
	maxAlias       = 512
	maxTag         = 50
	maxTags        = 20
	maxEntity      = 512
	maxLink        = 2000
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// URL replaces the Alert API's, for a fake.
	URL string
}

// Channel works on alerts.
type Channel struct{ opts Options }

// New returns an Opsgenie channel.
func New(opts Options) *Channel { return &Channel{opts} }

type config struct {
	APIKey string `json:"api_key"`
	Region string `json:"region,omitempty"`
}

// KeepsCases says that the service does.
func (c *Channel) KeepsCases() {}

// Kind is "opsgenie".
func (c *Channel) Kind() string { return "opsgenie" }

// Secrets is the integration's key.
func (c *Channel) Secrets() []string { return []string{"api_key"} }

// Check wants {"api_key": "…", "region": "us" or "eu"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9-]{20,100}$`)

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"api_key": …, "region": "us" or "eu"}`); err != nil {
		return cfg, err
	}
	switch {
	case !keyForm.MatchString(cfg.APIKey):
		return cfg, fault.New(fault.Invalid, "api_key must be the key of an API integration").WithField("config.api_key")
	case cfg.Region != "" && cfg.Region != "us" && cfg.Region != "eu":
		return cfg, fault.New(fault.Invalid, "region must be us or eu").WithField("config.region")
	}
	return cfg, nil
}

// Send creates the alert of m, or changes its state.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	_, err := c.SendIn(ctx, raw, m, notify.Root{})
	return err
}

// SendIn adds m to the alert that the thread's first message created. The handle is its alias.
func (c *Channel) SendIn(ctx context.Context, raw json.RawMessage, m notify.Message, root notify.Root) (string, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return "", err
	}
	alias := m.CaseKey(maxAlias)
	verb := ""
	var body any = map[string]string{"source": "MATRIX", "note": note(m)}
	switch {
	case m.State == notify.Resolved:
		verb = "/close"
	case m.State == notify.Acknowledged:
		verb = "/acknowledge"
	case root.Handle != "":
		verb = "/notes"
	default:
		body = alert(m, alias)
	}
	to := c.base(cfg) + "/v2/alerts"
	if verb != "" {
		to += "/" + url.PathEscape(alias) + verb + "?identifierType=alias"
	}
	answer, err := notify.Post(ctx, c.opts.Client, to, http.Header{"Authorization": {"GenieKey " + cfg.APIKey}}, body)
	switch {
	case err != nil:
		return "", err
	case answer.Status == http.StatusUnauthorized:
		return "", fault.New(fault.Invalid, "Opsgenie does not know the key, or the integration is off (401)")
	case answer.Status == http.StatusForbidden:
		return "", fault.New(fault.Invalid, "the key may not create alerts (403)")
	}
	return alias, notify.StatusFault(answer.Status, answer.Header)
}

func (c *Channel) base(cfg config) string {
	switch {
	case c.opts.URL != "":
		return c.opts.URL
	case cfg.Region == "eu":
		return "https://api.eu.opsgenie.com"
	}
	return "https://api.opsgenie.com"
}

// note is what stays at the alert of a later message.
func note(m notify.Message) string {
	tail := ""
	if link := m.Address(maxLink); link != "" {
		tail = "\n\n" + link
	}
	head := m.Title(maxMessage, notify.Characters) + "\n\n"
	return head + m.Shorter(maxNote-notify.Characters(head+tail), notify.Characters) + tail
}

func alert(m notify.Message, alias string) map[string]any {
	details := map[string]string{}
	tags := []string{"MATRIX"}
	add := func(tag string) {
		if n := notify.Characters(tag); n > 0 && n <= maxTag && len(tags) < maxTags && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	add(m.Service)
	add(m.Environment)
	for _, name := range slices.Sorted(maps.Keys(m.Labels)) {
		add(name + ":" + m.Labels[name])
	}
	tail := ""
	if link := m.Address(maxLink); link != "" {
		details["link"] = link
		tail = "\n\n" + link
	}
	priority := map[string]string{notify.Info: "P5", notify.Warning: "P3"}[m.Severity]
	if priority == "" {
		priority = "P1"
	}
	return map[string]any{"message": m.Title(maxMessage, notify.Characters), "alias": alias, "source": "MATRIX", "priority": priority,
		"description": m.Shorter(maxDescription-notify.Characters(tail), notify.Characters) + tail,
		"entity":      notify.Start(m.Service, maxEntity, notify.Characters), "tags": tags, "details": details}
}
