package metadb_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func mustExec(t *testing.T, q metadb.Querier, text string, args ...any) {
	t.Helper()
	if _, err := q.Exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestOneSQLTextMeansTheSameOnBothDatabases(t *testing.T) {
	type small uint32
	type word string
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := t.Context()
		mustExec(t, db, `CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, enabled BOOLEAN NOT NULL, body TEXT NOT NULL, note TEXT)`)
		var id small
		var body json.RawMessage
		err := db.QueryRow(ctx, `INSERT INTO thing (name, id, enabled, body) VALUES ($2, $1, $3, $4) RETURNING id, body`,
			small(7), word("seven"), true, json.RawMessage(`{"a": 1}`)).Scan(&id, &body)
		if err != nil || id != 7 || string(body) != `{"a": 1}` {
			t.Fatalf("insert returned %d, %s, %v", id, body, err)
		}
		mustExec(t, db, `INSERT INTO thing (id, name, enabled, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled`, 7, "siete", false, "{}")
		var name word
		var enabled bool
		var note *string
		err = db.QueryRow(ctx, `SELECT name, enabled, note FROM thing WHERE body = $1 AND enabled = $2 AND $1 <> ''`, `{"a": 1}`, false).
			Scan(&name, &enabled, &note)
		if err != nil || name != "siete" || enabled || note != nil {
			t.Fatalf("read %q, %v, %v: %v", name, enabled, note, err)
		}
		if err := db.QueryRow(ctx, `SELECT id FROM thing WHERE id = 8`).Scan(&id); !errors.Is(err, metadb.ErrNoRows) {
			t.Fatalf("a missing row is %v, want ErrNoRows", err)
		}
		_, err = db.Exec(ctx, `INSERT INTO thing (id, name, enabled, body) VALUES (9, 'siete', TRUE, '')`)
		if !metadb.IsUnique(err) {
			t.Fatalf("a second siete gives %v, want a unique violation", err)
		}
		rows, err := db.Query(ctx, `SELECT name FROM thing ORDER BY id`)
		names, err := metadb.Collect(rows, err, func(r *metadb.Rows) (s string, err error) { return s, r.Scan(&s) })
		if err != nil || len(names) != 1 {
			t.Fatalf("collected %v, %v", names, err)
		}
		if _, err := db.Exec(ctx, `UPDATE thing SET id = $1`, time.Now()); !fault.Is(err, fault.Internal) {
			t.Fatalf("a time as argument gives %v, want a refusal", err)
		}
	})
}

func TestARolledBackTransactionLeavesNothing(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		mustExec(t, db, `CREATE TABLE thing (id BIGINT PRIMARY KEY)`)
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			mustExec(t, tx, `INSERT INTO thing (id) VALUES (1)`)
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("InTx returned %v", err)
		}
		var n int
		if err := db.QueryRow(t.Context(), `SELECT count(*) FROM thing`).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d rows, %v", n, err)
		}
	})
}

func TestAWriteBesideARunningTransactionIsRefusedInsteadOfWaitingForever(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			_, err := db.Exec(ctx, `INSERT INTO sequence (name, last) VALUES ('x', 1)`)
			if !fault.Is(err, fault.Internal) {
				t.Errorf("write beside the transaction: %v", err)
			}
			if err := db.InTx(ctx, func(context.Context, *metadb.Tx) error { return nil }); !fault.Is(err, fault.Internal) {
				t.Errorf("transaction in a transaction: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestIDsAreDenseWhenManyWritersTakeThemAtOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		const writers, each = 4, 5
		var group sync.WaitGroup
		var mu sync.Mutex
		seen := map[int64]bool{}
		for range writers {
			group.Go(func() {
				for range each {
					var id int64
					err := db.InTx(context.Background(), func(ctx context.Context, tx *metadb.Tx) (err error) {
						id, err = metadb.NextID(ctx, tx, "thing")
						return err
					})
					mu.Lock()
					if err != nil || seen[id] {
						t.Errorf("id %d (seen %v): %v", id, seen[id], err)
					}
					seen[id] = true
					mu.Unlock()
				}
			})
		}
		group.Wait()
		for id := int64(1); id <= writers*each; id++ {
			if !seen[id] {
				t.Errorf("id %d was never given", id)
			}
		}
	})
}

func TestTwoNodesMayMigrateAtTheSameTime(t *testing.T) {
	f := func(t *testing.T, dsn string) {
		var group sync.WaitGroup
		for range 3 {
			db := metadbtest.Open(t, dsn)
			group.Go(func() {
				if err := db.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		db := metadbtest.Open(t, dsn)
		if _, err := metadb.NextID(t.Context(), db, "thing"); err != nil {
			t.Fatal(err)
		}
	}
	t.Run(metadb.SQLite, func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "deep", "matrix.db")) })
	t.Run(metadb.Postgres, func(t *testing.T) { f(t, metadbtest.EmptyPostgresDSN(t)) })
}

func TestTheSQLiteFileIsForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "matrix.db")
	metadbtest.Open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestAReaderIsNotHeldUpByTheWriter(t *testing.T) {
	db := metadbtest.SQLite(t)
	err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
		mustExec(t, tx, `INSERT INTO sequence (name, last) VALUES ('x', 1)`)
		var n int
		if err := db.QueryRow(ctx, `SELECT count(*) FROM sequence`).Scan(&n); err != nil || n != 0 {
			t.Errorf("the reader sees %d rows, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTimesSurviveStorageToTheMicrosecond(t *testing.T) {
	at := time.Date(2025, 6, 17, 14, 3, 0, 123456789, time.FixedZone("KST", 9*3600))
	if got := metadb.FromMicros(metadb.Micros(at)); !got.Equal(at.Truncate(time.Microsecond)) || got.Location() != time.UTC {
		t.Fatalf("got %v", got)
	}
	if !metadb.FromMicros(metadb.Micros(time.Time{})).IsZero() {
		t.Fatal("the zero time must stay zero")
	}
}
