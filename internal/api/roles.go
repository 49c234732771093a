package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// RoleRequest is what one edits of an AI role.
type RoleRequest struct {
	Name                string          `json:"name,omitempty" maxLength:"200" doc:"for people; absent shows the code"`
	Description         string          `json:"description,omitempty" maxLength:"1000"`
	SystemMessage       string          `json:"system_message" minLength:"1" doc:"with variables as {{name}}; {{language}} becomes Korean or English"`
	Chain               []ai.Entry      `json:"chain" maxItems:"5" doc:"asked in this order; empty = the installation's default"`
	Parameters          ai.Parameters   `json:"parameters"`
	ResponseFormat      json.RawMessage `json:"response_format,omitempty" doc:"{type: json_schema, name, schema}, or absent for free text"`
	RateLimitIntervalMs int64           `json:"rate_limit_interval_ms,omitempty" minimum:"0" doc:"between two calls of one caller; 0 = none"`
	Retries             *int            `json:"retries,omitempty" minimum:"0" maximum:"10" doc:"how often a call may ask a model again that failed for a moment, over its whole chain; absent = 2"`
	LogOptional         bool            `json:"log_optional,omitempty" doc:"answer also when the record of the call cannot be kept"`
	KeepTexts           string          `json:"keep_texts,omitempty" enum:"masked,none,originals" doc:"what the log keeps of the texts of its calls; absent: what the installation says"`
	Masking             *mask.Policy    `json:"masking,omitempty" doc:"what its calls mask beside the defaults; absent keeps what the role has, {} takes it away"`
	Notes               string          `json:"notes,omitempty" maxLength:"1000" doc:"why this version is made"`
}

func (r RoleRequest) role(code string, version int) ai.Role {
	return ai.Role{
		Code: code, Version: version, Name: r.Name, Description: r.Description, SystemMessage: r.SystemMessage, Chain: r.Chain,
		Parameters: r.Parameters, ResponseFormat: r.ResponseFormat, RateLimitIntervalMs: r.RateLimitIntervalMs,
		Retries: r.Retries, LogOptional: r.LogOptional, KeepTexts: r.KeepTexts, Masking: r.Masking, Notes: r.Notes,
	}
}

// NewRoleRequest is a RoleRequest with the code that callers will use.
type NewRoleRequest struct {
	Code string `json:"code" pattern:"^[a-z][a-z0-9-]{1,62}$"`
	RoleRequest
}

// InRole names an AI role in the path.
type InRole struct {
	Role string `path:"role" maxLength:"63" doc:"role code"`
}

// RoleChange is a new version of a role.
type RoleChange struct {
	RoleRequest
	Draft bool `json:"draft,omitempty" doc:"store the version without moving production to it"`
}

// LabelRequest is where a label of a role goes.
type LabelRequest struct {
	Version       int    `json:"version" minimum:"1"`
	CanaryVersion int    `json:"canary_version,omitempty" minimum:"0" doc:"answers a share of the calls instead; 0 = none"`
	CanaryShare   int    `json:"canary_share,omitempty" minimum:"0" maximum:"100" doc:"percent"`
	Protected     bool   `json:"protected,omitempty" doc:"only moved by who sends override"`
	Override      bool   `json:"override,omitempty" doc:"move it although it is protected"`
	Reason        string `json:"reason,omitempty" maxLength:"1000"`
}

// InLabel names a label of a role in the path.
type InLabel struct {
	InRole
	Label string `path:"label" maxLength:"32"`
}

// rolled is one role with its version.
func rolled(r *ai.Role, err error) (*edited[ai.Role], error) {
	if err != nil {
		return nil, err
	}
	return versioned(*r, int64(r.Version), nil)
}

func (s *server) registerRoles() {
	roles := s.opts.AI.Roles()
	register(s, tenant.SystemAdmin, get("list-roles", "/api/v1/roles", "The AI roles"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[ai.Role]], error) {
			return all(roles.List(ctx))
		})
	register(s, tenant.SystemAdmin, post("create-role", "/api/v1/roles", "Make an AI role", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body NewRoleRequest }) (*edited[ai.Role], error) {
			return rolled(roles.Create(ctx, in.Body.role(in.Body.Code, 0), a.Name))
		})
	register(s, tenant.SystemAdmin, get("get-role", "/api/v1/roles/{role}", "The latest version of an AI role, which need not be the one in production"),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*edited[ai.Role], error) {
			return rolled(roles.Get(ctx, in.Role))
		})
	register(s, tenant.SystemAdmin, put("update-role", "/api/v1/roles/{role}", "Store a new version of an AI role and, unless it is a draft, move production to it: live within a second"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			InVersion
			Body RoleChange
		}) (*edited[ai.Role], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return rolled(roles.Update(ctx, in.Body.role(in.Role, int(version)), !in.Body.Draft, a.Name))
		})
	register(s, tenant.SystemAdmin, del("delete-role", "/api/v1/roles/{role}", "Delete an AI role; its history stays"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(roles.Delete(ctx, in.Role, int(version), a.Name))
		})
	register(s, tenant.SystemAdmin, get("get-role-history", "/api/v1/roles/{role}/history", "The versions of an AI role, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.RoleVersion]], error) {
			return all(roles.History(ctx, in.Role))
		})
	register(s, tenant.SystemAdmin, get("list-role-labels", "/api/v1/roles/{role}/labels", "The labels of an AI role, and to which versions they point"),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.Label]], error) {
			return all(roles.Labels(ctx, in.Role))
		})
	register(s, tenant.SystemAdmin, put("set-role-label", "/api/v1/roles/{role}/labels/{label}", "Make a label or move it: a release, a canary, or the way back"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InLabel
			Body LabelRequest
		}) (*result[*ai.Label], error) {
			b := in.Body
			return ok(roles.SetLabel(ctx, in.Role, ai.Label{Name: in.Label, Version: b.Version, CanaryVersion: b.CanaryVersion, CanaryShare: b.CanaryShare, Protected: b.Protected},
				b.Override, a.Name, b.Reason))
		})
	register(s, tenant.SystemAdmin, del("delete-role-label", "/api/v1/roles/{role}/labels/{label}", "Remove a label"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InLabel
			Override bool `query:"override" doc:"although it is protected"`
		}) (*struct{}, error) {
			return done(roles.RemoveLabel(ctx, in.Role, in.Label, in.Override, a.Name, ""))
		})
	register(s, tenant.SystemAdmin, get("list-role-moves", "/api/v1/roles/{role}/moves", "What was done to the labels of an AI role, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*result[Page[ai.Move]], error) {
			return all(roles.Moves(ctx, in.Role))
		})
}
