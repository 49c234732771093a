package ai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/memo"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Masking is what a project masks beside the defaults and the policies of roles.
// A stored version never changes.
type Masking struct {
	Version   int64       `json:"version"` // 1, 2, …; 0 when nothing was stored yet
	Policy    mask.Policy `json:"policy"`
	Reason    string      `json:"reason"`
	UpdatedAt *time.Time  `json:"updated_at"` // null: never
	UpdatedBy string      `json:"updated_by"`
}

// policies remembers what projects mask, and the policies that were put together
// of it, so that no call compiles a pattern that another one compiled.
type policies struct {
	projects memo.Memo[project.ID, *Masking]

	mu       sync.Mutex
	compiled map[policyKey]*mask.Compiled
}

// policyKey names a policy of a stored version of a role and one of a project,
// neither of which ever changes.
type policyKey struct {
	role        string // its key, "" when it has no policy
	roleVersion int
	project     project.ID // 0 when it has no policy
	version     int64
}

// maxCompiled is how many policies are remembered; beyond them all are made anew.
const maxCompiled = 1000

func newPolicies() *policies {
	return &policies{compiled: map[policyKey]*mask.Compiled{}}
}

// Masking returns what a project masks: its latest version, or one without a
// policy when nothing was ever stored.
func (g *Gateway) Masking(ctx context.Context, p project.ID) (*Masking, error) {
	return latestMasking(ctx, g.db, p)
}

func latestMasking(ctx context.Context, q metadb.Querier, p project.ID) (*Masking, error) {
	var body string
	err := q.QueryRow(ctx, `SELECT body FROM ai_masking WHERE project_id = $1 ORDER BY version DESC LIMIT 1`, int64(p)).Scan(&body)
	if errors.Is(err, metadb.ErrNoRows) {
		return &Masking{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load masking: %w", err)
	}
	var m Masking
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return nil, fmt.Errorf("read masking of project %s: %w", p, err)
	}
	return &m, nil
}

// MaskingHistory returns what a project masked, newest first, the latest hundred.
func (g *Gateway) MaskingHistory(ctx context.Context, p project.ID) ([]Masking, error) {
	rows, err := g.db.Query(ctx, `SELECT body FROM ai_masking WHERE project_id = $1 ORDER BY version DESC LIMIT 100`, int64(p))
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Masking, error) {
		var body string
		var m Masking
		if err := rows.Scan(&body); err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(body), &m)
	})
}

// SetMasking stores a new version of what a project masks when m.Version is still
// the latest one, else fault.Conflict. It is in use here at once and on all other
// nodes within a second; calls under way go on as they began. fault.Invalid names
// what of the policy cannot be applied.
func (g *Gateway) SetMasking(ctx context.Context, p project.ID, m Masking, author string) (*Masking, error) {
	if err := checkPolicy(&m.Policy, "policy"); err != nil {
		return nil, err
	}
	if err := checkWords(m.Reason, maxReason, "reason"); err != nil {
		return nil, err
	}
	err := g.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		latest, err := latestMasking(ctx, tx, p)
		if err != nil {
			return err
		}
		if latest.Version != m.Version {
			return fault.New(fault.Conflict, "the masking was changed by %s meanwhile: it is at version %d", latest.UpdatedBy, latest.Version)
		}
		now := g.now().UTC().Truncate(time.Microsecond)
		m.Version, m.UpdatedAt, m.UpdatedBy = latest.Version+1, &now, author
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("write masking: %w", err)
		}
		n, err := tx.Exec(ctx, `INSERT INTO ai_masking (project_id, version, body) VALUES ($1, $2, $3) ON CONFLICT (project_id, version) DO NOTHING`, int64(p), m.Version, string(body))
		if err == nil && n == 0 { // another node was faster
			err = fault.New(fault.Conflict, "the masking was changed by somebody meanwhile: it is at version %d", m.Version)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	g.roles.forget()
	return &m, nil
}

