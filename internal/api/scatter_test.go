package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestASearchThatIsWrongNamesItsColumn(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	for _, path := range []string{"transactions", "scatter", "scatter/heatmap"} {
		answer := h.a.login.do(http.MethodGet, h.a.under(path)+"?q="+url.QueryEscape("service:a servce:b"), nil, nil)
		var problem struct{ Detail, Field string }
		if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil {
			t.Fatal(err)
		}
		if answer.Code != http.StatusUnprocessableEntity || problem.Field != "q" || !strings.HasPrefix(problem.Detail, "column 11: ") {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
}

func TestASearchForASenderIsCompletedByWhatSendersSay(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	var all ResourceAttributes
	h.decode(h.a.login.do(http.MethodGet, h.a.under("resource-attributes"), nil, nil), http.StatusOK, &all)
	at := slices.IndexFunc(all.Items, func(each otel.ResourceAttribute) bool { return each.Key == "service.name" })
	if at < 0 || len(all.Items[at].Values) == 0 || all.Items[at].Values[0].Resources == 0 {
		t.Fatalf("%+v", all)
	}
	name := all.Items[at].Values[0].Value
	var found struct{ Total uint64 }
	q := url.QueryEscape(fmt.Sprintf("resource.service.name=%q", name))
	h.decode(h.a.login.do(http.MethodGet, h.a.under("transactions/count")+"?q="+q, nil, nil), http.StatusOK, &found)
	if found.Total == 0 {
		t.Errorf("no transaction of %s", name)
	}
}

func TestAViewerSavesSearchesAndChangesOnlyTheirOwn(t *testing.T) {
	h := newNeighbours(t, metadbtest.SQLite(t))
	viewer := h.clients[string(tenant.Viewer)]
	answer := viewer.do(http.MethodPost, h.a.under("views"), map[string]any{"kind": "transactions", "name": "mine", "query": "duration>2s"}, nil)
	if answer.Code != http.StatusCreated {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	var made struct{ ID int64 }
	if err := json.Unmarshal(answer.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	if answer = viewer.do(http.MethodPost, h.a.under("views"), map[string]any{"kind": "transactions", "name": "wrong", "query": "duration>2"}, nil); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("a search that cannot be run: %d %s", answer.Code, answer.Body)
	}
	if answer = viewer.do(http.MethodPost, h.a.under("views"), map[string]any{"kind": "logs", "name": "wrong", "query": "level>=grave"}, nil); answer.Code != http.StatusUnprocessableEntity {
		t.Errorf("a search of logs that cannot be run: %d %s", answer.Code, answer.Body)
	}
	if answer = viewer.do(http.MethodPost, h.a.under("views"), map[string]any{"kind": "logs", "name": "right", "query": "level>=warn"}, nil); answer.Code != http.StatusCreated {
		t.Errorf("a search of logs: %d %s", answer.Code, answer.Body)
	}
	if answer = viewer.do(http.MethodDelete, h.a.under("views", made.ID), nil, nil); answer.Code != http.StatusNoContent {
		t.Errorf("their own: %d %s", answer.Code, answer.Body)
	}
	if answer = viewer.do(http.MethodDelete, h.a.under("views", h.a.view), nil, nil); answer.Code != http.StatusForbidden {
		t.Errorf("somebody else's: %d %s", answer.Code, answer.Body)
	}
}

// under returns an address below the place's project.
func (p *place) under(parts ...any) string {
	path := fmt.Sprintf("/api/v1/projects/%d", p.project)
	for _, part := range parts {
		path += fmt.Sprintf("/%v", part)
	}
	return path
}
