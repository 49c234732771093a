package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Grant is a membership that a provider's groups give.
type Grant struct {
	Org   int64
	Group int64 // 0 = the whole organisation
	Role  Role
}

// Identity is who a provider has shown somebody to be.
type Identity struct {
	Provider string // its code
	Subject  string // the provider's own name for them, which never changes
	Email    string // verified, or the caller must not ask
	Name     string
	Grants   []Grant // all that the provider gives them now
	Create   bool    // make an account for an address nobody has here
	IDToken  string  // sealed; Logout gives it back. "" when nobody will want it
}

// The fields of a Denied login by identity: which of the reasons it was.
const (
	NoAccount     = "account"  // nobody here has the address
	AccountClosed = "disabled" // the account is closed
	OtherIdentity = "linked"   // the account is linked to somebody else at the provider
)

// LoginIdentity begins a session for somebody a provider vouches for. An account
// is linked at the first login by its verified address, from then on by the
// subject. The memberships that the provider gives are brought up to date;
// those that were given by hand stay. A refusal is Denied in one of the fields
// above.
func (s *Store) LoginIdentity(ctx context.Context, who Identity, from Caller) (session Session, err error) {
	email, name, err := checkPerson(who.Email, who.Name)
	if err != nil {
		return session, err
	}
	hash := ""
	if who.Create {
		// Nobody knows it: who wants a password has it reset.
		if hash, err = s.hashPassword(ctx, newPassword()); err != nil {
			return session, err
		}
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		user, how, err := s.identified(ctx, tx, who, email, name, hash)
		if err != nil {
			return err
		}
		if user.Disabled {
			return fault.New(fault.Denied, "this account is closed").WithField(AccountClosed)
		}
		changed, err := s.applyGrants(ctx, tx, user.ID, who.Provider, who.Grants)
		if err != nil {
			return err
		}
		session, err = s.beginSession(ctx, tx, user, MethodOIDC, who.Provider, from)
		if how != "" {
			changed = append([]string{how}, changed...)
		}
		session.Changed = changed
		if err != nil || who.IDToken == "" {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE login_session SET id_token = $2 WHERE hash = $1`, digest(session.Secret), who.IDToken)
		return err
	})
	return session, err
}

// identified finds, links or makes the account of an identity; how says which of
// the latter two, for the audit log.
func (s *Store) identified(ctx context.Context, tx *metadb.Tx, who Identity, email, name, hash string) (u User, how string, err error) {
	now := metadb.Micros(s.now())
	const byID = `SELECT ` + userColumns + ` FROM account a WHERE a.id = $1`
	var id int64
	err = tx.QueryRow(ctx, `SELECT user_id FROM login_identity WHERE provider = $1 AND subject = $2`, who.Provider, who.Subject).Scan(&id)
	if err == nil {
		if _, err := tx.Exec(ctx, `UPDATE login_identity SET seen_at = $3 WHERE provider = $1 AND subject = $2`, who.Provider, who.Subject, now); err != nil {
			return u, "", err
		}
		u, err = scanUser(tx.QueryRow(ctx, byID, id))
		return u, "", err
	}
	if !errors.Is(err, metadb.ErrNoRows) {
		return u, "", err
	}
	u, err = scanUser(tx.QueryRow(ctx, `SELECT `+userColumns+` FROM account a WHERE a.email = $1 AND a.service_org = 0`, email))
	switch {
	case errors.Is(err, metadb.ErrNoRows) && !who.Create:
		return u, "", fault.New(fault.Denied, "nobody here has the address %s", email).WithField(NoAccount)
	case errors.Is(err, metadb.ErrNoRows):
		how = "account made"
		u, err = s.insertUser(ctx, tx, email, name, hash, false)
	case err == nil:
		how = "account linked"
		// An address may be given to another person; the subject is not. Who has
		// it now must not get into the account of who had it before.
		var others int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM login_identity WHERE provider = $1 AND user_id = $2`, who.Provider, u.ID).Scan(&others); err != nil {
			return u, "", err
		}
		if others > 0 {
			return u, "", fault.New(fault.Denied, "the account %s is linked to somebody else at this provider", email).WithField(OtherIdentity)
		}
	}
	if err != nil {
		return u, "", err
	}
	_, err = tx.Exec(ctx, `INSERT INTO login_identity (provider, subject, user_id, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)`,
		who.Provider, who.Subject, u.ID, now)
	return u, how, err
}

