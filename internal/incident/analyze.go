package incident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Role is the AI role that analyses incidents.
const Role = "agent-alert-analyzer"

// analyzeJob is one run of an incident's analysis. Run tells a run from those
// before it: a job of an older one finds nothing to do.
type analyzeJob struct {
	Incident int64 `json:"incident_id"`
	Run      int64 `json:"run"`
}

// Kind implements river.JobArgs.
func (analyzeJob) Kind() string { return "incident_analyze" }

// Analyze has an incident analysed again, with the worst transactions known by
// now. The page gets the new report; it is not sent to the channels, which got
// the first. It returns fault.Conflict while an analysis is under way, unless
// that has been so for longer than one can take.
func (s *Service) Analyze(ctx context.Context, p project.ID, id int64, by string) error {
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		c, err := s.load(ctx, tx, p, id)
		if err != nil {
			return err
		}
		if busy := c.Analysis == Pending || c.Analysis == Running; busy && s.opts.Now().Sub(c.analysisSince) < analysisLost {
			return fault.New(fault.Conflict, "the incident is being analysed already")
		}
		_, err = tx.Exec(ctx, `UPDATE incident SET analysis = 'pending', analysis_run = $2, analysis_since = $3 WHERE id = $1`,
			id, c.analysisRun+1, metadb.Micros(s.opts.Now()))
		if err != nil {
			return fmt.Errorf("analyze incident: %w", err)
		}
		if err := s.note(ctx, tx, id, "analysis_requested", map[string]any{"by": by}); err != nil {
			return err
		}
		return s.opts.Jobs.Insert(ctx, tx, analyzeJob{Incident: id, Run: c.analysisRun + 1})
	})
}

// analysis is what a run found out.
type analysis struct {
	state   string // Done or Failed
	bundle  *ground.Bundle
	report  *report.Report
	masking Masking
}

// analyze is the job behind analyzeJob. Whatever goes wrong with traces or
// models, it ends in a report that is sent.
func (s *Service) analyze(ctx context.Context, args analyzeJob) error {
	c, err := s.begin(ctx, args)
	if err != nil || c == nil {
		return err
	}
	p, err := s.opts.Project(ctx, c.Project)
	if err != nil {
		return fmt.Errorf("analyze incident: %w", err)
	}
	waited := s.opts.Now().Sub(c.analysisSince)
	if left := c.settles(s.opts.Settle).Sub(s.opts.Now()); left > 0 {
		return job.Snooze(left) // and not at a later time, which the queue looks at every five seconds
	}
	patient := waited < analysisPatience

	in := c.input(s.opts.Now(), s.opts.Location)
	if in.Disturbed, err = s.disturbed(ctx, c); err != nil {
		return err
	}
	if in.Past, err = s.past(ctx, c); err != nil {
		return err
	}
	bundle, err := s.opts.Collect(ctx, c.Project, in)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the node is stopping; the job runs again
	case err != nil && patient:
		return job.Snooze(max(unreadDelay, min(waited, time.Minute)))
	case err != nil:
		s.opts.Log.ErrorContext(ctx, "analysis goes on without traces", "incident_id", c.ID, "error", err.Error())
		bundle = c.alarmOnly(s.opts.Now(), s.opts.Location)
		return s.finish(ctx, c, p, analysis{state: Failed, bundle: bundle, report: report.Deterministic(bundle, p.Language, "")})
	case waited < arrivalPatience && !c.arrived(bundle):
		return job.Snooze(arrivalDelay)
	}
	if err := s.investigate(ctx, c, p, bundle); err != nil {
		return err
	}
	a, err := s.ask(ctx, c, p, bundle)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Is(err, fault.RateLimited) && patient:
		return job.Snooze(max(time.Second, fault.As(err).RetryAfter))
	case err != nil:
		// The call stays named: its log says what was tried.
		level := slog.LevelWarn
		if errors.Is(err, ai.ErrNoModel) { // as it was set up
			level = slog.LevelInfo
		}
		s.opts.Log.Log(ctx, level, "analysis goes on without a model", "incident_id", c.ID, "error", err.Error())
		without := report.Deterministic(bundle, p.Language, ai.Reason(err))
		without.Role, without.RoleVersion, without.CallID = a.report.Role, a.report.RoleVersion, a.report.CallID
		a.report = without
	}
	return s.finish(ctx, c, p, a)
}

