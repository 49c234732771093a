package rule_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestEveryTemplateMakesRulesThatTheStoreTakes(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		for _, language := range rule.Languages {
			for i, template := range rule.Templates() {
				place := rule.For{Service: "order-api", Environment: "PRODUCTION", Language: language}
				rules, err := rule.From(template.Name, place)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range rules {
					// One by one, so that each wrong rule is named.
					if _, err := store.Create(ctx, 1, "kim", r); err != nil {
						// A rule of the same name in two templates is the same rule.
						if !fault.Is(err, fault.Conflict) || i == 0 {
							t.Errorf("%s: %s: %v", template.Name, r.Name, err)
						}
					}
					if template.Scoped && (r.Service != "order-api" || !strings.HasPrefix(r.Name, "order-api PRODUCTION: ")) && r.Service != "" {
						t.Errorf("%s: rule %q of service %q", template.Name, r.Name, r.Service)
					}
				}
			}
		}
	})
}

func TestATemplateIsAppliedToServicesEachForItselfAndOnlyOnce(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		ctx := context.Background()
		store := rule.NewStore(db, nil)
		apply := func(service string) (made, skipped int) {
			t.Helper()
			rules, err := rule.From("database", rule.For{Service: service, Language: "ko", Channels: []int64{4}})
			if err != nil {
				t.Fatal(err)
			}
			created, left, err := store.CreateAll(ctx, 1, "kim", rules)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range created {
				if len(r.Channels) != 1 || r.Channels[0] != 4 || !r.Enabled {
					t.Errorf("made: %+v", r)
				}
			}
			return len(created), len(left)
		}
		first, _ := apply("order-api")
		if made, skipped := apply("order-api"); made != 0 || skipped != first {
			t.Errorf("applied again: %d made, %d skipped of %d", made, skipped, first)
		}
		if made, skipped := apply("payment-api"); made != first || skipped != 0 {
			t.Errorf("applied to another service: %d made, %d skipped of %d", made, skipped, first)
		}
	})
}

func TestATemplateNobodyKnowsAndALanguageItDoesNotSpeakAreRefused(t *testing.T) {
	if _, err := rule.From("mainframe", rule.For{Language: "en"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown template: %v", err)
	}
	if _, err := rule.From("web", rule.For{Language: "fr"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown language: %v", err)
	}
}
