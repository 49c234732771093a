package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	keepInstances = 100
	keepWorst     = 3 // what evidence looks at
)

// scope is what an incident's evidence is about, as far as the rule knows it.
type scope struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	rule.Condition
	Minutes       bool                 `json:"minutes"` // the rule counts minutes, not calls
	Value         float64              `json:"value"`   // the worst that was measured
	Usual         *float64             `json:"usual,omitempty"`
	WindowMinutes int                  `json:"window_minutes"`
	Count         int                  `json:"count"`     // in the window
	Instances     []rule.InstanceCount `json:"instances"` // of the window
	Worst         []rule.Match         `json:"worst"`     // slowest first, each of another trace
	Course        []notify.Point       `json:"course,omitempty"`
	ValueUnit     string               `json:"value_unit,omitempty"` // of the course
	Low           bool                 `json:"low,omitempty"`        // the lower value is the worse one
}

// Open takes a firing into account, inside the evaluation's transaction: it
// adds the new matches to the incident that goes on for the same rule, service,
// phase and subject. When the firing meets the rule and there is none, it reopens
// the one that was resolved lately, or opens one, unless a maintenance window
// holds. It is rule's OnFire.
func (s *Service) Open(ctx context.Context, tx *metadb.Tx, f rule.Firing) error {
	var id int64
	err := tx.QueryRow(ctx, `SELECT id FROM incident WHERE rule_id = $1 AND service = $2 AND phase = $3 AND subject = $4 AND resolved_at = 0`,
		f.Rule.ID, f.Service, f.Phase, f.Subject).Scan(&id)
	switch {
	case err == nil:
		return s.add(ctx, tx, id, f)
	case !errors.Is(err, metadb.ErrNoRows):
		return fmt.Errorf("find open incident: %w", err)
	case !f.Met:
		return nil
	}
	if held, err := s.underMaintenance(ctx, tx, &f); err != nil || held {
		return err
	}
	c, whole, found, err := s.returning(ctx, tx, f)
	switch {
	case err != nil:
		return err
	case found:
		return s.back(ctx, tx, c, whole, f)
	}
	return s.open(ctx, tx, f)
}

