package incident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/rule"
)

const (
	// causeWindow is how far apart two incidents open of which one causes the other.
	causeWindow = 10 * time.Minute
	// callsBack is how far back the service map is read: calls that fail have been
	// made before.
	callsBack = time.Hour
	// graphPatience bounds reading the service map: people wait for their alarm.
	graphPatience = 10 * time.Second
	// relatePatience is how long an incident waits for relateJob before the next
	// match tells of it all the same.
	relatePatience = time.Minute
	// samePass is how far apart incidents open that one evaluation of a rule opens.
	samePass = time.Second
)

// relateJob decides whether an incident is a symptom of another, then tells of it.
type relateJob struct {
	Incident int64 `json:"incident_id"`
}

// Kind implements river.JobArgs.
func (relateJob) Kind() string { return "incident_relate" }

// tellOrRelate tells of an incident that has just been opened, at once when no
// other could be its cause or its symptom. Otherwise a job reads the service map
// first, which must not happen inside the evaluation's transaction.
func (s *Service) tellOrRelate(ctx context.Context, tx *metadb.Tx, id int64) error {
	c, err := s.own(ctx, tx, id)
	if err != nil {
		return err
	}
	if s.opts.Calls == nil {
		return s.announce(ctx, tx, id)
	}
	others, err := s.neighbours(ctx, tx, &c)
	if err != nil {
		return err
	}
	if len(others) == 0 {
		return s.announce(ctx, tx, id)
	}
	if err := s.recall(ctx, tx, &c, others); err != nil {
		return err
	}
	return s.opts.Jobs.Insert(ctx, tx, relateJob{Incident: id})
}

