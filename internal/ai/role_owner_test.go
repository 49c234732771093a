package ai_test

import (
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The nodes of these tests place project 7 in organisation 70 and project 8 in 80.
const (
	neighbour project.ID = 8
	orgA      ai.Owner   = 70
	orgB      ai.Owner   = 80
)

var neighbourly = ai.Caller{Project: neighbour, Kind: "incident", Name: "analyzer"}

// own stores a role of an organisation.
func own(t *testing.T, g *ai.Gateway, owner ai.Owner, r ai.Role) *ai.Role {
	t.Helper()
	r.Owner = owner
	stored, err := g.Roles().Create(t.Context(), r, "kim")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// asked is the owner of the role that answers a caller, and its version, as the
// log of calls has it.
func asked(t *testing.T, h *house, g *ai.Gateway, from ai.Caller, code string) (ai.Owner, int) {
	t.Helper()
	result, err := g.Run(t.Context(), from, code, ai.Input{Message: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := h.Call(t.Context(), from.Project, result.CallID)
	if err != nil {
		t.Fatal(err)
	}
	if c.Role != code {
		t.Errorf("the log calls the role %q, want the code that people chose", c.Role)
	}
	return c.RoleOwner, c.RoleVersion
}

func TestAnOrganisationsRoleAnswersItsCallsAndNobodyElses(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		g, other := h.node(t, ai.Usage{}, nil), h.node(t, ai.Usage{}, nil)
		for _, from := range []ai.Caller{caller, neighbourly} {
			for _, node := range []*ai.Gateway{g, other} { // also remembers that nobody has an own one
				if owner, version := asked(t, h, node, from, writer); owner != ai.Shared || version != 1 {
					t.Fatalf("%s is answered by version %d of owner %d", from.Project, version, owner)
				}
			}
		}
		made, err := g.Roles().Adopt(t.Context(), orgA, writer, "kim")
		if err != nil || made.Owner != orgA || made.Version != 1 || made.SystemMessage != "Write." {
			t.Fatalf("copy %+v, %v", made, err)
		}
		if _, err := g.Roles().Adopt(t.Context(), orgA, writer, "kim"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second copy: %v", err)
		}
		if owner, _ := asked(t, h, g, caller, writer); owner != orgA {
			t.Errorf("where it was made the role of %d answers", owner)
		}
		deadline := time.Now().Add(time.Second)
		for owner := ai.Shared; owner != orgA; {
			if owner, _ = asked(t, h, other, caller, writer); owner != orgA && time.Now().After(deadline) {
				t.Fatal("the other gateway does not know the organisation's role after a second")
			}
		}
		if owner, _ := asked(t, h, other, neighbourly, writer); owner != ai.Shared {
			t.Errorf("the calls of another organisation are answered by the role of %d", owner)
		}
		if err := g.Roles().Delete(t.Context(), orgA, writer, 1, "kim"); err != nil {
			t.Fatal(err)
		}
		if owner, _ := asked(t, h, g, caller, writer); owner != ai.Shared {
			t.Errorf("after it was deleted the role of %d answers", owner)
		}
		if shared, err := g.Roles().Get(t.Context(), ai.Shared, writer); err != nil || shared.Version != 1 {
			t.Errorf("the installation's role is now %+v, %v", shared, err)
		}
	})
}

func TestNobodyReachesARoleOfAnotherOrganisation(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		g := h.node(t, ai.Usage{}, nil)
		secret := own(t, g, orgB, ai.Role{Code: "secret-recipe", SystemMessage: "Recipe."})
		own(t, g, 7, ai.Role{Code: "near", SystemMessage: "Of an organisation whose id begins another's."})
		roles := g.Roles()
		for _, code := range []string{"secret-recipe", "80/secret-recipe", "/secret-recipe", "70/80/secret-recipe"} {
			if _, err := g.Run(t.Context(), caller, code, ai.Input{Message: "hello"}); !fault.Is(err, fault.NotFound) {
				t.Errorf("a call of %q: %v", code, err)
			}
			for _, owner := range []ai.Owner{ai.Shared, orgA} {
				if r, err := roles.Get(t.Context(), owner, code); !fault.Is(err, fault.NotFound) {
					t.Errorf("%q of owner %d: %+v, %v", code, owner, r, err)
				}
				if r, err := roles.At(t.Context(), owner, code, 1); !fault.Is(err, fault.NotFound) {
					t.Errorf("version 1 of %q of owner %d: %+v, %v", code, owner, r, err)
				}
				if all, err := roles.History(t.Context(), owner, code); err != nil || len(all) != 0 {
					t.Errorf("history of %q of owner %d: %+v, %v", code, owner, all, err)
				}
				if _, err := roles.SetLabel(t.Context(), owner, code, ai.Label{Name: "candidate", Version: 1}, ai.Meant, "kim", ""); !fault.Is(err, fault.NotFound) {
					t.Errorf("a label of %q of owner %d: %v", code, owner, err)
				}
			}
		}
		if _, err := g.Try(t.Context(), caller, secret, ai.Input{Message: "hello"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a try for a project of another organisation: %v", err)
		}
		if _, err := g.Plan(t.Context(), caller, secret, ai.Input{Message: "hello"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("a plan for a project of another organisation: %v", err)
		}
		if _, err := g.Try(t.Context(), neighbourly, secret, ai.Input{Message: "hello"}); err != nil {
			t.Errorf("a try for a project of its own: %v", err)
		}
		codes := func(all []ai.Role, err error) string {
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, r := range all {
				out = append(out, r.Code)
			}
			return strings.Join(out, " ")
		}
		if got := codes(roles.List(t.Context(), orgA)); got != "" {
			t.Errorf("an organisation without roles has %s", got)
		}
		if got := codes(roles.List(t.Context(), ai.Shared)); got != "agent-alert-analyzer answer-judge incident-investigator writer" {
			t.Errorf("the installation has %s", got)
		}
		own(t, g, orgB, ai.Role{Code: writer, SystemMessage: "Recipes only."})
		if got := codes(roles.Reachable(t.Context(), orgB)); got != "agent-alert-analyzer answer-judge incident-investigator secret-recipe writer" {
			t.Errorf("an organisation reaches %s", got)
		}
	})
}

func TestWhatIsInUseOfTheInstallationIsOfferedToOrganisationsAndNotItsDrafts(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		roles := ai.NewRoles(db, nil, nil)
		versions(t, roles) // two is in production, three a draft
		if _, err := roles.Create(t.Context(), ai.Role{Owner: orgA, Code: "guide", SystemMessage: "of one organisation"}, "kim"); err != nil {
			t.Fatal(err)
		}
		all, err := roles.Offered(t.Context())
		if err != nil || len(all) != 1 || all[0].Owner != ai.Shared || all[0].SystemMessage != "two" || all[0].UpdatedBy != "" || all[0].Notes != "" {
			t.Errorf("offered %+v, %v", all, err)
		}
		if r, err := roles.OfferedAs(t.Context(), "guide"); err != nil || r.SystemMessage != "two" {
			t.Errorf("offered %+v, %v", r, err)
		}
		if _, err := roles.OfferedAs(t.Context(), "70/guide"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a role of an organisation is offered: %v", err)
		}
	})
}

