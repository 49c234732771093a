package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/api"
	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clock"
	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/host"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/ingest"
	"github.com/matrix-aiops/matrix/internal/investigate"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/alimtalk"
	"github.com/matrix-aiops/matrix/internal/notify/console"
	"github.com/matrix-aiops/matrix/internal/notify/email"
	"github.com/matrix-aiops/matrix/internal/notify/kakaowork"
	"github.com/matrix-aiops/matrix/internal/notify/opsgenie"
	"github.com/matrix-aiops/matrix/internal/notify/pagerduty"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/notify/teams"
	"github.com/matrix-aiops/matrix/internal/notify/telegram"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/scim"
	"github.com/matrix-aiops/matrix/internal/scrape"
	"github.com/matrix-aiops/matrix/internal/secret"
	"github.com/matrix-aiops/matrix/internal/storage"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
	"github.com/matrix-aiops/matrix/web"
)

// evaluateEvery is how often the rules, and what makes issues of errors, look at
// what has arrived, unless the configuration says otherwise of the rules.
const evaluateEvery = 10 * time.Second

// settle is how long after the end of what matched an analysis lets the rest of a
// trace arrive: a part of the time that people wait for the evaluation anyway.
func settle(evaluate time.Duration) time.Duration { return max(evaluate/4, 500*time.Millisecond) }

// evaluateArgs is the periodic job of one shard of the rule engine.
type evaluateArgs struct {
	Shard int `json:"shard"`
}

// Kind implements job.Args.
func (evaluateArgs) Kind() string { return "rule.evaluate" }

// sweepEvery is how often telemetry that should not be there is looked for.
const sweepEvery = 5 * time.Minute

// sweepArgs is the periodic job of the storage.
type sweepArgs struct{}

// Kind implements job.Args.
func (sweepArgs) Kind() string { return "storage.sweep" }

// trackArgs is the periodic job that makes issues of errors.
type trackArgs struct{}

// Kind implements job.Args.
func (trackArgs) Kind() string { return "issue.track" }

// The edges of the service map are joined every joinEvery for the hours of
// lateEdges, and every joinAllEvery for whatever is stored: the past of a sender
// that comes late, and what was stored before there were edges.
const (
	joinEvery    = 30 * time.Second
	lateEdges    = 2 * time.Hour
	joinAllEvery = 10 * time.Minute
	allEdges     = 10 * 365 * 24 * time.Hour
)

// joinArgs is the periodic job of the service map.
type joinArgs struct {
	Back time.Duration `json:"back"`
}

// Kind implements job.Args.
func (joinArgs) Kind() string { return "trace.join_edges" }

