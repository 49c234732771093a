package evidence

import (
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// maxPast is how many earlier incidents are told, the latest.
const maxPast = 3

// Past is an earlier incident of the same kind of rule and the same service.
type Past struct {
	ID      int64
	Title   string
	Subject string // what of the service it was about, "" for all of it
	State   string
	Opened  time.Time
	Ended   time.Time // zero: it goes on
	EndedBy string    // "" when it ended by itself
	Comment string    // the last one that somebody wrote, "" for none
	Facts   []ground.Fact
}

// alike reports whether an earlier incident has the shape of the facts: it was
// about the same subject and, by the first thing that both know, had the same
// cause, the same slowest statement or call, or the same exception.
func (in *Input) alike(x *Past, facts []ground.Fact) bool {
	if x.Subject != in.Subject {
		return false
	}
	for _, mark := range marks {
		a, b := mark.of(facts), mark.of(x.Facts)
		if a != "" && b != "" {
			return a == b
		}
		if a != b && mark.kind != ground.Cause { // without a usual time there is no cause to be known
			return false
		}
	}
	return true
}

// mark is what an incident is known again by: values of the first fact of a kind.
type mark struct {
	kind   string
	values []string
}

// marks are in the order of how much they say.
var marks = []mark{
	{ground.Cause, []string{"service", "operation"}},
	{ground.Statement, []string{"system", "sql"}},
	{ground.Call, []string{"method", "url", "rpc", "address"}},
	{ground.Exception, []string{"type"}},
}

// of returns the mark of facts, "" when they have none.
func (m mark) of(facts []ground.Fact) string {
	for _, f := range facts {
		if f.Kind == m.kind {
			text := ""
			for _, name := range m.values {
				text += f.Get(name) + "\x00"
			}
			return text
		}
	}
	return ""
}

// past returns the latest incidents of the same shape, and how they ended. They are
// no causes: what was the reason then need not be now.
func (in *Input) past(facts []ground.Fact) []ground.Fact {
	var told []ground.Fact
	for i := range in.Past {
		if x := &in.Past[i]; len(told) < maxPast && in.alike(x, facts) {
			told = append(told, in.before(x))
		}
	}
	return told
}

func (in *Input) before(x *Past) ground.Fact {
	f := fact{Kind: ground.Past}
	title, comment := clip(x.Title, maxName), clip(x.Comment, maxMessage)
	f.say("Incident #%d of the same shape (%s) was opened %s", x.ID, title, in.local(x.Opened, minute))
	f.value("title", title)
	f.value("started", in.local(x.Opened, minute))
	f.value("state", x.State)
	if x.Ended.IsZero() {
		f.say(" and goes on (%s)", x.State)
	} else {
		lasted := strconv.Itoa(int(x.Ended.Sub(x.Opened).Round(time.Minute).Minutes()))
		f.say(", lasted %s min", lasted)
		f.number("lasted", lasted, "min")
		if x.EndedBy == "" {
			f.say(" and ended by itself (%s)", x.State)
		} else {
			f.say(" and was ended by %s (%s)", clip(x.EndedBy, maxName), x.State)
			f.classed("ended_by", clip(x.EndedBy, maxName), mask.Person)
		}
	}
	if comment != "" {
		f.say("; the last comment on it: %q", comment)
		f.value("comment", comment)
	}
	f.say(".")
	f.link = pages{in.project}.incident(x.ID)
	return f.ground()
}
