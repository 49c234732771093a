package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// The metrics are counters that 20 services count in as many instances as there are series, scraped every 15 s.
// Each rises steadily, so that its rate is known.
const (
	metricName      = "bench_requests_total"
	metricServices  = 20
	scrape          = 15 * time.Second
	samplesInSeries = 10 // of one request
)

func metricService(series int) string { return fmt.Sprintf("service-%02d", series%metricServices) }

// rise is by how much a counter rises between two scrapes.
func rise(series int) float64 { return float64(1 + series%7) }

// ratePerService is what sum by(service)(rate()) must say.
func ratePerService(series int) map[string]float64 {
	rates := map[string]float64{}
	for s := range series {
		rates[metricService(s)] += rise(s) / scrape.Seconds()
	}
	return rates
}

// scraped returns when the n-th scrape was; the last was at the end of the data.
func (f *filling) scraped(n int) time.Time {
	return f.until.Truncate(scrape).Add(-time.Duration(f.samples-1-n) * scrape)
}

// sendMetrics writes all samples by Prometheus remote write 1.0, the oldest first.
func sendMetrics(ctx context.Context, matrix *rig.Matrix, f *filling) (sent, error) {
	fmt.Fprintf(os.Stderr, "sending %d samples of %d series …\n", f.samples, f.series)
	var out sent
	for from := 0; from < f.samples; from += samplesInSeries {
		to := min(from+samplesInSeries, f.samples)
		if err := matrix.RemoteWrite(ctx, matrix.Key, f.writeRequest(from, to)); err != nil {
			return out, err
		}
		out.items += int64((to - from) * f.series)
	}
	return out, nil
}

// writeRequest is a prometheus.WriteRequest with the scrapes from to (exclusive) of all series.
func (f *filling) writeRequest(from, to int) []byte {
	var request []byte
	for s := range f.series {
		samples := make([]rig.Sample, 0, to-from)
		for n := from; n < to; n++ {
			samples = append(samples, rig.Sample{At: f.scraped(n), Value: 1e6 + rise(s)*float64(n)})
		}
		request = rig.AppendSeries(request, [][2]string{
			{"__name__", metricName}, {"instance", fmt.Sprintf("10.42.%d.%d:8080", s%metricServices, s/metricServices)}, {"service", metricService(s)},
		}, samples...)
	}
	return request
}
