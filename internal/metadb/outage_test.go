package metadb_test

import (
	"context"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestADatabaseThatDoesNotAnswerIsUnavailable(t *testing.T) {
	ways := map[string]func(db *metadb.DB) error{
		"exec": func(db *metadb.DB) error {
			_, err := db.Exec(t.Context(), `DELETE FROM sequence`)
			return err
		},
		"query": func(db *metadb.DB) error {
			var n int
			return db.QueryRow(t.Context(), `SELECT count(*) FROM sequence`).Scan(&n)
		},
		"transaction": func(db *metadb.DB) error {
			return db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
				_, err := metadb.NextID(ctx, tx, "x")
				return err
			})
		},
		"ping": func(db *metadb.DB) error { return db.Ping(t.Context()) },
	}
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for name, way := range ways {
			if err := way(db); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAnOperatorWhoEndsConnectionsMakesTheDatabaseUnavailable(t *testing.T) {
	dsn := metadbtest.PostgresDSN(t)
	db, operator := metadbtest.Open(t, dsn), metadbtest.Open(t, dsn)
	err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
		var pid int
		if err := tx.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
			return err
		}
		var ended bool
		if err := operator.QueryRow(t.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid).Scan(&ended); err != nil || !ended {
			t.Fatal(ended, err)
		}
		_, err := metadb.NextID(ctx, tx, "x")
		return err
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsWrongWithAStatementIsNoOutage(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range []error{
			db.QueryRow(t.Context(), `SELECT nothing FROM nowhere`).Scan(new(int)),
			db.QueryRow(t.Context(), `SELECT last FROM sequence WHERE name = 'none'`).Scan(new(int)),
			db.QueryRow(ctx, `SELECT count(*) FROM sequence`).Scan(new(int)),
		} {
			if err == nil || fault.As(err) != nil {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestAnOlderBinaryLeavesANewerSchemaAlone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		mustExec(t, db, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		if err := db.Migrate(t.Context()); !fault.Is(err, fault.Conflict) {
			t.Errorf("%v", err)
		}
	})
}
