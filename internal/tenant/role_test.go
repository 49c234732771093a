package tenant_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestARoleOfOnesOwnHoldsWhatItListsAndWhatThatNeeds(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, p := h.first.Org.ID, h.first.Project.ID
		role, err := h.CreateOrgRole(ctx, h.admin, org, tenant.RoleSettings{Name: "auditor", Permissions: []tenant.Action{tenant.OrgAudit, tenant.DataSQL}})
		h.must(err)
		if want := []tenant.Action{tenant.OrgRead, tenant.OrgAudit, tenant.ProjectRead, tenant.DataSQL}; !slices.Equal(role.Permissions, want) {
			t.Errorf("holds %v, want %v", role.Permissions, want)
		}
		auditor, _ := h.user("auditor@example.com")
		h.must(h.GiveRole(ctx, h.admin, org, 0, "auditor@example.com", tenant.Given{Role: tenant.Custom, RoleID: role.ID}))
		f := func(act tenant.Action, target tenant.Target, allowed bool) {
			t.Helper()
			if err := h.Can(ctx, auditor, act, target); (err == nil) != allowed || err != nil && !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", act, err)
			}
		}
		f(tenant.OrgAudit, tenant.Target{Org: org}, true)
		f(tenant.OrgRead, tenant.Target{Org: org}, true)
		f(tenant.OrgMembers, tenant.Target{Org: org}, false)
		f(tenant.OrgAdmin, tenant.Target{Org: org}, false)
		f(tenant.ProjectRead, tenant.Target{Project: p}, true)
		f(tenant.ProjectWrite, tenant.Target{Project: p}, false)
		projects, err := h.Projects(ctx, auditor)
		h.must(err)
		if len(projects) != 1 {
			t.Errorf("lists %v", projects)
		}
		place, err := h.Allow(ctx, auditor, tenant.ProjectRead, tenant.Target{Project: p})
		h.must(err)
		if place.Sees != (tenant.Sees{SQL: true}) {
			t.Errorf("sees %+v", place.Sees)
		}
		// What is taken out of the role is gone for all who have it.
		_, err = h.UpdateOrgRole(ctx, h.admin, org, role.ID, role.Version, tenant.RoleSettings{Name: "auditor", Permissions: []tenant.Action{tenant.OrgAudit}})
		h.must(err)
		f(tenant.ProjectRead, tenant.Target{Project: p}, false)
		if projects, err = h.Projects(ctx, auditor); err != nil || len(projects) != 0 {
			t.Errorf("still lists %v, %v", projects, err)
		}
		members, err := h.Members(ctx, org, 0)
		h.must(err)
		if i := slices.IndexFunc(members, func(m tenant.Member) bool { return m.UserID == auditor.UserID }); members[i].RoleName != "auditor" || len(members[i].Permissions) != 2 {
			t.Errorf("%+v", members[i])
		}
		if err := h.DeleteOrgRole(ctx, org, role.ID, 2); !fault.Is(err, fault.Conflict) {
			t.Errorf("a role that is given was deleted: %v", err)
		}
		h.must(h.RemoveMember(ctx, h.admin, org, 0, auditor.UserID))
		h.must(h.DeleteOrgRole(ctx, org, role.ID, 2))
	})
}

func TestNobodyGivesOrTakesMoreThanTheyHave(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org := h.first.Org.ID
		keeper, err := h.CreateOrgRole(ctx, h.admin, org, tenant.RoleSettings{Name: "keeper", Permissions: []tenant.Action{tenant.OrgAdmin, tenant.ProjectRead, tenant.ProjectSave, tenant.ProjectAsk}})
		h.must(err)
		strong, err := h.CreateOrgRole(ctx, h.admin, org, tenant.RoleSettings{Name: "strong", Permissions: []tenant.Action{tenant.DataPersonal}})
		h.must(err)
		by, _ := h.user("keeper@example.com")
		h.must(h.GiveRole(ctx, h.admin, org, 0, "keeper@example.com", tenant.Given{Role: tenant.Custom, RoleID: keeper.ID}))
		h.user("new@example.com")
		admin := h.member(0, "admin@example.com", tenant.Admin)
		f := func(what string, err error, allowed bool) {
			t.Helper()
			if allowed && err != nil || !allowed && !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", what, err)
			}
		}
		give := func(g tenant.Given) error { return h.GiveRole(ctx, by, org, 0, "new@example.com", g) }
		f("viewer", give(tenant.Given{Role: tenant.Viewer}), true)
		f("their own role", give(tenant.Given{Role: tenant.Custom, RoleID: keeper.ID}), true)
		f("admin", give(tenant.Given{Role: tenant.Admin}), false)
		f("owner", give(tenant.Given{Role: tenant.Owner}), false)
		f("a stronger role of the organisation", give(tenant.Given{Role: tenant.Custom, RoleID: strong.ID}), false)
		f("taking an admin's", h.GiveRole(ctx, by, org, 0, "admin@example.com", tenant.Given{Role: tenant.Viewer}), false)
		f("removing an admin", h.RemoveMember(ctx, by, org, 0, admin.UserID), false)
		_, err = h.CreateOrgRole(ctx, by, org, tenant.RoleSettings{Name: "more", Permissions: []tenant.Action{tenant.DataPrompts}})
		f("making a stronger role", err, false)
		_, err = h.UpdateOrgRole(ctx, by, org, keeper.ID, 1, tenant.RoleSettings{Name: "keeper", Permissions: []tenant.Action{tenant.OrgAdmin, tenant.DataPersonal}})
		f("making their own role stronger", err, false)
		_, err = h.UpdateOrgRole(ctx, by, org, strong.ID, 1, tenant.RoleSettings{Name: "strong", Permissions: []tenant.Action{tenant.ProjectRead}})
		f("making a stronger role weaker", err, false)
		if _, err := h.CreateOrgRole(ctx, h.admin, org, tenant.RoleSettings{Name: "owners", Permissions: []tenant.Action{tenant.OrgOwner}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a role that makes owners: %v", err)
		}
		if err := h.GiveRole(ctx, h.admin, org, 0, "new@example.com", tenant.Given{Role: tenant.Custom, RoleID: 999}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a role that does not exist: %v", err)
		}
	})
}

