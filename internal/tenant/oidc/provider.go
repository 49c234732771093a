package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Mapping gives a role to whoever has a group at the provider.
type Mapping struct {
	Value   string      `json:"value" minLength:"1" maxLength:"200" doc:"of the claim, exactly"`
	OrgID   int64       `json:"org_id" minimum:"1"`
	GroupID int64       `json:"group_id" minimum:"0" doc:"0 = the whole organisation"`
	Role    tenant.Role `json:"role" enum:"owner,admin,editor,viewer"`
}

// Settings are what a system admin says of a provider, but for the secret.
type Settings struct {
	Name         string    `json:"name" minLength:"1" maxLength:"100" doc:"on the button of the login page"`
	Issuer       string    `json:"issuer" minLength:"1" maxLength:"500" doc:"https://…, without /.well-known/openid-configuration"`
	ClientID     string    `json:"client_id" minLength:"1" maxLength:"300"`
	Scopes       []string  `json:"scopes" maxItems:"20" doc:"besides openid; default email and profile"`
	EmailClaim   string    `json:"email_claim" maxLength:"200" doc:"default email"`
	NameClaim    string    `json:"name_claim" maxLength:"200" doc:"default name"`
	GroupsClaim  string    `json:"groups_claim" maxLength:"200" doc:"default groups; a.b looks into an object"`
	TrustEmail   bool      `json:"trust_email" doc:"every address of this provider counts as verified, also without email_verified"`
	Domains      []string  `json:"domains" maxItems:"100" doc:"of addresses that may sign in; none = all"`
	CreateUsers  bool      `json:"create_users" doc:"make an account for an address nobody has here"`
	Enabled      bool      `json:"enabled" doc:"has its button on the login page"`
	SignOut      bool      `json:"sign_out,omitempty" doc:"who signs out here is led to the provider to sign out there too"`
	Mappings     []Mapping `json:"mappings" maxItems:"500" doc:"memberships by group; those that came of a group end with it"`
	ClientSecret string    `json:"-"`
}

// Provider is a provider as it is stored.
type Provider struct {
	Code string `json:"code"`
	Settings
	HasSecret bool      `json:"has_secret" doc:"the secret itself is never told"`
	Version   int64     `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
	sealed    string
}

var (
	codeShape   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	domainShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)
	scopeShape  = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`) // RFC 6749 section 3.3
)

// check fills what was left out, and names the field that is wrong.
func (s *Settings) check() error {
	wrong := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	s.Name = strings.TrimSpace(s.Name)
	if s.Name == "" {
		return wrong("name", "a name is required")
	}
	s.Issuer = strings.TrimSpace(s.Issuer)
	issuer, err := url.Parse(s.Issuer)
	if err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" || issuer.User != nil {
		return wrong("issuer", "the issuer is an address as https://login.example.com")
	}
	// A token that comes in the clear says nothing of who sent it.
	if issuer.Scheme != "https" && (issuer.Scheme != "http" || !onThisMachine(issuer.Hostname())) {
		return wrong("issuer", "the issuer is asked over https")
	}
	if s.ClientID = strings.TrimSpace(s.ClientID); s.ClientID == "" {
		return wrong("client_id", "a client id is required")
	}
	if len(s.Scopes) == 0 {
		s.Scopes = []string{"email", "profile"}
	}
	for _, scope := range s.Scopes {
		if !scopeShape.MatchString(scope) {
			return wrong("scopes", "%q is no scope", scope)
		}
	}
	for claim, otherwise := range map[*string]string{&s.EmailClaim: "email", &s.NameClaim: "name", &s.GroupsClaim: "groups"} {
		if *claim = strings.TrimSpace(*claim); *claim == "" {
			*claim = otherwise
		}
	}
	domains := []string{}
	for _, domain := range s.Domains {
		domain = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(domain), "@"))
		if !domainShape.MatchString(domain) {
			return wrong("domains", "%q is no domain", domain)
		}
		if !slices.Contains(domains, domain) {
			domains = append(domains, domain)
		}
	}
	s.Domains = domains
	if s.Mappings == nil {
		s.Mappings = []Mapping{}
	}
	return nil
}

func onThisMachine(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (s *Settings) grants() []tenant.Grant {
	grants := make([]tenant.Grant, len(s.Mappings))
	for i, m := range s.Mappings {
		grants[i] = tenant.Grant{Org: m.OrgID, Group: m.GroupID, Role: m.Role}
	}
	return grants
}

// secretPlace is where a client's secret is sealed for.
func secretPlace(code string) string { return "client secret of oidc provider " + code }

const providerColumns = `code, version, config, sealed, created_at, created_by, updated_at, updated_by`

func scanProvider(r interface{ Scan(...any) error }) (p Provider, err error) {
	var config json.RawMessage
	var created, updated int64
	if err := r.Scan(&p.Code, &p.Version, &config, &p.sealed, &created, &p.CreatedBy, &updated, &p.UpdatedBy); err != nil {
		return p, err
	}
	p.CreatedAt, p.UpdatedAt = metadb.FromMicros(created), metadb.FromMicros(updated)
	p.HasSecret = p.sealed != ""
	return p, json.Unmarshal(config, &p.Settings)
}

// Providers lists every provider by its code.
func (s *Service) Providers(ctx context.Context) ([]Provider, error) {
	rows, err := s.db.Query(ctx, `SELECT `+providerColumns+` FROM oidc_provider ORDER BY code`)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Provider, error) { return scanProvider(r) })
}

