package api

import (
	"context"
	"net/http"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// PasswordAgain is the present password, which is asked again before what a
// borrowed session must not do.
type PasswordAgain struct {
	Password string `json:"password" minLength:"1" maxLength:"256"`
}

// CodeRequest is a code of the authenticator app.
type CodeRequest struct {
	Code string `json:"code" minLength:"6" maxLength:"40"`
}

// SecondFactorEnd is what turning a second factor off takes.
type SecondFactorEnd struct {
	Password string `json:"password" minLength:"1" maxLength:"256"`
	Code     string `json:"code" minLength:"6" maxLength:"40" doc:"of the app, or for recovery"`
}

// RecoveryCodes stand in for the app, each once.
type RecoveryCodes struct {
	Codes []string `json:"codes" doc:"shown this one time"`
}

// DemandRequest says whether a second factor is demanded.
type DemandRequest struct {
	SecondFactor bool `json:"second_factor"`
}

// whileEnrolling are the operations that somebody may ask for who must set up a
// second factor first: to see that, to do it, and to leave.
var whileEnrolling = map[string]bool{"me": true, "get-second-factor": true, "begin-second-factor": true, "confirm-second-factor": true}

// registerSignIn registers what people have to do with their own ways to sign
// in, and administrators with those of others.
func (s *server) registerSignIn() {
	register(s, tenant.SelfWrite, get("list-sessions", "/api/v1/sessions", "Where I am signed in"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*result[Page[tenant.LiveSession]], error) {
			return all(s.tenants.Sessions(ctx, a.UserID, callerOf(ctx).secret))
		})
	register(s, tenant.SelfWrite, del("end-session", "/api/v1/sessions/{session}", "Sign one of my sessions out"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			Session string `path:"session" minLength:"16" maxLength:"16"`
		}) (*struct{}, error) {
			return done(s.tenants.EndSession(ctx, a.UserID, in.Session))
		})
	register(s, tenant.SelfWrite, del("end-other-sessions", "/api/v1/sessions", "Sign all my sessions out but this one"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*struct{}, error) {
			return done(s.tenants.EndSessions(ctx, a.UserID, callerOf(ctx).secret))
		})
	s.registerSecondFactor()
	s.registerDemands()
	type user struct {
		User int64 `path:"user" minimum:"1"`
	}
	register(s, tenant.SystemAdmin, get("list-user-sessions", "/api/v1/users/{user}/sessions", "Where an account is signed in"),
		func(ctx context.Context, _ tenant.Actor, in *user) (*result[Page[tenant.LiveSession]], error) {
			if _, err := s.tenants.User(ctx, in.User); err != nil {
				return nil, err
			}
			return all(s.tenants.Sessions(ctx, in.User, callerOf(ctx).secret))
		})
	register(s, tenant.SystemAdmin, del("end-user-sessions", "/api/v1/users/{user}/sessions", "Sign an account out everywhere; its API tokens stay"),
		func(ctx context.Context, _ tenant.Actor, in *user) (*struct{}, error) {
			if _, err := s.tenants.User(ctx, in.User); err != nil {
				return nil, err
			}
			return done(s.tenants.EndSessions(ctx, in.User, ""))
		})
	register(s, tenant.SystemAdmin, del("reset-second-factor", "/api/v1/users/{user}/totp", "Turn an account's second factor off, for who has lost it, and end its sessions"),
		func(ctx context.Context, _ tenant.Actor, in *user) (*struct{}, error) {
			return done(s.tenants.ResetSecondFactor(ctx, in.User))
		})
}

func (s *server) registerSecondFactor() {
	register(s, tenant.SelfWrite, get("get-second-factor", "/api/v1/me/totp", "How my second factor stands"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*result[tenant.SecondFactor], error) {
			return ok(s.tenants.SecondFactorOf(ctx, a.UserID))
		})
	register(s, tenant.SelfWrite, post("begin-second-factor", "/api/v1/me/totp", "Get a secret for my authenticator app; nothing asks for its codes before one was confirmed", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body PasswordAgain }) (*result[tenant.NewSecondFactor], error) {
			return ok(s.tenants.BeginSecondFactor(ctx, a.UserID, in.Body.Password))
		})
	register(s, tenant.SelfWrite, post("confirm-second-factor", "/api/v1/me/totp/confirm", "Turn my second factor on with a code of the app; recovery codes are shown this one time", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body CodeRequest }) (*result[RecoveryCodes], error) {
			codes, err := s.tenants.ConfirmSecondFactor(ctx, a.UserID, in.Body.Code)
			return ok(RecoveryCodes{codes}, err)
		})
	register(s, tenant.SelfWrite, post("renew-recovery-codes", "/api/v1/me/totp/recovery", "Replace my recovery codes", http.StatusOK),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body CodeRequest }) (*result[RecoveryCodes], error) {
			codes, err := s.tenants.RenewRecovery(ctx, a.UserID, in.Body.Code)
			return ok(RecoveryCodes{codes}, err)
		})
	register(s, tenant.SelfWrite, post("remove-second-factor", "/api/v1/me/totp/remove", "Turn my second factor off", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body SecondFactorEnd }) (*struct{}, error) {
			return done(s.tenants.RemoveSecondFactor(ctx, a.UserID, in.Body.Password, in.Body.Code))
		})
}

// registerDemands registers who demands a second factor: the installation, and organisations.
func (s *server) registerDemands() {
	register(s, tenant.SystemAdmin, get("get-sign-in-demand", "/api/v1/sign-in", "Whether a second factor is demanded of everybody"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[tenant.Demand], error) {
			return ok(s.tenants.DemandOf(ctx, 0))
		})
	register(s, tenant.SystemAdmin, put("set-sign-in-demand", "/api/v1/sign-in", "Demand a second factor of everybody, or no more"),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body DemandRequest }) (*result[tenant.Demand], error) {
			return ok(s.tenants.SetDemand(ctx, a, 0, in.Body.SecondFactor))
		})
	register(s, tenant.OrgAdmin, get("get-org-sign-in-demand", "/api/v1/orgs/{org}/sign-in", "Whether a second factor is demanded of an organisation's people"),
		func(ctx context.Context, _ tenant.Actor, in *InOrg) (*result[tenant.Demand], error) {
			return ok(s.tenants.DemandOf(ctx, in.Org))
		})
	register(s, tenant.OrgAdmin, put("set-org-sign-in-demand", "/api/v1/orgs/{org}/sign-in", "Demand a second factor of an organisation's people, or no more"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOrg
			Body DemandRequest
		}) (*result[tenant.Demand], error) {
			return ok(s.tenants.SetDemand(ctx, a, in.Org, in.Body.SecondFactor))
		})
}
