package tenant

import (
	"context"
	"fmt"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Subject is one of those that a limit can be about.
type Subject struct {
	ID   string `json:"id" doc:"number, or the code of a role"`
	Name string `json:"name"`
	In   string `json:"in" doc:"what it belongs to: of a group its organisation, of a project its organisation and group, of a person the address, of a token its owner"`
}

// maxSubjects is how many of them one search returns.
const maxSubjects = 50

// subjects reads each kind of thing that has a number: as id, name, what it is in
// and the organisation it is of. Who has an account is of the organisations
// that they are a member of, and so are their tokens.
var subjects = map[string]string{
	"org":   `SELECT o.id, o.name, '' AS place, o.id AS org FROM organisation o`,
	"group": `SELECT g.id, g.name, o.name AS place, g.org_id AS org FROM project_group g JOIN organisation o ON o.id = g.org_id`,
	"project": `SELECT p.id, p.name, o.name || ' / ' || g.name AS place, p.org_id AS org FROM project p
		JOIN organisation o ON o.id = p.org_id JOIN project_group g ON g.id = p.group_id WHERE p.archived_at = 0`,
	"person": `SELECT a.id, a.name, a.email AS place, m.org_id AS org FROM account a LEFT JOIN membership m ON m.user_id = a.id WHERE NOT a.disabled`,
	"token": `SELECT t.id, t.name, a.name AS place, m.org_id AS org FROM api_token t JOIN account a ON a.id = t.user_id
		LEFT JOIN membership m ON m.user_id = a.id WHERE t.revoked_at = 0`,
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// Subjects finds organisations, groups, projects, persons or tokens by a part of
// their name or of what they are in: those of one organisation, or with org 0 of
// all. At most 50.
func (s *Store) Subjects(ctx context.Context, what string, org int64, words string) ([]Subject, error) {
	return s.subjects(ctx, what, org, `LOWER(name || ' ' || place) LIKE $2 ESCAPE '\'`, "%"+escapeLike.Replace(strings.ToLower(words))+"%")
}

// HasSubject reports whether there is one of that number, in the organisation
// unless org is 0.
func (s *Store) HasSubject(ctx context.Context, what string, org, id int64) (bool, error) {
	found, err := s.subjects(ctx, what, org, `id = $2`, id)
	return len(found) > 0, err
}

func (s *Store) subjects(ctx context.Context, what string, org int64, where string, arg any) ([]Subject, error) {
	query := subjects[what]
	if query == "" {
		return nil, fault.New(fault.Internal, "a %q is no subject of a limit", what)
	}
	rows, err := s.db.Query(ctx, fmt.Sprintf(`SELECT DISTINCT id, name, place FROM (%s) x WHERE (CAST($1 AS BIGINT) = 0 OR org = CAST($1 AS BIGINT)) AND %s
		ORDER BY name, place, id LIMIT %d`, query, where, maxSubjects), org, arg)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (one Subject, err error) {
		var id int64
		err = r.Scan(&id, &one.Name, &one.In)
		one.ID = fmt.Sprint(id)
		return one, err
	})
}

// OrgGroups returns the numbers of the groups of an organisation.
func (s *Store) OrgGroups(ctx context.Context, org int64) ([]int64, error) {
	rows, err := s.db.Query(ctx, `SELECT id FROM project_group WHERE org_id = $1 ORDER BY id`, org)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
}
