package tenant

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const directoryPrefix = "mtx_scim_"

// DirectoryToken lets an organisation's directory provision its people.
type DirectoryToken struct {
	ID         int64      `json:"id"`
	OrgID      int64      `json:"org_id"`
	Name       string     `json:"name"`
	Hint       string     `json:"hint" doc:"the token's first characters"`
	Role       Role       `json:"role" enum:"admin,editor,viewer" doc:"of people that the directory puts into a group; one given by hand stays"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// NewDirectoryToken is a DirectoryToken with the secret itself, which is shown this one time.
type NewDirectoryToken struct {
	DirectoryToken
	Secret string `json:"secret"`
}

const directoryTokenColumns = `t.id, t.org_id, t.name, t.hint, t.role, t.created_at, t.last_used_at, t.revoked_at`

func scanDirectoryToken(r interface{ Scan(...any) error }) (t DirectoryToken, err error) {
	var created, used, revoked int64
	err = r.Scan(&t.ID, &t.OrgID, &t.Name, &t.Hint, &t.Role, &created, &used, &revoked)
	t.CreatedAt, t.LastUsedAt, t.RevokedAt = metadb.FromMicros(created), optional(used), optional(revoked)
	return t, err
}

// DirectoryTokens lists an organisation's tokens, newest first, revoked ones included.
func (s *Store) DirectoryTokens(ctx context.Context, org int64) ([]DirectoryToken, error) {
	rows, err := s.db.Query(ctx, `SELECT `+directoryTokenColumns+` FROM scim_token t WHERE t.org_id = $1 ORDER BY t.id DESC`, org)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (DirectoryToken, error) { return scanDirectoryToken(r) })
}

// CreateDirectoryToken makes a token for a team. Who has it can make accounts:
// that is for a system admin to allow.
func (s *Store) CreateDirectoryToken(ctx context.Context, by Actor, org int64, name string, role Role) (t NewDirectoryToken, err error) {
	if err := checkName(&name); err != nil {
		return t, err
	}
	if !slices.Contains([]Role{Admin, Editor, Viewer}, role) {
		return t, fault.New(fault.Invalid, "the role is admin, editor or viewer").WithField("role")
	}
	o, err := s.Organisation(ctx, org)
	if err != nil {
		return t, err
	}
	if o.Kind != KindTeam {
		return t, fault.New(fault.Conflict, "a personal organisation has one member").WithField("org_id")
	}
	t.DirectoryToken = DirectoryToken{OrgID: org, Name: name, Role: role, CreatedAt: s.now().UTC()}
	t.Secret, t.Hint = newSecret(directoryPrefix)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if t.ID, err = metadb.NextID(ctx, tx, "scim_token"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO scim_token (id, org_id, name, hint, hash, role, created_at, created_by, last_used_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0)`, t.ID, org, name, t.Hint, digest(t.Secret), role, metadb.Micros(t.CreatedAt), by.UserID)
		return err
	})
	return t, err
}

