package metadb_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// crashEnv makes this test binary write rows until it is killed.
const crashEnv = "MATRIX_TEST_CRASH_WRITER"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(crashEnv); dsn != "" {
		if err := writeForever(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func writeForever(dsn string) error {
	ctx := context.Background()
	db, err := metadb.Open(ctx, dsn)
	if err != nil {
		return err
	}
	for {
		id, err := metadb.NextID(ctx, db, "written")
		if err != nil {
			return err
		}
		fmt.Println(id) // said only after it is stored
	}
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	dsn := metadbtest.SQLiteDSN(t)
	last := int64(0)
	for range 3 {
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), crashEnv+"="+dsn)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 50 {
			if !lines.Scan() {
				t.Fatal("the writer ended early")
			}
		}
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		text := lines.Text()
		for lines.Scan() { // what it said between our last look and its death counts too
			text = lines.Text()
		}
		_ = writer.Wait() // "signal: killed" is the point
		acknowledged, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		db := metadbtest.Open(t, dsn)
		var stored int64
		if err := db.QueryRow(t.Context(), `SELECT last FROM sequence WHERE name = 'written'`).Scan(&stored); err != nil {
			t.Fatal(err)
		}
		if stored < acknowledged || acknowledged <= last {
			t.Fatalf("acknowledged %d, stored %d, before %d", acknowledged, stored, last)
		}
		last = acknowledged
	}
}
