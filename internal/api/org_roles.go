package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Permission is one of what roles are made of.
type Permission struct {
	Code    tenant.Action `json:"code"`
	Builtin []tenant.Role `json:"builtin" doc:"the roles of the product that hold it"`
	Custom  bool          `json:"custom" doc:"whether a role of one's own can hold it"`
}

// permissionTable is the one table of who may do what, as screens show it.
func permissionTable() []Permission {
	table := make([]Permission, 0, len(tenant.Permissions))
	for _, act := range tenant.Permissions {
		row := Permission{Code: act, Builtin: []tenant.Role{}, Custom: act != tenant.OrgOwner}
		for _, role := range tenant.Roles {
			for _, held := range tenant.PermissionsOf(role) {
				if held == act {
					row.Builtin = append(row.Builtin, role)
				}
			}
		}
		table = append(table, row)
	}
	return table
}

func (s *server) registerOrgRoles() {
	register(s, tenant.SelfRead, get("list-permissions", "/api/v1/permissions", "What roles are made of, and which of the product's roles hold it"),
		func(context.Context, tenant.Actor, *nothing) (*result[Page[Permission]], error) {
			return all(permissionTable(), nil)
		})
	register(s, tenant.OrgMembers, get("list-member-roles", "/api/v1/orgs/{org}/member-roles", "The roles that an organisation has made of permissions"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[tenant.OrgRole]], error) {
			return all(s.tenants.OrgRoles(ctx, in.Org))
		})
	register(s, tenant.OrgAdmin, post("create-member-role", "/api/v1/orgs/{org}/member-roles", "Make a role of permissions, none of which one lacks", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body tenant.RoleSettings
		}) (*edited[tenant.OrgRole], error) {
			role, err := s.tenants.CreateOrgRole(ctx, a, in.Org, in.Body)
			return versioned(role, role.Version, err)
		})
	register(s, tenant.OrgAdmin, put("update-member-role", "/api/v1/orgs/{org}/member-roles/{member_role}", "Change a role for all who have it"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			InVersion
			Role int64 `path:"member_role" minimum:"1"`
			Body tenant.RoleSettings
		}) (*edited[tenant.OrgRole], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			role, err := s.tenants.UpdateOrgRole(ctx, a, in.Org, in.Role, version, in.Body)
			return versioned(role, role.Version, err)
		})
	register(s, tenant.OrgAdmin, del("delete-member-role", "/api/v1/orgs/{org}/member-roles/{member_role}", "Delete a role that nobody has"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			InVersion
			Role int64 `path:"member_role" minimum:"1"`
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.tenants.DeleteOrgRole(ctx, in.Org, in.Role, version))
		})
}