// checkPolicy is mask.Policy.Check for a policy in a field.
func checkPolicy(p *mask.Policy, field string) error {
	err := p.Check()
	if f := fault.As(err); f != nil && f.Field != "" {
		return fault.New(f.Kind, "%s", f.Message).WithField(field + "." + f.Field)
	}
	return err
}

// ofProject is Masking out of what is remembered.
func (g *Gateway) ofProject(ctx context.Context, p project.ID) (*Masking, error) {
	if p == 0 {
		return &Masking{}, nil
	}
	return g.policies.projects.Get(p, g.roles.edits.Load(), time.Now(), func() (*Masking, error) { return g.Masking(ctx, p) })
}

// policy returns what a call of a role for a project masks, ready for use; nil is
// the default. stored says that the role is as it was stored under its version.
func (g *Gateway) policy(ctx context.Context, p project.ID, role *Role, stored bool) (*mask.Compiled, error) {
	own, err := g.ofProject(ctx, p)
	if err != nil {
		return nil, err
	}
	var key policyKey
	var parts []mask.Policy
	if role.Masking != nil {
		key.role, key.roleVersion = role.key(), role.Version
		parts = append(parts, *role.Masking)
	}
	if own.Version > 0 {
		key.project, key.version = p, own.Version
		parts = append(parts, own.Policy)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	if role.Masking != nil && !stored {
		return mask.Compile(parts...)
	}
	s := g.policies
	s.mu.Lock()
	made, known := s.compiled[key]
	s.mu.Unlock()
	if known {
		return made, nil
	}
	if made, err = mask.Compile(parts...); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.compiled) >= maxCompiled {
		clear(s.compiled)
	}
	s.compiled[key] = made
	return made, nil
}

// MaskingTrial is a text for people who want to see what of it would leave.
type MaskingTrial struct {
	Text   string      // free text, or
	JSON   string      // a document
	Fields mask.Fields // of the document; others are free text
	Role   string      // whose policy applies, "" for none
	Label  string      // of the role; "" is Production
	// RolePolicy and Policy are tried instead of those of the role and of the project.
	RolePolicy, Policy *mask.Policy
}

// MaskingOutcome is what would leave of a text.
type MaskingOutcome struct {
	Masked string       `json:"masked" doc:"what would leave; empty when it is refused"`
	Hits   []MaskingHit `json:"hits" doc:"in the order of the text"`
	Counts []mask.Count `json:"counts" doc:"different values by class, most first"`
	// Patterns are the own patterns that applied, those of the role first.
	Patterns []MaskingMatches `json:"patterns"`
	Gate     MaskingVerdict   `json:"gate" doc:"the last look at what would leave"`
	// Restored is Masked with the originals put back.
	Restored string `json:"restored"`
	Same     bool   `json:"same" doc:"restored is the text again, or a document equal to it"`
}

// MaskingHit is one masked piece. Offsets are in characters (code points).
type MaskingHit struct {
	Class       mask.Class `json:"class"`
	Token       string     `json:"token" doc:"what stands for it"`
	Start       int        `json:"start" doc:"in the text, in characters"`
	End         int        `json:"end"`
	MaskedStart int        `json:"masked_start" doc:"of the token in what would leave, in characters"`
	MaskedEnd   int        `json:"masked_end"`
}

// MaskingMatches says how often an own pattern matches the text.
type MaskingMatches struct {
	Name    string `json:"name"`
	OfRole  bool   `json:"of_role"`
	Matches int    `json:"matches"`
}

// MaskingVerdict is the last look at what would leave.
type MaskingVerdict struct {
	Refused bool   `json:"refused"`
	Reason  string `json:"reason" doc:"why nothing of it would leave"`
}

