package rule

import (
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
)

// stretch is a time to read at once: the windows of ends that lie close together.
type stretch struct {
	from, to time.Time
	ends     []time.Time
}

// stretches puts the windows of ends together where they touch.
func stretches(window time.Duration, ends []time.Time) []stretch {
	var all []stretch
	for _, end := range ends {
		if n := len(all) - 1; n >= 0 && !end.Add(-window).After(all[n].to) {
			all[n].to, all[n].ends = end, append(all[n].ends, end)
			continue
		}
		all = append(all, stretch{end.Add(-window), end, []time.Time{end}})
	}
	return all
}

// sumUp makes readings of counts per minute: how many there were in the window
// before each end, times scale. An end before which there was nothing has none.
func sumUp(p project.ID, counts []otel.MinuteCount, window time.Duration, s stretch, scale float64) []reading {
	steps := int(s.to.Sub(s.from) / time.Minute)
	sums := map[series][]float64{}
	for _, c := range counts {
		of := series{project: p, service: c.Service, environment: c.Environment}
		if sums[of] == nil {
			sums[of] = make([]float64, steps+1)
		}
		if at := int(c.Minute.Sub(s.from)/time.Minute) + 1; at >= 1 && at <= steps {
			sums[of][at] += float64(c.N)
		}
	}
	var readings []reading
	for of, sum := range sums {
		for i := 1; i < len(sum); i++ {
			sum[i] += sum[i-1]
		}
		for _, end := range s.ends {
			at := int(end.Sub(s.from) / time.Minute)
			if n := sum[at] - sum[at-int(window/time.Minute)]; n > 0 {
				readings = append(readings, reading{Project: p, Service: of.service, Environment: of.environment, End: end, Value: n * scale, Volume: n})
			}
		}
	}
	return readings
}
