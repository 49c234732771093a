package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/scrape"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
)

// unique makes a name nobody had before.
func (h *house) unique(name string) string {
	h.serial++
	return fmt.Sprintf("%s-%d", name, h.serial)
}

func (h *house) soon() time.Time { return time.Now().Add(time.Hour) }

func (h *house) migrateEngine() {
	h.t.Helper()
	h.must(h.engine.Migrate(h.t.Context(), "trace", trace.Migrations()))
	h.must(h.engine.Migrate(h.t.Context(), "logs", logs.Migrations()))
	h.must(h.engine.Migrate(h.t.Context(), "flame", flame.Migrations()))
	h.must(h.engine.Migrate(h.t.Context(), "issue", issue.Migrations()))
	h.must(h.engine.Migrate(h.t.Context(), "ai", ai.Migrations()))
	h.must(h.engine.Migrate(h.t.Context(), "metric", metric.Migrations()))
}

// newPlace makes an organisation with its owner, a project, and a row of every
// kind below it.
func (n *neighbours) newPlace(canary string, seed byte) *place {
	n.t.Helper()
	ctx := n.t.Context()
	p := &place{h: n.house, canary: canary}
	user, err := n.tenants.CreateUser(ctx, "owner@"+canary+".example.com", "")
	n.must(err)
	p.login = n.login(user.Email, user.Password)
	p.owner = tenant.Actor{UserID: user.ID, Name: user.Name}
	org, err := n.tenants.CreateOrganisation(ctx, p.owner, "org-"+canary)
	n.must(err)
	groups, err := n.tenants.Groups(ctx, p.owner, org.ID)
	n.must(err)
	p.org, p.group = org.ID, groups[0].ID
	made, err := n.tenants.CreateProject(ctx, p.owner, p.group, tenant.ProjectSettings{Name: "project-" + canary}, nil)
	n.must(err)
	p.project = uint32(made.ID)
	_, err = n.tenants.CreateKey(ctx, p.owner, made.ID, "key-"+canary)
	n.must(err)
	p.rule = p.newRule()
	p.view = p.newView()
	p.dashboard = p.newDashboard()
	p.channel = p.newChannel()
	p.incident = p.newIncident()
	p.newTrace(seed)
	p.newLog()
	p.newSample()
	p.newTarget()
	p.newCall()
	p.experiment = p.newExperiment()
	p.role = p.newOrgRole()
	p.issue = p.newIssue()
	p.newErrors()
	return p
}

func (p *place) id() project.ID { return project.ID(p.project) }

func (p *place) newKey() int64 {
	p.h.t.Helper()
	key, err := p.h.tenants.CreateKey(p.h.t.Context(), p.owner, p.id(), p.h.unique("kept-"+p.canary))
	p.h.must(err)
	return key.ID
}

func (p *place) ruleBody() RuleRequest {
	return RuleRequest{Name: p.h.unique("kept-" + p.canary), Kind: rule.SlowSQL, Enabled: true,
		Params: rule.Params{"threshold_ms": 8000.0}, Count: 1, WindowMinutes: 10, QuietMinutes: 10, Service: p.canary}
}

func (p *place) newRule() int64 {
	p.h.t.Helper()
	r, err := p.h.opts.Rules.Create(p.h.t.Context(), p.id(), p.owner.Name, p.ruleBody().rule(p.id(), 0, 0))
	p.h.must(err)
	return r.ID
}

func (p *place) viewBody() ViewRequest {
	return ViewRequest{Name: p.h.unique("kept-" + p.canary), Query: "service:" + p.canary}
}

func (p *place) newView() int64 {
	p.h.t.Helper()
	body := p.viewBody()
	v, err := p.h.opts.Views.Create(p.h.t.Context(), p.id(), view.Author{ID: p.owner.UserID, Name: p.owner.Name}, view.View{Kind: "transactions", Name: body.Name, Query: body.Query})
	p.h.must(err)
	return v.ID
}

func (p *place) dashboardBody() dashboard.Document {
	return dashboard.Document{Format: dashboard.Format, Schema: dashboard.Schema, Name: p.h.unique("kept-" + p.canary), Variables: []dashboard.Variable{},
		Panels: []dashboard.Panel{{ID: "a", Kind: "text", Width: 6, Height: 1, Text: p.canary}}}
}

