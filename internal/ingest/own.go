package ingest

import (
	"cmp"
	"context"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Store takes an OTLP request, as protobuf, that this process itself makes for a
// tenant: without a port and a key, and otherwise as those of everybody else,
// rates included. It returns when its items are stored. Signals are traces, logs
// and metrics.
func (s *Server) Store(ctx context.Context, t Tenant, signal string, request []byte) error {
	for _, days := range t.Retention.BySignal() {
		*days = cmp.Or(*days, defaultRetentionDays)
	}
	for i := range s.ports {
		if s.ports[i].name != signal {
			continue
		}
		b := s.newBody(t)
		if err := b.hold(int64(cap(request))); err != nil {
			return err
		}
		b.bytes = request
		_, err := s.ports[i].export(ctx, t, b)
		b.release()
		return err
	}
	return fault.New(fault.Invalid, "there is no signal %q", signal)
}
