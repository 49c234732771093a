package api

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

var update = flag.Bool("update", false, "write openapi.yaml anew")

func TestTheOpenAPIDescriptionIsUpToDate(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/openapi.yaml", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d", answer.Code)
	}
	if *update {
		if err := os.WriteFile("openapi.yaml", answer.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), answer.Body.String()); diff != "" {
		t.Fatalf("openapi.yaml is stale, run `go generate ./internal/api`:\n%s", diff)
	}
}
