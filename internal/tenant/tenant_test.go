package tenant_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// house is a store with the first start done.
type house struct {
	*tenant.Store
	t     testing.TB
	clock *clock
	first *tenant.FirstStart
	admin tenant.Actor // system admin and owner of the first organisation
}

func newHouse(t testing.TB, db *metadb.DB) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{at: time.Date(2025, 6, 17, 5, 3, 0, 0, time.UTC)}}
	var err error
	if h.Store, err = tenant.New(tenant.Options{DB: db, Now: h.clock.Now, Sealer: sealer(t, 7)}); err != nil {
		t.Fatal(err)
	}
	if h.first, err = h.Bootstrap(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	session := h.login(h.first.Email, h.first.Password)
	if h.admin, err = h.AuthenticateSession(t.Context(), session.Secret); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) login(email, password string) tenant.Session {
	h.t.Helper()
	session, err := h.Login(h.t.Context(), tenant.Credentials{Email: email, Password: password, From: tenant.Caller{Address: "192.0.2.1"}})
	if err != nil {
		h.t.Fatalf("login as %s: %v", email, err)
	}
	return session
}

// user makes an account and returns it as an actor.
func (h *house) user(email string) (tenant.Actor, tenant.NewUser) {
	h.t.Helper()
	u, err := h.CreateUser(h.t.Context(), email, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return tenant.Actor{UserID: u.ID, Name: u.Name}, u
}

// member makes an account with a role in the first organisation, or one of its groups.
func (h *house) member(group int64, email string, role tenant.Role) tenant.Actor {
	h.t.Helper()
	actor, _ := h.user(email)
	h.must(h.SetMember(h.t.Context(), h.admin, h.first.Org.ID, group, email, role))
	return actor
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("got %v, want a fault of kind %s", err, kind)
	}
}

func TestTheFirstStartHappensOnceOnManyNodes(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		var group sync.WaitGroup
		var mu sync.Mutex
		var made []*tenant.FirstStart
		seeds := map[string]bool{}
		for range 3 {
			store, err := tenant.New(tenant.Options{DB: db})
			if err != nil {
				t.Fatal(err)
			}
			group.Go(func() {
				first, err := store.Bootstrap(context.Background(), func(_ context.Context, _ *metadb.Tx, p tenant.Project) error {
					mu.Lock()
					defer mu.Unlock()
					seeds[p.Name] = true
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if first != nil {
					made = append(made, first)
				}
			})
		}
		group.Wait()
		if len(made) != 1 || !seeds["default"] {
			t.Fatalf("%d first starts, seeds %v", len(made), seeds)
		}
		store, err := tenant.New(tenant.Options{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := store.AuthenticateKey(t.Context(), made[0].Key)
		if err != nil || p != made[0].Project.ID {
			t.Fatalf("the printed key is for project %v, %v", p, err)
		}
		if _, err := store.Login(t.Context(), tenant.Credentials{Email: made[0].Email, Password: made[0].Password, From: tenant.Caller{Address: "192.0.2.1"}}); err != nil {
			t.Fatalf("the printed password does not work: %v", err)
		}
	})
}

func TestAFailedSeedLeavesNoHalfInstallation(t *testing.T) {
	store, err := tenant.New(tenant.Options{DB: metadbtest.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if _, err := store.Bootstrap(t.Context(), func(context.Context, *metadb.Tx, tenant.Project) error { return boom }); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if first, err := store.Bootstrap(t.Context(), nil); err != nil || first == nil {
		t.Fatalf("the second try gives %v, %v", first, err)
	}
}

func TestAnEditThatMissedAnotherOneIsAConflict(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		p := h.first.Project
		set := tenant.ProjectSettings{Name: "shop", Language: "en", Retention: project.Retention{Traces: 30, Logs: 7, Metrics: 90}, Rate: project.Rate{Traces: 5000, Logs: 20_000, Metrics: 30_000}}
		changed, err := h.UpdateProject(ctx, h.admin, p.ID, p.Version, set)
		if err != nil || changed.Version != p.Version+1 || changed.Name != "shop" || changed.Rate != set.Rate || changed.Retention != set.Retention {
			t.Fatalf("%+v, %v", changed, err)
		}
		_, err = h.UpdateProject(ctx, h.admin, p.ID, p.Version, set)
		wantFault(t, err, fault.Conflict)
		_, err = h.RenameOrganisation(ctx, h.first.Org.ID, 99, "x")
		wantFault(t, err, fault.Conflict)
		_, err = h.CreateProject(ctx, h.admin, h.first.Group.ID, set, nil)
		wantFault(t, err, fault.Conflict) // the name is taken
		_, err = h.CreateProject(ctx, h.admin, 99, set, nil)
		wantFault(t, err, fault.NotFound)
	})
}

func TestSettingsOutOfRangeNameTheField(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := func(set tenant.ProjectSettings, field string) {
		t.Helper()
		_, err := h.UpdateProject(t.Context(), h.admin, h.first.Project.ID, 1, set)
		if e := fault.As(err); e == nil || e.Kind != fault.Invalid || e.Field != field {
			t.Errorf("%+v: %v, want %s to be invalid", set, err, field)
		}
	}
	f(tenant.ProjectSettings{Name: "  "}, "name")
	f(tenant.ProjectSettings{Name: "a\x00b"}, "name")
	f(tenant.ProjectSettings{Name: "a", Language: "fr"}, "language")
	f(tenant.ProjectSettings{Name: "a", Retention: project.Retention{Traces: 3651}}, "retention.traces")
	f(tenant.ProjectSettings{Name: "a", Retention: project.Retention{Logs: -1}}, "retention.logs")
	f(tenant.ProjectSettings{Name: "a", Rate: project.Rate{Metrics: -1}}, "rate.metrics")
}

func TestAnArchivedProjectIsGone(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		p := h.first.Project
		h.must(h.ArchiveProject(ctx, h.admin, p.ID, p.Version))
		h.clock.Advance(time.Second)
		_, _, err := h.AuthenticateKey(ctx, h.first.Key)
		wantFault(t, err, fault.Unauthenticated)
		wantFault(t, h.Can(ctx, h.admin, tenant.ProjectRead, tenant.Target{Project: p.ID}), fault.NotFound)
		_, err = h.FirstProject(ctx)
		wantFault(t, err, fault.NotFound)
		if _, err := h.CreateProject(ctx, h.admin, h.first.Group.ID, tenant.ProjectSettings{Name: p.Name}, nil); err != nil {
			t.Errorf("its name must be free again: %v", err)
		}
	})
}

