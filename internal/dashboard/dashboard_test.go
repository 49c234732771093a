package dashboard_test

import (
	"context"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

func document(name string) dashboard.Document {
	return dashboard.Document{
		Format: dashboard.Format, Schema: dashboard.Schema, Name: name,
		Variables: []dashboard.Variable{{Name: "service", Kind: "service", All: true}, {Name: "zone", Kind: "label", Metric: `orders_total{a="b"}`, Label: "zone"}},
		Panels: []dashboard.Panel{
			{ID: "a", Kind: "metric", Title: "Orders <b>", Width: 6, Height: 2, Show: "lines", Queries: []dashboard.Query{{Expr: `sum(rate(orders_total{zone="$zone"}[5m]))`, Legend: "{{zone}}"}}},
			{ID: "b", Kind: "traces", Width: 12, Height: 1, Show: "red", Service: "$service"},
			{ID: "c", Kind: "logs", Width: 12, Height: 3, Show: "lines", Search: "timeout"},
			{ID: "d", Kind: "text", Width: 3, Height: 1, Text: "안녕"},
		},
	}
}

func refused(t *testing.T, err error, kind fault.Kind, field string) {
	t.Helper()
	if !fault.Is(err, kind) || field != "" && fault.As(err).Field != field {
		t.Errorf("%v (field %q), want %v of %q", err, fault.As(err).Field, kind, field)
	}
}

func TestADashboardKeepsItsVersionsAndTheirAuthors(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx, now := t.Context(), time.Date(2025, 6, 17, 14, 3, 0, 0, time.UTC)
		store := dashboard.NewStore(db, func() time.Time { return now })
		d, err := store.Create(ctx, 1, "Kim", document(" Shop "))
		if err != nil {
			t.Fatal(err)
		}
		if d.ID == 0 || d.Document.Name != "Shop" || d.Version != 1 || d.UpdatedBy != "Kim" || !d.CreatedAt.Equal(now) {
			t.Errorf("%+v", d)
		}
		_, err = store.Create(ctx, 1, "Lee", document("Shop"))
		refused(t, err, fault.Conflict, "name")
		if _, err = store.Create(ctx, 2, "Lee", document("Shop")); err != nil {
			t.Error(err)
		}
		if got, err := store.Get(ctx, 1, d.ID); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%+v, %v, want %+v", got, err, d)
		}
		_, err = store.Get(ctx, 2, d.ID)
		refused(t, err, fault.NotFound, "")
		next := document("Shop")
		next.Panels = next.Panels[:1]
		_, err = store.Update(ctx, 2, "Lee", d.ID, 1, next)
		refused(t, err, fault.NotFound, "")
		if d, err = store.Update(ctx, 1, "Lee", d.ID, 1, next); err != nil || d.Version != 2 || d.UpdatedBy != "Lee" || len(d.Document.Panels) != 1 {
			t.Errorf("%+v, %v", d, err)
		}
		_, err = store.Update(ctx, 1, "Kim", d.ID, 1, next)
		refused(t, err, fault.Conflict, "")
		refused(t, store.Delete(ctx, 1, "Kim", d.ID, 1), fault.Conflict, "")
		for range 60 {
			if d, err = store.Update(ctx, 1, "Kim", d.ID, d.Version, next); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Delete(ctx, 1, "Park", d.ID, d.Version); err != nil {
			t.Error(err)
		}
		changes, err := store.History(ctx, 1, d.ID)
		if err != nil || len(changes) != 50 || changes[0].Action != "deleted" || changes[0].Author != "Park" || changes[1].Action != "updated" {
			t.Errorf("%d changes, %v", len(changes), err)
		}
		_, err = store.History(ctx, 2, d.ID)
		refused(t, err, fault.NotFound, "")

		err = db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
			if err := dashboard.Erase(ctx, tx, 1); err != nil {
				return err
			}
			return dashboard.SeedDefaults(ctx, tx, 3, now)
		})
		if err != nil {
			t.Error(err)
		}
		_, err = store.History(ctx, 1, d.ID)
		refused(t, err, fault.NotFound, "")
		for p, want := range map[project.ID]int{1: 0, 2: 1, 3: 1} {
			if list, err := store.List(ctx, p); err != nil || len(list) != want {
				t.Errorf("project %d has %d, %v", p, len(list), err)
			}
		}
	})
}

func TestWhatIsExportedIsImportedTheSame(t *testing.T) {
	want := document("Shop")
	body, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got, left, err := dashboard.Import(body)
	if err != nil || len(left) != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, %v", got, left, err)
	}
}

