package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// InIncident names an incident in the path.
type InIncident struct {
	InProject
	Incident int64 `path:"incident" minimum:"1" doc:"incident id"`
}

// InIncidents selects incidents.
type InIncidents struct {
	InProject
	State    string    `query:"state" enum:"active,open,acknowledged,mitigated,resolved,closed" doc:"active is open, acknowledged or mitigated; default all"`
	Severity string    `query:"severity" enum:"info,warning,critical"`
	Service  string    `query:"service" maxLength:"256"`
	Phase    string    `query:"phase" maxLength:"256"`
	Rule     int64     `query:"rule" minimum:"0"`
	Assignee int64     `query:"assignee" minimum:"-1" doc:"account; -1 = nobody"`
	Label    string    `query:"label" maxLength:"512" doc:"name=value"`
	Text     string    `query:"q" maxLength:"256" doc:"in title, service or phase"`
	From     time.Time `query:"from" doc:"opened at or after"`
	To       time.Time `query:"to" doc:"opened before"`
}

func (in *InIncidents) query() incident.Query {
	return incident.Query{State: in.State, Severity: in.Severity, Service: in.Service, Phase: in.Phase, Rule: in.Rule,
		Assignee: in.Assignee, Label: in.Label, Text: in.Text, From: in.From, To: in.To}
}

// IncidentChange is what one changes of an incident; what is left out stays.
type IncidentChange struct {
	State      string `json:"state,omitempty" enum:"open,acknowledged,mitigated,resolved,closed" doc:"open reopens a resolved one"`
	Severity   string `json:"severity,omitempty" enum:"info,warning,critical"`
	AssigneeID *int64 `json:"assignee_id,omitempty" minimum:"0" doc:"account of a member, 0 = nobody"`
}

// IncidentsChange changes several incidents.
type IncidentsChange struct {
	Incidents []int64 `json:"incidents" minItems:"1" maxItems:"200"`
	IncidentChange
}

// IncidentRefusal is an incident that was left as it is.
type IncidentRefusal struct {
	Incident int64  `json:"incident_id"`
	Why      string `json:"why"`
}

// IncidentsChanged is what became of a change of several incidents.
type IncidentsChanged struct {
	Changed int               `json:"changed"`
	Refused []IncidentRefusal `json:"refused"`
}

// AnalysisChange is what a project wants of the analysis of its incidents.
type AnalysisChange struct {
	Investigate string `json:"investigate" enum:"off,unclear,always"`
}

// IncidentMerge names incidents.
type IncidentMerge struct {
	Incidents []int64 `json:"incidents" minItems:"1" maxItems:"100"`
}

func personOf(a tenant.Actor) incident.Person { return incident.Person{ID: a.UserID, Name: a.Name} }

