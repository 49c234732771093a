package ai

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Capability says what models do not take. All rules that fit a model apply.
type Capability struct {
	Provider string   `json:"provider" doc:"kind or name of a provider, or *" minLength:"1" maxLength:"63"`
	Model    string   `json:"model" doc:"name of a model; * stands for any letters" minLength:"1" maxLength:"200"`
	Rejects  []string `json:"rejects,omitempty" doc:"parameters that are left out, and tools, json_schema"`
	// Either are parameters of which only the first that is set is sent.
	Either    []string   `json:"either,omitempty" doc:"parameters of which only the first that is set is sent"`
	Notes     string     `json:"notes,omitempty" maxLength:"1000"`
	UpdatedAt *time.Time `json:"updated_at"` // null: as it came with MATRIX
	UpdatedBy string     `json:"updated_by"`
}

// The names in Capability.Rejects that are no parameters.
const (
	rejectsTools  = "tools"
	rejectsSchema = "json_schema"
)

const maxCapabilities = 500

// parameter names and clears the fields of Parameters.
var parameter = map[string]struct {
	isSet func(*Parameters) bool
	clear func(*Parameters)
}{
	"temperature":       {func(p *Parameters) bool { return p.Temperature != nil }, func(p *Parameters) { p.Temperature = nil }},
	"top_p":             {func(p *Parameters) bool { return p.TopP != nil }, func(p *Parameters) { p.TopP = nil }},
	"top_k":             {func(p *Parameters) bool { return p.TopK != nil }, func(p *Parameters) { p.TopK = nil }},
	"max_tokens":        {func(p *Parameters) bool { return p.MaxTokens != nil }, func(p *Parameters) { p.MaxTokens = nil }},
	"seed":              {func(p *Parameters) bool { return p.Seed != nil }, func(p *Parameters) { p.Seed = nil }},
	"stop":              {func(p *Parameters) bool { return len(p.Stop) > 0 }, func(p *Parameters) { p.Stop = nil }},
	"presence_penalty":  {func(p *Parameters) bool { return p.PresencePenalty != nil }, func(p *Parameters) { p.PresencePenalty = nil }},
	"frequency_penalty": {func(p *Parameters) bool { return p.FrequencyPenalty != nil }, func(p *Parameters) { p.FrequencyPenalty = nil }},
	"reasoning_effort":  {func(p *Parameters) bool { return p.ReasoningEffort != "" }, func(p *Parameters) { p.ReasoningEffort = "" }},
}

func (c *Capability) check() error {
	if c.Provider == "" || c.Model == "" || len(c.Rejects)+len(c.Either) == 0 {
		return fault.New(fault.Invalid, "a rule is of a provider and a model, and says what they reject").WithField("rejects")
	}
	for _, name := range c.Rejects {
		if _, known := parameter[name]; !known && name != rejectsTools && name != rejectsSchema {
			return fault.New(fault.Invalid, "there is no parameter %q", name).WithField("rejects")
		}
	}
	for _, name := range c.Either {
		if _, known := parameter[name]; !known {
			return fault.New(fault.Invalid, "there is no parameter %q", name).WithField("either")
		}
	}
	return nil
}

// fits reports whether the rule is about a model of a provider.
func (c *Capability) fits(name, kind, model string) bool {
	return (c.Provider == "*" || c.Provider == name || c.Provider == kind) && like(strings.ToLower(c.Model), strings.ToLower(model))
}

// like matches a text against a pattern in which * stands for any letters.
func like(pattern, text string) bool {
	first, rest, open := strings.Cut(pattern, "*")
	if !open {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		middle, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, rest)
		}
		_, behind, found := strings.Cut(text, middle)
		if !found {
			return false
		}
		text, rest = behind, after
	}
}

// Capabilities are the rules of the installation.
type capabilities []Capability

// fit returns the parameters that a model takes, and the names of what it does
// not take and was left out.
func (all capabilities) fit(name, kind, model string, p Parameters) (taken Parameters, dropped []string) {
	drop := func(which string) {
		if at, known := parameter[which]; known && at.isSet(&p) {
			at.clear(&p)
			dropped = append(dropped, which)
		}
	}
	for i := range all {
		rule := &all[i]
		if !rule.fits(name, kind, model) {
			continue
		}
		for _, which := range rule.Rejects {
			drop(which)
		}
		first := slices.IndexFunc(rule.Either, func(which string) bool { return parameter[which].isSet(&p) })
		for _, which := range rule.Either[first+1:] {
			drop(which)
		}
	}
	return p, dropped
}

// rejects reports whether a model does not take tools or schemas.
func (all capabilities) rejects(name, kind, model, what string) bool {
	return slices.ContainsFunc(all, func(c Capability) bool {
		return c.fits(name, kind, model) && slices.Contains(c.Rejects, what)
	})
}

// Capabilities returns all rules by provider and model.
func (s *Roles) Capabilities(ctx context.Context) ([]Capability, error) {
	rows, err := s.db.Query(ctx, `SELECT body FROM ai_capability WHERE NOT deleted ORDER BY provider, model`)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Capability, error) {
		var body string
		var c Capability
		if err := rows.Scan(&body); err != nil {
			return c, err
		}
		return c, json.Unmarshal([]byte(body), &c)
	})
}

// SetCapability stores the rule of a provider and a model, over the one they had.
func (s *Roles) SetCapability(ctx context.Context, c Capability, author string) (*Capability, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	now := s.now().UTC().Truncate(time.Microsecond)
	c.UpdatedAt, c.UpdatedBy = &now, author
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var known int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ai_capability WHERE NOT deleted AND NOT (provider = $1 AND model = $2)`, c.Provider, c.Model).Scan(&known); err != nil {
			return err
		}
		if known >= maxCapabilities {
			return fault.New(fault.Invalid, "there are %d rules already, no more are kept", maxCapabilities)
		}
		return writeCapability(ctx, tx, &c, true)
	})
	if err != nil {
		return nil, err
	}
	s.forget()
	return &c, nil
}

func writeCapability(ctx context.Context, tx *metadb.Tx, c *Capability, over bool) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	conflict := `DO NOTHING`
	if over {
		conflict = `DO UPDATE SET body = excluded.body, deleted = FALSE`
	}
	_, err = tx.Exec(ctx, `INSERT INTO ai_capability (provider, model, body, deleted) VALUES ($1, $2, $3, FALSE) ON CONFLICT (provider, model) `+conflict, c.Provider, c.Model, string(body))
	return err
}

// DeleteCapability removes a rule; fault.NotFound.
func (s *Roles) DeleteCapability(ctx context.Context, provider, model string) error {
	n, err := s.db.Exec(ctx, `UPDATE ai_capability SET deleted = TRUE WHERE provider = $1 AND model = $2 AND NOT deleted`, provider, model)
	if err != nil {
		return fmt.Errorf("delete rule: %w", err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "there is no rule for the model %q of %q", model, provider)
	}
	s.forget()
	return nil
}

// seedCapabilities stores the rules that come with MATRIX and were never stored.
func seedCapabilities(ctx context.Context, tx *metadb.Tx) error {
	var rules []Capability
	if err := json.Unmarshal([]byte(embedded("capabilities.json")), &rules); err != nil {
		return fmt.Errorf("read default capabilities: %w", err)
	}
	for i := range rules {
		rules[i].UpdatedBy = "matrix"
		if err := writeCapability(ctx, tx, &rules[i], false); err != nil {
			return err
		}
	}
	return nil
}