func TestADashboardOfGrafanaIsMappedAndWhatIsNotIsTold(t *testing.T) {
	body, err := os.ReadFile("testdata/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	got, left, err := dashboard.Import(body)
	if err != nil {
		t.Fatal(err)
	}
	want := dashboard.Document{
		Format: dashboard.Format, Schema: 1, Name: "Checkout",
		Variables: []dashboard.Variable{
			{Name: "zone", Title: "Zone", Kind: "label", Metric: `orders_total{job="a,b"}`, Label: "zone", All: true},
			{Name: "job", Kind: "label", Label: "job"},
			{Name: "size", Kind: "custom", Values: []string{"small", "large"}},
		},
		Panels: []dashboard.Panel{
			{ID: "p1", Kind: "metric", Title: "Orders", Width: 6, Height: 2, Show: "lines", Unit: "number", Queries: []dashboard.Query{
				{Expr: `sum by (zone) (rate(orders_total{zone=~"$zone"}[$__rate_interval]))`, Legend: "{{zone}}"}}},
			{ID: "p2", Kind: "metric", Title: "Heap", Width: 3, Height: 1, Show: "stat", Unit: "bytes", Queries: []dashboard.Query{{Expr: "sum(heap_bytes)"}}},
			{ID: "p3", Kind: "text", Title: "Notes", Width: 12, Height: 1},
			{ID: "p4", Kind: "text", Title: "Read me", Width: 12, Height: 3, Text: "# Hello"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	var told []string
	for _, l := range left {
		told = append(told, strings.TrimSpace(l.What+" "+l.Name+": "+l.Reason+" "+l.Detail))
	}
	if got, want := strings.Join(told, "\n"), strings.TrimSpace(`
variable ds: kind datasource
variable odd: expression query_result(up)
option Deploys: annotations
query Orders B: data_source
option Orders: unit ms
option Heap: overrides
panel Money: kind piechart
query Logs A: data_source
panel Logs: empty`); got != want {
		t.Errorf("left out:\n%s\nwant:\n%s", got, want)
	}
	again, err := json.Marshal(map[string]json.RawMessage{"dashboard": body, "meta": json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if within, _, err := dashboard.Import(again); err != nil || !reflect.DeepEqual(within, got) {
		t.Errorf("as the API of Grafana answers: %+v, %v", within, err)
	}
}

func TestAWrongDocumentNamesItsFault(t *testing.T) {
	f := func(body, field string) {
		t.Helper()
		_, _, err := dashboard.Import([]byte(body))
		refused(t, err, fault.Invalid, field)
	}
	ours := func(rest string) string {
		return `{"format": "matrix-dashboard", "schema": 1, "name": "a"` + rest + `}`
	}
	f(``, "body")
	f(`{`, "body")
	f(`[]`, "")
	f(`{"title": "x"}`, "body")
	f(`{"panels": 7}`, "panels")
	f(`{"format": "other", "schema": 1, "name": "a"}`, "format")
	f(`{"format": "matrix-dashboard", "schema": 2, "name": "a"}`, "schema")
	f(`{"format": "matrix-dashboard", "schema": 1, "name": " "}`, "name")
	f(ours(`, "color": "red"`), "body")
	f(ours(`, "panels": [{"id": "a", "kind": "dream", "width": 1, "height": 1}]`), "panels[0].kind")
	f(ours(`, "panels": [{"id": "a", "kind": "text", "width": 13, "height": 1}]`), "panels[0].width")
	f(ours(`, "panels": [{"id": "a", "kind": "text", "width": 1, "height": 4}]`), "panels[0].height")
	f(ours(`, "panels": [{"id": "a", "kind": "text", "width": 1, "height": 1}, {"id": "a", "kind": "text", "width": 1, "height": 1}]`), "panels[1].id")
	f(ours(`, "panels": [{"id": "a", "kind": "metric", "width": 1, "height": 1}]`), "panels[0].queries")
	f(ours(`, "panels": [{"id": "a", "kind": "metric", "width": 1, "height": 1, "queries": [{"expr": " "}]}]`), "panels[0].queries[0].expr")
	f(ours(`, "panels": [{"id": "a", "kind": "logs", "show": "stat", "width": 1, "height": 1}]`), "panels[0].show")
	f(ours(`, "variables": [{"name": "a b", "kind": "custom", "values": ["x"]}]`), "variables[0].name")
	f(ours(`, "variables": [{"name": "a", "kind": "custom"}]`), "variables[0].values")
	f(ours(`, "variables": [{"name": "a", "kind": "label"}]`), "variables[0].label")
	f(ours(`, "variables": [{"name": "a", "kind": "service"}, {"name": "a", "kind": "service"}]`), "variables[1].name")
	f(ours(`, "panels": [{"id": "a", "kind": "text", "width": 1, "height": 1, "text": "`+strings.Repeat("x", 300<<10)+`"}]`), "panels")
}