func TestTheSameCodeInTwoOrganisationsHasTwoLimits(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		g := h.node(t, ai.Usage{}, func(ai.SoftLimit) {})
		limited := ai.Role{Code: "guide", SystemMessage: "Guide.", RateLimitIntervalMs: 60_000}
		own(t, g, ai.Shared, limited)
		budget := h.budget(t, ai.Budget{Scope: "role", Of: "guide", Measure: "requests", Period: "day", Limit: 2})
		ask := func(from ai.Caller, limited bool) {
			t.Helper()
			_, err := g.Run(t.Context(), from, "guide", ai.Input{Message: "hello"})
			if fault.Is(err, fault.RateLimited) != limited || !limited && err != nil {
				t.Errorf("%s: %v", from.Project, err)
			}
		}
		ask(caller, false)
		ask(caller, true) // within a minute
		own(t, g, orgA, limited)
		own(t, g, orgB, limited)
		ask(caller, false)
		ask(caller, true)
		ask(neighbourly, false)
		h.advance(2 * time.Minute)
		ask(caller, false)
		h.advance(2 * time.Minute)
		ask(caller, true) // its two of the day
		ask(neighbourly, false)
		used := map[string]float64{}
		rows, err := db.Query(t.Context(), `SELECT subject, used FROM ai_budget_use WHERE budget = $1`, budget.ID)
		if _, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (n float64, err error) {
			var subject string
			err = rows.Scan(&subject, &n)
			used[subject] = n
			return n, err
		}); err != nil {
			t.Fatal(err)
		}
		if len(used) != 3 || used["guide"] != 1 || used["70/guide"] != 2 || used["80/guide"] != 2 {
			t.Errorf("used %v", used)
		}
	})
}

