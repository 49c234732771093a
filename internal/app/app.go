package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// App is one node of MATRIX.
type App struct {
	opts Options
	log  *slog.Logger

	listener net.Listener
	otlp     otlpAddresses
	first    *tenant.FirstStart
	failed   chan error

	mu    sync.Mutex
	stops []stop // in the order of starting
}

type stop struct {
	name string
	fn   func(context.Context) error
}

type otlpAddresses struct{ grpc, http string }

// New returns an app that has not started. The options must have passed Check.
func New(opts Options, log *slog.Logger) *App {
	return &App{opts: opts, log: log, failed: make(chan error, 1)}
}

// Start brings every part up in order and returns when MATRIX answers. When a
// part fails, those before it are stopped again and the error says which it was.
func (a *App) Start(ctx context.Context) error {
	if err := a.setup(ctx); err != nil {
		// The reason for stopping may be ctx itself.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return errors.Join(err, a.Stop(clean))
	}
	return nil
}

// onStop registers what undoes a start; Stop runs them in reverse.
func (a *App) onStop(name string, fn func(context.Context) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stops = append(a.stops, stop{name, fn})
}

// Stop ends every part in the reverse order of its start: first nothing new is
// taken, then what was taken is finished, then the stores close. Every part is
// stopped even when one before it fails, and none may use up the time of those
// after it: each gets a third of what is left until ctx's deadline. It may be
// called more than once.
func (a *App) Stop(ctx context.Context) error {
	a.mu.Lock()
	stops := a.stops
	a.stops = nil
	a.mu.Unlock()
	var errs []error
	for i := len(stops) - 1; i >= 0; i-- {
		started := time.Now()
		if err := stops[i].within(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", stops[i].name, err))
		}
		a.log.Debug("stopped", "component", stops[i].name, "took", time.Since(started))
	}
	return errors.Join(errs...)
}

func (s stop) within(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/3)
		defer cancel()
		ctx = share
	}
	return s.fn(ctx)
}

// fail reports that a listener ended by itself; the process should stop.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Failed delivers the error of a part that has ended by itself after Start.
func (a *App) Failed() <-chan error { return a.failed }

// FirstStart returns the credentials made by this start when it was the very
// first on its metadata database, otherwise nil. They are readable only here.
func (a *App) FirstStart() *tenant.FirstStart { return a.first }

// URL returns where people reach this node's UI.
func (a *App) URL() string {
	return cmp.Or(a.opts.File.BaseURL, "http://"+dialable(a.listener.Addr().String()))
}

// OTLPHTTPURL returns where senders reach the OTLP/HTTP receiver.
func (a *App) OTLPHTTPURL() string {
	return cmp.Or(a.opts.File.OTLPURL, "http://"+dialable(a.otlp.http))
}

// OTLPGRPCURL returns where senders reach the OTLP/gRPC receiver, as SDKs want
// it in OTEL_EXPORTER_OTLP_ENDPOINT.
func (a *App) OTLPGRPCURL() string {
	return cmp.Or(a.opts.File.OTLPGRPCURL, "http://"+dialable(a.otlp.grpc))
}

// dialable replaces an address that stands for every interface, which nobody
// can open, by one that works on this machine.
func dialable(address string) string {
	listening, err := netip.ParseAddrPort(address)
	if err != nil || !listening.Addr().IsUnspecified() {
		return address
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), listening.Port()).String()
}
