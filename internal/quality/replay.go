package quality

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
)

// recorded are the tokens in turns out of the log.
func recorded(in *ai.Input) []mask.Token {
	texts := []string{in.Message}
	for _, m := range in.Messages {
		texts = append(texts, m.Text)
		for _, call := range m.Calls {
			texts = append(texts, call.Arguments)
		}
	}
	return mask.Recorded(texts...)
}

// turns are what a logged call was asked: its one message, or all of its turns.
func turns(c *ai.Call) (message string, messages []ai.Message) {
	var all []ai.Message
	if json.Unmarshal([]byte(c.Message), &all) != nil || len(all) == 0 || slices.ContainsFunc(all, func(m ai.Message) bool { return m.Role == "" }) {
		return c.Message, nil
	}
	return "", all
}

// noText refuses a call of which the log has no message, by a policy or because
// nothing was sent.
func noText(call string) *fault.Error {
	return fault.New(fault.Invalid, "the log holds no message of the call %q", call)
}

// Replay is how a recorded call is asked again.
type Replay struct {
	Version    int // 0: that of the call
	Provider   string
	Model      string // "": the chain of the version
	Parameters *ai.Parameters
	Variables  map[string]string
	// Originals puts into the answer what the tokens of the call stand for, as far
	// as the log keeps it, and tells it to services of the house. Who may see it is
	// the caller's to know.
	Originals bool
}

// ReplayOf makes the role and the input with which ai.Gateway.Try asks a recorded
// call again: with its masked message, as the log holds no other. Its tokens stay
// what they are.
func (s *Service) ReplayOf(ctx context.Context, p project.ID, id string, r Replay) (*ai.Role, ai.Input, error) {
	c, err := s.call(ctx, p, id)
	if err != nil {
		return nil, ai.Input{}, err
	}
	if c.Role == "" {
		return nil, ai.Input{}, fault.New(fault.Invalid, "the call asked a model without a role: only calls of a role are asked again")
	}
	if r.Version == 0 {
		r.Version = c.RoleVersion
	}
	role, err := s.ai.Roles().At(ctx, c.RoleOwner, c.Role, r.Version)
	if err != nil {
		return nil, ai.Input{}, err
	}
	v := Variant{Provider: r.Provider, Model: r.Model}
	in := ai.Input{Variables: r.Variables, Language: c.Language, Parameters: r.Parameters}
	if in.Message, in.Messages = turns(c); in.Message == "" && len(in.Messages) == 0 {
		return nil, ai.Input{}, noText(id)
	}
	in.Recorded = recorded(&in)
	if r.Originals {
		known, err := s.ai.Originals(ctx, p, id)
		if err != nil {
			return nil, ai.Input{}, err
		}
		in.Recorded = append(known, in.Recorded...)
	}
	whole := mask.NewSession()
	whole.Adopt(in.Recorded...)
	in.Grounded = grounded(whole.Unmask(in.Message), nil)
	return v.role(*role), in, nil
}
