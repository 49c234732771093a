package incident_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestAnAnalysisKnowsTheEarlierIncidentsOfItsKindAndService(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		var past []evidence.Past
		h.collectAbout = func(_ context.Context, _ project.ID, in evidence.Input) (*ground.Bundle, error) {
			past = in.Past
			return evidenceOf(), nil
		}
		next := int64(0)
		// happen lets an incident begin, be analysed and end, a day before the next.
		happen := func(change func(*rule.Firing)) int64 {
			t.Helper()
			next++
			f := firing()
			f.Rule.ID = next
			if change != nil {
				change(&f)
			}
			h.fire(f)
			h.Advance(time.Minute) // the transaction has had time to arrive
			h.analyse(next, 1)
			h.Advance(41 * time.Minute)
			if err := h.service.Resolve(t.Context(), f.Rule.Project, next, incident.Person{ID: 1, Name: "kim"}); err != nil {
				t.Fatal(err)
			}
			h.Advance(24 * time.Hour)
			return next
		}
		happen(nil)
		h.Advance(100 * 24 * time.Hour) // the first is too long ago
		like := happen(nil)
		for _, text := range []string{"a first thought", "rolled back to 1.4.1"} {
			if err := h.service.Comment(t.Context(), 1, like, text, incident.Person{ID: 1, Name: "kim"}); err != nil {
				t.Fatal(err)
			}
		}
		happen(func(f *rule.Firing) { f.Service = "ANOTHER-API" })
		happen(func(f *rule.Firing) { f.Rule.Kind = "error_rate" })
		happen(func(f *rule.Firing) { f.Rule.Project = 2 })
		last := happen(nil)
		var got []string
		for _, x := range past {
			got = append(got, fmt.Sprintf("#%d %s %s by %s, %s: %s, %d facts", x.ID, x.State, x.Ended.Sub(x.Opened), x.EndedBy, strings.TrimSpace(x.Title), x.Comment, len(x.Facts)))
		}
		if diff := cmp.Diff([]string{fmt.Sprintf("#%d resolved 42m0s by kim, %s: rolled back to 1.4.1, 3 facts", like, h.get(last).Title)}, got); diff != "" {
			t.Error(diff)
		}
	})
}
