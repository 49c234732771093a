// Package kakaowork sends messages to a KakaoWork conversation, or to one
// member, as a bot.
//
// KakaoWork has no key by which it knows a message again: delivery is at least once here.
package kakaowork

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// The limits of KakaoWork's Block Kit, in characters.
const (
	maxBlocks = 30
	maxBlock  = 500
	maxButton = 20
	maxTitle  = 200 // ours: it is read in the list of conversations
	maxLink   = 2000
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// APIURL is where the Web API is; default KakaoWork's.
	APIURL string
}

// Channel sends messages as a bot.
type Channel struct{ opts Options }

// New returns a KakaoWork channel.
func New(opts Options) *Channel {
	if opts.APIURL == "" {
		opts.APIURL = "https://api.kakaowork.com"
	}
	return &Channel{opts}
}

type config struct {
	AppKey       string `json:"app_key"`
	Conversation string `json:"conversation_id,omitempty"`
	Email        string `json:"email,omitempty"`
}

// Digest says that people read it.
func (c *Channel) Digest() {}

// CheckAddress wants the e-mail address of a member, or nothing for that of the account.
func (c *Channel) CheckAddress(address string) error {
	if address != "" && !emailForm.MatchString(address) {
		return fault.New(fault.Invalid, "the address must be that of a member of KakaoWork, or empty for that of your account")
	}
	return nil
}

// To sends to a member.
func (c *Channel) To(raw json.RawMessage, address, email string) (json.RawMessage, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	cfg.Conversation, cfg.Email = "", cmp.Or(address, email)
	return json.Marshal(cfg)
}

// Kind is "kakaowork".
func (c *Channel) Kind() string { return "kakaowork" }

// Secrets is the bot's app key.
func (c *Channel) Secrets() []string { return []string{"app_key"} }

// Check wants {"app_key": "…", "conversation_id": "123"} or {"app_key": "…", "email": "ann@example.com"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var (
	keyForm   = regexp.MustCompile(`^[A-Za-z0-9._-]{16,200}$`)
	roomForm  = regexp.MustCompile(`^[0-9]{1,20}$`)
	emailForm = regexp.MustCompile(`^[^\s@]{1,64}@[^\s@]{1,190}$`)
)

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"app_key": …, "conversation_id": …} or {"app_key": …, "email": …}`); err != nil {
		return cfg, err
	}
	switch {
	case !keyForm.MatchString(cfg.AppKey):
		return cfg, fault.New(fault.Invalid, "app_key must be the key of a bot").WithField("config.app_key")
	case (cfg.Conversation == "") == (cfg.Email == ""):
		return cfg, fault.New(fault.Invalid, "give either conversation_id or email").WithField("config.conversation_id")
	case cfg.Conversation != "" && !roomForm.MatchString(cfg.Conversation):
		return cfg, fault.New(fault.Invalid, "conversation_id must be a number").WithField("config.conversation_id")
	case cfg.Email != "" && !emailForm.MatchString(cfg.Email):
		return cfg, fault.New(fault.Invalid, "email must be the address of a member").WithField("config.email")
	}
	return cfg, nil
}

// passing are the error codes that another attempt may not meet.
var passing = map[string]bool{"too_many_requests": true, "internal_server_error": true, "service_unavailable": true, "request_timeout": true}

// errorCode is how KakaoWork spells its codes; anything else is not shown.
var errorCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

// Send sends m.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	cfg, err := c.read(raw)
	if err != nil {
		return err
	}
	body := map[string]any{"text": m.Title(maxTitle, notify.Characters), "blocks": blocks(m)}
	method := "messages.send"
	if cfg.Email != "" {
		method = "messages.send_by_email"
		body["email"] = cfg.Email
	} else {
		body["conversation_id"] = cfg.Conversation
	}
	answer, err := notify.Post(ctx, c.opts.Client, c.opts.APIURL+"/v1/"+method, http.Header{"Authorization": {"Bearer " + cfg.AppKey}}, body)
	if err != nil {
		return err
	}
	if err := notify.StatusFault(answer.Status, answer.Header); err != nil {
		return err
	}
	var said struct {
		Success bool `json:"success"`
		Error   struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil {
		return fault.New(fault.Unavailable, "the answer is not KakaoWork's")
	}
	code := said.Error.Code
	switch {
	case said.Success:
		return nil
	case passing[code]:
		return fault.New(fault.Unavailable, "KakaoWork answered %s", code)
	case !errorCode.MatchString(code):
		code = "an unknown error"
	}
	return fault.New(fault.Invalid, "KakaoWork answered %s", code)
}

type block map[string]any

// blocks lays m out: a header in the colour of its severity, the title, the
// text in pieces, a button. Text is literal: Block Kit reads no marks in it.
func blocks(m notify.Message) []block {
	out := []block{{"type": "header", "text": "MATRIX", "style": style(m)}, bold(m.Title(maxTitle, notify.Characters))}
	var button []block
	for _, b := range m.Buttons(maxLink) {
		button = append(button, block{"type": "button", "text": notify.Start(b.Label, maxButton, notify.Characters), "style": "default",
			"action": block{"type": "open_system_browser", "name": "open", "value": b.URL}})
	}
	m.Text = strings.ToValidUTF8(m.Text, "\uFFFD")
	words := m.Shorter(maxBlocks-len(out)-len(button), func(text string) int { return len(body(text)) })
	return append(append(out, body(words)...), button...)
}

func body(text string) []block {
	var out []block
	for _, s := range notify.Sections(text) {
		if s.Heading != "" {
			out = append(out, bold(s.Heading))
		}
		for _, piece := range notify.Split(s.Body, maxBlock, notify.Characters) {
			if strings.TrimSpace(piece) != "" {
				out = append(out, block{"type": "text", "text": piece})
			}
		}
	}
	return out
}

func bold(text string) block {
	return block{"type": "text", "text": text, "inlines": []block{{"type": "styled", "text": text, "bold": true}}}
}

func style(m notify.Message) string {
	switch {
	case m.State == notify.Resolved, m.Severity == notify.Info:
		return "blue"
	case m.Severity == notify.Warning:
		return "yellow"
	}
	return "red"
}
