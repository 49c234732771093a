//go:build interop

package interop

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres creates a database for the test on the server of $MATRIX_TEST_POSTGRES and returns its URL. The
// test is skipped when there is no server, except in CI, which must have one.
func postgres(t *testing.T) *url.URL {
	t.Helper()
	server := os.Getenv("MATRIX_TEST_POSTGRES")
	switch {
	case server == "" && os.Getenv("CI") != "":
		t.Fatal("MATRIX_TEST_POSTGRES is not set: run the tests with sh scripts/test.sh")
	case server == "":
		t.Skip("MATRIX_TEST_POSTGRES is not set")
	}
	database, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := "interop_" + strings.ToLower(rand.Text()[:12])
	admin(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	database.Path = "/" + name
	return database
}

// jdbc returns the URL as Java writes it.
func jdbc(database *url.URL) string {
	query := url.Values{"user": {database.User.Username()}}
	if password, ok := database.User.Password(); ok {
		query.Set("password", password)
	}
	return fmt.Sprintf("jdbc:postgresql://%s%s?%s", database.Host, database.Path, query.Encode())
}

func admin(t *testing.T, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatal(err)
	}
}
