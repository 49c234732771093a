package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// ServiceAccountRequest describes the service account to make.
type ServiceAccountRequest struct {
	Name   string      `json:"name" minLength:"1" maxLength:"100"`
	Role   tenant.Role `json:"role" enum:"admin,editor,viewer,custom" doc:"in the whole organisation"`
	RoleID int64       `json:"role_id,omitempty" minimum:"0" doc:"with custom: the organisation's own role"`
}

// InServiceAccount names a service account of an organisation.
type InServiceAccount struct {
	InOrg
	Account int64 `path:"account" minimum:"1" doc:"service account id"`
}

func (s *server) registerServiceAccounts() {
	const path = "/api/v1/orgs/{org}/service-accounts"
	register(s, tenant.OrgAdmin, get("list-service-accounts", path, "The service accounts of an organisation"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[Page[tenant.ServiceAccount]], error) {
			return all(s.tenants.ServiceAccounts(ctx, in.Org))
		})
	register(s, tenant.OrgAdmin, post("create-service-account", path, "Make an account that is no person and cannot sign in", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body ServiceAccountRequest
		}) (*edited[tenant.ServiceAccount], error) {
			made, err := s.tenants.CreateServiceAccount(ctx, a, in.Org, in.Body.Name, tenant.Given{Role: in.Body.Role, RoleID: in.Body.RoleID})
			return versioned(made, made.Version, err)
		})
	register(s, tenant.OrgAdmin, put("update-service-account", path+"/{account}", "Rename or disable a service account"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InServiceAccount
			InVersion
			Body tenant.ServiceAccountChange
		}) (*edited[tenant.ServiceAccount], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			changed, err := s.tenants.UpdateServiceAccount(ctx, a, in.Org, in.Account, version, in.Body)
			return versioned(changed, changed.Version, err)
		})
	register(s, tenant.OrgAdmin, get("list-service-tokens", path+"/{account}/tokens", "The API tokens of a service account"),
		func(ctx context.Context, _ tenant.Actor, in *InServiceAccount) (*result[Page[tenant.Token]], error) {
			return all(s.tenants.ServiceTokens(ctx, in.Org, in.Account))
		})
	register(s, tenant.OrgAdmin, post("create-service-token", path+"/{account}/tokens", "Make an API token of a service account; it is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InServiceAccount
			Body TokenRequest
		}) (*result[tenant.NewToken], error) {
			if err := withoutToken(a); err != nil {
				return nil, err
			}
			return ok(s.tenants.CreateServiceToken(ctx, a, in.Org, in.Account, in.Body.Name, in.Body.Scopes, in.Body.ExpiresAt))
		})
	register(s, tenant.OrgAdmin, del("revoke-service-token", path+"/{account}/tokens/{token}", "Revoke an API token of a service account"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InServiceAccount
			Token int64 `path:"token" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RevokeServiceToken(ctx, in.Org, in.Account, in.Token))
		})
}

// withoutToken refuses a token: no token makes another.
func withoutToken(a tenant.Actor) error {
	if a.Token != nil {
		return fault.New(fault.Denied, "no token makes another: sign in")
	}
	return nil
}