func (p *place) newDashboard() int64 {
	p.h.t.Helper()
	d, err := p.h.opts.Dashboards.Create(p.h.t.Context(), p.id(), p.owner.Name, p.dashboardBody())
	p.h.must(err)
	return d.ID
}

func (p *place) channelBody() ChannelRequest {
	return ChannelRequest{Name: p.h.unique("kept-" + p.canary), Kind: "sink", Enabled: true, Config: json.RawMessage(`{"room": "` + p.canary + `"}`)}
}

func (p *place) newChannel() int64 {
	p.h.t.Helper()
	t, err := p.h.opts.Outbox.Targets().Create(p.h.t.Context(), p.channelBody().target(p.id(), 0, 0), p.owner.Name)
	p.h.must(err)
	return t.ID
}

func (p *place) routingBody() RoutingRequest {
	return RoutingRequest{TimeZone: "Asia/Seoul", Routes: []notify.Route{{Name: "kept-" + p.canary, Services: []string{p.canary}, Channels: []int64{p.channel}}}}
}

func (p *place) previewBody() ChannelPreviewRequest {
	return ChannelPreviewRequest{Kind: "sink", Config: json.RawMessage(`{"room": "` + p.canary + `"}`)}
}

// routingVersion is the version that the next edit must name.
func (p *place) routingVersion() string {
	p.h.t.Helper()
	r, err := p.h.opts.Outbox.Targets().Routing(p.h.t.Context(), p.id())
	p.h.must(err)
	return fmt.Sprintf(`"v%d"`, r.Version)
}

// newIncident opens an incident and says that its analysis is done.
func (p *place) newIncident() (id int64) {
	p.h.t.Helper()
	r, err := p.h.opts.Rules.Get(p.h.t.Context(), p.id(), p.rule)
	p.h.must(err)
	service, now := p.h.unique(p.canary), time.Now()
	match := rule.Match{TraceID: trace.TraceID{15: 9}, SpanID: 1, Service: service, Instance: p.canary, Start: now, DurationNs: int64(9 * time.Second)}
	p.h.must(p.h.db.InTx(p.h.t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
		err := p.h.opts.Incidents.Open(ctx, tx, rule.Firing{
			Rule: r, Service: service, Phase: "prod", Met: true, From: now.Add(-time.Minute), To: now, Count: 1, New: 1,
			Instances: []rule.InstanceCount{{Name: p.canary, Count: 1}}, Window: []rule.Match{match}, Matches: []rule.Match{match},
		})
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `UPDATE incident SET analysis = 'done' WHERE service = $1 RETURNING id`, service).Scan(&id)
	}))
	return id
}

// newIncidentComment says something about the place's incident.
func (p *place) newIncidentComment() (id int64) {
	p.h.t.Helper()
	p.h.must(p.h.opts.Incidents.Comment(p.h.t.Context(), p.id(), p.incident, "of "+p.canary, personOf(p.owner)))
	d, err := p.h.opts.Incidents.Get(p.h.t.Context(), p.id(), p.incident)
	p.h.must(err)
	return d.Timeline[len(d.Timeline)-1].ID
}

// newSilence silences a service that has no incidents.
func (p *place) newSilence() int64 {
	p.h.t.Helper()
	z, err := p.h.opts.Incidents.CreateSilence(p.h.t.Context(), incident.Silence{Project: p.id(), Matchers: incident.Matchers{Service: "silent-" + p.canary},
		Reason: "of " + p.canary, EndsAt: time.Now().Add(time.Hour)}, p.owner.Name)
	p.h.must(err)
	return z.ID
}

var everyNight = incident.Timing{Weekly: true, Start: "01:00", End: "02:00", Zone: "Asia/Seoul"}

func (p *place) newMaintenance() int64 {
	p.h.t.Helper()
	w, err := p.h.opts.Incidents.CreateMaintenance(p.h.t.Context(), incident.Maintenance{Project: p.id(), Name: p.canary,
		Matchers: incident.Matchers{Service: "silent-" + p.canary}, Timing: everyNight}, p.owner.Name)
	p.h.must(err)
	return w.ID
}

