package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

const (
	pastSince = 90 * 24 * time.Hour // how long ago an incident may be that is told of
	maxPast   = 50                  // looked at: each has its evidence
)

// past returns the incidents of the last 90 days that were opened before c, of the
// same kind of rule in the same service and phase, the latest first: what package
// evidence finds those of the same shape among.
func (s *Service) past(ctx context.Context, c *record) ([]evidence.Past, error) {
	const alike = ` FROM incident WHERE project_id = $1 AND id <> $2 AND rule_kind = $3 AND service = $4 AND phase = $5
		AND opened_at >= $6 AND opened_at <= $7 AND parent_kind <> 'merged' ORDER BY opened_at DESC, id DESC LIMIT $8`
	args := []any{c.Project, c.ID, c.Rule.Kind, c.Service, c.Phase, metadb.Micros(c.OpenedAt.Add(-pastSince)), metadb.Micros(c.OpenedAt), maxPast}
	rows, err := s.opts.DB.Query(ctx, `SELECT `+recordColumns+alike, args...)
	records, err := metadb.Collect(rows, err, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("find past incidents: %w", err)
	}
	type said struct {
		incident int64
		text     string
	}
	rows, err = s.opts.DB.Query(ctx, `SELECT incident_id, data FROM incident_event WHERE kind = 'comment'
		AND incident_id IN (SELECT id`+alike+`) ORDER BY id`, args...)
	comments, err := metadb.Collect(rows, err, func(r *metadb.Rows) (x said, err error) {
		var raw json.RawMessage
		if err := r.Scan(&x.incident, &raw); err != nil {
			return x, err
		}
		var data comment
		err = json.Unmarshal(raw, &data)
		x.text = data.Text
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("read comments of past incidents: %w", err)
	}
	last := map[int64]string{}
	for _, x := range comments {
		last[x.incident] = x.text
	}
	past := make([]evidence.Past, len(records))
	for i, r := range records {
		past[i] = evidence.Past{ID: r.ID, Title: r.Title, Subject: r.Subject, State: r.State, Opened: r.OpenedAt, EndedBy: r.ResolvedBy, Comment: last[r.ID], Facts: r.evidence}
		if r.ResolvedAt != nil {
			past[i].Ended = *r.ResolvedAt
		}
	}
	return past, nil
}
