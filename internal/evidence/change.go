package evidence

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	maxChanges   = 5         // told
	aroundChange = time.Hour // that the link shows before it
)

// change is a version that a service began to run.
type change struct {
	service string
	trace.VersionChange
}

// changes returns the versions that services began to run within a day before the
// alarm's window, or in it, the newest first.
func (c *Collector) changes(ctx context.Context, p project.ID, in *Input, services []string) ([]ground.Fact, error) {
	found, err := c.traces.NewVersions(ctx, p, services, in.Environment, in.From, in.To)
	if err != nil {
		return nil, fmt.Errorf("look for changes: %w", err)
	}
	var all []change
	for _, service := range services {
		for _, v := range found[service] {
			all = append(all, change{service, v})
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return b.FirstSeen.Compare(a.FirstSeen) })
	facts := make([]ground.Fact, 0, min(len(all), maxChanges))
	for _, x := range all[:min(len(all), maxChanges)] {
		facts = append(facts, in.changed(&x))
	}
	return facts, nil
}

func (in *Input) changed(x *change) ground.Fact {
	f := fact{Kind: ground.Change}
	version, before := clip(x.Version, maxName), clip(x.Before, maxName)
	f.say("%s ran version %q from %s on, after %q", x.service, version, in.local(x.FirstSeen, second), before)
	apart := x.FirstSeen.Sub(in.From)
	minutes := strconv.Itoa(int(apart.Abs().Minutes()))
	if apart < 0 {
		f.say(": %s min before the window of the alarm begins.", minutes)
		f.value("when", "before")
	} else {
		f.say(": %s min after the window of the alarm begins.", minutes)
		f.value("when", "during")
	}
	f.service(x.service)
	f.value("version", version)
	f.value("version_before", before)
	f.value("first_seen", in.local(x.FirstSeen, second))
	f.number("apart", minutes, "min")
	f.link = pages{in.project}.versions(Period{x.FirstSeen.Add(-aroundChange), in.To}, x.service, in.Environment)
	return f.ground()
}
