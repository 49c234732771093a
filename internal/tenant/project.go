package tenant

import (
	"cmp"
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// What a project may be set to.
const (
	DefaultRetentionDays = 14
	MaxRetentionDays     = 3650
)

const projectColumns = `p.id, p.org_id, p.group_id, p.name, p.language, p.retention_days, p.log_retention_days,
	p.metric_retention_days, p.span_rate, p.log_rate, p.metric_rate,
	p.visibility, p.show_sql, p.show_personal, p.show_prompts, p.version, p.created_at, p.updated_at, p.updated_by`

func scanProject(r interface{ Scan(...any) error }) (p Project, err error) {
	var created, updated int64
	err = r.Scan(&p.ID, &p.OrgID, &p.GroupID, &p.Name, &p.Language, &p.Retention.Traces, &p.Retention.Logs,
		&p.Retention.Metrics, &p.Rate.Traces, &p.Rate.Logs, &p.Rate.Metrics,
		&p.Access.Visibility, &p.Access.ShowSQL, &p.Access.ShowPersonal, &p.Access.ShowPrompts, &p.Version, &created, &updated, &p.UpdatedBy)
	p.CreatedAt, p.UpdatedAt = metadb.FromMicros(created), metadb.FromMicros(updated)
	return p, err
}

// ProjectFor returns the project that a request means which names it outside its
// path: named, or when that is empty the only one the actor can see. fault.Invalid
// when it is not clear. What the actor may do there is for Can to say.
func (s *Store) ProjectFor(ctx context.Context, a Actor, named string) (project.ID, error) {
	if named != "" {
		id, err := strconv.ParseUint(named, 10, 32)
		if err != nil || id == 0 {
			return 0, fault.New(fault.Invalid, "a project is named by its number").WithField("project")
		}
		return project.ID(id), nil
	}
	if a.UserID == 0 {
		return 0, fault.New(fault.Unauthenticated, "sign in, or send an API token")
	}
	seen, err := s.Projects(ctx, a)
	if err != nil {
		return 0, err
	}
	if len(seen) != 1 {
		return 0, fault.New(fault.Invalid, "you can see %d projects: name the one to ask for", len(seen)).WithField("project")
	}
	return seen[0].ID, nil
}

// Projects lists the projects in use whose telemetry a may read.
func (s *Store) Projects(ctx context.Context, a Actor) ([]Project, error) {
	rows, err := s.db.Query(ctx, `SELECT `+projectColumns+` FROM project p JOIN project_group g ON g.id = p.group_id
		WHERE p.archived_at = 0 AND EXISTS (SELECT 1 FROM membership m LEFT JOIN org_role r ON r.id = m.role_id AND r.org_id = m.org_id
			WHERE m.org_id = p.org_id AND m.user_id = $1
				AND (m.group_id = 0 OR g.path LIKE '%/' || m.group_id || '/%' OR p.visibility = 'organisation')
				AND (m.role <> 'custom' OR r.permissions LIKE '%"project.read"%'))
		ORDER BY p.name, p.id`, a.UserID)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Project, error) { return scanProject(r) })
}

// GroupProjects lists the projects in use of one group.
func (s *Store) GroupProjects(ctx context.Context, group int64) ([]Project, error) {
	rows, err := s.db.Query(ctx, `SELECT `+projectColumns+` FROM project p
		WHERE p.archived_at = 0 AND p.group_id = $1 ORDER BY p.name, p.id`, group)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Project, error) { return scanProject(r) })
}

// FirstProject returns the oldest project in use: whom telemetry without a key
// belongs to where keys are not asked for.
func (s *Store) FirstProject(ctx context.Context) (Project, error) {
	p, err := scanProject(s.db.QueryRow(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.archived_at = 0 ORDER BY p.id LIMIT 1`))
	if errors.Is(err, metadb.ErrNoRows) {
		return p, fault.New(fault.NotFound, "there is no project")
	}
	return p, err
}

// Project returns one project in use.
func (s *Store) Project(ctx context.Context, id project.ID) (Project, error) {
	p, err := scanProject(s.db.QueryRow(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.id = $1 AND p.archived_at = 0`, id))
	if errors.Is(err, metadb.ErrNoRows) {
		return p, notFound(Target{Project: id})
	}
	return p, err
}

