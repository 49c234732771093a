package ai

import (
	"embed"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// AlertAnalyzer is the code of the role that writes incident reports.
const AlertAnalyzer = "agent-alert-analyzer"

// Role is what a model is asked to be, by which models and how.
type Role struct {
	Code          string     `json:"code"`
	Version       int        `json:"version"` // 1, 2, …; 0 when not stored yet
	Description   string     `json:"description"`
	SystemMessage string     `json:"system_message"` // {{language}} becomes Korean or English
	Chain         []Entry    `json:"chain"`          // empty: the installation's default chain
	Parameters    Parameters `json:"parameters"`
	// ResponseFormat is a Format as JSON, or null for free text.
	ResponseFormat      json.RawMessage `json:"response_format"`
	RateLimitIntervalMs int64           `json:"rate_limit_interval_ms"` // between two calls of one caller; 0 = none
	UpdatedAt           time.Time       `json:"updated_at"`
	UpdatedBy           string          `json:"updated_by"`
}

// Entry is one model of a chain.
type Entry struct {
	Provider  string `json:"provider"`
	Model     string `json:"model"`
	TimeoutMs int64  `json:"timeout_ms"` // of one attempt; 0 = 60 s
}

const (
	maxSystemMessage = 32 << 10
	maxChain         = 5
	maxModel         = 200 // bytes of a name
	maxTimeoutMs     = 10 * 60 * 1000
	maxIntervalMs    = 24 * 3600 * 1000
)

var (
	roleCode   = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	formatName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// Check reports the first field that makes the role unusable, as fault.Invalid.
func (r *Role) Check() error {
	invalid := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	switch p := r.Parameters; {
	case !roleCode.MatchString(r.Code):
		return invalid("code", "a code is 2 to 63 lower-case letters, digits and hyphens")
	case strings.TrimSpace(r.SystemMessage) == "":
		return invalid("system_message", "a role needs a system message")
	case len(r.SystemMessage) > maxSystemMessage:
		return invalid("system_message", "the system message is over %d bytes", maxSystemMessage)
	case len(r.Chain) > maxChain:
		return invalid("chain", "a chain has at most %d models", maxChain)
	case p.Temperature != nil && (*p.Temperature < 0 || *p.Temperature > 2):
		return invalid("parameters.temperature", "the temperature is between 0 and 2")
	case p.TopP != nil && (*p.TopP <= 0 || *p.TopP > 1):
		return invalid("parameters.top_p", "top_p is over 0 and at most 1")
	case p.MaxTokens != nil && (*p.MaxTokens < 1 || *p.MaxTokens > 1_000_000):
		return invalid("parameters.max_tokens", "max_tokens is between 1 and 1000000")
	case r.RateLimitIntervalMs < 0 || r.RateLimitIntervalMs > maxIntervalMs:
		return invalid("rate_limit_interval_ms", "the interval is at most a day")
	}
	for _, e := range r.Chain {
		if e.Provider == "" || e.Model == "" || len(e.Model) > maxModel || e.TimeoutMs < 0 || e.TimeoutMs > maxTimeoutMs {
			return invalid("chain", "each entry needs a provider, a model and a timeout of at most 10 minutes")
		}
	}
	_, err := r.format()
	return err
}

// format reads ResponseFormat; nil when the role answers in free text.
func (r *Role) format() (*Format, error) {
	if len(r.ResponseFormat) == 0 || string(r.ResponseFormat) == "null" {
		return nil, nil
	}
	refuse := func(why string) error {
		return fault.New(fault.Invalid, "response_format is {\"type\":\"json_schema\",\"name\":…,\"schema\":{…}}: %s", why).WithField("response_format")
	}
	var f Format
	if err := json.Unmarshal(r.ResponseFormat, &f); err != nil {
		return nil, refuse("it is not JSON of that form")
	}
	if f.Type != "json_schema" || !formatName.MatchString(f.Name) {
		return nil, refuse("the type or the name is wrong")
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(f.Schema, &s); err != nil {
		return nil, refuse("the schema is no JSON schema")
	}
	if _, err := s.Resolve(nil); err != nil {
		return nil, refuse("the schema cannot be resolved")
	}
	return &f, nil
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
	}}
}

var languageNames = map[string]string{"ko": "Korean", "en": "English"}

// system renders the system message of a call: the role's, then the frame that
// no role can leave out.
func (r *Role) system(language string) string {
	name, ok := languageNames[language]
	if !ok {
		name = languageNames["ko"]
	}
	text := strings.TrimSpace(r.SystemMessage) + "\n\n" + strings.TrimSpace(embedded("frame.md"))
	return strings.ReplaceAll(text, "{{language}}", name)
}