// newCall has a model asked something.
func (p *place) newCall() {
	p.h.t.Helper()
	answer, err := p.h.opts.AI.Run(p.h.t.Context(), ai.Caller{Project: p.id(), Kind: "test", Name: p.canary, Ref: p.canary}, p.h.newRole(),
		ai.Input{Message: "about " + p.canary, Language: "en"})
	p.h.must(err)
	p.h.must(p.h.opts.AI.Flush(p.h.t.Context()))
	p.call = answer.CallID
}

// spec is an experiment of one cell.
func (p *place) spec() quality.Spec {
	return quality.Spec{Name: "kept-" + p.canary, Role: p.h.newRole(), Repeats: 1, Inputs: []quality.SpecInput{{Message: "about " + p.canary}},
		Versions: []int{}, Models: []quality.SpecModel{}, Temperatures: []float64{}, TopPs: []float64{}}
}

// newExperiment starts an experiment; nobody runs its job.
func (p *place) newExperiment() int64 {
	p.h.t.Helper()
	e, err := p.h.opts.Quality.Start(p.h.t.Context(), p.id(), p.owner.UserID, p.owner.Name, p.spec())
	p.h.must(err)
	return e.ID
}

func (p *place) keptExperiment() int64 { return p.experiment }

// endedExperiment returns one that was cancelled.
func (p *place) endedExperiment() int64 {
	id := p.newExperiment()
	p.h.must(p.h.opts.Quality.Cancel(p.h.t.Context(), p.id(), id))
	return id
}

// newOrgRole returns the code of a new role of the organisation.
func (p *place) newOrgRole() string {
	p.h.t.Helper()
	r, err := p.h.opts.AI.Roles().Create(p.h.t.Context(), ai.Role{Owner: ai.Owner(p.org), Code: p.h.unique("own"), SystemMessage: "Say " + p.canary}, "test")
	p.h.must(err)
	return r.Code
}

// newOrgLabel is newOrgRole with the label candidate.
func (p *place) newOrgLabel() string {
	code := p.newOrgRole()
	_, err := p.h.opts.AI.Roles().SetLabel(p.h.t.Context(), ai.Owner(p.org), code, ai.Label{Name: "candidate", Version: 1}, ai.AskFirst, "test", "")
	p.h.must(err)
	return code
}

// saidByAll returns a call about which everybody has said something.
func (p *place) saidByAll() string {
	p.h.t.Helper()
	rows, err := p.h.db.Query(p.h.t.Context(), `SELECT id FROM account`)
	people, err := metadb.Collect(rows, err, func(r *metadb.Rows) (id int64, err error) { return id, r.Scan(&id) })
	p.h.must(err)
	for _, id := range people {
		_, err := p.h.opts.Quality.Say(p.h.t.Context(), p.id(), quality.Feedback{CallID: p.call, Person: id})
		p.h.must(err)
	}
	return p.call
}

func (h *house) newRole() string {
	h.t.Helper()
	r, err := h.opts.AI.Roles().Create(h.t.Context(), ai.Role{Code: h.unique("role"), SystemMessage: "Say hello."}, "test")
	h.must(err)
	return r.Code
}

// newLabel returns the code of a new role that has the label candidate.
func (h *house) newLabel() string {
	code := h.newRole()
	_, err := h.opts.AI.Roles().SetLabel(h.t.Context(), ai.Shared, code, ai.Label{Name: "candidate", Version: 1}, ai.AskFirst, "test", "")
	h.must(err)
	return code
}

func budgetBody() BudgetRequest {
	return BudgetRequest{Scope: "person", Measure: "requests", Period: "month", Limit: 1e9}
}

// newBudget returns the id of a new budget of an owner that nobody reaches.
func (h *house) newBudget(owner ai.Owner) string {
	b, err := h.opts.AI.Roles().SetBudget(h.t.Context(), budgetBody().budget(owner, "", 0), "test")
	h.must(err)
	return b.ID
}

// newCapability returns the model of a new rule.
func (h *house) newCapability() string {
	c, err := h.opts.AI.Roles().SetCapability(h.t.Context(), ai.Capability{Provider: "canned", Model: h.unique("model"), Rejects: []string{"seed"}}, "test")
	h.must(err)
	return c.Model
}

// cannedKinds are the providers that can be stored.
var cannedKinds = map[string]func(string) (ai.Provider, error){"canned": func(string) (ai.Provider, error) { return canned{}, nil }}

