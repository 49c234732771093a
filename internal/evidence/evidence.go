// Package evidence collects what is known about an alarm as numbered facts: the
// worst transactions, what they spent their time on, what is usual, what sets them
// apart from others, what is new in logs and versions, and how the like ended before.
//
// It owns which facts matter and how many; their form is package ground's. It
// reads traces through package trace, judges nothing and asks no model. All
// that came from monitored programs stays untrusted data in the facts; what
// must not leave the house carries its mask class.
package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Limits of a bundle: a model reads all of it, and so may a person.
const (
	maxTransactions = 3
	maxTraces       = 6 // read to find that many different transactions
	maxFacts        = 60
	maxText         = 24 << 10 // bytes over all facts
)

// Input is what an alarm knows.
type Input struct {
	Rule          string // its name
	Service       string
	Environment   string // phase, "" when the program sends none
	Subject       string // what of the service the alarm is about, "" for all of it
	Condition     string // what the rule counts: "SQL Response time >= 8000 ms"
	Threshold     float64
	Unit          string
	Minutes       bool // it counts minutes, not calls
	Count         int  // matches in the window
	WindowMinutes int
	From, To      time.Time  // the window
	Instances     []Instance // of the window, most first
	Worst         []Sample   // matches, slowest first; none for an alarm that counts minutes
	Failed        bool       // it is about failures: of transactions those that failed are looked at
	AboutSQL      bool       // it counts the SQL of a transaction, not how long that takes
	Disturbed     []Period   // times of other incidents, of which nothing is taken for usual
	Past          []Past     // incidents of the same kind of rule and service, the latest first
	Now           time.Time
	Location      *time.Location // of the times in the facts, as in the alarm; nil is UTC

	project project.ID // that it is about
}

// local returns t as the facts write it, without the zone.
func (in Input) local(t time.Time, layout string) string {
	return t.In(cmp.Or(in.Location, time.UTC)).Format(layout)
}

// zone names the location: "KST", "+03".
func (in Input) zone(t time.Time) string { return in.local(t, "MST") }

// Instance is how many matches an instance had.
type Instance struct {
	Name  string
	Count int
}

// Sample is one matching call.
type Sample struct {
	TraceID trace.TraceID
	SpanID  trace.SpanID
}

// Collector collects evidence. It is safe for concurrent use.
type Collector struct {
	traces       *trace.Store
	logs         *logs.Store
	investigator *Investigator
}

// New returns a Collector that reads from these.
func New(traces *trace.Store, logs *logs.Store, metrics *metric.Engine) *Collector {
	return &Collector{traces: traces, logs: logs, investigator: NewInvestigator(traces, logs, metrics)}
}

// Collect returns the facts about an alarm: at most three transactions, 60
// facts and 24 KiB, numbered E1… in an order that the same data always gives.
// What was left out or could not be read is a note. It fails only when the
// engine does.
func (c *Collector) Collect(ctx context.Context, p project.ID, in Input) (*ground.Bundle, error) {
	in.project = p
	samples, err := c.samples(ctx, p, in)
	if err != nil {
		return nil, err
	}
	profiles, missing, err := c.profiles(ctx, p, samples)
	if err != nil {
		return nil, err
	}
	around, err := c.surroundings(ctx, p, &in, profiles)
	if err != nil {
		return nil, err
	}
	beside := around.facts()
	described := bundle{facts: slices.Clone(beside)}
	for i, profile := range profiles {
		t := transaction{Profile: profile, in: in, bundle: &described, worst: i == 0}
		t.describe()
		if t.worst { // the comparison of another would mostly repeat it
			t.compare(around.usual)
		}
	}
	var b bundle
	b.add(AlarmFact(p, in))
	for _, f := range slices.Concat(beside, in.past(described.facts), described.facts[len(beside):]) {
		b.add(f)
	}
	b.left += described.left
	if missing > 0 {
		b.add(note("%d of the traces of the alarm could not be read: their spans have expired or have not arrived.", missing))
	}
	if around.path.why.Text != "" {
		b.add(around.path.why)
	}
	if len(profiles) == 0 {
		b.add(note("No transaction of the alarm could be read: only the alarm itself is known."))
	}
	return &ground.Bundle{Title: title(in), Facts: b.numbered()}, nil
}

// surroundings is what is known beside single transactions.
type surroundings struct {
	path        found          // likely causes
	changes     []ground.Fact  // on the path
	differences []ground.Fact  // that set the bad transactions apart
	growths     []ground.Fact  // of logs on the path
	usual       []*trace.Usual // of the worst transaction, one for each of earlier; none without a transaction
}

func (s *surroundings) facts() []ground.Fact {
	return slices.Concat(s.path.causes, s.changes, s.differences, s.growths)
}

// surroundings reads what is known beside the transactions, worst first.
func (c *Collector) surroundings(ctx context.Context, p project.ID, in *Input, profiles []*trace.Profile) (*surroundings, error) {
	var s surroundings
	reading, ctx := errgroup.WithContext(ctx)
	reading.Go(func() (err error) {
		var worst *trace.Transaction
		if len(profiles) > 0 {
			worst = &profiles[0].Transaction
			if s.usual, err = c.usualOf(ctx, p, worst); err != nil {
				return err
			}
		}
		s.differences, err = c.differences(ctx, p, in, worst, s.usual)
		return err
	})
	if in.Service != "" {
		reading.Go(func() (err error) {
			now := in.present()
			earlier := usualPeriods(now, in.Disturbed)
			if s.path, err = c.causes(ctx, p, in, now, earlier); err != nil {
				return err
			}
			if s.changes, err = c.changes(ctx, p, in, s.path.path); err != nil {
				return err
			}
			s.growths, err = c.growths(ctx, p, in, s.path.path, now, earlier)
			return err
		})
	}
	return &s, reading.Wait()
}