// settles is until when the rest of the trace is let arrive. It counts from the
// end of what matched, which was some seconds ago when the rules looked.
func (c *record) settles(within time.Duration) time.Time {
	if c.LastMatchAt.Before(c.analysisSince) {
		return c.LastMatchAt.Add(within)
	}
	return c.analysisSince.Add(within)
}

// begin marks the run as running and returns the incident, nil when the run is
// over or another has taken its place.
func (s *Service) begin(ctx context.Context, args analyzeJob) (*record, error) {
	var found *record
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		found = nil
		c, err := s.own(ctx, tx, args.Incident)
		if err != nil || c.analysisRun != args.Run || c.Analysis != Pending && c.Analysis != Running {
			return err
		}
		found = &c
		if c.Analysis == Running {
			return nil // the run before this one did not get to its end
		}
		if _, err := tx.Exec(ctx, `UPDATE incident SET analysis = 'running' WHERE id = $1`, c.ID); err != nil {
			return fmt.Errorf("begin analysis: %w", err)
		}
		return s.note(ctx, tx, c.ID, "analysis_started", nil)
	})
	return found, err
}

// ask has a model write the report. With an error the returned report holds
// nothing but the role and the call, as far as there was one.
func (s *Service) ask(ctx context.Context, c *record, p tenant.Project, bundle *ground.Bundle) (a analysis, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	a = analysis{state: Done, bundle: bundle, report: &report.Report{}}
	defer func() { // a provider's fault must not cost people their report
		if v := recover(); v != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v", v), fault.Unavailable, "the model's provider failed")
		}
	}()
	var written *report.Report
	result, err := s.opts.Ask(ctx, ai.Caller{Project: c.Project, Kind: "incident", Purpose: "incident_report", Name: "analysis", Ref: ref(c.ID)}, Role, ai.Input{
		Message:   bundle.Prompt(),
		Sensitive: bundle.Sensitive(),
		Language:  p.Language,
		Grounded:  func(answer string) bool { return len(ground.Answer(answer, bundle)) == 0 },
		Validate: func(answer string) (err error) {
			written, err = report.Parse(answer, bundle, p.Language)
			return err
		},
	})
	if result != nil {
		a.masking = Masking{Counts: result.Masked, Tokens: result.Tokens}
		a.report.Role, a.report.RoleVersion, a.report.CallID = result.Role, result.RoleVersion, result.CallID
	}
	if err != nil {
		return a, err
	}
	written.Role, written.RoleVersion, written.CallID = result.Role, result.RoleVersion, result.CallID
	written.Provider, written.Model = result.Provider, result.Model
	written.Rate(bundle)
	a.report = written
	return a, nil
}

// finish stores what a run found out and, for the first run, sends it. A run
// that is over already is left alone, so the report goes out once.
func (s *Service) finish(ctx context.Context, c *record, p tenant.Project, a analysis) error {
	now := s.opts.Now().UTC()
	a.report.CreatedAt = now
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE incident SET analysis = $3, report = $4, evidence = $5, masking = $6
			WHERE id = $1 AND analysis_run = $2 AND analysis = 'running'`,
			c.ID, c.analysisRun, a.state, encode(a.report), encode(a.bundle.Facts), encode(a.masking))
		if err != nil {
			return fmt.Errorf("store analysis: %w", err)
		}
		if n == 0 {
			return nil
		}
		r := a.report
		err = s.note(ctx, tx, c.ID, "analyzed", map[string]any{"state": a.state, "source": r.Source, "reason": r.Reason,
			"role": r.Role, "role_version": r.RoleVersion, "provider": r.Provider, "model": r.Model, "call_id": r.CallID})
		if err != nil || c.analysisRun > 1 {
			return err
		}
		after, err := s.load(ctx, tx, c.Project, c.ID)
		if err != nil || !after.Told { // of what nobody is told, nobody is sent the cause
			return err
		}
		held, err := s.holding(ctx, tx, &after)
		if err != nil || held != nil {
			return err
		}
		return s.tellReport(ctx, tx, &after, p)
	})
}

func reportTitle(language string) string {
	if language == report.English {
		return "Incident AI report"
	}
	return "인시던트 AI 리포트"
}
