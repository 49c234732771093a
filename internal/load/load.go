// Package load generates OTLP traces for benchmarks: twenty services, nine attributes on each span, traces
// of twenty spans over five services. Its requests are prepared once and only get fresh ids and times, so
// that the generator costs little beside what it measures.
//
// It is a client of the product: it speaks OTLP and imports nothing of MATRIX. It sends a fixed number of
// spans and ends by itself.
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
	Spans       int     // how many spans in all; rounded up to whole requests; default 100,000
	Batch       int     // spans in a request; a multiple of four; default 1,000
	Concurrency int     // requests under way at a time; default 4
	Rate        float64 // spans per second; 0 is as fast as the endpoint takes them
	Retries     int     // how often a request that may be repeated is; default 8, negative for never
	Seed        uint64  // of the ids; 0 takes a random one
	// Ledger, when set, gets one line for each acknowledged request; see Ledger.
	Ledger io.Writer
	Now    func() time.Time
}

func (o *Options) complete() error {
	o.Protocol = cmp.Or(o.Protocol, "http")
	o.Endpoint = cmp.Or(o.Endpoint, map[string]string{"http": "http://127.0.0.1:4318", "grpc": "127.0.0.1:4317"}[o.Protocol])
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
	switch {
	case o.Protocol != "http" && o.Protocol != "grpc":
		return fmt.Errorf("protocol %q is neither http nor grpc", o.Protocol)
	case o.Spans < 0 || o.Concurrency < 0 || o.Rate < 0:
		return errors.New("spans, concurrency and rate cannot be negative")
	case o.Batch < 0 || o.Batch%spansPerHop != 0 || o.Batch > maxBatch:
		return fmt.Errorf("batch %d is not a multiple of %d up to %d", o.Batch, spansPerHop, maxBatch)
	}
	return nil
}

// Run sends the spans and reports what became of them. It returns an error only when it could not start or
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

	r := &run{Options: opts, send: send, ledger: ledger, templates: newTemplates(opts.Batch)}
	r.requests = int64((opts.Spans + opts.Batch - 1) / opts.Batch)
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
	send      sender
	ledger    *ledger
	templates *templates
	began     time.Time
	requests  int64
	taken     atomic.Int64 // requests that workers have taken
}

// tally is what one worker counted.
type tally struct {
	requests, accepted, acknowledged int64 // acknowledged: requests
	bytes, retried                   int64
	rejected                         map[string]int64 // spans by reason
	latencies                        []time.Duration  // of acknowledged requests
}

// work sends requests until all are taken.
func (r *run) work(ctx context.Context, t *tally) error {
	t.rejected = map[string]int64{}
	var body []byte
	for {
		n := r.taken.Add(1) - 1
		if n >= r.requests {
			return nil
		}
		var due time.Time
		if r.Rate > 0 {
			due = r.began.Add(time.Duration(float64(n) * float64(r.Batch) / r.Rate * float64(time.Second)))
			if err := sleep(ctx, due.Sub(r.Now())); err != nil {
				return err
			}
		}
		body = r.templates.request(body[:0], r.Seed, uint64(n), r.Now())
		t.requests++
		t.bytes += int64(len(body))
		acknowledged, err := r.deliver(ctx, uint64(n), body, due, t)
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
