// Package emit turns the records of AI calls into OpenTelemetry spans and metrics
// of MATRIX AI itself, with the names of the semantic conventions for generative
// AI.
//
// Note takes a record and returns at once: it copies what is needed into a
// bounded queue, and when that is full the record is counted and left out. One
// goroutine makes OTLP requests of them, a few a second for each project, and
// hands them to Start's store, which is the way of all telemetry. It owns no
// table and reads none.
package emit

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	tracev1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Service is the service.name of what MATRIX AI says of itself.
const Service = "matrix-ai"

// The signals that a Store takes.
const (
	Traces  = "traces"
	Metrics = "metrics"
)

// Store stores an OTLP request, as protobuf, for a project.
type Store func(ctx context.Context, p project.ID, signal string, request []byte) error

// Options say who emits.
type Options struct {
	Instance string // service.instance.id, the node
	Version  string // service.version
	Queue    int    // calls that may wait; default 4096
	// SpansEvery and MetricsEvery are how often they are stored; default 1 s and 15 s.
	SpansEvery   time.Duration
	MetricsEvery time.Duration
	Log          *slog.Logger
	Now          func() time.Time
}

const (
	defaultQueue = 4096
	maxSpans     = 2000             // calls in one request
	storeWithin  = 10 * time.Second // or it is lost
)

// Emitter takes the records of calls. It is safe for concurrent use.
type Emitter struct {
	opts    Options
	queue   chan noted
	left    atomic.Int64 // calls that found the queue full
	lost    atomic.Int64 // requests that were not stored
	metrics *metrics
	start   sync.Once
	cancel  context.CancelFunc
	closing chan struct{}
	done    chan struct{}
}

// noted is a call without its texts.
type noted struct {
	call   ai.Call
	parent ai.TraceContext // zero: none
}

// New returns an Emitter that gathers; it stores nothing before Start.
func New(opts Options) *Emitter {
	opts.Queue = cmp.Or(opts.Queue, defaultQueue)
	opts.SpansEvery, opts.MetricsEvery = cmp.Or(opts.SpansEvery, time.Second), cmp.Or(opts.MetricsEvery, 15*time.Second)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "emit")
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Emitter{opts: opts, queue: make(chan noted, opts.Queue), metrics: newMetrics(opts.Now()), closing: make(chan struct{}), done: make(chan struct{})}
}

// Start begins to store what was noted, until Close.
func (e *Emitter) Start(store Store) {
	e.start.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		e.cancel = cancel
		go e.run(ctx, store)
	})
}

// Close stores what was noted while ctx lasts. Nothing is taken afterwards.
func (e *Emitter) Close(ctx context.Context) error {
	started := true
	e.start.Do(func() { started = false })
	if !started {
		return nil
	}
	close(e.closing)
	select {
	case <-e.done:
	case <-ctx.Done():
		e.cancel()
		<-e.done
	}
	e.cancel()
	return nil
}

// Note takes the record of a call that has ended, with the context of the call.
// It never waits.
func (e *Emitter) Note(ctx context.Context, c *ai.Call) {
	n := noted{call: *c}
	n.call.System, n.call.Message, n.call.Answer = "", "", "" // or the queue would hold on to them
	n.call.Originals, n.call.HasOriginals = nil, false
	n.call.Attempts = slices.Clone(c.Attempts)
	for i := range n.call.Attempts {
		n.call.Attempts[i].Answer = ""
	}
	n.parent, _ = ai.TraceOf(ctx)
	select {
	case e.queue <- n:
	default:
		e.left.Add(1)
	}
}

// Shipped counts documents of a project that were brought to a search engine, or
// refused there for good.
func (e *Emitter) Shipped(p project.ID, shipped, refused int) { e.metrics.shipped(p, shipped, refused) }

// Dropped returns how many calls were left out because the queue was full, and
// how many requests were not stored.
func (e *Emitter) Dropped() (calls, requests int64) { return e.left.Load(), e.lost.Load() }

// run stores until closing.
func (e *Emitter) run(ctx context.Context, store Store) {
	defer close(e.done)
	spans, metrics := time.NewTicker(e.opts.SpansEvery), time.NewTicker(e.opts.MetricsEvery)
	defer spans.Stop()
	defer metrics.Stop()
	for {
		select {
		case <-spans.C:
			e.flushSpans(ctx, store)
		case <-metrics.C:
			e.flushMetrics(ctx, store)
		case <-e.closing:
			e.flushSpans(ctx, store)
			e.flushMetrics(ctx, store)
			return
		case <-ctx.Done():
			return
		}
	}
}

// flushSpans stores the spans of what waits.
func (e *Emitter) flushSpans(ctx context.Context, store Store) {
	for {
		byProject := map[project.ID][]noted{}
		n := 0
		for ; n < maxSpans; n++ {
			select {
			case next := <-e.queue:
				byProject[next.call.Project] = append(byProject[next.call.Project], next)
				e.metrics.call(&next.call)
				continue
			default:
			}
			break
		}
		for p, calls := range byProject {
			request := &tracev1.ExportTraceServiceRequest{ResourceSpans: e.spans(calls)}
			e.store(ctx, store, p, Traces, request)
		}
		if n < maxSpans {
			return
		}
	}
}

func (e *Emitter) flushMetrics(ctx context.Context, store Store) {
	for p, request := range e.metrics.requests(e.opts.Now(), e.resource()) {
		e.store(ctx, store, p, Metrics, request)
	}
}

// store hands a request on. What is not taken is lost: it is told about calls
// whose records are safe elsewhere, and must not pile up.
func (e *Emitter) store(ctx context.Context, store Store, p project.ID, signal string, request proto.Message) {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	bytes, err := proto.Marshal(request)
	if err == nil {
		err = store(ctx, p, signal, bytes)
	}
	if err != nil {
		if e.lost.Add(1) == 1 || e.opts.Log.Enabled(ctx, slog.LevelDebug) { // the counter tells the rest
			e.opts.Log.WarnContext(ctx, "telemetry of ai calls was not stored", "project", uint32(p), "signal", signal, "error", err)
		}
	}
}
