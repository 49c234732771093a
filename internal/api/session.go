package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// The session cookie's name. With __Host- a browser accepts it only Secure, for
// this host alone and for every path, so that no neighbour domain can set it.
const (
	plainCookie  = "mtx_session"
	secureCookie = "__Host-mtx_session"
)

// Me is who I am and where I belong.
type Me struct {
	User        tenant.User           `json:"user"`
	Memberships []tenant.Member       `json:"memberships"`
	Access      []tenant.Access       `json:"access" doc:"what I may do, by place"`
	Orgs        []tenant.Organisation `json:"orgs"`
	Projects    []tenant.Project      `json:"projects"`
	MustEnrol   bool                  `json:"must_enrol" doc:"a second factor is demanded of me: until I have set one up I can do nothing else"`
	Scopes      []tenant.Scope        `json:"scopes,omitempty" doc:"of the token that asks; absent for a session"`
}

// Login is what one signs in with.
type Login struct {
	Email    string `json:"email" minLength:"1" maxLength:"254"`
	Password string `json:"password" minLength:"1" maxLength:"256"`
	Code     string `json:"code,omitempty" maxLength:"40" doc:"of the authenticator app, or for recovery; without one where it is needed the answer is 401 in the field code"`
}

// PasswordChange replaces one's own password.
type PasswordChange struct {
	OldPassword string `json:"old_password" maxLength:"256"`
	Password    string `json:"password" minLength:"10" maxLength:"256"`
}

// TokenRequest describes the API token to make.
type TokenRequest struct {
	Name      string         `json:"name" minLength:"1" maxLength:"100"`
	Scopes    []tenant.Scope `json:"scopes" minItems:"1"`
	ExpiresAt time.Time      `json:"expires_at" doc:"within a year from now"`
}

type cookieResult struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      tenant.User
}

type signedOut struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      SignedOut
}

// SignedOut is what comes after a session.
type SignedOut struct {
	LeadsTo string `json:"leads_to" doc:"where to sign out at the provider too; empty: nowhere"`
}

func (s *server) registerSession() {
	register(s, public, post("login", "/api/v1/session", "Sign in", http.StatusOK), s.login)
	out := del("logout", "/api/v1/session", "Sign out")
	out.DefaultStatus = http.StatusOK
	register(s, public, out, s.logout)
	register(s, tenant.SelfRead, get("me", "/api/v1/me", "Who I am and where I belong"), s.me)
	register(s, tenant.SelfWrite, put("change-password", "/api/v1/me/password", "Change my password; my other sessions end and my API tokens are revoked"),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body PasswordChange }) (*struct{}, error) {
			return done(s.tenants.ChangePassword(ctx, a.UserID, in.Body.OldPassword, in.Body.Password, callerOf(ctx).secret))
		})
	register(s, tenant.SelfWrite, get("list-tokens", "/api/v1/tokens", "My API tokens"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*result[Page[tenant.Token]], error) {
			return all(s.tenants.Tokens(ctx, a.UserID))
		})
	register(s, tenant.SelfWrite, post("create-token", "/api/v1/tokens", "Make an API token; it is shown this one time", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body TokenRequest }) (*result[tenant.NewToken], error) {
			return ok(s.tenants.CreateToken(ctx, a, in.Body.Name, in.Body.Scopes, in.Body.ExpiresAt))
		})
	register(s, tenant.SelfWrite, del("revoke-token", "/api/v1/tokens/{token}", "Revoke one of my API tokens"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			Token int64 `path:"token" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.RevokeToken(ctx, a.UserID, in.Token))
		})
}

func (s *server) login(ctx context.Context, _ tenant.Actor, in *struct{ Body Login }) (*cookieResult, error) {
	r := callerOf(ctx).request
	if !s.secure(r) && !loopback(r.Host) {
		return nil, fault.New(fault.Denied, "sign in over https, or on this machine: a password does not travel in the clear")
	}
	session, err := s.tenants.Login(ctx, tenant.Credentials{Email: in.Body.Email, Password: in.Body.Password, Code: in.Body.Code, From: from(ctx)})
	if err != nil {
		return nil, err
	}
	return &cookieResult{s.cookie(r, session.Secret, session.ExpiresAt), session.User}, nil
}

// from is where a login comes from.
func from(ctx context.Context) tenant.Caller {
	c := callerOf(ctx)
	return tenant.Caller{Address: c.address, Agent: c.request.UserAgent()}
}

// logout needs nobody: a cookie whose session is over must be removable too.
func (s *server) logout(ctx context.Context, _ tenant.Actor, _ *nothing) (*signedOut, error) {
	c := callerOf(ctx)
	out := &signedOut{SetCookie: s.cookie(c.request, "", time.Unix(1, 0))}
	out.SetCookie.MaxAge = -1
	if c.secret == "" {
		return out, nil
	}
	provider, idToken, err := s.tenants.Logout(ctx, c.secret)
	if err != nil {
		return nil, err
	}
	if provider != "" {
		out.Body.LeadsTo = s.opts.OIDC.Leave(ctx, provider, idToken, s.loginPage(ctx))
	}
	return out, nil
}

func (s *server) me(ctx context.Context, a tenant.Actor, _ *nothing) (*result[Me], error) {
	if errors.Is(callerOf(ctx).err, tenant.ErrSecondFactor) {
		user, err := s.tenants.User(ctx, a.UserID)
		return ok(Me{User: user, Memberships: []tenant.Member{}, Access: []tenant.Access{}, Orgs: []tenant.Organisation{}, Projects: []tenant.Project{}, MustEnrol: true}, err)
	}
	me := Me{Memberships: []tenant.Member{}, Access: []tenant.Access{}, Orgs: []tenant.Organisation{}, Projects: []tenant.Project{}}
	var err error
	if a.Token != nil {
		me.Scopes = a.Token.Scopes
	}
	if me.User, err = s.tenants.User(ctx, a.UserID); err != nil {
		return nil, err
	}
	if a.Allows(tenant.OrgList) {
		if me.Memberships, err = s.tenants.Memberships(ctx, a.UserID); err != nil {
			return nil, err
		}
		if me.Access, err = s.tenants.Accesses(ctx, a.UserID, me.Memberships); err != nil {
			return nil, err
		}
		if me.Orgs, err = s.tenants.Organisations(ctx, a); err != nil {
			return nil, err
		}
	}
	if a.Allows(tenant.ProjectList) {
		me.Projects, err = s.tenants.Projects(ctx, a)
	}
	return ok(me, err)
}

// secure reports whether the browser speaks https, to us or to a proxy before us.
func (s *server) secure(r *http.Request) bool { return s.https || r.TLS != nil }

func (s *server) cookieName(r *http.Request) string {
	if s.secure(r) {
		return secureCookie
	}
	return plainCookie
}

func (s *server) cookie(r *http.Request, value string, expires time.Time) http.Cookie {
	return http.Cookie{
		Name: s.cookieName(r), Value: value, Path: "/", Expires: expires,
		Secure: s.secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
