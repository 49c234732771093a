package tenant_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, in := h.first.Org.ID, h.clock.Now().Add(time.Hour)
		made, err := h.Invite(ctx, h.admin, org, 0, "", tenant.Given{Role: tenant.Editor}, in)
		h.must(err)
		offer, err := h.LookUpInvitation(ctx, made.Secret)
		h.must(err)
		if offer.Organisation != h.first.Org.Name || offer.Role != tenant.Editor || offer.InvitedBy != "admin" {
			t.Errorf("%+v", offer)
		}
		newcomer, _ := h.user("newcomer@example.com")
		joined, err := h.AcceptInvitation(ctx, newcomer.UserID, made.Secret)
		h.must(err)
		if joined.ID != org {
			t.Errorf("%+v", joined)
		}
		h.must(h.Can(ctx, newcomer, tenant.ProjectWrite, tenant.Target{Project: h.first.Project.ID}))
		second, _ := h.user("second@example.com")
		_, err = h.AcceptInvitation(ctx, second.UserID, made.Secret)
		wantFault(t, err, fault.NotFound)
		_, err = h.LookUpInvitation(ctx, made.Secret)
		wantFault(t, err, fault.NotFound)
		wantFault(t, h.RevokeInvitation(ctx, org, 0, made.ID), fault.NotFound)
		list, err := h.Invitations(ctx, org, 0)
		h.must(err)
		if len(list) != 1 || list[0].AcceptedBy != "newcomer" || list[0].AcceptedAt == nil {
			t.Errorf("%+v", list)
		}
	})
}

func TestAnInvitationMakesAnAccountForWhomItIsFor(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		made, err := h.Invite(ctx, h.admin, h.first.Org.ID, h.first.Group.ID, "lee@example.com", tenant.Given{Role: tenant.Viewer}, h.clock.Now().Add(time.Hour))
		h.must(err)
		_, err = h.JoinByInvitation(ctx, made.Secret, "other@example.com", "", "a long password")
		wantFault(t, err, fault.Denied)
		_, err = h.JoinByInvitation(ctx, made.Secret, "lee@example.com", "Lee", "short")
		wantFault(t, err, fault.Invalid)
		_, err = h.JoinByInvitation(ctx, made.Secret, "lee@example.com", "Lee", "a long password")
		h.must(err)
		session := h.login("lee@example.com", "a long password")
		lee, err := h.AuthenticateSession(ctx, session.Secret)
		h.must(err)
		h.must(h.Can(ctx, lee, tenant.ProjectRead, tenant.Target{Project: h.first.Project.ID}))
		wantFault(t, h.Can(ctx, lee, tenant.OrgMembers, tenant.Target{Org: h.first.Org.ID}), fault.Denied)
		if _, err := h.Login(ctx, tenant.Credentials{Email: "other@example.com", Password: "a long password", From: tenant.Caller{Address: "192.0.2.3"}}); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("an account was made of a refused invitation: %v", err)
		}
	})
}

func TestAnInvitationEndsWithItsTimeItsRevocationAndTheRightsOfWhoMadeIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org := h.first.Org.ID
		someone, _ := h.user("someone@example.com")
		invite := func(by tenant.Actor, role tenant.Role) (tenant.NewInvitation, error) {
			return h.Invite(ctx, by, org, 0, "", tenant.Given{Role: role}, h.clock.Now().Add(time.Hour))
		}
		refused := func(secret string, kind fault.Kind) {
			t.Helper()
			_, err := h.AcceptInvitation(ctx, someone.UserID, secret)
			wantFault(t, err, kind)
		}
		revoked, err := invite(h.admin, tenant.Viewer)
		h.must(err)
		h.must(h.RevokeInvitation(ctx, org, 0, revoked.ID))
		refused(revoked.Secret, fault.NotFound)
		refused("mtx_inv_", fault.NotFound)

		admin := h.member(0, "admin@example.com", tenant.Admin)
		_, err = invite(admin, tenant.Owner)
		wantFault(t, err, fault.Denied)
		byAdmin, err := invite(admin, tenant.Admin)
		h.must(err)
		h.must(h.SetMember(ctx, h.admin, org, 0, "admin@example.com", tenant.Editor))
		refused(byAdmin.Secret, fault.Denied)

		member := h.member(0, "member@example.com", tenant.Editor)
		again, err := invite(h.admin, tenant.Viewer)
		h.must(err)
		_, err = h.AcceptInvitation(ctx, member.UserID, again.Secret) // would make them less
		wantFault(t, err, fault.Conflict)
		h.clock.Advance(2 * time.Hour)
		refused(again.Secret, fault.NotFound)
		_, err = h.Invite(ctx, h.admin, org, 0, "", tenant.Given{Role: tenant.Viewer}, h.clock.Now().Add(60*24*time.Hour))
		wantFault(t, err, fault.Invalid)
		_, err = h.Invite(ctx, h.admin, org, 999, "", tenant.Given{Role: tenant.Viewer}, h.clock.Now().Add(time.Hour))
		wantFault(t, err, fault.Invalid)
	})
}

func TestWhoAdministersAGroupInvitesToItAndNowhereElse(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		org, mine := h.first.Org.ID, h.first.Group.ID
		other, err := h.CreateGroup(ctx, org, "other")
		h.must(err)
		lead := h.member(mine, "lead@example.com", tenant.Admin)
		invite := func(group int64, role tenant.Role) (tenant.NewInvitation, error) {
			return h.Invite(ctx, lead, org, group, "", tenant.Given{Role: role}, h.clock.Now().Add(time.Hour))
		}
		made, err := invite(mine, tenant.Editor)
		h.must(err)
		for _, elsewhere := range []int64{0, other.ID} {
			_, err := invite(elsewhere, tenant.Viewer)
			wantFault(t, err, fault.Denied)
		}
		_, err = invite(mine, tenant.Owner)
		wantFault(t, err, fault.Denied)

		wantFault(t, h.RevokeInvitation(ctx, org, other.ID, made.ID), fault.NotFound)
		for group, want := range map[int64]int{0: 1, mine: 1, other.ID: 0} {
			list, err := h.Invitations(ctx, org, group)
			h.must(err)
			if len(list) != want {
				t.Errorf("group %d has the invitations %+v", group, list)
			}
		}
		joined, _ := h.user("joined@example.com")
		_, err = h.AcceptInvitation(ctx, joined.UserID, made.Secret)
		h.must(err)
		h.must(h.Can(ctx, joined, tenant.ProjectWrite, tenant.Target{Project: h.first.Project.ID}))
		wantFault(t, h.Can(ctx, joined, tenant.GroupRead, tenant.Target{Group: other.ID}), fault.NotFound)
	})
}
