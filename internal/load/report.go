package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what became of a run.
type Report struct {
	Seed         uint64           `json:"seed"`
	Signal       string           `json:"signal"`
	Requests     int64            `json:"requests"`
	Acknowledged int64            `json:"acknowledged"`    // requests
	Accepted     int64            `json:"accepted"`        // spans or log records
	Traces       int64            `json:"traces"`          // begun by acknowledged and other requests
	Rejected     map[string]int64 `json:"rejected"`        // spans or log records by reason
	Retried      int64            `json:"retried"`         // requests sent again
	Bytes        int64            `json:"bytes"`           // of request bodies
	ElapsedNs    int64            `json:"elapsed_ns"`      // of the whole run
	PerSec       float64          `json:"per_s"`           // accepted
	Latency      Latency          `json:"acknowledgement"` // of acknowledged requests
}

// Latency are quantiles of the time until a request was acknowledged: with a
// rate from when it was due, else from when it was sent.
type Latency struct {
	P50Ns int64 `json:"p50_ns"`
	P90Ns int64 `json:"p90_ns"`
	P99Ns int64 `json:"p99_ns"`
	MaxNs int64 `json:"max_ns"`
}

func newReport(opts Options, tallies []tally, elapsed time.Duration) *Report {
	r := &Report{Seed: opts.Seed, Signal: opts.Signal, Rejected: map[string]int64{}, ElapsedNs: elapsed.Nanoseconds()}
	var latencies []time.Duration
	for _, t := range tallies {
		r.Requests += t.requests
		r.Acknowledged += t.acknowledged
		r.Accepted += t.accepted
		r.Retried += t.retried
		r.Bytes += t.bytes
		for reason, spans := range t.rejected {
			r.Rejected[reason] += spans
		}
		latencies = append(latencies, t.latencies...)
	}
	if opts.Signal == traces {
		r.Traces = (r.Requests + hops - 1) / hops * int64(opts.Batch/shapes[opts.Shape].spansPerHop)
	}
	if elapsed > 0 {
		r.PerSec = float64(r.Accepted) / elapsed.Seconds()
	}
	slices.Sort(latencies)
	r.Latency = Latency{
		P50Ns: percentile(latencies, 50).Nanoseconds(), P90Ns: percentile(latencies, 90).Nanoseconds(),
		P99Ns: percentile(latencies, 99).Nanoseconds(), MaxNs: percentile(latencies, 100).Nanoseconds(),
	}
	return r
}

// percentile returns the nearest rank: the smallest value that at least p of
// 100 are not above. 0 without values.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(1, (len(sorted)*p+99)/100)-1]
}

// Refused counts the spans or log records that were not taken, for whatever reason.
func (r *Report) Refused() int64 {
	n := int64(0)
	for _, refused := range r.Rejected {
		n += refused
	}
	return n
}

// Things is what the run sent, in words.
func (r *Report) Things() string {
	if r.Signal == logs {
		return "log records"
	}
	return "spans"
}

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, values...))
	}
	row("accepted", "%d %s in %d requests, %.1f s, %.0f a second", r.Accepted, r.Things(), r.Acknowledged, time.Duration(r.ElapsedNs).Seconds(), r.PerSec)
	row("rejected", "%d %s", r.Refused(), r.Things())
	for _, reason := range slices.Sorted(maps.Keys(r.Rejected)) {
		row("", "%d: %s", r.Rejected[reason], reason)
	}
	row("retried", "%d requests", r.Retried)
	row("latency", "%s", strings.Join([]string{"p50 " + ms(r.Latency.P50Ns), "p90 " + ms(r.Latency.P90Ns), "p99 " + ms(r.Latency.P99Ns), "max " + ms(r.Latency.MaxNs)}, ", "))
	return t.Flush()
}

func ms(ns int64) string { return fmt.Sprintf("%.1f ms", float64(ns)/1e6) }
