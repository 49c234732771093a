package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// FlowLife is how long somebody may take at the provider.
const FlowLife = 10 * time.Minute

// flowPlace is what a flow is sealed for.
const flowPlace = "oidc flow"

// Reason says why a login did not come to an end, for a page that tells people.
type Reason string

// The reasons.
const (
	Unknown    Reason = "provider"    // there is no such provider, or it is turned off
	Unreached  Reason = "unreached"   // the provider does not answer as it should
	Denied     Reason = "denied"      // the provider, or the person there, said no
	Expired    Reason = "expired"     // too slow, or begun in another browser, or done already
	Unverified Reason = "unverified"  // the provider does not vouch for the address
	Domain     Reason = "domain"      // the address is of no domain that may sign in
	NoAccount  Reason = "account"     // nobody here has the address
	Closed     Reason = "disabled"    // the account is closed
	Linked     Reason = "linked"      // the account is somebody else's at the provider
	Failed     Reason = "failed"      // anything else
	Busy       Reason = "unavailable" // our own database cannot be used now
)

// Failure is a login that did not come to an end.
type Failure struct {
	Reason Reason
	Err    error // for the log; nil when the reason says it all
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Err == nil {
		return "oidc login: " + string(f.Reason)
	}
	return "oidc login: " + string(f.Reason) + ": " + f.Err.Error()
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Button is a provider on the login page.
type Button struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Buttons lists the providers that can be used.
func (s *Service) Buttons(ctx context.Context) ([]Button, error) {
	providers, err := s.Providers(ctx)
	buttons := []Button{}
	for _, p := range providers {
		if p.Enabled {
			buttons = append(buttons, Button{p.Code, p.Name})
		}
	}
	return buttons, err
}

// flow is what this side remembers while somebody is at the provider. It is
// kept sealed in their browser: only the browser that began a flow ends it, on
// whatever node.
type flow struct {
	Provider string    `json:"p"`
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Redirect string    `json:"r"`
	To       string    `json:"t"`
	Expires  time.Time `json:"e"`
}

// Begun is a flow whose person is to be sent to URL, with Sealed in a cookie
// that is found again by State.
type Begun struct {
	URL    string
	State  string
	Sealed string
}

// Begin starts a login at a provider, which leads back to redirect; to is the
// path of ours where it ends. A refusal is a *Failure.
func (s *Service) Begin(ctx context.Context, code, redirect, to string) (b Begun, err error) {
	p, provider, err := s.usable(ctx, code)
	if err != nil {
		return b, err
	}
	f := flow{Provider: code, State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Redirect: redirect, To: to, Expires: s.now().Add(FlowLife)}
	text, err := json.Marshal(f)
	if err != nil {
		return b, err
	}
	sealed, err := s.sealer.Seal(ctx, text, flowPlace)
	if err != nil {
		return b, err
	}
	config := s.config(p, provider, redirect, "")
	return Begun{
		URL:    config.AuthCodeURL(f.State, gooidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)),
		State:  f.State,
		Sealed: sealed,
	}, nil
}

// random is 256 bits nobody guesses.
func random() string {
	bits := make([]byte, 32)
	_, _ = rand.Read(bits) // never fails
	return base64.RawURLEncoding.EncodeToString(bits)
}

func (s *Service) usable(ctx context.Context, code string) (Provider, *gooidc.Provider, error) {
	p, err := s.Provider(ctx, code)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && !p.Enabled:
		return p, nil, &Failure{Reason: Unknown}
	case err != nil:
		return p, nil, err
	}
	provider, err := s.discover(ctx, p, false)
	if err != nil {
		return p, nil, &Failure{Unreached, errors.New(short(err))}
	}
	return p, provider, nil
}

func (s *Service) config(p Provider, provider *gooidc.Provider, redirect, secret string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: redirect,
		Scopes: slices.Compact(append([]string{gooidc.ScopeOpenID}, p.Scopes...))}
}

// Return is what a provider led back with, and the cookie of the flow.
type Return struct {
	State  string
	Code   string
	Error  string // what the provider says in its place, "" when nothing is wrong
	Issuer string // of RFC 9207, "" where the provider does not send it
	Sealed string
}