// RevokeDirectoryToken ends one of an organisation's tokens. Whom it provisioned stays.
func (s *Store) RevokeDirectoryToken(ctx context.Context, org, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE scim_token SET revoked_at = CASE revoked_at WHEN 0 THEN $3 ELSE revoked_at END WHERE org_id = $1 AND id = $2`,
		org, id, metadb.Micros(s.now()))
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "token %d does not exist", id)
	}
	return err
}

// AuthenticateDirectory returns the organisation a token is for; one that is
// unknown or revoked is fault.Unauthenticated.
func (s *Store) AuthenticateDirectory(ctx context.Context, secret string) (*Directory, error) {
	refused := fault.New(fault.Unauthenticated, "the token is unknown or revoked")
	if !wellFormed(secret, directoryPrefix) {
		return nil, refused
	}
	t, err := scanDirectoryToken(s.db.QueryRow(ctx, `SELECT `+directoryTokenColumns+` FROM scim_token t WHERE t.hash = $1 AND t.revoked_at = 0`, digest(secret)))
	if errors.Is(err, metadb.ErrNoRows) {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	if now := s.now(); t.LastUsedAt == nil || now.Sub(*t.LastUsedAt) >= lastUsedEvery {
		if _, err := s.db.Exec(ctx, `UPDATE scim_token SET last_used_at = $2 WHERE id = $1`, t.ID, metadb.Micros(now)); err != nil {
			s.log.WarnContext(ctx, "last use of a directory's token was not noted", "token_id", t.ID, "error", err.Error())
		}
	}
	return &Directory{store: s, Org: t.OrgID, role: t.Role}, nil
}

// Directory is what an organisation's directory can do: with the people it has
// provisioned, and with the groups of its organisation. Everybody and everything
// else is NotFound to it.
type Directory struct {
	store *Store
	Org   int64
	role  Role
}

// DirectoryUser is somebody that a directory has provisioned.
type DirectoryUser struct {
	ID         int64
	Email      string
	Name       string
	ExternalID string
	Active     bool
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// DirectoryGroup is a group of the organisation with its people, as far as the
// directory has provisioned them.
type DirectoryGroup struct {
	ID        int64
	Name      string
	CreatedAt time.Time
	Members   []DirectoryMember
}

// DirectoryMember is somebody in a group.
type DirectoryMember struct {
	ID   int64
	Name string
}

const directoryUserColumns = `a.id, a.email, a.name, u.external_id, u.active AND NOT a.disabled, u.created_at, u.updated_at`

func scanDirectoryUser(r interface{ Scan(...any) error }) (u DirectoryUser, err error) {
	var created, updated int64
	err = r.Scan(&u.ID, &u.Email, &u.Name, &u.ExternalID, &u.Active, &created, &updated)
	u.CreatedAt, u.UpdatedAt = metadb.FromMicros(created), metadb.FromMicros(updated)
	return u, err
}

// UserFilter narrows Users: what is "" does not.
type UserFilter struct{ Email, ExternalID string }

// Users lists provisioned people from the offset on, at most limit, and says how many there are.
func (d *Directory) Users(ctx context.Context, by UserFilter, offset, limit int) ([]DirectoryUser, int, error) {
	const from = ` FROM scim_user u JOIN account a ON a.id = u.user_id WHERE u.org_id = $1 AND ($2 = '' OR a.email = $2) AND ($3 = '' OR u.external_id = $3)`
	args := []any{d.Org, strings.ToLower(by.Email), by.ExternalID}
	var total int
	if err := d.store.db.QueryRow(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	rows, err := d.store.db.Query(ctx, `SELECT `+directoryUserColumns+from+` ORDER BY a.id LIMIT $4 OFFSET $5`, append(args, limit, offset)...)
	users, err := metadb.Collect(rows, err, func(r *metadb.Rows) (DirectoryUser, error) { return scanDirectoryUser(r) })
	return users, total, err
}

// User returns somebody that this directory has provisioned.
func (d *Directory) User(ctx context.Context, id int64) (DirectoryUser, error) {
	return d.user(ctx, d.store.db, id)
}

func (d *Directory) user(ctx context.Context, q metadb.Querier, id int64) (DirectoryUser, error) {
	u, err := scanDirectoryUser(q.QueryRow(ctx, `SELECT `+directoryUserColumns+` FROM scim_user u JOIN account a ON a.id = u.user_id
		WHERE u.org_id = $1 AND u.user_id = $2`, d.Org, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return u, fault.New(fault.NotFound, "user %d does not exist", id)
	}
	return u, err
}

// CreateUser provisions somebody. An account that exists is taken into the
// organisation's directory and keeps its name; one that the directory has
// already is Conflict.
func (d *Directory) CreateUser(ctx context.Context, want DirectoryUser) (u DirectoryUser, err error) {
	s := d.store
	if want.Email, want.Name, err = checkPerson(want.Email, want.Name); err != nil {
		return u, err
	}
	hash, err := s.hashPassword(ctx, newPassword()) // nobody knows it: who wants a password has it reset
	if err != nil {
		return u, err
	}
	now := metadb.Micros(s.now())
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var id int64
		made := false
		err := tx.QueryRow(ctx, `SELECT id FROM account WHERE email = $1 AND service_org = 0`, want.Email).Scan(&id)
		if errors.Is(err, metadb.ErrNoRows) {
			var account User
			account, err = s.insertUser(ctx, tx, want.Email, want.Name, hash, false)
			id, made = account.ID, true
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO scim_user (org_id, user_id, external_id, active, made, created_at, updated_at)
			VALUES ($1, $2, $3, TRUE, $4, $5, $5)`, d.Org, id, want.ExternalID, made, now); err != nil {
			if metadb.IsUnique(err) {
				return fault.New(fault.Conflict, "this user is provisioned already").WithField("userName")
			}
			return err
		}
		if !want.Active {
			if err := d.setActive(ctx, tx, id, false); err != nil {
				return err
			}
		}
		u, err = d.user(ctx, tx, id)
		return err
	})
	return u, err
}

