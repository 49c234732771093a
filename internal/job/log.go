package job

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// reporter logs each failed run once, at the edge where it ends.
type reporter struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (r reporter) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	level := slog.LevelWarn
	if job.Attempt >= job.MaxAttempts {
		level = slog.LevelError
	}
	r.log.Log(ctx, level, "job did not finish", "kind", job.Kind, "job_id", job.ID,
		"attempt", job.Attempt, "max_attempts", job.MaxAttempts, "fault", fault.KindOf(err).String(), "error", err.Error())
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (r reporter) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	r.log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job_id", job.ID,
		"attempt", job.Attempt, "panic", fmt.Sprint(value), "stack", trace)
	return nil
}

// quiet gives River a logger for its own troubles only: it reports every failed
// job as well, which reporter already does.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(errorsOnly{log.Handler()}) }

type errorsOnly struct{ slog.Handler }

// Enabled implements slog.Handler.
func (errorsOnly) Enabled(_ context.Context, level slog.Level) bool { return level > slog.LevelWarn }

// Handle implements slog.Handler. That its work was interrupted by Stop is no
// trouble of River's, though it says so.
func (h errorsOnly) Handle(ctx context.Context, r slog.Record) error {
	interrupted := false
	r.Attrs(func(a slog.Attr) bool {
		interrupted = strings.Contains(a.Value.String(), context.Canceled.Error())
		return !interrupted
	})
	if interrupted {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h errorsOnly) WithGroup(name string) slog.Handler { return errorsOnly{h.Handler.WithGroup(name)} }
