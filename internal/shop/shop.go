// Package shop is a simulated web shop, seen through the telemetry of its services: seven services in
// several pods, HTTP, gRPC, SQL on MySQL and PostgreSQL, Redis, Kafka and the API of a payment company,
// with the spans that the OpenTelemetry Java agent and the Node.js instrumentation write for them, some
// in the old semantic conventions and some in the new, the lines that the services log meanwhile, the
// metrics of the services, of their runtimes and of the machines below, and the CPU profiles of one of them.
// One of its SQL statements can be made slow.
//
// It is a client of the product: it speaks OTLP, sends pprof and imports nothing of MATRIX. The same seed
// and the same clock give the same telemetry, byte for byte.
package shop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// Options say where the shop sends its telemetry, and how busy it is.
type Options struct {
	// Endpoint is the OTLP endpoint: "http://127.0.0.1:4318" for OTLP/HTTP, "127.0.0.1:4317" with Protocol "grpc",
	// which takes no profiles.
	Endpoint string
	Protocol string  // "http" (default: protobuf with gzip) or "grpc"
	Key      string  // ingest key; "" sends none
	Seed     uint64  // default 1
	Rate     float64 // requests of users per second, Poisson distributed; default 5
	Now      func() time.Time
	Log      *slog.Logger
}

// Shop generates the traffic. Its methods are safe for concurrent use.
type Shop struct {
	opts   Options
	export *exporter

	mu      sync.Mutex
	rng     *rand.Rand
	fleet   *fleet
	next    time.Time // arrival of the next user
	slow    bool      // the fault is on
	slowed  int       // transactions that met the fault so far
	pending records   // what has not ended yet, or was not taken yet
	found   samples   // by profilers
	meter   meter
	wake    chan struct{}
}

// flushEvery is how often ended spans are sent: like the export interval of an SDK, but short, for a demo.
const flushEvery = 500 * time.Millisecond

// New prepares a shop; it sends nothing yet.
func New(opts Options) (*Shop, error) {
	if opts.Endpoint == "" {
		return nil, errors.New("shop: no endpoint")
	}
	opts.Protocol = cmp.Or(opts.Protocol, "http")
	opts.Seed = cmp.Or(opts.Seed, 1)
	opts.Rate = cmp.Or(opts.Rate, 5)
	if opts.Rate < 0 {
		return nil, fmt.Errorf("shop: rate %v is negative", opts.Rate)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	export, err := newExporter(opts)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(opts.Seed, 0x6d6174726978))
	opened := opts.Now()
	return &Shop{
		opts: opts, export: export, rng: rng, fleet: newFleet(opened),
		meter: meter{seed: opts.Seed, opened: opened, served: served{}}, wake: make(chan struct{}, 1),
	}, nil
}

// Run lets users come until ctx ends, and then sends what has ended. Spans are sent after they have ended,
// so the children and the log lines of a long transaction arrive before it. An endpoint that is down is
// waited for while a bounded number of requests is kept; the rest is dropped and counted in the log.
func (s *Shop) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.export.run(ctx)
	}()
	defer func() { <-done }()

	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		now := s.opts.Now()
		offer(s.export, s.Advance(now))
		offer(s.export, s.AdvanceProfiles(now))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// Advance lets the users arrive that come until now and returns the spans that have ended and the log
// records that were written by then, by resource and scope, in requests of at most 2,000, and the metrics
// that are due: TracesData, LogsData and MetricsData of OTLP.
func (s *Shop) Advance(now time.Time) []proto.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.next) > time.Minute { // at the start, and after the machine has slept
		s.next = now.Add(s.interval())
	}
	for !s.next.After(now) {
		s.visit(s.next)
		s.next = s.next.Add(s.interval())
	}
	ended := s.pending.take(now)
	return append(ended, s.advanceMetrics(now, ended)...)
}

// SlowSQL turns the fault on: on one pod of order-api the statement order.selectTotalHistory takes 8 s
// from now on. The first transaction that meets it has just ended, so that nobody has to wait for it.
func (s *Shop) SlowSQL() {
	s.mu.Lock()
	s.slow = true
	t := s.newTrace(s.opts.Now().Add(-faultyTotal - 50*time.Millisecond)) // the gateway needs some of the 50 ms
	t.slow, t.jitter = true, s.slowed > 0
	history(t, s.fleet.sick(t.start))
	s.pending.add(t.records...)
	s.slowed++
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Heal turns the fault off.
func (s *Shop) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = false
}

// Backfill sends a past of normal traffic, sparse, so that today's transactions can be compared with an hour,
// a day and a week ago: 90 minutes around each of these times, and the
// metrics until now. It returns after the endpoint has accepted it all.
func (s *Shop) Backfill(ctx context.Context) error {
	now := s.opts.Now()
	for _, ago := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour} {
		from := now.Add(-ago).Add(-45 * time.Minute)
		if err := s.sendPast(ctx, from, now); err != nil {
			return fmt.Errorf("send the past of the shop: %w", err)
		}
	}
	return nil
}

func (s *Shop) sendPast(ctx context.Context, from, now time.Time) error {
	records, profiles := s.past(from, from.Add(90*time.Minute), now)
	if err := sendAll(ctx, s.export, records); err != nil {
		return err
	}
	if err := sendAll(ctx, s.export, profiles); err != nil {
		return err
	}
	return sendAll(ctx, s.export, s.pastMetrics(from, from.Add(2*time.Hour), now))
}

// past returns normal traffic of the given time: one user every four seconds.
func (s *Shop) past(from, to, now time.Time) ([]proto.Message, []*Profile) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var past records
	var found samples
	if to.After(now) {
		to = now
	}
	for at := from; at.Before(to); at = at.Add(4 * time.Second) {
		t := s.newTrace(at)
		pick(t.rng)(t, nil)
		past.add(t.records...)
		found = append(found, t.samples...)
	}
	return past.take(now), found.take(now, pastProfile)
}

// visit lets one user come.
func (s *Shop) visit(at time.Time) {
	t := s.newTrace(at)
	t.slow, t.jitter = s.slow, s.slowed > 0
	pick(t.rng)(t, nil)
	if t.slowed {
		s.slowed++
	}
	s.pending.add(t.records...)
	s.found = append(s.found, t.samples...)
}

func (s *Shop) newTrace(at time.Time) *trace {
	rng := rand.New(rand.NewPCG(s.rng.Uint64(), s.rng.Uint64()))
	return newTrace(s.fleet, rng, at)
}

func (s *Shop) interval() time.Duration {
	if s.opts.Rate == 0 {
		return time.Hour
	}
	return time.Duration(s.rng.ExpFloat64() / s.opts.Rate * float64(time.Second))
}
