package api

import (
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InvitationRequest describes the invitation to make.
type InvitationRequest struct {
	Email     string      `json:"email,omitempty" maxLength:"254" doc:"the only address that can accept it; empty: whoever has the link"`
	Role      tenant.Role `json:"role" enum:"owner,admin,editor,viewer,custom"`
	RoleID    int64       `json:"role_id,omitempty" minimum:"0" doc:"with custom: the organisation's own role"`
	ExpiresAt time.Time   `json:"expires_at" doc:"within 30 days from now"`
}

// InvitationSecret is the secret of an invitation's link. It travels in bodies, not
// in paths: those are logged.
type InvitationSecret struct {
	Secret string `json:"secret" minLength:"1" maxLength:"100"`
}

// JoinRequest makes an account by an invitation.
type JoinRequest struct {
	InvitationSecret
	Email    string `json:"email" minLength:"3" maxLength:"254"`
	Name     string `json:"name,omitempty" maxLength:"100" doc:"default: the address before its @"`
	Password string `json:"password" minLength:"10" maxLength:"256"`
}

func (r *InvitationRequest) given() tenant.Given { return tenant.Given{Role: r.Role, RoleID: r.RoleID} }

func (s *server) registerInvitations() {
	const path = "/api/v1/orgs/{org}/invitations"
	register(s, tenant.OrgAdmin, get("list-invitations", path, "The invitations of an organisation and its groups, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[tenant.Invitation]], error) {
			return all(s.tenants.Invitations(ctx, in.Org, 0))
		})
	register(s, tenant.OrgAdmin, post("create-invitation", path, "Invite somebody by a link, whose secret is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body InvitationRequest
		}) (*result[tenant.NewInvitation], error) {
			return ok(s.tenants.Invite(ctx, a, in.Org, 0, in.Body.Email, in.Body.given(), in.Body.ExpiresAt))
		})
	register(s, tenant.OrgAdmin, del("revoke-invitation", path+"/{invitation}", "Revoke an invitation that nobody has accepted"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			Invitation int64 `path:"invitation" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RevokeInvitation(ctx, in.Org, 0, in.Invitation))
		})
	s.registerGroupInvitations()
	register(s, public, post("look-up-invitation", "/api/v1/invitations/look-up", "What an invitation offers, for whom has its link", http.StatusOK),
		func(ctx context.Context, _ tenant.Actor, in *struct{ Body InvitationSecret }) (*result[tenant.Offer], error) {
			return ok(s.tenants.LookUpInvitation(ctx, in.Body.Secret))
		})
	register(s, tenant.SelfWrite, post("accept-invitation", "/api/v1/invitations/accept", "Take the role that an invitation offers me", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body InvitationSecret }) (*result[tenant.Organisation], error) {
			return ok(s.tenants.AcceptInvitation(ctx, a.UserID, in.Body.Secret))
		})
	register(s, public, post("join-by-invitation", "/api/v1/invitations/join", "Make an account by an invitation; sign in after it", http.StatusCreated),
		func(ctx context.Context, _ tenant.Actor, in *struct{ Body JoinRequest }) (*result[tenant.Organisation], error) {
			if r := callerOf(ctx).request; !s.secure(r) && !loopback(r.Host) {
				return nil, fault.New(fault.Denied, "join over https, or on this machine: a password does not travel in the clear")
			}
			return ok(s.tenants.JoinByInvitation(ctx, in.Body.Secret, in.Body.Email, in.Body.Name, in.Body.Password))
		})
}

// registerGroupInvitations serves invitations to just a group: who administers it
// need not administer the organisation.
func (s *server) registerGroupInvitations() {
	const path = "/api/v1/groups/{group}/invitations"
	register(s, tenant.GroupAdmin, get("list-group-invitations", path, "The invitations to just this group, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *InGroup) (*result[Page[tenant.Invitation]], error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return all(s.tenants.Invitations(ctx, g.OrgID, g.ID))
		})
	register(s, tenant.GroupAdmin, post("create-group-invitation", path, "Invite somebody to a group by a link, whose secret is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InGroup
			Body InvitationRequest
		}) (*result[tenant.NewInvitation], error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return ok(s.tenants.Invite(ctx, a, g.OrgID, g.ID, in.Body.Email, in.Body.given(), in.Body.ExpiresAt))
		})
	register(s, tenant.GroupAdmin, del("revoke-group-invitation", path+"/{invitation}", "Revoke an invitation to a group that nobody has accepted"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InGroup
			Invitation int64 `path:"invitation" minimum:"1"`
		}) (*struct{}, error) {
			g, err := s.tenants.Group(ctx, in.Group)
			if err != nil {
				return nil, err
			}
			return done(s.tenants.RevokeInvitation(ctx, g.OrgID, g.ID, in.Invitation))
		})
}
