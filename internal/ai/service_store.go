package ai

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
)

// ModelService is a model service as people see and edit it: without the
// secrets of its keys.
type ModelService struct {
	Owner   Owner  `json:"org_id" doc:"whose it is; 0: the installation's, which all organisations share"`
	Name    string `json:"name"`
	Kind    string `json:"kind" doc:"the protocol it speaks"`
	BaseURL string `json:"base_url" doc:"empty: the kind's own service"`
	InHouse bool   `json:"in_house" doc:"what goes to it stays in the house and needs no masking"`
	Enabled bool   `json:"enabled"`
	// Configured is of the configuration file, which only a restart changes.
	Configured bool `json:"configured" doc:"from the configuration file: it cannot be edited here"`
	// Shadowed is stored and not used, since the configuration has one of its name.
	Shadowed  bool         `json:"shadowed" doc:"stored, and not used because the configuration file has one of this name"`
	Keys      []ServiceKey `json:"keys"`
	Roles     []string     `json:"roles" doc:"codes of the roles whose chains name it, in their latest version or under a label"`
	Version   int64        `json:"version"`
	CreatedAt *time.Time   `json:"created_at"` // null: of the configuration
	CreatedBy string       `json:"created_by"`
	UpdatedAt *time.Time   `json:"updated_at"`
	UpdatedBy string       `json:"updated_by"`
}

const (
	maxServices = 200 // of one owner
	maxKeys     = 50  // of one service
	maxSecret   = 4096
	maxURL      = 500
	shortSecret = 12 // below it, four characters would be a good part of it
)

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// List returns the owner's services by name, each with its keys by alias.
func (s *Services) List(ctx context.Context) ([]ModelService, error) {
	stored, err := s.stored(ctx, s.db)
	if err != nil {
		return nil, err
	}
	stored = slices.DeleteFunc(stored, func(p ModelService) bool { return p.Owner != s.owner })
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return nil, err
	}
	uses, err := s.uses(ctx)
	if err != nil {
		return nil, err
	}
	for name, c := range s.filed() {
		p := ModelService{Name: name, Kind: c.Kind, BaseURL: shownURL(c.BaseURL), InHouse: c.InHouse, Enabled: true, Configured: true, Keys: []ServiceKey{}}
		for _, k := range c.Keys {
			p.Keys = append(p.Keys, ServiceKey{Alias: k.Alias, LastFour: lastFour(k.Secret), Enabled: true})
		}
		stored = append(stored, p)
	}
	for i := range stored {
		p := &stored[i]
		if p.Roles = uses[p.Name]; p.Roles == nil {
			p.Roles = []string{}
		}
		if p.Configured {
			continue
		}
		_, p.Shadowed = s.filed()[p.Name]
		for _, k := range keys {
			if k.provider == s.owner.key(p.Name) {
				p.Keys = append(p.Keys, k.ServiceKey)
			}
		}
	}
	slices.SortFunc(stored, func(a, b ModelService) int {
		if a.Name == b.Name {
			return boolCompare(b.Configured, a.Configured)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return stored, nil
}

// Get returns a stored service; fault.NotFound.
func (s *Services) Get(ctx context.Context, name string) (*ModelService, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Name == name && !all[i].Configured {
			return &all[i], nil
		}
	}
	return nil, s.missing(name)
}

// Create stores a new service, without keys. A name that the owner has taken, also
// in the configuration, is fault.Conflict; an organisation may take one that is
// shared, and its calls go to its own then.
func (s *Services) Create(ctx context.Context, p ModelService, author string) (*ModelService, error) {
	if !serviceName.MatchString(p.Name) {
		return nil, fault.New(fault.Invalid, "a name has at most 63 small letters, digits, dots, dashes and underscores, and begins with a letter or a digit").WithField("name")
	}
	if _, configured := s.filed()[p.Name]; configured {
		return nil, fault.New(fault.Conflict, "the configuration file has a provider %q: choose another name, or take it out of the file and start again", p.Name).WithField("name")
	}
	if err := s.check(&p); err != nil {
		return nil, err
	}
	now := metadb.Micros(s.now())
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		known, err := s.owner.count(ctx, tx)
		if err != nil {
			return err
		}
		if known >= maxServices {
			return fault.New(fault.Invalid, "there are %d providers already, no more are kept", maxServices)
		}
		n, err := tx.Exec(ctx, `INSERT INTO ai_provider (name, version, kind, base_url, in_house, enabled, created_at, created_by, updated_at, updated_by)
			VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $6, $7) ON CONFLICT (name) DO NOTHING`, s.owner.key(p.Name), p.Kind, p.BaseURL, p.InHouse, p.Enabled, now, author)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "there is a provider %q already", p.Name).WithField("name")
		}
		return err
	})
	return s.changed(ctx, p.Name, "create provider", err)
}