// Finish ends a login: it checks that this browser began it, gets the tokens,
// believes the ID token only as far as OpenID Connect Core 3.1.3.7 says, and
// begins a session. to is the path that Begin was given; with a *Failure it is
// told as far as it is known.
func (s *Service) Finish(ctx context.Context, code string, back Return, from tenant.Caller) (session tenant.Session, to string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*askWithin)
	defer cancel()
	f, ok := s.open(ctx, back.Sealed)
	if !ok || f.Provider != code || back.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(back.State)) != 1 {
		return session, "", &Failure{Reason: Expired}
	}
	if !s.now().Before(f.Expires) {
		return session, f.To, &Failure{Reason: Expired}
	}
	p, provider, err := s.usable(ctx, code)
	if err != nil {
		return session, f.To, err
	}
	if back.Issuer != "" && back.Issuer != p.Issuer { // an answer of another provider, mixed in (RFC 9207)
		return session, f.To, &Failure{Failed, errors.New("the answer names another issuer")}
	}
	switch {
	case back.Error == "access_denied":
		return session, f.To, &Failure{Reason: Denied}
	case back.Error != "" || back.Code == "":
		return session, f.To, &Failure{Failed, fmt.Errorf("the provider says %q", cut(back.Error))}
	}
	claims, token, err := s.claims(ctx, p, provider, f, back.Code)
	if err != nil {
		return session, f.To, &Failure{Failed, errors.New(short(err))}
	}
	who, err := p.identity(claims)
	if err != nil {
		return session, f.To, err
	}
	if p.SignOut && len(token) <= maxHint {
		if who.IDToken, err = s.sealer.Seal(ctx, []byte(token), hintPlace); err != nil {
			return session, f.To, err
		}
	}
	session, err = s.tenants.LoginIdentity(ctx, who, from)
	return session, f.To, refused(err)
}

// refused gives a refusal of the parent its reason.
func refused(err error) error {
	e := fault.As(err)
	switch {
	case err == nil:
		return nil
	case e == nil:
		return err
	case e.Kind == fault.Invalid: // an address that is none
		return &Failure{Unverified, err}
	case e.Kind == fault.Denied:
		reason, known := map[string]Reason{tenant.NoAccount: NoAccount, tenant.AccountClosed: Closed, tenant.OtherIdentity: Linked}[e.Field]
		if known {
			return &Failure{Reason: reason}
		}
	case e.Kind == fault.Unavailable:
		return &Failure{Busy, err}
	}
	return err
}

// open reads the cookie of a flow; what is not one of ours is no flow.
func (s *Service) open(ctx context.Context, sealed string) (f flow, ok bool) {
	text, err := s.sealer.Open(ctx, sealed, flowPlace)
	if err != nil {
		return f, false
	}
	return f, json.Unmarshal(text, &f) == nil
}

// claims exchanges the code, and returns what the ID token says, completed by
// the userinfo endpoint where the ID token does not say all that is needed, and
// the ID token itself.
func (s *Service) claims(ctx context.Context, p Provider, provider *gooidc.Provider, f flow, code string) (said map[string]any, idToken string, err error) {
	ctx = gooidc.ClientContext(ctx, s.client)
	secret := ""
	if p.sealed != "" {
		plain, err := s.sealer.Open(ctx, p.sealed, secretPlace(p.Code))
		if err != nil {
			return nil, "", err
		}
		secret = string(plain)
	}
	config := s.config(p, provider, f.Redirect, secret)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, "", fmt.Errorf("exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, "", errors.New("the provider sent no ID token")
	}
	id, err := provider.VerifierContext(ctx, &gooidc.Config{ClientID: p.ClientID, Now: s.now}).Verify(ctx, raw)
	if err != nil {
		return nil, "", fmt.Errorf("verify the ID token: %w", err)
	}
	if id.Subject == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return nil, "", errors.New("the ID token is of another login")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, "", fmt.Errorf("verify the access token: %w", err)
		}
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return nil, "", fmt.Errorf("read the ID token: %w", err)
	}
	if p.satisfied(claims) || provider.UserInfoEndpoint() == "" {
		return claims, raw, nil
	}
	info, err := provider.UserInfo(ctx, config.TokenSource(ctx, token))
	if err != nil {
		return nil, "", fmt.Errorf("ask for the userinfo: %w", err)
	}
	if info.Subject != id.Subject { // OpenID Connect Core 5.3.2
		return nil, "", errors.New("the userinfo is somebody else's")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return nil, "", fmt.Errorf("read the userinfo: %w", err)
	}
	// An address and whether it is verified belong together: never one of each.
	if _, has := claims[p.EmailClaim]; !has {
		delete(claims, "email_verified")
	} else {
		delete(more, "email_verified")
	}
	for name, value := range more {
		if _, has := claims[name]; !has {
			claims[name] = value
		}
	}
	return claims, raw, nil
}

// short is an error without what a provider may have put into its answer.
func short(err error) string {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := 0
		if refused.Response != nil {
			status = refused.Response.StatusCode
		}
		return fmt.Sprintf("the token endpoint answered %d %q", status, cut(refused.ErrorCode))
	}
	var at *url.Error
	if errors.As(err, &at) {
		return cut(at.Err.Error())
	}
	return cut(err.Error())
}

// cut bounds what comes from outside, and keeps it on one line.
func cut(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}