func TestWhoMayNotMoveAProtectedLabelStoresDrafts(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		roles := ai.NewRoles(db, nil, nil)
		r, err := roles.Create(t.Context(), ai.Role{Owner: orgA, Code: "guide", SystemMessage: "one"}, "lee")
		if err != nil {
			t.Fatal(err)
		}
		denied := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v", what, err)
			}
		}
		r.SystemMessage = "two"
		_, err = roles.Update(t.Context(), *r, true, ai.Forbidden, "lee")
		denied("a release", err)
		if err == nil || !strings.Contains(err.Error(), "draft") || !strings.Contains(err.Error(), "administrator") {
			t.Errorf("the refusal does not say what to do: %v", err)
		}
		if r, err = roles.Update(t.Context(), *r, false, ai.Forbidden, "lee"); err != nil || r.Version != 2 {
			t.Fatalf("draft %+v, %v", r, err)
		}
		production := ai.Label{Name: ai.Production, Version: 2, Protected: true}
		_, err = roles.SetLabel(t.Context(), orgA, "guide", production, ai.Forbidden, "lee", "")
		denied("a move", err)
		open := ai.Label{Name: ai.Production, Version: 1}
		_, err = roles.SetLabel(t.Context(), orgA, "guide", open, ai.Forbidden, "lee", "")
		denied("taking the protection away", err)
		_, err = roles.SetLabel(t.Context(), orgA, "guide", ai.Label{Name: ai.Production, Version: 1, CanaryVersion: 2, CanaryShare: 50, Protected: true}, ai.Forbidden, "lee", "")
		denied("a canary", err)

		kept := ai.Label{Name: "kept", Version: 1, Protected: true}
		if _, err := roles.SetLabel(t.Context(), orgA, "guide", kept, ai.Meant, "kim", ""); err != nil {
			t.Fatal(err)
		}
		denied("removing", roles.RemoveLabel(t.Context(), orgA, "guide", "kept", ai.Forbidden, "lee", ""))
		free := ai.Label{Name: "candidate", Version: 1, CanaryVersion: 2, CanaryShare: 50}
		if _, err := roles.SetLabel(t.Context(), orgA, "guide", free, ai.Forbidden, "lee", ""); err != nil {
			t.Errorf("a label that is not protected: %v", err)
		}
		if err := roles.RemoveLabel(t.Context(), orgA, "guide", "candidate", ai.Forbidden, "lee", ""); err != nil {
			t.Errorf("removing a label that is not protected: %v", err)
		}
		if now, err := roles.Released(t.Context(), orgA, "guide", "", 0); err != nil || now.Version != 1 {
			t.Errorf("in production is %+v, %v", now, err)
		}

		if _, err := roles.SetLabel(t.Context(), orgA, "guide", open, ai.Meant, "kim", "go on alone"); err != nil {
			t.Fatal(err)
		}
		r.SystemMessage = "three"
		if _, err := roles.Update(t.Context(), *r, true, ai.Forbidden, "lee"); err != nil {
			t.Errorf("a release to production that is not protected: %v", err)
		}
		if all, err := roles.Labels(t.Context(), orgA, "guide"); err != nil || len(all) != 2 || all[1].Version != 3 || all[1].Protected {
			t.Errorf("labels %+v, %v", all, err)
		}
	})
}

func TestAConversationEndsWhenAnotherRoleAnswersToItsCode(t *testing.T) {
	h := talking(t, metadbtest.SQLite(t))
	first := h.say(t, ai.NewThread, "hello", "good day")
	if _, err := h.Roles().Adopt(t.Context(), orgA, writer, "kim"); err != nil {
		t.Fatal(err)
	}
	_, err := h.Run(t.Context(), kim, writer, ai.Input{Thread: first.Thread, Message: "and now?"})
	if !fault.Is(err, fault.Invalid) || fault.As(err).Field != "conversation" {
		t.Errorf("a turn for another role: %v", err)
	}
	own := h.say(t, ai.NewThread, "hello", "good day to you")
	h.say(t, own.Thread, "and now?", "it goes on")
	if kept, err := h.Thread(t.Context(), kim, own.Thread); err != nil || kept.Role != writer || len(kept.Turns) != 4 {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestTheQualityOfAnOrganisationsVersionIsNotThatOfTheInstallations(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	g := h.node(t, ai.Usage{}, nil)
	from, to := h.clock().Add(-time.Hour), h.clock().Add(time.Hour)
	asked(t, h, g, caller, writer)
	if _, err := g.Roles().Adopt(t.Context(), orgA, writer, "kim"); err != nil {
		t.Fatal(err)
	}
	asked(t, h, g, caller, writer)
	asked(t, h, g, caller, writer)
	stats, err := g.QualityOf(t.Context(), shop, writer, from, to)
	if err != nil || len(stats) != 2 || stats[0].Owner != ai.Shared || stats[0].Calls != 1 || stats[1].Owner != orgA || stats[1].Calls != 2 || stats[1].Version != 1 {
		t.Errorf("quality %+v, %v", stats, err)
	}
	for of, want := range map[string]uint64{"": 3, "org": 2, "installation": 1} {
		page, err := g.Calls(t.Context(), shop, ai.CallQuery{CallFilter: ai.CallFilter{Role: writer, RoleOf: of, Version: 1}})
		if err != nil || page.Total != want {
			t.Errorf("calls of version 1 of %q: %+v, %v", of, page, err)
		}
	}
	facets, err := g.CallFacets(t.Context(), shop, from, to)
	if err != nil || len(facets) != 2 || facets[0].RoleOwner != uint64(orgA) || facets[0].Calls != 2 {
		t.Errorf("facets %+v, %v", facets, err)
	}
	sample, err := g.Sample(t.Context(), writer, 0, nil, 100, from, 10)
	if err != nil || len(sample) != 1 {
		t.Errorf("the judge is asked about %+v, %v", sample, err)
	}
}
