package ai_test

import (
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// versions stores a role in three versions, of which the last is a draft.
func versions(t *testing.T, roles *ai.Roles) *ai.Role {
	t.Helper()
	r, err := roles.Create(t.Context(), ai.Role{Code: "guide", SystemMessage: "one"}, "kim")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"two", "three"} {
		r.SystemMessage, r.Notes = text, "because"
		if r, err = roles.Update(t.Context(), *r, i == 0, ai.Meant, "lee"); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func released(t *testing.T, roles *ai.Roles, label string, dice int) string {
	t.Helper()
	r, err := roles.Released(t.Context(), ai.Shared, "guide", label, dice)
	if err != nil {
		t.Fatal(err)
	}
	return r.SystemMessage
}

func TestADraftIsInUseOnlyOnceALabelPointsAtIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		roles := ai.NewRoles(db, nil, nil)
		if draft := versions(t, roles); draft.Version != 3 {
			t.Fatalf("draft %+v", draft)
		}
		if got := released(t, roles, "", 0); got != "two" {
			t.Fatalf("in production is %q", got)
		}
		if _, err := roles.SetLabel(t.Context(), ai.Shared, "guide", ai.Label{Name: "candidate", Version: 3}, ai.AskFirst, "kim", "try it"); err != nil {
			t.Fatal(err)
		}
		if got := released(t, roles, "candidate", 0); got != "three" || released(t, roles, "", 0) != "two" {
			t.Errorf("the candidate is %q", got)
		}
		if _, err := roles.Released(t.Context(), ai.Shared, "guide", "nightly", 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("a label that is not there: %v", err)
		}
	})
}

func TestGoingBackIsMovingALabelAndIsRemembered(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		roles, node2 := ai.NewRoles(db, nil, nil), ai.NewRoles(db, nil, nil)
		versions(t, roles)
		back := ai.Label{Name: ai.Production, Version: 1, Protected: true}
		if _, err := roles.SetLabel(t.Context(), ai.Shared, "guide", back, ai.AskFirst, "kim", "two is worse"); !fault.Is(err, fault.Conflict) || fault.As(err).Field != "override" {
			t.Fatalf("a protected label was moved: %v", err)
		}
		if _, err := roles.SetLabel(t.Context(), ai.Shared, "guide", back, ai.Meant, "kim", "two is worse"); err != nil {
			t.Fatal(err)
		}
		if got := released(t, roles, "", 0); got != "one" {
			t.Errorf("in production is %q", got)
		}
		if got := released(t, node2, "", 0); got != "one" {
			t.Errorf("on the other node %q", got)
		}
		moves, err := roles.Moves(t.Context(), ai.Shared, "guide")
		if err != nil || len(moves) != 3 || moves[0].Reason != "two is worse" || moves[0].By != "kim" || moves[0].From.Version != 2 || moves[0].To.Version != 1 || moves[2].From != nil {
			t.Errorf("moves %+v, %v", moves, err)
		}
	})
}

func TestACanaryAnswersItsShareOfTheCalls(t *testing.T) {
	roles := ai.NewRoles(metadbtest.SQLite(t), nil, nil)
	versions(t, roles)
	if _, err := roles.SetLabel(t.Context(), ai.Shared, "guide", ai.Label{Name: ai.Production, Version: 2, CanaryVersion: 3, CanaryShare: 20, Protected: true}, ai.Meant, "kim", ""); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for dice := range 100 {
		counts[released(t, roles, "", dice)]++
	}
	if counts["three"] != 20 || counts["two"] != 80 {
		t.Errorf("of 100 calls: %v", counts)
	}
}

func TestALabelThatCannotBeIsRefusedWithTheFieldAtFault(t *testing.T) {
	roles := ai.NewRoles(metadbtest.SQLite(t), nil, nil)
	versions(t, roles)
	f := func(field string, kind fault.Kind, l ai.Label) {
		t.Helper()
		_, err := roles.SetLabel(t.Context(), ai.Shared, "guide", l, ai.Meant, "kim", "")
		if !fault.Is(err, kind) || fault.As(err).Field != field {
			t.Errorf("%+v: err %v of field %q", l, err, fault.As(err).Field)
		}
	}
	f("label", fault.Invalid, ai.Label{Name: "No Such", Version: 1})
	f("version", fault.NotFound, ai.Label{Name: "candidate", Version: 9})
	f("canary_version", fault.NotFound, ai.Label{Name: "candidate", Version: 1, CanaryVersion: 9, CanaryShare: 5})
	f("canary_version", fault.Invalid, ai.Label{Name: "candidate", Version: 1, CanaryShare: 5})
	f("canary_version", fault.Invalid, ai.Label{Name: "candidate", Version: 1, CanaryVersion: 1, CanaryShare: 5})
	f("canary_share", fault.Invalid, ai.Label{Name: "candidate", Version: 1, CanaryVersion: 2, CanaryShare: 101})
	if err := roles.RemoveLabel(t.Context(), ai.Shared, "guide", ai.Production, ai.Meant, "kim", ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("production was removed: %v", err)
	}
	if err := roles.RemoveLabel(t.Context(), ai.Shared, "guide", "nightly", ai.Meant, "kim", ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("err %v", err)
	}
}
