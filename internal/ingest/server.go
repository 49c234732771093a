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
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// Tenant is whom a key writes for, and within which limits.
type Tenant struct {
	Project       project.ID
	RetentionDays int // how long spans are kept; default 14
	SpanRate      int // spans/s, 0 = no limit
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
	// Dev, when set, returns the tenant of requests that come from loopback without
	// a key. It is called for every one of them, as Authenticate is for the others.
	Dev func(ctx context.Context) (Tenant, error)
	// MaxBody is the largest request in bytes, before and after decompression. Default 16 MiB.
	MaxBody int64
	// MaxMemory bounds the bytes of all requests being read and decoded. Default 16 × MaxBody.
	MaxMemory int64
	// Batch tunes the group commit of spans; zero fields are this package's defaults.
	Batch clickhouse.BatchOptions
	Log   *slog.Logger
	Now   func() time.Time
}

// Server receives OTLP on two ports.
type Server struct {
	opts     Options
	log      *slog.Logger
	now      func() time.Time
	memory   *memory
	rates    *rates
	stats    counters
	decoders sync.Pool

	spans      *clickhouse.Batcher[*trace.Columns]
	statements *clickhouse.Batcher[*trace.Statements]
	resources  *clickhouse.Batcher[*trace.Resources]

	grpc         *grpc.Server
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
	}
	opts.MaxBody = cmp.Or(opts.MaxBody, 16<<20)
	opts.MaxMemory = max(cmp.Or(opts.MaxMemory, 16*opts.MaxBody), 2*opts.MaxBody)
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
		memory: newMemory(opts.MaxMemory), rates: newRates(opts.Now),
	}
	s.decoders.New = func() any { return newDecoder() }
	var err error
	if s.grpcListener, err = net.Listen("tcp", opts.GRPCListen); err != nil {
		return nil, fmt.Errorf("listen for otlp/grpc: %w", err)
	}
	if s.httpListener, err = net.Listen("tcp", opts.HTTPListen); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for otlp/http: %w", err), s.grpcListener.Close())
	}
	catalog := trace.NewCatalog()
	s.spans = clickhouse.NewBatcher(opts.DB, func() *trace.Columns { return trace.NewColumns(catalog) }, opts.Batch)
	// Rows that spans point at are few, and a request that brings one waits for
	// two inserts: these batches do not wait long.
	side := clickhouse.BatchOptions{MaxRows: 10_000, MaxDelay: 20 * time.Millisecond}
	s.statements = clickhouse.NewBatcher(opts.DB, trace.NewStatements, side)
	s.resources = clickhouse.NewBatcher(opts.DB, trace.NewResources, side)
	s.grpc = s.newGRPC()
	s.http = s.newHTTP()
	return s, nil
}

// GRPCAddr is the address that takes OTLP/gRPC.
func (s *Server) GRPCAddr() string { return s.grpcListener.Addr().String() }

// HTTPAddr is the address that takes OTLP/HTTP.
func (s *Server) HTTPAddr() string { return s.httpListener.Addr().String() }

// Start serves both ports until Stop.
func (s *Server) Start() {
	serve := func(name string, run func() error) {
		s.serving.Go(func() {
			if err := run(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, grpc.ErrServerStopped) {
				s.log.Error("receiver stopped", "receiver", name, "error", err)
			}
		})
	}
	serve("otlp/grpc", func() error { return s.grpc.Serve(s.grpcListener) })
	serve("otlp/http", func() error { return s.http.Serve(s.httpListener) })
}

// Stop takes no more requests, stores the spans of those under way, answers
// their callers and returns. A request not yet decoded is told to come back.
// When ctx ends first, Stop cuts the rest off: their callers were not told that
// anything was stored.
func (s *Server) Stop(ctx context.Context) error {
	var draining sync.WaitGroup
	var httpErr error
	draining.Go(s.grpc.GracefulStop)
	draining.Go(func() { httpErr = s.http.Shutdown(ctx) })
	spansErr := s.spans.Close(ctx) // or the callers would wait until their block is due
	drained := make(chan struct{})
	go func() {
		draining.Wait()
		close(drained)
	}()
	var cut error
	select {
	case <-drained:
	case <-ctx.Done():
		s.grpc.Stop()
		cut = s.http.Close()
		<-drained
	}
	err := errors.Join(httpErr, spansErr, cut, s.statements.Close(ctx), s.resources.Close(ctx))
	s.serving.Wait()
	return err
}

// authenticate returns the tenant a request writes for.
func (s *Server) authenticate(ctx context.Context, key string, peer net.Addr) (Tenant, error) {
	var t Tenant
	var err error
	switch {
	case key != "":
		t, err = s.opts.Authenticate(ctx, key)
	case s.opts.Dev != nil && isLoopback(peer):
		t, err = s.opts.Dev(ctx)
	default:
		return Tenant{}, fault.New(fault.Unauthenticated, "no ingest key: send it as Authorization: Bearer <key> or x-matrix-key: <key>")
	}
	if err != nil {
		return Tenant{}, err
	}
	if t.RetentionDays <= 0 {
		t.RetentionDays = defaultRetentionDays
	}
	return t, nil
}

func isLoopback(peer net.Addr) bool {
	if peer == nil {
		return false
	}
	addr, err := netip.ParseAddrPort(peer.String())
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// export stores the spans of a request, whose bytes it gives back by calling
// release as soon as they are decoded. It returns after they are stored.
func (s *Server) export(ctx context.Context, tenant Tenant, request []byte, release func()) (rejections, error) {
	released := false
	defer func() {
		if !released {
			release()
		}
	}()
	if err := s.rates.take(tenant, countSpans(request)); err != nil {
		return rejections{}, err
	}
	d := s.decoders.Get().(*decoder)
	defer s.decoders.Put(d)
	size := len(request)
	var pending *trace.Pending
	err := s.spans.Append(ctx, func(c *trace.Columns) (err error) {
		pending, err = d.decode(request, tenant, c, s.now())
		release()
		released = true
		return err
	})
	if err != nil {
		return rejections{}, err
	}
	if err := s.storePending(ctx, pending); err != nil {
		return rejections{}, err
	}
	s.stats.stored(d.accepted, &d.rejected, size)
	return d.rejected, nil
}

// storePending stores the rows that a request's spans point at.
func (s *Server) storePending(ctx context.Context, p *trace.Pending) error {
	if p == nil {
		return nil
	}
	if p.Statements() > 0 {
		if err := s.statements.Append(ctx, func(c *trace.Statements) error { c.Append(p); return nil }); err != nil {
			return fmt.Errorf("store statements: %w", err)
		}
	}
	if p.Resources() > 0 {
		if err := s.resources.Append(ctx, func(c *trace.Resources) error { c.Append(p); return nil }); err != nil {
			return fmt.Errorf("store resources: %w", err)
		}
	}
	p.Stored()
	return nil
}
