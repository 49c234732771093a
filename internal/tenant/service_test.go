package tenant_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestAServiceAccountWorksByTokenAndCannotSignIn(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, p := h.first.Org.ID, h.first.Project.ID
		ci, err := h.CreateServiceAccount(ctx, h.admin, org, "ci", tenant.Given{Role: tenant.Editor})
		h.must(err)
		token, err := h.CreateServiceToken(ctx, h.admin, org, ci.ID, "deploys", []tenant.Scope{tenant.ScopeProjectWrite}, h.clock.Now().Add(time.Hour))
		h.must(err)
		actor, err := h.AuthenticateToken(ctx, token.Secret)
		h.must(err)
		if !actor.Service || actor.Name != "ci" {
			t.Errorf("%+v", actor)
		}
		h.must(h.Can(ctx, actor, tenant.ProjectWrite, tenant.Target{Project: p}))
		wantFault(t, h.Can(ctx, actor, tenant.OrgRead, tenant.Target{Org: org}), fault.Denied)
		for _, password := range []string{"", "password", ci.Email, token.Secret} {
			_, err := h.Login(ctx, tenant.Credentials{Email: ci.Email, Password: password, From: tenant.Caller{Address: "192.0.2.9"}})
			wantFault(t, err, fault.Unauthenticated)
		}
		users, err := h.Users(ctx)
		h.must(err)
		for _, u := range users {
			if u.ID == ci.ID {
				t.Error("it is listed with people")
			}
		}
		list, err := h.ServiceAccounts(ctx, org)
		h.must(err)
		if len(list) != 1 || list[0].Tokens != 1 || list[0].LastUsedAt == nil {
			t.Errorf("%+v", list)
		}
		h.clock.Advance(time.Minute)
		_, err = h.UpdateServiceAccount(ctx, h.admin, org, ci.ID, ci.Version, tenant.ServiceAccountChange{Name: "ci", Disabled: true})
		h.must(err)
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
	})
}

func TestAServiceAccountBelongsToOneOrganisationAndIsNoWayToMore(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org := h.first.Org.ID
		other, err := h.CreateOrganisation(ctx, h.admin, "elsewhere")
		h.must(err)
		strong, err := h.CreateServiceAccount(ctx, h.admin, org, "strong", tenant.Given{Role: tenant.Admin})
		h.must(err)
		wantFault(t, h.SetMember(ctx, h.admin, other.ID, 0, strong.Email, tenant.Viewer), fault.Invalid)
		wantFault(t, h.SetMember(ctx, h.admin, org, 0, strong.Email, tenant.Owner), fault.Invalid)
		_, err = h.CreateServiceAccount(ctx, h.admin, org, "owner", tenant.Given{Role: tenant.Owner})
		wantFault(t, err, fault.Invalid)
		_, err = h.ServiceTokens(ctx, other.ID, strong.ID)
		wantFault(t, err, fault.NotFound)

		keeper, err := h.CreateOrgRole(ctx, h.admin, org, tenant.RoleSettings{Name: "keeper", Permissions: []tenant.Action{tenant.OrgAdmin, tenant.ProjectRead}})
		h.must(err)
		by, _ := h.user("keeper@example.com")
		h.must(h.GiveRole(ctx, h.admin, org, 0, "keeper@example.com", tenant.Given{Role: tenant.Custom, RoleID: keeper.ID}))
		_, err = h.CreateServiceAccount(ctx, by, org, "more", tenant.Given{Role: tenant.Admin})
		wantFault(t, err, fault.Denied)
		_, err = h.CreateServiceToken(ctx, by, org, strong.ID, "t", []tenant.Scope{tenant.ScopeProjectAdmin}, h.clock.Now().Add(time.Hour))
		wantFault(t, err, fault.Denied)
		weak, err := h.CreateServiceAccount(ctx, by, org, "weak", tenant.Given{Role: tenant.Custom, RoleID: keeper.ID})
		h.must(err)
		_, err = h.CreateServiceToken(ctx, by, org, weak.ID, "t", []tenant.Scope{tenant.ScopeProjectRead}, h.clock.Now().Add(time.Hour))
		h.must(err)
		_, err = h.CreateServiceToken(ctx, h.admin, org, weak.ID, "t", []tenant.Scope{tenant.ScopeSystemAdmin}, h.clock.Now().Add(time.Hour))
		wantFault(t, err, fault.Denied)
	})
}
