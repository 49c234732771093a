package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func TestSeveralIncidentsChangeAtOnceAndWhatCannotIsNamed(t *testing.T) {
	n := newNeighbours(t, metadbtest.SQLite(t))
	mine, over, theirs := n.a.newIncident(), n.a.newIncident(), n.b.newIncident()
	n.must(n.opts.Incidents.Resolve(t.Context(), n.a.id(), over, incident.Person{Name: "ann"}))
	change := func(c IncidentsChange, status int, into any) {
		t.Helper()
		n.decode(n.a.login.do(http.MethodPost, n.a.under("incident-changes"), c, nil), status, into)
	}
	var out IncidentsChanged
	change(IncidentsChange{[]int64{mine, over, theirs}, IncidentChange{State: incident.Acknowledged}}, http.StatusOK, &out)
	if out.Changed != 1 || len(out.Refused) != 2 || out.Refused[0].Incident != over || out.Refused[1].Incident != theirs {
		t.Errorf("%+v", out)
	}
	stranger, nobody := int64(1<<40), int64(0)
	change(IncidentsChange{[]int64{mine}, IncidentChange{AssigneeID: &stranger}}, http.StatusUnprocessableEntity, nil)
	change(IncidentsChange{[]int64{mine}, IncidentChange{AssigneeID: &nobody, Severity: "critical"}}, http.StatusOK, &out)
	answer := n.a.login.do(http.MethodGet, n.a.under("incidents.csv?state=acknowledged"), nil, nil)
	lines := strings.Split(strings.TrimSpace(answer.Body.String()), "\r\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "id,state,severity,") || !strings.HasPrefix(lines[1], fmt.Sprintf("%d,acknowledged,critical,", mine)) {
		t.Errorf("table %q", lines)
	}
	var page incident.Page
	n.decode(n.a.login.do(http.MethodGet, n.a.under("incidents?assignee=-1&severity=critical"), nil, nil), http.StatusOK, &page)
	if page.Total != 1 || page.States[incident.Acknowledged] != 1 {
		t.Errorf("%+v", page)
	}
	var impact trace.Affected
	n.decode(n.a.login.do(http.MethodGet, n.a.under("incidents", mine, "impact"), nil, nil), http.StatusOK, &impact)
	if impact.Transactions != 0 || impact.Endpoints == nil {
		t.Errorf("%+v", impact)
	}
}

func TestALinkInAMessageAsksBeforeItDoesAnything(t *testing.T) {
	n := newNeighbours(t, metadbtest.SQLite(t))
	id := n.a.newIncident()
	var raw []byte
	n.must(n.db.QueryRow(t.Context(), `SELECT body FROM notify_message WHERE ref = $1 AND kind = 'incident.alarm'`, fmt.Sprintf("incident/%d", id)).Scan(&raw))
	var message struct {
		Data struct {
			Actions []incident.Action `json:"actions"`
		} `json:"data"`
	}
	n.must(json.Unmarshal(raw, &message))
	if len(message.Data.Actions) != 2 {
		t.Fatalf("links %+v", message.Data.Actions)
	}
	state := func() string {
		d, err := n.opts.Incidents.Get(t.Context(), n.a.id(), id)
		n.must(err)
		return d.State + " by " + d.AcknowledgedBy
	}
	link := message.Data.Actions[0].URL
	preview := n.anonymous().do(http.MethodGet, link, nil, nil)
	if body := preview.Body.String(); preview.Code != http.StatusOK || !strings.HasPrefix(preview.Header().Get("Content-Type"), "text/html") ||
		!strings.Contains(body, `<form method="post">`) || !strings.Contains(body, "#"+fmt.Sprint(id)) || state() != "open by " {
		t.Errorf("%d %s, it is %s", preview.Code, body, state())
	}
	if answer := n.anonymous().do(http.MethodPost, link, nil, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}); answer.Code != http.StatusForbidden || state() != "open by " {
		t.Errorf("from another site: %d, it is %s", answer.Code, state())
	}
	if answer := n.anonymous().do(http.MethodPost, link, nil, nil); answer.Code != http.StatusOK || strings.Contains(answer.Body.String(), "<form") || state() != "acknowledged by link" {
		t.Errorf("%d %s, it is %s", answer.Code, answer.Body, state())
	}
	n.problem(n.anonymous().do(http.MethodPost, link+"x", nil, nil), http.StatusNotFound)
	if answer := n.a.login.do(http.MethodPost, message.Data.Actions[1].URL, nil, nil); answer.Code != http.StatusOK {
		t.Fatalf("resolve: %d %s", answer.Code, answer.Body)
	}
	if d, err := n.opts.Incidents.Get(t.Context(), n.a.id(), id); err != nil || d.State != incident.Resolved || d.ResolvedBy != n.a.owner.Name {
		t.Errorf("%+v, %v", d, err)
	}
}
