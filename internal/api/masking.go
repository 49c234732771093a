package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// MaskingRequest is what a project masks.
type MaskingRequest struct {
	Policy mask.Policy `json:"policy"`
	Reason string      `json:"reason,omitempty" maxLength:"1000" doc:"why it is changed"`
}

// MaskingTest is a text or a document to try the masking with.
type MaskingTest struct {
	Text       string          `json:"text,omitempty" maxLength:"200000" doc:"free text"`
	JSON       json.RawMessage `json:"json,omitempty" doc:"a document, instead of text; as it is written, or as a string that holds it"`
	Fields     mask.Fields     `json:"fields,omitempty" doc:"classes of the document's fields by path or name; plain is not looked at"`
	Role       string          `json:"role,omitempty" maxLength:"63" doc:"role code whose policy applies"`
	Label      string          `json:"label,omitempty" maxLength:"32" doc:"of the role; absent is production"`
	RolePolicy *mask.Policy    `json:"role_policy,omitempty" doc:"tried instead of that of the role"`
	Policy     *mask.Policy    `json:"policy,omitempty" doc:"tried instead of that of the project"`
}

// document returns the JSON of the test: strings hold one, so that a client can
// send what a person typed with its spaces.
func (t MaskingTest) document() string {
	var text string
	if json.Unmarshal(t.JSON, &text) == nil {
		return text
	}
	return string(t.JSON)
}

// MaskClass is a class of masked values.
type MaskClass struct {
	Class  mask.Class `json:"class"`
	Locked bool       `json:"locked" doc:"no policy can switch it off"`
}

func (s *server) registerMasking() {
	register(s, tenant.ProjectRead, get("get-ai-masking", "/api/v1/projects/{project}/ai-masking", "What a project masks of what goes to models, beside the defaults"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*edited[*ai.Masking], error) {
			m, err := s.opts.AI.Masking(ctx, in.Project)
			if err != nil {
				return nil, err
			}
			return versioned(m, m.Version, nil)
		})
	register(s, tenant.ProjectAdmin, put("set-ai-masking", "/api/v1/projects/{project}/ai-masking", "Change what a project masks; live within a second"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
			Body MaskingRequest
		}) (*edited[*ai.Masking], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			m, err := s.opts.AI.SetMasking(ctx, in.Project, ai.Masking{Version: version, Policy: in.Body.Policy, Reason: in.Body.Reason}, a.Name)
			if err != nil {
				return nil, err
			}
			return versioned(m, m.Version, nil)
		})
	register(s, tenant.ProjectRead, get("get-ai-masking-history", "/api/v1/projects/{project}/ai-masking/history", "What a project masked, newest first, with who changed it and why"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Page[ai.Masking]], error) {
			return all(s.opts.AI.MaskingHistory(ctx, in.Project))
		})
	register(s, tenant.ProjectAsk, post("test-ai-masking", "/api/v1/ai/masking/test", "See what of a text would leave; nothing is sent, stored or logged", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct {
			Project string `query:"project" doc:"whose policy applies; absent when you can see one only"`
			Body    MaskingTest
		}) (*result[*ai.MaskingOutcome], error) {
			p, err := s.tenants.ProjectFor(ctx, a, in.Project)
			if err != nil {
				return nil, err
			}
			b := in.Body
			if (b.Text == "") == (len(b.JSON) == 0) {
				return nil, fault.New(fault.Invalid, "send a text or a document").WithField("text")
			}
			return ok(s.opts.AI.TryMasking(ctx, p, ai.MaskingTrial{Text: b.Text, JSON: b.document(), Fields: b.Fields, Role: b.Role, Label: b.Label, RolePolicy: b.RolePolicy, Policy: b.Policy}))
		})
	register(s, tenant.SelfRead, get("list-mask-classes", "/api/v1/ai/masking/classes", "The classes of values that are masked"),
		func(context.Context, tenant.Actor, *nothing) (*result[Page[MaskClass]], error) {
			classes := []MaskClass{}
			for _, c := range mask.Classes() {
				classes = append(classes, MaskClass{Class: c, Locked: c.Locked()})
			}
			return all(classes, nil)
		})
}
