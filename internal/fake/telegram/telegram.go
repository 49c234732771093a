// Package telegram is the Bot API of Telegram that runs in a test: sendMessage
// and editMessageText, with the limits of core.telegram.org/bots/api: a text has
// 1 to 4096 characters (UTF-16 units), entities lie within it, addresses of
// buttons are public, and 429 says in parameters.retry_after how long to wait.
package telegram

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Token is the one token it takes, Chat the one chat it knows.
const (
	Token = "123456:fake-token-0123456789abcdefghij"
	Chat  = "-1001234567890"
)

const maxText = 4096

// Server is the Bot API.
type Server struct {
	*channel.Server
	last *int
}

// New starts one that ends with the test.
func New(t testing.TB) Server {
	t.Helper()
	s := Server{last: new(int)}
	s.Server = channel.New(t, channel.Service{
		Take: s.take,
		Limited: func(after time.Duration) channel.Answer {
			seconds := int(after.Seconds())
			return channel.Answer{Status: http.StatusTooManyRequests, Body: map[string]any{"ok": false, "error_code": 429,
				"description": "Too Many Requests: retry after " + strconv.Itoa(seconds), "parameters": map[string]int{"retry_after": seconds}}}
		},
		Refused: no(http.StatusForbidden, "Forbidden: bot was kicked from the supergroup chat"),
	})
	return s
}

func no(status int, description string) channel.Answer {
	return channel.Answer{Status: status, Body: map[string]any{"ok": false, "error_code": status, "description": description}}
}

type sent struct {
	ChatID          string `json:"chat_id"`
	MessageThreadID int    `json:"message_thread_id"`
	Text            string `json:"text"`
	Entities        []struct {
		Type   string `json:"type"`
		Offset int    `json:"offset"`
		Length int    `json:"length"`
	} `json:"entities"`
	Preview struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
	Silent bool `json:"disable_notification"`
	Markup struct {
		Keyboard [][]struct {
			Text string `json:"text"`
			URL  string `json:"url"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
	Reply struct {
		MessageID int  `json:"message_id"`
		Without   bool `json:"allow_sending_without_reply"`
	} `json:"reply_parameters"`
}

func (s Server) take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	refuse := func(status int, description string, err error) (channel.Message, channel.Answer, error) {
		return channel.Message{}, no(status, description), fmt.Errorf("%s: %w", description, err)
	}
	if !strings.HasPrefix(r.URL.Path, "/bot"+Token+"/") {
		return refuse(http.StatusUnauthorized, "Unauthorized", fmt.Errorf("path %s", r.URL.Path))
	}
	if err := channel.Posted(r, "/bot"+Token+"/sendMessage"); err != nil {
		return refuse(http.StatusNotFound, "Not Found", err)
	}
	var m sent
	if err := channel.Strict(body, &m); err != nil {
		return refuse(http.StatusBadRequest, "Bad Request: can't parse", err)
	}
	length := len(utf16.Encode([]rune(m.Text)))
	switch {
	case m.ChatID != Chat:
		return refuse(http.StatusBadRequest, "Bad Request: chat not found", fmt.Errorf("chat %q", m.ChatID))
	case strings.TrimSpace(m.Text) == "":
		return refuse(http.StatusBadRequest, "Bad Request: message text is empty", fmt.Errorf("no text"))
	case length > maxText:
		return refuse(http.StatusBadRequest, "Bad Request: message is too long", fmt.Errorf("%d units", length))
	case m.Reply.MessageID > *s.last && !m.Reply.Without:
		return refuse(http.StatusBadRequest, "Bad Request: message to be replied not found", fmt.Errorf("message %d", m.Reply.MessageID))
	}
	for _, e := range m.Entities {
		if e.Type != "bold" && e.Type != "pre" || e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > length {
			return refuse(http.StatusBadRequest, "Bad Request: can't parse entities", fmt.Errorf("%+v of %d", e, length))
		}
	}
	subject, text, _ := strings.Cut(m.Text, "\n")
	out := channel.Message{To: m.ChatID, Subject: subject, Text: text, Action: "sendMessage"}
	if m.Reply.MessageID > 0 {
		out.Action = "reply to " + strconv.Itoa(m.Reply.MessageID)
	}
	for _, row := range m.Markup.Keyboard {
		for _, b := range row {
			to, err := url.Parse(b.URL)
			if b.Text == "" || err != nil || !strings.Contains(to.Hostname(), ".") {
				return refuse(http.StatusBadRequest, "Bad Request: inline keyboard button URL is invalid", fmt.Errorf("%+v", b))
			}
			out.Links = append(out.Links, b.URL)
		}
	}
	for _, word := range strings.Fields(m.Text) { // addresses in the text are clickable
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			out.Links = append(out.Links, word)
		}
	}
	*s.last++
	return out, channel.Answer{Status: http.StatusOK, Body: map[string]any{"ok": true, "result": map[string]any{"message_id": *s.last}}}, nil
}
