// Package teams is the webhook of a Microsoft Teams workflow that runs in a
// test ("Post to a channel when a webhook request is received").
//
// The shape is that of learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using,
// "Send Adaptive Cards using an Incoming Webhook", which the Workflows trigger
// takes too; the size that of .../add-incoming-webhook, "message size limit is
// 28 KB"; the rate that of the same page, four requests a second, then 429.
package teams

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

const (
	path      = "/workflows/0123abcd/triggers/manual/paths/invoke"
	signature = "fake-signature-0123456789"
	maxBody   = 28 * 1024
)

// Server is the webhook.
type Server struct{ *channel.Server }

// New starts one that ends with the test.
func New(t testing.TB) Server {
	t.Helper()
	return Server{channel.New(t, channel.Service{
		Take: take,
		Limited: func(after time.Duration) channel.Answer {
			return channel.Answer{Status: http.StatusTooManyRequests, Header: channel.RetryAfter(after), Body: "rate limited"}
		},
		Refused: channel.Answer{Status: http.StatusBadRequest, Body: map[string]any{"error": map[string]string{"code": "TriggerInputSchemaMismatch"}}},
	})}
}

// Address is that of the webhook, with its signature.
func (s Server) Address() string {
	return s.URL() + path + "?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" + signature
}

// Secret is the part of the address that must not be told.
func (s Server) Secret() string { return signature }

type card struct {
	Schema  string          `json:"$schema"`
	Type    string          `json:"type"`
	Version string          `json:"version"`
	Body    []element       `json:"body"`
	Actions []action        `json:"actions"`
	MSTeams json.RawMessage `json:"msteams"`
}

// element is one of the two the channel uses; a Container holds more.
type element struct {
	Type     string    `json:"type"`
	Text     string    `json:"text"`
	Wrap     *bool     `json:"wrap"`
	Weight   string    `json:"weight"`
	Size     string    `json:"size"`
	Color    string    `json:"color"`
	FontType string    `json:"fontType"`
	Spacing  string    `json:"spacing"`
	Style    string    `json:"style"`
	Items    []element `json:"items"`
}

type action struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	no := func(status int, format string, args ...any) (channel.Message, channel.Answer, error) {
		return channel.Message{}, channel.Answer{Status: status, Body: "refused"}, fmt.Errorf(format, args...)
	}
	if err := channel.Posted(r, path); err != nil {
		return no(http.StatusBadRequest, "%w", err)
	}
	if r.URL.Query().Get("sig") != signature {
		return no(http.StatusUnauthorized, "signature %q", r.URL.Query().Get("sig"))
	}
	if len(body) > maxBody {
		return no(http.StatusRequestEntityTooLarge, "%d bytes", len(body))
	}
	var post struct {
		Type        string `json:"type"`
		Attachments []struct {
			ContentType string  `json:"contentType"`
			ContentURL  *string `json:"contentUrl"`
			Content     card    `json:"content"`
		} `json:"attachments"`
	}
	if err := channel.Strict(body, &post); err != nil {
		return no(http.StatusBadRequest, "%w", err)
	}
	if post.Type != "message" || len(post.Attachments) != 1 || post.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		return no(http.StatusBadRequest, "type %q with %d attachments", post.Type, len(post.Attachments))
	}
	c := post.Attachments[0].Content
	if c.Type != "AdaptiveCard" || c.Version != "1.4" || len(c.Body) == 0 {
		return no(http.StatusBadRequest, "card %q %q with %d elements", c.Type, c.Version, len(c.Body))
	}
	m := channel.Message{To: "channel"}
	for i, e := range c.Body {
		words, err := read(e)
		if err != nil {
			return no(http.StatusBadRequest, "element %d: %w", i, err)
		}
		if i == 0 {
			m.Subject = words
			continue
		}
		m.Text += words + "\n"
	}
	for _, a := range c.Actions {
		to, err := url.Parse(a.URL)
		if a.Type != "Action.OpenUrl" || a.Title == "" || err != nil || to.Host == "" {
			return no(http.StatusBadRequest, "action %+v", a)
		}
		m.Links = append(m.Links, a.URL)
	}
	m.Text = strings.TrimSpace(m.Text)
	if m.Text == "" {
		m.Action = "card"
	}
	return m, channel.Answer{Status: http.StatusAccepted}, nil
}

// read returns the words of an element, without the marks of Markdown, of which
// Teams reads a part in a TextBlock.
func read(e element) (string, error) {
	switch e.Type {
	case "TextBlock":
		if e.Text == "" || e.Wrap == nil || !*e.Wrap {
			return "", fmt.Errorf("text %q, wrap %v", e.Text, e.Wrap)
		}
		return unescape.Replace(e.Text), nil
	case "Container":
		var lines []string
		for _, item := range e.Items {
			words, err := read(item)
			if err != nil {
				return "", err
			}
			lines = append(lines, words)
		}
		return strings.Join(lines, "\n"), nil
	}
	return "", fmt.Errorf("type %q", e.Type)
}

// unescape undoes backslashes before what Markdown would read, and the two
// characters that keep a line from being joined to the one before it.
var unescape = strings.NewReplacer(`\*`, `*`, `\_`, `_`, `\[`, `[`, `\]`, `]`, "\\`", "`", `\\`, `\`, `\#`, `#`, `\-`, `-`,
	`\+`, `+`, `\>`, `>`, `\~`, `~`, `\<`, `<`, `\(`, `(`, `\)`, `)`, `\.`, `.`, `\|`, `|`, "\n\n", "\n")