// setup starts everything in order. Whatever has started is registered with
// onStop before the next part begins.
func (a *App) setup(ctx context.Context) error {
	// The address is taken first: links in messages carry it, and a second
	// process on the same port should fail before it touches any data.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.opts.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "the address %s is taken: choose another with --listen", a.opts.Listen)
	}
	a.listener = listener
	a.onStop("listener", func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})

	if err := a.makeDataDir(); err != nil {
		return err
	}
	node, release, err := holdNode(a.opts.DataDir)
	if err != nil {
		return err
	}
	a.onStop("node", func(context.Context) error { return release() })
	meta, err := a.openMetadata(ctx)
	if err != nil {
		return err
	}
	telemetry, err := a.openTelemetry(ctx)
	if err != nil {
		return err
	}

	queue, err := job.New(job.Options{DB: meta, Log: a.log, Node: node, Queues: map[string]int{notify.Queue: notify.Workers, quality.Queue: quality.Workers}})
	if err != nil {
		return err
	}
	audited, err := audit.New(audit.Options{DB: meta, Log: a.log, Days: a.opts.File.AuditDays})
	if err != nil {
		return err
	}
	a.onStop("audit log", audited.Close)
	audited.Register(queue)
	keys, err := secret.LoadKeyFile(cmp.Or(a.opts.File.SecretsKey, filepath.Join(a.opts.DataDir, "secrets.key")))
	if err != nil {
		return err
	}
	sealer := secret.NewSealer(keys)
	tenants, err := tenant.New(tenant.Options{DB: meta, Sealer: sealer, Log: a.log})
	if err != nil {
		return err
	}
	signIn, err := a.newSignIn(meta, tenants, sealer)
	if err != nil {
		return err
	}
	outbox, err := a.newOutbox(meta, queue, sealer, tenants)
	if err != nil {
		return err
	}
	emitter := a.newEmitter(node)
	gateway, err := a.newGateway(meta, telemetry, tenants, outbox, sealer, a.onCall(emitter))
	if err != nil {
		return err
	}
	a.onStop("models", gateway.Close)
	if err := gateway.Roles().Seed(ctx); err != nil {
		return fmt.Errorf("seed roles: %w", err)
	}
	if err := errors.Join(gateway.Services().Rewrap(ctx), gateway.RewrapThreads(ctx), outbox.Targets().Rewrap(ctx), tenants.Rewrap(ctx), signIn.Rewrap(ctx)); err != nil {
		return err
	}
	gateway.Register(queue)
	used, err := usage.New(usage.Options{DB: meta, Telemetry: telemetry, Roles: gateway.Roles()})
	if err != nil {
		return err
	}
	used.Register(queue)
	shipper, err := a.newShipper(meta, telemetry, emitter, used, queue)
	if err != nil {
		return err
	}
	answers, err := quality.New(quality.Options{
		DB: meta, Jobs: queue, AI: gateway, Log: a.log,
		Language: func(ctx context.Context, p project.ID) (string, error) {
			found, err := tenants.Project(ctx, p)
			return found.Language, err
		},
	})
	if err != nil {
		return err
	}
	answers.Register(queue)
	traces := trace.NewStore(telemetry)
	logStore, issues, views := logs.NewStore(telemetry), issue.NewStore(meta, telemetry, time.Now), view.NewStore(meta, nil)
	metrics := metric.NewEngine(metric.NewStore(telemetry), a.log)
	even := clock.New().Even
	evaluate := cmp.Or(a.opts.File.Rules.EvaluateEvery, evaluateEvery)
	incidents, err := incident.New(incident.Options{
		Settle: settle(evaluate),
		DB:     meta, Jobs: queue, Outbox: outbox,
		Project:  tenants.Project,
		Calls:    callsOf(traces),
		Even:     even,
		Key:      keys.Derive("incident links"),
		Collect:  evidence.New(traces, logStore, metrics).Collect,
		Tools:    investigate.New(traces, logStore, metrics),
		Ask:      gateway.Run,
		BaseURL:  a.URL(),
		Location: a.opts.File.Location(),
		Log:      a.log,
	})
	if err != nil {
		return err
	}
	rules := rule.NewStore(meta, time.Now)
	engine, err := rule.NewEngine(rule.EngineOptions{
		DB:      meta,
		Sources: rule.Sources{Traces: traces, Logs: logStore, Metrics: metrics, Issues: issues, Views: views, Even: even},
		OnFire:  incidents.Open, OnFailure: incidents.RuleFailed, Log: a.log,
	})
	if err != nil {
		return err
	}

	stored, err := storage.New(storage.Options{
		DB: telemetry, Tenants: tenants, Log: a.log,
		Erase: []func(context.Context, *metadb.Tx, project.ID) error{rule.Erase, notify.Erase, incident.Erase, view.Erase, dashboard.Erase, issue.Erase, scrape.Erase, quality.Erase},
	})
	if err != nil {
		return err
	}
	tracker := issue.NewTracker(issues, a.log)

	tenants.Register(queue)
	job.Handle(queue, func(ctx context.Context, args evaluateArgs) error { return engine.EvaluateShard(ctx, args.Shard) })
	for shard := range rule.Shards {
		queue.Every(evaluate, func() job.Args { return evaluateArgs{shard} })
	}
	job.Handle(queue, func(ctx context.Context, _ sweepArgs) error { return stored.Sweep(ctx) })
	queue.Every(sweepEvery, func() job.Args { return sweepArgs{} })
	job.Handle(queue, func(ctx context.Context, _ trackArgs) error { return tracker.Track(ctx) })
	queue.Every(evaluateEvery, func() job.Args { return trackArgs{} })
	job.Handle(queue, func(ctx context.Context, args joinArgs) error {
		_, err := traces.JoinEdges(ctx, time.Now().Add(-args.Back), time.Now())
		return err
	})
	queue.Every(joinEvery, func() job.Args { return joinArgs{lateEdges} })
	queue.Every(joinAllEvery, func() job.Args { return joinArgs{allEdges} })
	if err := queue.Start(ctx); err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	a.onStop("jobs", queue.Stop)
	a.onStop("key uses", tenants.Flush)
	receivers, err := a.startIngest(telemetry, tenants, issue.NewGroupings(meta, time.Now), engine)
	if err != nil {
		return err
	}

	emitter.Start(storeOwn(receivers, tenants))
	a.onStop("ai telemetry", emitter.Close)

	// The first start's credentials can be read only once: whatever may fail
	// for a reason outside, as a port that is taken, has been done before.
	seed := func(ctx context.Context, tx *metadb.Tx, p tenant.Project) error {
		return seedProject(ctx, tx, outbox, p)
	}
	if a.first, err = tenants.Bootstrap(ctx, seed); err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	if err := a.startScraping(meta, receivers.Metrics(), tenants, node); err != nil {
		return err
	}

	directories, err := scim.New(scim.Options{Tenants: tenants, Log: a.log, BaseURL: a.opts.File.BaseURL})
	if err != nil {
		return err
	}
	proxies, err := networks("trusted_proxies", a.opts.File.TrustedProxies)
	if err != nil {
		return err
	}
	return a.serve(api.Options{
		AI:         gateway,
		Audit:      audited,
		Models:     a.newModels(gateway, tenants),
		Dashboards: dashboard.NewStore(meta, nil),
		Flames:     flame.NewStore(telemetry),
		Hosts:      host.NewStore(metrics, traces),
		Incidents:  incidents,
		Issues:     issues,
		Logs:       logStore,
		Metrics:    metrics,
		OIDC:       signIn,
		Outbox:     outbox,
		Quality:    answers,
		Rules:      rules,
		RuleEngine: engine,
		Scrapes:    scrape.NewStore(meta, nil),
		Shipping:   shipper,
		Storage:    stored,
		Tenants:    tenants,
		Traces:     traces,
		Usage:      used,
		Views:      views,

		Log:            a.log,
		Version:        a.opts.Version,
		BaseURL:        a.opts.File.BaseURL,
		OTLPHTTP:       a.OTLPHTTPURL(),
		OTLPGRPC:       a.OTLPGRPCURL(),
		Dev:            a.opts.Dev,
		TrustedProxies: proxies,
		Seed:           seed,
		Ready: []api.Check{
			{Name: "telemetry", Ask: telemetry.Ping},
			{Name: "metadata", Ask: meta.Ping},
		},
		Provisioning: directories,
		UI:           web.Handler(),
	})
}

