// Package api is the HTTP API under /api/v1 and its OpenAPI description.
//
// It owns the protocol: routes, problems, paging, ETags, cookies, who is asked
// before anything happens. It owns no rules of the product: each resource file
// hands requests to the package whose noun it is, and domain types go out as
// they are. Every operation goes through register, which asks tenant.Can.
package api

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/audit"
	"github.com/matrix-aiops/matrix/internal/dashboard"
	"github.com/matrix-aiops/matrix/internal/flame"
	"github.com/matrix-aiops/matrix/internal/host"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/quality"
	"github.com/matrix-aiops/matrix/internal/rule"
	"github.com/matrix-aiops/matrix/internal/scrape"
	"github.com/matrix-aiops/matrix/internal/storage"
	"github.com/matrix-aiops/matrix/internal/tenant"
	"github.com/matrix-aiops/matrix/internal/tenant/oidc"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
)

//go:generate go test . -run TestTheOpenAPIDescriptionIsUpToDate -update

// Options configure the API. The stores are required.
type Options struct {
	Tenants    *tenant.Store
	Traces     *trace.Store
	Logs       *logs.Store
	Flames     *flame.Store
	Shipping   *ship.Shipper // nil: records of AI calls are not shipped
	Storage    *storage.Store
	Metrics    *metric.Engine
	Hosts      *host.Store
	Views      *view.Store
	Dashboards *dashboard.Store
	Issues     *issue.Store
	Rules      *rule.Store
	RuleEngine *rule.Engine
	Scrapes    *scrape.Store
	OIDC       *oidc.Service
	Outbox     *notify.Outbox
	Incidents  *incident.Service
	AI         *ai.Gateway
	Audit      *audit.Log
	Usage      *usage.Ledger
	Quality    *quality.Service
	Log        *slog.Logger
	Now        func() time.Time
	Version    string
	// BaseURL is where browsers reach MATRIX, e.g. https://matrix.example.com.
	// With https cookies are Secure whatever this process itself listens on.
	BaseURL string
	// OTLPHTTP and OTLPGRPC are the receivers' addresses as senders write them,
	// e.g. http://127.0.0.1:4318; they are shown on the set-up page.
	OTLPHTTP, OTLPGRPC string
	// Dev says that the receivers need no key on loopback.
	Dev bool
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Seed gives a new project what it starts with, in the transaction that
	// makes it: its default rules.
	Seed func(ctx context.Context, tx *metadb.Tx, p tenant.Project) error
	// Ready are the dependencies /readyz asks.
	Ready []Check
	// Models answers clients of model services below /v1/; nil answers none. It
	// asks Asking who they are.
	Models http.Handler
	// Provisioning answers directories below /scim/v2/; nil answers none. It asks
	// for their tokens itself.
	Provisioning http.Handler
	// UI serves every path that is not the API's; nil serves none.
	UI http.Handler
}

// Check is one dependency: Ask returns nil when it can be used.
type Check struct {
	Name string
	Ask  func(ctx context.Context) error
}

type server struct {
	opts    Options
	log     *slog.Logger
	tenants *tenant.Store
	now     func() time.Time
	api     huma.API
	schemas schemas
	failure *huma.Response // what every operation answers when it does not work
	https   bool           // BaseURL says so
	origin  string         // of BaseURL, "" without
}

// routes is the mux, which remembers what was put into it: a test asks of every
// pattern who may call it.
type routes struct {
	*http.ServeMux
	patterns []string
}

// Handle implements what http.ServeMux has.
func (r *routes) Handle(pattern string, handler http.Handler) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.Handle(pattern, handler)
}

// HandleFunc implements humago.Mux.
func (r *routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	r.Handle(pattern, http.HandlerFunc(handler))
}