func (s *server) registerIncidents() {
	const list, one = "/api/v1/projects/{project}/incidents", "/api/v1/projects/{project}/incidents/{incident}"
	register(s, tenant.ProjectRead, get("list-incidents", list, "Incidents, newest first"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InIncidents
			Cursor string `query:"cursor" maxLength:"1024"`
			Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		}) (*result[incident.Page], error) {
			q := in.query()
			q.Cursor, q.Limit = in.Cursor, in.Limit
			return ok(s.opts.Incidents.List(ctx, in.Project, q))
		})
	export := get("export-incidents", list+".csv", "The same as a table for spreadsheets, at most 10,000 rows")
	export.Responses = map[string]*huma.Response{"default": s.failure, "200": {Description: "CSV", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
	register(s, tenant.ProjectRead, export, s.exportIncidents)
	register(s, tenant.ProjectRead, get("get-incident", one, "One incident with its report, evidence and timeline"),
		func(ctx context.Context, _ tenant.Actor, in *InIncident) (*result[*incident.Detail], error) {
			return ok(s.opts.Incidents.Get(ctx, in.Project, in.Incident))
		})
	register(s, tenant.ProjectRead, get("get-incident-impact", one+"/impact", "Whom and what an incident met, and what was new before it"),
		func(ctx context.Context, _ tenant.Actor, in *InIncident) (*result[*trace.Affected], error) {
			i, from, to, err := s.opts.Incidents.Trouble(ctx, in.Project, in.Incident)
			if err != nil {
				return nil, err
			}
			return ok(s.opts.Traces.Affected(ctx, in.Project, i.Service, i.Phase, from, to))
		})
	const analysis = "/api/v1/projects/{project}/incident-analysis"
	register(s, tenant.ProjectRead, get("get-incident-analysis", analysis, "What a project wants of the analysis of its incidents"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*edited[*incident.AnalysisSettings], error) {
			set, err := s.opts.Incidents.AnalysisSettings(ctx, in.Project)
			return versioned(&set, set.Version, err)
		})
	register(s, tenant.ProjectAdmin, put("set-incident-analysis", analysis, "Change it; from the next analysis on"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
			Body AnalysisChange
		}) (*edited[*incident.AnalysisSettings], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			set, err := s.opts.Incidents.SetAnalysisSettings(ctx, in.Project, incident.AnalysisSettings{Investigate: in.Body.Investigate, Version: version}, a.Name)
			return versioned(&set, set.Version, err)
		})
	register(s, tenant.ProjectWrite, post("change-incident", one+"/changes", "Change state, severity or assignee of an incident", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIncident
			Body IncidentChange
		}) (*struct{}, error) {
			to, err := s.assignee(ctx, in.Project, in.Body.AssigneeID)
			if err != nil {
				return nil, err
			}
			return done(s.changeIncident(ctx, in.Project, in.Incident, in.Body, to, personOf(a)))
		})
	register(s, tenant.ProjectWrite, post("change-incidents", "/api/v1/projects/{project}/incident-changes", "Change several incidents", http.StatusOK), s.changeIncidents)
	register(s, tenant.ProjectWrite, post("acknowledge-incident", one+"/acknowledge", "Say that I am on it", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Acknowledge(ctx, in.Project, in.Incident, personOf(a)))
		})
	register(s, tenant.ProjectWrite, post("resolve-incident", one+"/resolve", "End an incident", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Resolve(ctx, in.Project, in.Incident, personOf(a)))
		})
	register(s, tenant.ProjectWrite, post("analyze-incident", one+"/analyze", "Have an incident analysed again", http.StatusAccepted),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Analyze(ctx, in.Project, in.Incident, a.Name))
		})
	register(s, tenant.ProjectWrite, post("merge-incidents", one+"/merge", "Make other incidents parts of this one", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIncident
			Body IncidentMerge
		}) (*struct{}, error) {
			return done(s.opts.Incidents.Merge(ctx, in.Project, in.Incident, in.Body.Incidents, personOf(a)))
		})
	register(s, tenant.ProjectWrite, post("split-incident", one+"/split", "Take an incident out of what it was merged into, or off its cause", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InIncident) (*struct{}, error) {
			return done(s.opts.Incidents.Split(ctx, in.Project, in.Incident, personOf(a)))
		})
	s.registerIncidentComments(one)
}

// InIncidentComment names a comment in the path.
type InIncidentComment struct {
	InIncident
	Comment int64 `path:"comment" minimum:"1" doc:"id of the timeline's entry"`
}

func (s *server) registerIncidentComments(one string) {
	register(s, tenant.ProjectWrite, post("comment-incident", one+"/comments", "Say something about an incident", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIncident
			Body CommentRequest
		}) (*struct{}, error) {
			return done(s.opts.Incidents.Comment(ctx, in.Project, in.Incident, in.Body.Text, personOf(a)))
		})
	register(s, tenant.ProjectWrite, put("edit-incident-comment", one+"/comments/{comment}", "Change one's own comment"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InIncidentComment
			Body CommentRequest
		}) (*struct{}, error) {
			return done(s.opts.Incidents.EditComment(ctx, in.Project, in.Incident, in.Comment, in.Body.Text, personOf(a)))
		})
	register(s, tenant.ProjectWrite, del("delete-incident-comment", one+"/comments/{comment}", "Delete one's own comment"),
		func(ctx context.Context, a tenant.Actor, in *InIncidentComment) (*struct{}, error) {
			return done(s.opts.Incidents.EditComment(ctx, in.Project, in.Incident, in.Comment, "", personOf(a)))
		})
}

