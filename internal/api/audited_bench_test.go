package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// BenchmarkASimpleRead is what signing in, permissions and the audit log cost a
// read that is answered by one query.
func BenchmarkASimpleRead(b *testing.B) {
	h := newHouse(b, metadbtest.SQLite(b), nil, nil)
	c := h.admin()
	path := h.projectPath("")
	for b.Loop() {
		if answer := c.do(http.MethodGet, path, nil, nil); answer.Code != http.StatusOK {
			b.Fatal(answer.Code, answer.Body)
		}
	}
}

// BenchmarkAChange gives a role: one transaction, and the audit log's two writes.
func BenchmarkAChange(b *testing.B) {
	h := newHouse(b, metadbtest.SQLite(b), nil, nil)
	h.viewer()
	c := h.admin()
	path := fmt.Sprintf("/api/v1/orgs/%d/members", h.first.Org.ID)
	for b.Loop() {
		if answer := c.do(http.MethodPut, path, MemberRequest{Email: "viewer@example.com", Role: "editor"}, nil); answer.Code != http.StatusNoContent {
			b.Fatal(answer.Code, answer.Body)
		}
	}
}
