package incident_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/rule"
)

// charts returns the charts of an incident's messages, in the order of writing.
func (h *house) charts() []*notify.Chart {
	h.t.Helper()
	rows, err := h.db.Query(h.t.Context(), `SELECT body FROM notify_message ORDER BY id`)
	found, err := metadb.Collect(rows, err, func(r *metadb.Rows) (*notify.Chart, error) {
		var body []byte
		if err := r.Scan(&body); err != nil {
			return nil, err
		}
		var m notify.Message
		return m.Chart, json.Unmarshal(body, &m)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// minutes is a firing of a rule of response times: so many minutes of a value
// each, up to the one that ends at end.
func minutes(end time.Time, usual float64, values ...float64) rule.Firing {
	f := rule.Firing{Rule: rule.Rule{ID: 5, Project: 1, Name: "p95", Kind: "response_time", WindowMinutes: 5, QuietMinutes: 10, Count: len(values),
		Params: rule.Params{"quantile": "p95", "threshold_ms": 1000.0}}, Service: "order", Phase: "production", Met: true,
		From: end.Add(-5 * time.Minute), To: end, Count: len(values), New: len(values)}
	for i, v := range values {
		f.Matches = append(f.Matches, rule.Match{Service: "order", Environment: "production", Value: v, Usual: &usual, Counts: true,
			Start: end.Add(time.Duration(i-len(values)) * time.Minute), DurationNs: int64(time.Minute)})
	}
	f.Window = f.Matches
	return f
}

func TestTheMessagesOfAnIncidentCarryWhatItsRuleMeasuredInTheLastHour(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		end := h.Now().UTC().Truncate(time.Minute)
		h.fire(minutes(end, 400, 1200, 1500, 1300))
		later := minutes(end.Add(2*time.Minute), 400, 1900, 1100)
		calm := later.Matches[1]
		calm.Start, calm.Value, calm.Counts = calm.Start.Add(time.Minute), 950, false
		later.Matches = append(later.Matches, calm, later.Matches[0]) // and one once more, from another instance
		h.fire(later)
		h.Advance(3 * time.Minute)
		h.turn(1, "resolved")

		got := h.charts()
		if len(got) != 2 {
			t.Fatalf("%d messages", len(got))
		}
		alarm := got[0]
		if alarm.Limit == nil || *alarm.Limit != 1000 || alarm.Unit != "ms" || alarm.Below || alarm.Calls ||
			!alarm.To.Equal(end) || !alarm.From.Equal(end.Add(-time.Hour)) || !alarm.FiringFrom.Equal(end.Add(-3*time.Minute)) {
			t.Errorf("alarm %+v", alarm)
		}
		f := func(c *notify.Chart, want ...notify.Point) {
			t.Helper()
			if len(c.Points) != len(want) {
				t.Fatalf("points %+v", c.Points)
			}
			for i, p := range c.Points {
				if !p.At.Equal(want[i].At) || p.Value != want[i].Value || p.Count != want[i].Count || p.Usual == nil || *p.Usual != 400 {
					t.Errorf("point %d: %+v, want %+v", i, p, want[i])
				}
			}
		}
		at := func(n int) time.Time { return end.Add(time.Duration(n) * time.Minute) }
		three := []notify.Point{{At: at(-3), Value: 1200, Count: 1}, {At: at(-2), Value: 1500, Count: 1}, {At: at(-1), Value: 1300, Count: 1}}
		f(alarm, three...)
		f(got[1], append(three, notify.Point{At: at(0), Value: 1900, Count: 2}, notify.Point{At: at(1), Value: 1100, Count: 1}, notify.Point{At: at(2), Value: 950})...)
		if !got[1].To.Equal(at(3)) || !got[1].FiringTo.Equal(at(3)) {
			t.Errorf("the end %+v", got[1])
		}
	})
}

func TestALimitOfSomethingElseThanTheValuesIsNotDrawnAgainstThem(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t))
	f := minutes(h.Now().Truncate(time.Minute), 80, 20)
	f.Rule.Kind, f.Rule.Params = "throughput", rule.Params{"direction": "drop", "percent": 50.0} // a share of the usual; values are calls per minute
	h.fire(f)
	if c := h.charts()[0]; c == nil || c.Limit != nil || !c.Below || c.Unit != "per minute" {
		t.Errorf("%+v", c)
	}
}