// methods are those with which the path of a request can be asked. The mux knows
// them only as long as no pattern takes every method.
func (r *routes) methods(of *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		asked := *of
		asked.Method = method
		if _, pattern := r.Handler(&asked); strings.HasPrefix(pattern, method+" ") {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// New returns the handler of the whole HTTP surface but telemetry: /api,
// /healthz, /readyz, and the UI on every other path.
func New(opts Options) (http.Handler, error) {
	s, mux, err := build(opts)
	if err != nil {
		return nil, err
	}
	return s.wrap(mux), nil
}

func build(opts Options) (*server, *routes, error) {
	for store, given := range map[string]bool{
		"AI":         opts.AI != nil,
		"Audit":      opts.Audit != nil,
		"Dashboards": opts.Dashboards != nil,
		"Flames":     opts.Flames != nil,
		"Hosts":      opts.Hosts != nil,
		"Incidents":  opts.Incidents != nil,
		"Issues":     opts.Issues != nil,
		"Logs":       opts.Logs != nil,
		"Metrics":    opts.Metrics != nil,
		"OIDC":       opts.OIDC != nil,
		"Outbox":     opts.Outbox != nil,
		"Quality":    opts.Quality != nil,
		"Rules":      opts.Rules != nil,
		"Scrapes":    opts.Scrapes != nil,
		"Storage":    opts.Storage != nil,
		"Tenants":    opts.Tenants != nil,
		"Traces":     opts.Traces != nil,
		"Usage":      opts.Usage != nil,
		"Views":      opts.Views != nil,
	} {
		if !given {
			return nil, nil, fmt.Errorf("api: Options needs %s", store)
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &server{opts: opts, tenants: opts.Tenants, now: opts.Now, schemas: schemas{},
		log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "api")}
	if opts.BaseURL != "" {
		base, err := url.Parse(opts.BaseURL)
		if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
			return nil, nil, fmt.Errorf("api: Options.BaseURL %q is not like https://matrix.example.com", opts.BaseURL)
		}
		s.https, s.origin = base.Scheme == "https", base.Scheme+"://"+base.Host
	}
	mux := &routes{ServeMux: http.NewServeMux()}
	config := huma.DefaultConfig("MATRIX", "1")
	config.CreateHooks = nil // no $schema members in bodies
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Components.Schemas = huma.NewMapRegistry(schemaPath, s.schemas.name)
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[trace.Kind](), reflect.TypeFor[spanKind]())
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[trace.Status](), reflect.TypeFor[spanStatus]())
	config.Transformers = []huma.Transformer{reshape, withVeil}
	config.Info.Description = "Observability with a second opinion: traces, incidents and the reports written about them."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: plainCookie, Description: "made by POST /api/v1/session"},
		"token":   {Type: "http", Scheme: "bearer", Description: "an API token, mtx_api_…"},
	}
	s.api = humago.New(mux, config)
	s.failure = &huma.Response{Description: "Problem", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: config.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
	}}
	s.resources()
	if err := s.describe(mux); err != nil {
		return nil, nil, err
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		if allowed := mux.methods(r); len(allowed) > 0 {
			writeProblem(w, &Problem{Kind: "method_not_allowed", Title: http.StatusText(http.StatusMethodNotAllowed),
				Status: http.StatusMethodNotAllowed, Detail: "this path is asked with " + strings.Join(allowed, " or "),
				header: http.Header{"Allow": {strings.Join(allowed, ", ")}}})
			return
		}
		writeProblem(w, &Problem{Kind: "not_found", Title: http.StatusText(http.StatusNotFound),
			Status: http.StatusNotFound, Detail: "there is no such path in this API"})
	})
	if opts.Models != nil {
		mux.Handle(modelPaths, opts.Models)
	}
	if opts.Provisioning != nil {
		mux.Handle(provisioningPaths, opts.Provisioning)
	}
	if opts.UI != nil {
		mux.Handle("/", opts.UI)
	}
	return s, mux, nil
}

// resources registers every resource, one file each.
func (s *server) resources() {
	s.registerSystem()
	s.registerSession()
	s.registerSignIn()
	s.registerOIDC()
	s.registerProvisioning()
	s.registerUsers()
	s.registerOrgs()
	s.registerAudit()
	s.registerProjects()
	s.registerHome()
	s.registerTraces()
	s.registerLogs()
	s.registerProfiles()
	s.registerPrometheus()
	s.registerHosts()
	s.registerViews()
	s.registerDashboards()
	s.registerServices()
	s.registerStatements()
	s.registerMap()
	s.registerJaeger()
	s.registerJaegerV3()
	s.registerRules()
	s.registerRuleSets()
	s.registerChannels()
	s.registerRouting()
	s.registerNotifications()
	s.registerIncidents()
	s.registerSilences()
	s.registerIncidentLinks()
	s.registerSlack()
	s.registerRoles()
	s.registerRuns()
	s.registerCalls()
	s.registerQuality()
	s.registerExperiments()
	s.registerTries()
	s.registerMasking()
	s.registerPrices()
	s.registerProviders()
	s.registerModels()
	s.registerBudgets()
	s.registerUsage()
	s.registerIssues()
	s.registerScrape()
}
