package tenant_test

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func TestARevokedTokenIsRefusedAtOnceHereAndWithinASecondElsewhere(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		elsewhere, err := tenant.New(tenant.Options{DB: db, Now: h.clock.Now})
		h.must(err)
		token, err := h.CreateToken(ctx, h.admin, "t", []tenant.Scope{tenant.ScopeAIModel}, h.clock.Now().Add(time.Hour))
		h.must(err)
		for range 2 {
			for _, node := range []*tenant.Store{h.Store, elsewhere} {
				_, err := node.AuthenticateToken(ctx, token.Secret)
				h.must(err)
			}
		}
		h.must(h.RevokeToken(ctx, h.admin.UserID, token.ID))
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
		h.clock.Advance(time.Second)
		_, err = elsewhere.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
	})
}

func TestATokenThatExpiresIsRefusedAlthoughItIsRemembered(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		token, err := h.CreateToken(ctx, h.admin, "t", []tenant.Scope{tenant.ScopeAIModel}, h.clock.Now().Add(time.Hour))
		h.must(err)
		for range 2 {
			_, err = h.AuthenticateToken(ctx, token.Secret)
			h.must(err)
		}
		h.clock.Advance(time.Hour)
		_, err = h.AuthenticateToken(ctx, token.Secret)
		wantFault(t, err, fault.Unauthenticated)
	})
}

func TestWhoIsMadeAViewerAsksNoModelByNameFromThenOn(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h, ctx := newHouse(t, db), t.Context()
		ann, _ := h.user("ann@example.com")
		org := h.first.Project.OrgID
		h.must(h.SetMember(ctx, h.admin, org, 0, "ann@example.com", tenant.Editor))
		asks := func() tenant.Asking {
			t.Helper()
			asking, err := h.Asking(ctx, ann, "")
			h.must(err)
			return asking
		}
		if got := asks(); got.Project != h.first.Project.ID || !got.Models || asks() != got {
			t.Errorf("an editor: %+v", got)
		}
		h.must(h.SetMember(ctx, h.admin, org, 0, "ann@example.com", tenant.Viewer))
		if got := asks(); got.Models {
			t.Errorf("a viewer: %+v", got)
		}
		h.must(h.RemoveMember(ctx, h.admin, org, 0, ann.UserID))
		_, err := h.Asking(ctx, ann, h.first.Project.ID.String())
		wantFault(t, err, fault.NotFound)
	})
}
