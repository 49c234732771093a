package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Tenant is whom a key writes for, and within which limits.
type Tenant struct {
	Project   project.ID
	Retention project.Retention // days that rows are kept; 0 is 14
	Rate      project.Rate      // that each node takes
}

// Authenticator returns the tenant of an ingest key, or fault.Unauthenticated.
// It is called for every request and must be quick.
type Authenticator func(ctx context.Context, key string) (Tenant, error)

// Options say where to listen and how much to take.
type Options struct {
	GRPCListen string // host:port, port 0 picks a free one
	HTTPListen string // host:port
	DB         *clickhouse.DB
	// Authenticate resolves keys. Required.
	Authenticate Authenticator
	// Grouping tells how the errors of a project are grouped. Required. It is called
	// for every request that carries some.
	Grouping func(ctx context.Context, p project.ID) (*issue.Grouping, error)
	// Dev, when set, returns the tenant of requests that come from loopback without
	// a key. It is called for every one of them, as Authenticate is for the others.
	Dev func(ctx context.Context) (Tenant, error)
	// PushAlerts takes the alerts that other systems send; without it they are refused.
	PushAlerts PushAlerts
	// MaxBody is the largest request in bytes, before and after decompression. Default 16 MiB.
	MaxBody int64
	// MaxMemory bounds the bytes of all requests being read and decoded, and half
	// of it those of one project. Default 16 × MaxBody, and no less than 8 × MaxBody.
	MaxMemory int64
	// Batch tunes the group commit of each signal; zero fields are this package's defaults.
	Batch clickhouse.BatchOptions
	// Metrics bounds the series of each project; zero fields are the defaults.
	Metrics metric.Limits
	// Failed is told when a receiver ends by itself after Start. By default it is logged.
	Failed func(error)
	Log    *slog.Logger
	Now    func() time.Time

	readTime time.Duration // a client may take to send one request; 30 s
}

// Server receives OTLP on two ports, and on one of them Prometheus remote write and
// the alerts of other systems.
type Server struct {
	opts   Options
	log    *slog.Logger
	now    func() time.Time
	memory *memory
	rates  *rates
	stats  counters

	started time.Time

	ports      []port
	statements *clickhouse.Batcher[*trace.Statements]
	resources  *clickhouse.Batcher[*otel.Resources]
	profiles   *clickhouse.Batcher[*flame.Columns]
	metrics    *metric.Writer
	errors     *clickhouse.Batcher[*issue.Columns]

	grpc         *http.Server
	http         *http.Server
	grpcListener net.Listener
	httpListener net.Listener
	serving      sync.WaitGroup
}

const defaultRetentionDays = 14

// New opens both ports; requests are answered from Start on.
func New(opts Options) (*Server, error) {
	switch {
	case opts.DB == nil:
		return nil, fault.New(fault.Invalid, "ingest needs a database").WithField("db")
	case opts.Authenticate == nil:
		return nil, fault.New(fault.Invalid, "ingest needs an authenticator").WithField("authenticate")
	case opts.Grouping == nil:
		return nil, fault.New(fault.Invalid, "ingest needs a way to group errors").WithField("grouping")
	}
	opts.MaxBody = cmp.Or(opts.MaxBody, 16<<20)
	// The largest request holds up to three times its size while it is unpacked.
	opts.MaxMemory = max(cmp.Or(opts.MaxMemory, 16*opts.MaxBody), 8*opts.MaxBody)
	opts.readTime = cmp.Or(opts.readTime, defaultReadTime)
	// What an insert costs hardly depends on its rows: every block becomes a part
	// of each table, to be merged later. So few writers and large blocks: while
	// one is stored, the next one grows.
	opts.Batch.MaxRows = cmp.Or(opts.Batch.MaxRows, 100_000)
	opts.Batch.MaxDelay = cmp.Or(opts.Batch.MaxDelay, 200*time.Millisecond)
	opts.Batch.Writers = cmp.Or(opts.Batch.Writers, max(1, runtime.GOMAXPROCS(0)/8))
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{
		opts: opts, log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "ingest"), now: opts.Now,
		memory: newMemory(opts.MaxMemory), rates: newRates(opts.Now), started: opts.Now(),
	}
	if s.opts.Failed == nil {
		s.opts.Failed = func(err error) { s.log.Error("receiver ended", "error", err) }
	}
	var err error
	if s.grpcListener, err = net.Listen("tcp", opts.GRPCListen); err != nil {
		return nil, fmt.Errorf("listen for otlp/grpc: %w", err)
	}
	if s.httpListener, err = net.Listen("tcp", opts.HTTPListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for otlp/http: %w", err), s.grpcListener.Close())
	}
	resources := otel.NewCatalog()
	statements := trace.NewCatalog(resources)
	addReceiver(s, &traces, func() *trace.Columns { return trace.NewColumns(statements) }, newSpanDecoder)
	addReceiver(s, &logSignal, func() *logs.Columns { return logs.NewColumns(resources) }, newLogDecoder)
	// Rows that others point at are few, and a request that brings one waits for
	// two inserts: these batches do not wait long.
	side := clickhouse.BatchOptions{MaxRows: 10_000, MaxDelay: 20 * time.Millisecond}
	s.statements = clickhouse.NewBatcher(opts.DB, trace.NewStatements, side)
	s.resources = clickhouse.NewBatcher(opts.DB, otel.NewResources, side)
	s.profiles = clickhouse.NewBatcher(opts.DB, flame.NewColumns, side)
	s.metrics = metric.NewWriter(opts.DB, opts.Metrics, opts.Batch)
	s.ports = append(s.ports, s.metricsPort())
	// The requests of one block are answered together, and so bring their errors together.
	s.errors = clickhouse.NewBatcher(opts.DB, issue.NewColumns, side)
	s.grpc = s.newGRPC()
	s.http = s.newHTTP()
	return s, nil
}