// Update stores the service if p.Version is still its version; else
// fault.Conflict. Its name and its keys stay.
func (s *Services) Update(ctx context.Context, p ModelService, author string) (*ModelService, error) {
	if err := s.check(&p); err != nil {
		return nil, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.unchanged(ctx, tx, p.Name, p.Version); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE ai_provider SET version = version + 1, kind = $2, base_url = $3, in_house = $4, enabled = $5, updated_at = $6, updated_by = $7 WHERE name = $1`,
			s.owner.key(p.Name), p.Kind, p.BaseURL, p.InHouse, p.Enabled, metadb.Micros(s.now()), author)
		return err
	})
	return s.changed(ctx, p.Name, "update provider", err)
}

// Delete removes the service with its keys if version is still its version.
// Roles that name it stay, and ask the next model of their chain.
func (s *Services) Delete(ctx context.Context, name string, version int64) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.unchanged(ctx, tx, name, version); err != nil {
			return err
		}
		for _, sql := range []string{`DELETE FROM ai_provider_key WHERE provider = $1`, `DELETE FROM ai_provider WHERE name = $1`} {
			if _, err := tx.Exec(ctx, sql, s.owner.key(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete provider: %w", err)
	}
	s.roles.forget()
	return nil
}

// check validates what is edited of a service and trims its address.
func (s *Services) check(p *ModelService) error {
	if s.sealer == nil || s.makers()[p.Kind] == nil {
		return s.unknownKind(p.Kind)
	}
	p.BaseURL = strings.TrimRight(strings.TrimSpace(p.BaseURL), "/")
	if err := checkBaseURL(p.BaseURL); err != nil {
		return err
	}
	if s.owner != Shared {
		if err := s.checkPublic(p.BaseURL); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.client(p.Kind, p.BaseURL)
	return err
}

// checkBaseURL refuses what is no address of a model service. The address is
// asked from where MATRIX runs, with answers that nobody sees; that it may be
// one of the inner network is meant: models run there. What is never one is the
// address at which clouds give machines their credentials.
func checkBaseURL(base string) error {
	invalid := func(format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField("base_url")
	}
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	switch {
	case len(base) > maxURL:
		return invalid("the base URL is over %d characters", maxURL)
	case err != nil || u.Host == "" || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return invalid("the base URL must be an http:// or https:// address")
	case u.User != nil:
		return invalid("the base URL must not hold a user or a password: add a key instead")
	case u.RawQuery != "" || u.Fragment != "":
		return invalid("the base URL must not have a query or a fragment")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		if ip = ip.Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() || ip == netip.MustParseAddr("fd00:ec2::254") {
			return invalid("the base URL must not be a link-local or multicast address")
		}
	}
	return nil
}

// checkPublic refuses at once an address that an organisation's service may not be
// at, where the address says so itself. What a name stands for is known only as it
// is asked, and judged then by the client of Options.OrgKinds.
func (s *Services) checkPublic(base string) error {
	u, err := url.Parse(base)
	if err != nil || s.public == nil || base == "" {
		return err
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	ip, err := netip.ParseAddr(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		ip, err = netip.IPv6Loopback(), nil
	}
	if err == nil && !s.public(ip) {
		return fault.New(fault.Invalid, "the base URL must be a public address: the server's settings do not open others to organisations").WithField("base_url")
	}
	return nil
}

// shownURL is an address of the configuration without what works like a password.
func shownURL(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// touch changes keys of a service, which makes a new version of it.
func (s *Services) touch(ctx context.Context, name, author string, change func(context.Context, *metadb.Tx) error) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if strings.Contains(name, "/") { // that of another owner's
			return s.missing(name)
		}
		n, err := tx.Exec(ctx, `UPDATE ai_provider SET version = version + 1, updated_at = $2, updated_by = $3 WHERE name = $1`, s.owner.key(name), metadb.Micros(s.now()), author)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.missing(name)
		}
		return change(ctx, tx)
	})
}

// changed makes a change live here and returns what it made.
func (s *Services) changed(ctx context.Context, name, what string, err error) (*ModelService, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	s.roles.forget()
	return s.Get(ctx, name)
}

func (s *Services) unchanged(ctx context.Context, tx *metadb.Tx, name string, version int64) error {
	if strings.Contains(name, "/") { // that of another owner's
		return s.missing(name)
	}
	var stored int64
	var by string
	err := tx.QueryRow(ctx, `SELECT version, updated_by FROM ai_provider WHERE name = $1`, s.owner.key(name)).Scan(&stored, &by)
	switch {
	case errors.Is(err, metadb.ErrNoRows):
		return s.missing(name)
	case err != nil:
		return err
	case stored != version:
		return fault.New(fault.Conflict, "the provider %q was changed by %s meanwhile: it is at version %d", name, by, stored)
	}
	return nil
}

func (s *Services) missing(name string) error {
	if _, configured := s.filed()[name]; configured {
		return fault.New(fault.Denied, "the provider %q is of the configuration file: edit it there and start again", name)
	}
	return fault.New(fault.NotFound, "there is no provider %q", name)
}

func (s *Services) unknownKind(kind string) error {
	if len(s.makers()) == 0 || s.sealer == nil {
		return fault.New(fault.Unsupported, "providers cannot be stored here").WithField("kind")
	}
	return fault.New(fault.Invalid, "the kind %q is not known: it is one of %s", kind, strings.Join(s.Kinds(), ", ")).WithField("kind")
}

// stored returns the services of all owners.
func (s *Services) stored(ctx context.Context, q metadb.Querier) ([]ModelService, error) {
	rows, err := q.Query(ctx, `SELECT name, version, kind, base_url, in_house, enabled, created_at, created_by, updated_at, updated_by FROM ai_provider ORDER BY name`)
	all, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (ModelService, error) {
		p := ModelService{Keys: []ServiceKey{}}
		var created, updated int64
		err := rows.Scan(&p.Name, &p.Version, &p.Kind, &p.BaseURL, &p.InHouse, &p.Enabled, &created, &p.CreatedBy, &updated, &p.UpdatedBy)
		p.Owner, p.Name = Owned(p.Name)
		p.CreatedAt, p.UpdatedAt = moment(created), moment(updated)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("load providers: %w", err)
	}
	return all, nil
}

func moment(micros int64) *time.Time {
	at := metadb.FromMicros(micros)
	return &at
}

// uses returns, by service, the codes of the roles whose chains name it: in
// their latest version, or in one that a label stands for. They are the owner's
// roles and those that all share.
func (s *Services) uses(ctx context.Context) (map[string][]string, error) {
	rows, err := s.db.Query(ctx, `SELECT code, body FROM ai_role UNION ALL
		SELECT v.code, v.body FROM ai_role_version v JOIN ai_role_label l ON l.code = v.code AND (l.version = v.version OR l.canary_version = v.version)`)
	chains, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (role struct {
		of    Owner
		code  string
		Chain []Entry `json:"chain"`
	}, err error) {
		var key, body string
		if err := rows.Scan(&key, &body); err != nil {
			return role, err
		}
		role.of, role.code = Owned(key)
		return role, json.Unmarshal([]byte(body), &role)
	})
	if err != nil {
		return nil, fmt.Errorf("load chains of roles: %w", err)
	}
	uses := map[string][]string{}
	for _, r := range chains {
		if r.of != Shared && r.of != s.owner {
			continue
		}
		for _, e := range r.Chain {
			if !slices.Contains(uses[e.Provider], r.code) {
				uses[e.Provider] = append(uses[e.Provider], r.code)
			}
		}
	}
	for _, codes := range uses {
		slices.Sort(codes)
	}
	return uses, nil
}

// count returns how many services the owner has stored.
func (o Owner) count(ctx context.Context, q metadb.Querier) (n int, err error) {
	where, arg := o.within(`name`)
	err = q.QueryRow(ctx, `SELECT COUNT(*) FROM ai_provider WHERE `+where, arg).Scan(&n)
	return n, err
}