func TestAGroupWithProjectsIsNotDeleted(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		wantFault(t, h.DeleteGroup(ctx, h.first.Group.ID, 1), fault.Conflict)
		g, err := h.CreateGroup(ctx, h.first.Org.ID, "empty")
		h.must(err)
		_, err = h.CreateGroup(ctx, h.first.Org.ID, "empty")
		wantFault(t, err, fault.Conflict)
		h.must(h.DeleteGroup(ctx, g.ID, g.Version))
	})
}

func TestAnOrganisationKeepsAnOwnerAndOnlyOwnersMakeOwners(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org := h.first.Org.ID
		wantFault(t, h.RemoveMember(ctx, h.admin, org, 0, h.admin.UserID), fault.Conflict)
		wantFault(t, h.SetMember(ctx, h.admin, org, 0, h.first.Email, tenant.Viewer), fault.Conflict)

		second := h.member(0, "second@example.com", tenant.Admin)
		wantFault(t, h.SetMember(ctx, second, org, 0, "second@example.com", tenant.Owner), fault.Denied)
		wantFault(t, h.RemoveMember(ctx, second, org, 0, h.admin.UserID), fault.Denied)
		wantFault(t, h.SetMember(ctx, second, org, 0, "nobody@example.com", tenant.Viewer), fault.Invalid)
		wantFault(t, h.SetMember(ctx, second, org, 0, "second@example.com", "king"), fault.Invalid)

		h.must(h.SetMember(ctx, h.admin, org, 0, "second@example.com", tenant.Owner))
		h.must(h.RemoveMember(ctx, second, org, 0, h.admin.UserID))
		members, err := h.Members(ctx, org, 0)
		if err != nil || len(members) != 1 || members[0].Role != tenant.Owner {
			t.Fatalf("%+v, %v", members, err)
		}
	})
}

