// Package pagerduty is the Events API v2 of PagerDuty that runs in a test, with
// the limits of developer.pagerduty.com/docs/events-api-v2/trigger-events: a
// routing key has 32 characters, a dedup_key at most 255, a summary at most 1024,
// an event at most 512 KB; severity is critical, error, warning or info; links have href and text.
package pagerduty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fake/channel"
)

// Key is the one routing key it takes.
const Key = "0123456789abcdef0123456789abcdef"

// Server is the Events API.
type Server struct {
	*channel.Server
	open map[string]string // state by dedup key
}

// New starts one that ends with the test.
func New(t testing.TB) Server {
	t.Helper()
	s := Server{open: map[string]string{}}
	s.Server = channel.New(t, channel.Service{
		Take: s.take,
		Limited: func(after time.Duration) channel.Answer {
			return channel.Answer{Status: http.StatusTooManyRequests, Header: channel.RetryAfter(after)}
		},
		Refused: invalid("Invalid routing key"),
	})
	return s
}

// State is how the incident of a key stands: "trigger", "acknowledge" or "resolve".
func (s Server) State(key string) string { return s.open[key] }

func invalid(why string) channel.Answer {
	return channel.Answer{Status: http.StatusBadRequest, Body: map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{why}}}
}

type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client"`
	ClientURL  string   `json:"client_url"`
	Payload    *payload `json:"payload"`
	Links      []struct {
		Href string `json:"href"`
		Text string `json:"text"`
	} `json:"links"`
}

type payload struct {
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Severity  string          `json:"severity"`
	Timestamp string          `json:"timestamp"`
	Component string          `json:"component"`
	Group     string          `json:"group"`
	Class     string          `json:"class"`
	Details   json.RawMessage `json:"custom_details"`
}

func (s Server) take(r *http.Request, body []byte) (channel.Message, channel.Answer, error) {
	refuse := func(format string, args ...any) (channel.Message, channel.Answer, error) {
		err := fmt.Errorf(format, args...)
		return channel.Message{}, invalid(err.Error()), err
	}
	var e event
	if err := channel.Posted(r, "/v2/enqueue"); err != nil {
		return refuse("%w", err)
	}
	if len(body) > 512<<10 {
		return channel.Message{}, channel.Answer{Status: http.StatusRequestEntityTooLarge}, fmt.Errorf("%d bytes", len(body))
	}
	if err := channel.Strict(body, &e); err != nil {
		return refuse("%w", err)
	}
	switch {
	case len(e.RoutingKey) != 32:
		return refuse("Length of 'routing_key' is incorrect (should be 32 characters)")
	case e.RoutingKey != Key:
		return refuse("Invalid routing key")
	case e.Action != "trigger" && e.Action != "acknowledge" && e.Action != "resolve":
		return refuse("'event_action' is %q", e.Action)
	case e.DedupKey == "" && e.Action != "trigger":
		return refuse("'dedup_key' is missing or blank")
	case len(e.DedupKey) > 255:
		return refuse("'dedup_key' has %d characters", len(e.DedupKey))
	}
	m := channel.Message{To: "service", Key: e.DedupKey, Action: e.Action}
	for _, l := range e.Links {
		if to, err := url.Parse(l.Href); err != nil || to.Host == "" {
			return refuse("link %+v", l)
		}
		m.Links = append(m.Links, l.Href)
	}
	if e.Action == "trigger" {
		p := e.Payload
		switch {
		case p == nil || p.Summary == "" || p.Source == "":
			return refuse("'payload' %+v", p)
		case utf8.RuneCountInString(p.Summary) > 1024:
			return refuse("'payload.summary' is too long")
		case !slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity):
			return refuse("'payload.severity' is invalid")
		}
		var details struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(p.Details, &details); err != nil {
			return refuse("'payload.custom_details': %w", err)
		}
		m.Subject, m.Text = p.Summary, details.Text
	} else if e.Payload != nil {
		return refuse("a payload with %s", e.Action)
	}
	// An event for what is resolved, other than a trigger, is taken and does nothing.
	if e.Action == "trigger" || s.open[e.DedupKey] != "" {
		s.open[e.DedupKey] = e.Action
	}
	return m, channel.Answer{Status: http.StatusAccepted, Body: map[string]string{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey}}, nil
}
