package tenant

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const orgColumns = `o.id, o.kind, o.name, o.version, o.created_at`

func scanOrg(r interface{ Scan(...any) error }) (o Organisation, err error) {
	var created int64
	err = r.Scan(&o.ID, &o.Kind, &o.Name, &o.Version, &created)
	o.CreatedAt = metadb.FromMicros(created)
	return o, err
}

// Organisations lists what a may see: those a is in, and for a system admin all teams.
func (s *Store) Organisations(ctx context.Context, a Actor) ([]Organisation, error) {
	rows, err := s.db.Query(ctx, `SELECT `+orgColumns+` FROM organisation o
		WHERE ($2 AND o.kind = 'team') OR EXISTS (SELECT 1 FROM membership m WHERE m.org_id = o.id AND m.user_id = $1)
		ORDER BY o.kind DESC, o.name, o.id`, a.UserID, a.System)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Organisation, error) { return scanOrg(r) })
}

// Organisation returns one organisation.
func (s *Store) Organisation(ctx context.Context, id int64) (Organisation, error) {
	o, err := scanOrg(s.db.QueryRow(ctx, `SELECT `+orgColumns+` FROM organisation o WHERE o.id = $1`, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return o, notFound(Target{Org: id})
	}
	return o, err
}

// CreateOrganisation makes a team with one group "default"; by becomes its owner.
func (s *Store) CreateOrganisation(ctx context.Context, by Actor, name string) (o Organisation, err error) {
	if err := checkName(&name); err != nil {
		return o, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		o, _, err = s.insertOrg(ctx, tx, KindTeam, name, by.UserID)
		return err
	})
	return o, err
}

func (s *Store) insertOrg(ctx context.Context, tx *metadb.Tx, kind, name string, owner int64) (o Organisation, g Group, err error) {
	o = Organisation{Kind: kind, Name: name, Version: 1, CreatedAt: s.now().UTC()}
	if o.ID, err = metadb.NextID(ctx, tx, "organisation"); err != nil {
		return o, g, err
	}
	now := metadb.Micros(o.CreatedAt)
	if _, err = tx.Exec(ctx, `INSERT INTO organisation (id, kind, name, version, created_at, created_by)
		VALUES ($1, $2, $3, 1, $4, $5)`, o.ID, kind, name, now, owner); err != nil {
		return o, g, err
	}
	if _, err = tx.Exec(ctx, `INSERT INTO membership (org_id, group_id, user_id, role, created_at, created_by)
		VALUES ($1, 0, $2, 'owner', $3, $2)`, o.ID, owner, now); err != nil {
		return o, g, err
	}
	g, err = s.insertGroup(ctx, tx, o.ID, 0, "/", "default")
	return o, g, err
}

// RenameOrganisation changes the name of the organisation as read in version.
func (s *Store) RenameOrganisation(ctx context.Context, id, version int64, name string) (Organisation, error) {
	if err := checkName(&name); err != nil {
		return Organisation{}, err
	}
	if err := changed(s.db.Exec(ctx, `UPDATE organisation SET name = $3, version = version + 1 WHERE id = $1 AND version = $2`,
		id, version, name)); err != nil {
		return Organisation{}, err
	}
	return s.Organisation(ctx, id)
}

// maxDepth is how deep groups lie in groups.
const maxDepth = 5

const groupColumns = `g.id, g.org_id, g.parent_id, g.path, g.name, g.version, g.created_at`

func scanGroup(r interface{ Scan(...any) error }) (g Group, err error) {
	var created int64
	var path string
	err = r.Scan(&g.ID, &g.OrgID, &g.ParentID, &path, &g.Name, &g.Version, &created)
	g.CreatedAt, g.Depth = metadb.FromMicros(created), depthOf(path)
	return g, err
}

// depthOf is how many groups a path names.
func depthOf(path string) int { return strings.Count(path, "/") - 1 }

