package ai

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// ServiceKey is a key of a model service without its secret.
type ServiceKey struct {
	Alias     string     `json:"alias"`
	LastFour  string     `json:"last_four" doc:"the last characters of the key; empty for a short or an unreadable one"`
	Enabled   bool       `json:"enabled"`
	CreatedAt *time.Time `json:"created_at"` // null: of the configuration
	CreatedBy string     `json:"created_by"`
	UpdatedAt *time.Time `json:"updated_at"`
	UpdatedBy string     `json:"updated_by"`
}

type storedKey struct {
	ServiceKey
	provider string
	sealed   string
}

// AddKey stores a new key of a stored service. An alias that is taken is
// fault.Conflict.
func (s *Services) AddKey(ctx context.Context, name, alias, plain, author string) (*ModelService, error) {
	if !serviceName.MatchString(alias) {
		return nil, fault.New(fault.Invalid, "an alias has at most 63 small letters, digits, dots, dashes and underscores, and begins with a letter or a digit").WithField("alias")
	}
	plain, sealed, err := s.seal(ctx, name, alias, plain)
	if err != nil {
		return nil, err
	}
	now := metadb.Micros(s.now())
	err = s.touch(ctx, name, author, func(ctx context.Context, tx *metadb.Tx) error {
		var known int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ai_provider_key WHERE provider = $1`, s.owner.key(name)).Scan(&known); err != nil {
			return err
		}
		if known >= maxKeys {
			return fault.New(fault.Invalid, "the provider has %d keys already, no more are kept", maxKeys)
		}
		n, err := tx.Exec(ctx, `INSERT INTO ai_provider_key (provider, alias, sealed, last_four, enabled, created_at, created_by, updated_at, updated_by)
			VALUES ($1, $2, $3, $4, TRUE, $5, $6, $5, $6) ON CONFLICT (provider, alias) DO NOTHING`, s.owner.key(name), alias, sealed, lastFour(plain), now, author)
		if err == nil && n == 0 {
			return fault.New(fault.Conflict, "the provider has a key %q already: replace it, or choose another alias", alias).WithField("alias")
		}
		return err
	})
	return s.changed(ctx, name, "add key", err)
}

// SetKey switches a key on or off, and replaces its secret unless that is "".
func (s *Services) SetKey(ctx context.Context, name, alias, plain string, enabled bool, author string) (*ModelService, error) {
	sealed := ""
	if plain != "" {
		var err error
		if plain, sealed, err = s.seal(ctx, name, alias, plain); err != nil {
			return nil, err
		}
	}
	err := s.touch(ctx, name, author, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ai_provider_key SET enabled = $3, updated_at = $4, updated_by = $5,
				sealed = CASE WHEN $6 = '' THEN sealed ELSE $6 END, last_four = CASE WHEN $6 = '' THEN last_four ELSE $7 END
			WHERE provider = $1 AND alias = $2`, s.owner.key(name), alias, enabled, metadb.Micros(s.now()), author, sealed, lastFour(plain))
		if err == nil && n == 0 {
			return missingKey(name, alias)
		}
		return err
	})
	return s.changed(ctx, name, "change key", err)
}

// DeleteKey removes a key of a stored service.
func (s *Services) DeleteKey(ctx context.Context, name, alias, author string) error {
	err := s.touch(ctx, name, author, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM ai_provider_key WHERE provider = $1 AND alias = $2`, s.owner.key(name), alias)
		if err == nil && n == 0 {
			return missingKey(name, alias)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete key: %w", err)
	}
	s.roles.forget()
	return nil
}

// Rewrap puts the data keys of all keys under the current master key, after
// another one was made. What does not open stays as it is, and is shown so.
func (s *Services) Rewrap(ctx context.Context) error {
	keys, err := s.keys(ctx, s.db)
	if err != nil {
		return err
	}
	for _, k := range keys {
		sealed, changed, err := s.sealer.Rewrap(ctx, k.sealed, keyPlace(k.provider, k.Alias))
		if err != nil || !changed {
			continue
		}
		// Not over an edit that came between.
		_, err = s.db.Exec(ctx, `UPDATE ai_provider_key SET sealed = $4 WHERE provider = $1 AND alias = $2 AND sealed = $3`, k.provider, k.Alias, k.sealed, sealed)
		if err != nil {
			return fmt.Errorf("rewrap keys: %w", err)
		}
	}
	s.roles.forget()
	return nil
}

// seal trims and checks a secret and seals it for its row.
func (s *Services) seal(ctx context.Context, name, alias, plain string) (trimmed, sealed string, err error) {
	plain = strings.TrimSpace(plain)
	switch {
	case s.sealer == nil:
		return "", "", fault.New(fault.Unsupported, "keys cannot be stored here")
	case plain == "" || len(plain) > maxSecret:
		return "", "", fault.New(fault.Invalid, "a key has 1 to %d characters", maxSecret).WithField("secret")
	case strings.ContainsFunc(plain, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "", "", fault.New(fault.Invalid, "a key has neither spaces nor letters beyond ASCII: was something else copied?").WithField("secret")
	}
	sealed, err = s.sealer.Seal(ctx, []byte(plain), keyPlace(s.owner.key(name), alias))
	if err != nil {
		return "", "", fmt.Errorf("seal key: %w", err)
	}
	return plain, sealed, nil
}

func lastFour(plain string) string {
	if len(plain) < shortSecret {
		return ""
	}
	return plain[len(plain)-4:]
}

func missingKey(name, alias string) error {
	return fault.New(fault.NotFound, "the provider %q has no key %q", name, alias)
}

// keys returns the keys of all owners' services, by what those are stored under.
func (s *Services) keys(ctx context.Context, q metadb.Querier) ([]storedKey, error) {
	rows, err := q.Query(ctx, `SELECT provider, alias, sealed, last_four, enabled, created_at, created_by, updated_at, updated_by FROM ai_provider_key ORDER BY provider, alias`)
	all, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (storedKey, error) {
		var k storedKey
		var created, updated int64
		err := rows.Scan(&k.provider, &k.Alias, &k.sealed, &k.LastFour, &k.Enabled, &created, &k.CreatedBy, &updated, &k.UpdatedBy)
		k.CreatedAt, k.UpdatedAt = moment(created), moment(updated)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("load keys of providers: %w", err)
	}
	return all, nil
}
