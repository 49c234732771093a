package dashboard

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	maxDashboards = 200 // of a project
	maxVersions   = 50  // kept of a dashboard
)

// Store keeps dashboards in the metadata database. Every edit is a version with
// its author. It is safe for concurrent use.
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

const columns = `id, project_id, body, version, created_at, updated_at, updated_by`

func scan(r interface{ Scan(...any) error }) (d Dashboard, err error) {
	var p, created, updated int64
	var body json.RawMessage
	if err := r.Scan(&d.ID, &p, &body, &d.Version, &created, &updated, &d.UpdatedBy); err != nil {
		return d, err
	}
	d.Project, d.CreatedAt, d.UpdatedAt = project.ID(p), metadb.FromMicros(created), metadb.FromMicros(updated)
	return d, json.Unmarshal(body, &d.Document)
}

// List returns the dashboards of a project by name.
func (s *Store) List(ctx context.Context, p project.ID) ([]Dashboard, error) {
	rows, err := s.db.Query(ctx, `SELECT `+columns+` FROM dashboard WHERE project_id = $1 ORDER BY name, id`, int64(p))
	list, err := metadb.Collect(rows, err, func(r *metadb.Rows) (Dashboard, error) { return scan(r) })
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	return list, nil
}

// Get returns one dashboard of a project.
func (s *Store) Get(ctx context.Context, p project.ID, id int64) (Dashboard, error) {
	return get(ctx, s.db, p, id)
}

func get(ctx context.Context, q metadb.Querier, p project.ID, id int64) (Dashboard, error) {
	d, err := scan(q.QueryRow(ctx, `SELECT `+columns+` FROM dashboard WHERE project_id = $1 AND id = $2`, int64(p), id))
	if errors.Is(err, metadb.ErrNoRows) {
		return d, fault.New(fault.NotFound, "dashboard %d does not exist", id)
	}
	if err != nil {
		return d, fmt.Errorf("read dashboard: %w", err)
	}
	return d, nil
}

// Create adds a dashboard to a project.
func (s *Store) Create(ctx context.Context, p project.ID, author string, doc Document) (d Dashboard, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		d, err = create(ctx, tx, p, author, doc, s.now())
		return err
	})
	return d, err
}

func create(ctx context.Context, tx *metadb.Tx, p project.ID, author string, doc Document, now time.Time) (Dashboard, error) {
	d := Dashboard{Project: p, Document: doc, Version: 1, UpdatedBy: author}
	if err := d.Document.check(); err != nil {
		return d, err
	}
	var have int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM dashboard WHERE project_id = $1`, int64(p)).Scan(&have); err != nil {
		return d, fmt.Errorf("count dashboards: %w", err)
	}
	if have >= maxDashboards {
		return d, fault.New(fault.Invalid, "a project has at most %d dashboards: delete one that nobody needs", maxDashboards)
	}
	var err error
	if d.ID, err = metadb.NextID(ctx, tx, "dashboard"); err != nil {
		return d, fmt.Errorf("new dashboard id: %w", err)
	}
	at := metadb.Micros(now)
	d.CreatedAt, d.UpdatedAt = metadb.FromMicros(at), metadb.FromMicros(at)
	_, err = tx.Exec(ctx, `INSERT INTO dashboard (id, project_id, name, body, version, created_at, updated_at, updated_by) VALUES ($1, $2, $3, $4, 1, $5, $5, $6)`,
		d.ID, int64(p), d.Document.Name, d.Document.encode(), at, author)
	if err != nil {
		return d, named(err, d)
	}
	return d, record(ctx, tx, d, "created")
}

// Update replaces the document of a dashboard. Conflict when it has been edited
// since version.
func (s *Store) Update(ctx context.Context, p project.ID, author string, id, version int64, doc Document) (d Dashboard, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if d, err = read(ctx, tx, p, id, version); err != nil {
			return err
		}
		d.Document = doc
		if err := d.Document.check(); err != nil {
			return err
		}
		at := metadb.Micros(s.now())
		d.Version, d.UpdatedBy, d.UpdatedAt = version+1, author, metadb.FromMicros(at)
		_, err := tx.Exec(ctx, `UPDATE dashboard SET name = $2, body = $3, version = $4, updated_at = $5, updated_by = $6 WHERE id = $1`,
			id, d.Document.Name, d.Document.encode(), d.Version, at, author)
		if err != nil {
			return named(err, d)
		}
		return record(ctx, tx, d, "updated")
	})
	return d, err
}

// Delete removes a dashboard; its history stays. Conflict as in Update.
func (s *Store) Delete(ctx context.Context, p project.ID, author string, id, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		d, err := read(ctx, tx, p, id, version)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM dashboard WHERE id = $1`, id); err != nil {
			return fmt.Errorf("delete dashboard: %w", err)
		}
		d.Version, d.UpdatedBy, d.UpdatedAt = version+1, author, metadb.FromMicros(metadb.Micros(s.now()))
		return record(ctx, tx, d, "deleted")
	})
}

