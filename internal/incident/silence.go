package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// Matchers select incidents: each that is set must hold.
type Matchers struct {
	Rule    int64       `json:"rule_id,omitempty" minimum:"0" doc:"0 is any"`
	Service string      `json:"service,omitempty" maxLength:"256"`
	Phase   string      `json:"phase,omitempty" maxLength:"256"`
	Subject string      `json:"subject,omitempty" maxLength:"2048"`
	Labels  rule.Labels `json:"labels,omitempty"`
}

func (m *Matchers) any() bool {
	return m.Rule == 0 && m.Service == "" && m.Phase == "" && m.Subject == "" && len(m.Labels) == 0
}

func (m *Matchers) match(rule int64, service, phase, subject string, labels rule.Labels) bool {
	for name, value := range m.Labels {
		if has, ok := labels[name]; !ok || has != value {
			return false
		}
	}
	return (m.Rule == 0 || m.Rule == rule) && (m.Service == "" || m.Service == service) &&
		(m.Phase == "" || m.Phase == phase) && (m.Subject == "" || m.Subject == subject)
}

// Silence keeps people from being told of the incidents that it matches.
type Silence struct {
	ID        int64      `json:"id"`
	Project   project.ID `json:"project_id"`
	Matchers  Matchers   `json:"matchers"`
	Reason    string     `json:"reason"`
	StartsAt  time.Time  `json:"starts_at"`
	EndsAt    time.Time  `json:"ends_at"`
	Active    bool       `json:"active"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	EndedBy   string     `json:"ended_by" doc:"who ended it early, empty for nobody"`
	Held      int64      `json:"held" doc:"incidents nobody was told of because of it"`
}

// Limits of silences.
const (
	longestSilence = 90 * 24 * time.Hour
	maxReason      = 500 // characters
	keptSilences   = 200 // as many as a list shows
)

const silenceColumns = `id, project_id, matchers, reason, starts_at, ends_at, created_at, created_by, ended_by, held`

func (s *Service) scanSilence(r *metadb.Rows) (z Silence, err error) {
	var starts, ends, created int64
	var matchers json.RawMessage
	err = r.Scan(&z.ID, &z.Project, &matchers, &z.Reason, &starts, &ends, &created, &z.CreatedBy, &z.EndedBy, &z.Held)
	if err != nil {
		return z, err
	}
	z.StartsAt, z.EndsAt, z.CreatedAt = metadb.FromMicros(starts), metadb.FromMicros(ends), metadb.FromMicros(created)
	now := s.opts.Now()
	z.Active = !now.Before(z.StartsAt) && now.Before(z.EndsAt)
	return z, json.Unmarshal(matchers, &z.Matchers)
}

// Silences lists the silences of a project, those that end last first.
func (s *Service) Silences(ctx context.Context, p project.ID) ([]Silence, error) {
	rows, err := s.opts.DB.Query(ctx, fmt.Sprintf(`SELECT `+silenceColumns+` FROM incident_silence WHERE project_id = $1
		ORDER BY ends_at DESC, id DESC LIMIT %d`, keptSilences), p)
	found, err := metadb.Collect(rows, err, s.scanSilence)
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	return found, nil
}

// CreateSilence stores a silence. One without a start holds from now on. It
// returns fault.Invalid for one that matches everything, has no reason, or is
// over before it begins.
func (s *Service) CreateSilence(ctx context.Context, z Silence, by string) (created Silence, err error) {
	now := s.opts.Now()
	if z.StartsAt.IsZero() {
		z.StartsAt = now
	}
	z.Reason = strings.TrimSpace(z.Reason)
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField(field)
	}
	switch {
	case z.Matchers.any():
		return z, bad("matchers", "a silence needs something that it matches")
	case z.Reason == "" || len([]rune(z.Reason)) > maxReason:
		return z, bad("reason", "a reason of 1 to %d characters is needed", maxReason)
	case !z.EndsAt.After(z.StartsAt) || !z.EndsAt.After(now):
		return z, bad("ends_at", "the silence is over before it begins")
	case z.EndsAt.Sub(z.StartsAt) > longestSilence:
		return z, bad("ends_at", "a silence lasts 90 days at most")
	}
	err = s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		id, err := metadb.NextID(ctx, tx, "incident_silence")
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO incident_silence (`+silenceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0)`,
			id, z.Project, encode(z.Matchers), z.Reason, metadb.Micros(z.StartsAt), metadb.Micros(z.EndsAt), metadb.Micros(now), by)
		if err != nil {
			return err
		}
		created, err = s.silence(ctx, tx, z.Project, id)
		return err
	})
	if err != nil {
		return z, fmt.Errorf("create silence: %w", err)
	}
	return created, nil
}

// EndSilence ends a silence now. Ending one that is over changes nothing.
func (s *Service) EndSilence(ctx context.Context, p project.ID, id int64, by string) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		z, err := s.silence(ctx, tx, p, id)
		now := s.opts.Now()
		if err != nil || !z.EndsAt.After(now) {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE incident_silence SET ends_at = $2, ended_by = $3 WHERE id = $1`, id, metadb.Micros(now), by)
		if err != nil {
			return fmt.Errorf("end silence: %w", err)
		}
		return nil
	})
}

