// Package telegram sends messages to a Telegram chat, group or channel as a bot.
// Later messages of an incident answer its first one.
//
// Telegram has no key by which it knows a message again: delivery is at least once here.
package telegram

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// The limits of core.telegram.org/bots/api, in UTF-16 units where they count characters.
const (
	maxText  = 4096
	maxTitle = 256 // ours
	maxLink  = 1000
)

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	// APIURL is where the Bot API is; default Telegram's.
	APIURL string
}

// Channel sends messages as a bot.
type Channel struct{ opts Options }

// New returns a Telegram channel.
func New(opts Options) *Channel {
	if opts.APIURL == "" {
		opts.APIURL = "https://api.telegram.org"
	}
	return &Channel{opts}
}

type config struct {
	Token string `json:"token"`
	Chat  string `json:"chat_id"`
}

// Digest says that people read it.
func (c *Channel) Digest() {}

// personForm is a chat with one person: those of groups are negative.
var personForm = regexp.MustCompile(`^[0-9]{1,20}$`)

// CheckAddress wants the number of a chat with the bot.
func (c *Channel) CheckAddress(address string) error {
	if !personForm.MatchString(address) {
		return fault.New(fault.Invalid, "the address must be the number of your chat with the bot")
	}
	return nil
}

// To sends to a person's chat.
func (c *Channel) To(raw json.RawMessage, address, _ string) (json.RawMessage, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	cfg.Chat = address
	return json.Marshal(cfg)
}

// Kind is "telegram".
func (c *Channel) Kind() string { return "telegram" }

// Secrets is the bot's token.
func (c *Channel) Secrets() []string { return []string{"token"} }

// Check wants {"token": "123456:…", "chat_id": "-100…" or "@channel"}.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

var (
	tokenForm = regexp.MustCompile(`^[0-9]{3,20}:[A-Za-z0-9_-]{20,100}$`)
	chatForm  = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z][A-Za-z0-9_]{3,40})$`)
)

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"token": …, "chat_id": …}`); err != nil {
		return cfg, err
	}
	switch {
	case !tokenForm.MatchString(cfg.Token):
		return cfg, fault.New(fault.Invalid, "token must be a bot's token, as BotFather gives it (123456:ABC…)").WithField("config.token")
	case !chatForm.MatchString(cfg.Chat):
		return cfg, fault.New(fault.Invalid, "chat_id must be a number (-1001234567890) or a name (@channel)").WithField("config.chat_id")
	}
	return cfg, nil
}

// Send sends m as a message of its own.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	_, err := c.SendIn(ctx, raw, m, notify.Root{})
	return err
}

// SendIn sends m as an answer to the thread's first message, if that is still there.
func (c *Channel) SendIn(ctx context.Context, raw json.RawMessage, m notify.Message, root notify.Root) (string, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return "", err
	}
	body := post(m)
	body["chat_id"] = cfg.Chat
	if id, err := strconv.Atoi(root.Handle); err == nil {
		body["reply_parameters"] = map[string]any{"message_id": id, "allow_sending_without_reply": true}
	}
	answer, err := notify.Post(ctx, c.opts.Client, c.opts.APIURL+"/bot"+cfg.Token+"/sendMessage", nil, body)
	if err != nil {
		return "", err
	}
	var said struct {
		OK     bool `json:"ok"`
		Result struct {
			ID int `json:"message_id"`
		} `json:"result"`
		Parameters struct {
			RetryAfter int `json:"retry_after"` // seconds
		} `json:"parameters"`
	}
	err = json.Unmarshal(answer.Body, &said)
	switch {
	case answer.Status == http.StatusTooManyRequests && said.Parameters.RetryAfter > 0:
		return "", fault.New(fault.RateLimited, "Telegram limits the rate (429)").
			WithRetryAfter(time.Duration(said.Parameters.RetryAfter) * time.Second)
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusNotFound:
		return "", fault.New(fault.Invalid, "Telegram does not know the bot's token (%d)", answer.Status)
	case answer.Status == http.StatusForbidden:
		return "", fault.New(fault.Invalid, "the bot may not write to this chat (403): add it there")
	case answer.Status/100 == 2 && (err != nil || !said.OK):
		return "", fault.New(fault.Unavailable, "the answer is not Telegram's")
	}
	if err := notify.StatusFault(answer.Status, answer.Header); err != nil {
		return "", err
	}
	if root.Handle != "" {
		return "", nil
	}
	return strconv.Itoa(said.Result.ID), nil
}

type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
}

// post lays m out. Words are formatted by entities, never by marks in the text:
// what programs sent stays as it is.
func post(m notify.Message) map[string]any {
	title := m.Title(maxTitle, notify.UTF16)
	var tail string
	button := false
	link := m.Address(maxLink)
	if u, err := url.Parse(link); err == nil && link != "" {
		// Telegram refuses buttons that lead into a network of one's own.
		if button = strings.Contains(u.Hostname(), "."); !button {
			tail = "\n\n" + link
		}
	}
	m.Text = strings.TrimSpace(strings.ToValidUTF8(m.Text, "\uFFFD"))
	body := m.Shorter(maxText-notify.UTF16(title+"\n\n"+tail), notify.UTF16)
	text := title
	entities := []entity{{"bold", 0, notify.UTF16(title)}}
	if body != "" {
		text += "\n\n"
		if m.Fixed {
			entities = append(entities, entity{"pre", notify.UTF16(text), notify.UTF16(body)})
		} else {
			at := notify.UTF16(text)
			for line := range strings.SplitAfterSeq(body, "\n") {
				if heading := strings.TrimSuffix(line, "\n"); len(notify.Sections(heading)) == 1 && notify.Sections(heading)[0].Heading != "" {
					entities = append(entities, entity{"bold", at, notify.UTF16(heading)})
				}
				at += notify.UTF16(line)
			}
		}
		text += body
	}
	out := map[string]any{"text": text + tail, "entities": entities,
		"link_preview_options": map[string]bool{"is_disabled": true}, "disable_notification": m.Severity == notify.Info}
	if button {
		var row []map[string]string
		for _, b := range m.Buttons(maxLink) {
			row = append(row, map[string]string{"text": b.Label, "url": b.URL})
		}
		out["reply_markup"] = map[string]any{"inline_keyboard": [][]map[string]string{row}}
	}
	return out
}
