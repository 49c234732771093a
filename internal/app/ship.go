package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/emit"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ingest"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// shipEvery is how often records of AI calls are brought to the search engine.
const shipEvery = 10 * time.Second

// shipArgs is the periodic job that does it.
type shipArgs struct{}

// Kind implements job.Args.
func (shipArgs) Kind() string { return "ai.ship" }

// newShipper brings records of AI calls to a search engine, when there is one.
func (a *App) newShipper(meta *metadb.DB, telemetry *clickhouse.DB, emitter *emit.Emitter, used *usage.Ledger, queue *job.Queue) (*ship.Shipper, error) {
	f := a.opts.File.AI.Search
	if len(f.URLs) == 0 {
		return nil, nil
	}
	var ca []byte
	if f.CAFile != "" {
		var err error
		if ca, err = os.ReadFile(f.CAFile); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "ai.search.ca_file %s cannot be read", f.CAFile)
		}
	}
	opts := ship.Options{DB: meta, Telemetry: telemetry, URLs: f.URLs, User: f.User, Password: f.Password, APIKey: f.APIKey, CA: ca,
		Index: f.Index, Lifecycle: f.Lifecycle, Changed: used.Recounting, Log: a.log}
	if a.emits() {
		opts.OnShipped = emitter.Shipped
	}
	shipper, err := ship.New(opts)
	if err != nil {
		return nil, fmt.Errorf("ai.search: %w", err)
	}
	a.onStop("shipping", func(context.Context) error { return shipper.Close() })
	job.Handle(queue, func(ctx context.Context, _ shipArgs) error { return shipper.Run(ctx) })
	queue.Every(shipEvery, func() job.Args { return shipArgs{} })
	return shipper, nil
}

// check validates what can be known of a search engine without asking it.
func (f FileSearch) check() error {
	if len(f.URLs) == 0 {
		if f.User+f.Password+f.APIKey+f.CAFile+f.Index+f.Lifecycle != "" {
			return fault.New(fault.Invalid, "ai.search.urls must name the nodes of the search engine").WithField("ai.search.urls")
		}
		return nil
	}
	for _, address := range f.URLs {
		// The address may hold a password, and is not repeated.
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fault.New(fault.Invalid, "ai.search.urls: one of them is not an http(s) URL").WithField("ai.search.urls")
		}
	}
	if f.APIKey != "" && f.User != "" {
		return fault.New(fault.Invalid, "ai.search.api_key and ai.search.user are the same: give one of them").WithField("ai.search.api_key")
	}
	if !ship.ValidIndex(f.Index) {
		return fault.New(fault.Invalid, "ai.search.index %q is no name of an index: small letters, digits, and - _ . within", f.Index).WithField("ai.search.index")
	}
	return nil
}

// emits reports whether MATRIX AI tells MATRIX of its calls.
func (a *App) emits() bool { return a.opts.File.AI.Telemetry == nil || *a.opts.File.AI.Telemetry }

func (a *App) newEmitter(node string) *emit.Emitter {
	return emit.New(emit.Options{Instance: node, Version: a.opts.Version, Log: a.log})
}

// onCall is what the gateway tells of each call, nil for nothing.
func (a *App) onCall(emitter *emit.Emitter) func(context.Context, *ai.Call) {
	if !a.emits() {
		return nil
	}
	return emitter.Note
}

// storeOwn takes telemetry of this process for a project, within its limits.
func storeOwn(receivers *ingest.Server, tenants *tenant.Store) emit.Store {
	return func(ctx context.Context, p project.ID, signal string, request []byte) error {
		found, err := tenants.Project(ctx, p)
		if err != nil {
			return err
		}
		return receivers.Store(ctx, ingest.Tenant{Project: found.ID, Retention: found.Retention, Rate: found.Rate}, signal, request)
	}
}

// inTrace lets the calls of models that a request makes join its trace.
func inTrace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t, ok := ai.ParseTraceparent(r.Header.Get("Traceparent")); ok {
			r = r.WithContext(ai.WithTrace(r.Context(), t))
		}
		next.ServeHTTP(w, r)
	})
}
