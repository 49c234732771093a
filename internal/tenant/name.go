package tenant

import (
	"context"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// named are the things of which Names tells the name, with their tables.
var named = map[string]string{"org": "organisation", "group": "project_group", "project": "project", "person": "account", "token": "api_token"}

// Named reports whether things of a kind have a number and a name, for Names.
func Named(what string) bool { return named[what] != "" }

// Names returns the names of organisations, groups, projects, persons or tokens,
// by their number. Who asks must be allowed to know that they exist.
func (s *Store) Names(ctx context.Context, what string, ids []int64) (map[int64]string, error) {
	table := named[what]
	if table == "" {
		return nil, fault.New(fault.Internal, "a %q has no name", what)
	}
	names := map[int64]string{}
	if len(ids) == 0 {
		return names, nil
	}
	places, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		places[i], args[i] = "$"+strconv.Itoa(i+1), id
	}
	rows, err := s.db.Query(ctx, `SELECT id, name FROM `+table+` WHERE id IN (`+strings.Join(places, ", ")+`)`, args...)
	_, err = metadb.Collect(rows, err, func(r *metadb.Rows) (struct{}, error) {
		var id int64
		var name string
		err := r.Scan(&id, &name)
		names[id] = name
		return struct{}{}, err
	})
	return names, err
}

// OrgProjects lists the projects in use of one organisation.
func (s *Store) OrgProjects(ctx context.Context, org int64) ([]Project, error) {
	rows, err := s.db.Query(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.archived_at = 0 AND p.org_id = $1 ORDER BY p.name, p.id`, org)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Project, error) { return scanProject(r) })
}
