package ai

import (
	"context"
	"errors"
	"time"

	"github.com/matrix-aiops/matrix/internal/job"
)

// pruneArgs is the job that forgets what was used of budgets long ago, and
// conversations that nobody goes on with.
type pruneArgs struct{}

// Kind implements job.Args.
func (pruneArgs) Kind() string { return "ai_prune_budgets" }

// Register makes the queue prune once a day.
func (g *Gateway) Register(q *job.Queue) {
	job.Handle(q, func(ctx context.Context, _ pruneArgs) error { return errors.Join(g.prune(ctx), g.pruneThreads(ctx)) })
	q.Every(24*time.Hour, func() job.Args { return pruneArgs{} })
}
