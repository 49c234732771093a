// Package incident is the case: a rule fired, people are told, the cause is
// looked for, and it ends.
//
// It owns the incident's state, its timeline, the plain alarm text and the
// order of the analysis: collect evidence, ask the model, check the answer or
// write without one, tell people. It does not detect (package rule), collect
// (evidence), ask (ai), write (report) or deliver (notify): it calls them. It
// talks to the metadata database and to the job queue; everything that comes
// later is a job, and every job may run twice.
package incident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/investigate"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// The states of an incident. The first three are of one that goes on, which a
// list selects as Active. A resolved one is reopened by a person, or by a match
// that comes soon; a closed one stays so.
const (
	Open         = "open"
	Acknowledged = "acknowledged" // somebody is on it
	Mitigated    = "mitigated"    // users feel it no longer, the cause is still there
	Resolved     = "resolved"
	Closed       = "closed"

	Active = "active"
)

// What an incident can be to its parent.
const (
	Merged  = "merged"  // a part of it: what happens to one happens to both
	Symptom = "symptom" // caused by it: its own incident, of which nobody is told
)

// The states of an incident's analysis. Failed means that the traces could not
// be read, so the report knows no more than the alarm.
const (
	Pending = "pending"
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Incident is one case as a list shows it.
type Incident struct {
	ID             int64                `json:"id"`
	Project        project.ID           `json:"project_id"`
	State          string               `json:"state" enum:"open,acknowledged,mitigated,resolved,closed"`
	AcknowledgedBy string               `json:"acknowledged_by" doc:"who is on it, empty for nobody"`
	AcknowledgedAt *time.Time           `json:"acknowledged_at"`
	AssigneeID     int64                `json:"assignee_id" doc:"account, 0 for nobody"`
	Assignee       string               `json:"assignee"`
	Title          string               `json:"title"`
	Rule           RuleRef              `json:"rule"`
	Service        string               `json:"service"`
	Phase          string               `json:"phase"`
	Subject        string               `json:"subject" doc:"what of the service it is about, empty for all of it"`
	Severity       string               `json:"severity" enum:"info,warning,critical"`
	Owner          string               `json:"owner" doc:"of the rule, empty for nobody"`
	Runbook        string               `json:"runbook" doc:"address of what to do, empty for none"`
	Labels         rule.Labels          `json:"labels"`
	OpenedAt       time.Time            `json:"opened_at"`
	LastMatchAt    time.Time            `json:"last_match_at"`
	ResolvedAt     *time.Time           `json:"resolved_at"`
	ResolvedBy     string               `json:"resolved_by" doc:"empty when it ended by itself"`
	Matches        int                  `json:"matches"`
	Instances      []rule.InstanceCount `json:"instances" doc:"most matches first"`
	Analysis       string               `json:"analysis" enum:"pending,running,done,failed"`
	Parent         int64                `json:"parent_id" doc:"the incident it is merged into or a symptom of, 0 for none"`
	ParentKind     string               `json:"parent_kind" enum:",merged,symptom"`
	Told           bool                 `json:"told" doc:"its alarm was sent"`
	Silence        int64                `json:"silence_id" doc:"of the silence that kept the alarm from being sent, 0 for none"`
	Reopened       int                  `json:"reopened" doc:"how often it came back or was reopened"`
	Flapping       bool                 `json:"flapping" doc:"it comes and goes so often that messages are held"`
}

// Person is who does something to an incident. ID is 0 for somebody MATRIX has
// no account of.
type Person struct {
	ID   int64
	Name string
}

// RuleRef is the rule that fired, as it was then.
type RuleRef struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Detail is everything the page of one incident shows.
type Detail struct {
	Incident
	Alarm    string         `json:"alarm"`
	Report   *report.Report `json:"report"`
	Evidence []ground.Fact  `json:"evidence"`
	// Investigation is what a model asked for more facts, null when none was asked.
	Investigation *Investigation    `json:"investigation" doc:"what the investigator asked for in the latest analysis that had one, null for none"`
	Timeline      []Event           `json:"timeline" doc:"with that of what was merged into it"`
	Children      []Incident        `json:"children" doc:"what was merged into it, and its symptoms"`
	Masking       Masking           `json:"masking"`
	Deliveries    []notify.Delivery `json:"deliveries"`
}

// Masking says what was hidden from the model, and behind which tokens.
type Masking struct {
	Counts []mask.Count `json:"counts"`
	Tokens []mask.Token `json:"tokens"`
}

// Event is one entry of an incident's timeline.
type Event struct {
	ID       int64          `json:"id"`
	Incident int64          `json:"incident_id" doc:"another one's when that was merged into this"`
	At       time.Time      `json:"at"`
	Kind     string         `json:"kind" enum:"opened,matched,analysis_started,analysis_requested,investigated,analyzed,acknowledged,mitigated,resolved,closed,reopened,severity,assigned,comment,silenced,told,merged,merged_into,split,split_off,symptom,symptom_of,flapping,calm"`
	Data     map[string]any `json:"data"`
}

const (
	// unreadDelay is how long an analysis waits at least for traces that cannot be
	// read, arrivalDelay for the rest of a trace.
	unreadDelay  = 5 * time.Second
	arrivalDelay = time.Second
	// arrivalPatience is how long an analysis waits for the rest of the trace. A
	// program's exporter sends every few seconds, and some transactions really
	// have no more spans than the slow one.
	arrivalPatience = 30 * time.Second
	// analysisPatience is how long an analysis waits for traces that cannot be
	// read before it goes on without them.
	analysisPatience = 5 * time.Minute
	// analysisLost is how long after it was asked for an analysis cannot be
	// under way any more: its job was lost.
	analysisLost = time.Hour
	// askTimeout bounds the whole conversation with the models; it is below the
	// longest a job may run, so that there is time left to write without them.
	askTimeout = 3 * time.Minute
)

// Options are the dependencies of a Service. DB, Jobs, Outbox, Project, Collect
// and Ask are required.
type Options struct {
	DB     *metadb.DB
	Jobs   *job.Queue
	Outbox *notify.Outbox
	// Project looks a project up: its name and language.
	Project func(ctx context.Context, p project.ID) (tenant.Project, error)
	// Collect gathers the evidence (evidence.Collector.Collect).
	Collect func(ctx context.Context, p project.ID, in evidence.Input) (*ground.Bundle, error)
	// Ask talks to the model (ai.Gateway.Run).
	Ask func(ctx context.Context, caller ai.Caller, role string, in ai.Input) (*ai.Result, error)
	// Settle is how long after the end of what matched an analysis lets the rest of
	// the trace arrive before it looks: a slow span is exported before the spans around it have ended, and other
	// services export when it suits them. What is still on the way then is not in the
	// report; for the entry of the worst transaction it waits longer.
	Settle time.Duration
	// Tools answer the investigator's questions; New adds its own. Nil: it is not asked.
	Tools *investigate.Tools
	// Calls tells which services each service of a phase called in a time range.
	// Without it no incident is a symptom of another.
	Calls func(ctx context.Context, p project.ID, phase string, from, to time.Time) (map[string][]string, error)
	// Even reports whether the machine's clock has run evenly for so long
	// (clock.Watch.Even); while it has not, silence ends no incident. Nil believes
	// the clock.
	Even func(d time.Duration) bool
	// Key signs the links in messages; without one there are none.
	Key []byte
	// BaseURL is where people reach the UI, without a slash at the end.
	BaseURL string
	// Location is the time zone of the times in alarms; default the server's.
	Location *time.Location
	Log      *slog.Logger
	Now      func() time.Time
}

// Service keeps incidents.
type Service struct{ opts Options }

// New returns a service and registers its jobs; call it before Jobs.Start.
func New(opts Options) (*Service, error) {
	switch {
	case opts.DB == nil || opts.Jobs == nil || opts.Outbox == nil:
		return nil, errors.New("incident: Options.DB, Jobs and Outbox are required")
	case opts.Project == nil || opts.Collect == nil || opts.Ask == nil:
		return nil, errors.New("incident: Options.Project, Collect and Ask are required")
	}
	opts.BaseURL = strings.TrimRight(opts.BaseURL, "/")
	opts.Location = cmp.Or(opts.Location, time.Local)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "incident")
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Even == nil {
		opts.Even = func(time.Duration) bool { return true }
	}
	s := &Service{opts: opts}
	if opts.Tools != nil {
		opts.Tools.Add(investigate.TransactionProfile, s.profileTool)
		opts.Tools.Add(investigate.PastIncidents, s.pastTool)
	}
	job.Handle(opts.Jobs, s.analyze)
	job.Handle(opts.Jobs, s.quiet)
	job.Handle(opts.Jobs, s.relate)
	job.Handle(opts.Jobs, s.calm)
	return s, nil
}

// link is the address of an incident's page.
func (s *Service) link(p project.ID, id int64) string {
	return fmt.Sprintf("%s/projects/%d/incidents/%d", s.opts.BaseURL, p, id)
}

// ref is how messages and model calls name an incident.
func ref(id int64) string { return fmt.Sprintf("incident/%d", id) }
