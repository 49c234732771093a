package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// RoleRequest is what one edits of an AI role.
type RoleRequest struct {
	Description         string          `json:"description,omitempty" maxLength:"1000"`
	SystemMessage       string          `json:"system_message" minLength:"1" doc:"{{language}} becomes Korean or English"`
	Chain               []ai.Entry      `json:"chain" maxItems:"5" doc:"asked in this order; empty = the installation's default"`
	Parameters          ai.Parameters   `json:"parameters"`
	ResponseFormat      json.RawMessage `json:"response_format,omitempty" doc:"{type: json_schema, name, schema}, or absent for free text"`
	RateLimitIntervalMs int64           `json:"rate_limit_interval_ms,omitempty" minimum:"0" doc:"between two calls of one caller; 0 = none"`
}

func (r RoleRequest) role(code string, version int) ai.Role {
	return ai.Role{
		Code: code, Version: version, Description: r.Description, SystemMessage: r.SystemMessage, Chain: r.Chain,
		Parameters: r.Parameters, ResponseFormat: r.ResponseFormat, RateLimitIntervalMs: r.RateLimitIntervalMs,
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
	register(s, tenant.SystemAdmin, get("get-role", "/api/v1/roles/{role}", "One AI role"),
		func(ctx context.Context, _ tenant.Actor, in *InRole) (*edited[ai.Role], error) {
			return rolled(roles.Get(ctx, in.Role))
		})
	register(s, tenant.SystemAdmin, put("update-role", "/api/v1/roles/{role}", "Change an AI role; live with the next call"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InRole
			InVersion
			Body RoleRequest
		}) (*edited[ai.Role], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return rolled(roles.Update(ctx, in.Body.role(in.Role, int(version)), a.Name))
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
}
