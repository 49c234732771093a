package tenant_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// TestWhoMayDoWhat is the whole matrix: each actor, each action, on the group's
// project, on a project of another group of the same organisation, and on
// another organisation. ok, denied (403), hidden (404), anonymous (401).
func TestWhoMayDoWhat(t *testing.T) {
	actions := []tenant.Action{tenant.OrgRead, tenant.OrgMembers, tenant.OrgAdmin, tenant.GroupRead, tenant.GroupAdmin,
		tenant.ProjectRead, tenant.ProjectSave, tenant.ProjectWrite, tenant.ProjectAdmin, tenant.SystemAdmin, tenant.SelfRead, tenant.SelfWrite, tenant.OrgAI}
	// One letter per action above: o ok, d denied, h hidden, a anonymous.
	table := []struct {
		actor, in, beside, elsewhere string
	}{
		//                     here           other group    other organisation
		{"org owner", "ooooooooodooo", "ooooooooodooo", "hhhhhhhhhdooh"},
		{"org admin", "ooooooooodooo", "ooooooooodooo", "hhhhhhhhhdooh"},
		{"org editor", "oododoooddooo", "oododoooddooo", "hhhhhhhhhdooh"},
		{"org viewer", "oododoodddood", "oododoodddood", "hhhhhhhhhdooh"},
		{"group owner", "oddoooooodood", "oddhhhhhhdood", "hhhhhhhhhdooh"},
		{"group admin", "oddoooooodood", "oddhhhhhhdood", "hhhhhhhhhdooh"},
		{"group editor", "oddodoooddood", "oddhhhhhhdood", "hhhhhhhhhdooh"},
		{"group viewer", "oddodoodddood", "oddhhhhhhdood", "hhhhhhhhhdooh"},
		{"org viewer and group admin", "oodoooooodood", "oododoodddood", "hhhhhhhhhdooh"},
		{"stranger", "hhhhhhhhhdooh", "hhhhhhhhhdooh", "hhhhhhhhhdooh"},
		{"system admin", "oooooddddoooo", "oooooddddoooo", "oooooddddoooo"},
		{"nobody", "aaaaaaaaaaaaa", "aaaaaaaaaaaaa", "aaaaaaaaaaaaa"},
		{"owner's token org.read", "oododdddddodd", "oododdddddodd", "hhdhddddddodd"},
		{"owner's token org.admin", "ooooodddddodo", "ooooodddddodo", "hhhhhdddddodh"},
		{"owner's token project.read", "dddddoddddodd", "dddddoddddodd", "dddddhddddodd"},
		{"owner's token project.write", "dddddoooddodd", "dddddoooddodd", "dddddhhhddodd"},
		{"owner's token project.admin", "dddddoooododd", "dddddoooododd", "dddddhhhhdodd"},
		{"viewer's token project.admin", "dddddoodddodd", "dddddoodddodd", "dddddhhhhdodd"},
		{"system admin's token system.admin", "dddddddddoodd", "dddddddddoodd", "dddddddddoodd"},
	}

	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		group := h.first.Group.ID
		otherGroup, err := h.CreateGroup(ctx, h.first.Org.ID, "other")
		h.must(err)
		beside, err := h.CreateProject(ctx, h.admin, otherGroup.ID, tenant.ProjectSettings{Name: "beside"}, nil)
		h.must(err)
		stranger, _ := h.user("stranger@example.com")
		root, rootUser := h.user("root@example.com")
		_, err = h.UpdateUser(ctx, rootUser.ID, rootUser.Version, tenant.UserChange{Name: "root", System: true})
		h.must(err)
		root.System = true
		otherOwner, _ := h.user("other-owner@example.com")
		otherOrg, err := h.CreateOrganisation(ctx, otherOwner, "elsewhere")
		h.must(err)
		otherGroups, err := h.Groups(ctx, otherOwner, otherOrg.ID)
		h.must(err)
		elsewhere, err := h.CreateProject(ctx, otherOwner, otherGroups[0].ID, tenant.ProjectSettings{Name: "elsewhere"}, nil)
		h.must(err)

		both := h.member(0, "both@example.com", tenant.Viewer)
		h.must(h.SetMember(ctx, h.admin, h.first.Org.ID, group, "both@example.com", tenant.Admin))
		actors := map[string]tenant.Actor{
			"stranger": stranger, "system admin": root, "nobody": {}, "org viewer and group admin": both,
		}
		for _, role := range tenant.Roles {
			actors["org "+string(role)] = h.member(0, fmt.Sprintf("org-%s@example.com", role), role)
			actors["group "+string(role)] = h.member(group, fmt.Sprintf("group-%s@example.com", role), role)
		}
		token := func(of tenant.Actor, scope tenant.Scope) tenant.Actor {
			t.Helper()
			made, err := h.CreateToken(ctx, of, "t", []tenant.Scope{scope}, h.clock.Now().Add(time.Hour))
			h.must(err)
			actor, err := h.AuthenticateToken(ctx, made.Secret)
			h.must(err)
			return actor
		}
		for _, scope := range tenant.Scopes[:len(tenant.Scopes)-1] {
			actors["owner's token "+string(scope)] = token(actors["org owner"], scope)
		}
		actors["viewer's token project.admin"] = token(actors["org viewer"], tenant.ScopeProjectAdmin)
		actors["system admin's token system.admin"] = token(root, tenant.ScopeSystemAdmin)

		places := []struct {
			name       string
			org, group int64
			project    tenant.Project
		}{
			{"here", h.first.Org.ID, group, h.first.Project},
			{"the other group", h.first.Org.ID, otherGroup.ID, beside},
			{"the other organisation", otherOrg.ID, otherGroups[0].ID, elsewhere},
		}
		letters := map[byte]fault.Kind{'d': fault.Denied, 'h': fault.NotFound, 'a': fault.Unauthenticated}
		for _, row := range table {
			actor, ok := actors[row.actor]
			if !ok {
				t.Fatalf("no actor %q", row.actor)
			}
			for i, want := range []string{row.in, row.beside, row.elsewhere} {
				place := places[i]
				for j, action := range actions {
					target := tenant.Target{Project: place.project.ID}
					switch action {
					case tenant.OrgRead, tenant.OrgMembers, tenant.OrgAdmin, tenant.OrgAI:
						target = tenant.Target{Org: place.org}
					case tenant.GroupRead, tenant.GroupAdmin:
						target = tenant.Target{Group: place.group}
					}
					err := h.Can(ctx, actor, action, target)
					if want[j] == 'o' && err != nil || want[j] != 'o' && !fault.Is(err, letters[want[j]]) {
						t.Errorf("%s, %s in %s: %v, want %q", row.actor, action, place.name, err, want[j])
					}
				}
			}
		}
		for _, target := range []tenant.Target{{Org: 999}, {Group: 999}, {Project: 999}} {
			wantFault(t, h.Can(ctx, root, tenant.OrgRead, target), fault.NotFound)
		}
		wantFault(t, h.Can(ctx, root, "project.steal", tenant.Target{}), fault.Internal)
	})
}

