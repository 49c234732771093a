package clickhouse_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"go.uber.org/goleak"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// points is Columns for the table of createPoints.
type points struct {
	project proto.ColUInt32
	x       proto.ColInt64
	note    proto.ColLowCardinality[string]
	input   proto.Input
}

func newPoints() *points {
	c := &points{note: *new(proto.ColStr).LowCardinality()}
	c.input = proto.Input{{Name: "project_id", Data: &c.project}, {Name: "x", Data: &c.x}, {Name: "note", Data: &c.note}}
	return c
}

func (c *points) Rows() int          { return len(c.x) }
func (c *points) Bytes() int         { return 16 * len(c.x) }
func (c *points) Reset()             { c.input.Reset() }
func (c *points) Table() string      { return "points" }
func (c *points) Input() proto.Input { return c.input }
func (c *points) add(x int64) {
	c.project.Append(1)
	c.x.Append(x)
	c.note.Append("n")
}

func TestNoAnsweredRowIsMissingAfterKillsOfTheEngine(t *testing.T) {
	e := start(t, clickhouse.EngineOptions{Dir: t.TempDir()})
	db := open(t, e.DSN())
	createPoints(t, db)
	batcher := clickhouse.NewBatcher(db, newPoints, clickhouse.BatchOptions{MaxDelay: 5 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	var next, refused atomic.Int64
	var answered sync.Map
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for ctx.Err() == nil {
				x := next.Add(1)
				err := batcher.Append(ctx, func(c *points) error { c.add(x); return nil })
				switch {
				case err == nil:
					answered.Store(x, true)
				case ctx.Err() != nil:
				case fault.Is(err, fault.Unavailable):
					refused.Add(1)
				default:
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	for kill := 1; kill <= 3; kill++ {
		enough := next.Load() + int64(200+rand.IntN(400))
		eventually(t, func() bool { return e.Healthy() && e.Restarts() == kill-1 && next.Load() > enough })
		if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { return e.Restarts() == 3 && e.Healthy() })
	cancel()
	callers.Wait()
	if err := batcher.Close(t.Context()); err != nil {
		t.Error(err)
	}
	var rows []struct {
		X int64 `ch:"x"`
	}
	if err := db.SystemSelect(t.Context(), &rows, "SELECT DISTINCT x FROM points"); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		answered.Delete(r.X)
	}
	answered.Range(func(x, _ any) bool {
		t.Errorf("row %v was answered and is missing", x)
		return true
	})
	t.Logf("%d appends, %d told to repeat, %d rows stored", next.Load(), refused.Load(), len(rows))
}

func TestNothingIsLeftRunningAfterStop(t *testing.T) {
	before := goleak.IgnoreCurrent()
	e, err := clickhouse.StartEngine(t.Context(), clickhouse.EngineOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	db, err := clickhouse.Open(t.Context(), clickhouse.Options{DSNs: []string{e.DSN()}})
	if err != nil {
		t.Fatal(err)
	}
	createPoints(t, db)
	batcher := clickhouse.NewBatcher(db, newPoints, clickhouse.BatchOptions{MaxDelay: time.Millisecond})
	if err := batcher.Append(t.Context(), func(c *points) error { c.add(1); return nil }); err != nil {
		t.Error(err)
	}
	if err := batcher.Close(t.Context()); err != nil {
		t.Error(err)
	}
	db.Close()
	stop(t, e)
	goleak.VerifyNone(t, before)
}
