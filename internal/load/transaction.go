package load

import (
	"encoding/binary"
	"fmt"
	"iter"
	"time"
)

// Transaction is a server span of a run, as whoever sent it knows it.
type Transaction struct {
	TraceID  [16]byte
	SpanID   uint64
	Service  string
	Endpoint string
	Customer string        // the attribute customer.id; "" in the shape 20x9
	Ended    int64         // unix ns
	Elapsed  time.Duration // at most 400.05 ms
	Failed   bool
}

// Transactions lists the server spans of a run of traces, request by request. Their times follow from the
// options only when these name Over and Until, as the ids do only with a Seed.
func Transactions(opts Options) (iter.Seq[Transaction], error) {
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	t := newTemplates(shapes[opts.Shape], opts.Batch)
	return func(yield func(Transaction) bool) {
		for n := range opts.requests() {
			from, at := t.template(n), opts.moment(n, opts.Now())
			service := serviceName(int(n % serviceCount))
			for i, said := range from.hops {
				place := &from.spans[i*t.shape.spansPerHop]
				high, low := traceID(opts.Seed, n/hops, i)
				start, end := place.times(high, low, at.of(i, len(from.hops)))
				out := Transaction{
					SpanID: spanID(opts.Seed, n, i*t.shape.spansPerHop), Service: service, Endpoint: said.endpoint,
					Ended: int64(end), Elapsed: time.Duration(end - start), Failed: said.failed,
				}
				binary.BigEndian.PutUint64(out.TraceID[:], high)
				binary.BigEndian.PutUint64(out.TraceID[8:], low)
				if place.customer != 0 {
					number := []byte("c-00000000")
					digits(number[2:], customer(low))
					out.Customer = string(number)
				}
				if !yield(out) {
					return
				}
			}
		}
	}, nil
}