func (s *Service) open(ctx context.Context, tx *metadb.Tx, f rule.Firing) error {
	p, err := s.opts.Project(ctx, f.Rule.Project)
	if fault.Is(err, fault.NotFound) {
		return nil // archived while it was evaluated: nobody is left to tell
	}
	if err != nil {
		return fmt.Errorf("open incident: %w", err)
	}
	id, err := metadb.NextID(ctx, tx, "incident")
	if err != nil {
		return fmt.Errorf("open incident: %w", err)
	}
	now := s.opts.Now()
	alarm := alarmText(f, p.Name, s.opts.Location)
	title := oneLine(f.Rule.Name)
	if f.Service != "" {
		title += " · " + oneLine(f.Service)
	}
	if f.Subject != "" {
		title += " · " + oneLine(f.Subject)
	}
	about := scope{From: f.From, To: f.To, Condition: f.Rule.Condition(), Minutes: f.Rule.Minutes(), Count: f.Count,
		WindowMinutes: f.Rule.WindowMinutes, Instances: f.Instances, Worst: worst(nil, f.Window), ValueUnit: measuredIn(&f.Rule), Low: lowIsWorse(&f)}
	about.Course = withMatches(nil, f.Window, about.Low)
	labels := f.Rule.Labels
	if labels == nil {
		labels = rule.Labels{}
	}
	if len(f.Window) > 0 {
		about.Value, about.Usual = f.Window[0].Value, f.Window[0].Usual
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident (id, project_id, state, title, rule_id, rule_name, rule_kind, service, phase, subject,
			severity, owner, runbook, labels, alarm, scope, quiet_minutes, channels, opened_at, last_match_at, seen_at, matches, instances,
			acknowledged_at, acknowledged_by, resolved_at, resolved_by,
			analysis, analysis_run, analysis_since, report, evidence, masking, told)
		VALUES ($1, $2, 'open', $3, $4, $5, $6, $7, $8, $17, $18, $19, $20, $21, $9, $10, $11, $12, $13, $14, $13, $15, $16,
			0, '', 0, '', 'pending', 1, $13, '', '[]', '{}', $22)`,
		id, f.Rule.Project, title, f.Rule.ID, f.Rule.Name, f.Rule.Kind, f.Service, f.Phase,
		alarm, encode(about), f.Rule.QuietMinutes, encode(f.Rule.Channels), metadb.Micros(now),
		metadb.Micros(latest(f)), f.Count, encode(mergeInstances(nil, f.Instances)),
		f.Subject, cmp.Or(f.Rule.Severity, rule.Warning), f.Rule.Owner, f.Rule.Runbook, encode(labels), false)
	if err != nil {
		return fmt.Errorf("open incident: %w", err)
	}
	if err := s.note(ctx, tx, id, "opened", map[string]any{"matches": f.Count, "rule": f.Rule.Name}); err != nil {
		return err
	}
	if err := s.tellOrRelate(ctx, tx, id); err != nil {
		return err
	}
	if err := s.opts.Jobs.Insert(ctx, tx, analyzeJob{Incident: id, Run: 1}); err != nil {
		return err
	}
	return s.opts.Jobs.Insert(ctx, tx, quietJob{Incident: id}, job.At(now.Add(quietPeriod(f.Rule.QuietMinutes))))
}

// add takes later matches into an incident that goes on, and into the one it is a
// part of. If people are to be told of it and were not, they may be by now.
func (s *Service) add(ctx context.Context, tx *metadb.Tx, id int64, f rule.Firing) error {
	c, err := s.load(ctx, tx, f.Rule.Project, id)
	if err != nil {
		return err
	}
	about := c.scope
	if f.Met { // the latest window worth an alarm
		about.From, about.To, about.Count, about.Instances = f.From, f.To, f.Count, f.Instances
	}
	about.Worst = worst(about.Worst, f.Matches)
	about.Course = withMatches(about.Course, f.Matches, about.Low)
	last := latest(f)
	if last.Before(c.LastMatchAt) {
		last = c.LastMatchAt
	}
	_, err = tx.Exec(ctx, `UPDATE incident SET scope = $2, last_match_at = $3, seen_at = $4, matches = $5, instances = $6 WHERE id = $1`,
		id, encode(about), metadb.Micros(last), metadb.Micros(s.opts.Now()), c.Matches+f.New,
		encode(mergeInstances(c.Instances, f.NewInstances)))
	if err != nil {
		return fmt.Errorf("add to incident: %w", err)
	}
	if err := s.noteMatches(ctx, tx, id, f.New); err != nil {
		return err
	}
	switch {
	case c.ParentKind == Merged:
		return s.addToWhole(ctx, tx, c.Parent, last, f)
	case c.Told || !f.Met || s.deciding(&c):
		return nil
	}
	return s.announce(ctx, tx, id)
}

// addToWhole counts the matches of a part in what it was merged into.
func (s *Service) addToWhole(ctx context.Context, tx *metadb.Tx, id int64, last time.Time, f rule.Firing) error {
	if err := s.count(ctx, tx, id, f.New, f.NewInstances, +1); err != nil {
		return err
	}
	whole, err := s.own(ctx, tx, id)
	if err != nil {
		return err
	}
	if last.Before(whole.LastMatchAt) {
		last = whole.LastMatchAt
	}
	_, err = tx.Exec(ctx, `UPDATE incident SET last_match_at = $2, seen_at = $3 WHERE id = $1`, id, metadb.Micros(last), metadb.Micros(s.opts.Now()))
	if err != nil {
		return fmt.Errorf("add to incident: %w", err)
	}
	return nil
}

// latest is when the newest match of f ended, the end of the window when it brings none.
func latest(f rule.Firing) time.Time {
	var last time.Time
	for _, m := range f.Matches {
		if end := m.Start.Add(time.Duration(m.DurationNs)); end.After(last) {
			last = end
		}
	}
	return cmp.Or(last, f.To)
}

// worst merges new matches into the slowest ones of different traces; minutes
// have none.
func worst(kept, more []rule.Match) []rule.Match {
	all := slices.Concat(kept, more)
	slices.SortStableFunc(all, func(a, b rule.Match) int { return cmp.Compare(b.DurationNs, a.DurationNs) })
	out := all[:0:0]
	for _, m := range all {
		if m.TraceID != (trace.TraceID{}) && len(out) < keepWorst && !slices.ContainsFunc(out, func(o rule.Match) bool { return o.TraceID == m.TraceID }) {
			out = append(out, m)
		}
	}
	return out
}

// mergeInstances adds counts by name, most matches first. Beyond keepInstances
// names the rarest are dropped.
func mergeInstances(kept, more []rule.InstanceCount) []rule.InstanceCount {
	out := slices.Clone(kept)
	for _, m := range more {
		if i := slices.IndexFunc(out, func(o rule.InstanceCount) bool { return o.Name == m.Name }); i >= 0 {
			out[i].Count += m.Count
		} else {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b rule.InstanceCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), keepInstances)]
}

func linkText(language string) string {
	if language == "en" {
		return "Open in MATRIX"
	}
	return "MATRIX에서 보기"
}

func quietPeriod(minutes int) time.Duration { return time.Duration(max(1, minutes)) * time.Minute }

// encode is JSON of a value that always can be: no nil slice becomes null.
func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data; a channel or a function in it is a programming error
	}
	if string(raw) == "null" {
		return "[]"
	}
	return string(raw)
}
