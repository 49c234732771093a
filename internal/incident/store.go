package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/report"
)

// record is an incident's whole row.
type record struct {
	Incident
	alarm         string
	scope         scope
	quietMinutes  int
	channels      []int64
	seenAt        time.Time
	comings       []int64 // µs
	analysisRun   int64
	analysisSince time.Time
	report        *report.Report
	evidence      []ground.Fact
	masking       Masking
	inquiry       *inquiry // nil for none
}

const (
	listColumns = `id, project_id, state, title, rule_id, rule_name, rule_kind, service, phase, subject,
		severity, owner, runbook, labels, opened_at, last_match_at, matches, instances, acknowledged_at, acknowledged_by, resolved_at, resolved_by, analysis,
		assignee_id, assignee, parent_id, parent_kind, told, silence_id, reopened, flapping`
	recordColumns = listColumns + `, alarm, scope, quiet_minutes, channels, seen_at, analysis_run, analysis_since,
		report, evidence, masking, comings, investigation`
)

func scanIncident(r *metadb.Rows) (Incident, error) {
	var i Incident
	return i, scanInto(r, &i)
}

// scanInto scans listColumns into i and what follows them into more.
func scanInto(r *metadb.Rows, i *Incident, more ...any) error {
	var opened, last, acknowledged, resolved int64
	var labels, instances json.RawMessage
	err := r.Scan(append([]any{&i.ID, &i.Project, &i.State, &i.Title, &i.Rule.ID, &i.Rule.Name, &i.Rule.Kind, &i.Service, &i.Phase, &i.Subject,
		&i.Severity, &i.Owner, &i.Runbook, &labels, &opened, &last, &i.Matches, &instances, &acknowledged, &i.AcknowledgedBy, &resolved, &i.ResolvedBy, &i.Analysis,
		&i.AssigneeID, &i.Assignee, &i.Parent, &i.ParentKind, &i.Told, &i.Silence, &i.Reopened, &i.Flapping}, more...)...)
	if err != nil {
		return err
	}
	i.OpenedAt, i.LastMatchAt = metadb.FromMicros(opened), metadb.FromMicros(last)
	i.AcknowledgedAt, i.ResolvedAt = optional(acknowledged), optional(resolved)
	return errors.Join(json.Unmarshal(labels, &i.Labels), json.Unmarshal(instances, &i.Instances))
}

func scanRecord(r *metadb.Rows) (record, error) {
	var c record
	var seen, since int64
	var about, channels, written, facts, masking, comings, asked json.RawMessage
	err := scanInto(r, &c.Incident, &c.alarm, &about, &c.quietMinutes, &channels, &seen, &c.analysisRun, &since,
		&written, &facts, &masking, &comings, &asked)
	if err != nil {
		return c, err
	}
	c.seenAt, c.analysisSince = metadb.FromMicros(seen), metadb.FromMicros(since)
	if len(written) > 0 {
		c.report = &report.Report{}
		err = json.Unmarshal(written, c.report)
	}
	if len(asked) > 0 {
		c.inquiry = &inquiry{}
		err = errors.Join(err, json.Unmarshal(asked, c.inquiry))
	}
	return c, errors.Join(err, json.Unmarshal(about, &c.scope), json.Unmarshal(channels, &c.channels),
		json.Unmarshal(facts, &c.evidence), json.Unmarshal(masking, &c.masking), json.Unmarshal(comings, &c.comings))
}

func optional(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := metadb.FromMicros(micros)
	return &t
}

// load returns the project's incident of that id, or fault.NotFound.
func (s *Service) load(ctx context.Context, q metadb.Querier, p project.ID, id int64) (record, error) {
	return one(ctx, q, `SELECT `+recordColumns+` FROM incident WHERE project_id = $1 AND id = $2`, p, id)
}

// own is load for jobs, which know no project.
func (s *Service) own(ctx context.Context, q metadb.Querier, id int64) (record, error) {
	return one(ctx, q, `SELECT `+recordColumns+` FROM incident WHERE id = $1`, id)
}

// errNone is the answer where there is no such incident.
var errNone = fault.New(fault.NotFound, "the incident does not exist")

func one(ctx context.Context, q metadb.Querier, text string, args ...any) (record, error) {
	rows, err := q.Query(ctx, text, args...)
	found, err := metadb.Collect(rows, err, scanRecord)
	if err != nil {
		return record{}, fmt.Errorf("load incident: %w", err)
	}
	if len(found) == 0 {
		return record{}, errNone
	}
	return found[0], nil
}

// note adds an entry to an incident's timeline.
func (s *Service) note(ctx context.Context, tx *metadb.Tx, incident int64, kind string, data map[string]any) error {
	id, err := metadb.NextID(ctx, tx, "incident_event")
	if err != nil {
		return fmt.Errorf("note %s: %w", kind, err)
	}
	if data == nil {
		data = map[string]any{}
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_event (id, incident_id, at, kind, data) VALUES ($1, $2, $3, $4, $5)`,
		id, incident, metadb.Micros(s.opts.Now()), kind, encode(data))
	if err != nil {
		return fmt.Errorf("note %s: %w", kind, err)
	}
	return nil
}

// noteMatches notes that n more matches came. A run of such entries is one
// entry, so that an incident that lasts does not drown its own timeline.
func (s *Service) noteMatches(ctx context.Context, tx *metadb.Tx, incident int64, n int) error {
	var id int64
	var kind string
	var raw json.RawMessage
	err := tx.QueryRow(ctx, `SELECT id, kind, data FROM incident_event WHERE incident_id = $1 ORDER BY id DESC LIMIT 1`, incident).
		Scan(&id, &kind, &raw)
	if err != nil && !errors.Is(err, metadb.ErrNoRows) {
		return fmt.Errorf("note matches: %w", err)
	}
	now := s.opts.Now().UTC()
	if kind != "matched" {
		return s.note(ctx, tx, incident, "matched", map[string]any{"matches": n, "until": now})
	}
	var data struct {
		Matches int       `json:"matches"`
		Until   time.Time `json:"until"`
	}
	if err := json.Unmarshal(raw, &data); err != nil {
		return fmt.Errorf("note matches: %w", err)
	}
	data.Matches, data.Until = data.Matches+n, now
	_, err = tx.Exec(ctx, `UPDATE incident_event SET data = $2 WHERE id = $1`, id, encode(data))
	if err != nil {
		return fmt.Errorf("note matches: %w", err)
	}
	return nil
}

// timeline is what happened to an incident and to what was merged into it.
func (s *Service) timeline(ctx context.Context, incident int64) ([]Event, error) {
	rows, err := s.opts.DB.Query(ctx, `SELECT id, incident_id, at, kind, data FROM incident_event WHERE incident_id = $1
		OR incident_id IN (SELECT id FROM incident WHERE parent_id = $1 AND parent_kind = 'merged') ORDER BY at, id`, incident)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (e Event, err error) {
		var at int64
		var data json.RawMessage
		if err := r.Scan(&e.ID, &e.Incident, &at, &e.Kind, &data); err != nil {
			return e, err
		}
		e.At = metadb.FromMicros(at)
		return e, json.Unmarshal(data, &e.Data)
	})
}

// Erase removes all incidents of a project, its silences, maintenance windows and
// settings of the analysis.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	for _, table := range []string{"incident", "incident_silence", "incident_maintenance", "incident_analysis"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE project_id = $1`, p); err != nil {
			return err
		}
	}
	return nil
}
