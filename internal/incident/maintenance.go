package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clock"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// Timing is when a maintenance window holds: once, or every week.
type Timing struct {
	Weekly bool           `json:"weekly"`
	From   *time.Time     `json:"from,omitempty" doc:"of a window that is once"`
	To     *time.Time     `json:"to,omitempty" doc:"exclusive"`
	Days   []time.Weekday `json:"days,omitempty" maxItems:"7" doc:"of a weekly one: 0 is Sunday; empty is every day"`
	Start  string         `json:"start,omitempty" doc:"HH:MM"`
	End    string         `json:"end,omitempty" doc:"HH:MM; before start: on the next day; the same: a whole day"`
	Zone   string         `json:"zone" doc:"IANA name, such as Asia/Seoul"`
}

func (t *Timing) week() clock.Weekly {
	return clock.Weekly{Days: t.Days, From: t.Start, To: t.End}
}

func (t *Timing) check() error {
	bad := func(field, format string, args ...any) error {
		return fault.New(fault.Invalid, format, args...).WithField("timing." + field)
	}
	if _, err := clock.Zone(t.Zone); err != nil {
		return bad("zone", "%q is no time zone: write a name such as Asia/Seoul", t.Zone)
	}
	if t.Weekly {
		if part, why := t.week().Check(); part != "" {
			return bad(map[string]string{"days": "days", "from": "start", "to": "end"}[part], "%s", why)
		}
		return nil
	}
	switch {
	case t.From == nil || t.To == nil:
		return bad("from", "a window that is once needs from and to")
	case !t.From.Before(*t.To):
		return bad("to", "the window ends before it begins")
	}
	return nil
}

// holds reports whether at lies in the timing, which has been checked.
func (t *Timing) holds(at time.Time) bool {
	if !t.Weekly {
		return t.From != nil && t.To != nil && !at.Before(*t.From) && at.Before(*t.To)
	}
	zone, err := clock.Zone(t.Zone)
	if err != nil {
		return false // the zone was there when the window was made
	}
	_, in := t.week().Window(at.In(zone))
	return in
}

// Maintenance is a planned time in which nothing that it matches opens an
// incident, and nobody is told of one that is open. What still goes on when it is
// over opens one then.
type Maintenance struct {
	ID        int64      `json:"id"`
	Project   project.ID `json:"project_id"`
	Name      string     `json:"name"`
	Matchers  Matchers   `json:"matchers" doc:"empty matches everything"`
	Timing    Timing     `json:"timing"`
	Active    bool       `json:"active"`
	Over      bool       `json:"over" doc:"it will not hold again"`
	CreatedAt time.Time  `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	Held      int64      `json:"held" doc:"firings that opened nothing because of it"`
	HeldAt    *time.Time `json:"held_at" doc:"when the last of them was"`
}

const maintenanceColumns = `id, project_id, name, matchers, timing, created_at, created_by, held, held_at`

// maxMaintenance is how many windows a project may have.
const maxMaintenance = 200

func (s *Service) scanMaintenance(r *metadb.Rows) (w Maintenance, err error) {
	var created, held int64
	var matchers, timing json.RawMessage
	if err := r.Scan(&w.ID, &w.Project, &w.Name, &matchers, &timing, &created, &w.CreatedBy, &w.Held, &held); err != nil {
		return w, err
	}
	w.CreatedAt, w.HeldAt = metadb.FromMicros(created), optional(held)
	if err := json.Unmarshal(matchers, &w.Matchers); err != nil {
		return w, err
	}
	err = json.Unmarshal(timing, &w.Timing)
	now := s.opts.Now()
	w.Active = w.Timing.holds(now)
	w.Over = !w.Timing.Weekly && w.Timing.To != nil && !now.Before(*w.Timing.To)
	return w, err
}

// Maintenances lists the maintenance windows of a project, the newest first.
func (s *Service) Maintenances(ctx context.Context, p project.ID) ([]Maintenance, error) {
	return s.maintenances(ctx, s.opts.DB, p)
}

func (s *Service) maintenances(ctx context.Context, q metadb.Querier, p project.ID) ([]Maintenance, error) {
	rows, err := q.Query(ctx, `SELECT `+maintenanceColumns+` FROM incident_maintenance WHERE project_id = $1 ORDER BY id DESC`, p)
	found, err := metadb.Collect(rows, err, s.scanMaintenance)
	if err != nil {
		return nil, fmt.Errorf("list maintenance windows: %w", err)
	}
	return found, nil
}

// CreateMaintenance stores a maintenance window.
func (s *Service) CreateMaintenance(ctx context.Context, w Maintenance, by string) (created Maintenance, err error) {
	w.Name = strings.TrimSpace(w.Name)
	if w.Name == "" || len([]rune(w.Name)) > maxReason {
		return w, fault.New(fault.Invalid, "a name of 1 to %d characters is needed", maxReason).WithField("name")
	}
	if err := w.Timing.check(); err != nil {
		return w, err
	}
	err = s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		all, err := s.maintenances(ctx, tx, w.Project)
		if err != nil {
			return err
		}
		if len(all) >= maxMaintenance {
			return fault.New(fault.Conflict, "a project has %d maintenance windows at most: remove one that is over", maxMaintenance)
		}
		id, err := metadb.NextID(ctx, tx, "incident_maintenance")
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO incident_maintenance (`+maintenanceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
			id, w.Project, w.Name, encode(w.Matchers), encode(w.Timing), metadb.Micros(s.opts.Now()), by)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+maintenanceColumns+` FROM incident_maintenance WHERE id = $1`, id)
		made, err := metadb.Collect(rows, err, s.scanMaintenance)
		if err == nil {
			created = made[0]
		}
		return err
	})
	if err != nil {
		return w, fmt.Errorf("create maintenance window: %w", err)
	}
	return created, nil
}

// DeleteMaintenance removes a maintenance window; fault.NotFound when the project
// has none of that id.
func (s *Service) DeleteMaintenance(ctx context.Context, p project.ID, id int64) error {
	n, err := s.opts.DB.Exec(ctx, `DELETE FROM incident_maintenance WHERE project_id = $1 AND id = $2`, p, id)
	switch {
	case err != nil:
		return fmt.Errorf("delete maintenance window: %w", err)
	case n == 0:
		return fault.New(fault.NotFound, "the maintenance window does not exist")
	}
	return nil
}

// maintained returns the maintenance window that holds now for what is described,
// nil for none.
func (s *Service) maintained(ctx context.Context, tx *metadb.Tx, p project.ID, ruleID int64, service, phase, subject string, labels rule.Labels) (*Maintenance, error) {
	all, err := s.maintenances(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if w.Active && w.Matchers.match(ruleID, service, phase, subject, labels) {
			return &w, nil
		}
	}
	return nil, nil
}

// underMaintenance reports whether a firing falls into a maintenance window, and
// counts it there.
func (s *Service) underMaintenance(ctx context.Context, tx *metadb.Tx, f *rule.Firing) (bool, error) {
	w, err := s.maintained(ctx, tx, f.Rule.Project, f.Rule.ID, f.Service, f.Phase, f.Subject, f.Rule.Labels)
	if err != nil || w == nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE incident_maintenance SET held = held + 1, held_at = $2 WHERE id = $1`, w.ID, metadb.Micros(s.opts.Now()))
	if err != nil {
		return false, fmt.Errorf("count under maintenance: %w", err)
	}
	return true, nil
}
