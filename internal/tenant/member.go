package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const memberColumns = `m.org_id, m.group_id, m.user_id, a.email, a.name, a.service_org > 0, m.role, m.role_id, COALESCE(r.name, ''), COALESCE(r.permissions, '[]'), m.created_at
		FROM membership m JOIN account a ON a.id = m.user_id LEFT JOIN org_role r ON r.id = m.role_id AND r.org_id = m.org_id`

func scanMember(r *metadb.Rows) (m Member, err error) {
	var created int64
	var own json.RawMessage
	if err := r.Scan(&m.OrgID, &m.GroupID, &m.UserID, &m.Email, &m.Name, &m.Service, &m.Role, &m.RoleID, &m.RoleName, &own, &created); err != nil {
		return m, err
	}
	m.CreatedAt = metadb.FromMicros(created)
	if m.Role != Custom {
		m.Permissions = builtIn[m.Role].list()
		return m, nil
	}
	var acts []Action
	err = json.Unmarshal(own, &acts)
	m.Permissions = read(acts).list()
	return m, err
}

// Members lists who is in an organisation (group 0) or in one of its groups.
func (s *Store) Members(ctx context.Context, org, group int64) ([]Member, error) {
	rows, err := s.db.Query(ctx, `SELECT `+memberColumns+` WHERE m.org_id = $1 AND m.group_id = $2 ORDER BY a.email`, org, group)
	return metadb.Collect(rows, err, scanMember)
}

// Memberships lists where a user is a member.
func (s *Store) Memberships(ctx context.Context, user int64) ([]Member, error) {
	rows, err := s.db.Query(ctx, `SELECT `+memberColumns+` WHERE m.user_id = $1 ORDER BY m.org_id, m.group_id`, user)
	return metadb.Collect(rows, err, scanMember)
}

// Access is what somebody may do in an organisation (group 0) or in a group, by
// all their roles in it and in what it is in.
type Access struct {
	OrgID       int64    `json:"org_id"`
	GroupID     int64    `json:"group_id" doc:"0 = the organisation itself"`
	Permissions []Action `json:"permissions"`
}

// Accesses returns what a user may do by these memberships of theirs: an entry for
// each organisation and each group in which they may do anything.
func (s *Store) Accesses(ctx context.Context, user int64, memberships []Member) ([]Access, error) {
	rows, err := s.db.Query(ctx, `SELECT g.id, g.org_id, g.path FROM project_group g
		WHERE EXISTS (SELECT 1 FROM membership m WHERE m.org_id = g.org_id AND m.user_id = $1) ORDER BY g.org_id, g.id`, user)
	type place struct {
		group, org int64
		path       string
	}
	places, err := metadb.Collect(rows, err, func(r *metadb.Rows) (p place, err error) { return p, r.Scan(&p.group, &p.org, &p.path) })
	if err != nil {
		return nil, err
	}
	orgs := map[int64]bool{}
	for _, m := range memberships {
		if !orgs[m.OrgID] {
			orgs[m.OrgID] = true
			places = append(places, place{org: m.OrgID})
		}
	}
	out := []Access{}
	for _, p := range places {
		var set permissions
		for _, m := range memberships {
			if m.OrgID == p.org && (m.GroupID == 0 || strings.Contains(p.path, "/"+strconv.FormatInt(m.GroupID, 10)+"/")) {
				set |= read(m.Permissions)
			}
		}
		if set != 0 {
			out = append(out, Access{p.org, p.group, set.list()})
		}
	}
	return out, nil
}

// Given is a role to give: one of the product's, or Custom with the number of
// one of the organisation's own.
type Given struct {
	Role   Role
	RoleID int64
}

// permissionsOf returns what a role holds in an organisation.
func (s *Store) permissionsOf(ctx context.Context, tx *metadb.Tx, org int64, g Given) (permissions, error) {
	if g.Role == Custom {
		role, err := roleIn(ctx, tx, org, g.RoleID)
		if fault.Is(err, fault.NotFound) {
			return 0, fault.New(fault.Invalid, "this organisation has no role %d", g.RoleID).WithField("role_id")
		}
		return read(role.Permissions), err
	}
	if !slices.Contains(Roles, g.Role) || g.RoleID != 0 {
		return 0, fault.New(fault.Invalid, "the role is owner, admin, editor or viewer, or custom with a role_id").WithField("role")
	}
	return builtIn[g.Role], nil
}

// SetMember gives the account with that address one of the product's roles in an
// organisation (group 0) or group, whatever it was before.
func (s *Store) SetMember(ctx context.Context, by Actor, org, group int64, email string, role Role) error {
	return s.GiveRole(ctx, by, org, group, email, Given{Role: role})
}

