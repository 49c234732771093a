// Package usage tells what was used of models: calls, tokens and cost by
// organisation, group, person, role and model, an estimate of the month's bill,
// and the counting of costs anew when prices turn out to have been others.
//
// It reads what the gateway logged (the tables ai_calls and ai_attempts, of
// package ai) and keeps the sums of whole hours beside it (ai_usage).
package usage

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Options are what a Ledger needs; Now is time.Now when nil.
type Options struct {
	DB        *metadb.DB
	Telemetry *clickhouse.DB
	Roles     *ai.Roles // their prices
	Now       func() time.Time
}

// Ledger adds up what was used. It is safe for concurrent use.
type Ledger struct {
	db        *metadb.DB
	telemetry *clickhouse.DB
	roles     *ai.Roles
	now       func() time.Time
	jobs      *job.Queue // nil before Register
}

// New returns a ledger over the calls of a gateway.
func New(opts Options) (*Ledger, error) {
	if opts.DB == nil || opts.Telemetry == nil || opts.Roles == nil {
		return nil, fault.New(fault.Invalid, "usage: DB, Telemetry and Roles are required")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Ledger{db: opts.DB, telemetry: opts.Telemetry, roles: opts.Roles, now: opts.Now}, nil
}

// Register makes the queue add up calls by hour, and count costs again when
// somebody asks for it.
func (l *Ledger) Register(q *job.Queue) {
	l.jobs = q
	job.Handle(q, func(ctx context.Context, _ rollArgs) error { return l.AddUp(ctx) })
	q.Every(rollEvery, func() job.Args { return rollArgs{} })
	job.Handle(q, func(ctx context.Context, args recountArgs) error { return l.recount(ctx, args.ID) })
}
