package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Store keeps the rules. Every edit is a version with its author.
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

// maxRules is how many rules a project may have.
const maxRules = 2000

const ruleColumns = `id, project_id, name, kind, enabled, service, environment, params, count, window_minutes,
	quiet_minutes, channels, severity, owner, runbook, labels, mutes, version, created_at, updated_at, updated_by`

func scanRule(rows interface{ Scan(dest ...any) error }, more ...any) (Rule, error) {
	var r Rule
	var projectID, count, window, quiet, created, updated int64
	var params, channels, labels, mutes json.RawMessage
	err := rows.Scan(append([]any{
		&r.ID, &projectID, &r.Name, &r.Kind, &r.Enabled, &r.Service, &r.Environment, &params, &count, &window,
		&quiet, &channels, &r.Severity, &r.Owner, &r.Runbook, &labels, &mutes, &r.Version, &created, &updated, &r.UpdatedBy,
	}, more...)...)
	if err != nil {
		return r, err
	}
	r.Project, r.Count = project.ID(projectID), int(count)
	r.WindowMinutes, r.QuietMinutes = int(window), int(quiet)
	r.CreatedAt, r.UpdatedAt = metadb.FromMicros(created), metadb.FromMicros(updated)
	return r, errors.Join(json.Unmarshal(params, &r.Params), json.Unmarshal(channels, &r.Channels),
		json.Unmarshal(labels, &r.Labels), json.Unmarshal(mutes, &r.Mutes))
}

// scanWithState scans ruleColumns and how the rule fails.
func scanWithState(rows interface{ Scan(dest ...any) error }) (Rule, error) {
	var failing int64
	var failure string
	r, err := scanRule(rows, &failing, &failure)
	if failing != 0 {
		since := metadb.FromMicros(failing)
		r.FailingSince, r.Failure = &since, failure
	}
	return r, err
}

// List returns the rules of a project by name.
func (s *Store) List(ctx context.Context, p project.ID) ([]Rule, error) {
	rows, err := s.db.Query(ctx, `SELECT `+ruleColumns+`, failing_since, failure FROM rule JOIN rule_state ON rule_id = id
		WHERE project_id = $1 ORDER BY name, id`, int64(p))
	rules, err := metadb.Collect(rows, err, func(r *metadb.Rows) (Rule, error) { return scanWithState(r) })
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	return rules, nil
}

// Get returns one rule of a project.
func (s *Store) Get(ctx context.Context, p project.ID, id int64) (Rule, error) {
	return get(ctx, s.db, p, id)
}

func get(ctx context.Context, q metadb.Querier, p project.ID, id int64) (Rule, error) {
	r, err := scanWithState(q.QueryRow(ctx, `SELECT `+ruleColumns+`, failing_since, failure FROM rule JOIN rule_state ON rule_id = id
		WHERE project_id = $1 AND id = $2`, int64(p), id))
	if errors.Is(err, metadb.ErrNoRows) {
		return r, fault.New(fault.NotFound, "rule %d does not exist", id)
	}
	if err != nil {
		return r, fmt.Errorf("read rule: %w", err)
	}
	return r, nil
}

// Create adds a rule to a project. It counts what arrives from now on.
func (s *Store) Create(ctx context.Context, p project.ID, author string, r Rule) (Rule, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) (err error) {
		r, err = create(ctx, tx, p, author, r, s.now())
		return err
	})
	return r, err
}

func create(ctx context.Context, tx *metadb.Tx, p project.ID, author string, r Rule, now time.Time) (Rule, error) {
	r.Project = p
	if err := r.check(); err != nil {
		return r, err
	}
	var have int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM rule WHERE project_id = $1`, int64(p)).Scan(&have); err != nil {
		return r, fmt.Errorf("count rules: %w", err)
	}
	if have >= maxRules {
		return r, fault.New(fault.Invalid, "a project has at most %d rules", maxRules)
	}
	id, err := metadb.NextID(ctx, tx, "rule")
	if err != nil {
		return r, fmt.Errorf("new rule id: %w", err)
	}
	r.ID, r.Version, r.UpdatedBy = id, 1, author
	r.CreatedAt = metadb.FromMicros(metadb.Micros(now))
	r.UpdatedAt = r.CreatedAt
	_, err = tx.Exec(ctx, `INSERT INTO rule (`+ruleColumns+`) VALUES
			($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
		r.ID, int64(p), r.Name, r.Kind, r.Enabled, r.Service, r.Environment, encode(r.Params), r.Count, r.WindowMinutes,
		r.QuietMinutes, encode(r.Channels), r.Severity, r.Owner, r.Runbook, encode(r.Labels), encode(r.Mutes), r.Version, metadb.Micros(r.CreatedAt), metadb.Micros(r.UpdatedAt), r.UpdatedBy)
	if err != nil {
		return r, named(err, r)
	}
	at := metadb.Micros(now)
	if _, err := tx.Exec(ctx, `INSERT INTO rule_state (rule_id, since, watermark) VALUES ($1, $2, $2)`, r.ID, at); err != nil {
		return r, fmt.Errorf("begin rule: %w", err)
	}
	return r, record(ctx, tx, r, "created")
}

