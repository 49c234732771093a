package quality

import (
	"context"
	"fmt"
	"slices"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The bounds of an experiment.
const (
	MaxCells   = 400
	maxInputs  = 50
	maxAxis    = 10
	maxRepeats = 10
	maxInput   = 64 << 10 // bytes
)

// Spec says what an experiment asks: every input, Repeats times, of every
// combination of versions, models, temperatures and top_p. An empty axis stands
// for what the version itself says.
type Spec struct {
	Name         string      `json:"name" maxLength:"200"`
	Role         string      `json:"role" maxLength:"63"`
	Versions     []int       `json:"versions" maxItems:"10" doc:"of the role; empty: the latest"`
	Models       []SpecModel `json:"models" maxItems:"10" doc:"empty: the chain of the version"`
	Temperatures []float64   `json:"temperatures" maxItems:"10"`
	TopPs        []float64   `json:"top_ps" maxItems:"10"`
	Inputs       []SpecInput `json:"inputs" maxItems:"50"`
	Repeats      int         `json:"repeats" minimum:"1" maximum:"10"`
	Language     string      `json:"language,omitempty" enum:"ko,en"`
	// Ground has every answer checked against its input.
	Ground bool `json:"ground" doc:"check what answers state against their inputs"`
	// MaxCostUSD ends the experiment once its answers have cost so much; 0 is no bound.
	MaxCostUSD float64 `json:"max_cost_usd,omitempty" minimum:"0"`
}

// SpecModel is a model of a provider.
type SpecModel struct {
	Provider string `json:"provider"`
	Model    string `json:"model"`
}

// SpecInput is what is asked: the masked message of a recorded call, or a text.
type SpecInput struct {
	CallID    string            `json:"call_id,omitempty" doc:"of a recorded call of the project: its masked message is sent"`
	Message   string            `json:"message,omitempty" doc:"ignored with call_id"`
	Variables map[string]string `json:"variables,omitempty" doc:"of the role's system message"`
}

// Variant is one combination.
type Variant struct {
	Version     int      `json:"version"`
	Provider    string   `json:"provider" doc:"empty: the chain of the version"`
	Model       string   `json:"model"`
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
	Dropped     []string `json:"dropped" doc:"parameters the model does not take, as the capability table says"`
}

// parameters are those of the variant, nil when it leaves all to the version.
func (v *Variant) parameters() *ai.Parameters {
	if v.Temperature == nil && v.TopP == nil {
		return nil
	}
	return &ai.Parameters{Temperature: v.Temperature, TopP: v.TopP}
}

// role is a version asked as the variant says. What the role asks for between
// two calls of a caller does not hold: budgets do.
func (v *Variant) role(r ai.Role) *ai.Role {
	r.RateLimitIntervalMs = 0
	if v.Model != "" {
		r.Chain = []ai.Entry{v.entry(r.Chain)}
	}
	return &r
}

// entry is the model of the variant, with the time that the chain gives it.
func (v *Variant) entry(chain []ai.Entry) ai.Entry {
	for _, e := range chain {
		if e.Provider == v.Provider && e.Model == v.Model {
			return e
		}
	}
	return ai.Entry{Provider: v.Provider, Model: v.Model}
}

// plan is a spec made ready to be run.
type plan struct {
	Spec
	Owner    ai.Owner  `json:"owner"` // of the role
	Variants []Variant `json:"variants"`
	Asked    []asked   `json:"asked"` // as Inputs
}

// asked is an input as it is sent.
type asked struct {
	CallID    string            `json:"call_id,omitempty"`
	Title     string            `json:"title"`
	Message   string            `json:"message"`
	Messages  []ai.Message      `json:"messages,omitempty"`
	Variables map[string]string `json:"variables,omitempty"`
}

func (a *asked) text() string {
	text := a.Message
	for _, m := range a.Messages {
		text += "\n" + m.Text
	}
	return text
}

// Estimate is what an experiment would be.
type Estimate struct {
	Variants     []Variant `json:"variants"`
	Cells        int       `json:"cells"`
	MaxCells     int       `json:"max_cells"`
	InputTokens  int64     `json:"input_tokens"`
	OutputTokens int64     `json:"output_tokens" doc:"up to the bound of an answer, or a guess of it"`
	// CostUSD is null when the price of one of the models is not known.
	CostUSD  *float64 `json:"cost_usd"`
	Unpriced []string `json:"unpriced" doc:"models without a price"`
}

// Estimate tells what the experiment would be, and refuses what Start refuses.
func (s *Service) Estimate(ctx context.Context, p project.ID, spec Spec) (*Estimate, error) {
	_, e, err := s.plan(ctx, p, spec)
	return e, err
}

func (s *Spec) check() error {
	invalid := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	switch {
	case len(s.Name) > 200:
		return invalid("name", "a name has at most 200 bytes")
	case len(s.Inputs) == 0 || len(s.Inputs) > maxInputs:
		return invalid("inputs", "an experiment has 1 to %d inputs", maxInputs)
	case s.Repeats < 1 || s.Repeats > maxRepeats:
		return invalid("repeats", "each input is asked 1 to %d times", maxRepeats)
	case s.MaxCostUSD < 0:
		return invalid("max_cost_usd", "a cost is not negative")
	}
	for field, n := range map[string]int{"versions": len(s.Versions), "models": len(s.Models), "temperatures": len(s.Temperatures), "top_ps": len(s.TopPs)} {
		if n > maxAxis {
			return invalid(field, "an axis has at most %d values", maxAxis)
		}
	}
	for _, in := range s.Inputs {
		if in.CallID == "" && in.Message == "" {
			return invalid("inputs", "an input is a recorded call or a text")
		}
		if len(in.Message) > maxInput {
			return invalid("inputs", "an input has at most %d bytes", maxInput)
		}
	}
	return nil
}

// axis is the values of an axis without repetition, or the one that stands for none.
func axis[T comparable](values []T) []*T {
	var out []*T
	for i, v := range values {
		if !slices.Contains(values[:i], v) {
			out = append(out, &v)
		}
	}
	if len(out) == 0 {
		out = []*T{nil}
	}
	return out
}

func (s *Service) plan(ctx context.Context, p project.ID, spec Spec) (*plan, *Estimate, error) {
	if err := spec.check(); err != nil {
		return nil, nil, err
	}
	asks, err := s.ai.OwnerOf(p)
	if err != nil {
		return nil, nil, err
	}
	latest, err := s.ai.Roles().Reached(ctx, asks, spec.Role)
	if err != nil {
		return nil, nil, err
	}
	if len(spec.Versions) == 0 {
		spec.Versions = []int{latest.Version}
	}
	made := &plan{Spec: spec, Owner: latest.Owner}
	for i, in := range spec.Inputs {
		a := asked{CallID: in.CallID, Title: fmt.Sprintf("#%d", i+1), Message: in.Message, Variables: in.Variables}
		if in.CallID != "" {
			c, err := s.call(ctx, p, in.CallID)
			if err != nil {
				return nil, nil, err
			}
			if a.Message, a.Messages = turns(c); a.Message == "" && len(a.Messages) == 0 {
				return nil, nil, noText(in.CallID).WithField("inputs")
			}
			if c.CallerRef != "" {
				a.Title = c.CallerRef
			}
		}
		made.Asked = append(made.Asked, a)
	}
	for _, version := range axis(spec.Versions) {
		for _, model := range axis(spec.Models) {
			for _, temperature := range axis(spec.Temperatures) {
				for _, topP := range axis(spec.TopPs) {
					v := Variant{Version: *version, Temperature: temperature, TopP: topP, Dropped: []string{}}
					if model != nil {
						v.Provider, v.Model = model.Provider, model.Model
					}
					made.Variants = append(made.Variants, v)
				}
			}
		}
	}
	e := &Estimate{Cells: len(made.Variants) * len(made.Asked) * spec.Repeats, MaxCells: MaxCells, Unpriced: []string{}}
	if e.Cells > MaxCells {
		return nil, nil, fault.New(fault.Invalid, "an experiment has at most %d cells, and this one %d: %d variants × %d inputs × %d repeats",
			MaxCells, e.Cells, len(made.Variants), len(made.Asked), spec.Repeats).WithField("cells")
	}
	cost := 0.0
	for i := range made.Variants {
		more, err := s.estimate(ctx, p, made, &made.Variants[i], e)
		if err != nil {
			return nil, nil, err
		}
		cost += more
	}
	e.Variants = made.Variants
	if len(e.Unpriced) == 0 {
		e.CostUSD = &cost
	}
	return made, e, nil
}

// estimate adds what a variant uses, notes what its model does not take, and
// returns what it costs as far as that is known.
func (s *Service) estimate(ctx context.Context, p project.ID, made *plan, v *Variant, e *Estimate) (cost float64, err error) {
	stored, err := s.ai.Roles().At(ctx, made.Owner, made.Role, v.Version)
	if err != nil {
		return cost, err
	}
	for i := range made.Asked {
		a := &made.Asked[i]
		planned, err := s.ai.Plan(ctx, ai.Caller{Project: p, Kind: KindExperiment}, v.role(*stored), a.input(v, made.Language))
		if err != nil {
			return cost, err
		}
		times := int64(made.Repeats)
		e.InputTokens += times * planned.InputTokens
		e.OutputTokens += times * planned.OutputTokens
		switch name := planned.Provider + "/" + planned.Model; {
		case planned.CostUSD != nil:
			cost += float64(times) * *planned.CostUSD
		case !slices.Contains(e.Unpriced, name):
			e.Unpriced = append(e.Unpriced, name)
		}
		if planned.Dropped != nil {
			v.Dropped = planned.Dropped
		}
	}
	return cost, nil
}

func (a *asked) input(v *Variant, language string) ai.Input {
	in := ai.Input{Message: a.Message, Messages: a.Messages, Variables: a.Variables, Language: language, Parameters: v.parameters()}
	if a.CallID != "" {
		in.Recorded = recorded(&in)
	}
	return in
}