// UpdateUser changes what the directory says of somebody. Name and address are
// changed of accounts that it has made and that are nobody else's business;
// of others they stay. Who is no longer active loses the organisation: see setActive.
func (d *Directory) UpdateUser(ctx context.Context, id int64, want DirectoryUser) (u DirectoryUser, err error) {
	if want.Email, want.Name, err = checkPerson(want.Email, want.Name); err != nil {
		return u, err
	}
	err = d.store.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		before, err := d.user(ctx, tx, id)
		if err != nil {
			return err
		}
		own, err := d.own(ctx, tx, id)
		if err != nil {
			return err
		}
		if own && (before.Email != want.Email || before.Name != want.Name) {
			if _, err := tx.Exec(ctx, `UPDATE account SET email = $2, name = $3, version = version + 1 WHERE id = $1`, id, want.Email, want.Name); err != nil {
				if metadb.IsUnique(err) {
					return fault.New(fault.Conflict, "an account with this address exists already").WithField("userName")
				}
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE scim_user SET external_id = $3, updated_at = $4 WHERE org_id = $1 AND user_id = $2`,
			d.Org, id, want.ExternalID, metadb.Micros(d.store.now())); err != nil {
			return err
		}
		if before.Active != want.Active {
			if err := d.setActive(ctx, tx, id, want.Active); err != nil {
				return err
			}
		}
		u, err = d.user(ctx, tx, id)
		return err
	})
	return u, err
}

// DeleteUser deactivates somebody and forgets them in the directory. The account stays.
func (d *Directory) DeleteUser(ctx context.Context, id int64) error {
	return d.store.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := d.user(ctx, tx, id); err != nil {
			return err
		}
		if err := d.setActive(ctx, tx, id, false); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND user_id = $2`, d.Org, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM scim_user WHERE org_id = $1 AND user_id = $2`, d.Org, id)
		return err
	})
}

// own reports whether an account is this directory's alone: made by it, in no
// other team, in no other directory, and no system admin's. An organisation has
// no say over anybody else's.
func (d *Directory) own(ctx context.Context, tx *metadb.Tx, id int64) (own bool, err error) {
	err = tx.QueryRow(ctx, `SELECT u.made AND NOT a.system_admin
		AND NOT EXISTS (SELECT 1 FROM membership m JOIN organisation o ON o.id = m.org_id WHERE m.user_id = a.id AND m.org_id <> u.org_id AND o.kind = 'team')
		AND NOT EXISTS (SELECT 1 FROM scim_user v WHERE v.user_id = a.id AND v.org_id <> u.org_id)
		FROM scim_user u JOIN account a ON a.id = u.user_id WHERE u.org_id = $1 AND u.user_id = $2`, d.Org, id).Scan(&own)
	return own, err
}

// setActive closes an account that is the directory's own: its sessions end and
// its tokens are revoked. Of any other it takes the memberships of the
// organisation away. An account that is active again is open again; the
// directory puts it into its groups anew.
func (d *Directory) setActive(ctx context.Context, tx *metadb.Tx, id int64, active bool) error {
	own, err := d.own(ctx, tx, id)
	if err != nil {
		return err
	}
	now := metadb.Micros(d.store.now())
	var was, closed bool
	if err := tx.QueryRow(ctx, `SELECT u.active, a.disabled FROM scim_user u JOIN account a ON a.id = u.user_id WHERE u.org_id = $1 AND u.user_id = $2`, d.Org, id).Scan(&was, &closed); err != nil {
		return err
	}
	// What a system admin has closed is not a directory's to open, now or when it
	// comes back to it: the account is no longer its own.
	forfeit := was && closed
	if _, err := tx.Exec(ctx, `UPDATE scim_user SET active = $3, updated_at = $4, made = made AND NOT $5 WHERE org_id = $1 AND user_id = $2`, d.Org, id, active, now, forfeit); err != nil {
		return err
	}
	own = own && !forfeit
	if own {
		if _, err := tx.Exec(ctx, `UPDATE account SET disabled = $2, version = version + 1 WHERE id = $1 AND disabled <> $2`, id, !active); err != nil {
			return err
		}
	}
	if active {
		return nil
	}
	if !own {
		if _, err := tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND user_id = $2`, d.Org, id); err != nil {
			return err
		}
		return keepOwner(ctx, tx, d.Org)
	}
	if err := keepOwners(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE api_token SET revoked_at = $2 WHERE user_id = $1 AND revoked_at = 0`, id, now); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1`, id)
	return err
}