// newProvider stores a provider of the installation's with a key and returns its
// name; it is at version 2.
func (h *house) newProvider() string { return h.newProviderOf(ai.Shared) }

// newProvider stores a provider of the organisation's, as that of the house does.
func (p *place) newProvider() string { return p.h.newProviderOf(ai.Owner(p.org)) }

func (h *house) newProviderOf(owner ai.Owner) string {
	h.t.Helper()
	services := h.opts.AI.Services().Of(owner)
	p, err := services.Create(h.t.Context(), ai.ModelService{Name: h.unique("provider"), Kind: "canned", Enabled: true}, "test")
	h.must(err)
	_, err = services.AddKey(h.t.Context(), p.Name, "first", "sk-isolated", "test")
	h.must(err)
	return p.Name
}

// newOwnPrice sets the price of a model of a provider of the organisation's, and
// returns it.
func (p *place) newOwnPrice() *ai.Price {
	p.h.t.Helper()
	set, err := p.h.opts.AI.Services().Of(ai.Owner(p.org)).Prices().Set(p.h.t.Context(), ai.Price{Provider: p.newProvider(), Model: "m", Input: 1, Output: 2}, "test")
	p.h.must(err)
	return set
}

// newPrice sets the price of a model nobody had before and returns its name.
func (h *house) newPrice() string {
	h.t.Helper()
	p, err := h.opts.AI.Roles().SetPrice(h.t.Context(), ai.Price{Provider: "canned", Model: h.unique("model"), Input: 1, Output: 2}, "test")
	h.must(err)
	return p.Model
}

// newLog stores a log record in the engine.
func (p *place) newLog() {
	p.h.t.Helper()
	cols := logs.NewColumns(otel.NewCatalog())
	cols.Begin(p.id(), 14, time.Now())
	resource := &otel.ResourceBuilder{}
	resource.Reset()
	resource.Attribute([]byte("service.name"), []byte(p.canary))
	cols.SetResource(resource, 1)
	row := logs.NewRow()
	row.Reset()
	row.Body = []byte("a line of " + p.canary)
	row.Attribute([]byte("of"), []byte(p.canary))
	cols.Append(row)
	cols.Commit()
	p.h.must(p.h.engine.Insert(p.h.t.Context(), cols.Table(), cols.Input()))
	page, err := p.h.opts.Logs.Search(p.h.t.Context(), p.id(), logs.Query{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}, false, "", 1)
	p.h.must(err)
	p.log = page.Items[0].ID
}