// recall takes back the alarm of the first service for which a rule fired, when it
// has just been written and is not sent yet: it is told together with the others.
func (s *Service) recall(ctx context.Context, tx *metadb.Tx, c *record, others []record) error {
	for i := range others {
		first := &others[i]
		if first.Rule.ID != c.Rule.ID || !first.Told || c.OpenedAt.Sub(first.OpenedAt) > samePass {
			continue
		}
		back, err := s.opts.Outbox.Recall(ctx, tx, first.Project, ref(first.ID)+"/alarm")
		if err != nil {
			return err
		}
		if !back {
			continue
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET told = $2 WHERE id = $1`, first.ID, false); err != nil {
			return fmt.Errorf("recall alarm: %w", err)
		}
	}
	return nil
}

// deciding reports whether relateJob is still to say if people are told of c.
func (s *Service) deciding(c *record) bool {
	return s.opts.Calls != nil && c.Parent == 0 && c.Silence == 0 && s.opts.Now().Sub(c.OpenedAt) < relatePatience
}

// neighbours are the incidents that go on in other services of the same phase and
// opened about when c did, the oldest first, without what is a part or a symptom.
func (s *Service) neighbours(ctx context.Context, q metadb.Querier, c *record) ([]record, error) {
	rows, err := q.Query(ctx, `SELECT `+recordColumns+` FROM incident WHERE project_id = $1 AND phase = $2 AND service <> $3
		AND id <> $4 AND resolved_at = 0 AND parent_id = 0 AND opened_at >= $5 ORDER BY opened_at, id`,
		c.Project, c.Phase, c.Service, c.ID, metadb.Micros(c.OpenedAt.Add(-causeWindow)))
	found, err := metadb.Collect(rows, err, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("look for neighbours: %w", err)
	}
	return found, nil
}

// relate is the job behind relateJob. When the service map cannot be read, people
// are told without it.
func (s *Service) relate(ctx context.Context, args relateJob) error {
	c, err := s.own(ctx, s.opts.DB, args.Incident)
	if err != nil || c.Told || c.Parent != 0 {
		return err
	}
	reading, cancel := context.WithTimeout(ctx, graphPatience)
	calls, err := s.opts.Calls(reading, c.Project, c.Phase, c.OpenedAt.Add(-callsBack), s.opts.Now())
	cancel()
	if ctx.Err() != nil {
		return ctx.Err() // the node is stopping; the job runs again
	}
	if err != nil {
		s.opts.Log.WarnContext(ctx, "the service map cannot be read: an incident is told of without its causes", "incident_id", c.ID, "error", err.Error())
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		// What else of the rule waits is decided with it, so that people are told of it
		// at once; the jobs of those find nothing left to do.
		ids, err := s.undecided(ctx, tx, &c)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := s.decide(ctx, tx, id, calls); err != nil {
				return err
			}
		}
		return nil
	})
}

// maxDecided is how many incidents of a rule are decided in one transaction.
const maxDecided = 100

// undecided returns an incident and those of its rule and phase that wait for the same
// decision, the oldest first.
func (s *Service) undecided(ctx context.Context, tx *metadb.Tx, c *record) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT id FROM incident WHERE id = $1 OR project_id = $2 AND rule_id = $3 AND phase = $4 AND told = $5 AND parent_id = 0
		AND silence_id = 0 AND resolved_at = 0 AND opened_at >= $6 ORDER BY opened_at, id LIMIT $7`,
		c.ID, c.Project, c.Rule.ID, c.Phase, false, metadb.Micros(s.opts.Now().Add(-relatePatience)), maxDecided)
	ids, err := metadb.Collect(rows, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("look for undecided incidents: %w", err)
	}
	return ids, nil
}

// decide makes an incident a symptom of another by who calls whom, or tells of it
// and makes others its symptoms.
func (s *Service) decide(ctx context.Context, tx *metadb.Tx, id int64, calls map[string][]string) error {
	c, err := s.own(ctx, tx, id)
	if err != nil || c.Told || c.Parent != 0 {
		return err
	}
	others, err := s.neighbours(ctx, tx, &c)
	if err != nil {
		return err
	}
	called := reach(calls, c.Service)
	if i := slices.IndexFunc(others, func(o record) bool { return called[o.Service] }); i >= 0 {
		if err := s.attach(ctx, tx, &c, &others[i]); err != nil {
			return err
		}
		return s.announce(ctx, tx, c.ID) // if it is worse than its cause
	}
	if err := s.announce(ctx, tx, c.ID); err != nil {
		return err
	}
	for _, other := range others {
		if reach(calls, other.Service)[c.Service] {
			if err := s.attach(ctx, tx, &other, &c); err != nil {
				return err
			}
		}
	}
	return nil
}

// reach returns the services that a service calls, directly or not.
func reach(calls map[string][]string, from string) map[string]bool {
	seen := map[string]bool{}
	for open := []string{from}; len(open) > 0; {
		next := open[0]
		open = open[1:]
		for _, to := range calls[next] {
			if !seen[to] {
				seen[to] = true
				open = append(open, to)
			}
		}
	}
	return seen
}

// attach makes an incident, with the symptoms it has, a symptom of its cause.
func (s *Service) attach(ctx context.Context, tx *metadb.Tx, symptom, cause *record) error {
	_, err := tx.Exec(ctx, `UPDATE incident SET parent_id = $2, parent_kind = 'symptom'
		WHERE id = $1 OR parent_id = $1 AND parent_kind = 'symptom'`, symptom.ID, cause.ID)
	if err != nil {
		return fmt.Errorf("attach symptom: %w", err)
	}
	err = s.note(ctx, tx, symptom.ID, "symptom_of", map[string]any{"incident": cause.ID, "title": cause.Title})
	if err != nil {
		return err
	}
	return s.note(ctx, tx, cause.ID, "symptom", map[string]any{"incident": symptom.ID, "title": symptom.Title})
}

// worse reports whether the first severity is worse than the second.
func worse(a, b string) bool {
	return slices.Index(rule.Severities, a) > slices.Index(rule.Severities, b)
}
