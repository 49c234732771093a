package tenant

import (
	"context"
	"errors"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Groups lists the organisation's groups from the offset on, at most limit, and
// says how many there are; name "" is every one. Members are left out on request:
// there may be many.
func (d *Directory) Groups(ctx context.Context, name string, offset, limit int, members bool) ([]DirectoryGroup, int, error) {
	const from = ` FROM project_group g WHERE g.org_id = $1 AND ($2 = '' OR g.name = $2)`
	var total int
	if err := d.store.db.QueryRow(ctx, `SELECT count(*)`+from, d.Org, name).Scan(&total); err != nil {
		return nil, 0, err
	}
	rows, err := d.store.db.Query(ctx, `SELECT g.id, g.name, g.created_at`+from+` ORDER BY g.id LIMIT $3 OFFSET $4`, d.Org, name, limit, offset)
	groups, err := metadb.Collect(rows, err, func(r *metadb.Rows) (g DirectoryGroup, err error) {
		var created int64
		err = r.Scan(&g.ID, &g.Name, &created)
		g.CreatedAt = metadb.FromMicros(created)
		return g, err
	})
	for i := range groups {
		if !members || err != nil {
			break
		}
		groups[i].Members, err = d.members(ctx, d.store.db, groups[i].ID)
	}
	return groups, total, err
}

// members lists who of a group the directory has provisioned.
func (d *Directory) members(ctx context.Context, q metadb.Querier, group int64) ([]DirectoryMember, error) {
	rows, err := q.Query(ctx, `SELECT a.id, a.name FROM membership m JOIN account a ON a.id = m.user_id
		JOIN scim_user u ON u.org_id = m.org_id AND u.user_id = m.user_id
		WHERE m.org_id = $1 AND m.group_id = $2 ORDER BY a.id`, d.Org, group)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (m DirectoryMember, err error) { return m, r.Scan(&m.ID, &m.Name) })
}

// Group returns one of the organisation's groups.
func (d *Directory) Group(ctx context.Context, id int64) (DirectoryGroup, error) {
	return d.group(ctx, d.store.db, id)
}

func (d *Directory) group(ctx context.Context, q metadb.Querier, id int64) (g DirectoryGroup, err error) {
	var created int64
	err = q.QueryRow(ctx, `SELECT g.id, g.name, g.created_at FROM project_group g WHERE g.org_id = $1 AND g.id = $2`, d.Org, id).Scan(&g.ID, &g.Name, &created)
	if errors.Is(err, metadb.ErrNoRows) {
		return g, fault.New(fault.NotFound, "group %d does not exist", id)
	}
	if err != nil {
		return g, err
	}
	g.CreatedAt = metadb.FromMicros(created)
	g.Members, err = d.members(ctx, q, id)
	return g, err
}

// CreateGroup makes a group with these members. One of that name is Conflict.
func (d *Directory) CreateGroup(ctx context.Context, name string, members []int64) (g DirectoryGroup, err error) {
	if err := checkName(&name); err != nil {
		return g, err
	}
	err = d.store.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		made, err := d.store.insertGroup(ctx, tx, d.Org, 0, "/", name)
		if err != nil {
			return err
		}
		for _, user := range members {
			if err := d.join(ctx, tx, made.ID, user); err != nil {
				return err
			}
		}
		g, err = d.group(ctx, tx, made.ID)
		return err
	})
	return g, err
}

// GroupChange is what a directory changes of a group, in this order. Who is
// joined twice, or leaves without having been in it, is no error.
type GroupChange struct {
	Name  string // "" keeps it
	Clear bool   // everybody leaves whom the directory has provisioned
	Leave []int64
	Join  []int64
}

// UpdateGroup makes changes in their order, all or none.
func (d *Directory) UpdateGroup(ctx context.Context, id int64, changes []GroupChange) (g DirectoryGroup, err error) {
	err = d.store.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if g, err = d.group(ctx, tx, id); err != nil {
			return err
		}
		for _, change := range changes {
			if err := d.change(ctx, tx, id, change); err != nil {
				return err
			}
		}
		g, err = d.group(ctx, tx, id)
		return err
	})
	return g, err
}

func (d *Directory) change(ctx context.Context, tx *metadb.Tx, group int64, change GroupChange) error {
	if change.Name != "" {
		if err := checkName(&change.Name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE project_group SET name = $2, version = version + 1 WHERE id = $1 AND name <> $2`, group, change.Name); err != nil {
			return taken(err, "a group")
		}
	}
	leave := change.Leave
	if change.Clear {
		members, err := d.members(ctx, tx, group)
		if err != nil {
			return err
		}
		stay := map[int64]bool{} // who is joined again keeps the role they have
		for _, user := range change.Join {
			stay[user] = true
		}
		for _, m := range members {
			if !stay[m.ID] {
				leave = append(leave, m.ID)
			}
		}
	}
	for _, user := range leave {
		if _, err := d.user(ctx, tx, user); err != nil {
			if fault.Is(err, fault.NotFound) {
				continue // not in the directory: not the directory's to remove
			}
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM membership WHERE org_id = $1 AND group_id = $2 AND user_id = $3`, d.Org, group, user); err != nil {
			return err
		}
	}
	for _, user := range change.Join {
		if err := d.join(ctx, tx, group, user); err != nil {
			return err
		}
	}
	return nil
}

// join gives somebody the directory's role in a group, unless they have one there.
func (d *Directory) join(ctx context.Context, tx *metadb.Tx, group, user int64) error {
	if _, err := d.user(ctx, tx, user); err != nil {
		if fault.Is(err, fault.NotFound) {
			return fault.New(fault.Invalid, "user %d is not provisioned", user).WithField("members")
		}
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO membership (org_id, group_id, user_id, role, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $3)
		ON CONFLICT (org_id, group_id, user_id) DO NOTHING`, d.Org, group, user, d.role, metadb.Micros(d.store.now()))
	return err
}

// DeleteGroup removes a group without projects.
func (d *Directory) DeleteGroup(ctx context.Context, id int64) error {
	if _, err := d.Group(ctx, id); err != nil {
		return err
	}
	g, err := d.store.Group(ctx, id)
	if err != nil {
		return err
	}
	return d.store.DeleteGroup(ctx, id, g.Version)
}
