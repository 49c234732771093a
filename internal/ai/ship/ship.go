package ship

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchtransport"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Options say where records go. DB and Telemetry, both migrated, and URLs are required.
type Options struct {
	DB        *metadb.DB
	Telemetry *clickhouse.DB
	URLs      []string // of the nodes, such as https://search.internal:9200
	User      string
	Password  string
	APIKey    string // instead of User and Password, as Elasticsearch encodes it
	CA        []byte // PEM; nil trusts what the machine trusts
	// Index is the prefix of the data streams: <index>-calls and <index>-attempts.
	// Default matrix-ai.
	Index string
	// Lifecycle is the ILM policy that new indices get, of Elasticsearch only; ""
	// for none. OpenSearch's ISM policies name the indices they are for themselves.
	Lifecycle string
	// Settle is how old a record must be before it is read; default, and never
	// less outside tests, longer than storing one may take: ai.StoreWithin.
	Settle time.Duration
	// Changed reports whether records that were stored before may have been changed
	// and stored again within a time; nil: they never are.
	Changed func(ctx context.Context, from, to time.Time) (bool, error)
	// OnShipped is told of documents that were acknowledged or refused for good.
	OnShipped func(p project.ID, shipped, refused int)
	Log       *slog.Logger
	Now       func() time.Time
	// Wait pauses when the destination has too much to do; nil is a timer. For tests.
	Wait func(context.Context, time.Duration) error
}

const (
	batchCalls = 500
	batchBytes = 8 << 20 // of texts
	bulkBytes  = 5 << 20 // of one request
	runFor     = 3 * time.Minute
	holdFor    = 5 * time.Minute // that a process may ship without saying so again
	askWithin  = time.Minute     // an answer of the destination
	settle     = ai.StoreWithin + 5*time.Second
	longest    = time.Minute // pause after failures
)

// Shipper brings records to one destination. Run is called by one goroutine at a time.
type Shipper struct {
	opts   Options
	client *opensearch.Client
	log    *slog.Logger
	holder string

	ready   string // cluster whose template was looked at
	sure    bool   // nothing of what comes next was ever sent
	failing bool
}

