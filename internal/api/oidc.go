package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
)

// maxReturnPath bounds the path that a login leads back to.
const maxReturnPath = 2000

// OIDCProvider is a provider with where it has to lead back to.
type OIDCProvider struct {
	oidc.Provider
	RedirectURI string `json:"redirect_uri" doc:"to be registered at the provider"`
	LogoutURI   string `json:"logout_uri" doc:"to be registered there too, as one after logout, with sign_out"`
}

// OIDCProviderRequest is what one edits of a provider.
type OIDCProviderRequest struct {
	oidc.Settings
	ClientSecret string `json:"client_secret,omitempty" maxLength:"1000" doc:"empty: the one that is stored, or none for a public client; another issuer or client needs it again"`
}

func (r OIDCProviderRequest) settings() oidc.Settings {
	set := r.Settings
	set.ClientSecret = r.ClientSecret
	return set
}

// NewOIDCProviderRequest describes the provider to make.
type NewOIDCProviderRequest struct {
	Code string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9][a-z0-9-]*$" doc:"stands in the address that the provider leads back to; it cannot change"`
	OIDCProviderRequest
}

// InOIDCProvider names a provider in the path.
type InOIDCProvider struct {
	Provider string `path:"provider" minLength:"1" maxLength:"40" doc:"code of the provider"`
}

// away sends a browser somewhere else.
type away struct {
	Status    int
	Location  string        `header:"Location"`
	SetCookie []http.Cookie `header:"Set-Cookie"`
}

// leads is an operation that is opened by a browser and answers by sending it on.
func leads(id, path, summary string) huma.Operation {
	op := get(id, path, summary)
	op.DefaultStatus = http.StatusSeeOther
	return op
}

func (s *server) registerOIDC() {
	register(s, public, get("list-sign-in-providers", "/api/v1/session/providers", "The providers on the login page"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[oidc.Button]], error) {
			return all(s.opts.OIDC.Buttons(ctx))
		})
	register(s, public, leads("begin-oidc-login", "/api/v1/session/oidc/{provider}", "Sign in at a provider: a browser opens this"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			Provider string `path:"provider"`
			To       string `query:"to" doc:"the path to end at"`
		}) (*away, error) {
			return s.beginOIDC(ctx, in.Provider, ownPath(in.To))
		})
	register(s, public, leads("finish-oidc-login", "/api/v1/session/oidc/{provider}/callback", "Where a provider leads back to"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			Provider string `path:"provider"`
			State    string `query:"state"`
			Code     string `query:"code"`
			Error    string `query:"error"`
			Issuer   string `query:"iss"`
		}) (*away, error) {
			return s.finishOIDC(ctx, in.Provider, oidc.Return{State: in.State, Code: in.Code, Error: in.Error, Issuer: in.Issuer})
		})
	register(s, tenant.SystemAdmin, del("unlink-user", "/api/v1/users/{user}/identities", "Forget who an account is at its providers; the next login by its verified address links it anew"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			User int64 `path:"user" minimum:"1"`
		}) (*struct{}, error) {
			return done(s.tenants.Unlink(ctx, in.User))
		})
	s.registerOIDCProviders()
}

func (s *server) registerOIDCProviders() {
	one := func(ctx context.Context, p oidc.Provider, err error) (*edited[OIDCProvider], error) {
		if err != nil {
			return nil, err
		}
		return versioned(OIDCProvider{p, s.callback(ctx, p.Code), s.loginPage(ctx)}, p.Version, nil)
	}
	register(s, tenant.SystemAdmin, get("list-oidc-providers", "/api/v1/oidc-providers", "The providers of OpenID Connect"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*result[Page[OIDCProvider]], error) {
			providers, err := s.opts.OIDC.Providers(ctx)
			items := make([]OIDCProvider, len(providers))
			for i, p := range providers {
				items[i] = OIDCProvider{p, s.callback(ctx, p.Code), s.loginPage(ctx)}
			}
			return all(items, err)
		})
	register(s, tenant.SystemAdmin, post("create-oidc-provider", "/api/v1/oidc-providers", "Add a provider", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body NewOIDCProviderRequest }) (*edited[OIDCProvider], error) {
			p, err := s.opts.OIDC.Create(ctx, in.Body.Code, in.Body.settings(), a.Name)
			return one(ctx, p, err)
		})
	register(s, tenant.SystemAdmin, get("get-oidc-provider", "/api/v1/oidc-providers/{provider}", "One provider"),
		func(ctx context.Context, _ tenant.Actor, in *InOIDCProvider) (*edited[OIDCProvider], error) {
			p, err := s.opts.OIDC.Provider(ctx, in.Provider)
			return one(ctx, p, err)
		})
	register(s, tenant.SystemAdmin, put("update-oidc-provider", "/api/v1/oidc-providers/{provider}", "Change a provider"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InOIDCProvider
			InVersion
			Body OIDCProviderRequest
		}) (*edited[OIDCProvider], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			p, err := s.opts.OIDC.Update(ctx, in.Provider, version, in.Body.settings(), a.Name)
			return one(ctx, p, err)
		})
	register(s, tenant.SystemAdmin, del("delete-oidc-provider", "/api/v1/oidc-providers/{provider}", "Remove a provider with its links, sessions and the memberships it gave; accounts stay"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InOIDCProvider
			InVersion
		}) (*struct{}, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return done(s.opts.OIDC.Delete(ctx, in.Provider, version))
		})
	register(s, tenant.SystemAdmin, post("check-oidc-provider", "/api/v1/oidc-providers/{provider}/check", "Ask a provider's issuer what it offers", http.StatusOK),
		func(ctx context.Context, _ tenant.Actor, in *InOIDCProvider) (*result[oidc.Checked], error) {
			return ok(s.opts.OIDC.Check(ctx, in.Provider))
		})
}

