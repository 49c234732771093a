package evidence

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	maxDifferences  = 5                // told
	leastDifference = 0.2              // of the two shares: less says little, even if it is no chance
	othersBefore    = 15 * time.Minute // from how long before its window on transactions are compared
)

// bad selects the transactions that the alarm is about: those that failed, or
// those that took long. Long is what the rule says or, when that counts something
// else, longer than 95 % of the usual ones of the worst transaction. slow is 0 for
// an alarm about failures; nothing is selected when what is long is not known.
func (in *Input) bad(worst *trace.Transaction, usual []*trace.Usual) (sel trace.Selection, slow time.Duration, ok bool) {
	sel = trace.Selection{From: in.From, To: in.To}
	if in.Failed {
		failed := true
		sel.Failed = &failed
		return sel, 0, true
	}
	if in.Unit == "ms" {
		slow = time.Duration(in.Threshold * float64(time.Millisecond))
	} else if worst != nil {
		for _, u := range usual {
			if u.Count >= minSamples && worst.ElapsedNs > u.P95Ns {
				slow = time.Duration(u.P95Ns)
				break
			}
		}
	}
	sel.MinElapsed = slow
	return sel, slow, slow > 0
}

// differences returns which attributes the bad transactions of the service have
// more often than its others of the time and of the quarter of an hour before.
func (c *Collector) differences(ctx context.Context, p project.ID, in *Input, worst *trace.Transaction, usual []*trace.Usual) ([]ground.Fact, error) {
	sel, slow, ok := in.bad(worst, usual)
	if !ok || in.Service == "" || !in.From.Before(in.To) {
		return nil, nil
	}
	since := in.From.Add(-othersBefore)
	d, err := c.traces.Differences(ctx, p, trace.TransactionQuery{Service: in.Service, Environment: in.Environment, From: since, To: in.To}, sel)
	switch {
	case fault.Is(err, fault.Invalid): // a rule may say what no selection can
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("compare attributes: %w", err)
	}
	var facts []ground.Fact
	for _, x := range d.Items {
		itself := in.Failed && x.Attribute == "status"
		if x.Score >= leastDifference && !itself && len(facts) < maxDifferences {
			facts = append(facts, in.differs(&x, &d, slow, since))
		}
	}
	return facts, nil
}

func (in *Input) differs(x *trace.Difference, d *trace.Differences, slow time.Duration, since time.Time) ground.Fact {
	f := fact{Kind: ground.Difference}
	attribute, value := clip(x.Attribute, maxName), clip(x.Value, maxLiteral)
	share, usual := trimmed(100*x.Selected, 1), trimmed(100*x.Rest, 1)
	what := "failed transactions"
	if slow > 0 {
		what = fmt.Sprintf("transactions that took %s ms and longer", milliseconds(slow.Nanoseconds()))
	}
	f.say("%s %% of the %s (%d of %d looked at) have %s %q, and %s %% of the %d others of %s since %s",
		share, what, x.Support, d.SelectedShown, attribute, value, usual, d.RestShown, in.Service, in.local(since, minute))
	f.say(".")
	f.value("attribute", attribute)
	f.attribute(x.Attribute, value)
	f.number("share", share, "percent")
	f.number("usual", usual, "percent")
	f.count("support", int(x.Support))
	f.count("samples", int(d.SelectedShown))
	f.count("others", int(d.RestShown))
	f.service(in.Service)
	window, pages := Period{since, in.To}, pages{in.project}
	if slow > 0 {
		f.link = pages.transactions(window, in.Service, in.Environment, "sel", rectangle(Period{in.From, in.To}, slow))
	} else {
		window.From = in.From
		f.link = pages.transactions(window, in.Service, "", "errors", "true", "q", all(term("environment", in.Environment), term(x.Attribute, x.Value)))
	}
	return f.ground()
}

// attribute adds the value of an attribute as the class that it is of: what senders
// call their attributes is not known, so it may be personal.
func (f *fact) attribute(name, value string) {
	switch {
	case name == "instance":
		f.instance(value)
	case name == "service":
		f.service(value)
	case strings.HasPrefix(name, "attr.") && telling(value) && value != "true" && value != "false":
		f.classed("of_attribute", value, mask.Literal)
	default:
		f.value("of_attribute", value)
	}
}
