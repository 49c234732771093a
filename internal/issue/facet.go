package issue

import (
	"context"
	"fmt"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Facets are by what the issues of a query can be narrowed down, each with how
// many issues that would leave: whatever else was asked for holds.
type Facets struct {
	Services  []Facet         `json:"services" doc:"the most frequent 100"`
	Versions  []Facet         `json:"versions" doc:"the most frequent 100"`
	Assignees []AssigneeFacet `json:"assignees"`
}

// Facet is a value and how many issues have it.
type Facet struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// AssigneeFacet is an account and how many issues are assigned to it.
type AssigneeFacet struct {
	ID    int64  `json:"id" doc:"-1 = nobody"`
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Facets counts a query's issues by service, version and assignee, each as if
// the query did not ask for it.
func (s *Store) Facets(ctx context.Context, p project.ID, q Query) (*Facets, error) {
	out := &Facets{}
	for _, tag := range []struct {
		kind string
		of   Query
		into *[]Facet
	}{
		{"service", q.without(func(q *Query) { q.Service = "" }), &out.Services},
		{"version", q.without(func(q *Query) { q.Version = "" }), &out.Versions},
	} {
		c, err := tag.of.condition(p)
		if err != nil {
			return nil, err
		}
		rows, err := s.db.Query(ctx, `SELECT t.value, COUNT(*) FROM issue_tag t JOIN issue i ON i.id = t.issue_id WHERE t.kind = '`+tag.kind+`' AND `+c.sql.String()+
			` GROUP BY t.value ORDER BY COUNT(*) DESC, t.value LIMIT 100`, c.args...)
		*tag.into, err = metadb.Collect(rows, err, func(r *metadb.Rows) (f Facet, err error) { return f, r.Scan(&f.Value, &f.Count) })
		if err != nil {
			return nil, fmt.Errorf("count issues by %s: %w", tag.kind, err)
		}
	}
	c, err := q.without(func(q *Query) { q.Assignee = 0 }).condition(p)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT i.assignee_id, MAX(i.assignee), COUNT(*) FROM issue i WHERE `+c.sql.String()+` GROUP BY i.assignee_id ORDER BY COUNT(*) DESC, i.assignee_id`, c.args...)
	out.Assignees, err = metadb.Collect(rows, err, func(r *metadb.Rows) (f AssigneeFacet, err error) {
		err = r.Scan(&f.ID, &f.Name, &f.Count)
		if f.ID == 0 {
			f.ID = -1
		}
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("count issues by assignee: %w", err)
	}
	return out, nil
}

func (q Query) without(change func(*Query)) Query {
	change(&q)
	return q
}