// newErrors stores two errors in the engine and makes an issue of each.
func (p *place) newErrors() {
	p.h.t.Helper()
	cols := issue.NewColumns()
	grouping, err := issue.NewGroupings(p.h.db, nil).Of(p.h.t.Context(), p.id())
	p.h.must(err)
	for n := range 2 {
		o := issue.Occurrence{Time: time.Now().Add(-time.Minute).UnixNano(), Source: issue.FromLog, Resource: &issue.Resource{Service: p.canary},
			Type: fmt.Sprintf("Error%d", n), Message: "about " + p.canary, Stack: fmt.Sprintf("E%d: x\n\tat com.shop.A.b(A.java:1)", n)}
		o.Group(grouping)
		cols.Append(p.id(), 14, &o)
	}
	p.h.must(p.h.engine.Insert(p.h.t.Context(), cols.Table(), cols.Input()))
	p.h.must(issue.NewTracker(p.h.opts.Issues, nil).Track(p.h.t.Context()))
	page, err := p.h.opts.Issues.List(p.h.t.Context(), p.id(), issue.Query{Text: "type:Error0", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	p.h.must(err)
	p.issue = page.Items[0].ID
}

// newIssue makes an issue of two fingerprints, without occurrences, and returns it.
func (p *place) newIssue() (id int64) {
	p.h.t.Helper()
	p.h.must(p.h.db.InTx(p.h.t.Context(), func(ctx context.Context, tx *metadb.Tx) (err error) {
		if id, err = metadb.NextID(ctx, tx, "issue"); err != nil {
			return err
		}
		at := metadb.Micros(time.Now())
		_, err = tx.Exec(ctx, `INSERT INTO issue (id, project_id, state, state_since, type, message, culprit, language, words, first_seen, last_seen, first_version,
			last_version, resolved_version, ignored_until, ignored_count, assignee_id, assignee, merged_into, version)
			VALUES ($1, $2, 'new', $3, $4, '', '', '', '', $3, $3, '', '', '', 0, 0, 0, '', 0, 1)`, id, int64(p.project), at, "kept-"+p.canary)
		for n := range 2 {
			if err == nil {
				_, err = tx.Exec(ctx, `INSERT INTO issue_fingerprint (project_id, fingerprint, issue_id, algorithm, rules, type, message, culprit, language)
					VALUES ($1, $2, $3, 1, 0, '', '', '', '')`, int64(p.project), fmt.Sprintf("%08x%08x", id, n), id)
			}
		}
		return err
	}))
	return id
}

// newTrace stores a trace of two spans in the engine.
func (p *place) newTrace(seed byte) {
	p.h.t.Helper()
	cols := trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
	cols.Begin(p.id(), 14, time.Now())
	resource := &otel.ResourceBuilder{}
	resource.Reset()
	resource.Attribute([]byte("service.name"), []byte(p.canary))
	cols.SetResource(resource, uint64(seed))
	start := time.Now().Add(-time.Minute)
	id := trace.TraceID{15: seed}
	span := func(span, parent trace.SpanID, kind uint8, name string, attributes ...string) {
		row := trace.NewRow()
		row.Reset()
		row.TraceID, row.SpanID, row.ParentID = id, span, parent
		row.Name, row.Kind = []byte(name), kind
		row.Start, row.Duration = start.UnixNano(), uint64(9*time.Second)
		for i := 0; i+1 < len(attributes); i += 2 {
			row.Attribute([]byte(attributes[i]), []byte(attributes[i+1]))
		}
		cols.Append(row)
	}
	span(1, 0, 2, "GET /"+p.canary, "http.request.method", "GET", "http.route", "/"+p.canary)
	span(2, 1, 3, "SELECT", "db.system", "mysql", "db.statement", "SELECT * FROM "+p.canary)
	statements, resources := trace.NewStatements(), otel.NewResources()
	pending := cols.Commit()
	statements.Append(&pending.Statements)
	resources.Append(&pending.Resources)
	p.h.must(p.h.engine.Insert(p.h.t.Context(), statements.Table(), statements.Input()))
	p.h.must(p.h.engine.Insert(p.h.t.Context(), resources.Table(), resources.Input()))
	p.h.must(p.h.engine.Insert(p.h.t.Context(), cols.Table(), cols.Input()))
	p.trace = hex.EncodeToString(id[:])
}

// newSample stores a sample of a metric, and what it is, and one of a host.
func (p *place) newSample() {
	p.h.t.Helper()
	w := metric.NewWriter(p.h.engine, metric.Limits{}, clickhouse.BatchOptions{MaxDelay: time.Millisecond})
	b := w.Begin(p.id(), 14, time.Now())
	s, err := b.Series(labels.FromStrings("__name__", "up", "job", p.canary, p.canary, "1"))
	p.h.must(err)
	p.h.must(b.Sample(s, 0, time.Now().UnixMilli(), 1))
	s, err = b.Series(labels.FromStrings("__name__", "system_memory_usage_bytes", "host_name", p.canary, "state", "used"))
	p.h.must(err)
	p.h.must(b.Sample(s, 0, time.Now().UnixMilli(), 1))
	b.Metadata(metric.Metadata{Metric: "up", Type: "gauge", Help: p.canary})
	p.h.must(w.Write(p.h.t.Context(), b))
	p.h.must(w.Close(p.h.t.Context()))
}

// newTarget makes a target that is scraped for the project.
func (p *place) newTarget() {
	p.h.t.Helper()
	state, err := json.Marshal(scrape.State{File: "/etc/" + p.canary, Targets: []scrape.Target{{
		Job: p.canary, URL: "http://" + p.canary + ":9100/metrics", Labels: map[string]string{"job": p.canary}, Discovered: map[string]string{"__address__": p.canary}, Health: "up",
	}}, Dropped: []scrape.Dropped{{Job: p.canary, Discovered: map[string]string{"__address__": p.canary}}}, DroppedCounts: map[string]int{p.canary: 1}})
	p.h.must(err)
	_, err = p.h.db.Exec(p.h.t.Context(), `INSERT INTO scrape (project_id, node, beat, at, state) VALUES ($1, 'node-1', 1, $2, $3)`,
		p.id(), metadb.Micros(time.Now()), string(state))
	p.h.must(err)
}

// rows returns all of B's rows, by table.
func (p *place) rows() []string {
	p.h.t.Helper()
	var out []string
	for _, q := range []string{
		`SELECT name || version FROM organisation WHERE id = $1`,
		`SELECT name || version FROM project_group WHERE org_id = $1`,
		`SELECT name || version || archived_at FROM project WHERE org_id = $1`,
		`SELECT name || version || body FROM (SELECT r.name, r.version, '' AS body, p.org_id FROM rule r JOIN project p ON p.id = r.project_id) x WHERE org_id = $1 AND name LIKE 'kept-%'`,
		`SELECT v.name || v.version FROM saved_view v JOIN project p ON p.id = v.project_id WHERE p.org_id = $1 AND v.name LIKE 'kept-%'`,
		`SELECT d.name || d.version FROM dashboard d JOIN project p ON p.id = d.project_id WHERE p.org_id = $1 AND d.name LIKE 'kept-%'`,
		`SELECT t.name || t.version FROM notify_target t JOIN project p ON p.id = t.project_id WHERE p.org_id = $1 AND t.name LIKE 'kept-%'`,
		`SELECT i.type || i.state || i.version || i.merged_into FROM issue i JOIN project p ON p.id = i.project_id WHERE p.org_id = $1`,
		`SELECT x.name || x.state || x.run FROM ai_experiment x JOIN project p ON p.id = x.project_id WHERE p.org_id = $1`,
		`SELECT i.service || i.state || i.analysis || i.acknowledged_by FROM incident i JOIN project p ON p.id = i.project_id WHERE p.org_id = $1`,
	} {
		rows, err := p.h.db.Query(p.h.t.Context(), q+` ORDER BY 1`, p.org)
		found, err := metadb.Collect(rows, err, func(r *metadb.Rows) (s string, err error) { return s, r.Scan(&s) })
		p.h.must(err)
		if len(found) == 0 {
			p.h.t.Fatalf("no rows to watch: %s", q)
		}
		out = append(out, found...)
	}
	return out
}

func (p *place) version(query string, id any) string {
	p.h.t.Helper()
	var v int64
	p.h.must(p.h.db.QueryRow(p.h.t.Context(), query, id).Scan(&v))
	return `"v` + strconv.FormatInt(v, 10) + `"`
}

func (p *place) groupVersion() string {
	return p.version(`SELECT version FROM project_group WHERE id = $1`, p.group)
}

func (p *place) inAppVersion() string {
	return p.version(`SELECT COALESCE(MAX(version), 0) FROM issue_rules WHERE project_id = $1`, p.project)
}

func (p *place) projectVersion() string {
	return p.version(`SELECT version FROM project WHERE id = $1`, p.project)
}

func (p *place) maskingVersion() string {
	return p.version(`SELECT COALESCE(MAX(version), 0) FROM ai_masking WHERE project_id = $1`, p.project)
}

func (p *place) analysisVersion() string {
	return p.version(`SELECT COALESCE(MAX(version), 0) FROM incident_analysis WHERE project_id = $1`, p.project)
}

// newUser makes an account and returns its address.
func (p *place) newUser() string {
	p.h.t.Helper()
	user, err := p.h.tenants.CreateUser(context.Background(), p.h.unique("somebody")+"@"+p.canary+".example.com", "")
	p.h.must(err)
	return user.Email
}

func (p *place) user(email string) (id int64) {
	p.h.t.Helper()
	p.h.must(p.h.db.QueryRow(p.h.t.Context(), `SELECT id FROM account WHERE email = $1`, email).Scan(&id))
	return id
}

// newMember makes an account that is in the organisation, or in just its group.
func (p *place) newMember(group int64) int64 {
	p.h.t.Helper()
	email := p.newUser()
	p.h.must(p.h.tenants.SetMember(p.h.t.Context(), p.owner, p.org, group, email, tenant.Viewer))
	return p.user(email)
}

// shapes checks answers against the OpenAPI description.
type shapes struct {
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const shapesURL = "https://matrix.invalid/openapi.json"

func newShapes(h *house) *shapes {
	h.t.Helper()
	text, err := json.Marshal(h.server.api.OpenAPI())
	h.must(err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	h.must(err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	h.must(compiler.AddResource(shapesURL, document))
	return &shapes{compiler, map[string]*jsonschema.Schema{}}
}

// conforms checks that an answer is what the OpenAPI description says.
func (n *neighbours) conforms(op *huma.Operation, answer *httptest.ResponseRecorder) {
	n.t.Helper()
	if answer.Body.Len() == 0 {
		return
	}
	status, kind := fmt.Sprint(answer.Code), "application/json"
	if answer.Code >= http.StatusBadRequest && op.Responses[status] == nil {
		status = "default"
		if op.Responses[status].Content[kind] == nil {
			kind = "application/problem+json"
		}
	}
	if op.Responses[status] == nil {
		n.t.Errorf("%s is not described", status)
		return
	}
	if op.Responses[status].Content["text/csv"] != nil { // a table has no schema
		return
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	at := shapesURL + "#/paths/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(escape.Replace(op.Path)) + "/" + strings.ToLower(op.Method) +
		"/responses/" + status + "/content/" + escape.Replace(kind) + "/schema"
	schema := n.shapes.compiled[at]
	if schema == nil {
		var err error
		schema, err = n.shapes.compiler.Compile(at)
		n.must(err)
		n.shapes.compiled[at] = schema
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer.Body.Bytes()))
	n.must(err)
	if err := schema.Validate(body); err != nil {
		n.t.Errorf("the answer is not as described: %v\n%s", err, answer.Body)
	}
}

// statement is the number of the statement in the trace.
func (p *place) statement() string {
	return trace.HashString(sqltext.Normalize("mysql", "SELECT * FROM "+p.canary).Hash)
}

// newMemberRole makes a role of the place's organisation.
func (p *place) newMemberRole() int64 {
	p.h.t.Helper()
	role, err := p.h.tenants.CreateOrgRole(p.h.t.Context(), p.owner, p.org, tenant.RoleSettings{Name: p.h.unique("role-" + p.canary), Permissions: []tenant.Action{tenant.ProjectRead}})
	p.h.must(err)
	return role.ID
}

// newSubgroup makes a group in the place's group.
func (p *place) newSubgroup() int64 {
	p.h.t.Helper()
	group, err := p.h.tenants.CreateSubgroup(p.h.t.Context(), p.group, p.h.unique("group-"+p.canary))
	p.h.must(err)
	return group.ID
}

// newService makes a service account of the place's organisation.
func (p *place) newService() int64 {
	p.h.t.Helper()
	made, err := p.h.tenants.CreateServiceAccount(p.h.t.Context(), p.owner, p.org, p.h.unique("service-"+p.canary), tenant.Given{Role: tenant.Viewer})
	p.h.must(err)
	return made.ID
}

// newServiceToken makes a token of a service account, and names both.
func (p *place) newServiceToken() map[string]any {
	p.h.t.Helper()
	account := p.newService()
	token, err := p.h.tenants.CreateServiceToken(p.h.t.Context(), p.owner, p.org, account, "t", []tenant.Scope{tenant.ScopeProjectRead}, p.h.soon())
	p.h.must(err)
	return map[string]any{"account": account, "token": token.ID}
}

// newInvitation offers a role in the place's organisation, or in a group of it.
func (p *place) newInvitation(group int64) tenant.NewInvitation {
	p.h.t.Helper()
	made, err := p.h.tenants.Invite(p.h.t.Context(), p.owner, p.org, group, "", tenant.Given{Role: tenant.Viewer}, p.h.soon())
	p.h.must(err)
	return made
}

// newInvitation returns the secret of an invitation to the first organisation: its
// holder learns the name of the organisation, whoever they are.
func (h *house) newInvitation() string {
	h.t.Helper()
	made, err := h.tenants.Invite(h.t.Context(), tenant.Actor{UserID: 1, System: true}, h.first.Org.ID, 0, "", tenant.Given{Role: tenant.Viewer}, h.soon())
	h.must(err)
	return made.Secret
}
