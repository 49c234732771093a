package quality

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Queue is the one that experiments run in, with Workers of its own: they do not
// hold up the analysis of incidents.
const (
	Queue   = "playground"
	Workers = 2
)

const (
	atOnce     = 4               // cells of one experiment
	cellWithin = 2 * time.Minute // one cell
	sliceOf    = 2 * time.Minute // that a job begins cells; then another job goes on
	lookEvery  = time.Second     // whether the experiment was cancelled
)

// experimentJob runs the cells of an experiment that wait.
type experimentJob struct {
	Experiment int64 `json:"experiment"`
	Run        int64 `json:"run"`
}

// Kind implements job.Args.
func (experimentJob) Kind() string { return "ai_experiment" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (experimentJob) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Queue} }

// errCancelled is the cause of a context of an experiment that was cancelled.
var errCancelled = errors.New("the experiment was cancelled")

// runExperiment asks what waits. Finished cells are stored one by one, so a job
// that is run again after a crash repeats only those that were under way.
func (s *Service) runExperiment(ctx context.Context, args experimentJob) error {
	e, made, run, err := s.current(ctx, args.Experiment)
	if err != nil {
		return err
	}
	if run != args.Run || e.State != Running {
		return nil
	}
	waiting, err := s.waiting(ctx, e.ID)
	if err != nil {
		return err
	}
	spent, err := s.spent(ctx, e.ID)
	if err != nil {
		return err
	}
	r := &runner{s: s, e: e, made: made, run: run, spent: spent, until: s.now().Add(sliceOf)}
	cells, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin, halt := context.WithCancelCause(cells) // a limit begins no more cells, and lets those under way end
	defer halt(nil)
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(cells, cancel) })
	var working sync.WaitGroup
	next := make(chan cell)
	for range atOnce {
		working.Go(func() {
			for c := range next {
				err := r.ask(cells, c)
				switch {
				case errors.As(err, new(limit)):
					halt(err)
				case err != nil:
					cancel(err)
				}
			}
		})
	}
	left := false
	for _, c := range waiting {
		if s.now().After(r.until) {
			left = true
			break
		}
		select {
		case next <- c:
			continue
		case <-begin.Done():
		}
		break
	}
	close(next)
	working.Wait()
	cause := context.Cause(begin) // that of cells, when those ended
	cancel(nil)
	watching.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the node is stopping; the job runs again
	case errors.Is(cause, errCancelled):
		return nil
	case cause != nil:
		return s.stopped(ctx, e.ID, run, cause)
	case left:
		return job.Snooze(0)
	}
	_, err = s.db.Exec(ctx, `UPDATE ai_experiment SET state = 'done', ended_at = $3 WHERE id = $1 AND run = $2 AND state = 'running'`, e.ID, run, metadb.Micros(s.now()))
	return err
}

// limit is why an experiment stops before its end.
type limit struct{ reason string }

func (l limit) Error() string { return l.reason }

// stopped ends an experiment that a limit stopped; any other cause is an error
// of the job, which is run again.
func (s *Service) stopped(ctx context.Context, id, run int64, cause error) error {
	var l limit
	if !errors.As(cause, &l) {
		return cause
	}
	_, err := s.db.Exec(ctx, `UPDATE ai_experiment SET state = 'stopped', reason = $3, ended_at = $4 WHERE id = $1 AND run = $2 AND state = 'running'`,
		id, run, l.reason, metadb.Micros(s.now()))
	return err
}

// runner is one run of the job.
type runner struct {
	s     *Service
	e     *Experiment
	made  *plan
	run   int64
	until time.Time

	mu    sync.Mutex
	spent float64 // USD, of all cells so far
}

// cell is one that waits.
type cell struct{ number, variant, input int }

// watch cancels the cells when the experiment is no longer to run.
func (r *runner) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		var state string
		var run int64
		err := r.s.db.QueryRow(ctx, `SELECT state, run FROM ai_experiment WHERE id = $1`, r.e.ID).Scan(&state, &run)
		if errors.Is(err, metadb.ErrNoRows) || err == nil && (state != Running || run != r.run) {
			cancel(errCancelled)
			return
		}
	}
}