// read is get for an edit of a version.
func read(ctx context.Context, tx *metadb.Tx, p project.ID, id, version int64) (Dashboard, error) {
	d, err := get(ctx, tx, p, id)
	if err == nil && d.Version != version {
		err = fault.New(fault.Conflict, "dashboard %d was edited by %s meanwhile: read it again", id, d.UpdatedBy)
	}
	return d, err
}

// Edition is one version of a dashboard: who made it, when, and what it then was.
type Edition struct {
	Version  int64     `json:"version"`
	At       time.Time `json:"at"`
	Author   string    `json:"author"`
	Action   string    `json:"action" enum:"created,updated,deleted"`
	Document Document  `json:"document"`
}

// History returns the last versions of a dashboard, newest first, also of a
// deleted one.
func (s *Store) History(ctx context.Context, p project.ID, id int64) ([]Edition, error) {
	rows, err := s.db.Query(ctx, `SELECT version, at, author, action, body FROM dashboard_history WHERE project_id = $1 AND dashboard_id = $2
		ORDER BY version DESC`, int64(p), id)
	changes, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (c Edition, err error) {
		var at int64
		var body json.RawMessage
		if err := rows.Scan(&c.Version, &at, &c.Author, &c.Action, &body); err != nil {
			return c, err
		}
		c.At = metadb.FromMicros(at)
		return c, json.Unmarshal(body, &c.Document)
	})
	if err != nil {
		return nil, fmt.Errorf("read dashboard history: %w", err)
	}
	if len(changes) == 0 {
		return nil, fault.New(fault.NotFound, "dashboard %d does not exist", id)
	}
	return changes, nil
}

func record(ctx context.Context, tx *metadb.Tx, d Dashboard, action string) error {
	_, err := tx.Exec(ctx, `INSERT INTO dashboard_history (dashboard_id, version, project_id, at, author, action, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.ID, d.Version, int64(d.Project), metadb.Micros(d.UpdatedAt), d.UpdatedBy, action, d.Document.encode())
	if err != nil {
		return fmt.Errorf("record dashboard: %w", err)
	}
	_, err = tx.Exec(ctx, `DELETE FROM dashboard_history WHERE dashboard_id = $1 AND version <= $2`, d.ID, d.Version-maxVersions)
	if err != nil {
		return fmt.Errorf("forget old versions: %w", err)
	}
	return nil
}

//go:embed overview.json
var overview []byte

// SeedDefaults gives a new project the dashboard it starts with: a service at a
// glance, by signals that every sender has.
func SeedDefaults(ctx context.Context, tx *metadb.Tx, p project.ID, now time.Time) error {
	doc, _, err := Import(overview)
	if err != nil {
		return fmt.Errorf("default dashboard: %w", err)
	}
	_, err = create(ctx, tx, p, "matrix", doc, now)
	return err
}

// Erase removes all dashboards of a project, with what they were.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM dashboard_history WHERE project_id = $1`, int64(p)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM dashboard WHERE project_id = $1`, int64(p))
	return err
}

// named turns the database's word for a name that is taken into ours.
func named(err error, d Dashboard) error {
	if metadb.IsUnique(err) {
		return fault.New(fault.Conflict, "the project has a dashboard named %q already", d.Document.Name).WithField("name")
	}
	return fmt.Errorf("write dashboard: %w", err)
}