// GRPCAddr is the address that takes OTLP/gRPC.
func (s *Server) GRPCAddr() string { return s.grpcListener.Addr().String() }

// HTTPAddr is the address that takes OTLP/HTTP.
func (s *Server) HTTPAddr() string { return s.httpListener.Addr().String() }

// Metrics is what stores the metrics that are received, for metrics that come
// another way: within the same limits, and until Stop.
func (s *Server) Metrics() *metric.Writer { return s.metrics }

// Start serves both ports until Stop.
func (s *Server) Start() {
	serve := func(name string, server *http.Server, l net.Listener) {
		s.serving.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.opts.Failed(fmt.Errorf("%s receiver ended: %w", name, err))
			}
		})
	}
	serve("otlp/grpc", s.grpc, s.grpcListener)
	serve("otlp/http", s.http, s.httpListener)
}

// Stop takes no more requests, stores what those under way brought, answers
// their callers and returns. A request not yet decoded is told to come back.
// When ctx ends first, Stop cuts the rest off: their callers were not told that
// anything was stored.
func (s *Server) Stop(ctx context.Context) error {
	var draining sync.WaitGroup
	var grpcErr, httpErr error
	draining.Go(func() { grpcErr = s.grpc.Shutdown(ctx) })
	draining.Go(func() { httpErr = s.http.Shutdown(ctx) })
	var batchErr error
	for i := range s.ports { // or the callers would wait until their block is due
		batchErr = errors.Join(batchErr, s.ports[i].close(ctx))
	}
	draining.Wait()
	var cut error
	if ctx.Err() != nil {
		cut = errors.Join(s.grpc.Close(), s.http.Close())
	}
	err := errors.Join(grpcErr, httpErr, batchErr, cut, s.statements.Close(ctx), s.resources.Close(ctx), s.profiles.Close(ctx), s.errors.Close(ctx))
	s.serving.Wait()
	return err
}

// authenticate returns the tenant a request writes for.
func (s *Server) authenticate(r *http.Request) (Tenant, error) {
	var t Tenant
	var err error
	switch key := keyOf(r.Header); {
	case key != "":
		t, err = s.opts.Authenticate(r.Context(), key)
	case s.opts.Dev != nil && isLoopback(r.RemoteAddr):
		t, err = s.opts.Dev(r.Context())
	default:
		return Tenant{}, fault.New(fault.Unauthenticated, "no ingest key: send it as Authorization: Bearer <key> or x-matrix-key: <key>")
	}
	if err != nil {
		return Tenant{}, err
	}
	for _, days := range t.Retention.BySignal() {
		*days = cmp.Or(*days, defaultRetentionDays)
	}
	return t, nil
}

// keyOf returns the ingest key, "" when there is none. An Authorization header
// of another scheme yields a text that no key equals, not an absent key.
func keyOf(h http.Header) string {
	header := h.Get("Authorization")
	if header == "" {
		return strings.TrimSpace(h.Get("X-Matrix-Key"))
	}
	if scheme, key, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(key)
	}
	return header
}

func isLoopback(peer string) bool {
	addr, err := netip.ParseAddrPort(peer)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

func (s *Server) newBody(t Tenant) *body { return &body{memory: s.memory, project: t.Project} }
