package evidence

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	maxCauses       = 3 // told
	toldDeviations  = 3 // of each
	leastUsual      = 10
	shortestPeriod  = 2 * time.Minute
	longestPeriod   = 10 * time.Minute
	observedAtOnce  = 3 // the engine has other things to do
	observedPeriods = 6 // that are compared with the present one
)

// ago are the times before that are compared with the present one, as long as
// they are not disturbed: of the last hours, which know the same program, and of
// the same hour of other days, which know the same load.
var ago = []time.Duration{20 * time.Minute, time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 40 * time.Minute, 2 * time.Hour, 48 * time.Hour, 4 * time.Hour, 12 * time.Hour}

// usualPeriods returns the times that the present one is compared with.
func usualPeriods(now Period, disturbed []Period) []Period {
	var usual []Period
	for _, back := range ago {
		of := Period{now.From.Add(-back), now.To.Add(-back)}
		if len(usual) < observedPeriods && !of.To.After(now.From) && !slices.ContainsFunc(disturbed, of.overlaps) {
			usual = append(usual, of)
		}
	}
	return usual
}

func (p Period) overlaps(other Period) bool {
	return p.From.Before(other.To) && other.From.Before(p.To)
}

// present is the time an alarm is about: the end of its window.
func (in Input) present() Period {
	length := min(max(in.To.Sub(in.From), shortestPeriod), longestPeriod)
	return Period{in.To.Add(-length), in.To}
}

// causes adds what deviates from what is usual in the service of the alarm and in
// those below it: what is as loud elsewhere is not why.
// The note, if it is not empty, says why there is none.
func (c *Collector) causes(ctx context.Context, p project.ID, in Input) (facts []ground.Fact, why ground.Fact, err error) {
	if in.Service == "" {
		return nil, why, nil
	}
	now := in.present()
	periods := append([]Period{now}, usualPeriods(now, in.Disturbed)...)
	observed := make([]*Observed, len(periods))
	at, observing := errgroup.WithContext(ctx)
	at.SetLimit(observedAtOnce)
	for i, of := range periods {
		at.Go(func() (err error) {
			observed[i], err = c.investigator.Observe(observing, p, of)
			return err
		})
	}
	if err := at.Wait(); err != nil {
		return nil, why, fmt.Errorf("look for causes: %w", err)
	}
	usual := slices.DeleteFunc(observed[1:], func(o *Observed) bool { return o.Traces() < leastUsual })
	if observed[0].Traces() == 0 || len(usual) == 0 {
		return nil, note("There is no earlier time with enough transactions to say what is usual."), nil
	}
	below := observed[0].Below(in.Service)
	for _, o := range usual {
		for service := range o.Below(in.Service) {
			below[service] = true
		}
	}
	for _, cause := range Causes(observed[0], usual) {
		if below[cause.Service] && len(facts) < maxCauses {
			facts = append(facts, causeFact(len(facts)+1, &cause, len(usual)))
		}
	}
	if len(facts) == 0 {
		why = note("Of %d traces of the time of the alarm, what %s and the services below it did is as usual, compared with %d earlier times.",
			observed[0].Traces(), in.Service, len(usual))
		why.Values = []ground.Value{{Name: "verdict", Value: "as_usual"}}
	}
	return facts, why, nil
}

// causeFact tells of a cause: its deviations, the strongest first.
func causeFact(rank int, cause *Cause, times int) ground.Fact {
	f := fact{Kind: ground.Cause}
	f.say("Candidate %d for the cause: service %s", rank, cause.Service)
	if cause.By != "" {
		f.say(", whose change the one of %s below it explains", cause.By)
	}
	f.say("; compared with %d earlier times:", times)
	f.number("rank", strconv.Itoa(rank), "count")
	f.service(cause.Service)
	f.value("by", cause.By)
	f.number("strength", trimmed(cause.Strength, 1), "count")
	for i, d := range cause.Deviations[:min(len(cause.Deviations), toldDeviations)] {
		if i > 0 {
			f.say(";")
		}
		f.deviation(&d, i == 0)
	}
	f.say(".")
	return f.ground()
}

// deviation says one thing that is not as usual. The first has values of its own.
func (f *fact) deviation(d *Deviation, first bool) {
	now, usual, unit := trimmed(100*d.Now, 1), trimmed(100*d.Usual, 1), "percent"
	what := d.Operation.Name
	switch d.Kind {
	case Slower, Apart:
		now, usual, unit = trimmed(d.Now, 1), trimmed(d.Usual, 1), "ms"
		if d.Kind == Slower {
			f.say(" %s took %s ms itself, usually %s ms", what, now, usual)
		} else {
			f.say(" between the callers of %s and itself went %s ms, usually %s ms", what, now, usual)
		}
	case Saturated:
		what = d.Resource
		f.say(" %s was at %s %%, usually at %s %%", what, now, usual)
	default:
		did := cmp.Or(d.Step.Call.Name, d.Line, d.Step.Line)
		if d.Step.Call.Service != "" {
			did = "call of " + d.Step.Call.Service + " " + d.Step.Call.Name
			f.once("service", d.Step.Call.Service, mask.Name)
		}
		did = clip(did, maxMessage)
		f.say(" %s did %q in %s %% of traces, usually in %s %%", what, did, now, usual)
		if first {
			f.value("did", did)
		}
	}
	if !first {
		return
	}
	f.value("change", d.Kind)
	f.value("operation", what)
	f.number("now", now, unit)
	f.number("usual", usual, unit)
	f.count("samples", d.Traces)
}