func (a *App) makeDataDir() error {
	if err := os.MkdirAll(a.opts.DataDir, 0o700); err != nil {
		return fault.Wrap(err, fault.Invalid, "the data directory %s cannot be made", a.opts.DataDir)
	}
	return nil
}

// openMetadata opens and migrates the metadata database.
func (a *App) openMetadata(ctx context.Context) (*metadb.DB, error) {
	db, err := metadb.Open(ctx, a.opts.MetaDSN())
	if err != nil {
		return nil, fmt.Errorf("open metadata: %w", err)
	}
	a.onStop("metadata", func(context.Context) error { return db.Close() })
	if err := db.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("migrate metadata: %w", err)
	}
	return db, nil
}

// openTelemetry starts the embedded engine unless servers are given, connects
// and migrates.
func (a *App) openTelemetry(ctx context.Context) (*clickhouse.DB, error) {
	dsns := a.opts.clickHouse()
	if len(dsns) == 0 {
		engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineOptions{
			Dir: a.opts.DataDir, Memory: a.opts.EngineMemory, Log: a.log, Command: a.opts.EngineCommand,
		})
		if err != nil {
			return nil, err
		}
		a.onStop("engine", engine.Stop)
		dsns = []string{engine.DSN()}
	}
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: dsns, Log: a.log})
	if err != nil {
		return nil, fmt.Errorf("open telemetry: %w", err)
	}
	a.onStop("telemetry", func(context.Context) error { db.Close(); return nil })
	for noun, migrations := range map[string][]clickhouse.Migration{
		"trace": trace.Migrations(), "logs": logs.Migrations(), "metric": metric.Migrations(), "flame": flame.Migrations(),
		"issue": issue.Migrations(),
		"ai":    ai.Migrations(),
	} {
		if err := db.Migrate(ctx, noun, migrations); err != nil {
			return nil, fmt.Errorf("migrate %s: %w", noun, err)
		}
	}
	if err := db.Migrate(ctx, "ai_ship", ship.Migrations()); err != nil { // behind the tables it looks at
		return nil, fmt.Errorf("migrate ai_ship: %w", err)
	}
	return db, nil
}

