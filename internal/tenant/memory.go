package tenant

import (
	"context"
	"sync/atomic"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// database is the metadata database, and a count of what this store has changed in it.
type database struct {
	*metadb.DB
	changes atomic.Int64
}

// Exec implements metadb.Querier.
func (d *database) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	defer d.changes.Add(1)
	return d.DB.Exec(ctx, sql, args...)
}

// InTx is metadb.DB's.
func (d *database) InTx(ctx context.Context, fn func(context.Context, *metadb.Tx) error) error {
	defer d.changes.Add(1)
	return d.DB.InTx(ctx, fn)
}

// Asking is for whom an actor asks models, and whether by name, beside roles.
type Asking struct {
	Project project.ID
	Models  bool
}

// askingKey is what Asking depends on, beside the database.
type askingKey struct {
	user, token int64
	system      bool
	named       string
}

// Asking returns the project that an actor's question to a model is for, named
// or the only one, when the actor may ask at all. Errors are those of ProjectFor
// and Can.
func (s *Store) Asking(ctx context.Context, a Actor, named string) (Asking, error) {
	key := askingKey{user: a.UserID, system: a.System, named: named}
	if a.Token != nil {
		key.token = a.Token.ID
	}
	return s.askings.Get(key, s.db.changes.Load(), s.now(), func() (asking Asking, err error) {
		if asking.Project, err = s.ProjectFor(ctx, a, named); err != nil {
			return asking, err
		}
		target := Target{Project: asking.Project}
		if err := s.Can(ctx, a, ProjectAsk, target); err != nil {
			return asking, err
		}
		asking.Models = s.Can(ctx, a, ProjectModel, target) == nil
		return asking, nil
	})
}
