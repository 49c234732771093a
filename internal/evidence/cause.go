package evidence

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
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
	maxPath         = 200
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

// found is what the services on the path of an alarm did: its own and those below
// it. What is as loud elsewhere is not why.
type found struct {
	path   []string // the services by name, at most maxPath of them
	causes []ground.Fact
	why    ground.Fact // a note that says why there is no cause, if it is not empty
}

// causes looks for what deviates from what is usual on the path of the alarm.
func (c *Collector) causes(ctx context.Context, p project.ID, in *Input, now Period, earlier []Period) (f found, err error) {
	periods := append([]Period{now}, earlier...)
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
		return f, fmt.Errorf("look for causes: %w", err)
	}
	below := map[string]bool{}
	for _, o := range observed {
		for service := range o.Below(in.Service) {
			below[service] = true
		}
	}
	f.path = slices.Sorted(maps.Keys(below))
	f.path = f.path[:min(len(f.path), maxPath)]
	present := observed[0]
	usual := slices.DeleteFunc(observed[1:], func(o *Observed) bool { return o.Traces() < leastUsual })
	if present.Traces() == 0 || len(usual) == 0 {
		f.why = note("There is no earlier time with enough transactions to say what is usual.")
		return f, nil
	}
	for _, cause := range Causes(present, usual) {
		if below[cause.Service] && len(f.causes) < maxCauses {
			told := causeFact(len(f.causes)+1, &cause, len(usual))
			told.Link = in.seen(&cause.Deviations[0], present, now)
			f.causes = append(f.causes, told)
		}
	}
	if len(f.causes) == 0 {
		f.why = note("Of %d traces of the time of the alarm, what %s and the services below it did is as usual, compared with %d earlier times.",
			present.Traces(), in.Service, len(usual))
		f.why.Values = []ground.Value{{Name: "verdict", Value: "as_usual"}}
		f.why.Link = pages{in.project}.transactions(now, in.Service, in.Environment)
	}
	return f, nil
}

// seen is where a deviation can be looked at: the lines, the resource, the
// transactions that begin with the operation, or its longest execution.
func (in *Input) seen(d *Deviation, present *Observed, now Period) string {
	pages := pages{in.project}
	line := d.Step.Call.Service == "" && (d.Kind == StepMore || d.Kind == StepLess)
	switch {
	case d.Kind == Saturated:
		return pages.metric(now, fmt.Sprintf("max by (service_name) (%s{service_name=%q})", d.Resource, d.Operation.Service))
	case line && pattern.MatchString(d.Step.Line):
		return pages.logs(now, term("service", d.Operation.Service), "pattern:"+d.Step.Line)
	case line:
		return pages.logs(now, term("service", d.Operation.Service), phrase(d.Step.Line))
	}
	shown := present.shape.shown[d.Operation]
	if shown.entry {
		return pages.transactions(now, d.Operation.Service, in.Environment, "endpoint", d.Operation.Name)
	}
	return pages.trace(shown.trace, shown.span)
}

// pattern is a Step's line that is told by its pattern.
var pattern = regexp.MustCompile(`^[0-9a-f]{16}$`)

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
