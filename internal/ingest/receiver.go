package ingest

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// signal is one kind of telemetry that OTLP carries, as both ports see it.
type signal struct {
	name     string                                             // "traces": its path is /v1/traces
	items    string                                             // "spans", for messages
	rate     project.Signal                                     // whose rate bounds them
	method   string                                             // of gRPC
	request  func() proto.Message                               // an empty request
	ids      func(tree any)                                     // rewrites the hexadecimal ids of a request in JSON
	count    func(request []byte) int                           // items of a request, without reading them
	response func(rejected int64, message string) proto.Message // message is "" when nothing was refused
}

func (s *signal) path() string { return "/v1/" + s.name }

// port is a signal with what takes its requests.
type port struct {
	*signal
	// export stores the items of a request, whose body it releases as soon as it is
	// decoded. It returns after they are stored, with what is to be answered.
	export  func(ctx context.Context, tenant Tenant, request *body) (proto.Message, error)
	waiting func() int                  // rows not yet stored
	close   func(context.Context) error // stores them, and takes no more
}

// decoder walks the requests of one signal into columns of C.
type decoder[C clickhouse.Columns] interface {
	// decode appends the request's items to the columns. Either all that are not
	// refused one by one are in, or, with an error, none.
	decode(request []byte, tenant Tenant, columns C, now time.Time) (pending, error)
	// counts tells what became of the items of the request decoded last.
	counts() (accepted int64, rejected *rejections)
}

// pending are the rows that the items of a request point at and that are not
// stored yet, and the errors they carry; nil where there are none.
type pending struct {
	statements *trace.PendingStatements
	resources  *otel.Pending
	errors     []issue.Occurrence
}

// receiver takes the requests of one signal.
type receiver[C clickhouse.Columns] struct {
	server   *Server
	signal   *signal
	batch    *clickhouse.Batcher[C]
	decoders sync.Pool
}

// addReceiver adds a signal to the server. fresh makes an empty block of its rows.
func addReceiver[C clickhouse.Columns, D decoder[C]](s *Server, sig *signal, fresh func() C, newDecoder func() D) {
	r := &receiver[C]{server: s, signal: sig, batch: clickhouse.NewBatcher(s.opts.DB, fresh, s.opts.Batch)}
	r.decoders.New = func() any { return newDecoder() }
	s.ports = append(s.ports, port{signal: sig, export: r.export, waiting: r.batch.Pending, close: r.batch.Close})
}

// export implements port. A panic becomes an error: neither the node nor the
// other requests are to suffer from one.
func (r *receiver[C]) export(ctx context.Context, tenant Tenant, request *body) (answer proto.Message, err error) {
	s := r.server
	defer request.release() // a second time does nothing
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	paid, err := s.pay(tenant, r.signal, r.signal.count(request.bytes))
	if err != nil {
		return nil, err
	}
	defer func() { paid(err) }()
	d := r.decoders.Get().(decoder[C])
	size := len(request.bytes)
	var side pending
	err = r.batch.Append(ctx, func(c C) (err error) {
		side, err = d.decode(request.bytes, tenant, c, s.now())
		request.release()
		return err
	})
	accepted, refused := d.counts()
	rejected := *refused
	r.decoders.Put(d) // not after a panic
	if err != nil {
		return nil, err
	}
	if err := s.storePending(ctx, tenant, side); err != nil {
		return nil, err
	}
	s.stats.stored(r.signal.name, accepted, &rejected, size)
	return r.signal.response(rejected.total(), rejected.message()), nil
}

// storePending stores the rows that a request's items point at, and the errors
// that they carry.
func (s *Server) storePending(ctx context.Context, tenant Tenant, p pending) error {
	if p.statements != nil && len(p.statements.Entries()) > 0 {
		if err := s.statements.Append(ctx, func(c *trace.Statements) error { c.Append(p.statements); return nil }); err != nil {
			return fmt.Errorf("store statements: %w", err)
		}
		p.statements.Stored()
	}
	if p.resources != nil && len(p.resources.Entries()) > 0 {
		if err := s.resources.Append(ctx, func(c *otel.Resources) error { c.Append(p.resources); return nil }); err != nil {
			return fmt.Errorf("store resources: %w", err)
		}
		p.resources.Stored()
	}
	if len(p.errors) > 0 {
		grouping, err := s.opts.Grouping(ctx, tenant.Project)
		if err != nil {
			return fmt.Errorf("group errors: %w", err)
		}
		for i := range p.errors {
			p.errors[i].Group(grouping)
		}
		err = s.errors.Append(ctx, func(c *issue.Columns) error {
			for i := range p.errors {
				c.Append(tenant.Project, uint16(tenant.Retention.Traces), &p.errors[i])
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store errors: %w", err)
		}
	}
	return nil
}
