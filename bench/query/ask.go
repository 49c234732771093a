package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// asked is how long the answers to a question took.
type asked struct {
	*question
	warm, restarted []time.Duration // sorted
	first           time.Duration   // after the restart
	cost            cost            // of a warm answer
	missing         string          // why there are none, "" when there are
}

// cost is what an answer costs, whatever else the machine does meanwhile. What MATRIX does by itself is counted, too.
type cost struct {
	selects, rows  float64       // that the engine runs and reads
	matrix, engine time.Duration // CPU time
	bytes          float64       // of the body
}

// warmUp is how often a question is asked before the answers are timed.
const warmUp = 3

// asker asks.
type asker struct {
	runs   int
	engine *rig.Engine
	matrix *rig.Matrix
	user   *user
}

// all asks everything warm, and then each question again after a restart of the engine of its own, so that none
// finds what another has brought into the caches. Wrong answers are returned as an error, in the end.
func (k *asker) all(ctx context.Context, questions []*question) ([]*asked, error) {
	var all []*asked
	var wrong error
	for _, q := range questions {
		a := &asked{question: q, missing: q.why(k.user)}
		all = append(all, a)
		if a.missing != "" {
			continue
		}
		fmt.Fprintf(os.Stderr, "asking: %s …\n", q.name)
		if err := k.warm(ctx, a); err != nil {
			a.missing, wrong = "wrong", errors.Join(wrong, err)
		}
	}
	for _, a := range all {
		if a.missing != "" {
			continue
		}
		fmt.Fprintf(os.Stderr, "asking after a restart: %s …\n", a.name)
		if err := k.restarted(ctx, a); err != nil {
			a.missing, wrong = "wrong", errors.Join(wrong, err)
		}
	}
	for _, a := range all {
		slices.Sort(a.warm)
		slices.Sort(a.restarted)
	}
	return all, wrong
}

// warm asks and counts what that costs.
func (k *asker) warm(ctx context.Context, a *asked) error {
	if _, _, err := k.ask(ctx, a.question, 0, warmUp); err != nil {
		return err
	}
	selects, rows, err := k.engine.Reads(ctx)
	if err != nil {
		return err
	}
	cpu, err := rig.CPU(k.matrix.PID(), k.engine.PID())
	if err != nil {
		return err
	}
	var bytes int
	if a.warm, bytes, err = k.ask(ctx, a.question, warmUp, k.runs); err != nil {
		return err
	}
	cpuThen, err := rig.CPU(k.matrix.PID(), k.engine.PID())
	if err != nil {
		return err
	}
	selectsThen, rowsThen, err := k.engine.Reads(ctx)
	times := float64(k.runs)
	a.cost = cost{
		selects: float64(selectsThen-selects-1) / times, rows: float64(rowsThen-rows) / times, bytes: float64(bytes) / times,
		matrix: (cpuThen[0] - cpu[0]) / time.Duration(k.runs), engine: (cpuThen[1] - cpu[1]) / time.Duration(k.runs),
	}
	return err
}

// restarted asks after a restart of the engine.
func (k *asker) restarted(ctx context.Context, a *asked) (err error) {
	if err := k.engine.Restart(ctx); err != nil {
		return err
	}
	if err := k.user.ready(ctx); err != nil {
		return err
	}
	if a.restarted, _, err = k.ask(ctx, a.question, warmUp+k.runs, k.runs); err != nil {
		return err
	}
	a.first = a.restarted[0]
	return nil
}

// ask asks a question some times, from the n-th variation on, and checks every answer; checking takes no part in
// the times.
func (k *asker) ask(ctx context.Context, q *question, n, times int) (took []time.Duration, bytes int, err error) {
	for i := range times {
		resource, query, check := q.ask(n + i)
		body, d, err := k.user.get(ctx, k.user.path(resource, query))
		if err == nil {
			err = check(body)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", q.name, err)
		}
		took, bytes = append(took, d), bytes+len(body)
	}
	return took, bytes, nil
}

// quantile returns the nearest rank: the smallest of sorted values that at least p of 100 are not above.
func quantile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(1, (len(sorted)*p+99)/100)-1]
}