// TryMasking tells what would leave of a text. Nothing is sent, stored or
// logged. fault.Invalid when the document is no JSON or a policy cannot be
// applied, fault.NotFound for the role, fault.TooLarge.
func (g *Gateway) TryMasking(ctx context.Context, p project.ID, in MaskingTrial) (*MaskingOutcome, error) {
	role := &Role{}
	if in.Role != "" {
		asks, err := g.OwnerOf(p)
		if err != nil {
			return nil, err
		}
		if role, err = g.roles.Released(ctx, asks, in.Role, cmp.Or(in.Label, Production), 99); err != nil {
			return nil, err
		}
	}
	own, err := g.ofProject(ctx, p)
	if err != nil {
		return nil, err
	}
	var parts []mask.Policy
	for _, try := range []struct {
		policy, instead *mask.Policy
		field           string
	}{{role.Masking, in.RolePolicy, "role_policy"}, {&own.Policy, in.Policy, "policy"}} {
		if try.instead != nil {
			if err := checkPolicy(try.instead, try.field); err != nil {
				return nil, err
			}
			try.policy = try.instead
		}
		if try.policy != nil {
			parts = append(parts, *try.policy)
		}
	}
	policy, err := mask.Compile(parts...)
	if err != nil {
		return nil, err
	}
	out, err := tryMasking(mask.NewSession(mask.WithCompiled(policy)), in)
	if err != nil {
		return nil, err
	}
	for i, part := range parts {
		for _, own := range part.Patterns {
			found := regexp.MustCompile(own.Pattern).FindAllStringIndex(in.Text+in.JSON, -1)
			out.Patterns = append(out.Patterns, MaskingMatches{Name: own.Name, OfRole: len(parts) > 1 && i == 0, Matches: len(found)})
		}
	}
	return out, nil
}

func tryMasking(s *mask.Session, in MaskingTrial) (*MaskingOutcome, error) {
	out := &MaskingOutcome{Hits: []MaskingHit{}, Counts: []mask.Count{}, Patterns: []MaskingMatches{}}
	text := in.Text
	var err error
	if in.JSON != "" {
		text = in.JSON
		var doc []byte
		doc, err = s.MaskJSON([]byte(text), in.Fields)
		out.Masked = string(doc)
	} else {
		out.Masked, err = s.Mask(text)
	}
	switch {
	case fault.Is(err, fault.Internal): // in doubt nothing leaves, as in a call
		out.Masked, out.Gate = "", MaskingVerdict{true, fault.As(err).Message}
		return out, nil
	case err != nil:
		return nil, err
	}
	if err := s.Gate([]byte(out.Masked)); err != nil {
		out.Gate = MaskingVerdict{true, fault.As(err).Message}
	}
	out.Counts = s.Summary()
	if in.JSON != "" {
		out.Restored = s.UnmaskJSON(out.Masked)
		out.Same = sameJSON(out.Restored, text)
	} else {
		out.Restored = s.Unmask(out.Masked)
		out.Same = out.Restored == text
	}
	in1, in2 := runes{text: text}, runes{text: out.Masked}
	for _, f := range s.Locate(out.Masked, text) {
		out.Hits = append(out.Hits, MaskingHit{Class: f.Class, Token: f.Token, Start: in1.at(f.Start), End: in1.at(f.End),
			MaskedStart: in2.at(f.At), MaskedEnd: in2.at(f.At + len(f.Token))})
	}
	return out, nil
}

// sameJSON says that two documents hold the same, but for numbers written as
// strings: a typed field with a number is masked as a string.
func sameJSON(a, b string) bool {
	read := func(text string) (any, error) {
		var v any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		err := d.Decode(&v)
		return asText(v), err
	}
	left, err1 := read(a)
	right, err2 := read(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(left, right)
}

// asText writes the numbers of a decoded document as strings.
func asText(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case []any:
		for i := range v {
			v[i] = asText(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = asText(v[k])
		}
	}
	return v
}

// runes counts the characters before offsets that only grow.
type runes struct {
	text         string
	bytes, count int
}

func (r *runes) at(offset int) int {
	for r.bytes < offset && r.bytes < len(r.text) {
		if r.text[r.bytes]&0xc0 != 0x80 {
			r.count++
		}
		r.bytes++
	}
	return r.count
}