// samples returns what is looked at one by one: what matched, or the worst
// transactions of the service in the window.
func (c *Collector) samples(ctx context.Context, p project.ID, in Input) ([]Sample, error) {
	if len(in.Worst) > 0 || in.Service == "" {
		return in.Worst, nil
	}
	q := trace.TransactionQuery{Service: in.Service, Environment: in.Environment, From: in.From, To: in.To,
		ErrorsOnly: in.Failed, Order: trace.Slowest, Limit: maxTraces}
	page, err := c.traces.Transactions(ctx, p, q)
	if err != nil {
		return nil, fmt.Errorf("find the worst transactions: %w", err)
	}
	samples := make([]Sample, len(page.Items))
	for i, t := range page.Items {
		samples[i] = Sample{TraceID: t.TraceID, SpanID: t.SpanID}
	}
	return samples, nil
}

// profiles reads the transactions of the samples, slowest first, each once.
// missing counts the traces that are not there.
func (c *Collector) profiles(ctx context.Context, p project.ID, worst []Sample) (found []*trace.Profile, missing int, err error) {
	type key struct {
		trace trace.TraceID
		span  trace.SpanID
	}
	seen := map[key]bool{}
	for i, s := range worst {
		if i == maxTraces || len(found) == maxTransactions {
			break
		}
		profile, err := c.traces.Profile(ctx, p, s.TraceID, s.SpanID)
		switch {
		case fault.Is(err, fault.NotFound):
			missing++
			continue
		case err != nil:
			return nil, 0, fmt.Errorf("collect evidence: %w", err)
		}
		if k := (key{s.TraceID, profile.Transaction.SpanID}); !seen[k] {
			seen[k] = true
			found = append(found, profile)
		}
	}
	slices.SortStableFunc(found, func(a, b *trace.Profile) int {
		return cmp.Or(cmp.Compare(b.Transaction.ElapsedNs, a.Transaction.ElapsedNs), cmp.Compare(a.Transaction.TraceID.String(), b.Transaction.TraceID.String()))
	})
	return found, missing, nil
}

func title(in Input) string {
	text := fmt.Sprintf("%s in %s", in.Condition, in.Service)
	if in.Environment != "" {
		text += " (" + in.Environment + ")"
	}
	return ground.Line(text)
}

// page is where what the alarm counts can be looked at: the transactions, or
// the service where it counts something else.
func (in *Input) page() string {
	window, pages := Period{in.From, in.To}, pages{in.project}
	switch {
	case in.Service == "":
		return ""
	case in.Failed:
		return pages.transactions(window, in.Service, in.Environment, "errors", "true")
	case in.Unit == "ms" || len(in.Worst) > 0:
		return pages.transactions(window, in.Service, in.Environment, "sort", "slowest")
	}
	return pages.service(window, in.Service, in.Environment)
}

// minute is how the window of an alarm is written.
const minute = "2006-01-02 15:04"

// maxInstances is how many instances the alarm's fact names.
const maxInstances = 10

// second is how a moment is written.
const second = "2006-01-02 15:04:05"

// AlarmFact returns what the alarm itself says about a project, without an id: all
// there is when no trace can be read.
func AlarmFact(p project.ID, in Input) ground.Fact {
	in.project = p
	f := fact{Kind: ground.Alarm, link: in.page()}
	unit := "times"
	if in.Minutes {
		unit = "minutes"
	}
	f.say("%s%s occurred %d %s", quoted("Rule ", in.Rule, ": "), in.Condition, in.Count, unit)
	f.say(" from %s to %s %s", in.local(in.From, minute), in.local(in.To, minute), in.zone(in.To))
	if in.WindowMinutes > 0 {
		f.say(" (%d min window)", in.WindowMinutes)
	}
	f.say(" in %s", in.Service)
	if in.Environment != "" {
		f.say(", phase %s", in.Environment)
	}
	if in.Subject != "" {
		f.say(", of %s", in.Subject)
		f.value("subject", in.Subject)
	}
	f.service(in.Service)
	f.value("phase", in.Environment)
	f.value("rule", in.Rule)
	f.value("condition", in.Condition)
	if in.AboutSQL {
		f.value("about", "sql")
	}
	if in.Threshold != 0 {
		f.number("threshold", strconv.FormatFloat(in.Threshold, 'f', -1, 64), in.Unit)
	}
	f.number("count", strconv.Itoa(in.Count), "count")
	if in.WindowMinutes > 0 {
		f.number("window", strconv.Itoa(in.WindowMinutes), "min")
	}
	f.value("from", in.local(in.From, minute))
	f.value("to", in.local(in.To, minute))
	f.value("zone", in.zone(in.To))
	for i, instance := range in.Instances {
		if i == maxInstances {
			f.say(", and %d more instances", len(in.Instances)-i)
			break
		}
		f.say(", instance %s: %d times", cmp.Or(instance.Name, "unknown"), instance.Count)
		if instance.Name == "" {
			f.value("instance", "unknown")
		}
		f.instance(instance.Name)
		f.number("instance_count", strconv.Itoa(instance.Count), "count")
	}
	f.say(".")
	return f.ground()
}
