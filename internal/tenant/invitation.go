package tenant

import (
	"context"
	"errors"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const (
	invitationPrefix = "mtx_inv_"
	// maxInvitationLife is the longest an invitation waits.
	maxInvitationLife = 30 * 24 * time.Hour
	maxInvitations    = 500 // of an organisation that wait
)

// Invitation offers a role in an organisation or a group to whoever has its link,
// once.
type Invitation struct {
	ID         int64      `json:"id"`
	OrgID      int64      `json:"org_id"`
	GroupID    int64      `json:"group_id" doc:"0 = the whole organisation"`
	Email      string     `json:"email" doc:"the only address that can accept it; empty: whoever has the link"`
	Role       Role       `json:"role" enum:"owner,admin,editor,viewer,custom"`
	RoleID     int64      `json:"role_id"`
	RoleName   string     `json:"role_name" doc:"with custom"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  time.Time  `json:"expires_at"`
	AcceptedAt *time.Time `json:"accepted_at"`
	AcceptedBy string     `json:"accepted_by"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

// NewInvitation is an Invitation with the secret of its link, which is shown this
// one time.
type NewInvitation struct {
	Invitation
	Secret string `json:"secret"`
}

// Offer is what an invitation says to whom it invites.
type Offer struct {
	Organisation string    `json:"organisation"`
	Group        string    `json:"group" doc:"empty: the whole organisation"`
	Role         Role      `json:"role" enum:"owner,admin,editor,viewer,custom"`
	RoleName     string    `json:"role_name" doc:"with custom"`
	InvitedBy    string    `json:"invited_by"`
	Email        string    `json:"email" doc:"the only address that can accept it; empty: any"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// Invite makes an invitation. Nobody offers more than they have there themselves.
func (s *Store) Invite(ctx context.Context, by Actor, org, group int64, email string, g Given, expires time.Time) (n NewInvitation, err error) {
	if email != "" {
		if email, _, err = checkPerson(email, ""); err != nil {
			return n, err
		}
	}
	now := s.now().UTC()
	if expires.Before(now) || expires.After(now.Add(maxInvitationLife)) {
		return n, fault.New(fault.Invalid, "an invitation expires within 30 days from now").WithField("expires_at")
	}
	secret, _ := newSecret(invitationPrefix)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		set, err := s.permissionsOf(ctx, tx, org, g)
		if err != nil {
			return err
		}
		if group != 0 {
			if of, _, err := pathOf(ctx, tx, group); err != nil || of != org {
				return fault.New(fault.Invalid, "this organisation has no group %d", group).WithField("group_id")
			}
		}
		if err := s.mayChangeMember(ctx, tx, by, org, group, 0, set, false); err != nil {
			return err
		}
		var waiting int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM invitation WHERE org_id = $1 AND accepted_at = 0 AND revoked_at = 0 AND expires_at > $2`,
			org, metadb.Micros(now)).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= maxInvitations {
			return fault.New(fault.Conflict, "%d invitations wait already: revoke some", waiting)
		}
		id, err := metadb.NextID(ctx, tx, "invitation")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO invitation (id, org_id, group_id, email, role, role_id, hash, created_at, created_by, expires_at, accepted_at, accepted_by, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0)`, id, org, group, email, g.Role, g.RoleID, digest(secret), metadb.Micros(now), by.UserID, metadb.Micros(expires)); err != nil {
			return err
		}
		n.Invitation, err = scanInvitation(tx.QueryRow(ctx, `SELECT `+invitationColumns+` WHERE i.id = $1`, id))
		return err
	})
	n.Secret = secret
	return n, err
}

const invitationColumns = `i.id, i.org_id, i.group_id, i.email, i.role, i.role_id, COALESCE(r.name, ''), i.created_at, COALESCE(b.name, ''), i.expires_at,
		i.accepted_at, COALESCE(a.name, ''), i.revoked_at
		FROM invitation i LEFT JOIN org_role r ON r.id = i.role_id AND r.org_id = i.org_id
		LEFT JOIN account b ON b.id = i.created_by LEFT JOIN account a ON a.id = i.accepted_by`

func scanInvitation(r interface{ Scan(...any) error }) (i Invitation, err error) {
	var created, expires, accepted, revoked int64
	err = r.Scan(&i.ID, &i.OrgID, &i.GroupID, &i.Email, &i.Role, &i.RoleID, &i.RoleName, &created, &i.CreatedBy, &expires, &accepted, &i.AcceptedBy, &revoked)
	i.CreatedAt, i.ExpiresAt, i.AcceptedAt, i.RevokedAt = metadb.FromMicros(created), metadb.FromMicros(expires), optional(accepted), optional(revoked)
	return i, err
}

// Invitations lists those of an organisation, or of just one of its groups when
// that is not 0, newest first, at most 200.
func (s *Store) Invitations(ctx context.Context, org, group int64) ([]Invitation, error) {
	rows, err := s.db.Query(ctx, `SELECT `+invitationColumns+` WHERE i.org_id = $1 AND (i.group_id = $2 OR $2 = 0) ORDER BY i.id DESC LIMIT 200`, org, group)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Invitation, error) { return scanInvitation(r) })
}

// RevokeInvitation ends an invitation that nobody has accepted: one of an
// organisation, or of just one of its groups when that is not 0.
func (s *Store) RevokeInvitation(ctx context.Context, org, group, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE invitation SET revoked_at = CASE revoked_at WHEN 0 THEN $3 ELSE revoked_at END
		WHERE org_id = $1 AND id = $2 AND (group_id = $4 OR $4 = 0) AND accepted_at = 0`, org, id, metadb.Micros(s.now()), group)
	if err == nil && n == 0 {
		return fault.New(fault.NotFound, "invitation %d does not exist, or was accepted", id)
	}
	return err
}

