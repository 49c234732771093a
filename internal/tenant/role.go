package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// maxRoles is how many roles an organisation makes.
const maxRoles = 50

// OrgRole is a role that an organisation has made of permissions.
type OrgRole struct {
	ID          int64     `json:"id"`
	OrgID       int64     `json:"org_id"`
	Name        string    `json:"name"`
	Permissions []Action  `json:"permissions"`
	Members     int       `json:"members" doc:"how often it is given"`
	Version     int64     `json:"version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	UpdatedBy   int64     `json:"updated_by"`
}

const roleColumns = `r.id, r.org_id, r.name, r.permissions, r.version, r.created_at, r.updated_at, r.updated_by,
	(SELECT count(*) FROM membership m WHERE m.role_id = r.id)`

func scanRole(r interface{ Scan(...any) error }) (role OrgRole, err error) {
	var created, updated int64
	var acts json.RawMessage
	if err := r.Scan(&role.ID, &role.OrgID, &role.Name, &acts, &role.Version, &created, &updated, &role.UpdatedBy, &role.Members); err != nil {
		return role, err
	}
	role.CreatedAt, role.UpdatedAt = metadb.FromMicros(created), metadb.FromMicros(updated)
	var stored []Action
	err = json.Unmarshal(acts, &stored)
	role.Permissions = read(stored).list()
	return role, err
}

func roleIn(ctx context.Context, q metadb.Querier, org, id int64) (OrgRole, error) {
	role, err := scanRole(q.QueryRow(ctx, `SELECT `+roleColumns+` FROM org_role r WHERE r.org_id = $1 AND r.id = $2`, org, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return role, fault.New(fault.NotFound, "role %d does not exist", id)
	}
	return role, err
}

// OrgRoles lists the roles that an organisation has made, by name.
func (s *Store) OrgRoles(ctx context.Context, org int64) ([]OrgRole, error) {
	rows, err := s.db.Query(ctx, `SELECT `+roleColumns+` FROM org_role r WHERE r.org_id = $1 ORDER BY r.name, r.id`, org)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (OrgRole, error) { return scanRole(r) })
}

// RoleSettings is what one edits of a role.
type RoleSettings struct {
	Name        string   `json:"name" minLength:"1" maxLength:"100"`
	Permissions []Action `json:"permissions" maxItems:"50" doc:"those that they need are added"`
}

// mayMake refuses permissions beyond those of who makes or changes a role.
func (s *Store) mayMake(ctx context.Context, tx *metadb.Tx, by Actor, org int64, set permissions) error {
	at, err := s.standing(ctx, tx, by, Target{Org: org})
	if err != nil {
		return err
	}
	if !at.mayGive(set) {
		return fault.New(fault.Denied, "this role holds more than yours: %v", (set &^ at.has).list()).WithField("permissions")
	}
	return nil
}

// CreateOrgRole makes a role of an organisation.
func (s *Store) CreateOrgRole(ctx context.Context, by Actor, org int64, set RoleSettings) (role OrgRole, err error) {
	if err := checkName(&set.Name); err != nil {
		return role, err
	}
	holds, err := setOf(set.Permissions)
	if err != nil {
		return role, err
	}
	stored, err := json.Marshal(holds.list())
	if err != nil {
		return role, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if err := s.mayMake(ctx, tx, by, org, holds); err != nil {
			return err
		}
		var have int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM org_role WHERE org_id = $1`, org).Scan(&have); err != nil {
			return err
		}
		if have >= maxRoles {
			return fault.New(fault.Conflict, "an organisation makes at most %d roles", maxRoles)
		}
		id, err := metadb.NextID(ctx, tx, "org_role")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO org_role (id, org_id, name, permissions, version, created_at, updated_at, updated_by)
			VALUES ($1, $2, $3, $4, 1, $5, $5, $6)`, id, org, set.Name, json.RawMessage(stored), metadb.Micros(s.now()), by.UserID); err != nil {
			return taken(err, "a role")
		}
		role, err = roleIn(ctx, tx, org, id)
		return err
	})
	return role, err
}

// UpdateOrgRole changes a role as read in version, for all who have it.
func (s *Store) UpdateOrgRole(ctx context.Context, by Actor, org, id, version int64, set RoleSettings) (role OrgRole, err error) {
	if err := checkName(&set.Name); err != nil {
		return role, err
	}
	holds, err := setOf(set.Permissions)
	if err != nil {
		return role, err
	}
	stored, err := json.Marshal(holds.list())
	if err != nil {
		return role, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		before, err := roleIn(ctx, tx, org, id)
		if err != nil {
			return err
		}
		if err := s.mayMake(ctx, tx, by, org, holds|read(before.Permissions)); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE org_role SET name = $4, permissions = $5, version = version + 1, updated_at = $6, updated_by = $7
			WHERE org_id = $1 AND id = $2 AND version = $3`, org, id, version, set.Name, json.RawMessage(stored), metadb.Micros(s.now()), by.UserID)
		if err := changed(n, taken(err, "a role")); err != nil {
			return err
		}
		role, err = roleIn(ctx, tx, org, id)
		return err
	})
	return role, err
}

// DeleteOrgRole removes a role as read in version that nobody has.
func (s *Store) DeleteOrgRole(ctx context.Context, org, id, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		role, err := roleIn(ctx, tx, org, id)
		if err != nil {
			return err
		}
		if role.Members > 0 {
			return fault.New(fault.Conflict, "%d memberships have this role: give them another one first", role.Members).WithField("id")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM invitation WHERE org_id = $1 AND role_id = $2`, org, id); err != nil {
			return err
		}
		return changed(tx.Exec(ctx, `DELETE FROM org_role WHERE org_id = $1 AND id = $2 AND version = $3`, org, id, version))
	})
}
