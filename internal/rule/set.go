package rule

import (
	"context"
	"fmt"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// CreateAll adds rules to a project, all or none. Those whose name the project
// has already are left alone and returned as skipped.
func (s *Store) CreateAll(ctx context.Context, p project.ID, author string, rules []Rule) (made []Rule, skipped []string, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		made, skipped = []Rule{}, []string{} // the transaction may be tried again
		taken, err := names(ctx, tx, p)
		if err != nil {
			return err
		}
		for _, r := range rules {
			if taken[r.Name] {
				skipped = append(skipped, r.Name)
				continue
			}
			taken[r.Name] = true
			created, err := create(ctx, tx, p, author, r, s.now())
			if f := fault.As(err); f != nil {
				// Which of the rules it is must be in what the caller sees.
				return fault.New(f.Kind, "rule %q: %s", r.Name, f.Message).WithField(f.Field)
			}
			if err != nil {
				return err
			}
			made = append(made, created)
		}
		return nil
	})
	return made, skipped, err
}

// Names returns the names of a project's rules.
func (s *Store) Names(ctx context.Context, p project.ID) (map[string]bool, error) {
	return names(ctx, s.db, p)
}

func names(ctx context.Context, q metadb.Querier, p project.ID) (map[string]bool, error) {
	rows, err := q.Query(ctx, `SELECT name FROM rule WHERE project_id = $1`, int64(p))
	all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("read names of rules: %w", err)
	}
	taken := make(map[string]bool, len(all))
	for _, name := range all {
		taken[name] = true
	}
	return taken, nil
}