func (s *Service) silence(ctx context.Context, q metadb.Querier, p project.ID, id int64) (Silence, error) {
	rows, err := q.Query(ctx, `SELECT `+silenceColumns+` FROM incident_silence WHERE project_id = $1 AND id = $2`, p, id)
	found, err := metadb.Collect(rows, err, s.scanSilence)
	switch {
	case err != nil:
		return Silence{}, fmt.Errorf("load silence: %w", err)
	case len(found) == 0:
		return Silence{}, fault.New(fault.NotFound, "the silence does not exist")
	}
	return found[0], nil
}

// heldBy is what keeps people from being told: a silence or a maintenance window.
type heldBy struct {
	silence int64
	data    map[string]any // of the timeline's entry
}

// holding returns what keeps people from being told of an incident now, nil for nothing.
func (s *Service) holding(ctx context.Context, tx *metadb.Tx, c *record) (*heldBy, error) {
	now := metadb.Micros(s.opts.Now())
	rows, err := tx.Query(ctx, `SELECT `+silenceColumns+` FROM incident_silence
		WHERE project_id = $1 AND starts_at <= $2 AND ends_at > $2 ORDER BY ends_at DESC, id`, c.Project, now)
	silences, err := metadb.Collect(rows, err, s.scanSilence)
	if err != nil {
		return nil, fmt.Errorf("look for silences: %w", err)
	}
	for _, z := range silences {
		if z.Matchers.match(c.Rule.ID, c.Service, c.Phase, c.Subject, c.Labels) {
			return &heldBy{silence: z.ID, data: map[string]any{"silence": z.ID, "by": z.CreatedBy, "reason": z.Reason, "until": z.EndsAt}}, nil
		}
	}
	w, err := s.maintained(ctx, tx, c.Project, c.Rule.ID, c.Service, c.Phase, c.Subject, c.Labels)
	if err != nil || w == nil {
		return nil, err
	}
	return &heldBy{data: map[string]any{"maintenance": w.ID, "reason": w.Name, "by": w.CreatedBy}}, nil
}

// hold records that nobody was told of an incident, once for each silence.
func (s *Service) hold(ctx context.Context, tx *metadb.Tx, c *record, by *heldBy) error {
	if by.silence == 0 || by.silence == c.Silence {
		return nil
	}
	if _, err := tx.Exec(ctx, `UPDATE incident SET silence_id = $2 WHERE id = $1`, c.ID, by.silence); err != nil {
		return fmt.Errorf("hold incident: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE incident_silence SET held = held + 1 WHERE id = $1`, by.silence); err != nil {
		return fmt.Errorf("hold incident: %w", err)
	}
	return s.note(ctx, tx, c.ID, "silenced", by.data)
}