// GiveRole gives the account with that address a role in an organisation (group 0)
// or group, whatever it was before. Nobody gives or takes more than they have there
// themselves, and an organisation keeps at least one owner.
func (s *Store) GiveRole(ctx context.Context, by Actor, org, group int64, email string, g Given) error {
	email, _, err := checkPerson(email, "")
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		set, err := s.permissionsOf(ctx, tx, org, g)
		if err != nil {
			return err
		}
		var user, service int64
		err = tx.QueryRow(ctx, `SELECT id, service_org FROM account WHERE email = $1 AND NOT disabled`, email).Scan(&user, &service)
		if errors.Is(err, metadb.ErrNoRows) || err == nil && service != 0 && service != org {
			return fault.New(fault.Invalid, "nobody here has this address: invite them, or a system admin makes the account").WithField("email")
		}
		if err != nil {
			return err
		}
		if service != 0 && g.Role == Owner {
			return fault.New(fault.Invalid, "a service account cannot be an owner").WithField("role")
		}
		if err := s.mayChangeMember(ctx, tx, by, org, group, user, set, false); err != nil {
			return err
		}
		if err := s.insertMember(ctx, tx, by, org, group, user, g); err != nil {
			return err
		}
		return keepOwner(ctx, tx, org)
	})
}

func (s *Store) insertMember(ctx context.Context, tx *metadb.Tx, by Actor, org, group, user int64, g Given) error {
	_, err := tx.Exec(ctx, `INSERT INTO membership (org_id, group_id, user_id, role, role_id, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org_id, group_id, user_id) DO UPDATE SET role = excluded.role, role_id = excluded.role_id`,
		org, group, user, g.Role, g.RoleID, metadb.Micros(s.now()), by.UserID)
	return err
}

// RemoveMember takes a user's role in an organisation (group 0) or group away.
// Removing somebody from an organisation removes them from its groups as well.
func (s *Store) RemoveMember(ctx context.Context, by Actor, org, group, user int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.mayChangeMember(ctx, tx, by, org, group, user, 0, true); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND user_id = $3 AND (group_id = $2 OR $2 = 0)`, org, group, user)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.NotFound, "user %d is not a member here", user)
		}
		return keepOwner(ctx, tx, org)
	})
}

// mayChangeMember refuses to give a set of permissions, or to take what the user
// has, to whoever has not all of it themselves, and any change to a personal
// organisation. Removing takes the user from an organisation with what they are in
// its groups.
func (s *Store) mayChangeMember(ctx context.Context, tx *metadb.Tx, by Actor, org, group, user int64, set permissions, remove bool) error {
	at, err := s.standing(ctx, tx, by, Target{Org: org, Group: group})
	if err != nil {
		return err
	}
	var kind string
	if err := tx.QueryRow(ctx, `SELECT kind FROM organisation WHERE id = $1`, org).Scan(&kind); err != nil {
		return err
	}
	if kind == KindPersonal {
		return fault.New(fault.Conflict, "a personal organisation has one member").WithField("user_id")
	}
	rows, err := tx.Query(ctx, `SELECT `+heldColumns+` FROM membership m LEFT JOIN org_role r ON r.id = m.role_id AND r.org_id = m.org_id
		WHERE m.org_id = $1 AND m.user_id = $3 AND (m.group_id = $2 OR $2 = 0 AND $4)`, org, group, user, remove)
	before, err := metadb.Collect(rows, err, scanHeld)
	if err != nil {
		return err
	}
	changed := set
	for _, h := range before {
		changed |= h.set
	}
	switch {
	case at.mayGive(changed):
		return nil
	case changed.has(OrgOwner):
		return fault.New(fault.Denied, "only an owner can make or unmake an owner")
	}
	return fault.New(fault.Denied, "this role holds more than yours: you can neither give nor take it")
}

// keepOwner refuses the change that would leave an organisation without an
// owner who can sign in.
func keepOwner(ctx context.Context, tx *metadb.Tx, org int64) error {
	var owners int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.user_id
		WHERE m.org_id = $1 AND m.group_id = 0 AND m.role = 'owner' AND NOT a.disabled AND a.service_org = 0`, org).Scan(&owners); err != nil {
		return err
	}
	if owners == 0 {
		return fault.New(fault.Conflict, "an organisation keeps at least one owner").WithField("role")
	}
	return nil
}

// keepOwners refuses to disable the last owner of a team.
func keepOwners(ctx context.Context, tx *metadb.Tx, user int64) error {
	var name string
	err := tx.QueryRow(ctx, `SELECT o.name FROM membership m JOIN organisation o ON o.id = m.org_id
		WHERE m.user_id = $1 AND m.group_id = 0 AND m.role = 'owner' AND o.kind = 'team' AND NOT EXISTS (
			SELECT 1 FROM membership n JOIN account a ON a.id = n.user_id
			WHERE n.org_id = o.id AND n.group_id = 0 AND n.role = 'owner' AND NOT a.disabled)
		ORDER BY o.id LIMIT 1`, user).Scan(&name)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "this is the last owner of %s: make another one first", name).WithField("disabled")
}
