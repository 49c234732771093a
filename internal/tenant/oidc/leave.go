package oidc

import (
	"context"
	"net/url"
)

const (
	// hintPlace is what the ID token of a session is sealed for.
	hintPlace = "id token of a session"
	// maxHint is how long an ID token may be, in bytes, to travel in an address.
	maxHint = 6000
)

// Leave returns where a browser whose session has ended is led to sign out at the
// provider too, as OpenID Connect RP-Initiated Logout 1.0 says, and back from there
// to redirect. It is "" where that is not wanted, or the provider offers no such
// thing, or does not answer: the session here is over in any case. idToken is what
// Logout returned.
func (s *Service) Leave(ctx context.Context, code, idToken, redirect string) string {
	p, provider, err := s.usable(ctx, code)
	if err != nil || !p.SignOut {
		return ""
	}
	var offers struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&offers); err != nil || offers.EndSession == "" {
		return ""
	}
	to, err := url.Parse(offers.EndSession)
	if err != nil || to.Host == "" || to.Scheme != "https" && !onThisMachine(to.Hostname()) {
		return ""
	}
	query := to.Query()
	query.Set("client_id", p.ClientID)
	query.Set("post_logout_redirect_uri", redirect)
	if hint, err := s.sealer.Open(ctx, idToken, hintPlace); err == nil {
		query.Set("id_token_hint", string(hint))
	}
	to.RawQuery = query.Encode()
	return to.String()
}