func TestAGroupGivesItsRolesToTheGroupsBelowIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, top := h.first.Org.ID, h.first.Group
		middle, err := h.CreateSubgroup(ctx, top.ID, "middle")
		h.must(err)
		bottom, err := h.CreateSubgroup(ctx, middle.ID, "bottom")
		h.must(err)
		if bottom.Depth != 3 || bottom.ParentID != middle.ID || bottom.OrgID != org {
			t.Errorf("%+v", bottom)
		}
		deep, err := h.CreateProject(ctx, h.admin, bottom.ID, tenant.ProjectSettings{Name: "deep"}, nil)
		h.must(err)
		editor := h.member(middle.ID, "editor@example.com", tenant.Editor)
		f := func(target tenant.Target, act tenant.Action, want fault.Kind) {
			t.Helper()
			err := h.Can(ctx, editor, act, target)
			if want == fault.Internal && err != nil || want != fault.Internal && !fault.Is(err, want) {
				t.Errorf("%s on %+v: %v", act, target, err)
			}
		}
		f(tenant.Target{Project: deep.ID}, tenant.ProjectWrite, fault.Internal)
		f(tenant.Target{Project: deep.ID}, tenant.ProjectAdmin, fault.Denied)
		f(tenant.Target{Group: bottom.ID}, tenant.GroupRead, fault.Internal)
		f(tenant.Target{Group: top.ID}, tenant.GroupRead, fault.NotFound) // not upwards
		f(tenant.Target{Project: h.first.Project.ID}, tenant.ProjectRead, fault.NotFound)
		f(tenant.Target{Org: org}, tenant.OrgRead, fault.Internal)
		projects, err := h.Projects(ctx, editor)
		h.must(err)
		groups, err := h.Groups(ctx, editor, org)
		h.must(err)
		if len(projects) != 1 || projects[0].ID != deep.ID || len(groups) != 2 {
			t.Errorf("sees %v in %v", projects, groups)
		}

		if _, err := h.MoveGroup(ctx, org, middle.ID, middle.Version, bottom.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("a group was put into itself: %v", err)
		}
		if _, err := h.MoveGroup(ctx, org, middle.ID, middle.Version, middle.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("a group was put into itself: %v", err)
		}
		other, err := h.CreateGroup(ctx, org, "other")
		h.must(err)
		moved, err := h.MoveGroup(ctx, org, bottom.ID, bottom.Version, other.ID)
		h.must(err)
		if moved.Depth != 2 || moved.ParentID != other.ID {
			t.Errorf("%+v", moved)
		}
		f(tenant.Target{Project: deep.ID}, tenant.ProjectRead, fault.NotFound)
		_, err = h.MoveGroup(ctx, org, bottom.ID, moved.Version, 0)
		h.must(err)
		if err := h.DeleteGroup(ctx, top.ID, top.Version); !fault.Is(err, fault.Conflict) {
			t.Errorf("a group with groups was deleted: %v", err)
		}
		below := middle
		for depth := 3; depth <= 5; depth++ {
			below, err = h.CreateSubgroup(ctx, below.ID, fmt.Sprintf("depth %d", depth))
			h.must(err)
		}
		if _, err := h.CreateSubgroup(ctx, below.ID, "too deep"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a sixth level was made: %v", err)
		}
		if _, err := h.MoveGroup(ctx, org, middle.ID, middle.Version, other.ID); err != nil {
			t.Errorf("four levels below one: %v", err)
		}
		if _, err := h.MoveGroup(ctx, org, other.ID, other.Version, bottom.ID); !fault.Is(err, fault.Invalid) {
			t.Errorf("five levels below one: %v", err)
		}
	})
}

