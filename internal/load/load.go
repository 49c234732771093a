// Package load generates OTLP traces and logs for benchmarks, of twenty services. Its requests are prepared
// once and only get fresh ids and times, so that the generator costs little beside what it measures. What a run
// sends follows from its options: Transactions lists it again, for whoever checks answers about it.
//
// It is a client of the product: it speaks OTLP and imports nothing of MATRIX. It sends a fixed number of
// spans or log records and ends by itself.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what to send where.
type Options struct {
	Endpoint    string  // default "http://127.0.0.1:4318" for http, "127.0.0.1:4317" for grpc
	Protocol    string  // "http" (default) or "grpc"; neither compresses, as SDKs by default do not
	Key         string  // ingest key; "" sends none
	Signal      string  // "traces" (default) or "logs"
	Shape       string  // of traces: "20x9" (default) or "10x11", spans in a trace by attributes of a span
	Spans       int     // how many spans or log records in all; rounded up to whole requests; default 100,000
	Batch       int     // of them in a request; whole hops of traces, an even number of logs; default 1,000
	Concurrency int     // requests under way at a time; default 4
	Rate        float64 // spans or log records per second; 0 is as fast as the endpoint takes them
	Retries     int     // how often a request that may be repeated is; default 8, negative for never
	Seed        uint64  // of the ids; 0 takes a random one
	// Over spreads the times evenly over that duration before Until, which is by default the start of the run.
	// 0 gives what is sent the time at which it is sent.
	Over  time.Duration
	Until time.Time
	// Ledger, when set, gets one line for each acknowledged request; see Ledger.
	Ledger io.Writer
	Now    func() time.Time
}

func (o *Options) complete() error {
	o.Protocol = cmp.Or(o.Protocol, "http")
	o.Endpoint = cmp.Or(o.Endpoint, map[string]string{"http": "http://127.0.0.1:4318", "grpc": "127.0.0.1:4317"}[o.Protocol])
	o.Signal = cmp.Or(o.Signal, traces)
	o.Shape = cmp.Or(o.Shape, agentShape)
	o.Spans = cmp.Or(o.Spans, 100_000)
	o.Batch = cmp.Or(o.Batch, 1000)
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.Retries = cmp.Or(o.Retries, 8)
	for o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Until.IsZero() {
		o.Until = o.Now()
	}
	whole := 2
	if shape := shapes[o.Shape]; shape != nil && o.Signal == traces {
		whole = shape.spansPerHop
	}
	switch {
	case o.Protocol != "http" && o.Protocol != "grpc":
		return fmt.Errorf("protocol %q is neither http nor grpc", o.Protocol)
	case o.Signal != traces && o.Signal != logs:
		return fmt.Errorf("signal %q is neither traces nor logs", o.Signal)
	case shapes[o.Shape] == nil:
		return fmt.Errorf("shape %q is neither %s nor %s", o.Shape, agentShape, shortShape)
	case o.Over != 0 && o.Over < recent:
		return fmt.Errorf("over %s is shorter than %s", o.Over, recent)
	case o.Spans < 0 || o.Concurrency < 0 || o.Rate < 0:
		return errors.New("spans, concurrency and rate cannot be negative")
	case o.Batch < 0 || o.Batch%whole != 0 || o.Batch > maxBatch:
		return fmt.Errorf("batch %d is not a multiple of %d up to %d", o.Batch, whole, maxBatch)
	}
	return nil
}

// The signals.
const (
	traces = "traces"
	logs   = "logs"
)

// requests is how many of them a run sends.
func (o *Options) requests() uint64 { return uint64((o.Spans + o.Batch - 1) / o.Batch) }

// recent is what the times of a request are spread over when Over says nothing else.
const recent = 2 * time.Second

// moment is when the things of a request happen, in ns: somewhere in the two seconds from when they begin, the
// first at from, the last step later.
type moment struct{ from, step uint64 }

// of returns where the two seconds of the i-th of n things begin.
func (m moment) of(i, n int) uint64 { return m.from + m.step/uint64(n)*uint64(i) }

