package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestEditorsOfAnOrganisationStoreDraftsAndItsAdministratorsRelease(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db, nil, nil)
		member := func(role tenant.Role) *client {
			user, err := h.tenants.CreateUser(t.Context(), string(role)+"@roles.example.com", "")
			h.must(err)
			h.must(h.tenants.SetMember(t.Context(), tenant.Actor{UserID: 1, System: true}, h.first.Org.ID, 0, user.Email, role))
			return h.login(user.Email, user.Password)
		}
		editor, admin := member(tenant.Editor), member(tenant.Admin)
		roles := fmt.Sprintf("/api/v1/orgs/%d/ai-roles", h.first.Org.ID)
		own := roles + "/" + ai.AlertAnalyzer

		var page Page[ai.Role]
		h.decode(editor.do(http.MethodGet, roles, nil, nil), http.StatusOK, &page)
		if len(page.Items) != 3 || page.Items[0].Owner != ai.Shared || page.Items[0].SystemMessage == "" || page.Items[0].UpdatedBy != "" {
			t.Errorf("an organisation without roles sees %+v", page.Items)
		}
		// What it makes over a shared role answers calls at once, so that an editor begins with a copy.
		p := h.problem(editor.do(http.MethodPost, roles, NewRoleRequest{ai.AlertAnalyzer, roleBody()}, nil), http.StatusForbidden)
		if !strings.Contains(p.Detail, "copy") {
			t.Errorf("the refusal does not say what to do: %s", p.Detail)
		}
		var copied ai.Role
		h.decode(editor.do(http.MethodPost, own+"/copy", nil, nil), http.StatusCreated, &copied)
		if copied.Owner != ai.Owner(h.first.Org.ID) || copied.Version != 1 || copied.SystemMessage != page.Items[0].SystemMessage {
			t.Errorf("copy %+v", copied)
		}
		p = h.problem(editor.do(http.MethodPut, own, RoleChange{RoleRequest: roleBody()}, []string{"If-Match", `"v1"`}), http.StatusForbidden)
		if !strings.Contains(p.Detail, "draft") || !strings.Contains(p.Detail, "administrator") {
			t.Errorf("the refusal does not say what to do: %s", p.Detail)
		}
		h.decode(editor.do(http.MethodPut, own, RoleChange{RoleRequest: roleBody(), Draft: true}, []string{"If-Match", `"v1"`}), http.StatusOK, nil)
		release := LabelRequest{Version: 2, Protected: true, Override: true}
		h.problem(editor.do(http.MethodPut, own+"/labels/production", release, nil), http.StatusForbidden)
		h.problem(editor.do(http.MethodDelete, own, nil, []string{"If-Match", `"v2"`}), http.StatusForbidden)
		h.problem(editor.do(http.MethodPut, "/api/v1/roles/"+ai.AlertAnalyzer, RoleChange{RoleRequest: roleBody(), Draft: true}, []string{"If-Match", `"v1"`}), http.StatusForbidden)

		release.Override = false
		h.problem(admin.do(http.MethodPut, own+"/labels/production", release, nil), http.StatusConflict)
		release.Override = true
		h.decode(admin.do(http.MethodPut, own+"/labels/production", release, nil), http.StatusOK, nil)
		h.decode(admin.do(http.MethodPut, own, RoleChange{RoleRequest: roleBody()}, []string{"If-Match", `"v2"`}), http.StatusOK, nil)
		live, err := h.opts.AI.Roles().Released(t.Context(), ai.Owner(h.first.Org.ID), ai.AlertAnalyzer, "", 0)
		if err != nil || live.Version != 3 || live.Owner != ai.Owner(h.first.Org.ID) {
			t.Errorf("in production is %+v, %v", live, err)
		}
		h.decode(admin.do(http.MethodDelete, own, nil, []string{"If-Match", `"v3"`}), http.StatusNoContent, nil)
		live, err = h.opts.AI.Roles().Released(t.Context(), ai.Owner(h.first.Org.ID), ai.AlertAnalyzer, "", 0)
		if err != nil || live.Version != 1 || live.Owner != ai.Shared {
			t.Errorf("after it was deleted %+v, %v", live, err)
		}
		var history Page[ai.RoleVersion]
		h.decode(admin.do(http.MethodGet, own+"/history", nil, nil), http.StatusOK, &history)
		if len(history.Items) != 4 || !history.Items[0].Deleted {
			t.Errorf("its history is %+v", history.Items)
		}
	})
}