// errNoInvitation says the same of all that cannot be accepted.
var errNoInvitation = fault.New(fault.NotFound, "this invitation does not exist, was used or revoked, or is over: ask for another one")

// waiting reads an invitation that can be accepted, and who made it.
func (s *Store) waiting(ctx context.Context, q metadb.Querier, secret string) (i Invitation, by Actor, err error) {
	if !wellFormed(secret, invitationPrefix) {
		return i, by, errNoInvitation
	}
	i, err = scanInvitation(q.QueryRow(ctx, `SELECT `+invitationColumns+` WHERE i.hash = $1 AND i.accepted_at = 0 AND i.revoked_at = 0 AND i.expires_at > $2`,
		digest(secret), metadb.Micros(s.now())))
	if err == nil {
		err = q.QueryRow(ctx, `SELECT a.id, a.name, a.system_admin FROM account a JOIN invitation i ON i.created_by = a.id
			WHERE i.id = $1 AND NOT a.disabled`, i.ID).Scan(&by.UserID, &by.Name, &by.System)
	}
	if errors.Is(err, metadb.ErrNoRows) {
		err = errNoInvitation
	}
	return i, by, err
}

// LookUpInvitation returns what an invitation offers, by the secret of its link.
func (s *Store) LookUpInvitation(ctx context.Context, secret string) (o Offer, err error) {
	i, by, err := s.waiting(ctx, s.db, secret)
	if err != nil {
		return o, err
	}
	o = Offer{Role: i.Role, RoleName: i.RoleName, InvitedBy: by.Name, Email: i.Email, ExpiresAt: i.ExpiresAt}
	err = s.db.QueryRow(ctx, `SELECT o.name, COALESCE(g.name, '') FROM organisation o LEFT JOIN project_group g ON g.id = $2 WHERE o.id = $1`,
		i.OrgID, i.GroupID).Scan(&o.Organisation, &o.Group)
	return o, err
}

// AcceptInvitation gives a user what an invitation offers, and returns the
// organisation. It is used up by that.
func (s *Store) AcceptInvitation(ctx context.Context, user int64, secret string) (Organisation, error) {
	var org int64
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) (err error) {
		var email string
		if err := tx.QueryRow(ctx, `SELECT email FROM account WHERE id = $1 AND service_org = 0 AND NOT disabled`, user).Scan(&email); err != nil {
			return err
		}
		org, err = s.accept(ctx, tx, user, email, secret)
		return err
	})
	if err != nil {
		return Organisation{}, err
	}
	return s.Organisation(ctx, org)
}

// accept gives what an invitation offers, when who made it still may.
func (s *Store) accept(ctx context.Context, tx *metadb.Tx, user int64, email, secret string) (org int64, err error) {
	i, by, err := s.waiting(ctx, tx, secret)
	if err != nil {
		return 0, err
	}
	if i.Email != "" && i.Email != email {
		return 0, fault.New(fault.Denied, "this invitation is for another address")
	}
	given := Given{Role: i.Role, RoleID: i.RoleID}
	set, err := s.permissionsOf(ctx, tx, i.OrgID, given)
	if err != nil {
		return 0, err
	}
	if err := s.mayChangeMember(ctx, tx, by, i.OrgID, i.GroupID, user, set, false); err != nil {
		if fault.Is(err, fault.Denied) || fault.Is(err, fault.NotFound) {
			err = fault.New(fault.Denied, "who made this invitation may not give this role any more: ask for another one")
		}
		return 0, err
	}
	var has int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM membership WHERE org_id = $1 AND group_id = $2 AND user_id = $3`, i.OrgID, i.GroupID, user).Scan(&has); err != nil {
		return 0, err
	}
	if has > 0 {
		return 0, fault.New(fault.Conflict, "you have a role there already")
	}
	if err := s.insertMember(ctx, tx, by, i.OrgID, i.GroupID, user, given); err != nil {
		return 0, err
	}
	n, err := tx.Exec(ctx, `UPDATE invitation SET accepted_at = $2, accepted_by = $3 WHERE id = $1 AND accepted_at = 0`, i.ID, metadb.Micros(s.now()), user)
	if err == nil && n == 0 {
		err = errNoInvitation
	}
	return i.OrgID, err
}

// JoinByInvitation makes an account for whoever has an invitation, gives it what
// the invitation offers, and returns the organisation.
func (s *Store) JoinByInvitation(ctx context.Context, secret, email, name, password string) (Organisation, error) {
	email, name, err := checkPerson(email, name)
	if err != nil {
		return Organisation{}, err
	}
	if err := checkPassword(password); err != nil {
		return Organisation{}, err
	}
	// Before the password is hashed, which takes time: strangers have no secret.
	if _, _, err := s.waiting(ctx, s.db, secret); err != nil {
		return Organisation{}, err
	}
	hash, err := s.hashPassword(ctx, password)
	if err != nil {
		return Organisation{}, err
	}
	var org int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		u, err := s.insertUser(ctx, tx, email, name, hash, false)
		if err != nil {
			return err
		}
		org, err = s.accept(ctx, tx, u.ID, email, secret)
		return err
	})
	if err != nil {
		return Organisation{}, err
	}
	return s.Organisation(ctx, org)
}