// moment returns when the n-th request happens that is sent now. The requests of a group share it, as their
// traces do.
func (o *Options) moment(n uint64, now time.Time) moment {
	if o.Over == 0 {
		return moment{from: uint64(now.Add(-recent).UnixNano())}
	}
	groups := (o.requests() + hops - 1) / hops
	step := uint64(o.Over-recent) / groups
	return moment{from: uint64(o.Until.Add(-o.Over).UnixNano()) + n/hops*step, step: step}
}

// source makes the requests of a run.
type source interface {
	// request appends the n-th one to body.
	request(body []byte, seed, n uint64, at moment) []byte
}

func newSource(opts Options) source {
	if opts.Signal == logs {
		return newLogTemplates(opts.Batch)
	}
	return newTemplates(shapes[opts.Shape], opts.Batch)
}

// Run sends the load and reports what became of them. It returns an error only when it could not start or
// write its ledger, or ctx ended: what the endpoint refuses is in the report.
func Run(ctx context.Context, opts Options) (*Report, error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	send, closeSender, err := newSender(opts)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer closeSender()
	ledger, err := newLedger(opts)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}

	r := &run{Options: opts, send: send, ledger: ledger, source: newSource(opts)}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.began = opts.Now()
	tallies := make([]tally, opts.Concurrency)
	var workers sync.WaitGroup
	for i := range tallies {
		workers.Go(func() {
			if err := r.work(ctx, &tallies[i]); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	return newReport(opts, tallies, opts.Now().Sub(r.began)), context.Cause(ctx)
}

// run is one run of the generator.
type run struct {
	Options
	send   sender
	ledger *ledger
	source source
	began  time.Time
	taken  atomic.Uint64 // requests that workers have taken
}

// tally is what one worker counted.
type tally struct {
	requests, accepted, acknowledged int64 // acknowledged: requests
	bytes, retried                   int64
	rejected                         map[string]int64 // spans or log records by reason
	latencies                        []time.Duration  // of acknowledged requests
}

// work sends requests until all are taken.
func (r *run) work(ctx context.Context, t *tally) error {
	t.rejected = map[string]int64{}
	var body []byte
	requests := r.requests()
	for {
		n := r.taken.Add(1) - 1
		if n >= requests {
			return nil
		}
		var due time.Time
		if r.Rate > 0 {
			due = r.began.Add(time.Duration(float64(n) * float64(r.Batch) / r.Rate * float64(time.Second)))
			if err := sleep(ctx, due.Sub(r.Now())); err != nil {
				return err
			}
		}
		body = r.source.request(body[:0], r.Seed, n, r.moment(n, r.Now()))
		t.requests++
		t.bytes += int64(len(body))
		acknowledged, err := r.deliver(ctx, n, body, due, t)
		if err != nil {
			return err
		}
		if !acknowledged {
			body = nil // the transport may still hold a request that was not answered
		}
	}
}

// deliver sends one request, again where the endpoint allows it. With a rate
// its latency counts from when it was due, whatever held it up: an endpoint that
// stalls also delays the requests that wait behind (coordinated omission). As
// fast as possible there is no due, and the last attempt counts.
func (r *run) deliver(ctx context.Context, n uint64, body []byte, due time.Time, t *tally) (acknowledged bool, err error) {
	spans := int64(r.Batch)
	backoff := 100 * time.Millisecond
	for attempt := 0; ; attempt++ {
		began := due
		if began.IsZero() {
			began = r.Now()
		}
		a := r.send(ctx, body)
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if a.ok {
			t.latencies = append(t.latencies, r.Now().Sub(began))
			t.acknowledged++
			t.accepted += spans - a.rejected
			if a.rejected > 0 {
				t.rejected["partial success: "+a.reason] += a.rejected
			}
			return true, r.ledger.acknowledge(n, spans, a.rejected)
		}
		if !a.retry || attempt >= r.Retries {
			t.rejected[a.reason] += spans
			return false, nil
		}
		t.retried++
		if err := sleep(ctx, max(backoff, a.after)); err != nil {
			return false, err
		}
		backoff = min(2*backoff, 5*time.Second)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// oneLine keeps a reason short enough to be counted by.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}
