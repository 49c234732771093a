// Package slack sends messages to a Slack channel, through an incoming webhook
// or as a bot. As a bot it answers the first message of an incident with the
// later ones, and marks it when the incident is acknowledged or resolved.
//
// Slack offers no way to name a message, so it cannot drop one it has seen:
// delivery is at least once here. See docs/user/en/notifications.md.
package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// APIURL is where the Web API is, with a slash at the end; default Slack's.
	APIURL string
	// Dev accepts webhook addresses on any host, for a fake on a laptop.
	Dev bool
}

// Channel posts messages to Slack.
type Channel struct{ opts Options }

// New returns a Slack channel.
func New(opts Options) *Channel {
	if opts.APIURL == "" {
		opts.APIURL = slackapi.APIURL
	}
	return &Channel{opts: opts}
}

// config is either a webhook address or a bot token with a channel.
type config struct {
	WebhookURL string `json:"webhook_url,omitempty"`
	Token      string `json:"token,omitempty"`
	Channel    string `json:"channel,omitempty"`
	// SigningSecret is by which the bot's app signs what people press. With it the
	// buttons of a message act at once instead of opening a page.
	SigningSecret string `json:"signing_secret,omitempty"`
}

// Digest says that people read it.
func (c *Channel) Digest() {}

// memberForm is the id of a member, with whom a bot has a conversation of two.
var memberForm = regexp.MustCompile(`^[UW][A-Z0-9]{5,20}$`)

// CheckAddress wants the id of a member.
func (c *Channel) CheckAddress(address string) error {
	if !memberForm.MatchString(address) {
		return fault.New(fault.Invalid, "the address must be your member ID (U0123ABCD), as your Slack profile shows it")
	}
	return nil
}

// To sends to a member; a bot can, an incoming webhook cannot.
func (c *Channel) To(raw json.RawMessage, address, _ string) (json.RawMessage, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	if cfg.Token == "" {
		return nil, fault.New(fault.Invalid, "an incoming webhook cannot write to people: the channel needs a bot")
	}
	cfg.Channel = address
	return json.Marshal(cfg)
}

// Kind is "slack".
func (c *Channel) Kind() string { return "slack" }

// Secrets are the bot token and the webhook address: whoever knows it can post.
func (c *Channel) Secrets() []string { return []string{"webhook_url", "token", "signing_secret"} }

// Check wants {"webhook_url": "https://hooks.slack.com/…"} or
// {"token": "xoxb-…", "channel": "C0123ABCD"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var signingSecret = regexp.MustCompile(`^[0-9a-zA-Z]{16,128}$`)

