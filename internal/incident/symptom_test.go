package incident_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/rule"
)

func TestASymptomIsShownBelowItsCauseAndNobodyIsToldOfIt(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.calls = func() (map[string][]string, error) {
			return map[string][]string{"web": {"order"}, "order": {"pay", "web"}, "batch": {"pay"}}, nil
		}
		h.fire(of(1, "pay")) // 1: the cause, first
		h.fire(of(2, "web")) // 2: calls it by way of order
		h.fire(of(3, "lonely"))
		h.must(h.service.RunRelate(ctx, 2))
		h.must(h.service.RunRelate(ctx, 3))
		worse := of(4, "batch")
		worse.Rule.Severity = rule.Critical
		h.fire(worse)
		h.must(h.service.RunRelate(ctx, 4))
		h.analyse(2, 1)
		f := func(id, parent int64, told bool) {
			t.Helper()
			d := h.get(id)
			n := 0
			if told {
				n = 2
			}
			if d.Parent != parent || d.Told != told || h.sent(id, "incident.alarm") != n {
				t.Errorf("#%d: parent %d, told %v, %d alarms", id, d.Parent, d.Told, h.sent(id, "incident.alarm"))
			}
		}
		f(1, 0, true)
		f(2, 1, false)
		f(3, 0, true)
		f(4, 1, true)
		if h.sent(2, "incident.report") != 0 || len(h.get(1).Children) != 2 {
			t.Errorf("%d reports of a symptom, %d symptoms", h.sent(2, "incident.report"), len(h.get(1).Children))
		}
		h.fire(of(2, "web")) // once more, while its cause goes on
		f(2, 1, false)
		h.turn(1, incident.Resolved)
		h.fire(of(2, "web")) // the cause is over, the symptom is not
		f(2, 1, true)
		if h.sent(2, "incident.report") != 2 {
			t.Error("the report that was written meanwhile is not sent")
		}
	})
}

func TestACauseThatComesSecondTakesTheSymptomsOfTheFirst(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.calls = func() (map[string][]string, error) {
			return map[string][]string{"web": {"order"}, "order": {"pay"}}, nil
		}
		h.fire(of(1, "order"))
		h.fire(of(2, "web"))
		h.must(h.service.RunRelate(ctx, 2))
		h.fire(of(3, "pay"))
		for range 2 { // a node that died after it does it again
			h.must(h.service.RunRelate(ctx, 3))
		}
		if h.get(1).Parent != 3 || h.get(2).Parent != 3 || h.get(3).Parent != 0 || h.sent(3, "incident.alarm") != 2 || len(h.get(3).Timeline) != 2 {
			t.Errorf("%+v\n%+v\n%+v", h.get(1).Incident, h.get(2).Incident, h.get(3))
		}
		h.must(h.service.Split(ctx, 1, 2, ann))
		if d := h.get(2); d.Parent != 0 || h.sent(2, "incident.alarm") != 2 {
			t.Errorf("what was taken off its cause is not told of: %+v", d.Incident)
		}
		h.Advance(11 * time.Minute)
		f := of(4, "web")
		f.Rule.ID = 4
		h.fire(f)
		if d := h.get(4); !d.Told || d.Parent != 0 {
			t.Errorf("an incident much later is a symptom: %+v", d.Incident)
		}
	})
}

func TestAServiceMapThatCannotBeReadKeepsNobodyFromBeingTold(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		h.calls = func() (map[string][]string, error) { return nil, errors.New("the engine is down") }
		h.fire(of(1, "pay"))
		h.fire(of(2, "web"))
		dying, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.service.RunRelate(dying, 2); !errors.Is(err, context.Canceled) || h.get(2).Told {
			t.Fatalf("a node that dies: %v", err)
		}
		h.must(h.service.RunRelate(t.Context(), 2))
		if h.sent(2, "incident.alarm") != 2 {
			t.Error("nobody was told")
		}
		h.fire(of(3, "batch")) // its job is lost
		h.fire(of(3, "batch"))
		if h.get(3).Told {
			t.Error("the next match does not wait for the job")
		}
		h.Advance(time.Minute)
		h.fire(of(3, "batch"))
		h.must(h.service.RunRelate(t.Context(), 3))
		if h.sent(3, "incident.alarm") != 2 {
			t.Errorf("%d alarms when the job was lost", h.sent(3, "incident.alarm"))
		}
	})
}
