package ai

import (
	"cmp"
	"embed"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// AlertAnalyzer is the code of the role that writes incident reports.
const AlertAnalyzer = "agent-alert-analyzer"

// Investigator is the code of the role that asks for more facts about an incident.
const Investigator = "incident-investigator"

// AnswerJudge is the code of the role that judges a sample of other roles' answers.
const AnswerJudge = "answer-judge"

// Role is what a model is asked to be, by which models and how. A stored version
// never changes.
type Role struct {
	Code string `json:"code"`
	// Owner has the role: calls of an organisation reach its own one before the
	// installation's of the same code, and never that of another.
	Owner       Owner  `json:"owner" doc:"organisation id; 0: the installation's, which all organisations share"`
	Version     int    `json:"version"` // 1, 2, …; 0 when not stored yet
	Name        string `json:"name"`    // for people; "" shows the code
	Description string `json:"description"`
	// SystemMessage has variables as {{name}}: {{language}} becomes Korean or
	// English, the others are given with a call.
	SystemMessage string     `json:"system_message"`
	Chain         []Entry    `json:"chain"` // empty: the installation's default chain
	Parameters    Parameters `json:"parameters"`
	// ResponseFormat is a Format as JSON, or null for free text.
	ResponseFormat      json.RawMessage `json:"response_format"`
	RateLimitIntervalMs int64           `json:"rate_limit_interval_ms"` // between two calls of one caller; 0 = none
	// Retries are how often one call may ask a model again that failed for a
	// moment, over all of its chain; null is defaultRetries.
	Retries *int `json:"retries"`
	// LogOptional answers also when the record of the call cannot be kept, because
	// the telemetry store has been away too long.
	LogOptional bool `json:"log_optional"`
	// KeepTexts is what the log keeps of the texts of its calls: masked, none or
	// originals; "" is what the installation says.
	KeepTexts string `json:"keep_texts"`
	// Masking is what its calls mask beside the defaults and the policy of their
	// project; null is nothing.
	Masking   *mask.Policy `json:"masking,omitempty"`
	Notes     string       `json:"notes"` // why this version was made
	UpdatedAt time.Time    `json:"updated_at"`
	UpdatedBy string       `json:"updated_by"`
}

// Entry is one model of a chain.
type Entry struct {
	Provider     string      `json:"provider"`
	Model        string      `json:"model"`
	Parameters   *Parameters `json:"parameters,omitempty"`     // instead of the role's, one by one
	TimeoutMs    int64       `json:"timeout_ms"`               // of one attempt; 0 = 60 s
	FirstTokenMs int64       `json:"first_token_ms,omitempty"` // until the answer begins; 0 = the timeout
	BetweenMs    int64       `json:"between_ms,omitempty"`     // between two pieces of it; 0 = the timeout
	// FallThrough are the failures after which the next model is asked; empty: all.
	FallThrough []Class `json:"fall_through,omitempty"`
}

const (
	maxSystemMessage = 32 << 10
	maxChain         = 5
	maxModel         = 200 // bytes of a name
	maxTimeoutMs     = 10 * 60 * 1000
	maxIntervalMs    = 24 * 3600 * 1000
	maxStop          = 4
	maxRetries       = 10
	defaultRetries   = 2
)

var (
	roleCode   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	formatName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	variable   = regexp.MustCompile(`\{\{\s*([a-z][a-z0-9_]{0,62})\s*\}\}`)
	efforts    = []string{"", "minimal", "low", "medium", "high"}
)

// Check reports the first field that makes the role unusable, as fault.Invalid.
func (r *Role) Check() error {
	invalid := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	switch {
	case !roleCode.MatchString(r.Code):
		return invalid("code", "a code is 2 to 63 lower-case letters, digits and hyphens")
	case strings.TrimSpace(r.SystemMessage) == "":
		return invalid("system_message", "a role needs a system message")
	case len(r.SystemMessage) > maxSystemMessage:
		return invalid("system_message", "the system message is over %d bytes", maxSystemMessage)
	case len(r.Chain) > maxChain:
		return invalid("chain", "a chain has at most %d models", maxChain)
	case checkWords(r.Name, maxModel, "name") != nil:
		return checkWords(r.Name, maxModel, "name")
	case checkWords(r.Notes, maxReason, "notes") != nil:
		return checkWords(r.Notes, maxReason, "notes")
	case r.Retries != nil && (*r.Retries < 0 || *r.Retries > maxRetries):
		return invalid("retries", "a call asks at most %d times again", maxRetries)
	case r.RateLimitIntervalMs < 0 || r.RateLimitIntervalMs > maxIntervalMs:
		return invalid("rate_limit_interval_ms", "the interval is at most a day")
	}
	if err := cmp.Or(checkKeep(r.KeepTexts, "keep_texts"), r.Parameters.check("parameters")); err != nil {
		return err
	}
	for _, e := range r.Chain {
		if e.Provider == "" || e.Model == "" || len(e.Model) > maxModel {
			return invalid("chain", "each entry needs a provider and a model")
		}
		for _, ms := range []int64{e.TimeoutMs, e.FirstTokenMs, e.BetweenMs} {
			if ms < 0 || ms > maxTimeoutMs {
				return invalid("chain", "a timeout is at most 10 minutes")
			}
		}
		for _, class := range e.FallThrough {
			if _, known := kinds[class]; !known {
				return invalid("chain", "there is no failure %q", class)
			}
		}
		if e.Parameters != nil {
			if err := e.Parameters.check("chain"); err != nil {
				return err
			}
		}
	}
	if r.Masking != nil {
		if err := checkPolicy(r.Masking, "masking"); err != nil {
			return err
		}
	}
	_, err := readFormat(r.ResponseFormat)
	return err
}

// Variables are the names of the variables of the system message, without
// language, in the order in which they first stand there.
func (r *Role) Variables() []string {
	names := []string{}
	for _, found := range variable.FindAllStringSubmatch(r.SystemMessage, -1) {
		if name := found[1]; name != "language" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// check reports the first parameter that no model takes; field is the one that
// holds them.
func (p *Parameters) check(field string) error {
	within := func(name string, v *float64, low, high float64) error {
		if v != nil && !(*v >= low && *v <= high) {
			return fault.New(fault.Invalid, "%s is between %g and %g", name, low, high).WithField(field + "." + name)
		}
		return nil
	}
	atLeastOne := func(name string, v *int64) error {
		if v != nil && (*v < 1 || *v > 1_000_000) {
			return fault.New(fault.Invalid, "%s is between 1 and 1000000", name).WithField(field + "." + name)
		}
		return nil
	}
	err := cmp.Or(
		within("temperature", p.Temperature, 0, 2), within("top_p", p.TopP, math.SmallestNonzeroFloat64, 1),
		within("presence_penalty", p.PresencePenalty, -2, 2), within("frequency_penalty", p.FrequencyPenalty, -2, 2),
		atLeastOne("top_k", p.TopK), atLeastOne("max_tokens", p.MaxTokens),
	)
	switch {
	case err != nil:
		return err
	case len(p.Stop) > maxStop || slices.ContainsFunc(p.Stop, func(s string) bool { return s == "" || len(s) > maxModel }):
		return fault.New(fault.Invalid, "an answer ends at one of at most %d texts of at most %d bytes", maxStop, maxModel).WithField(field + ".stop")
	case !slices.Contains(efforts, p.ReasoningEffort):
		return fault.New(fault.Invalid, "the effort is minimal, low, medium or high").WithField(field + ".reasoning_effort")
	}
	return nil
}

// over returns the parameters with those of o instead, where o has any.
func (p Parameters) over(o *Parameters) Parameters {
	if o == nil {
		return p
	}
	p.Temperature, p.TopP, p.TopK = cmp.Or(o.Temperature, p.Temperature), cmp.Or(o.TopP, p.TopP), cmp.Or(o.TopK, p.TopK)
	p.MaxTokens, p.Seed = cmp.Or(o.MaxTokens, p.MaxTokens), cmp.Or(o.Seed, p.Seed)
	p.PresencePenalty, p.FrequencyPenalty = cmp.Or(o.PresencePenalty, p.PresencePenalty), cmp.Or(o.FrequencyPenalty, p.FrequencyPenalty)
	p.ReasoningEffort = cmp.Or(o.ReasoningEffort, p.ReasoningEffort)
	if o.Stop != nil {
		p.Stop = o.Stop
	}
	return p
}

//go:embed defaults
var defaults embed.FS

func embedded(name string) string {
	data, err := defaults.ReadFile("defaults/" + name)
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return string(data)
}

// DefaultRoles are the roles a new installation begins with; afterwards the
// metadata database owns them.
func DefaultRoles() []Role {
	return []Role{{
		Code:           AlertAnalyzer,
		Description:    "Analyses an alarm with its transaction profile and writes the incident report.",
		SystemMessage:  strings.TrimSpace(embedded(AlertAnalyzer + ".md")),
		Chain:          []Entry{},
		ResponseFormat: json.RawMessage(embedded(AlertAnalyzer + ".schema.json")),
	}, {
		Code:          Investigator,
		Description:   "Asks for more facts about an incident, with tools that only read, where its cause is not clear.",
		SystemMessage: strings.TrimSpace(embedded(Investigator + ".md")),
		Chain:         []Entry{},
	}, {
		Code:           AnswerJudge,
		Description:    "Judges a sample of the answers of other roles.",
		SystemMessage:  strings.TrimSpace(embedded(AnswerJudge + ".md")),
		Chain:          []Entry{},
		ResponseFormat: json.RawMessage(embedded(AnswerJudge + ".schema.json")),
	}}
}

var languageNames = map[string]string{"ko": "Korean", "en": "English"}

// system renders the system message of a call: the role's with its variables, then
// the frame that no role can leave out. fault.Invalid names a variable that was
// not given.
func (r *Role) system(language string, given map[string]string) (string, error) {
	name, ok := languageNames[language]
	if !ok {
		name = languageNames["ko"]
	}
	if strings.TrimSpace(r.SystemMessage) == "" {
		return "", nil // a question to a model, without a role
	}
	for _, missing := range r.Variables() {
		if _, ok := given[missing]; !ok {
			return "", fault.New(fault.Invalid, "role %q needs the variable %q", r.Code, missing).WithField("variables." + missing)
		}
	}
	text := variable.ReplaceAllStringFunc(strings.TrimSpace(r.SystemMessage), func(found string) string {
		key := variable.FindStringSubmatch(found)[1]
		if key == "language" {
			return name
		}
		return given[key]
	})
	return text + "\n\n" + strings.ReplaceAll(strings.TrimSpace(embedded("frame.md")), "{{language}}", name), nil
}
