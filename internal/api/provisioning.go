package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// DirectoryTokenRequest describes the token to make for a directory.
type DirectoryTokenRequest struct {
	Name string      `json:"name" minLength:"1" maxLength:"100"`
	Role tenant.Role `json:"role" enum:"admin,editor,viewer" doc:"of people that the directory puts into a group"`
}

// Provisioning is how a directory provisions an organisation's people.
type Provisioning struct {
	URL    string                  `json:"url" doc:"the base address for SCIM 2.0"`
	Tokens []tenant.DirectoryToken `json:"tokens"`
}

func (s *server) registerProvisioning() {
	register(s, tenant.OrgAdmin, get("get-provisioning", "/api/v1/orgs/{org}/provisioning", "How an organisation's directory provisions its people (SCIM)"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Provisioning], error) {
			tokens, err := s.tenants.DirectoryTokens(ctx, in.Org)
			return ok(Provisioning{s.base(ctx) + "/scim/v2", tokens}, err)
		})
	// Who has a token makes accounts, which is a system admin's to allow.
	register(s, tenant.SystemAdmin, post("create-directory-token", "/api/v1/orgs/{org}/provisioning/tokens", "Make a token for an organisation's directory; it is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body DirectoryTokenRequest
		}) (*result[tenant.NewDirectoryToken], error) {
			return ok(s.tenants.CreateDirectoryToken(ctx, a, in.Org, in.Body.Name, in.Body.Role))
		})
	register(s, tenant.OrgAdmin, del("revoke-directory-token", "/api/v1/orgs/{org}/provisioning/tokens/{token}", "Revoke a directory's token; whom it provisioned stays"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOrg
			Token int64 `path:"token" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RevokeDirectoryToken(ctx, in.Org, in.Token))
		})
}
