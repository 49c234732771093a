package api

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func (h *house) audit(query string) []audit.Entry {
	h.t.Helper()
	var page audit.Page
	h.decode(h.admin().do(http.MethodGet, "/api/v1/audit?"+query, nil, nil), http.StatusOK, &page)
	return page.Items
}

func TestAChangeIsInTheAuditLogWithWhoWhatAndHowItEnded(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin, viewer := h.admin(), h.viewer()
	h.decode(admin.do(http.MethodPost, h.projectPath("/keys"), Named{"collector"}, nil), http.StatusCreated, nil)
	h.problem(viewer.do(http.MethodPost, h.projectPath("/keys"), Named{"mine"}, nil), http.StatusForbidden)
	h.problem(admin.do(http.MethodPut, h.projectPath(""), tenant.ProjectSettings{Name: "renamed", Language: "ko"}, []string{"If-Match", `"v77"`}), http.StatusPreconditionFailed)
	token := admin.withToken(tenant.ScopeProjectAdmin)
	h.decode(token.do(http.MethodPost, h.projectPath("/keys"), Named{"by token"}, nil), http.StatusCreated, nil)

	var got []string
	for _, e := range h.audit("project=" + fmt.Sprint(h.first.Project.ID)) {
		if e.OrgID != h.first.Org.ID || e.GroupID != h.first.Group.ID || e.RequestID == "" || e.Actor.Address != "192.0.2.1" || e.Actor.Kind != audit.Person {
			t.Errorf("%+v", e)
		}
		got = append(got, fmt.Sprintf("%s %s %s %s by %s%s", e.Operation, e.Outcome, e.Object, e.Summary["name"], e.Actor.Name, map[bool]string{true: " with a token"}[e.Actor.TokenID != 0]))
	}
	want := []string{
		"create-key done key/3 by token by admin with a token",
		"update-project failed  renamed by admin",
		"create-key denied   by viewer",
		"create-key done key/2 collector by admin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSigningInIsInTheAuditLog(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	h.problem(h.anonymous().do(http.MethodPost, "/api/v1/session", Login{Email: h.first.Email, Password: "not the password"}, nil), http.StatusUnauthorized)
	h.admin()
	entries := h.audit("operation=login")
	if len(entries) != 3 { // the helper signs in as well
		t.Fatalf("%+v", entries)
	}
	if in, out := entries[1], entries[2]; in.Outcome != audit.Done || in.Actor.Name != "admin" || in.Actor.UserID == 0 ||
		out.Outcome != audit.Failed || out.Problem != "unauthenticated" || out.Actor.Kind != audit.Nobody || out.Summary["email"] != h.first.Email {
		t.Errorf("%+v\n%+v", in, out)
	}
}

func TestNoSecretIsInTheAuditLog(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	const secret = "s3cr3t-of-the-hook"
	h.decode(admin.do(http.MethodPost, h.projectPath("/channels"), map[string]any{"kind": "sink", "name": "hook", "config": map[string]string{"secret": secret}, "enabled": true}, nil), http.StatusCreated, nil)
	h.problem(admin.do(http.MethodPut, "/api/v1/me/password", PasswordChange{secret, secret}, nil), http.StatusUnprocessableEntity)
	h.decode(admin.do(http.MethodPost, "/api/v1/orgs", Named{"second"}, nil), http.StatusCreated, nil)
	answer := admin.do(http.MethodGet, "/api/v1/audit/export?format=ndjson", nil, nil)
	if text := answer.Body.String(); strings.Contains(text, secret) || strings.Contains(text, h.first.Password) || !strings.Contains(text, `"config":"…"`) || !strings.Contains(text, `"password":"…"`) {
		t.Errorf("%s", text)
	}
}

func TestAChangeThatCannotBeNotedIsNotMade(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	if _, err := h.db.Exec(t.Context(), `ALTER TABLE audit_entry RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	p := h.problem(admin.do(http.MethodPost, h.projectPath("/keys"), Named{"unseen"}, nil), http.StatusServiceUnavailable)
	if !strings.Contains(p.Detail, "audit") {
		t.Errorf("%+v", p)
	}
	keys, err := h.tenants.Keys(t.Context(), h.first.Project.ID)
	h.must(err)
	if len(keys) != 1 { // that of the first start
		t.Errorf("the change was made: %+v", keys)
	}
	h.decode(admin.do(http.MethodGet, h.projectPath("/keys"), nil, nil), http.StatusOK, nil) // reads go on
}

func TestTheAuditLogIsExportedAsATableAndAsLines(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	admin := h.admin()
	h.decode(admin.do(http.MethodPost, h.projectPath("/keys"), Named{"=cmd()"}, nil), http.StatusCreated, nil)
	path := fmt.Sprintf("/api/v1/orgs/%d/audit/export", h.first.Org.ID)
	table := admin.do(http.MethodGet, path, nil, nil)
	rows, err := csv.NewReader(table.Body).ReadAll()
	h.must(err)
	if len(rows) != 2 || rows[0][0] != "at" || !slices.Contains(rows[1], "create-key") || !slices.Contains(rows[1], "name==cmd()") {
		t.Errorf("%q", rows)
	}
	if kind := table.Header().Get("Content-Disposition"); !strings.HasSuffix(kind, `.csv"`) {
		t.Error(kind)
	}
	lines := admin.do(http.MethodGet, path+"?format=ndjson", nil, nil)
	var e audit.Entry
	h.must(json.Unmarshal(lines.Body.Bytes(), &e))
	if e.Operation != "create-key" || e.Summary["name"] != "=cmd()" {
		t.Errorf("%+v", e)
	}
}

func TestEveryOperationThatIsNotAReadIsAudited(t *testing.T) {
	n := &neighbours{house: newHouse(t, metadbtest.SQLite(t), nil, nil)}
	for op := range n.operations() {
		audited, said := op.Metadata[auditedKey].(bool)
		reads := op.Method == http.MethodGet && op.OperationID != signsIn || slices.Contains(notChanges, op.OperationID)
		if !said || audited == reads {
			t.Errorf("%s %s: audited is %v", op.Method, op.OperationID, op.Metadata[auditedKey])
		}
	}
	for _, id := range notChanges {
		if op := n.operation(id); op == nil || op.Method != http.MethodPost {
			t.Errorf("%s is listed as changing nothing, and is not an operation with POST", id)
		}
	}
	if !changes(&huma.Operation{OperationID: "something-new", Method: http.MethodPost}) {
		t.Error("what is new is not audited")
	}
}
