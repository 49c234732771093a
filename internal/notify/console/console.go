// Package console prints messages on a terminal: the channel of `matrix demo`
// and of whoever runs `matrix serve` in the foreground.
//
// Messages quote what monitored programs sent, so nothing that a terminal
// would obey reaches it.
package console

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// Channel writes messages to one writer, one message at a time.
type Channel struct {
	turn chan struct{} // held while a message is written
	out  io.Writer
}

// New returns a channel that prints to out.
func New(out io.Writer) *Channel { return &Channel{turn: make(chan struct{}, 1), out: out} }

// Digest says that people read it.
func (c *Channel) Digest() {}

// Kind is "console".
func (c *Channel) Kind() string { return "console" }

// Secrets is empty: there is nothing to configure.
func (c *Channel) Secrets() []string { return nil }

// Check accepts an empty object.
func (c *Channel) Check(config json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&struct{}{}); err != nil {
		return fault.New(fault.Invalid, "the console channel has no settings: config must be {}").WithField("config")
	}
	return nil
}

// Send prints the text and the link in one write. A terminal that takes nothing
// (stopped with Ctrl-S, a pipe nobody reads) is fault.Unavailable when ctx ends.
func (c *Channel) Send(ctx context.Context, _ json.RawMessage, m notify.Message) error {
	var b strings.Builder
	b.WriteByte('\n')
	b.WriteString(strings.TrimRight(Clean(m.Text), "\n"))
	b.WriteByte('\n')
	if m.Link != "" {
		b.WriteString("→ " + Clean(m.Link) + "\n")
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Unavailable, "the console takes nothing")
	}
	// A write cannot be called back: it keeps its turn until it ends, and there
	// is never more than one.
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c.out, b.String())
		<-c.turn
		written <- err
	}()
	select {
	case err := <-written:
		return fault.Wrap(err, fault.Unavailable, "the console cannot be written to")
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Unavailable, "the console takes nothing")
	}
}

// sequences are the escape sequences of ECMA-48: CSI, the string commands
// (OSC, DCS, SOS, PM, APC) with their payload, and the two-character ones.
var sequences = regexp.MustCompile(
	"(?:\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]?" +
		"|(?:\x1b[\\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\x07\x1b\u009c]*(?:\x07|\x1b\\\\|\u009c)?" +
		"|\x1b[ -/]*[0-~]?")

// Clean removes from s escape sequences, control characters other than newline
// and tab, characters that reorder the text around them, and broken UTF-8.
func Clean(s string) string {
	s = sequences.ReplaceAllString(strings.ToValidUTF8(s, "\uFFFD"), "")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, s)
}
