package ai

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/job"
)

// flushArgs is the job that moves waiting call records to the engine.
type flushArgs struct{}

// Kind implements job.Args.
func (flushArgs) Kind() string { return "ai_flush_calls" }

// Register makes the queue flush waiting call records once a minute.
func (g *Gateway) Register(q *job.Queue) {
	job.Handle(q, func(ctx context.Context, _ flushArgs) error { return g.Flush(ctx) })
	q.Every(time.Minute, func() job.Args { return flushArgs{} })
}
