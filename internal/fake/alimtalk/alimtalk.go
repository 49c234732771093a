// Package alimtalk is a dealer of KakaoTalk Alimtalk that runs in a test: NHN
// Cloud's KakaoTalk Bizmessage, POST /alimtalk/v2.3/appkeys/{appkey}/messages of
// docs.nhncloud.com (AlimTalk API v2.3 Guide): a sender key of 40 characters, a
// template code of at most 20, numbers of at most 15, a secret key in
// X-Secret-Key, and X-NC-API-IDEMPOTENCY-KEY, of which the same one within ten
// minutes is refused with -1005 (…/error-code). What a template says with its
// variables filled is at most 1,000 characters (Kakao's limit of a template).
package alimtalk

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// What the one customer of this dealer has: keys, a sender and a template.
const (
	AppKey    = "fakeAppKey012345"
	SecretKey = "fakeSecretKey-0123"
	SenderKey = "0123456789012345678901234567890123456789"
	Template  = "matrix-incident"
	Number    = "01012345678"
)

// approved is the template as Kakao approved it.
const approved = "[MATRIX 알림]\n#{제목}\n\n#{내용}\n\n자세히 보기: #{링크}"

// Server is the dealer.
type Server struct {
	*channel.Server
	seen map[string]time.Time // by idempotency key
}

// New starts one that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{seen: map[string]time.Time{}}
	s.Server = channel.New(t, channel.Service{
		Take: s.take,
		Limited: func(after time.Duration) channel.Answer {
			return channel.Answer{Status: http.StatusTooManyRequests, Header: channel.RetryAfter(after)}
		},
		Refused: no(-1027, "The sender is blocked status."),
	})
	return s
}

// no is how this service refuses: with status 200.
func no(code int, message string) channel.Answer {
	return channel.Answer{Status: http.StatusOK, Body: map[string]any{"header": map[string]any{"resultCode": code, "resultMessage": message, "isSuccessful": false}}}
}

var (
	digits   = regexp.MustCompile(`^[0-9]{8,15}$`)
	variable = regexp.MustCompile(`#\{([^}]+)\}`)
)

func (s *Server) take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	refuse := func(code int, format string, args ...any) (channel.Message, channel.Answer, error) {
		err := fmt.Errorf(format, args...)
		return channel.Message{}, no(code, err.Error()), err
	}
	switch {
	case channel.Posted(r, "/alimtalk/v2.3/appkeys/"+AppKey+"/messages") != nil:
		return refuse(-1000, "Invalid appKey.")
	case r.Header.Get("X-Secret-Key") != SecretKey:
		return refuse(-1001, "Invalid secretKey.")
	}
	var post struct {
		SenderKey    string `json:"senderKey"`
		TemplateCode string `json:"templateCode"`
		Recipients   []struct {
			Number     string            `json:"recipientNo"`
			Parameters map[string]string `json:"templateParameter"`
		} `json:"recipientList"`
	}
	if err := channel.Strict(body, &post); err != nil {
		return refuse(4, "%w", err)
	}
	switch {
	case len(post.SenderKey) != 40, post.SenderKey != SenderKey:
		return refuse(-2017, "sender key")
	case len(post.TemplateCode) > 20:
		return refuse(-2000, "The 'templateCode' must be at less than or equal to 20.")
	case post.TemplateCode != Template:
		return refuse(4, "template %q", post.TemplateCode)
	case len(post.Recipients) == 0 || len(post.Recipients) > 1000:
		return refuse(-2001, "%d recipients", len(post.Recipients))
	}
	m := channel.Message{Key: r.Header.Get("X-NC-API-IDEMPOTENCY-KEY")}
	var results []map[string]any
	for _, to := range post.Recipients {
		result := map[string]any{"recipientSeq": len(results) + 1, "recipientNo": to.Number, "resultCode": 0, "resultMessage": "SUCCESS"}
		text := approved
		for _, found := range variable.FindAllStringSubmatch(approved, -1) {
			value, ok := to.Parameters[found[1]]
			if !ok {
				return refuse(4, "template parameter %q is missing", found[1])
			}
			text = strings.ReplaceAll(text, found[0], value)
		}
		switch {
		case !digits.MatchString(to.Number):
			return refuse(-2000, "recipientNo %q", to.Number)
		case utf8.RuneCountInString(text) > 1000:
			return refuse(4, "%d characters", utf8.RuneCountInString(text))
		}
		m.To = strings.TrimPrefix(m.To+","+to.Number, ",")
		m.Subject, m.Text = to.Parameters["제목"], to.Parameters["내용"]
		if link := to.Parameters["링크"]; link != "" {
			if _, err := url.Parse(link); err == nil {
				m.Links = []string{link}
			}
		}
		results = append(results, result)
	}
	if m.Key != "" && time.Since(s.seen[m.Key]) < 10*time.Minute {
		return channel.Message{}, no(-1005, "The same 'X-NC-API-IDEMPOTENCY-KEY' was used within the last 10 minute."), nil
	}
	s.seen[m.Key] = time.Now()
	if m.Text == "" {
		m.Action = "message"
	}
	return m, channel.Answer{Status: http.StatusOK, Body: map[string]any{
		"header":  map[string]any{"resultCode": 0, "resultMessage": "SUCCESS", "isSuccessful": true},
		"message": map[string]any{"requestId": "20261129-1", "sendResults": results}}}, nil
}