// Provider returns one provider.
func (s *Service) Provider(ctx context.Context, code string) (Provider, error) {
	p, err := scanProvider(s.db.QueryRow(ctx, `SELECT `+providerColumns+` FROM oidc_provider WHERE code = $1`, code))
	if errors.Is(err, metadb.ErrNoRows) {
		return p, fault.New(fault.NotFound, "there is no provider %s", code)
	}
	return p, err
}

// Create stores a new provider under a code, which stands in the address that
// the provider leads back to and never changes.
func (s *Service) Create(ctx context.Context, code string, set Settings, by string) (Provider, error) {
	if !codeShape.MatchString(code) {
		return Provider{}, fault.New(fault.Invalid, "a code has lower-case letters, digits and hyphens, at most 40").WithField("code")
	}
	config, sealed, err := s.prepare(ctx, code, &set)
	if err != nil {
		return Provider{}, err
	}
	now := metadb.Micros(s.now())
	if _, err := s.db.Exec(ctx, `INSERT INTO oidc_provider (code, version, config, sealed, created_at, created_by, updated_at, updated_by)
		VALUES ($1, 1, $2, $3, $4, $5, $4, $5)`, code, config, sealed, now, by); err != nil {
		if metadb.IsUnique(err) {
			return Provider{}, fault.New(fault.Conflict, "a provider of this code exists already").WithField("code")
		}
		return Provider{}, err
	}
	return s.Provider(ctx, code)
}

// Update changes the provider as read in version. An empty secret keeps the one
// that is stored, unless the issuer or the client is another: a secret is not
// sent to where it was not given for.
func (s *Service) Update(ctx context.Context, code string, version int64, set Settings, by string) (Provider, error) {
	old, err := s.Provider(ctx, code)
	if err != nil {
		return old, err
	}
	config, sealed, err := s.prepare(ctx, code, &set)
	if err != nil {
		return old, err
	}
	if sealed == "" && old.Issuer == set.Issuer && old.ClientID == set.ClientID {
		sealed = old.sealed
	}
	n, err := s.db.Exec(ctx, `UPDATE oidc_provider SET version = version + 1, config = $3, sealed = $4, updated_at = $5, updated_by = $6
		WHERE code = $1 AND version = $2`, code, version, config, sealed, metadb.Micros(s.now()), by)
	if err == nil && n == 0 {
		err = overtaken()
	}
	if err != nil {
		return old, err
	}
	return s.Provider(ctx, code)
}

func overtaken() error {
	return fault.New(fault.Conflict, "somebody else changed this in the meantime: read it again").WithField("version")
}

// Delete removes the provider as read in version, with the links to it, its
// sessions and the memberships it gave. Accounts stay.
func (s *Service) Delete(ctx context.Context, code string, version int64) error {
	if _, err := s.Provider(ctx, code); err != nil {
		return err
	}
	return s.tenants.ForgetProvider(ctx, code, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM oidc_provider WHERE code = $1 AND version = $2`, code, version)
		if err == nil && n == 0 {
			err = overtaken()
		}
		return err
	})
}

// prepare checks settings and returns what is stored of them.
func (s *Service) prepare(ctx context.Context, code string, set *Settings) (config json.RawMessage, sealed string, err error) {
	if err := set.check(); err != nil {
		return nil, "", err
	}
	if err := s.tenants.CheckGrants(ctx, set.grants(), "mappings"); err != nil {
		return nil, "", err
	}
	if set.ClientSecret != "" {
		if sealed, err = s.sealer.Seal(ctx, []byte(set.ClientSecret), secretPlace(code)); err != nil {
			return nil, "", err
		}
	}
	config, err = json.Marshal(set)
	return config, sealed, err
}

// Rewrap puts the data keys of all client secrets under the current master key,
// after another one was made. What does not open stays as it is.
func (s *Service) Rewrap(ctx context.Context) error {
	providers, err := s.Providers(ctx)
	if err != nil {
		return fmt.Errorf("rewrap oidc providers: %w", err)
	}
	for _, p := range providers {
		if p.sealed == "" {
			continue
		}
		sealed, changed, err := s.sealer.Rewrap(ctx, p.sealed, secretPlace(p.Code))
		if err != nil || !changed {
			continue
		}
		if _, err := s.db.Exec(ctx, `UPDATE oidc_provider SET sealed = $3 WHERE code = $1 AND sealed = $2`, p.Code, p.sealed, sealed); err != nil {
			return fmt.Errorf("rewrap oidc providers: %w", err)
		}
	}
	return nil
}
