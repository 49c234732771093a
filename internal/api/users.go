package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// UserRequest describes the account to make.
type UserRequest struct {
	Email string `json:"email" minLength:"3" maxLength:"254"`
	Name  string `json:"name,omitempty" maxLength:"100" doc:"default: the address before its @"`
}

func (s *server) registerUsers() {
	register(s, tenant.SystemAdmin, get("list-users", "/api/v1/users", "Every account"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[tenant.User]], error) {
			return all(s.tenants.Users(ctx))
		})
	register(s, tenant.SystemAdmin, post("create-user", "/api/v1/users", "Make an account; its first password is shown this one time", http.StatusCreated),
		func(ctx context.Context, _ tenant.Actor, in *struct{ Body UserRequest }) (*result[tenant.NewUser], error) {
			return ok(s.tenants.CreateUser(ctx, in.Body.Email, in.Body.Name))
		})
	type user struct {
		User int64 `path:"user" minimum:"1"`
	}
	register(s, tenant.SystemAdmin, get("get-user", "/api/v1/users/{user}", "One account"),
		func(ctx context.Context, _ tenant.Actor, in *user) (*edited[tenant.User], error) {
			u, err := s.tenants.User(ctx, in.User)
			return versioned(u, u.Version, err)
		})
	register(s, tenant.SystemAdmin, put("update-user", "/api/v1/users/{user}", "Rename, promote or disable an account"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			User int64 `path:"user" minimum:"1"`
			InVersion
			Body tenant.UserChange
		}) (*edited[tenant.User], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			u, err := s.tenants.UpdateUser(ctx, in.User, version, in.Body)
			return versioned(u, u.Version, err)
		})
}
