package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// How far back is usual, and how much of it is looked at.
var earlier = []period{{"1h", "An hour", time.Hour}, {"24h", "A day", 24 * time.Hour}}

type period struct {
	when, words string
	ago         time.Duration
}

const (
	usualWindow = 30 * time.Minute
	minSamples  = 3 // fewer say nothing about what is usual
)

// around is the time around an end of a transaction so long before.
func (e period) around(ended time.Time) Period {
	middle := ended.Add(-e.ago)
	return Period{middle.Add(-usualWindow / 2), middle.Add(usualWindow / 2)}
}

// usualOf reads what a transaction was like an hour and a day before: one for each of
// earlier.
func (c *Collector) usualOf(ctx context.Context, p project.ID, tx *trace.Transaction) ([]*trace.Usual, error) {
	all := make([]*trace.Usual, len(earlier))
	for i, e := range earlier {
		of := e.around(tx.Ended())
		usual, err := c.traces.Usual(ctx, p, trace.UsualQuery{
			Service: tx.Service, Environment: tx.Environment, Endpoint: tx.Endpoint, From: of.From, To: of.To,
		})
		if err != nil {
			return nil, fmt.Errorf("collect evidence: %w", err)
		}
		all[i] = usual
	}
	return all, nil
}

// compare adds what the same transaction is like an hour and a day before.
func (t *transaction) compare(usual []*trace.Usual) {
	nothing := 0
	for i, u := range usual {
		if u.Count < minSamples {
			nothing++
			continue
		}
		t.usual(earlier[i], u)
	}
	if nothing == len(usual) {
		t.bundle.add(note("The same transaction hardly ran an hour and a day earlier: what is usual is not known."))
	}
}

func (t *transaction) usual(e period, u *trace.Usual) {
	tx := &t.Transaction
	t.compared(e, "elapsed", "this transaction", u.Count, tx.ElapsedNs, u.P50Ns, fmt.Sprintf(" (median; 95 %% of them within %s ms)", milliseconds(u.P95Ns)))
	t.compared(e, "sql_time", "the SQL statements of this transaction, added up,", u.Sample, t.addedUp(), u.SQLNs, " (average)")
	if t.main != nil {
		s := t.main.slowest()
		if st, ok := u.Statements[s.Statement.Hash]; ok {
			t.compared(e, "statement", fmt.Sprintf("the statement of step %d", s.Index), st.Runs, s.ElapsedNs, st.AverageNs,
				fmt.Sprintf(" (average; %s times per transaction)", trimmed(st.PerTransaction, 1)))
		}
	}
	if u.ErrorShare > 0 || tx.Error {
		f := t.fact(ground.Comparison, nil)
		share := trimmed(100*u.ErrorShare, 1)
		f.say("%s earlier %s %% of %d such transactions failed.", e.words, share, u.Count)
		f.value("metric", "error_share")
		f.number("usual", share, "percent")
		f.count("samples", u.Count)
		f.value("when", e.when)
		f.link = t.before(e)
		t.bundle.add(f.ground())
	}
}

// before is the list of the same transactions in an earlier time.
func (t *transaction) before(e period) string {
	tx := &t.Transaction
	return pages{t.in.project}.transactions(e.around(tx.Ended()), tx.Service, tx.Environment, "endpoint", tx.Endpoint)
}

// addedUp is the time of all statements, in which two at once count twice: so is
// what is usual.
func (t *transaction) addedUp() int64 {
	ns := int64(0)
	for i := range t.Steps {
		if t.Steps[i].Kind == trace.StepSQL {
			ns += t.Steps[i].ElapsedNs
		}
	}
	return ns
}

func (t *transaction) compared(e period, metric, what string, samples int, now, usual int64, how string) {
	f := t.fact(ground.Comparison, nil)
	f.say("%s earlier %s took %s ms%s, %d samples; now it took %s ms", e.words, what, milliseconds(usual), how, samples, milliseconds(now))
	f.value("metric", metric)
	f.ms("now", now)
	f.ms("usual", usual)
	if usual > 0 {
		ratio := trimmed(float64(now)/float64(usual), 1)
		f.say(", %s times as long", ratio)
		f.number("ratio", ratio, "ratio")
	}
	f.say(".")
	f.count("samples", samples)
	f.value("when", e.when)
	f.link = t.before(e)
	if metric == "statement" {
		f.link = pages{t.in.project}.statement(e.around(t.Transaction.Ended()), t.main.slowest().Statement.Hash, t.Transaction.Service)
	}
	t.bundle.add(f.ground())
}
