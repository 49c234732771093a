// Package notify tells people. It owns the targets of a project (where its
// messages go), the outbox that delivers them through durable jobs, and the
// guard every outgoing address passes.
//
// It does not know what a message is about: incident and change write the
// texts. It talks to the metadata database and the job queue; each channel (a
// folder below this one) talks to its own service.
package notify

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/matrix-aiops/matrix/internal/project"
)

// Message is what the outbox carries to every target of a project.
type Message struct {
	Project project.ID `json:"project_id"`
	// Key names the message once and for all: the outbox keeps one message per
	// project and key. In Send it is the key of the delivery, which is the same
	// at every attempt, so a receiver can drop what it has already seen.
	Key string `json:"key"`
	// Kind says what happened, for receivers that route: "incident.alarm".
	Kind string `json:"kind"`
	// Ref is what the message is about ("incident/12"); deliveries are listed by it.
	Ref     string `json:"ref,omitempty"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// Link is an address on which the reader goes on, LinkText the words on it.
	Link     string `json:"link,omitempty"`
	LinkText string `json:"link_text,omitempty"`
	// Actions are what the reader can do at once: addresses that ask before they do it.
	Actions []Action `json:"actions,omitempty"`
	// Fixed says that Text is laid out in lines and wants a fixed-width font.
	Fixed bool `json:"fixed,omitempty"`
	// Data is the same message for machines; it must marshal to JSON.
	Data any `json:"data,omitempty"`

	// Severity is one of Info, Warning and Critical; "" counts as Critical, so
	// that what nobody graded is never held back.
	Severity    string            `json:"severity,omitempty"`
	Service     string            `json:"service,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	// Owner is whose the service is, as the project calls them; routes match it.
	Owner string `json:"owner,omitempty"`
	// Assignee is the account that has the case, 0 for nobody. For is the account
	// that a message is meant for alone, 0 for the channels of the project and
	// whoever wants to be told.
	Assignee int64 `json:"assignee,omitempty"`
	For      int64 `json:"for,omitempty"`
	// Group joins this to others that are written at about the same time; nil for
	// what is told on its own.
	Group *Group `json:"group,omitempty"`
	// Thread joins the messages of one case ("incident/12"): channels that can
	// show them together do. State is how the case stands after this message,
	// one of Open, Acknowledged and Resolved, or "" when it says nothing of it.
	Thread string `json:"thread,omitempty"`
	State  string `json:"state,omitempty"`
	// Language is that of the words, "ko" or "en"; what a channel adds is in it.
	Language string `json:"language,omitempty"`
	// Words holds the message in other languages, by code. A target that has
	// chosen one of them gets those.
	Words map[string]Words `json:"words,omitempty"`
	// Chart is what was measured; channels that show pictures get it as one.
	Chart *Chart `json:"chart,omitempty"`
	// Pictures are drawn when a message is sent, for an Illustrator only.
	Pictures []Picture `json:"-"`
}

// The severities, least first.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// The states of the case that a message is about.
const (
	Open         = "open"
	Acknowledged = "acknowledged"
	Resolved     = "resolved"
)

// Words are what a message says, in one language.
type Words struct {
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	LinkText string `json:"link_text,omitempty"`
	// Actions are the message's, with labels in the language; nil for as they are.
	Actions []Action `json:"actions,omitempty"`
	// Group is the title of the message's group, "" for as it is.
	Group string `json:"group,omitempty"`
}

// Picture is a small PNG, below 200 KiB, with the words that stand for it.
type Picture struct {
	Name string `json:"name"`
	Alt  string `json:"alt"`
	PNG  []byte `json:"png"`
	// Width is how wide it is meant to be shown, in the pixels of CSS; 0 for as it is.
	Width int `json:"width,omitempty"`
}

// In returns m in language, or as it is when it has no words in it.
func (m Message) In(language string) Message {
	if w, ok := m.Words[language]; ok && language != m.Language {
		m.Subject, m.Text, m.Language = w.Subject, w.Text, language
		m.LinkText = cmp.Or(w.LinkText, m.LinkText)
		if w.Actions != nil {
			m.Actions = w.Actions
		}
		if m.Group != nil && w.Group != "" {
			group := *m.Group
			group.Title = w.Group
			m.Group = &group
		}
	}
	m.Language = cmp.Or(m.Language, language)
	return m
}

// Action is something a reader can do from a message.
type Action struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// Channel is a way to tell people: the seam for a new one is a folder here and
// a line in app.
type Channel interface {
	// Kind is the name targets carry, in snake_case.
	Kind() string
	// Check returns fault.Invalid, with the field, when config cannot work. It
	// sends nothing and resolves nothing.
	Check(config json.RawMessage) error
	// Secrets names the top-level string fields of config that are never
	// returned by a read.
	Secrets() []string
	// Send delivers m once and honours ctx. The kind of its error decides what
	// happens next: RateLimited and Unavailable are tried again (not before
	// RetryAfter), as is an error without a kind; every other kind is final. The
	// message of a fault is shown to people, so it holds no secret and nothing
	// of the answer's body.
	Send(ctx context.Context, config json.RawMessage, m Message) error
}

// CaseKeeper is a Channel whose service keeps an entry for each case, open till
// a message with the state Resolved.
type CaseKeeper interface {
	Channel
	// KeepsCases does nothing: having it says so.
	KeepsCases()
}

// Illustrator is a Channel that shows a message's pictures.
type Illustrator interface {
	Channel
	// ShowsPictures does nothing: having it says so.
	ShowsPictures()
}

// Previewer is a Channel whose users write a template of their own.
type Previewer interface {
	Channel
	// Preview returns what would be sent for m with config, whose secrets may be
	// missing or Kept. It sends nothing.
	Preview(config json.RawMessage, m Message) (string, error)
}