// place is where a membership is.
type place struct{ org, group int64 }

// given says in words that a role is given there, or none any more.
func (p place) given(r Role) string {
	where := fmt.Sprintf("organisation %d", p.org)
	if p.group != 0 {
		where = fmt.Sprintf("group %d", p.group)
	}
	return fmt.Sprintf("%s in %s", cmp.Or(r, "no role"), where)
}

// stronger returns the stronger of two roles; the empty one is the weakest.
func stronger(a, b Role) Role {
	if a.covers(b) || b == "" {
		return a
	}
	return b
}

// applyGrants makes what a provider gives a user what it gives now. A membership
// counts as given by a provider as long as it has the role that providers gave
// it; whoever changes it by hand takes it over. changed says in words what is
// other than before.
func (s *Store) applyGrants(ctx context.Context, tx *metadb.Tx, user int64, provider string, grants []Grant) (changed []string, err error) {
	type row struct {
		place
		provider string
		role     Role
	}
	rows, err := tx.Query(ctx, `SELECT org_id, group_id, provider, role FROM login_grant WHERE user_id = $1`, user)
	given, err := metadb.Collect(rows, err, func(r *metadb.Rows) (g row, err error) {
		return g, r.Scan(&g.org, &g.group, &g.provider, &g.role)
	})
	if err != nil {
		return nil, err
	}
	before, after := map[place]Role{}, map[place]Role{}
	for _, g := range given {
		before[g.place] = stronger(before[g.place], g.role)
		if g.provider != provider {
			after[g.place] = stronger(after[g.place], g.role)
		}
	}
	mine := map[place]Role{} // what this provider gives
	for _, g := range grants {
		at := place{g.Org, g.Group}
		if exists, err := grantable(ctx, tx, at); err != nil {
			return nil, err
		} else if !exists || !slices.Contains(Roles, g.Role) {
			continue // an organisation or group that is gone since the mapping was made
		}
		mine[at] = stronger(mine[at], g.Role)
		after[at] = stronger(after[at], g.Role)
	}
	if _, err := tx.Exec(ctx, `DELETE FROM login_grant WHERE user_id = $1 AND provider = $2`, user, provider); err != nil {
		return nil, err
	}
	places := map[place]bool{}
	for at := range before {
		places[at] = true
	}
	for at := range after {
		places[at] = true
	}
	for _, at := range slices.SortedFunc(maps.Keys(places), func(a, b place) int { return cmp.Or(cmp.Compare(a.org, b.org), cmp.Compare(a.group, b.group)) }) {
		kept, did, err := s.applyGrant(ctx, tx, user, at, before[at], after[at])
		if err != nil {
			return nil, err
		}
		if did {
			changed = append(changed, at.given(after[at]))
		}
		// What has to stay is still the provider's, to be taken away once it can be.
		role := cmp.Or(kept, mine[at])
		if role == "" || role == byHand {
			continue
		}
		if _, err := tx.Exec(ctx, `INSERT INTO login_grant (user_id, org_id, group_id, provider, role) VALUES ($1, $2, $3, $4, $5)`,
			user, at.org, at.group, provider, role); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// byHand is what applyGrant returns for a membership that is no provider's.
const byHand Role = "by hand"

// applyGrant turns one membership from what providers gave into what they give.
// It returns byHand where it is none of theirs, and the role itself where it has
// to stay although nobody gives it any more, as that of an organisation's last
// owner; did says that the membership is other than before.
func (s *Store) applyGrant(ctx context.Context, tx *metadb.Tx, user int64, at place, before, after Role) (kept Role, did bool, err error) {
	var now Role
	err = tx.QueryRow(ctx, `SELECT role FROM membership WHERE org_id = $1 AND group_id = $2 AND user_id = $3`, at.org, at.group, user).Scan(&now)
	switch {
	case errors.Is(err, metadb.ErrNoRows) && after == "":
		return "", false, nil
	case errors.Is(err, metadb.ErrNoRows):
		_, err := tx.Exec(ctx, `INSERT INTO membership (org_id, group_id, user_id, role, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $3)`,
			at.org, at.group, user, after, metadb.Micros(s.now()))
		return "", true, err
	case err != nil:
		return "", false, err
	case before == "" || now != before:
		_, err := tx.Exec(ctx, `DELETE FROM login_grant WHERE user_id = $1 AND org_id = $2 AND group_id = $3`, user, at.org, at.group)
		return byHand, false, err
	case now == after:
		return "", false, nil
	}
	if now == Owner && at.group == 0 {
		var others int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.user_id
			WHERE m.org_id = $1 AND m.group_id = 0 AND m.role = 'owner' AND NOT a.disabled AND m.user_id <> $2`, at.org, user).Scan(&others); err != nil {
			return "", false, err
		}
		if others == 0 {
			s.log.WarnContext(ctx, "a provider took the last owner of an organisation away, who stays", "user_id", user, "org_id", at.org)
			return now, false, nil
		}
	}
	if after == "" {
		_, err = tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND group_id = $2 AND user_id = $3`, at.org, at.group, user)
	} else {
		_, err = tx.Exec(ctx, `UPDATE membership SET role = $4 WHERE org_id = $1 AND group_id = $2 AND user_id = $3`, at.org, at.group, user, after)
	}
	return "", true, err
}

// grantable reports whether a provider's groups can give roles there: in a team,
// and in a group that is one of its own.
func grantable(ctx context.Context, q metadb.Querier, at place) (bool, error) {
	var n int
	err := q.QueryRow(ctx, `SELECT count(*) FROM organisation o WHERE o.id = $1 AND o.kind = 'team'
		AND (CAST($2 AS BIGINT) = 0 OR EXISTS (SELECT 1 FROM project_group g WHERE g.org_id = o.id AND g.id = CAST($2 AS BIGINT)))`, at.org, at.group).Scan(&n)
	return n > 0, err
}

// CheckGrants refuses grants that no login could be given.
func (s *Store) CheckGrants(ctx context.Context, grants []Grant, field string) error {
	for i, g := range grants {
		if !slices.Contains(Roles, g.Role) {
			return fault.New(fault.Invalid, "the role is owner, admin, editor or viewer").WithField(fmt.Sprintf("%s[%d].role", field, i))
		}
		if ok, err := grantable(ctx, s.db, place{g.Org, g.Group}); err != nil {
			return err
		} else if !ok {
			return fault.New(fault.Invalid, "there is no such organisation or group in it, or it is personal").WithField(fmt.Sprintf("%s[%d].org_id", field, i))
		}
	}
	return nil
}

// Unlink forgets who an account is at every provider, and ends its sessions: the
// next login by its verified address links it anew.
func (s *Store) Unlink(ctx context.Context, user int64) error {
	if _, err := s.User(ctx, user); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM login_identity WHERE user_id = $1`, user); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1 AND method = 'oidc'`, user)
		return err
	})
}

// ForgetProvider is the end of a provider: its sessions end, its links are
// forgotten, and the memberships it gave are taken away, in the transaction in
// which remove takes the provider itself away.
func (s *Store) ForgetProvider(ctx context.Context, provider string, remove func(context.Context, *metadb.Tx) error) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := remove(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT DISTINCT user_id FROM login_grant WHERE provider = $1 ORDER BY user_id`, provider)
		users, err := metadb.Collect(rows, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
		if err != nil {
			return err
		}
		for _, user := range users {
			if _, err := s.applyGrants(ctx, tx, user, provider, nil); err != nil {
				return err
			}
		}
		for _, statement := range []string{
			`DELETE FROM login_grant WHERE provider = $1`,
			`DELETE FROM login_identity WHERE provider = $1`,
			`DELETE FROM login_session WHERE provider = $1`,
		} {
			if _, err := tx.Exec(ctx, statement, provider); err != nil {
				return err
			}
		}
		return nil
	})
}
