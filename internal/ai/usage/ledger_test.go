package usage_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/usage"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

const (
	shop   project.ID = 7
	bakery project.ID = 8
	writer            = "writer"
)

var caller = ai.Caller{Project: shop, Kind: "incident", Name: "analyzer", Ref: "incident/12"}

// books is a ledger over the calls of gateways, on real stores and a clock of its own.
type books struct {
	*usage.Ledger
	roles     *ai.Roles
	telemetry *clickhouse.DB
	db        *metadb.DB
	mu        sync.Mutex
	now       time.Time
}

func (b *books) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *books) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func open(t *testing.T, db *metadb.DB) *books {
	t.Helper()
	b := &books{db: db, telemetry: clickhousetest.New(t), now: time.Now().Truncate(time.Millisecond)}
	if err := b.telemetry.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	g := b.gateway(t, ai.Usage{})
	b.roles, b.Ledger = g.Roles(), b.ledger(t, g)
	if err := b.roles.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.roles.Create(t.Context(), ai.Role{Code: writer, SystemMessage: "Write."}, "kim"); err != nil {
		t.Fatal(err)
	}
	return b
}

// spending is a provider whose every answer used the same.
type spending ai.Usage

// Complete implements ai.Provider.
func (s spending) Complete(context.Context, ai.Request, func(ai.Piece) error) (ai.Response, error) {
	return ai.Response{Text: "good", Usage: ai.Usage(s)}, nil
}

// gateway is a node on the stores whose model uses that much for each call.
func (b *books) gateway(t *testing.T, used ai.Usage) *ai.Gateway {
	t.Helper()
	g, err := ai.New(ai.Options{DB: b.db, Telemetry: b.telemetry, Dir: t.TempDir(), Now: b.clock,
		Services:     map[string]ai.Service{"openai": {Kind: "test", Provider: spending(used), Keys: []ai.Key{{Alias: "main", Secret: "sk-main"}}}},
		DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-4.1-mini"}},
		Place: func(_ context.Context, p project.ID) (org, group int64, err error) {
			return int64(p) * 10, int64(p) * 100, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

// ledger is that of another node.
func (b *books) ledger(t *testing.T, g *ai.Gateway) *usage.Ledger {
	t.Helper()
	l, err := usage.New(usage.Options{DB: b.db, Telemetry: b.telemetry, Roles: g.Roles(), Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ask makes a call through a node and waits until it is logged.
func ask(t *testing.T, g *ai.Gateway, caller ai.Caller) *ai.Result {
	t.Helper()
	result, err := g.Run(t.Context(), caller, writer, ai.Input{Message: "hello"})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return result
}

func (b *books) price(t *testing.T, p ai.Price) *ai.Price {
	t.Helper()
	p.Provider, p.Model = "openai", "gpt-4.1-mini"
	stored, err := b.roles.SetPrice(t.Context(), p, "kim")
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func dollars(usd float64) *float64 { return &usd }

func costs(got *float64, want float64) bool { return got != nil && math.Abs(*got-want) < 1e-12 }
