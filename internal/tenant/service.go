package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// maxServiceAccounts is how many an organisation has in use.
const maxServiceAccounts = 200

// serviceDomain is that of the addresses of service accounts. No mail goes there
// and nobody signs in from there. Source: RFC 2606.
const serviceDomain = "service.invalid"

// ServiceAccount is an actor of an organisation that is no person: it has roles
// and API tokens, and cannot sign in.
type ServiceAccount struct {
	ID         int64      `json:"id"`
	OrgID      int64      `json:"org_id"`
	Name       string     `json:"name"`
	Email      string     `json:"email" doc:"names it where members are named; no mail goes there"`
	Disabled   bool       `json:"disabled"`
	Tokens     int        `json:"tokens" doc:"in use"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Version    int64      `json:"version"`
	CreatedAt  time.Time  `json:"created_at"`
}

const serviceColumns = `a.id, a.service_org, a.name, a.email, a.disabled, a.version, a.created_at,
	(SELECT count(*) FROM api_token t WHERE t.user_id = a.id AND t.revoked_at = 0 AND t.expires_at > $1),
	(SELECT COALESCE(MAX(t.last_used_at), 0) FROM api_token t WHERE t.user_id = a.id)`

func scanService(r interface{ Scan(...any) error }) (a ServiceAccount, err error) {
	var created, used int64
	err = r.Scan(&a.ID, &a.OrgID, &a.Name, &a.Email, &a.Disabled, &a.Version, &created, &a.Tokens, &used)
	a.CreatedAt, a.LastUsedAt = metadb.FromMicros(created), optional(used)
	return a, err
}

func (s *Store) serviceIn(ctx context.Context, q metadb.Querier, org, id int64) (ServiceAccount, error) {
	a, err := scanService(q.QueryRow(ctx, `SELECT `+serviceColumns+` FROM account a WHERE a.service_org = $2 AND a.id = $3 AND a.service_org > 0`,
		metadb.Micros(s.now()), org, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return a, fault.New(fault.NotFound, "service account %d does not exist", id)
	}
	return a, err
}

// ServiceAccounts lists those of an organisation, by name.
func (s *Store) ServiceAccounts(ctx context.Context, org int64) ([]ServiceAccount, error) {
	rows, err := s.db.Query(ctx, `SELECT `+serviceColumns+` FROM account a WHERE a.service_org = $2 AND a.service_org > 0 ORDER BY a.name, a.id`, metadb.Micros(s.now()), org)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (ServiceAccount, error) { return scanService(r) })
}

// CreateServiceAccount makes one with a role in the whole organisation; more are
// given as to any member.
func (s *Store) CreateServiceAccount(ctx context.Context, by Actor, org int64, name string, g Given) (a ServiceAccount, err error) {
	if err := checkName(&name); err != nil {
		return a, err
	}
	if g.Role == Owner {
		return a, fault.New(fault.Invalid, "a service account cannot be an owner").WithField("role")
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		set, err := s.permissionsOf(ctx, tx, org, g)
		if err != nil {
			return err
		}
		var have int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE service_org = $1 AND NOT disabled`, org).Scan(&have); err != nil {
			return err
		}
		if have >= maxServiceAccounts {
			return fault.New(fault.Conflict, "an organisation has at most %d service accounts", maxServiceAccounts)
		}
		id, err := metadb.NextID(ctx, tx, "account")
		if err != nil {
			return err
		}
		// The hash is of a password that nobody knows.
		if _, err := tx.Exec(ctx, `INSERT INTO account (id, email, name, password_hash, system_admin, disabled, version, created_at, service_org)
			VALUES ($1, $2, $3, $4, FALSE, FALSE, 1, $5, $6)`, id, fmt.Sprintf("sa-%d@%s", id, serviceDomain), name, decoy(), metadb.Micros(s.now()), org); err != nil {
			return err
		}
		if err := s.mayChangeMember(ctx, tx, by, org, 0, id, set, false); err != nil {
			return err
		}
		if err := s.insertMember(ctx, tx, by, org, 0, id, g); err != nil {
			return err
		}
		a, err = s.serviceIn(ctx, tx, org, id)
		return err
	})
	return a, err
}

// ServiceAccountChange is what one edits of a service account.
type ServiceAccountChange struct {
	Name     string `json:"name" minLength:"1" maxLength:"100"`
	Disabled bool   `json:"disabled" doc:"its tokens are refused"`
}

// UpdateServiceAccount renames or disables a service account as read in version.
// Who does must hold whatever it holds: else they could take it into use.
func (s *Store) UpdateServiceAccount(ctx context.Context, by Actor, org, id, version int64, change ServiceAccountChange) (a ServiceAccount, err error) {
	if err := checkName(&change.Name); err != nil {
		return a, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.mayUse(ctx, tx, by, org, id); err != nil {
			return err
		}
		if err := changed(tx.Exec(ctx, `UPDATE account SET name = $3, disabled = $4, version = version + 1 WHERE id = $1 AND version = $2`,
			id, version, change.Name, change.Disabled)); err != nil {
			return err
		}
		a, err = s.serviceIn(ctx, tx, org, id)
		return err
	})
	return a, err
}

// mayUse refuses to act for a service account to whoever does not hold, in the
// whole organisation, all that it holds anywhere in it.
func (s *Store) mayUse(ctx context.Context, tx *metadb.Tx, by Actor, org, id int64) error {
	if _, err := s.serviceIn(ctx, tx, org, id); err != nil {
		return err
	}
	return s.mayChangeMember(ctx, tx, by, org, 0, id, 0, true)
}

// ServiceTokens lists the tokens of a service account, newest first.
func (s *Store) ServiceTokens(ctx context.Context, org, id int64) ([]Token, error) {
	if _, err := s.serviceIn(ctx, s.db, org, id); err != nil {
		return nil, err
	}
	return s.Tokens(ctx, id)
}

// CreateServiceToken makes a token of a service account. Whoever makes it could use
// it, so they must hold what the account holds. Only the result holds the secret.
func (s *Store) CreateServiceToken(ctx context.Context, by Actor, org, id int64, name string, scopes []Scope, expires time.Time) (NewToken, error) {
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return s.mayUse(ctx, tx, by, org, id) }); err != nil {
		return NewToken{}, err
	}
	return s.CreateToken(ctx, Actor{UserID: id, Service: true}, name, scopes, expires)
}

// RevokeServiceToken ends a token of a service account.
func (s *Store) RevokeServiceToken(ctx context.Context, org, id, token int64) error {
	if _, err := s.serviceIn(ctx, s.db, org, id); err != nil {
		return err
	}
	return s.RevokeToken(ctx, id, token)
}
