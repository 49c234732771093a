// Package opsgenie is the Alert API of Opsgenie that runs in a test, with the
// limits of docs.opsgenie.com/docs/alert-api: message 130 characters, alias 512,
// description 15,000, 20 tags of 50, details 8,000 in all, entity 512, source
// 100, note 25,000; and the answers of docs.opsgenie.com/docs/response: 202
// for what will be done, 401 for a wrong key, 422 for what cannot be understood, 429.
package opsgenie

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Key is the one API key it takes.
const Key = "01234567-89ab-cdef-0123-456789abcdef"

// Server is the Alert API.
type Server struct {
	*channel.Server
	open map[string]string // state by alias
}

// New starts one that ends with the test.
func New(t testing.TB) Server {
	t.Helper()
	s := Server{open: map[string]string{}}
	s.Server = channel.New(t, channel.Service{
		Take: s.take,
		Limited: func(after time.Duration) channel.Answer {
			return channel.Answer{Status: http.StatusTooManyRequests, Header: channel.RetryAfter(after),
				Body: map[string]any{"message": "You are making too many requests!", "took": 0.0, "requestId": "r"}}
		},
		Refused: no(http.StatusForbidden, "apiKey cannot do this operation"),
	})
	return s
}

// State is how the alert of an alias stands: "create", "acknowledge" or "close".
func (s Server) State(alias string) string { return s.open[alias] }

func no(status int, why string) channel.Answer {
	return channel.Answer{Status: status, Body: map[string]any{"message": why, "took": 0.0, "requestId": "r"}}
}

type alert struct {
	Message     string            `json:"message"`
	Alias       string            `json:"alias"`
	Description string            `json:"description"`
	Tags        []string          `json:"tags"`
	Details     map[string]string `json:"details"`
	Entity      string            `json:"entity"`
	Source      string            `json:"source"`
	Priority    string            `json:"priority"`
}

func (s Server) take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	refuse := func(status int, format string, args ...any) (channel.Message, channel.Answer, error) {
		err := fmt.Errorf(format, args...)
		return channel.Message{}, no(status, err.Error()), err
	}
	accepted := channel.Answer{Status: http.StatusAccepted, Body: map[string]any{"result": "Request will be processed", "took": 0.1, "requestId": "r"}}
	if err := channel.Posted(r, r.URL.Path); err != nil {
		return refuse(http.StatusUnsupportedMediaType, "%w", err)
	}
	if r.Header.Get("Authorization") != "GenieKey "+Key {
		return refuse(http.StatusUnauthorized, "Could not authenticate")
	}
	if r.URL.Path == "/v2/alerts" {
		var a alert
		if err := channel.Strict(body, &a); err != nil {
			return refuse(http.StatusBadRequest, "%w", err)
		}
		if err := a.check(); err != nil {
			return refuse(http.StatusUnprocessableEntity, "%w", err)
		}
		s.open[a.Alias] = "create"
		m := channel.Message{To: "team", Subject: a.Message, Text: a.Description, Key: a.Alias, Action: "create"}
		if link := a.Details["link"]; link != "" {
			m.Links = []string{link}
		}
		return m, accepted, nil
	}
	// The path is escaped: an alias holds slashes.
	alias, verb, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/v2/alerts/"), "/")
	if alias = strings.ReplaceAll(alias, "%2F", "/"); !ok || r.URL.Query().Get("identifierType") != "alias" {
		return refuse(http.StatusNotFound, "path %s", r.URL)
	}
	var more struct {
		Note   string `json:"note"`
		Source string `json:"source"`
	}
	if err := channel.Strict(body, &more); err != nil {
		return refuse(http.StatusBadRequest, "%w", err)
	}
	if utf8.RuneCountInString(more.Note) > 25_000 || len(more.Source) > 100 {
		return refuse(http.StatusUnprocessableEntity, "note or source is too long")
	}
	switch verb {
	case "close", "acknowledge":
		if s.open[alias] != "" {
			s.open[alias] = verb
		}
	case "notes":
		if more.Note == "" {
			return refuse(http.StatusUnprocessableEntity, "note is empty")
		}
	default:
		return refuse(http.StatusNotFound, "path %s", r.URL)
	}
	return channel.Message{To: "team", Text: more.Note, Key: alias, Action: verb}, accepted, nil
}

func (a alert) check() error {
	details := 0
	for name, value := range a.Details {
		details += utf8.RuneCountInString(name) + utf8.RuneCountInString(value)
	}
	switch n := utf8.RuneCountInString; {
	case a.Message == "" || n(a.Message) > 130:
		return fmt.Errorf("message has %d characters", n(a.Message))
	case n(a.Alias) > 512, n(a.Entity) > 512, n(a.Source) > 100:
		return fmt.Errorf("alias, entity or source is too long")
	case n(a.Description) > 15_000:
		return fmt.Errorf("description has %d characters", n(a.Description))
	case details > 8000:
		return fmt.Errorf("details have %d characters", details)
	case len(a.Tags) > 20:
		return fmt.Errorf("%d tags", len(a.Tags))
	case a.Priority < "P1" || a.Priority > "P5" || len(a.Priority) != 2:
		return fmt.Errorf("priority %q", a.Priority)
	}
	for _, tag := range a.Tags {
		if tag == "" || utf8.RuneCountInString(tag) > 50 {
			return fmt.Errorf("tag %q", tag)
		}
	}
	return nil
}
