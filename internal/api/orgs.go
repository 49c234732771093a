package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Named is what has nothing to edit but its name.
type Named struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

// MemberRequest gives an account a role.
type MemberRequest struct {
	Email  string      `json:"email" minLength:"3" maxLength:"254"`
	Role   tenant.Role `json:"role" enum:"owner,admin,editor,viewer,custom"`
	RoleID int64       `json:"role_id,omitempty" minimum:"0" doc:"with custom: the organisation's own role"`
}

func (r *MemberRequest) given() tenant.Given { return tenant.Given{Role: r.Role, RoleID: r.RoleID} }

func (s *server) registerOrgs() {
	register(s, tenant.OrgList, get("list-orgs", "/api/v1/orgs", "The organisations I can see"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*result[Page[tenant.Organisation]], error) {
			return all(s.tenants.Organisations(ctx, a))
		})
	register(s, tenant.SystemAdmin, post("create-org", "/api/v1/orgs", "Make an organisation that I own", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body Named }) (*edited[tenant.Organisation], error) {
			o, err := s.tenants.CreateOrganisation(ctx, a, in.Body.Name)
			return versioned(o, o.Version, err)
		})
	register(s, tenant.OrgRead, get("get-org", "/api/v1/orgs/{org}", "One organisation"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*edited[tenant.Organisation], error) {
			o, err := s.tenants.Organisation(ctx, in.Org)
			return versioned(o, o.Version, err)
		})
	register(s, tenant.OrgAdmin, put("rename-org", "/api/v1/orgs/{org}", "Rename an organisation"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			InVersion
			Body Named
		}) (*edited[tenant.Organisation], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			o, err := s.tenants.RenameOrganisation(ctx, in.Org, version, in.Body.Name)
			return versioned(o, o.Version, err)
		})
	register(s, tenant.OrgMembers, get("list-org-members", "/api/v1/orgs/{org}/members", "Who is in an organisation"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[tenant.Member]], error) {
			return all(s.tenants.Members(ctx, in.Org, 0))
		})
	register(s, tenant.OrgAdmin, put("set-org-member", "/api/v1/orgs/{org}/members", "Give an account a role in an organisation"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body MemberRequest
		}) (*struct{}, error) {
			return done(s.tenants.GiveRole(ctx, a, in.Org, 0, in.Body.Email, in.Body.given()))
		})
	register(s, tenant.OrgAdmin, del("remove-org-member", "/api/v1/orgs/{org}/members/{user}", "Remove somebody from an organisation and its groups"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			User int64 `path:"user" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RemoveMember(ctx, a, in.Org, 0, in.User))
		})
	register(s, tenant.OrgRead, get("list-groups", "/api/v1/orgs/{org}/groups", "The groups of an organisation that I can see"),
		func(ctx context.Context, a tenant.Actor, in *InOrg) (*result[Page[tenant.Group]], error) {
			return all(s.tenants.Groups(ctx, a, in.Org))
		})
	register(s, tenant.OrgAdmin, post("create-group", "/api/v1/orgs/{org}/groups", "Make a group", http.StatusCreated),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			Body Named
		}) (*edited[tenant.Group], error) {
			g, err := s.tenants.CreateGroup(ctx, in.Org, in.Body.Name)
			return versioned(g, g.Version, err)
		})
	register(s, tenant.OrgAdmin, put("move-group", "/api/v1/orgs/{org}/groups/{child}/parent", "Put a group with all below it into another group, or to the top"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			InVersion
			Child int64 `path:"child" minimum:"1" doc:"group id"`
			Body  struct {
				ParentID int64 `json:"parent_id" minimum:"0" doc:"0: to the top"`
			}
		}) (*edited[tenant.Group], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			g, err := s.tenants.MoveGroup(ctx, in.Org, in.Child, version, in.Body.ParentID)
			return versioned(g, g.Version, err)
		})
	s.registerGroups()
	s.registerOrgRoles()
	s.registerServiceAccounts()
	s.registerInvitations()
}

func (s *server) registerGroups() {
	register(s, tenant.GroupRead, get("get-group", "/api/v1/groups/{group}", "One group"),
		func(ctx context.Context, _ tenant.Actor, in *InGroup) (*edited[tenant.Group], error) {
			g, err := s.tenants.Group(ctx, in.Group)
			return versioned(g, g.Version, err)
		})
	register(s, tenant.GroupAdmin, post("create-subgroup", "/api/v1/groups/{group}/groups", "Make a group in a group", http.StatusCreated),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InGroup
			Body Named
		}) (*edited[tenant.Group], error) {
			g, err := s.tenants.CreateSubgroup(ctx, in.Group, in.Body.Name)
			return versioned(g, g.Version, err)
		})
	register(s, tenant.GroupAdmin, put("rename-group", "/api/v1/groups/{group}", "Rename a group"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InGroup
			InVersion
			Body Named
		}) (*edited[tenant.Group], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			g, err := s.tenants.RenameGroup(ctx, in.Group, version, in.Body.Name)
			return versioned(g, g.Version, err)
		})
	register(s, tenant.GroupAdmin, del("delete-group", "/api/v1/groups/{group}", "Delete a group that has no projects"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InGroup
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.tenants.DeleteGroup(ctx, in.Group, version))
		})
	register(s, tenant.GroupRead, get("list-group-members", "/api/v1/groups/{group}/members", "Who has a role in just this group"),
		func(ctx context.Context, _ tenant.Actor, in *InGroup) (*result[Page[tenant.Member]], error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return all(s.tenants.Members(ctx, g.OrgID, g.ID))
		})
	register(s, tenant.GroupAdmin, put("set-group-member", "/api/v1/groups/{group}/members", "Give an account a role in a group"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InGroup
			Body MemberRequest
		}) (*struct{}, error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return done(s.tenants.GiveRole(ctx, a, g.OrgID, g.ID, in.Body.Email, in.Body.given()))
		})
	register(s, tenant.GroupAdmin, del("remove-group-member", "/api/v1/groups/{group}/members/{user}", "Remove somebody from a group"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InGroup
			User int64 `path:"user" minimum:"1"`
		}) (*struct{}, error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return done(s.tenants.RemoveMember(ctx, a, g.OrgID, g.ID, in.User))
		})
	register(s, tenant.GroupRead, get("list-group-projects", "/api/v1/groups/{group}/projects", "The projects of a group"),
		func(ctx context.Context, _ tenant.Actor, in *InGroup) (*result[Page[tenant.Project]], error) {
			return all(s.tenants.GroupProjects(ctx, in.Group))
		})
	register(s, tenant.GroupAdmin, post("create-project", "/api/v1/groups/{group}/projects", "Make a project", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InGroup
			Body tenant.ProjectSettings
		}) (*edited[tenant.Project], error) {
			p, err := s.tenants.CreateProject(ctx, a, in.Group, in.Body, s.opts.Seed)
			return versioned(p, p.Version, err)
		})
}
