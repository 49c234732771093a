package ingest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Two projects whose programs look alike and whose spans share one block: each
// gets its own spans, and its own copy of the resource and of the statement
// they have in common.
func TestTwoKeysInOneBlockWriteToTheirOwnProjectsOnly(t *testing.T) {
	tenants, err := tenant.New(tenant.Options{DB: metadbtest.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	first, err := tenants.Bootstrap(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	admin := tenant.Actor{UserID: 1}
	second, err := tenants.CreateProject(t.Context(), admin, first.Group.ID, tenant.ProjectSettings{Name: "second"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := tenants.CreateKey(t.Context(), admin, second.ID, "agents")
	if err != nil {
		t.Fatal(err)
	}
	h := start(t, func(o *Options) {
		o.Batch = clickhouse.BatchOptions{MaxDelay: time.Hour, MaxRows: 1 << 20}
		o.Authenticate = func(ctx context.Context, key string) (Tenant, error) {
			p, limits, err := tenants.AuthenticateKey(ctx, key)
			return Tenant{Project: p, Retention: limits.Retention}, err
		}
	})
	answers := make(chan int, 2)
	send := func(key, of string, n uint64) {
		sql := func(table string) []*common.KeyValue {
			return []*common.KeyValue{text("db.system", "mysql"), text("db.statement", "SELECT 1 FROM "+table)}
		}
		shared, own := good(n, time.Now()), good(n+1, time.Now())
		shared.Attributes, own.Attributes, own.Name = sql("shared"), sql(of), "span of "+of
		response, _ := h.post(httpRequest{key: key, body: marshal(oneResource("shop", shared, own))})
		answers <- response.StatusCode
	}
	go send(first.Key, "first", 1)
	go send(key.Secret, "second", 1) // even the ids are the same
	for deadline := time.Now().Add(10 * time.Second); h.Stats().Waiting < 4; {
		if time.Now().After(deadline) {
			t.Fatal("the spans never arrived")
		}
	}
	h.stop()
	for range 2 {
		if code := <-answers; code != 200 {
			t.Errorf("answered %d", code)
		}
	}
	f := func(p project.ID, of string) {
		t.Helper()
		for query, want := range map[string]string{
			"SELECT name AS v FROM spans WHERE project_id = {project:UInt32}":                                                                  "span 1, span of " + of,
			"SELECT concat(operation, ' ', arrayStringConcat(tables, '+')) AS v FROM sql_statements FINAL WHERE project_id = {project:UInt32}": "SELECT " + of + ", SELECT shared",
			"SELECT values[indexOf(keys, 'service.name')] AS v FROM resources FINAL WHERE project_id = {project:UInt32}":                       "shop",
		} {
			var rows []struct {
				V string `ch:"v"`
			}
			if err := h.db.Select(t.Context(), p, &rows, query); err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, row := range rows {
				got = append(got, row.V)
			}
			slices.Sort(got)
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("project of %s has %q, want %q (%s)", of, text, want, query)
			}
		}
	}
	f(first.Project.ID, "first")
	f(second.ID, "second")
}
