// Package teams posts messages to Microsoft Teams, as Adaptive Cards through
// the webhook of a workflow.
//
// Such a webhook has no way to name a message or to answer one: what was sent
// twice appears twice, and the messages of an incident stand one below another.
package teams

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

const (
	// maxBody is below the 28 KB that Teams takes, since the workflow adds its own.
	maxBody  = 27 * 1000
	maxTitle = 300
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// Dev accepts webhook addresses on any host, for a fake on a laptop.
	Dev bool
}

// Channel posts messages to Teams.
type Channel struct{ opts Options }

// New returns a Teams channel.
func New(opts Options) *Channel { return &Channel{opts} }

type config struct {
	WebhookURL string `json:"webhook_url"`
}

// Digest says that people read it.
func (c *Channel) Digest() {}

// Kind is "teams".
func (c *Channel) Kind() string { return "teams" }

// Secrets is the webhook's address: whoever knows it can post.
func (c *Channel) Secrets() []string { return []string{"webhook_url"} }

// Check wants {"webhook_url": "https://….logic.azure.com/…"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

// hosts are where workflows live: Logic Apps, Power Platform, and their predecessor.
var hosts = []string{".logic.azure.com", ".powerplatform.com", ".webhook.office.com", ".logic.azure.us"}

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"webhook_url": …}`); err != nil {
		return cfg, err
	}
	u, err := url.Parse(cfg.WebhookURL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !c.opts.Dev {
		return cfg, fault.New(fault.Invalid, "webhook_url must be the https address of a workflow").WithField("config.webhook_url")
	}
	for _, host := range hosts {
		if c.opts.Dev || strings.HasSuffix(u.Hostname(), host) {
			return cfg, nil
		}
	}
	return cfg, fault.New(fault.Invalid, "webhook_url must be of a Teams workflow: its host ends with %s", strings.Join(hosts[:2], " or ")).
		WithField("config.webhook_url")
}

// Send posts m as a card.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	cfg, err := c.read(raw)
	if err != nil {
		return err
	}
	frame := size(post(m, ""))
	words := m.Shorter(maxBody, func(text string) int { return frame + size(blocks(m, text)) })
	answer, err := notify.Post(ctx, c.opts.Client, cfg.WebhookURL, nil, post(m, words))
	if err != nil {
		return err
	}
	return notify.StatusFault(answer.Status, answer.Header)
}

type element map[string]any

// post is the body of the request.
func post(m notify.Message, text string) any {
	card := element{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": element{"width": "Full"},
		"body":    append([]element{title(m)}, blocks(m, text)...)}
	var actions []element
	for _, b := range m.Buttons(2000) {
		actions = append(actions, element{"type": "Action.OpenUrl", "title": b.Label, "url": b.URL})
	}
	if len(actions) > 0 {
		card["actions"] = actions
	}
	return element{"type": "message", "attachments": []element{
		{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card}}}
}

// title is coloured by what happened, and its words say it too.
func title(m notify.Message) element {
	color := map[string]string{notify.Critical: "attention", notify.Warning: "warning", notify.Info: "accent"}[m.Severity]
	if m.State == notify.Resolved {
		color = "good"
	}
	if color == "" {
		color = "default"
	}
	return element{"type": "TextBlock", "text": escape(m.Title(maxTitle, notify.Characters)), "wrap": true,
		"weight": "bolder", "size": "medium", "color": color}
}

// blocks is the text, a heading in bold before each section.
func blocks(m notify.Message, text string) []element {
	var out []element
	sections := notify.Sections(text)
	if m.Fixed && text != "" {
		sections = []notify.Section{{Body: text}}
	}
	for _, s := range sections {
		if s.Heading != "" {
			out = append(out, element{"type": "TextBlock", "text": escape(s.Heading), "wrap": true, "weight": "bolder", "spacing": "medium"})
		}
		words := escape(s.Body)
		if strings.TrimSpace(words) == "" {
			continue
		}
		body := element{"type": "TextBlock", "text": words, "wrap": true, "spacing": "small"}
		if m.Fixed {
			body["fontType"] = "monospace"
		}
		out = append(out, body)
	}
	return out
}

func size(v any) int {
	raw, _ := json.Marshal(v)
	return len(raw)
}

// escape keeps what programs sent from being read as Markdown, of which Teams
// knows a part. A single line break would join two lines.
func escape(text string) string { return escaper.Replace(strings.ToValidUTF8(text, "\uFFFD")) }

var escaper = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, "`", "\\`",
	`#`, `\#`, `<`, `\<`, `>`, `\>`, `~`, `\~`, "\r", "", "\n", "\n\n")
