package quality

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Outcome is what became of a cell.
type Outcome struct {
	CallID     string    `json:"call_id"`
	Answer     string    `json:"answer"`
	Valid      *bool     `json:"valid" doc:"null: the role has no schema"`
	Grounded   *bool     `json:"grounded" doc:"null: not looked at"`
	Unstated   []string  `json:"unstated" doc:"what the answer states and its input does not"`
	Model      string    `json:"model" doc:"that answered"`
	Dropped    []string  `json:"dropped"`
	Attempts   int       `json:"attempts"`
	LatencyMs  int64     `json:"latency_ms"`
	Usage      ai.Usage  `json:"usage"`
	Error      string    `json:"error"`
	FinishedAt time.Time `json:"finished_at"`
}

// The states of an experiment and of its cells.
const (
	Running   = "running"
	Done      = "done"
	Cancelled = "cancelled" // by a person
	Stopped   = "stopped"   // by a limit
	Waiting   = "waiting"   // a cell
	OK        = "ok"        // a cell
	Failed    = "failed"    // a cell
)

// Start stores an experiment and has it run.
func (s *Service) Start(ctx context.Context, p project.ID, person int64, name string, spec Spec) (*Experiment, error) {
	made, _, err := s.plan(ctx, p, spec)
	if err != nil {
		return nil, err
	}
	if made.Name == "" {
		made.Name = made.Role
	}
	encoded, err := json.Marshal(made)
	if err != nil {
		return nil, fmt.Errorf("write experiment: %w", err)
	}
	var id int64
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if id, err = metadb.NextID(ctx, tx, "ai_experiment"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO ai_experiment (id, project_id, name, role, state, reason, run, spec, person_id, created_by, created_at, ended_at)
			VALUES ($1, $2, $3, $4, 'running', '', 1, $5, $6, $7, $8, 0)`, id, p, made.Name, made.Role, string(encoded), person, name, metadb.Micros(s.now()))
		if err != nil {
			return err
		}
		number := 0
		for range made.Repeats {
			for in := range made.Asked {
				for v := range made.Variants {
					number++
					if _, err := tx.Exec(ctx, `INSERT INTO ai_experiment_cell (experiment_id, number, variant, input, state, body) VALUES ($1, $2, $3, $4, 'waiting', '')`,
						id, number, v, in); err != nil {
						return err
					}
				}
			}
		}
		return s.jobs.Insert(ctx, tx, experimentJob{Experiment: id, Run: 1})
	})
	if err != nil {
		return nil, fmt.Errorf("start experiment: %w", err)
	}
	return s.Experiment(ctx, p, id)
}

// Cancel ends an experiment; its calls under way are given up.
func (s *Service) Cancel(ctx context.Context, p project.ID, id int64) error {
	n, err := s.db.Exec(ctx, `UPDATE ai_experiment SET state = 'cancelled', ended_at = $3 WHERE project_id = $1 AND id = $2 AND state = 'running'`, p, id, metadb.Micros(s.now()))
	if err != nil || n > 0 {
		return err
	}
	if _, err := s.Experiment(ctx, p, id); err != nil {
		return err
	}
	return fault.New(fault.Conflict, "the experiment has ended already")
}

// Resume takes an experiment up again that has ended: with what still waits and
// with what has failed.
func (s *Service) Resume(ctx context.Context, p project.ID, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var run int64
		err := tx.QueryRow(ctx, `UPDATE ai_experiment SET state = 'running', reason = '', ended_at = 0, run = run + 1
			WHERE project_id = $1 AND id = $2 AND state <> 'running' RETURNING run`, p, id).Scan(&run)
		if errors.Is(err, metadb.ErrNoRows) {
			if _, _, err := s.load(ctx, tx, p, id); err != nil {
				return err
			}
			return fault.New(fault.Conflict, "the experiment is running")
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE ai_experiment_cell SET state = 'waiting', body = '' WHERE experiment_id = $1 AND state = 'failed'`, id); err != nil {
			return err
		}
		return s.jobs.Insert(ctx, tx, experimentJob{Experiment: id, Run: run})
	})
}

// Delete removes an experiment with its answers; what the log holds of its calls stays.
func (s *Service) Delete(ctx context.Context, p project.ID, id int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, _, err := s.load(ctx, tx, p, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ai_experiment_cell WHERE experiment_id = $1`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM ai_experiment WHERE id = $1`, id)
		return err
	})
}

// Promote makes a draft of the role out of a variant: its version with its
// parameters, and its model before the others of the chain. No call uses the
// draft before a label is moved to it. Out of a role of the installation it makes
// a draft of that one for who may edit the shared ones, and else one of the
// organisation's own role, which is made when there is none.
func (s *Service) Promote(ctx context.Context, p project.ID, id int64, variant int, notes, author string, shared bool) (*ai.Role, error) {
	found, made, err := s.load(ctx, s.db, p, id)
	if err != nil {
		return nil, err
	}
	if variant < 0 || variant >= len(made.Variants) {
		return nil, fault.New(fault.Invalid, "the experiment has no variant %d", variant).WithField("variant")
	}
	v := &made.Variants[variant]
	base, err := s.ai.Roles().At(ctx, made.Owner, made.Role, v.Version)
	if err != nil {
		return nil, err
	}
	latest, err := s.promoted(ctx, p, made, author, shared)
	if err != nil {
		return nil, err
	}
	draft := *base
	draft.Owner, draft.Version = latest.Owner, latest.Version
	if v.Model != "" {
		winner := v.entry(base.Chain)
		draft.Chain = append([]ai.Entry{winner}, slices.DeleteFunc(slices.Clone(base.Chain), func(e ai.Entry) bool { return e.Provider == v.Provider && e.Model == v.Model })...)
		draft.Chain = draft.Chain[:min(len(draft.Chain), 5)]
	}
	if v.Temperature != nil {
		draft.Parameters.Temperature = v.Temperature
	}
	if v.TopP != nil {
		draft.Parameters.TopP = v.TopP
	}
	if len(draft.Chain) > 0 && draft.Chain[0].Parameters != nil { // the entry's own would go over those that won
		own := *draft.Chain[0].Parameters
		if v.Temperature != nil {
			own.Temperature = nil
		}
		if v.TopP != nil {
			own.TopP = nil
		}
		draft.Chain = slices.Clone(draft.Chain)
		draft.Chain[0].Parameters = &own
	}
	draft.Notes = fmt.Sprintf("Playground experiment %d “%s”", id, found.Name)
	if notes != "" {
		draft.Notes += ": " + notes
	}
	return s.ai.Roles().Update(ctx, draft, false, ai.Forbidden, author)
}

// promoted is the role that a winner becomes a draft of.
func (s *Service) promoted(ctx context.Context, p project.ID, made *plan, author string, shared bool) (*ai.Role, error) {
	roles := s.ai.Roles()
	if made.Owner != ai.Shared || shared {
		return roles.Get(ctx, made.Owner, made.Role)
	}
	org, err := s.ai.OwnerOf(p)
	if err != nil {
		return nil, err
	}
	if org == ai.Shared {
		return nil, fault.New(fault.Denied, "role %q is the installation's, and the project has no organisation that could have its own", made.Role)
	}
	own, err := roles.Get(ctx, org, made.Role)
	if fault.Is(err, fault.NotFound) {
		return roles.Adopt(ctx, org, made.Role, author)
	}
	return own, err
}