// Update replaces a rule. r.ID and r.Version are those of the rule that was
// read; Conflict when it has been edited since. A rule that then counts other
// calls, or is enabled again, starts anew from now.
func (s *Store) Update(ctx context.Context, p project.ID, author string, r Rule) (Rule, error) {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		before, err := get(ctx, tx, p, r.ID)
		if err != nil {
			return err
		}
		if before.Version != r.Version {
			return edited(before)
		}
		after := r
		after.Project = p
		if err := after.check(); err != nil {
			return err
		}
		now := s.now()
		after.Version, after.UpdatedBy = before.Version+1, author
		after.FailingSince, after.Failure = before.FailingSince, before.Failure
		after.CreatedAt, after.UpdatedAt = before.CreatedAt, metadb.FromMicros(metadb.Micros(now))
		_, err = tx.Exec(ctx, `UPDATE rule SET name = $1, kind = $2, enabled = $3, service = $4, environment = $5, params = $6,
			count = $7, window_minutes = $8, quiet_minutes = $9, channels = $10, severity = $11, owner = $12, runbook = $13, labels = $14,
			mutes = $15, version = $16, updated_at = $17, updated_by = $18 WHERE id = $19`,
			after.Name, after.Kind, after.Enabled, after.Service, after.Environment, encode(after.Params), after.Count, after.WindowMinutes,
			after.QuietMinutes, encode(after.Channels), after.Severity, after.Owner, after.Runbook, encode(after.Labels),
			encode(after.Mutes), after.Version, metadb.Micros(now), author, after.ID)
		if err != nil {
			return named(err, after)
		}
		if !before.sameCondition(&after) {
			if err := restart(ctx, tx, after.ID, now); err != nil {
				return err
			}
			after.FailingSince, after.Failure = nil, ""
		}
		if err := record(ctx, tx, after, "updated"); err != nil {
			return err
		}
		r = after
		return nil
	})
	return r, err
}

// restart forgets what a rule matched, and lets it begin at now.
func restart(ctx context.Context, tx *metadb.Tx, id int64, now time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rule_match WHERE rule_id = $1`, id); err != nil {
		return fmt.Errorf("forget matches: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE rule_state SET since = $1, watermark = $1, failing_since = 0, failure = '' WHERE rule_id = $2`, metadb.Micros(now), id); err != nil {
		return fmt.Errorf("restart rule: %w", err)
	}
	return nil
}

// Delete removes a rule; its history stays. Conflict as in Update.
func (s *Store) Delete(ctx context.Context, p project.ID, author string, id, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		r, err := get(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if r.Version != version {
			return edited(r)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM rule WHERE id = $1`, id); err != nil {
			return fmt.Errorf("delete rule: %w", err)
		}
		r.Version, r.UpdatedBy, r.UpdatedAt = r.Version+1, author, metadb.FromMicros(metadb.Micros(s.now()))
		return record(ctx, tx, r, "deleted")
	})
}

// Change is one version of a rule: who made it, when, and what it then was.
type Change struct {
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	Author  string    `json:"author"`
	Action  string    `json:"action"` // created, updated, deleted
	Rule    Rule      `json:"rule"`
}

// History returns the versions of a rule, newest first, also of a deleted one.
func (s *Store) History(ctx context.Context, p project.ID, id int64) ([]Change, error) {
	rows, err := s.db.Query(ctx, `SELECT version, at, author, action, body FROM rule_history WHERE project_id = $1 AND rule_id = $2
		ORDER BY version DESC`, int64(p), id)
	changes, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (c Change, err error) {
		var at int64
		var body json.RawMessage
		if err := rows.Scan(&c.Version, &at, &c.Author, &c.Action, &body); err != nil {
			return c, err
		}
		c.At = metadb.FromMicros(at)
		return c, json.Unmarshal(body, &c.Rule)
	})
	if err != nil {
		return nil, fmt.Errorf("read rule history: %w", err)
	}
	if len(changes) == 0 {
		return nil, fault.New(fault.NotFound, "rule %d does not exist", id)
	}
	return changes, nil
}

// SeedDefaults gives a new project the rule it starts with: one SQL call of 8
// seconds or more is an incident.
func SeedDefaults(ctx context.Context, tx *metadb.Tx, p project.ID, now time.Time) error {
	_, err := create(ctx, tx, p, "matrix", Rule{
		Name: "SlowSQL 알람", Kind: SlowSQL, Enabled: true, Params: Params{"threshold_ms": 8000}, Count: 1, WindowMinutes: 10, QuietMinutes: 10,
	}, now)
	return err
}

func record(ctx context.Context, tx *metadb.Tx, r Rule, action string) error {
	r.FailingSince, r.Failure = nil, ""
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record rule: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO rule_history (rule_id, version, project_id, at, author, action, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, r.Version, int64(r.Project), metadb.Micros(r.UpdatedAt), r.UpdatedBy, action, json.RawMessage(body))
	if err != nil {
		return fmt.Errorf("record rule: %w", err)
	}
	return nil
}

// encode is JSON of what a rule holds: numbers and texts, which always can be.
func encode(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

func edited(r Rule) error {
	return fault.New(fault.Conflict, "rule %d was edited by %s meanwhile: read it again", r.ID, r.UpdatedBy)
}

// named turns the database's word for a name that is taken into ours.
func named(err error, r Rule) error {
	if metadb.IsUnique(err) {
		return fault.New(fault.Conflict, "the project has a rule named %q already", r.Name).WithField("name")
	}
	return fmt.Errorf("write rule: %w", err)
}

// Erase removes all rules of a project, with what they were.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM rule_history WHERE project_id = $1`, p); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM rule WHERE project_id = $1`, p)
	return err
}