// newOutbox makes the outbox with every channel the product has.
func (a *App) newOutbox(meta *metadb.DB, queue *job.Queue, sealer *secret.Sealer, tenants *tenant.Store) (*notify.Outbox, error) {
	private, err := networks("notify.allow_networks", a.opts.File.Notify.AllowNetworks)
	if err != nil {
		return nil, err
	}
	guard := notify.Guard{Dev: a.opts.Dev, Private: private}
	client := notify.NewClient(guard)
	return notify.New(notify.Options{
		DB: meta, Jobs: queue, Sealer: sealer, Log: a.log, Location: a.opts.File.Location(), Person: api.Reader(tenants),
		Channels: []notify.Channel{
			console.New(a.opts.consoleWriter()),
			webhook.New(webhook.Options{Client: client, Guard: guard}),
			slack.New(slack.Options{Client: client, Dev: a.opts.Dev}),
			email.New(email.Options{Guard: guard}),
			teams.New(teams.Options{Client: client, Dev: a.opts.Dev}),
			telegram.New(telegram.Options{Client: client}),
			pagerduty.New(pagerduty.Options{Client: client}),
			opsgenie.New(opsgenie.Options{Client: client}),
			kakaowork.New(kakaowork.Options{Client: client}),
			alimtalk.New(alimtalk.Options{Client: client}),
		},
	})
}

// newSignIn makes what signs people in at providers of OpenID Connect. System
// admins name the addresses of these, and still every connection passes the
// guard: what it may reach in the house is for the configuration to say.
func (a *App) newSignIn(meta *metadb.DB, tenants *tenant.Store, sealer *secret.Sealer) (*oidc.Service, error) {
	private, err := networks("login.allow_networks", a.opts.File.Login.AllowNetworks)
	if err != nil {
		return nil, err
	}
	return oidc.New(oidc.Options{
		DB: meta, Tenants: tenants, Sealer: sealer, Log: a.log,
		Client: notify.NewClient(notify.Guard{Dev: a.opts.Dev, Private: private}),
	})
}

// seedProject gives a new project the alarms of the field's daily bread, a place
// where they appear without any configuration, and a first dashboard.
func seedProject(ctx context.Context, tx *metadb.Tx, outbox *notify.Outbox, p tenant.Project) error {
	if err := rule.SeedDefaults(ctx, tx, p.ID, time.Now()); err != nil {
		return err
	}
	if err := dashboard.SeedDefaults(ctx, tx, p.ID, time.Now()); err != nil {
		return err
	}
	_, err := outbox.Targets().CreateIn(ctx, tx, notify.Target{
		Project: p.ID, Kind: "console", Name: "console", Config: json.RawMessage("{}"), Enabled: true,
	}, "MATRIX")
	return err
}