func TestAProjectCanBeVisibleToItsOrganisation(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, p := h.first.Org.ID, h.first.Project
		beside, err := h.CreateGroup(ctx, org, "beside")
		h.must(err)
		neighbour := h.member(beside.ID, "neighbour@example.com", tenant.Admin)
		stranger, _ := h.user("stranger@example.com")
		if err := h.Can(ctx, neighbour, tenant.ProjectRead, tenant.Target{Project: p.ID}); !fault.Is(err, fault.NotFound) {
			t.Errorf("private: %v", err)
		}
		p, err = h.UpdateProject(ctx, h.admin, p.ID, p.Version, tenant.ProjectSettings{Name: p.Name, Access: tenant.ProjectAccess{Visibility: tenant.VisibleToOrganisation}})
		h.must(err)
		h.must(h.Can(ctx, neighbour, tenant.ProjectRead, tenant.Target{Project: p.ID}))
		if err := h.Can(ctx, neighbour, tenant.ProjectWrite, tenant.Target{Project: p.ID}); !fault.Is(err, fault.Denied) {
			t.Errorf("an admin of another group writes: %v", err)
		}
		if err := h.Can(ctx, stranger, tenant.ProjectRead, tenant.Target{Project: p.ID}); !fault.Is(err, fault.NotFound) {
			t.Errorf("another organisation reads: %v", err)
		}
		place, err := h.Allow(ctx, neighbour, tenant.ProjectRead, tenant.Target{Project: p.ID})
		h.must(err)
		if place.Sees != (tenant.Sees{}) {
			t.Errorf("an admin of another group sees %+v", place.Sees)
		}
		projects, err := h.Projects(ctx, neighbour)
		h.must(err)
		if len(projects) != 1 || projects[0].Access.Visibility != tenant.VisibleToOrganisation {
			t.Errorf("%+v", projects)
		}
	})
}

func TestWhatIsSeenUnmaskedFollowsTheRoleTheTokenAndTheProject(t *testing.T) {
	h, ctx := newHouse(t, metadbtest.SQLite(t)), t.Context()
	p := h.first.Project
	sees := func(a tenant.Actor) tenant.Sees {
		t.Helper()
		place, err := h.Allow(ctx, a, tenant.ProjectRead, tenant.Target{Project: p.ID})
		h.must(err)
		return place.Sees
	}
	f := func(who string, a tenant.Actor, want tenant.Sees) {
		t.Helper()
		if got := sees(a); got != want {
			t.Errorf("%s sees %+v, want %+v", who, got, want)
		}
	}
	owner := h.member(0, "owner@example.com", tenant.Owner)
	editor, viewer := h.member(0, "editor@example.com", tenant.Editor), h.member(0, "viewer@example.com", tenant.Viewer)
	token := func(scopes ...tenant.Scope) tenant.Actor {
		t.Helper()
		made, err := h.CreateToken(ctx, owner, "t", scopes, h.clock.Now().Add(time.Hour))
		h.must(err)
		a, err := h.AuthenticateToken(ctx, made.Secret)
		h.must(err)
		return a
	}
	f("owner", owner, tenant.Everything)
	f("admin", h.member(0, "admin@example.com", tenant.Admin), tenant.Everything)
	f("editor", editor, tenant.Sees{SQL: true})
	f("viewer", viewer, tenant.Sees{})
	f("owner's token", token(tenant.ScopeProjectRead), tenant.Sees{SQL: true})
	f("owner's token for unmasked data", token(tenant.ScopeProjectRead, tenant.ScopeDataUnmasked), tenant.Everything)
	var err error
	p, err = h.UpdateProject(ctx, h.admin, p.ID, p.Version, tenant.ProjectSettings{Name: p.Name, Access: tenant.ProjectAccess{ShowSQL: tenant.ShowNobody, ShowPrompts: tenant.ShowEveryone}})
	h.must(err)
	f("owner", owner, tenant.Sees{Personal: true, Prompts: true})
	f("viewer", viewer, tenant.Sees{Prompts: true})
	if _, err := h.UpdateProject(ctx, h.admin, p.ID, p.Version, tenant.ProjectSettings{Name: p.Name, Access: tenant.ProjectAccess{ShowSQL: "some"}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown setting: %v", err)
	}
}

func BenchmarkCan(b *testing.B) {
	h := newHouse(b, metadbtest.SQLite(b))
	for b.Loop() {
		if err := h.Can(b.Context(), h.admin, tenant.ProjectRead, tenant.Target{Project: h.first.Project.ID}); err != nil {
			b.Fatal(err)
		}
	}
}
