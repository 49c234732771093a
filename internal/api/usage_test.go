package api

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestATableOfUseIsQuotedAndHoldsNoFormulas(t *testing.T) {
	cost := 0.00001234
	names := []string{`=HYPERLINK("http://evil","x")`, "+1", "-1", "@SUM(A1)", "\tx", "a,b", "two\nlines", `say "hi"`, "plain"}
	r := &usage.Report{By: "role", From: time.Unix(0, 0).UTC(), To: time.Unix(3600, 0).UTC()}
	for _, name := range names {
		r.Rows = append(r.Rows, usage.Row{Key: name, Name: name, Used: usage.Used{Calls: 1, CostUSD: &cost}})
	}
	r.Rows = append(r.Rows, usage.Row{Key: "unknown", Used: usage.Used{Calls: 1, Unpriced: 1}})
	records, err := csv.NewReader(strings.NewReader(string(usageTable(r)))).ReadAll()
	if err != nil || len(records) != len(names)+2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, name := range names {
		got := records[i+1]
		if strings.TrimPrefix(got[0], "'") != name || got[0] != got[1] || strings.ContainsAny(got[0][:1], "=+-@\t") || got[11] != "0.00001234" {
			t.Errorf("%q is written %q", name, got)
		}
	}
	if last := records[len(records)-1]; last[11] != "" || last[12] != "1" {
		t.Errorf("an unknown cost is written %q", last)
	}
}

func TestUseIsTheScopesOwnAndNamed(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	admin := h.admin()
	var mine, all usage.Report
	h.decode(admin.do(http.MethodGet, "/api/v1/me/ai-usage?by=person&compare=true", nil, nil), http.StatusOK, &mine)
	if len(mine.Rows) != 0 || mine.Before == nil {
		t.Errorf("mine %+v", mine)
	}
	h.decode(admin.do(http.MethodGet, "/api/v1/ai-usage?by=org", nil, nil), http.StatusOK, &all)
	answer := admin.do(http.MethodGet, "/api/v1/ai-usage.csv?by=org", nil, nil)
	if kind := answer.Header().Get("Content-Type"); answer.Code != http.StatusOK || !strings.HasPrefix(kind, "text/csv") || !strings.HasPrefix(answer.Header().Get("Content-Disposition"), "attachment; ") || !strings.HasPrefix(answer.Body.String(), "org,name,from,") {
		t.Errorf("%d %s: %s", answer.Code, kind, answer.Body)
	}
	h.problem(admin.do(http.MethodGet, "/api/v1/ai-usage?by=colour", nil, nil), http.StatusUnprocessableEntity)
}

func TestWhatUseIsNarrowedToIsNamedOnlyToWhomItsUseIsShown(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	name := func(c *client, path string) string {
		t.Helper()
		var r usage.Report
		h.decode(c.do(http.MethodGet, path, nil, nil), http.StatusOK, &r)
		if len(r.Where) != 1 || r.Where[0].By != "project" {
			t.Fatalf("%s is narrowed to %+v", path, r.Where)
		}
		return r.Where[0].Name
	}
	path := func(p *place) string {
		return fmt.Sprintf("/api/v1/projects/%d/ai-usage?by=role&compare=true&project_id=", p.project)
	}
	if got := name(h.a.login, path(h.a)+strconv.Itoa(int(h.a.project))); !strings.Contains(got, h.a.canary) {
		t.Errorf("one's own project is named %q", got)
	}
	if got := name(h.a.login, path(h.a)+strconv.Itoa(int(h.b.project))); got != "" {
		t.Errorf("another's project is named %q", got)
	}
	if got := name(h.admin(), "/api/v1/ai-usage?by=role&project_id="+strconv.Itoa(int(h.b.project))); !strings.Contains(got, h.b.canary) {
		t.Errorf("to a system administrator it is named %q", got)
	}
}