var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,99}$`)

// ValidIndex reports whether Options.Index may be name.
func ValidIndex(name string) bool { return name == "" || indexName.MatchString(name) }

// New returns a Shipper, to be closed. It asks the destination nothing yet.
func New(opts Options) (*Shipper, error) {
	opts.Index = cmp.Or(opts.Index, "matrix-ai")
	switch {
	case opts.DB == nil || opts.Telemetry == nil:
		return nil, fault.New(fault.Invalid, "ship: DB and Telemetry are required")
	case len(opts.URLs) == 0:
		return nil, fault.New(fault.Invalid, "ship: no URL of a destination").WithField("urls")
	case !ValidIndex(opts.Index):
		return nil, fault.New(fault.Invalid, "%q is no name of an index: small letters, digits, and - _ . within", opts.Index).WithField("index")
	case opts.APIKey != "" && opts.User != "":
		return nil, fault.New(fault.Invalid, "an API key and a user were given: give one of them").WithField("api_key")
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "ship")
	opts.Settle = cmp.Or(opts.Settle, settle)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Wait == nil {
		opts.Wait = wait
	}
	client, err := connect(opts)
	if err != nil {
		return nil, err
	}
	return &Shipper{opts: opts, client: client, log: opts.Log, holder: rand.Text()}, nil
}

// connect makes the client. When to ask again is decided here and not by it; and
// it asks nothing by itself, of which a user who may only write might not know.
func connect(opts Options) (*opensearch.Client, error) {
	config := opensearchtransport.Config{
		Username: opts.User, Password: opts.Password, Header: http.Header{}, CACert: opts.CA,
		DisableRetry: true, RequestTimeout: askWithin, CompressRequestBody: true,
		HealthCheckMaxRetries: -1, MaxRetryClusterHealth: -1, NodeStatsInterval: -1,
	}
	if opts.APIKey != "" {
		config.Header.Set("Authorization", "ApiKey "+opts.APIKey)
	}
	for _, address := range opts.URLs {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" { // the error would quote what may be a password
			return nil, fault.New(fault.Invalid, "a URL of the destination is none").WithField("urls")
		}
		if u.User != nil && config.Username == "" {
			config.Username = u.User.Username()
			config.Password, _ = u.User.Password()
		}
		u.User = nil
		config.URLs = append(config.URLs, u)
	}
	transport, err := opensearchtransport.New(config)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the destination of AI calls cannot be used")
	}
	return &opensearch.Client{Transport: transport}, nil
}

// Close ends the connections.
func (s *Shipper) Close() error { return s.client.Close() }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run ships what has arrived, for at most a few minutes. A destination that
// cannot take it is no error: it is noted, logged once, and asked again by a
// later run, after a pause that grows. While another process ships, Run does nothing.
func (s *Shipper) Run(ctx context.Context) error {
	cluster, err := s.cluster(ctx)
	if err != nil {
		return s.failed(ctx, "", err)
	}
	at, err := s.hold(ctx, cluster)
	if err != nil || at == nil {
		return err
	}
	if err := s.ship(ctx, at); err != nil {
		return s.failed(ctx, cluster, err)
	}
	if s.failing {
		s.failing = false
		s.log.InfoContext(ctx, "records of ai calls are shipped again", "destination", s.opts.Index)
	}
	return s.letGo(ctx, at)
}

// ship sends batch after batch, and notes each that was acknowledged.
func (s *Shipper) ship(ctx context.Context, at *position) error {
	if s.ready != at.cluster {
		if err := s.prepare(ctx); err != nil {
			return err
		}
		s.ready = at.cluster
	}
	for deadline := s.opts.Now().Add(runFor); s.opts.Now().Before(deadline); {
		keys, first, last, err := s.arrived(ctx, at)
		if err != nil || len(keys) == 0 {
			return err
		}
		changed, err := s.changed(ctx, first, last)
		if err != nil {
			return err
		}
		calls, err := ai.LoadCalls(ctx, s.opts.Telemetry, keys)
		if err != nil {
			return err
		}
		docs, err := s.documents(calls)
		if err != nil {
			return err
		}
		all := docs
		if !s.sure || changed {
			if docs, err = s.missing(ctx, docs, changed); err != nil {
				return err
			}
		}
		s.sure = false // until it is noted
		refused, err := s.send(ctx, docs)
		if err != nil {
			return err
		}
		held, err := s.advance(ctx, at, last, len(all)-len(refused), len(refused))
		if err != nil || !held {
			return err
		}
		s.sure = true
		s.told(all, refused)
	}
	return nil
}

// told reports what became of a batch.
func (s *Shipper) told(all, refused []document) {
	if s.opts.OnShipped == nil {
		return
	}
	type count struct{ shipped, refused int }
	counts := map[project.ID]count{}
	for _, d := range all {
		c := counts[d.project]
		c.shipped++
		counts[d.project] = c
	}
	for _, d := range refused {
		c := counts[d.project]
		c.shipped--
		c.refused++
		counts[d.project] = c
	}
	for p, c := range counts {
		s.opts.OnShipped(p, c.shipped, c.refused)
	}
}

// arrived reads the next keys behind a position, in the order of their arrival.
func (s *Shipper) arrived(ctx context.Context, at *position) (keys []ai.CallKey, first, last mark, err error) {
	var rows []struct {
		Project uint32    `ch:"project_id"`
		At      time.Time `ch:"at"`
		CallID  string    `ch:"call_id"`
		Bytes   uint64    `ch:"bytes"`
		Stamp   int64     `ch:"stamp"`
	}
	err = s.opts.Telemetry.SystemSelect(ctx, &rows, `SELECT project_id, at, call_id, bytes, toUnixTimestamp64Micro(arrived) AS stamp FROM ai_arrivals
		WHERE arrived >= fromUnixTimestamp64Micro({stamp:Int64}) AND (arrived, call_id) > (fromUnixTimestamp64Micro({stamp:Int64}), {id:String})
			AND arrived <= now64(6) - toIntervalMicrosecond({settle:Int64})
		ORDER BY arrived, call_id LIMIT {limit:UInt64}`,
		clickhouse.P("stamp", at.arrived), clickhouse.P("id", at.callID), clickhouse.P("settle", s.opts.Settle.Microseconds()), clickhouse.P("limit", uint64(batchCalls)))
	if err != nil {
		return nil, mark{}, mark{}, fmt.Errorf("read what calls arrived: %w", err)
	}
	var bytes uint64
	for _, r := range rows {
		if bytes += r.Bytes; bytes > batchBytes && len(keys) > 0 {
			break
		}
		keys = append(keys, ai.CallKey{Project: project.ID(r.Project), At: r.At, CallID: r.CallID})
		last = mark{r.Stamp, r.CallID}
		if len(keys) == 1 {
			first = last
		}
	}
	return keys, first, last, nil
}

// clocks is how far the clocks of engine, database and nodes may be apart.
const clocks = 10 * time.Minute

// changed reports whether records may have been stored again, changed, between two
// arrivals. Those of them that were shipped are replaced.
func (s *Shipper) changed(ctx context.Context, first, last mark) (bool, error) {
	if s.opts.Changed == nil {
		return false, nil
	}
	changed, err := s.opts.Changed(ctx, time.UnixMicro(first.arrived).Add(-clocks), time.UnixMicro(last.arrived).Add(clocks))
	if err != nil {
		return false, fmt.Errorf("ask whether records were changed: %w", err)
	}
	return changed, nil
}

// failed notes why a run ended before its time.
func (s *Shipper) failed(ctx context.Context, cluster string, err error) error {
	s.sure, s.ready = false, ""
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return ctx.Err()
	}
	if !s.failing {
		s.failing = true
		s.log.WarnContext(ctx, "records of ai calls wait for their destination", "destination", s.opts.Index, "error", err)
	}
	return s.noteFailure(ctx, cluster, describe(err))
}

// describe words a failure for the status: without what the destination may quote of a document.
func describe(err error) string {
	if f := fault.As(err); f != nil {
		return f.Message
	}
	return "the records cannot be read or sent: see the log"
}
