package tenant_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestTelemetryDoesNotWaitUntilTheUseOfItsKeyIsNoted(t *testing.T) {
	db := metadbtest.SQLite(t)
	h := newHouse(t, db)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	h.must(db.InTx(t.Context(), func(context.Context, *metadb.Tx) error { // the one writer is busy
		if _, _, err := h.AuthenticateKey(ctx, h.first.Key); err != nil || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
		return nil
	}))
	h.must(h.Flush(t.Context()))
	keys, err := h.Keys(t.Context(), h.first.Project.ID)
	if err != nil || keys[0].LastUsedAt == nil {
		t.Errorf("%+v, %v", keys, err)
	}
}

func TestAnUnknownKeyIsAskedAboutOnceAMinute(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		invented := "mtx_ing_" + strings.Repeat("A", 43)
		_, _, err := h.AuthenticateKey(ctx, invented)
		wantFault(t, err, fault.Unauthenticated)
		// What never happens, since keys are random, shows whether the database is asked.
		sum := sha256.Sum256([]byte(invented))
		_, err = db.Exec(ctx, `UPDATE ingest_key SET hash = $1`, hex.EncodeToString(sum[:]))
		h.must(err)
		h.clock.Advance(59 * time.Second)
		_, _, err = h.AuthenticateKey(ctx, invented)
		wantFault(t, err, fault.Unauthenticated)
		h.clock.Advance(time.Second)
		_, _, err = h.AuthenticateKey(ctx, invented)
		h.must(err)
		h.must(h.Flush(ctx))
	})
}

func TestTelemetryWithoutAKeyFollowsTheOldestProjectInUse(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		p, limits, err := h.AuthenticateLocal(ctx)
		if err != nil || p != h.first.Project.ID || limits.Retention.Traces != tenant.DefaultRetentionDays {
			t.Fatalf("%v, %+v, %v", p, limits, err)
		}
		h.must(h.ArchiveProject(ctx, h.admin, p, h.first.Project.Version))
		h.clock.Advance(time.Second)
		_, _, err = h.AuthenticateLocal(ctx)
		wantFault(t, err, fault.Unauthenticated)
		next, err := h.CreateProject(ctx, h.admin, h.first.Group.ID, tenant.ProjectSettings{Name: "next", Retention: project.Retention{Logs: 3}}, nil)
		h.must(err)
		h.clock.Advance(time.Second)
		p, limits, err = h.AuthenticateLocal(ctx)
		if err != nil || p != next.ID || limits.Retention != (project.Retention{Traces: tenant.DefaultRetentionDays, Logs: 3, Metrics: tenant.DefaultRetentionDays}) {
			t.Fatalf("%v, %+v, %v", p, limits, err)
		}
	})
}
