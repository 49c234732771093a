package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestCallsAreChosenByTheNamesOfWhoAskedInTheProjectAndTheTime(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	token, err := h.tenants.CreateToken(t.Context(), h.a.owner, "the shop's robot", []tenant.Scope{tenant.ScopeProjectRead}, h.soon())
	h.must(err)
	role := h.newRole()
	ask := func(p *place, from ai.Caller) {
		t.Helper()
		from.Project, from.Kind = p.id(), "api"
		_, err := h.opts.AI.Run(t.Context(), from, role, ai.Input{Message: "hello", Language: "en"})
		h.must(err)
	}
	ask(h.a, ai.Caller{Person: h.a.owner.UserID, Token: token.ID, Purpose: "support"})
	ask(h.b, ai.Caller{Person: h.b.owner.UserID, Purpose: "bakery"})
	h.must(h.opts.AI.Flush(t.Context()))
	me, err := h.tenants.Names(t.Context(), "person", []int64{h.a.owner.UserID})
	h.must(err)

	path := fmt.Sprintf("/api/v1/projects/%d", h.a.project)
	viewer := h.clients["viewer"]
	var askers Page[ai.CallAsker]
	h.decode(viewer.do(http.MethodGet, path+"/ai-call-askers", nil, nil), http.StatusOK, &askers)
	names := map[string]string{}
	for _, a := range askers.Items {
		names[a.By+" "+a.Key] = a.Name
	}
	want := map[string]string{
		fmt.Sprintf("person %d", h.a.owner.UserID): me[h.a.owner.UserID], fmt.Sprintf("token %d", token.ID): "the shop's robot",
		"person 0": "", "token 0": "", "purpose support": "", "purpose test": "",
	}
	if fmt.Sprint(names) != fmt.Sprint(want) || me[h.a.owner.UserID] == "" {
		t.Errorf("askers %v, want %v", names, want)
	}

	count := func(query string) int {
		t.Helper()
		var page ai.CallPage
		h.decode(viewer.do(http.MethodGet, path+"/ai-calls?role="+role+query, nil, nil), http.StatusOK, &page)
		return len(page.Items)
	}
	before := url.QueryEscape(time.Now().Add(-time.Minute).UTC().Format(time.RFC3339Nano))
	for query, want := range map[string]int{
		"": 1, fmt.Sprintf("&person=%d", h.a.owner.UserID): 1, "&person=0": 0, fmt.Sprintf("&person=%d", h.b.owner.UserID): 0,
		fmt.Sprintf("&token=%d&purpose=support", token.ID): 1, "&purpose=bakery": 0, "&to=" + before: 0, "&from=" + before: 1,
	} {
		if got := count(query); got != want {
			t.Errorf("%q: %d calls, want %d", query, got, want)
		}
	}
	h.problem(viewer.do(http.MethodGet, path+"/ai-calls?person=kim", nil, nil), http.StatusUnprocessableEntity)
	h.decode(viewer.do(http.MethodGet, path+"/ai-call-askers?to="+before, nil, nil), http.StatusOK, &askers)
	if len(askers.Items) != 0 {
		t.Errorf("askers of a time without calls: %+v", askers.Items)
	}
	answer := h.b.login.do(http.MethodGet, fmt.Sprintf("/api/v1/projects/%d/ai-call-askers", h.b.project), nil, nil)
	if body := answer.Body.String(); strings.Contains(body, "robot") || strings.Contains(body, "support") || !strings.Contains(body, "bakery") {
		t.Errorf("another organisation is told %s", body)
	}
}

func TestExperimentsAreListedByPage(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	path := fmt.Sprintf("/api/v1/projects/%d/ai-experiments", h.a.project)
	type listed struct {
		Items      []struct{ ID int64 } `json:"items"`
		NextCursor string               `json:"next_cursor"`
		Total      int                  `json:"total"`
	}
	var whole listed
	h.a.newExperiment()
	h.decode(h.a.login.do(http.MethodGet, path, nil, nil), http.StatusOK, &whole)
	cursor := ""
	for i := range whole.Items {
		var page listed
		h.decode(h.a.login.do(http.MethodGet, path+"?limit=1&cursor="+cursor, nil, nil), http.StatusOK, &page)
		if len(page.Items) != 1 || page.Items[0].ID != whole.Items[i].ID || page.Total != len(whole.Items) {
			t.Fatalf("page %d is %+v, the whole %+v", i, page, whole)
		}
		cursor = page.NextCursor
	}
	if len(whole.Items) < 2 || cursor != "" || whole.NextCursor != "" {
		t.Errorf("after the last page %q; the whole %+v", cursor, whole)
	}
	h.problem(h.a.login.do(http.MethodGet, path+"?cursor=x", nil, nil), http.StatusUnprocessableEntity)
}