// channelName is an id (C0123ABCD) or a name (#alerts).
var channelName = regexp.MustCompile(`^(?:[CDGUW][A-Z0-9]{5,}|#[^\s#@]{1,80})$`)

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"webhook_url": …} or {"token": …, "channel": …}`); err != nil {
		return cfg, err
	}
	switch {
	case (cfg.WebhookURL == "") == (cfg.Token == ""):
		return cfg, fault.New(fault.Invalid, "give either webhook_url or token and channel").WithField("config")
	case cfg.WebhookURL != "" && cfg.Channel != "":
		return cfg, fault.New(fault.Invalid, "an incoming webhook has its channel built in: leave channel out").WithField("config.channel")
	case cfg.WebhookURL != "" && !c.ours(cfg.WebhookURL):
		return cfg, fault.New(fault.Invalid, "webhook_url must begin with https://hooks.slack.com/").WithField("config.webhook_url")
	case cfg.Token != "" && !strings.HasPrefix(cfg.Token, "xoxb-"):
		return cfg, fault.New(fault.Invalid, "token must be a bot token (xoxb-…)").WithField("config.token")
	case cfg.SigningSecret != "" && (cfg.Token == "" || !signingSecret.MatchString(cfg.SigningSecret)):
		return cfg, fault.New(fault.Invalid, "signing_secret is of a bot's app: 32 letters and digits").WithField("config.signing_secret")
	case cfg.Token != "" && !channelName.MatchString(cfg.Channel):
		return cfg, fault.New(fault.Invalid, "channel must be an id (C0123ABCD) or a name (#alerts)").WithField("config.channel")
	}
	return cfg, nil
}

// ours reports whether address is one of Slack's webhook addresses.
func (c *Channel) ours(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return c.opts.Dev || u.Scheme == "https" && (u.Host == "hooks.slack.com" || u.Host == "hooks.slack-gov.com")
}

// Send posts m once; slack-go's own retries stay off, since the outbox retries.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	_, err := c.SendIn(ctx, raw, m, notify.Root{})
	return err
}

// SendIn posts m below the thread's first message, and writes on that one how
// the case stands. An incoming webhook can do neither: there m stands alone.
func (c *Channel) SendIn(ctx context.Context, raw json.RawMessage, m notify.Message, root notify.Root) (string, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return "", err
	}
	fallback := escaper.Replace(m.Title(fallbackLimit, notify.UTF16))
	if cfg.WebhookURL != "" {
		no := false
		return "", classify(slackapi.PostWebhookCustomHTTPContext(ctx, cfg.WebhookURL, c.opts.Client, &slackapi.WebhookMessage{
			Text: fallback, Blocks: &slackapi.Blocks{BlockSet: blocks(m, false)}, UnfurlLinks: &no, UnfurlMedia: &no,
		}))
	}
	api := slackapi.New(cfg.Token, slackapi.OptionHTTPClient(c.opts.Client), slackapi.OptionAPIURL(c.opts.APIURL))
	room, first, threaded := strings.Cut(root.Handle, "/")
	if threaded && m.State != "" {
		now := root.Message
		now.State, now.Language, now.Actions = m.State, cmp.Or(now.Language, m.Language), m.Actions
		_, _, _, err := api.UpdateMessageContext(ctx, room, first,
			slackapi.MsgOptionText(escaper.Replace(now.Title(fallbackLimit, notify.UTF16)), false), slackapi.MsgOptionBlocks(blocks(now, cfg.SigningSecret != "")...))
		// One that people deleted cannot be changed: the news is still worth telling.
		if err := classify(err); err != nil && !fault.Is(err, fault.Invalid) {
			return "", err
		}
	}
	options := []slackapi.MsgOption{slackapi.MsgOptionText(fallback, false), slackapi.MsgOptionBlocks(blocks(m, cfg.SigningSecret != "")...),
		slackapi.MsgOptionDisableLinkUnfurl(), slackapi.MsgOptionDisableMediaUnfurl()}
	if threaded {
		_, _, err := api.PostMessageContext(ctx, cfg.Channel, append(options, slackapi.MsgOptionTS(first))...)
		if !gone(err) {
			return "", classify(err)
		}
	}
	room, stamp, err := api.PostMessageContext(ctx, cfg.Channel, options...)
	if err != nil {
		return "", classify(err)
	}
	return room + "/" + stamp, nil
}

// gone reports whether Slack knows the thread no more.
func gone(err error) bool {
	var answer slackapi.SlackErrorResponse
	return errors.As(err, &answer) && (answer.Err == "thread_not_found" || answer.Err == "message_not_found" || answer.Err == "cannot_reply_to_message")
}

// passing are the error codes of the Web API that another attempt may not meet.
var passing = map[string]bool{
	"ratelimited": true, "rate_limited": true, "internal_error": true, "fatal_error": true,
	"service_unavailable": true, "request_timeout": true, "team_added_to_org": true,
}

// errorCode is how Slack spells its codes; anything else is not shown.
var errorCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

func classify(err error) error {
	var (
		limited *slackapi.RateLimitedError
		status  slackapi.StatusCodeError
		answer  slackapi.SlackErrorResponse
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		return fault.New(fault.RateLimited, "Slack limits the rate (429)").WithRetryAfter(limited.RetryAfter)
	case errors.As(err, &status):
		return notify.StatusFault(status.Code, nil)
	case errors.As(err, &answer):
		code := answer.Err
		if !errorCode.MatchString(code) {
			code = "unknown error"
		}
		if passing[code] {
			return fault.New(fault.Unavailable, "Slack answered %s", code)
		}
		return fault.New(fault.Invalid, "Slack answered %s", code)
	}
	return notify.TransportFault(err)
}

// escaper makes text safe where Slack reads its own markup: the fallback text.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
