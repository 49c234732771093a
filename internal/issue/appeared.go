package issue

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Appearance is an issue that was found for the first time, or came back.
type Appearance struct {
	Project              project.ID
	Issue                int64
	State                State // New or Regressed
	Title                string
	Service, Environment string // the first it was seen in
	At                   time.Time
}

// maxAppeared is how many appearances one read returns.
const maxAppeared = 1000

// Appeared returns what appeared in (after, until], by when we learned of it. It
// is for the evaluation of rules only: it crosses projects.
func (s *Store) Appeared(ctx context.Context, projects []project.ID, after, until time.Time) ([]Appearance, error) {
	args := []any{metadb.Micros(after), metadb.Micros(until)}
	places := make([]string, len(projects))
	for i, p := range projects {
		args = append(args, int64(p))
		places[i] = "$" + strconv.Itoa(len(args))
	}
	rows, err := s.db.Query(ctx, `SELECT project_id, id, state, state_since, type, message,
			COALESCE((SELECT value FROM issue_tag WHERE issue_id = issue.id AND kind = 'service' ORDER BY first_seen, value LIMIT 1), ''),
			COALESCE((SELECT value FROM issue_tag WHERE issue_id = issue.id AND kind = 'environment' ORDER BY first_seen, value LIMIT 1), '')
		FROM issue WHERE state IN ('new', 'regressed') AND state_since > $1 AND state_since <= $2 AND merged_into = 0
			AND project_id IN (`+strings.Join(places, ", ")+`) ORDER BY state_since, id LIMIT `+strconv.Itoa(maxAppeared), args...)
	found, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (a Appearance, err error) {
		var id, at int64
		var state, kind, message string
		if err := rows.Scan(&id, &a.Issue, &state, &at, &kind, &message, &a.Service, &a.Environment); err != nil {
			return a, err
		}
		a.Project, a.State, a.At = project.ID(id), State(state), metadb.FromMicros(at)
		a.Title = kind
		if a.Title == "" {
			a.Title = message
		}
		a.Title = fmt.Sprintf("#%d %s", a.Issue, a.Title)
		return a, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read issues that appeared: %w", err)
	}
	return found, nil
}
