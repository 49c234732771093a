// Package notify tells people. It owns the targets of a project (where its
// messages go), the outbox that delivers them through durable jobs, and the
// guard every outgoing address passes.
//
// It does not know what a message is about: incident and change write the
// texts. It talks to the metadata database and the job queue; each channel (a
// folder below this one) talks to its own service.
package notify

import (
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
	// Fixed says that Text is laid out in lines and wants a fixed-width font.
	Fixed bool `json:"fixed,omitempty"`
	// Data is the same message for machines; it must marshal to JSON.
	Data any `json:"data,omitempty"`
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
