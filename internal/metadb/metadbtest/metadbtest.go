// Package metadbtest gives tests real metadata databases: a SQLite file, and a
// PostgreSQL database when $MATRIX_TEST_POSTGRES is the DSN of a server in
// which databases may be created (`sh scripts/postgres.sh start` prints one).
package metadbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Each runs fn once per database, each time on a fresh, migrated database of
// its own. Without a PostgreSQL server that half is skipped, and under $CI it fails.
func Each(t *testing.T, fn func(t *testing.T, db *metadb.DB)) {
	t.Helper()
	t.Run(metadb.SQLite, func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run(metadb.Postgres, func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite returns a migrated SQLite database that is gone after the test.
func SQLite(t testing.TB) *metadb.DB { return Open(t, SQLiteDSN(t)) }

// Postgres returns a migrated PostgreSQL database that is gone after the test.
func Postgres(t testing.TB) *metadb.DB { return Open(t, PostgresDSN(t)) }

// Open opens dsn and closes it after the test.
func Open(t testing.TB, dsn string) *metadb.DB {
	t.Helper()
	db, err := metadb.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close metadata: %v", err)
		}
	})
	return db
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "metadb")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	if err := migrated(context.Background(), path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// SQLiteDSN returns the DSN of a fresh, migrated SQLite file.
func SQLiteDSN(t testing.TB) string {
	t.Helper()
	content, err := sqliteTemplate() // migrating once and copying is ten times faster
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "matrix.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func migrated(ctx context.Context, dsn string) error {
	db, err := metadb.Open(ctx, dsn)
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx); err != nil {
		_ = db.Close()
		return err
	}
	return db.Close()
}

// PostgresDSN returns the DSN of a fresh, migrated PostgreSQL database, which
// is dropped after the test.
func PostgresDSN(t testing.TB) string {
	t.Helper()
	server := Server(t)
	template := postgresTemplate(t, server)
	return createDatabase(t, server, " TEMPLATE "+template)
}

// EmptyPostgresDSN is PostgresDSN without the schema.
func EmptyPostgresDSN(t testing.TB) string {
	t.Helper()
	return createDatabase(t, Server(t), "")
}

// Server returns the DSN of the PostgreSQL server tests may use; without one
// the test is skipped, and under $CI it fails.
func Server(t testing.TB) string {
	t.Helper()
	server := os.Getenv("MATRIX_TEST_POSTGRES")
	switch {
	case server != "":
	case os.Getenv("CI") != "":
		t.Fatal("MATRIX_TEST_POSTGRES is not set: export MATRIX_TEST_POSTGRES=$(sh scripts/postgres.sh start)")
	default:
		t.Skip("MATRIX_TEST_POSTGRES is not set")
	}
	return server
}

func createDatabase(t testing.TB, server, suffix string) string {
	t.Helper()
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	name := "matrix_test_" + hex.EncodeToString(random[:])
	run(t, server, "CREATE DATABASE "+name+suffix)
	t.Cleanup(func() { run(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return withDatabase(t, server, name)
}

var postgresOnce sync.Mutex

// postgresTemplate returns the name of a migrated database to copy. It is named
// after its content, so that every test binary of this version shares it.
func postgresTemplate(t testing.TB, server string) string {
	t.Helper()
	postgresOnce.Lock()
	defer postgresOnce.Unlock()
	hash := sha256.New()
	for _, name := range sorted(t, metadb.Migrations()) {
		content, err := fs.ReadFile(metadb.Migrations(), name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(hash, "%s\n%s\n", name, content)
	}
	name := "matrix_template_" + hex.EncodeToString(hash.Sum(nil)[:6])
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // also lets go of the lock
	var exists bool
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(20260101)`); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists); err != nil {
		t.Fatal(err)
	}
	if exists {
		return name
	}
	building := name + "_new"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + building + " WITH (FORCE)", "CREATE DATABASE " + building} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrated(ctx, withDatabase(t, server, building)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+building+" RENAME TO "+name); err != nil {
		t.Fatal(err)
	}
	return name
}

func sorted(t testing.TB, files fs.FS) []string {
	t.Helper()
	entries, err := fs.ReadDir(files, ".") // sorted by name
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".sql") {
			names = append(names, entry.Name())
		}
	}
	return names
}

func withDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("MATRIX_TEST_POSTGRES must be a postgres:// URL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}

func run(t testing.TB, server, statement string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("connect to MATRIX_TEST_POSTGRES: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