// VisibleToOrganisation lets everybody who may read some project of the organisation
// read this one.
const VisibleToOrganisation = "organisation"

// ProjectAccess is who reads a project beside those with a role there, and who sees
// what in it unmasked.
type ProjectAccess struct {
	Visibility   string `json:"visibility,omitempty" enum:"members,organisation" doc:"members: who has a role in the group or above it; default members"`
	ShowSQL      string `json:"show_sql,omitempty" enum:",everyone,nobody" doc:"values in SQL statements; empty: by permission"`
	ShowPersonal string `json:"show_personal,omitempty" enum:",everyone,nobody" doc:"personal data in what services tell; empty: by permission"`
	ShowPrompts  string `json:"show_prompts,omitempty" enum:",everyone,nobody" doc:"what was said to models and by them; empty: by permission"`
}

func (p *ProjectAccess) check() error {
	p.Visibility = cmp.Or(p.Visibility, "members")
	if p.Visibility != "members" && p.Visibility != VisibleToOrganisation {
		return fault.New(fault.Invalid, "a project is visible to members or to the organisation").WithField("access.visibility")
	}
	for field, value := range map[string]string{"show_sql": p.ShowSQL, "show_personal": p.ShowPersonal, "show_prompts": p.ShowPrompts} {
		if value != ShowByRole && value != ShowEveryone && value != ShowNobody {
			return fault.New(fault.Invalid, "data is shown by permission, to everyone or to nobody").WithField("access." + field)
		}
	}
	return nil
}

// ProjectSettings is what an admin edits. Zero values mean the default.
type ProjectSettings struct {
	Name      string            `json:"name" minLength:"1" maxLength:"100"`
	Language  string            `json:"language,omitempty" enum:"ko,en" doc:"default ko"`
	Retention project.Retention `json:"retention,omitempty" doc:"days that telemetry is kept; 0 = 14"`
	Rate      project.Rate      `json:"rate,omitempty" doc:"spans, log records and samples accepted a second; 0 = no limit"`
	Access    ProjectAccess     `json:"access,omitempty"`
}

func (p *ProjectSettings) check() error {
	if err := p.Access.check(); err != nil {
		return err
	}
	if err := checkName(&p.Name); err != nil {
		return err
	}
	if p.Language == "" {
		p.Language = "ko"
	}
	for signal, days := range p.Retention.BySignal() {
		if *days == 0 {
			*days = DefaultRetentionDays
		}
		if *days < 1 || *days > MaxRetentionDays {
			return fault.New(fault.Invalid, "%s are kept from 1 to %d days", signal, MaxRetentionDays).WithField("retention." + string(signal))
		}
	}
	switch {
	case p.Language != "ko" && p.Language != "en":
		return fault.New(fault.Invalid, "the language is ko or en").WithField("language")
	}
	for _, signal := range []project.Signal{project.Traces, project.Logs, project.Metrics} {
		if rate := p.Rate.Of(signal); rate < 0 || rate > math.MaxInt32 {
			return fault.New(fault.Invalid, "the rate of %s is 0 (no limit) or positive", signal).WithField("rate." + string(signal))
		}
	}
	return nil
}

// CreateProject makes a project in a group. seed, if not nil, runs in the same
// transaction: the default rules of other packages.
func (s *Store) CreateProject(ctx context.Context, by Actor, group int64, set ProjectSettings,
	seed func(ctx context.Context, tx *metadb.Tx, p Project) error) (p Project, err error) {
	if err := set.check(); err != nil {
		return p, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var org int64
		if err := tx.QueryRow(ctx, `SELECT org_id FROM project_group WHERE id = $1`, group).Scan(&org); err != nil {
			if errors.Is(err, metadb.ErrNoRows) {
				return notFound(Target{Group: group})
			}
			return err
		}
		if p, err = s.insertProject(ctx, tx, org, group, by.UserID, set); err != nil || seed == nil {
			return err
		}
		return seed(ctx, tx, p)
	})
	return p, err
}