// ask asks one cell and stores what became of it. Its error ends the run.
func (r *runner) ask(ctx context.Context, c cell) error {
	if ctx.Err() != nil {
		return nil
	}
	r.mu.Lock()
	spent := r.spent
	r.mu.Unlock()
	if r.made.MaxCostUSD > 0 && spent >= r.made.MaxCostUSD {
		return limit{fmt.Sprintf("the bound of %g USD is reached", r.made.MaxCostUSD)}
	}
	v, in := &r.made.Variants[c.variant], &r.made.Asked[c.input]
	out := Outcome{Dropped: []string{}, Unstated: []string{}}
	stored, err := r.s.ai.Roles().At(ctx, r.made.Owner, r.made.Role, v.Version)
	var result *ai.Result
	if err == nil {
		asked := in.input(v, r.made.Language)
		if r.made.Ground {
			asked.Grounded = grounded(in.text(), &out)
		}
		limited, cancel := context.WithTimeout(ctx, cellWithin)
		defer cancel()
		caller := ai.Caller{Project: r.e.project, Kind: KindExperiment, Name: r.e.CreatedBy, Ref: fmt.Sprintf("experiment/%d", r.e.ID), Person: r.e.person}
		result, err = r.s.ai.Try(limited, caller, v.role(*stored), asked)
	}
	if ctx.Err() != nil {
		return nil // given up; it waits on
	}
	if result == nil && fault.Is(err, fault.RateLimited) {
		return limit{fault.As(err).Message}
	}
	out.record(result, err)
	out.FinishedAt = r.s.now().UTC().Truncate(time.Millisecond)
	if out.Usage.CostUSD != nil {
		r.mu.Lock()
		r.spent += *out.Usage.CostUSD
		r.mu.Unlock()
	}
	state := OK
	if err != nil {
		state = Failed
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("write cell: %w", err)
	}
	_, err = r.s.db.Exec(ctx, `UPDATE ai_experiment_cell SET state = $3, body = $4 WHERE experiment_id = $1 AND number = $2 AND state = 'waiting'`, r.e.ID, c.number, state, string(body))
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("store cell: %w", err)
	}
	return nil
}

// grounded checks the first answer against a text, and notes in out what it
// states beyond it.
func grounded(text string, out *Outcome) func(answer string) bool {
	facts := ground.Read(text)
	return func(answer string) bool {
		found := ground.Answer(answer, facts)
		if out != nil {
			ok := len(found) == 0
			out.Grounded = &ok
			for _, v := range found[:min(len(found), 20)] {
				out.Unstated = append(out.Unstated, v.String())
			}
		}
		return len(found) == 0
	}
}

// record is what a call made of the cell.
func (o *Outcome) record(result *ai.Result, err error) {
	if err != nil {
		o.Error = "the call failed"
		if f := fault.As(err); f != nil {
			o.Error = f.Message
		} else if errors.Is(err, context.DeadlineExceeded) {
			o.Error = fmt.Sprintf("no answer within %s", cellWithin)
		}
	}
	if result == nil {
		return
	}
	o.CallID, o.Answer, o.Model, o.LatencyMs, o.Usage = result.CallID, result.Text, result.Model, result.LatencyMs, result.Usage
	if result.Dropped != nil {
		o.Dropped = result.Dropped
	}
	for _, a := range result.Attempts {
		if a.Status != ai.AttemptSkipped {
			o.Attempts++
		}
		if a.Status == ai.AttemptInvalid { // the answer that was refused is what one wants to see
			invalid := false
			o.Valid, o.Answer = &invalid, a.Answer
		}
	}
	if err == nil {
		o.Answer, o.Valid = result.Text, nil
		if result.Structured {
			valid := true
			o.Valid = &valid
		}
	}
}
