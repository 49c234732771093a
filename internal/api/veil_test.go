package api

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// What a service tells that not everybody may see.
const (
	toldMail    = "kim.secret@customer.example.org"
	toldPhone   = "010-2345-6789"
	toldLiteral = "Gangnam-daero"
	toldSQL     = "SELECT * FROM deliveries WHERE street = '" + toldLiteral + "' AND weight > 31"
)

// tell stores a trace, a log record, an error, an incident's fact and an experiment
// that tell it, and returns a copy of the place in which they are what is asked for.
func (p *place) tell(service string) *place {
	t := p.h.t
	told := *p
	id := trace.TraceID{15: 77}
	cols := trace.NewColumns(trace.NewCatalog(otel.NewCatalog()))
	cols.Begin(p.id(), 14, time.Now())
	resource := &otel.ResourceBuilder{}
	resource.Reset()
	resource.Attribute([]byte("service.name"), []byte(service))
	cols.SetResource(resource, 77)
	start := time.Now().Add(-time.Minute)
	span := func(number, parent trace.SpanID, kind uint8, name string, more func(*trace.Row), attributes ...string) {
		row := trace.NewRow()
		row.Reset()
		row.TraceID, row.SpanID, row.ParentID, row.Name, row.Kind = id, number, parent, []byte(name), kind
		row.Start, row.Duration = start.UnixNano(), uint64(9*time.Second)
		for i := 0; i+1 < len(attributes); i += 2 {
			row.Attribute([]byte(attributes[i]), []byte(attributes[i+1]))
		}
		if more != nil {
			more(row)
		}
		cols.Append(row)
	}
	span(1, 0, 2, "GET /users", nil, "http.request.method", "GET", "http.route", "/users", "url.full", "https://shop.example.com/users?mail="+toldMail,
		"user.name", toldLiteral, "app.contact", "call "+toldPhone)
	span(2, 1, 3, "SELECT", func(row *trace.Row) {
		row.Event(start.UnixNano(), []byte("exception"))
		row.EventAttribute([]byte("exception.type"), []byte("MailError"))
		row.EventAttribute([]byte("exception.message"), []byte("no such user "+toldMail))
		row.EventAttribute([]byte("exception.stacktrace"), []byte("MailError: no such user "+toldMail+"\n\tat com.shop.A.b(A.java:1)"))
		row.EndEvent(0)
	}, "db.system", "mysql", "db.statement", toldSQL, "db.query.parameter.0", toldLiteral)
	statements, resources, pending := trace.NewStatements(), otel.NewResources(), cols.Commit()
	statements.Append(&pending.Statements)
	resources.Append(&pending.Resources)
	p.h.must(p.h.engine.Insert(t.Context(), statements.Table(), statements.Input()))
	p.h.must(p.h.engine.Insert(t.Context(), resources.Table(), resources.Input()))
	p.h.must(p.h.engine.Insert(t.Context(), cols.Table(), cols.Input()))
	told.trace = hex.EncodeToString(id[:])

	lines := logs.NewColumns(otel.NewCatalog())
	lines.Begin(p.id(), 14, time.Now())
	lines.SetResource(resource, 77)
	row := logs.NewRow()
	row.Reset()
	row.Body = []byte("mail to " + toldMail + " bounced; call " + toldPhone)
	row.Attribute([]byte("recipient"), []byte(toldMail))
	row.Attribute([]byte("db.statement"), []byte(toldSQL))
	lines.Append(row)
	lines.Commit()
	p.h.must(p.h.engine.Insert(t.Context(), lines.Table(), lines.Input()))
	page, err := p.h.opts.Logs.Search(t.Context(), p.id(), logs.Query{Text: "bounced", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}, false, "", 1)
	p.h.must(err)
	told.log = page.Items[0].ID

	seen := issue.NewColumns()
	grouping, err := issue.NewGroupings(p.h.db, nil).Of(t.Context(), p.id())
	p.h.must(err)
	o := issue.Occurrence{Time: time.Now().Add(-time.Minute).UnixNano(), Source: issue.FromLog, Resource: &issue.Resource{Service: service},
		Type: "MailError", Message: "no such user " + toldMail, Stack: "MailError: no such user " + toldMail + "\n\tat com.shop.A.b(A.java:1)"}
	o.Group(grouping)
	seen.Append(p.id(), 14, &o)
	p.h.must(p.h.engine.Insert(t.Context(), seen.Table(), seen.Input()))
	p.h.must(issue.NewTracker(p.h.opts.Issues, nil).Track(t.Context()))
	issues, err := p.h.opts.Issues.List(t.Context(), p.id(), issue.Query{Text: "type:MailError", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	p.h.must(err)
	told.issue = issues.Items[0].ID

	fact := fmt.Sprintf(`[{"id":"E1","kind":"statement","text":"%s ran for %s"}]`, toldSQL, toldMail)
	n, err := p.h.db.Exec(t.Context(), `UPDATE incident SET evidence = $2 WHERE id = $1`, p.incident, fact)
	p.h.must(err)
	if n != 1 {
		t.Fatal("no incident to tell")
	}

	spec := p.spec()
	spec.Inputs[0].Message = "about " + toldMail
	experiment, err := p.h.opts.Quality.Start(t.Context(), p.id(), p.owner.UserID, p.owner.Name, spec)
	p.h.must(err)
	told.experiment = experiment.ID
	return &told
}

// TestNoAnswerShowsAViewerWhatTheyMayNotSee walks every read of a project with what
// services told, and checks that it is there for an owner: else nothing is checked.
func TestNoAnswerShowsAViewerWhatTheyMayNotSee(t *testing.T) {
	n := newNeighbours(t, metadbtest.SQLite(t))
	told := n.a.tell("told")
	rows := table(n.house)
	n.clients["everything"] = n.a.login.withToken(tenant.ScopeProjectRead, tenant.ScopeDataUnmasked)
	n.clients["token for telemetry"] = n.a.login.withToken(tenant.ScopeProjectRead)
	shownTo := map[string][]string{} // by operation, what the owner saw
	asks := func(op *huma.Operation, want row, who string) string {
		path := want.make
		switch op.OperationID {
		case "get-statement":
			path = func(*place) request {
				return request{path: map[string]any{"statement": trace.HashString(sqltext.Normalize("mysql", toldSQL).Hash)}}
			}
		case "get-issue-occurrence":
			path = func(p *place) request { return request{path: map[string]any{"issue": p.issue, "occurrence": "newest"}} }
		}
		return n.call(op, told, n.clients[who], path).Body.String()
	}
	for op := range n.operations() {
		act := op.Metadata["action"].(tenant.Action)
		want := rows[op.OperationID]
		if !strings.HasPrefix(string(act), "project.") || op.Method != http.MethodGet || want.who == listsProjects {
			continue
		}
		for _, who := range []string{"viewer", "editor", "owner", "token for telemetry"} {
			body := asks(op, want, who)
			for what, value := range map[string]string{"personal": toldMail, "phone": toldPhone, "sql": toldLiteral} {
				if !strings.Contains(body, value) {
					continue
				}
				hidden := who == "viewer" || what != "sql" && who != "owner"
				if hidden {
					t.Errorf("%s: %s sees %s: %s", op.OperationID, who, value, body)
				}
				if who == "owner" {
					shownTo[op.OperationID] = append(shownTo[op.OperationID], what)
				}
			}
		}
	}
	for _, id := range []string{"get-span", "get-profile", "get-trace", "download-trace", "jaeger-trace", "get-statement", "search-logs", "get-log", "log-context", "tail-logs", "log-fields",
		"get-issue", "list-issues", "get-issue-occurrence", "get-incident", "get-ai-experiment"} {
		if len(shownTo[id]) == 0 {
			t.Errorf("%s shows an owner nothing of what was told: this test looks at nothing", id)
		}
	}
	n.must(n.opts.Audit.Flush(t.Context()))
	page, err := n.opts.Audit.List(t.Context(), audit.Query{Org: n.a.org, Kind: audit.KindRead}, "", 200)
	n.must(err)
	noted := map[string]bool{}
	for _, e := range page.Items {
		if e.Actor.UserID == n.a.owner.UserID {
			noted[e.Operation] = true
		}
	}
	for id := range shownTo {
		if !noted[id] {
			t.Errorf("%s showed %v and the audit log does not know", id, shownTo[id])
		}
	}
}

func TestWhatIsMaskedInAnAnswerFollowsThePermissions(t *testing.T) {
	const answer = `{"db":{"system":"mysql","statement":"SELECT 1 FROM a WHERE b='Gangnam-daero'","normalized":"SELECT ? FROM a WHERE b=?"},"hash":"4111111111111111","n":12345678901234567890,
		"attributes":{"db.query.parameter.1":"7","to":"kim@example.com","user.name":"Kim"},"tags":[{"key":"db.system","value":"redis"},{"key":"db.statement","value":"GET user:17"}],
		"facts":[{"link":"/projects/1/transactions?q=attr.mail%3A%22lee%40example.com%22&service=shop"},{"link":"/projects/1/logs?q=service%3A%22shop%22&from=2026-11-29T12%3A00%3A00Z"}],
		"spans":[{"attributes":[{"key":"db.query.text","value":{"stringValue":"SELECT * FROM a WHERE b = 31"}}]}]}`
	f := func(sees tenant.Sees, shown []string, holds []string, lacks ...string) {
		t.Helper()
		v := veiler{sees: sees}
		got, err := v.document([]byte(answer))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range append(holds, `"hash":"4111111111111111"`, `12345678901234567890`, `"/projects/1/logs?q=service%3A%22shop%22&from=2026-11-29T12%3A00%3A00Z"`) {
			if !strings.Contains(string(got), text) {
				t.Errorf("%+v: %q is missing in %s", sees, text, got)
			}
		}
		for _, text := range lacks {
			if strings.Contains(string(got), text) {
				t.Errorf("%+v: %q is in %s", sees, text, got)
			}
		}
		if !slices.Equal(v.shown, shown) {
			t.Errorf("%+v: shown %v, want %v", sees, v.shown, shown)
		}
	}
	f(tenant.Everything, []string{"personal", "sql"}, []string{"Gangnam-daero", "kim@example.com", "lee%40example.com", "user:17", "b = 31"})
	f(tenant.Sees{SQL: true}, []string{"sql"}, []string{"Gangnam-daero", "user:17", "[email]", "[person]"}, "kim@", "lee", `"Kim"`)
	f(tenant.Sees{Personal: true}, []string{"personal"}, []string{"kim@example.com", `"statement":"SELECT ? FROM a WHERE b=?"`, `"db.query.parameter.1":"?"`}, "Gangnam", "user:17", "= 31")
	f(tenant.Sees{}, nil, []string{"[email]"}, "kim@", "Gangnam", "user:17", "= 31")
}

func TestTheListOfAnswersThatAreNotMaskedNamesOperations(t *testing.T) {
	n := &neighbours{house: newHouse(t, metadbtest.SQLite(t), nil, nil)}
	for _, id := range unveiled {
		if n.operation(id) == nil {
			t.Errorf("%s is not an operation", id)
		}
	}
	if !veils(tenant.ProjectRead, &huma.Operation{OperationID: "something-new", Method: http.MethodGet}) {
		t.Error("what is new is not masked")
	}
}

func BenchmarkVeil(b *testing.B) {
	var page strings.Builder
	page.WriteString(`{"items":[`)
	for i := range 100 {
		if i > 0 {
			page.WriteString(",")
		}
		fmt.Fprintf(&page, `{"id":"%032x","time":"2026-11-29T12:00:00Z","service":"order-api","level":"info","body":"order %d of kim%d@example.com is paid, took 31 ms","attributes":{"order.id":"%d","thread":"worker-7"}}`, i, i, i, i)
	}
	page.WriteString(`]}`)
	text := []byte(page.String())
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		v := veiler{}
		if _, err := v.document(text); err != nil {
			b.Fatal(err)
		}
	}
}
