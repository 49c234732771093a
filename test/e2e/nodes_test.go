package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// TestTwoNodesOnSharedStoresReportOnce is the way to scale out: nodes that share
// PostgreSQL, a ClickHouse server of somebody else and the secrets key, and
// nothing besides.
func TestTwoNodesOnSharedStoresReportOnce(t *testing.T) {
	dsn, telemetry := metadbtest.EmptyPostgresDSN(t), clickhousetest.Engine(t).DSN()
	key := filepath.Join(t.TempDir(), "secrets.key") // what one node sealed the other opens
	first := start(t, func(o *app.Options) {
		o.MetaDB, o.ClickHouse, o.File.SecretsKey = dsn, []string{telemetry}, key
	})

	second := *first
	second.console = &buffer{}
	second.opts.DataDir, second.opts.Console = t.TempDir(), second.console
	second.run()
	t.Cleanup(second.stop)
	if second.app.FirstStart() != nil {
		t.Error("the second node made credentials of its own")
	}
	second.signIn()

	market := second.shop()
	market.SlowSQL()
	if err := market.Backfill(t.Context()); err != nil {
		t.Fatal(err)
	}
	second.runShop(market)
	seen := first.analysed() // what the one took in, the other tells
	printed := func() string { return first.console.String() + second.console.String() }
	first.eventually("the report on one of the consoles", func() bool { return strings.Contains(printed(), "[조치 방안]") })
	if n := strings.Count(printed(), "[요약]"); n != 1 {
		t.Errorf("the report was printed %d times", n)
	}

	first.stop()
	list := second.incidents()
	if len(list) != 1 || list[0].ID != seen.ID {
		t.Errorf("with one node gone the other tells of %d incidents", len(list))
	}
	first.run() // comes back beside the one that is left
	first.signIn()
	var again incidentDetail
	first.get(first.path("/incidents/%d", seen.ID), &again)
	if again.Alarm != seen.Alarm {
		t.Errorf("the node that came back tells of %q", again.Alarm)
	}
}