// beginOIDC sends the browser to the provider, with a cookie that only this
// flow's end reads.
func (s *server) beginOIDC(ctx context.Context, provider, to string) (*away, error) {
	r := callerOf(ctx).request
	if !s.secure(r) && !loopback(r.Host) {
		return nil, fault.New(fault.Denied, "sign in over https, or on this machine: a session does not travel in the clear")
	}
	begun, err := s.opts.OIDC.Begin(ctx, provider, s.callback(ctx, provider), to)
	if err != nil {
		return s.loginFailed(ctx, provider, to, err)
	}
	cookie := s.cookie(r, begun.Sealed, s.now().Add(oidc.FlowLife))
	cookie.Name = flowCookie(cookie.Name, begun.State)
	return &away{Status: http.StatusSeeOther, Location: begun.URL, SetCookie: []http.Cookie{cookie}}, nil
}

// finishOIDC ends a login, and the cookie of its flow in any case.
func (s *server) finishOIDC(ctx context.Context, provider string, back oidc.Return) (*away, error) {
	r := callerOf(ctx).request
	name := flowCookie(s.cookieName(r), back.State)
	if cookie, err := r.Cookie(name); err == nil {
		back.Sealed = cookie.Value
	}
	gone := s.cookie(r, "", time.Unix(1, 0))
	gone.Name, gone.MaxAge = name, -1
	session, to, err := s.opts.OIDC.Finish(ctx, provider, back, from(ctx))
	ended := &providerLogin{session: session}
	if failure := (*oidc.Failure)(nil); errors.As(err, &failure) {
		ended.failure = string(failure.Reason)
	}
	admittedTo(ctx).login = ended
	if err != nil {
		out, err := s.loginFailed(ctx, provider, to, err)
		if err == nil {
			out.SetCookie = []http.Cookie{gone}
		}
		return out, err
	}
	return &away{Status: http.StatusSeeOther, Location: ownPath(to), SetCookie: []http.Cookie{gone, s.cookie(r, session.Secret, session.ExpiresAt)}}, nil
}

// loginFailed leads to the login page, which says why; what a provider did
// wrong goes to the log.
func (s *server) loginFailed(ctx context.Context, provider, to string, err error) (*away, error) {
	failure := (*oidc.Failure)(nil)
	if !errors.As(err, &failure) {
		return nil, err
	}
	if failure.Err != nil {
		s.log.WarnContext(ctx, "a login at a provider failed", "request_id", requestID(ctx), "provider", provider, "reason", string(failure.Reason), "error", failure.Err.Error())
	}
	query := url.Values{"failure": {string(failure.Reason)}}
	if to != "" && to != "/" {
		query.Set("to", to)
	}
	return &away{Status: http.StatusSeeOther, Location: "/login?" + query.Encode()}, nil
}

// flowCookie is the name of a flow's cookie: each has its own, so that two
// tabs do not end one another's.
func flowCookie(session, state string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, state)
	return strings.Replace(session, "session", "oidc", 1) + "_" + plain[:min(12, len(plain))]
}

// callback is where a provider leads back to: below the address that the
// configuration gives, or the one that the browser uses.
func (s *server) callback(ctx context.Context, provider string) string {
	return s.base(ctx) + "/api/v1/session/oidc/" + url.PathEscape(provider) + "/callback"
}

// loginPage is where a provider leads back to after somebody has signed out there.
func (s *server) loginPage(ctx context.Context) string { return s.base(ctx) + "/login" }

// base is how others reach this server.
func (s *server) base(ctx context.Context) string {
	r := callerOf(ctx).request
	switch {
	case s.origin != "" || r == nil:
		return s.origin
	case s.secure(r):
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// ownPath is a path of ours, or "/": what comes from outside must not decide
// where a login leads.
func ownPath(to string) string {
	at, err := url.Parse(to)
	if err != nil || at.IsAbs() || at.Host != "" || at.Opaque != "" || len(to) > maxReturnPath ||
		!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	return to
}