// Groups lists the groups of an organisation that a may see.
func (s *Store) Groups(ctx context.Context, a Actor, org int64) ([]Group, error) {
	at, err := s.standing(ctx, s.db, a, Target{Org: org})
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT `+groupColumns+` FROM project_group g
		WHERE g.org_id = $1 AND ($3 OR EXISTS (SELECT 1 FROM membership m
			WHERE m.org_id = g.org_id AND m.user_id = $2 AND (m.group_id = 0 OR g.path LIKE '%/' || m.group_id || '/%')))
		ORDER BY g.name, g.id`, org, a.UserID, at.systemAdmin)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Group, error) { return scanGroup(r) })
}

// Group returns one group.
func (s *Store) Group(ctx context.Context, id int64) (Group, error) {
	g, err := scanGroup(s.db.QueryRow(ctx, `SELECT `+groupColumns+` FROM project_group g WHERE g.id = $1`, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return g, notFound(Target{Group: id})
	}
	return g, err
}

// CreateGroup makes a group at the top of an organisation.
func (s *Store) CreateGroup(ctx context.Context, org int64, name string) (g Group, err error) {
	if err := checkName(&name); err != nil {
		return g, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		g, err = s.insertGroup(ctx, tx, org, 0, "/", name)
		return err
	})
	return g, err
}

// CreateSubgroup makes a group in a group. Who has a role in a group has it in the
// groups below as well.
func (s *Store) CreateSubgroup(ctx context.Context, parent int64, name string) (g Group, err error) {
	if err := checkName(&name); err != nil {
		return g, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		org, path, err := pathOf(ctx, tx, parent)
		if err != nil {
			return err
		}
		g, err = s.insertGroup(ctx, tx, org, parent, path, name)
		return err
	})
	return g, err
}

// pathOf returns which organisation a group is of, and where it lies.
func pathOf(ctx context.Context, tx *metadb.Tx, group int64) (org int64, path string, err error) {
	err = tx.QueryRow(ctx, `SELECT org_id, path FROM project_group WHERE id = $1`, group).Scan(&org, &path)
	if errors.Is(err, metadb.ErrNoRows) {
		err = notFound(Target{Group: group})
	}
	return org, path, err
}

var errTooDeep = fault.New(fault.Invalid, "groups lie in groups at most %d deep", maxDepth).WithField("parent_id")

func (s *Store) insertGroup(ctx context.Context, tx *metadb.Tx, org, parent int64, below, name string) (g Group, err error) {
	g = Group{OrgID: org, ParentID: parent, Name: name, Version: 1, CreatedAt: s.now().UTC(), Depth: depthOf(below) + 1}
	if g.Depth > maxDepth {
		return g, errTooDeep
	}
	if g.ID, err = metadb.NextID(ctx, tx, "project_group"); err != nil {
		return g, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO project_group (id, org_id, parent_id, path, name, version, created_at) VALUES ($1, $2, $3, $4, $5, 1, $6)`,
		g.ID, org, parent, below+strconv.FormatInt(g.ID, 10)+"/", name, metadb.Micros(g.CreatedAt))
	return g, taken(err, "a group")
}

// MoveGroup puts a group of an organisation, as read in version, with all below it
// into another group of it, or with parent 0 to the top.
func (s *Store) MoveGroup(ctx context.Context, org, id, version, parent int64) (Group, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		of, path, err := pathOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if of != org {
			return notFound(Target{Group: id})
		}
		below := "/"
		if parent != 0 {
			if of, below, err = pathOf(ctx, tx, parent); err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			switch {
			case err != nil || of != org:
				return fault.New(fault.Invalid, "this organisation has no group %d", parent).WithField("parent_id")
			case strings.HasPrefix(below, path):
				return fault.New(fault.Invalid, "a group does not lie in itself").WithField("parent_id")
			}
		}
		var deepest int
		if err := tx.QueryRow(ctx, `SELECT MAX(LENGTH(path) - LENGTH(REPLACE(path, '/', ''))) - 1 FROM project_group WHERE path LIKE $1 || '%'`, path).Scan(&deepest); err != nil {
			return err
		}
		if deepest-depthOf(path)+1+depthOf(below) > maxDepth {
			return errTooDeep
		}
		moved := below + strconv.FormatInt(id, 10) + "/"
		if err := changed(tx.Exec(ctx, `UPDATE project_group SET parent_id = $3, version = version + 1 WHERE id = $1 AND version = $2`, id, version, parent)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE project_group SET path = $2 || SUBSTR(path, LENGTH($1) + 1) WHERE path LIKE $1 || '%'`, path, moved)
		return err
	})
	if err != nil {
		return Group{}, err
	}
	return s.Group(ctx, id)
}

// RenameGroup changes the name of the group as read in version.
func (s *Store) RenameGroup(ctx context.Context, id, version int64, name string) (Group, error) {
	if err := checkName(&name); err != nil {
		return Group{}, err
	}
	n, err := s.db.Exec(ctx, `UPDATE project_group SET name = $3, version = version + 1 WHERE id = $1 AND version = $2`, id, version, name)
	if err := changed(n, taken(err, "a group")); err != nil {
		return Group{}, err
	}
	return s.Group(ctx, id)
}

// DeleteGroup removes a group without projects and groups, and its memberships.
func (s *Store) DeleteGroup(ctx context.Context, id, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var projects int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM project WHERE group_id = $1`, id).Scan(&projects); err != nil {
			return err
		}
		if projects > 0 {
			return fault.New(fault.Conflict, "the group has %d projects, archived ones included", projects).WithField("id")
		}
		var groups int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM project_group WHERE parent_id = $1`, id).Scan(&groups); err != nil {
			return err
		}
		if groups > 0 {
			return fault.New(fault.Conflict, "the group has %d groups", groups).WithField("id")
		}
		for _, table := range []string{"membership", "invitation"} {
			if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE group_id = $1`, id); err != nil {
				return err
			}
		}
		return changed(tx.Exec(ctx, `DELETE FROM project_group WHERE id = $1 AND version = $2`, id, version))
	})
}
