package ai

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// What the log keeps of the texts of a call. It says nothing of what leaves.
const (
	KeepMasked    = "masked"    // the texts with tokens, also of calls of a service of the house
	KeepNone      = "none"      // no text
	KeepOriginals = "originals" // the texts with tokens, and what the tokens stand for
)

var keeps = []string{"", KeepMasked, KeepNone, KeepOriginals}

// checkKeep refuses what is no choice; field is the one that holds it.
func checkKeep(keep, field string) error {
	if slices.Contains(keeps, keep) {
		return nil
	}
	return fault.New(fault.Invalid, "of the texts of a call the log keeps masked, none or originals").WithField(field)
}

// keepTexts puts into the record of a call what the log may keep of its texts.
// On any doubt it keeps none.
func (c *conversation) keepTexts(ctx context.Context, call *Call) {
	if c.keep == KeepNone {
		c.dropTexts(call)
		return
	}
	if err := c.maskTexts(call); err != nil {
		c.g.log.WarnContext(ctx, "the texts of an ai call could not be masked for the log", "call_id", c.id, "kind", fault.KindOf(err).String())
		c.dropTexts(call)
		return
	}
	if call.SchemaValid != nil && *call.SchemaValid {
		call.Parsed = c.format.parse(call.Answer)
	}
	call.Masked = c.session().Summary()
	if c.keep == KeepOriginals {
		call.Originals = c.session().Tokens()
		call.HasOriginals = len(call.Originals) > 0
	}
}

// maskTexts fills the texts in, with tokens: what services of the house were
// told, and said, has had none so far.
func (c *conversation) maskTexts(call *Call) error {
	if err := c.prepare(false); err != nil {
		return err
	}
	call.System, call.Message, call.Answer = c.masked.system(), c.masked.message(), c.answer
	if !slices.ContainsFunc(c.attempts, func(a Attempt) bool { return a.InHouse }) {
		return nil
	}
	call.Attempts = slices.Clone(call.Attempts)
	texts := []string{call.System, call.Message, call.Answer}
	for _, a := range call.Attempts {
		texts = append(texts, a.Answer, a.Error)
	}
	texts, err := c.session().MaskAll(texts...)
	if err != nil {
		return err
	}
	call.System, call.Message, call.Answer = texts[0], texts[1], texts[2]
	for i := range call.Attempts {
		call.Attempts[i].Answer, call.Attempts[i].Error = texts[3+2*i], texts[4+2*i]
	}
	return nil
}

func (c *conversation) dropTexts(call *Call) {
	call.Attempts = slices.Clone(call.Attempts)
	for i := range call.Attempts {
		a := &call.Attempts[i]
		a.Answer = ""
		if a.Class == InvalidAnswer { // the reason may quote the answer
			a.Error = "the answer was refused"
		}
	}
}

// system is the system message, "" for none.
func (s said) system() string {
	if len(s.messages) > 0 && s.messages[0].Role == RoleSystem {
		return s.messages[0].Text
	}
	return ""
}

// message is the user's turn when there is one, else the turns as JSON.
func (s said) message() string {
	turns := s.messages
	if len(turns) > 0 && turns[0].Role == RoleSystem {
		turns = turns[1:]
	}
	if len(turns) == 1 && turns[0].Role == RoleUser {
		return turns[0].Text
	}
	if len(turns) == 0 {
		return ""
	}
	text, err := json.Marshal(turns)
	if err != nil {
		return ""
	}
	return string(text)
}

// masking of a call that has masked nothing.
func (c *conversation) unmasked() bool { return c.masked.messages == nil }

// replacements are the tokens of a call, in the order of first use.
func (c *conversation) replacements() ([]mask.Count, []mask.Token) {
	if c.unmasked() {
		return nil, nil
	}
	return c.session().Summary(), c.session().Tokens()
}