func TestLeavingAnOrganisationLeavesItsGroups(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, group := h.first.Org.ID, h.first.Group.ID
		ann := h.member(group, "ann@example.com", tenant.Editor)
		h.must(h.Can(ctx, ann, tenant.ProjectWrite, tenant.Target{Project: h.first.Project.ID}))
		h.must(h.RemoveMember(ctx, h.admin, org, 0, ann.UserID))
		wantFault(t, h.Can(ctx, ann, tenant.ProjectRead, tenant.Target{Project: h.first.Project.ID}), fault.NotFound)
		wantFault(t, h.RemoveMember(ctx, h.admin, org, 0, ann.UserID), fault.NotFound)
	})
}

func TestOnlyAnOwnerRemovesAnOwnerOfAGroup(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, group := h.first.Org.ID, h.first.Group.ID
		ann := h.member(0, "ann@example.com", tenant.Admin)
		bob := h.member(0, "bob@example.com", tenant.Viewer)
		h.must(h.SetMember(ctx, h.admin, org, group, "bob@example.com", tenant.Owner))
		wantFault(t, h.RemoveMember(ctx, ann, org, 0, bob.UserID), fault.Denied) // it would take his group along
		h.must(h.SetMember(ctx, ann, org, 0, "bob@example.com", tenant.Editor))  // this leaves it alone
		h.must(h.Can(ctx, bob, tenant.GroupAdmin, tenant.Target{Group: group}))
		owner := h.member(0, "owner@example.com", tenant.Owner)
		h.must(h.RemoveMember(ctx, owner, org, 0, bob.UserID))
	})
}

func TestAnOrganisationKeepsAnOwnerWhoCanSignIn(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		ann, account := h.user("ann@example.com")
		team, err := h.CreateOrganisation(ctx, ann, "team of Ann")
		h.must(err)
		disable := tenant.UserChange{Name: "Ann", Disabled: true}
		_, err = h.UpdateUser(ctx, ann.UserID, account.Version, disable)
		wantFault(t, err, fault.Conflict)
		if f := fault.As(err); f == nil || f.Field != "disabled" {
			t.Errorf("%+v", f)
		}
		_, bob := h.user("bob@example.com")
		h.must(h.SetMember(ctx, ann, team.ID, 0, bob.Email, tenant.Owner))
		_, err = h.UpdateUser(ctx, ann.UserID, account.Version, disable)
		h.must(err)
		wantFault(t, h.RemoveMember(ctx, h.admin, team.ID, 0, bob.ID), fault.Conflict) // Ann, who is left, cannot sign in
	})
}

func TestAPersonalOrganisationStaysPersonal(t *testing.T) {
	h, ctx := newHouse(t, metadbtest.SQLite(t)), t.Context()
	ann, _ := h.user("ann@example.com")
	orgs, err := h.Organisations(ctx, ann)
	if err != nil || len(orgs) != 1 || orgs[0].Kind != tenant.KindPersonal {
		t.Fatalf("%+v, %v", orgs, err)
	}
	wantFault(t, h.SetMember(ctx, ann, orgs[0].ID, 0, h.first.Email, tenant.Viewer), fault.Conflict)
	wantFault(t, h.Can(ctx, h.admin, tenant.OrgRead, tenant.Target{Org: orgs[0].ID}), fault.NotFound)
	groups, err := h.Groups(ctx, ann, orgs[0].ID)
	h.must(err)
	if _, err := h.CreateProject(ctx, ann, groups[0].ID, tenant.ProjectSettings{Name: "mine"}, nil); err != nil {
		t.Fatal(err)
	}
	if projects, err := h.Projects(ctx, ann); err != nil || len(projects) != 1 || projects[0].Name != "mine" {
		t.Fatalf("%+v, %v", projects, err)
	}
	if projects, err := h.Projects(ctx, h.admin); err != nil || len(projects) != 1 || projects[0].Name != "default" {
		t.Fatalf("the system admin reads %+v, %v", projects, err)
	}
}

func TestTheLastSystemAdminStays(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		_, err := h.UpdateUser(ctx, h.admin.UserID, 1, tenant.UserChange{Name: "admin"})
		wantFault(t, err, fault.Conflict)
		_, ann := h.user("ann@example.com")
		if _, err := h.UpdateUser(ctx, ann.ID, 1, tenant.UserChange{Name: "Ann", System: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.UpdateUser(ctx, h.admin.UserID, 1, tenant.UserChange{Name: "admin"}); err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateUser(ctx, "ANN@example.com", "")
		wantFault(t, err, fault.Conflict)
		_, err = h.CreateUser(ctx, "not an address", "")
		wantFault(t, err, fault.Invalid)
	})
}
