// Package view keeps what people look at again and again: searches with a
// name, shared by all who read a project.
//
// It owns the rows and who may change them. It does not know what a query
// means: the noun whose screen it belongs to checks it.
package view

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Kinds are the screens that have views.
var Kinds = []string{"transactions", "logs"}

const (
	maxViews = 200 // of a project
	maxName  = 100 // characters
	maxQuery = 2_000
)

// View is a search with a name.
type View struct {
	ID        int64      `json:"id"`
	Project   project.ID `json:"project_id"`
	Kind      string     `json:"kind" enum:"transactions,logs"`
	Name      string     `json:"name"`
	Query     string     `json:"query"`
	OwnerID   int64      `json:"owner_id"`
	Owner     string     `json:"owner"`
	Version   int64      `json:"version"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// Author is who changes a view: its owner, or somebody who may change all.
type Author struct {
	ID   int64
	Name string
	All  bool
}

// Store keeps views in the metadata database. It is safe for concurrent use.
type Store struct {
	db  *metadb.DB
	now func() time.Time
}

// NewStore returns a Store; now is time.Now when nil.
func NewStore(db *metadb.DB, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: db, now: now}
}

const columns = `id, project_id, kind, name, query, owner_id, owner, version, created_at, updated_at`

func scan(r interface{ Scan(...any) error }) (v View, err error) {
	var p, created, updated int64
	err = r.Scan(&v.ID, &p, &v.Kind, &v.Name, &v.Query, &v.OwnerID, &v.Owner, &v.Version, &created, &updated)
	v.Project, v.CreatedAt, v.UpdatedAt = project.ID(p), metadb.FromMicros(created), metadb.FromMicros(updated)
	return v, err
}

func (v *View) check() error {
	v.Name, v.Query = strings.TrimSpace(v.Name), strings.TrimSpace(v.Query)
	switch {
	case !slices.Contains(Kinds, v.Kind):
		return fault.New(fault.Invalid, "there are no views of kind %q", v.Kind).WithField("kind")
	case v.Name == "" || utf8.RuneCountInString(v.Name) > maxName:
		return fault.New(fault.Invalid, "a name has 1 to %d characters", maxName).WithField("name")
	case v.Query == "" || utf8.RuneCountInString(v.Query) > maxQuery:
		return fault.New(fault.Invalid, "a query has 1 to %d characters", maxQuery).WithField("query")
	}
	return nil
}

// List returns the views of a project of one kind, by name.
func (s *Store) List(ctx context.Context, p project.ID, kind string) ([]View, error) {
	rows, err := s.db.Query(ctx, `SELECT `+columns+` FROM saved_view WHERE project_id = $1 AND kind = $2 ORDER BY name, id`, int64(p), kind)
	views, err := metadb.Collect(rows, err, func(r *metadb.Rows) (View, error) { return scan(r) })
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	return views, nil
}

func get(ctx context.Context, q metadb.Querier, p project.ID, id int64) (View, error) {
	v, err := scan(q.QueryRow(ctx, `SELECT `+columns+` FROM saved_view WHERE project_id = $1 AND id = $2`, int64(p), id))
	if errors.Is(err, metadb.ErrNoRows) {
		return v, fault.New(fault.NotFound, "view %d does not exist", id)
	}
	if err != nil {
		return v, fmt.Errorf("read view: %w", err)
	}
	return v, nil
}

// Create adds a view to a project. Kind, Name and Query are v's, the rest is filled in.
func (s *Store) Create(ctx context.Context, p project.ID, by Author, v View) (View, error) {
	v.Project = p
	if err := v.check(); err != nil {
		return v, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) (err error) {
		var have int64
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM saved_view WHERE project_id = $1`, int64(p)).Scan(&have); err != nil {
			return fmt.Errorf("count views: %w", err)
		}
		if have >= maxViews {
			return fault.New(fault.Invalid, "a project has at most %d views: delete one that nobody needs", maxViews)
		}
		if v.ID, err = metadb.NextID(ctx, tx, "saved_view"); err != nil {
			return fmt.Errorf("new view id: %w", err)
		}
		now := metadb.Micros(s.now())
		v.OwnerID, v.Owner, v.Version = by.ID, by.Name, 1
		v.CreatedAt, v.UpdatedAt = metadb.FromMicros(now), metadb.FromMicros(now)
		_, err = tx.Exec(ctx, `INSERT INTO saved_view (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)`,
			v.ID, int64(p), v.Kind, v.Name, v.Query, v.OwnerID, v.Owner, now)
		return named(err)
	})
	return v, err
}

// Update gives a view another name or query. Conflict when it has been changed
// since version, Denied when it is somebody else's.
func (s *Store) Update(ctx context.Context, p project.ID, by Author, id, version int64, name, query string) (v View, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if v, err = get(ctx, tx, p, id); err != nil {
			return err
		}
		if err := by.may(v); err != nil {
			return err
		}
		if v.Version != version {
			return fault.New(fault.Conflict, "somebody else changed this in the meantime: read it again").WithField("version")
		}
		v.Name, v.Query, v.Version = name, query, version+1
		if err := v.check(); err != nil {
			return err
		}
		now := metadb.Micros(s.now())
		v.UpdatedAt = metadb.FromMicros(now)
		_, err := tx.Exec(ctx, `UPDATE saved_view SET name = $2, query = $3, version = $4, updated_at = $5 WHERE id = $1`, id, v.Name, v.Query, v.Version, now)
		return named(err)
	})
	return v, err
}

// Delete removes a view. Denied when it is somebody else's.
func (s *Store) Delete(ctx context.Context, p project.ID, by Author, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		v, err := get(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if err := by.may(v); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM saved_view WHERE id = $1`, id)
		return err
	})
}

// Erase removes a project's views.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM saved_view WHERE project_id = $1`, int64(p))
	return err
}

func (a Author) may(v View) error {
	if a.All || a.ID == v.OwnerID {
		return nil
	}
	return fault.New(fault.Denied, "this view is %s's: only they and editors may change it", v.Owner)
}

func named(err error) error {
	if metadb.IsUnique(err) {
		return fault.New(fault.Conflict, "a view of this name exists already").WithField("name")
	}
	return err
}