func (s *Store) insertProject(ctx context.Context, tx *metadb.Tx, org, group, by int64, set ProjectSettings) (p Project, err error) {
	id, err := metadb.NextID(ctx, tx, "project")
	if err != nil {
		return p, err
	}
	if id > math.MaxUint32 {
		return p, fault.New(fault.Unsupported, "no more than %d projects", uint32(math.MaxUint32))
	}
	now := s.now().UTC()
	p = Project{ID: project.ID(id), OrgID: org, GroupID: group, Name: set.Name, Language: set.Language,
		Retention: set.Retention, Rate: set.Rate, Access: set.Access, Version: 1, CreatedAt: now, UpdatedAt: now, UpdatedBy: by}
	_, err = tx.Exec(ctx, `INSERT INTO project (id, org_id, group_id, name, language, retention_days, log_retention_days, metric_retention_days, span_rate,
			log_rate, metric_rate, version, created_at, updated_at, updated_by, archived_at, visibility, show_sql, show_personal, show_prompts)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, $13, 0, $14, $15, $16, $17)`,
		p.ID, org, group, p.Name, p.Language, p.Retention.Traces, p.Retention.Logs, p.Retention.Metrics,
		p.Rate.Traces, p.Rate.Logs, p.Rate.Metrics, metadb.Micros(now), by, p.Access.Visibility, p.Access.ShowSQL, p.Access.ShowPersonal, p.Access.ShowPrompts)
	return p, taken(err, "a project")
}

// UpdateProject replaces the settings of the project as read in version.
func (s *Store) UpdateProject(ctx context.Context, by Actor, id project.ID, version int64, set ProjectSettings) (Project, error) {
	if err := set.check(); err != nil {
		return Project{}, err
	}
	n, err := s.db.Exec(ctx, `UPDATE project SET name = $3, language = $4, retention_days = $5, log_retention_days = $6,
			metric_retention_days = $7, span_rate = $8, log_rate = $9, metric_rate = $10, version = version + 1, updated_at = $11, updated_by = $12,
			visibility = $13, show_sql = $14, show_personal = $15, show_prompts = $16
		WHERE id = $1 AND version = $2 AND archived_at = 0`,
		id, version, set.Name, set.Language, set.Retention.Traces, set.Retention.Logs, set.Retention.Metrics,
		set.Rate.Traces, set.Rate.Logs, set.Rate.Metrics, metadb.Micros(s.now()), by.UserID,
		set.Access.Visibility, set.Access.ShowSQL, set.Access.ShowPersonal, set.Access.ShowPrompts)
	if err := changed(n, taken(err, "a project")); err != nil {
		return Project{}, err
	}
	return s.Project(ctx, id)
}

// ArchiveProject deletes a project: its keys stop working and nobody sees it any
// more. What it holds is erased soon after.
func (s *Store) ArchiveProject(ctx context.Context, by Actor, id project.ID, version int64) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		now := metadb.Micros(s.now())
		if err := changed(tx.Exec(ctx, `UPDATE project SET archived_at = $3, version = version + 1, updated_at = $3, updated_by = $4
			WHERE id = $1 AND version = $2 AND archived_at = 0`, id, version, now, by.UserID)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE ingest_key SET revoked_at = $2 WHERE project_id = $1 AND revoked_at = 0`, id, now)
		return err
	})
}

// AllProjects lists every project in use, of all organisations.
func (s *Store) AllProjects(ctx context.Context) ([]Project, error) {
	rows, err := s.db.Query(ctx, `SELECT `+projectColumns+` FROM project p WHERE p.archived_at = 0 ORDER BY p.id`)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (Project, error) { return scanProject(r) })
}

// ArchivedProjects lists the deleted projects that are not erased yet. One that
// was deleted only just now is left out: receivers may still take its telemetry,
// because they remember keys for a while.
func (s *Store) ArchivedProjects(ctx context.Context) ([]project.ID, error) {
	rows, err := s.db.Query(ctx, `SELECT id FROM project WHERE archived_at > 0 AND archived_at < $1 ORDER BY id`,
		metadb.Micros(s.now().Add(-time.Minute)))
	return metadb.Collect(rows, err, func(r *metadb.Rows) (id project.ID, err error) { return id, r.Scan(&id) })
}

// EraseProject removes a deleted project from the metadata: first what others
// keep of it, all in one transaction.
func (s *Store) EraseProject(ctx context.Context, id project.ID, others []func(context.Context, *metadb.Tx, project.ID) error) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for _, erase := range others {
			if err := erase(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ingest_key WHERE project_id = $1`, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM project WHERE id = $1 AND archived_at > 0`, id)
		return err
	})
}
