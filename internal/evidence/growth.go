package evidence

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	maxGrowths  = 5 // told
	leastLines  = 3 // of a new pattern, unless it says of itself that it is an error
	surged      = 3 // times as many as ever
	leastSurgeZ = 3 // standard errors between two counts: less may be chance
)

// growths returns the log patterns of services that are new in the time of the
// alarm, or written far more often than in any of the earlier times.
func (c *Collector) growths(ctx context.Context, p project.ID, in *Input, services []string, now Period, earlier []Period) ([]ground.Fact, error) {
	q := logs.GrowthQuery{Services: services, Environment: in.Environment, Factor: surged, Now: logs.Range(now)}
	for _, of := range earlier {
		q.Earlier = append(q.Earlier, logs.Range(of))
	}
	grown, err := c.logs.Growths(ctx, p, q)
	if err != nil {
		return nil, fmt.Errorf("look for new log patterns: %w", err)
	}
	var facts []ground.Fact
	for _, g := range grown {
		if remarkable(&g) && len(facts) < maxGrowths {
			facts = append(facts, in.grew(&g, now))
		}
	}
	return facts, nil
}

// remarkable reports whether a pattern is new, or has grown by more than chance
// explains; all have grown by more than load does. Counts of lines are compared as Poisson's are: the variance of
// their difference is their sum.
func remarkable(g *logs.Growth) bool {
	if g.Usual == 0 {
		return g.Count >= leastLines || g.Level >= logs.Error
	}
	n, usual := float64(g.Count), float64(g.Usual)
	return n-usual >= leastSurgeZ*math.Sqrt(n+usual)
}

func (in *Input) grew(g *logs.Growth, now Period) ground.Fact {
	f := fact{Kind: ground.Log}
	message := clip(g.Template, maxMessage)
	f.say("%s wrote %q (%s) %d times from %s to %s", g.Service, message, g.Level.Level(), g.Count, in.local(now.From, minute), in.local(now.To, minute))
	if g.Usual == 0 {
		f.say(" and never in %d earlier times of the same length; first at %s.", g.Ranges, in.local(g.First, "15:04:05"))
		f.value("what", "new")
	} else {
		f.say(" and at most %d times in any of %d earlier times of the same length.", g.Usual, g.Ranges)
		f.value("what", "surged")
	}
	f.service(g.Service)
	f.value("message", message)
	f.value("level", g.Level.Level())
	f.number("now", strconv.FormatUint(g.Count, 10), "count")
	f.number("usual", strconv.FormatUint(g.Usual, 10), "count")
	f.value("first_seen", in.local(g.First, second))
	f.link = pages{in.project}.logs(now, term("service", g.Service), term("environment", in.Environment), "pattern:"+g.Pattern)
	return f.ground()
}