// assignee returns the member of an account; nobody for 0 and for nil.
func (s *server) assignee(ctx context.Context, p project.ID, id *int64) (incident.Person, error) {
	if id == nil || *id == 0 {
		return incident.Person{}, nil
	}
	people, err := s.people(ctx, p)
	if err != nil {
		return incident.Person{}, err
	}
	for _, one := range people {
		if one.ID == *id {
			return incident.Person{ID: one.ID, Name: one.Name}, nil
		}
	}
	return incident.Person{}, fault.New(fault.Invalid, "the account %d is no member who can read this project", *id).WithField("assignee_id")
}

// changeIncident does what a change says, the state last.
func (s *server) changeIncident(ctx context.Context, p project.ID, id int64, c IncidentChange, to, by incident.Person) error {
	if c.Severity != "" {
		if err := s.opts.Incidents.SetSeverity(ctx, p, id, c.Severity, by); err != nil {
			return err
		}
	}
	if c.AssigneeID != nil {
		if err := s.opts.Incidents.Assign(ctx, p, id, to, by); err != nil {
			return err
		}
	}
	if c.State != "" {
		return s.opts.Incidents.Turn(ctx, p, id, c.State, by)
	}
	return nil
}

// changeIncidents changes what can be changed and says what cannot; it stops at
// an error that is nobody's refusal.
func (s *server) changeIncidents(ctx context.Context, a tenant.Actor, in *struct {
	InProject
	Body IncidentsChange
}) (*result[IncidentsChanged], error) {
	to, err := s.assignee(ctx, in.Project, in.Body.AssigneeID)
	if err != nil {
		return nil, err
	}
	out := IncidentsChanged{Refused: []IncidentRefusal{}}
	for _, id := range in.Body.Incidents {
		err := s.changeIncident(ctx, in.Project, id, in.Body.IncidentChange, to, personOf(a))
		switch {
		case err == nil:
			out.Changed++
		case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
			out.Refused = append(out.Refused, IncidentRefusal{id, fault.As(err).Message})
		default:
			return nil, err
		}
	}
	return ok(out, nil)
}

// exportRows is how many incidents a table holds at most.
const exportRows = 10_000

func (s *server) exportIncidents(ctx context.Context, _ tenant.Actor, in *InIncidents) (*file, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	_ = w.Write([]string{"id", "state", "severity", "title", "service", "phase", "subject", "rule", "opened_at", "last_match_at", "resolved_at", "resolved_by",
		"acknowledged_at", "acknowledged_by", "assignee", "matches", "reopened", "parent_id", "parent_kind"})
	q := in.query()
	q.Limit = 200
	for rows := 0; rows < exportRows; {
		page, err := s.opts.Incidents.List(ctx, in.Project, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			_ = w.Write(incidentRow(&page.Items[i]))
		}
		rows += len(page.Items)
		if q.Cursor = page.NextCursor; q.Cursor == "" {
			break
		}
	}
	w.Flush() // a bytes.Buffer takes everything
	return &file{"text/csv; charset=utf-8", fmt.Sprintf(`attachment; filename="matrix-incidents-%s.csv"`, s.now().Format(time.DateOnly)), out.Bytes()}, nil
}

func incidentRow(i *incident.Incident) []string {
	moment := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format(time.RFC3339)
	}
	id := func(n int64) string { return strconv.FormatInt(n, 10) }
	parent := ""
	if i.Parent != 0 {
		parent = id(i.Parent)
	}
	return []string{id(i.ID), i.State, i.Severity, harmless(i.Title), harmless(i.Service), harmless(i.Phase), harmless(i.Subject), harmless(i.Rule.Name),
		moment(&i.OpenedAt), moment(&i.LastMatchAt), moment(i.ResolvedAt), harmless(i.ResolvedBy), moment(i.AcknowledgedAt), harmless(i.AcknowledgedBy),
		harmless(i.Assignee), strconv.Itoa(i.Matches), strconv.Itoa(i.Reopened), parent, i.ParentKind}
}
