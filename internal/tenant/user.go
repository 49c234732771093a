package tenant

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const userColumns = `a.id, a.email, a.name, a.system_admin, a.disabled, a.version, a.created_at,
	EXISTS (SELECT 1 FROM login_totp t WHERE t.user_id = a.id AND t.confirmed_at > 0)`

func scanUser(r interface{ Scan(...any) error }) (u User, err error) {
	var created int64
	err = r.Scan(&u.ID, &u.Email, &u.Name, &u.System, &u.Disabled, &u.Version, &created, &u.SecondFactor)
	u.CreatedAt = metadb.FromMicros(created)
	return u, err
}

// Users lists every account of a person.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	rows, err := s.db.Query(ctx, `SELECT `+userColumns+` FROM account a WHERE a.service_org = 0 ORDER BY a.email`)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (User, error) { return scanUser(r) })
}

// User returns one account.
func (s *Store) User(ctx context.Context, id int64) (User, error) {
	u, err := scanUser(s.db.QueryRow(ctx, `SELECT `+userColumns+` FROM account a WHERE a.id = $1`, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return u, fault.New(fault.NotFound, "user %d does not exist", id)
	}
	return u, err
}

// NewUser is a User with the password it starts with, which is shown this one time.
type NewUser struct {
	User
	Password string `json:"password" doc:"to be changed at the first login"`
}

// CreateUser makes an account with a random password and a personal organisation.
func (s *Store) CreateUser(ctx context.Context, email, name string) (u NewUser, err error) {
	if email, name, err = checkPerson(email, name); err != nil {
		return u, err
	}
	password := newPassword()
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return u, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		u.User, err = s.insertUser(ctx, tx, email, name, hash, false)
		return err
	})
	u.Password = password
	return u, err
}

func checkPerson(email, name string) (string, string, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if address, err := mail.ParseAddress(email); err != nil || address.Address != email || len(email) > 254 {
		return "", "", fault.New(fault.Invalid, "this is not an e-mail address").WithField("email")
	}
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	err := checkName(&name)
	return email, name, err
}

func (s *Store) insertUser(ctx context.Context, tx *metadb.Tx, email, name, hash string, system bool) (u User, err error) {
	u = User{Email: email, Name: name, System: system, Version: 1, CreatedAt: s.now().UTC()}
	if u.ID, err = metadb.NextID(ctx, tx, "account"); err != nil {
		return u, err
	}
	if _, err = tx.Exec(ctx, `INSERT INTO account (id, email, name, password_hash, system_admin, disabled, version, created_at)
		VALUES ($1, $2, $3, $4, $5, FALSE, 1, $6)`, u.ID, email, name, hash, system, metadb.Micros(u.CreatedAt)); err != nil {
		if metadb.IsUnique(err) {
			return u, fault.New(fault.Conflict, "an account with this address exists already").WithField("email")
		}
		return u, err
	}
	_, _, err = s.insertOrg(ctx, tx, KindPersonal, name, u.ID)
	return u, err
}

// UserChange is what a system admin edits of an account.
type UserChange struct {
	Name     string `json:"name" minLength:"1" maxLength:"100"`
	System   bool   `json:"system"`
	Disabled bool   `json:"disabled"`
}

// UpdateUser changes the account as read in version. Disabling ends its
// sessions. The last system admin can be neither disabled nor demoted, the last
// owner of a team not disabled.
func (s *Store) UpdateUser(ctx context.Context, id, version int64, change UserChange) (u User, err error) {
	if err := checkName(&change.Name); err != nil {
		return u, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := changed(tx.Exec(ctx, `UPDATE account SET name = $3, system_admin = $4, disabled = $5, version = version + 1
			WHERE id = $1 AND version = $2`, id, version, change.Name, change.System, change.Disabled)); err != nil {
			return err
		}
		var admins int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE system_admin AND NOT disabled`).Scan(&admins); err != nil {
			return err
		}
		if admins == 0 {
			return fault.New(fault.Conflict, "this is the last system admin").WithField("system")
		}
		if change.Disabled {
			if err := keepOwners(ctx, tx, id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1`, id); err != nil {
				return err
			}
		}
		u, err = scanUser(tx.QueryRow(ctx, `SELECT `+userColumns+` FROM account a WHERE a.id = $1`, id))
		return err
	})
	return u, err
}

// ChangePassword replaces the user's password, ends every session but the one
// that asks (given by its cookie; "" ends all) and revokes the user's API
// tokens: whoever changes a password may do it because somebody else knew it.
// After a few wrong old passwords the account has to wait (fault.RateLimited).
func (s *Store) ChangePassword(ctx context.Context, user int64, old, password, keep string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	if err := s.checkOwnPassword(ctx, user, old, "old_password"); err != nil {
		return err
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		return s.setPassword(ctx, tx, user, hash, keep)
	})
}

// checkOwnPassword asks who has a session for their password again; a wrong one
// is Invalid in the field. It is counted before, as in Login, and apart from it:
// the session that guesses here must not be able to keep its owner from signing in.
func (s *Store) checkOwnPassword(ctx context.Context, user int64, password, field string) error {
	guesses := failureLimit{subject("", fmt.Sprintf("password of %d", user)), accountFailures}
	if err := s.countFailures(ctx, s.now(), []failureLimit{guesses}); err != nil {
		return err
	}
	var stored string
	if err := s.db.QueryRow(ctx, `SELECT password_hash FROM account WHERE id = $1`, user).Scan(&stored); err != nil {
		return err
	}
	ok, _, err := s.verifyPassword(ctx, password, stored)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Invalid, "the present password is wrong").WithField(field)
	}
	_, err = s.db.Exec(ctx, `DELETE FROM login_failure WHERE subject = $1`, guesses.subject)
	return err
}

// ResetPassword gives the account with that address a random password, which
// only the result holds, turns its second factor off, ends its sessions and
// revokes its API tokens: it is the way back in for who has nothing left.
func (s *Store) ResetPassword(ctx context.Context, email string) (password string, err error) {
	password = newPassword()
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var user int64
		err := tx.QueryRow(ctx, `SELECT id FROM account WHERE email = $1 AND service_org = 0`, strings.ToLower(strings.TrimSpace(email))).Scan(&user)
		if errors.Is(err, metadb.ErrNoRows) {
			return fault.New(fault.NotFound, "nobody here has the address %s", email)
		}
		if err != nil {
			return err
		}
		if err := dropSecondFactor(ctx, tx, user); err != nil {
			return err
		}
		return s.setPassword(ctx, tx, user, hash, "")
	})
	return password, err
}

func (s *Store) setPassword(ctx context.Context, tx *metadb.Tx, user int64, hash, keep string) error {
	if _, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2, version = version + 1 WHERE id = $1`, user, hash); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `UPDATE api_token SET revoked_at = $2 WHERE user_id = $1 AND revoked_at = 0`, user, metadb.Micros(s.now())); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM login_session WHERE user_id = $1 AND hash <> $2`, user, digest(keep))
	return err
}
