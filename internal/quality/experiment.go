package quality

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
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

// Outcome is what became of a cell.
type Outcome struct {
	CallID     string    `json:"call_id"`
	Answer     string    `json:"answer"`
	Valid      *bool     `json:"valid" doc:"null: the role has no schema"`
	Grounded   *bool     `json:"grounded" doc:"null: not looked at"`
	Unstated   []string  `json:"unstated" doc:"what the answer states and its input does not"`
	Model      string    `json:"model" doc:"that answered"`
	Dropped    []string  `json:"dropped"`
	Attempts   int       `json:"attempts"`
	LatencyMs  int64     `json:"latency_ms"`
	Usage      ai.Usage  `json:"usage"`
	Error      string    `json:"error"`
	FinishedAt time.Time `json:"finished_at"`
}

// The states of an experiment and of its cells.
const (
	Running   = "running"
	Done      = "done"
	Cancelled = "cancelled" // by a person
	Stopped   = "stopped"   // by a limit
	Waiting   = "waiting"   // a cell
	OK        = "ok"        // a cell
	Failed    = "failed"    // a cell
)

// Start stores an experiment and has it run.
func (s *Service) Start(ctx context.Context, p project.ID, person int64, name string, spec Spec) (*Experiment, error) {
	made, _, err := s.plan(ctx, p, spec)
	if err != nil {
		return nil, err
	}
	if made.Name == "" {
		made.Name = made.Role
	}
	encoded, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if id, err = metadb.NextID(ctx, tx, "ai_experiment"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ai_experiment (id, project_id, name, role, state, reason, run, spec, person_id, created_by, created_at, ended_at)
			VALUES ($1, $2, $3, $4, 'running', '', 1, $5, $6, $7, $8, 0)`, id, p, made.Name, made.Role, string(encoded), person, name, metadb.Micros(s.now()))
		if err != nil {
			return err
		}
		number := 0
		for range made.Repeats {
			for in := range made.Asked {
				for v := range made.Variants {
					number++
					if _, err := tx.Exec(ctx, `INSERT INTO ai_experiment_cell (experiment_id, number, variant, input, state, body) VALUES ($1, $2, $3, $4, 'waiting', '')`,
						id, number, v, in); err != nil {
						return err
					}
				}
			}
		}
		return s.jobs.Insert(ctx, tx, experimentJob{Experiment: id, Run: 1})
	})
	if err != nil {
		return nil, fmt.Errorf("start experiment: %w", err)
	}
	return s.Experiment(ctx, p, id)
}

// Cancel ends an experiment; its calls under way are given up.
func (s *Service) Cancel(ctx context.Context, p project.ID, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE ai_experiment SET state = 'cancelled', ended_at = $3 WHERE project_id = $1 AND id = $2 AND state = 'running'`, p, id, metadb.Micros(s.now()))
	if err != nil || n > 0 {
		return err
	}
	if _, err := s.Experiment(ctx, p, id); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "the experiment has ended already")
}

// Resume takes an experiment up again that has ended: with what still waits and
// with what has failed.
func (s *Service) Resume(ctx context.Context, p project.ID, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var run int64
		err := tx.QueryRow(ctx, `UPDATE ai_experiment SET state = 'running', reason = '', ended_at = 0, run = run + 1
			WHERE project_id = $1 AND id = $2 AND state <> 'running' RETURNING run`, p, id).Scan(&run)
		if errors.Is(err, metadb.ErrNoRows) {
			if _, _, err := s.load(ctx, tx, p, id); err != nil {
				return err
			}
			return fault.New(fault.Conflict, "the experiment is running")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE ai_experiment_cell SET state = 'waiting', body = '' WHERE experiment_id = $1 AND state = 'failed'`, id); err != nil {
			return err
		}
		return s.jobs.Insert(ctx, tx, experimentJob{Experiment: id, Run: run})
	})
}

// Delete removes an experiment with its answers; what the log holds of its calls stays.
func (s *Service) Delete(ctx context.Context, p project.ID, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, _, err := s.load(ctx, tx, p, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ai_experiment_cell WHERE experiment_id = $1`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM ai_experiment WHERE id = $1`, id)
		return err
	})
}

// Promote makes a draft of the role out of a variant: its version with its
// parameters, and its model before the others of the chain. No call uses the
// draft before a label is moved to it. Out of a role of the installation it makes
// a draft of that one for who may edit the shared ones, and else one of the
// organisation's own role, which is made when there is none.
func (s *Service) Promote(ctx context.Context, p project.ID, id int64, variant int, notes, author string, shared bool) (*ai.Role, error) {
	found, made, err := s.load(ctx, s.db, p, id)
	if err != nil {
		return nil, err
	}
	if variant < 0 || variant >= len(made.Variants) {
		return nil, fault.New(fault.Invalid, "the experiment has no variant %d", variant).WithField("variant")
	}
	v := &made.Variants[variant]
	base, err := s.ai.Roles().At(ctx, made.Owner, made.Role, v.Version)
	if err != nil {
		return nil, err
	}
	latest, err := s.promoted(ctx, p, made, author, shared)
	if err != nil {
		return nil, err
	}
	draft := *base
	draft.Owner, draft.Version = latest.Owner, latest.Version
	if v.Model != "" {
		winner := v.entry(base.Chain)
		draft.Chain = append([]ai.Entry{winner}, slices.DeleteFunc(slices.Clone(base.Chain), func(e ai.Entry) bool { return e.Provider == v.Provider && e.Model == v.Model })...)
		draft.Chain = draft.Chain[:min(len(draft.Chain), 5)]
	}
	if v.Temperature != nil {
		draft.Parameters.Temperature = v.Temperature
	}
	if v.TopP != nil {
		draft.Parameters.TopP = v.TopP
	}
	if len(draft.Chain) > 0 && draft.Chain[0].Parameters != nil { // the entry's own would go over those that won
		own := *draft.Chain[0].Parameters
		if v.Temperature != nil {
			own.Temperature = nil
		}
		if v.TopP != nil {
			own.TopP = nil
		}
		draft.Chain = slices.Clone(draft.Chain)
		draft.Chain[0].Parameters = &own
	}
	draft.Notes = fmt.Sprintf("Playground experiment %d “%s”", id, found.Name)
	if notes != "" {
		draft.Notes += ": " + notes
	}
	return s.ai.Roles().Update(ctx, draft, false, ai.Forbidden, author)
}

// promoted is the role that a winner becomes a draft of.
func (s *Service) promoted(ctx context.Context, p project.ID, made *plan, author string, shared bool) (*ai.Role, error) {
	roles := s.ai.Roles()
	if made.Owner != ai.Shared || shared {
		return roles.Get(ctx, made.Owner, made.Role)
	}
	org, err := s.ai.OwnerOf(p)
	if err != nil {
		return nil, err
	}
	if org == ai.Shared {
		return nil, fault.New(fault.Denied, "role %q is the installation's, and the project has no organisation that could have its own", made.Role)
	}
	own, err := roles.Get(ctx, org, made.Role)
	if fault.Is(err, fault.NotFound) {
		return roles.Adopt(ctx, org, made.Role, author)
	}
	return own, err
}
