// Package kakaowork is the Web API of KakaoWork that runs in a test:
// messages.send and messages.send_by_email of docs.kakaoi.ai/kakao_work/webapireference/messages,
// which take JSON only, a bearer app key, a text and blocks, and answer
// {"success": false, "error": {"code", "message"}} when they refuse
// (…/webapireference/commonguide). That page gives no rate: "the limits are yet to be set"; it
// answers 429 here. The lengths are those of Block Kit
// (…/kakao_work/blockkit): header 20 characters, text block 500, button 20; and 30 blocks.
package kakaowork

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Key is the one app key it takes, Room the one conversation it knows, and
// Email that of the one member.
const (
	Key   = "fake0000.0123456789abcdef0123456789abcdef"
	Room  = "4711"
	Email = "ann@example.com"
)

// Server is the Web API.
type Server struct{ *channel.Server }

// New starts one that ends with the test.
func New(t testing.TB) Server {
	t.Helper()
	return Server{channel.New(t, channel.Service{
		Take: take,
		Limited: func(after time.Duration) channel.Answer {
			a := no(http.StatusTooManyRequests, "too_many_requests", "slow down")
			a.Header = channel.RetryAfter(after)
			return a
		},
		Refused: no(http.StatusOK, "expired_bot", "the bot is off"),
	})}
}

func no(status int, code, message string) channel.Answer {
	return channel.Answer{Status: status, Body: map[string]any{"success": false, "error": map[string]string{"code": code, "message": message}}}
}

type block struct {
	Type    string `json:"type"`
	Text    string `json:"text"`
	Style   string `json:"style"`
	Inlines []struct {
		Type string `json:"type"`
		Text string `json:"text"`
		Bold bool   `json:"bold"`
	} `json:"inlines"`
	Action *struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"action"`
}

func take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	refuse := func(status int, code, format string, args ...any) (channel.Message, channel.Answer, error) {
		err := fmt.Errorf(format, args...)
		return channel.Message{}, no(status, code, err.Error()), err
	}
	if err := channel.Posted(r, r.URL.Path); err != nil {
		return refuse(http.StatusOK, "invalid_parameter", "%w", err)
	}
	if r.Header.Get("Authorization") != "Bearer "+Key {
		return refuse(http.StatusOK, "invalid_authentication", "authorization")
	}
	var post struct {
		Room   string  `json:"conversation_id"`
		Email  string  `json:"email"`
		Text   string  `json:"text"`
		Blocks []block `json:"blocks"`
	}
	if err := channel.Strict(body, &post); err != nil {
		return refuse(http.StatusOK, "invalid_parameter", "%w", err)
	}
	m := channel.Message{To: post.Room + post.Email}
	switch {
	case r.URL.Path == "/v1/messages.send" && (post.Room != Room || post.Email != ""):
		return refuse(http.StatusOK, "conversation_not_found", "conversation %q", post.Room)
	case r.URL.Path == "/v1/messages.send_by_email" && (post.Email != Email || post.Room != ""):
		return refuse(http.StatusOK, "user_not_found", "email %q", post.Email)
	case r.URL.Path != "/v1/messages.send" && r.URL.Path != "/v1/messages.send_by_email":
		return refuse(http.StatusNotFound, "api_not_found", "path %s", r.URL.Path)
	case post.Text == "":
		return refuse(http.StatusOK, "missing_parameter", "text")
	case len(post.Blocks) > 30:
		return refuse(http.StatusOK, "invalid_blocks", "%d blocks", len(post.Blocks))
	}
	var words []string
	for i, b := range post.Blocks {
		n := utf8.RuneCountInString(b.Text)
		switch {
		case b.Type == "divider":
		case n == 0:
			return refuse(http.StatusOK, "invalid_blocks", "block %d (%s) has no text", i, b.Type)
		case b.Type == "header" && n <= 20 && (b.Style == "blue" || b.Style == "red" || b.Style == "yellow"):
		case b.Type == "text" && n <= 500:
			if err := b.check(); err != nil {
				return refuse(http.StatusOK, "invalid_blocks", "block %d: %w", i, err)
			}
			words = append(words, b.Text)
		case b.Type == "button" && n <= 20 && b.Action != nil && b.Action.Type == "open_system_browser":
			if to, err := url.Parse(b.Action.Value); err != nil || to.Host == "" || b.Style != "default" && b.Style != "primary" && b.Style != "danger" {
				return refuse(http.StatusOK, "invalid_blocks", "button %+v", b)
			}
			m.Links = append(m.Links, b.Action.Value)
		default:
			return refuse(http.StatusOK, "invalid_blocks", "block %d (%s) of %d characters", i, b.Type, n)
		}
	}
	m.Subject, m.Text = post.Text, strings.Join(words, "\n")
	if m.Text == "" {
		m.Text = post.Text
	}
	return m, channel.Answer{Status: http.StatusOK, Body: map[string]any{"success": true, "error": nil, "message": map[string]any{"id": "1", "conversation_id": Room}}}, nil
}

// check refuses inlines that do not say what the text says.
func (b block) check() error {
	var all strings.Builder
	for _, in := range b.Inlines {
		if in.Type != "styled" || in.Text == "" {
			return fmt.Errorf("inline %+v", in)
		}
		all.WriteString(in.Text)
	}
	if len(b.Inlines) > 0 && all.String() != b.Text {
		return fmt.Errorf("inlines say %q, the text %q", all.String(), b.Text)
	}
	return nil
}