// startIngest opens the OTLP receivers.
func (a *App) startIngest(telemetry *clickhouse.DB, tenants *tenant.Store, groupings *issue.Groupings, rules *rule.Engine) (*ingest.Server, error) {
	options := ingest.Options{
		GRPCListen: a.opts.OTLPGRPC, HTTPListen: a.opts.OTLPHTTP, DB: telemetry, Log: a.log, Failed: a.fail,
		MaxBody:  int64(a.opts.File.Ingest.MaxBodyMiB) << 20,
		Metrics:  metric.Limits{MaxActive: a.opts.File.Ingest.MaxActiveSeries, MaxNewPerDay: a.opts.File.Ingest.MaxNewSeriesPerDay},
		Grouping: groupings.Of, PushAlerts: rules.Push,
		Authenticate: func(ctx context.Context, key string) (ingest.Tenant, error) {
			return ingestTenant(tenants.AuthenticateKey(ctx, key))
		},
	}
	if a.opts.Dev {
		options.Dev = func(ctx context.Context) (ingest.Tenant, error) {
			return ingestTenant(tenants.AuthenticateLocal(ctx))
		}
	}
	server, err := ingest.New(options)
	if err != nil {
		return nil, fmt.Errorf("start ingest: %w", err)
	}
	server.Start()
	a.onStop("ingest", server.Stop)
	a.otlp = otlpAddresses{grpc: server.GRPCAddr(), http: server.HTTPAddr()}
	return server, nil
}

// startScraping fetches what the file says is to be scraped. It stops before
// the receivers do, whose writer it shares, and with it the limits on series.
func (a *App) startScraping(meta *metadb.DB, metrics *metric.Writer, tenants *tenant.Store, node string) error {
	entries := make([]scrape.Entry, len(a.opts.File.Scrape))
	for i, entry := range a.opts.File.Scrape {
		entries[i] = scrape.Entry{Key: entry.Key, File: entry.File}
	}
	scraper, err := scrape.New(scrape.Options{
		DB: meta, Metrics: metrics, Entries: entries, Node: node, Log: a.log,
		Authenticate: func(ctx context.Context, key string) (scrape.Project, error) {
			authenticate := tenants.AuthenticateKey
			if key == "" { // only with --dev, says Check
				authenticate = func(ctx context.Context, _ string) (project.ID, tenant.KeyLimits, error) {
					return tenants.AuthenticateLocal(ctx)
				}
			}
			id, limits, err := authenticate(ctx, key)
			return scrape.Project{ID: id, RetentionDays: limits.Retention.Metrics}, err
		},
	})
	if err != nil {
		return fmt.Errorf("start scraping: %w", err)
	}
	scraper.Start()
	a.onStop("scraping", scraper.Stop)
	return nil
}

// callsOf reads which services each service called.
func callsOf(traces *trace.Store) func(ctx context.Context, p project.ID, phase string, from, to time.Time) (map[string][]string, error) {
	return func(ctx context.Context, p project.ID, phase string, from, to time.Time) (map[string][]string, error) {
		graph, err := traces.Graph(ctx, p, trace.GraphQuery{From: from, To: to, Environment: phase})
		if err != nil {
			return nil, err
		}
		return graph.ServiceCalls(), nil
	}
}

// ingestTenant is what the receivers need of whom a key belongs to.
func ingestTenant(id project.ID, limits tenant.KeyLimits, err error) (ingest.Tenant, error) {
	return ingest.Tenant{Project: id, Retention: limits.Retention, Rate: limits.Rate}, err
}

// serve answers HTTP on the listener until Stop.
func (a *App) serve(options api.Options) error {
	handler, err := api.New(options)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           inTrace(handler),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      90 * time.Second, // from the end of the headers: reading, answering, and a slow reader
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.log.With("component", "http").Handler(), slog.LevelDebug),
	}
	go func() {
		if err := server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.fail(fmt.Errorf("serve %s: %w", a.opts.Listen, err))
		}
	}()
	a.onStop("api", func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil { // somebody does not end a request
			err = errors.Join(err, server.Close())
		}
		return err
	})
	return nil
}
