package tenant_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestSubjectsOfAnOrganisationAreFoundByTheirNameAndNoOthers(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		org, err := h.CreateOrganisation(t.Context(), h.admin, "Shop 100%")
		h.must(err)
		group, err := h.CreateGroup(t.Context(), org.ID, "orders")
		h.must(err)
		p, err := h.CreateProject(t.Context(), h.admin, group.ID, tenant.ProjectSettings{Name: "checkout"}, nil)
		h.must(err)
		kim, user := h.user("kim@example.com")
		for _, of := range []int64{0, group.ID} { // twice a member, and one person
			h.must(h.SetMember(t.Context(), h.admin, org.ID, of, user.Email, tenant.Viewer))
		}
		token, err := h.CreateToken(t.Context(), kim, "nightly", []tenant.Scope{tenant.ScopeAIAsk}, h.clock.Now().Add(time.Hour))
		h.must(err)
		lee, _ := h.user("lee@example.com")
		for what, id := range map[string]int64{"org": org.ID, "group": group.ID, "project": int64(p.ID), "person": kim.UserID, "token": token.ID} {
			words := map[string]string{"org": "shop 100%", "group": "ORDERS", "project": "check", "person": "kim@", "token": "night"}[what]
			for _, in := range []int64{0, org.ID} {
				found, err := h.Subjects(t.Context(), what, in, words)
				if err != nil || len(found) != 1 || found[0].ID != strconv.FormatInt(id, 10) {
					t.Errorf("%s %q in %d: %+v, %v", what, words, in, found, err)
				}
			}
			for in, want := range map[int64]bool{0: true, org.ID: true, org.ID + 1000: false} {
				if has, err := h.HasSubject(t.Context(), what, in, id); err != nil || has != want {
					t.Errorf("%s in %d: %v, %v", what, in, has, err)
				}
			}
		}
		if found, err := h.Subjects(t.Context(), "person", org.ID, "lee"); err != nil || len(found) != 0 {
			t.Errorf("a stranger: %+v, %v", found, err)
		}
		if has, err := h.HasSubject(t.Context(), "person", org.ID, lee.UserID); err != nil || has {
			t.Errorf("a stranger by number: %v, %v", has, err)
		}
		if found, err := h.Subjects(t.Context(), "org", 0, "_hop"); err != nil || len(found) != 0 {
			t.Errorf("a pattern: %+v, %v", found, err)
		}
		groups, err := h.OrgGroups(t.Context(), org.ID)
		if err != nil || len(groups) == 0 || groups[len(groups)-1] != group.ID {
			t.Errorf("groups %v, %v", groups, err)
		}
	})
}
