// Package oidc signs people in with OpenID Connect: which providers there are,
// the authorization code flow with PKCE, and what a provider's claims mean here.
//
// It owns providers and the flow. Accounts, links to them, memberships and
// sessions are its parent's. It talks to the issuers with the client it is
// given, which decides what addresses may be asked, and knows no HTTP of ours.
package oidc

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

const (
	askWithin     = 10 * time.Second // all that one step asks of an issuer
	maxAnswer     = 1 << 20          // bytes of one answer
	discoveryLife = time.Hour
	failureLife   = 10 * time.Second // strangers begin flows: an issuer that is down is not asked for each
)

// Options configure a Service. All but Log and Now are required.
type Options struct {
	DB      *metadb.DB
	Tenants *tenant.Store
	Sealer  *secret.Sealer
	Client  *http.Client // asks the issuers
	Log     *slog.Logger
	Now     func() time.Time
}

// Service is safe for concurrent use.
type Service struct {
	db      *metadb.DB
	tenants *tenant.Store
	sealer  *secret.Sealer
	client  *http.Client
	log     *slog.Logger
	now     func() time.Time

	mu    sync.Mutex
	found map[string]discovery // by the provider's code
}

// discovery is what an issuer said of itself, or why it did not.
type discovery struct {
	issuer   string
	at       time.Time
	provider *gooidc.Provider
	err      error
}

// New returns a service over a migrated database.
func New(opts Options) (*Service, error) {
	if opts.DB == nil || opts.Tenants == nil || opts.Sealer == nil || opts.Client == nil {
		return nil, errors.New("oidc: Options needs DB, Tenants, Sealer and Client")
	}
	now := opts.Now
	if now == nil {
		now = time.Now
	}
	client := *opts.Client
	client.Transport = bounded{client.Transport}
	client.Timeout = askWithin
	return &Service{
		db: opts.DB, tenants: opts.Tenants, sealer: opts.Sealer, client: &client, now: now, found: map[string]discovery{},
		log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "oidc"),
	}, nil
}

// bounded cuts answers off that are longer than any of an issuer's.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	answer, err := next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// discover asks an issuer what it offers, and remembers it for a while.
func (s *Service) discover(ctx context.Context, p Provider, anew bool) (*gooidc.Provider, error) {
	s.mu.Lock()
	known, ok := s.found[p.Code]
	s.mu.Unlock()
	life := discoveryLife
	if known.err != nil {
		life = failureLife
	}
	if age := s.now().Sub(known.at); ok && !anew && known.issuer == p.Issuer && age >= 0 && age < life {
		return known.provider, known.err
	}
	ctx, cancel := context.WithTimeout(gooidc.ClientContext(ctx, s.client), askWithin)
	defer cancel()
	provider, err := gooidc.NewProvider(ctx, p.Issuer)
	if err == nil {
		err = complete(provider)
	}
	if ctx.Err() == nil || err == nil { // a caller that went away says nothing of the issuer
		s.mu.Lock()
		s.found[p.Code] = discovery{p.Issuer, s.now(), provider, err}
		s.mu.Unlock()
	}
	return provider, err
}

// complete refuses an issuer that does not say where to go.
func complete(p *gooidc.Provider) error {
	if at := p.Endpoint(); at.AuthURL == "" || at.TokenURL == "" {
		return errors.New("the issuer names no authorization or token endpoint")
	}
	return nil
}

// Checked is what a provider's issuer says of itself.
type Checked struct {
	Authorization string   `json:"authorization" doc:"where people are sent to sign in"`
	Token         string   `json:"token"`
	UserInfo      string   `json:"user_info" doc:"empty when the issuer has none"`
	PKCE          bool     `json:"pkce" doc:"it says that it takes S256; it is used in any case"`
	Missing       []string `json:"missing" doc:"scopes that the issuer does not list"`
}

// Check asks the issuer of a provider now; one that does not answer as it
// should is Invalid in the field issuer, with the reason.
func (s *Service) Check(ctx context.Context, code string) (c Checked, err error) {
	p, err := s.Provider(ctx, code)
	if err != nil {
		return c, err
	}
	found, err := s.discover(ctx, p, true)
	if err != nil {
		return c, fault.New(fault.Invalid, "the issuer does not answer as OpenID Connect asks: %s", short(err)).WithField("issuer")
	}
	var says struct {
		Scopes []string `json:"scopes_supported"`
		PKCE   []string `json:"code_challenge_methods_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return c, fault.New(fault.Invalid, "the issuer's discovery document cannot be read").WithField("issuer")
	}
	at := found.Endpoint()
	c = Checked{Authorization: at.AuthURL, Token: at.TokenURL, UserInfo: found.UserInfoEndpoint(), PKCE: slices.Contains(says.PKCE, "S256"), Missing: []string{}}
	for _, scope := range p.Scopes {
		if len(says.Scopes) > 0 && !slices.Contains(says.Scopes, scope) {
			c.Missing = append(c.Missing, scope)
		}
	}
	return c, nil
}