func TestATokenThatAsksRolesDoesNothingElse(t *testing.T) {
	h, ctx := newHouse(t, metadbtest.SQLite(t)), t.Context()
	here := tenant.Target{Project: h.first.Project.ID}
	token := func(scope tenant.Scope) tenant.Actor {
		t.Helper()
		made, err := h.CreateToken(ctx, h.admin, "t", []tenant.Scope{scope}, h.clock.Now().Add(time.Hour))
		h.must(err)
		actor, err := h.AuthenticateToken(ctx, made.Secret)
		h.must(err)
		return actor
	}
	asks, models := token(tenant.ScopeAIAsk), token(tenant.ScopeAIModel)
	h.must(h.Can(ctx, asks, tenant.ProjectAsk, here))
	h.must(h.Can(ctx, models, tenant.ProjectAsk, here))
	h.must(h.Can(ctx, models, tenant.ProjectModel, here))
	wantFault(t, h.Can(ctx, asks, tenant.ProjectModel, here), fault.Denied)
	for _, actor := range []tenant.Actor{asks, models} {
		for _, action := range []tenant.Action{tenant.ProjectRead, tenant.ProjectWrite, tenant.ProjectSave, tenant.SystemAdmin} {
			wantFault(t, h.Can(ctx, actor, action, here), fault.Denied)
		}
	}
	only, err := h.ProjectFor(ctx, asks, "")
	h.must(err)
	if only != h.first.Project.ID {
		t.Errorf("the only project is %v", only)
	}
	_, err = h.ProjectFor(ctx, asks, "seven")
	wantFault(t, err, fault.Invalid)
}

func TestListsShowOnlyWhatOneIsIn(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		other, err := h.CreateGroup(ctx, h.first.Org.ID, "other")
		h.must(err)
		_, err = h.CreateProject(ctx, h.admin, other.ID, tenant.ProjectSettings{Name: "beside"}, nil)
		h.must(err)
		ann := h.member(other.ID, "ann@example.com", tenant.Viewer)
		projects, err := h.Projects(ctx, ann)
		if err != nil || len(projects) != 1 || projects[0].Name != "beside" {
			t.Errorf("projects %+v, %v", projects, err)
		}
		groups, err := h.Groups(ctx, ann, h.first.Org.ID)
		if err != nil || len(groups) != 1 || groups[0].ID != other.ID {
			t.Errorf("groups %+v, %v", groups, err)
		}
		orgs, err := h.Organisations(ctx, ann)
		if err != nil || len(orgs) != 2 {
			t.Errorf("organisations %+v, %v", orgs, err)
		}
		of, err := h.Memberships(ctx, ann.UserID)
		if err != nil || len(of) != 2 {
			t.Errorf("memberships %+v, %v", of, err)
		}
	})
}
