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
	selects, rows   float64         // that the engine ran and read for an answer, warm
	missing         string          // why there are none, "" when there are
}

// warmUp is how often a question is asked before the answers are timed.
const warmUp = 3

// askAll asks everything warm, and then each question again after a restart of the engine of its own, so that
// none finds what another has brought into the caches. Wrong answers are returned as an error, in the end.
func askAll(ctx context.Context, runs int, engine *rig.Engine, u *user, questions []*question) ([]*asked, error) {
	var all []*asked
	var wrong error
	for _, q := range questions {
		a := &asked{question: q, missing: q.why(u)}
		all = append(all, a)
		if a.missing != "" {
			continue
		}
		fmt.Fprintf(os.Stderr, "asking: %s …\n", q.name)
		if _, err := q.time(ctx, u, 0, warmUp); err != nil {
			a.missing, wrong = "wrong", errors.Join(wrong, err)
			continue
		}
		if err := a.askWarm(ctx, runs, engine, u); err != nil {
			a.missing, wrong = "wrong", errors.Join(wrong, err)
		}
	}
	for _, a := range all {
		if a.missing != "" {
			continue
		}
		fmt.Fprintf(os.Stderr, "asking after a restart: %s …\n", a.name)
		if err := engine.Restart(ctx); err != nil {
			return all, errors.Join(wrong, err)
		}
		if err := u.ready(ctx); err != nil {
			return all, errors.Join(wrong, err)
		}
		var err error
		if a.restarted, err = a.time(ctx, u, warmUp+runs, runs); err != nil {
			a.missing, wrong = "wrong", errors.Join(wrong, err)
			continue
		}
		a.first = a.restarted[0]
	}
	for _, a := range all {
		slices.Sort(a.warm)
		slices.Sort(a.restarted)
	}
	return all, wrong
}

// askWarm asks and counts what the engine does for it. A read of MATRIX for itself that falls into this time is
// counted, too.
func (a *asked) askWarm(ctx context.Context, runs int, engine *rig.Engine, u *user) error {
	selects, rows, err := engine.Reads(ctx)
	if err != nil {
		return err
	}
	if a.warm, err = a.time(ctx, u, warmUp, runs); err != nil {
		return err
	}
	selectsThen, rowsThen, err := engine.Reads(ctx)
	a.selects, a.rows = float64(selectsThen-selects-1)/float64(runs), float64(rowsThen-rows)/float64(runs)
	return err
}

// time asks a question some times, from the n-th variation on, and checks every answer; checking takes no part in
// the times.
func (q *question) time(ctx context.Context, u *user, n, times int) ([]time.Duration, error) {
	var out []time.Duration
	for i := range times {
		resource, query, check := q.ask(n + i)
		body, took, err := u.get(ctx, u.path(resource, query))
		if err == nil {
			err = check(body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		out = append(out, took)
	}
	return out, nil
}

// quantile returns the nearest rank: the smallest of sorted values that at least p of 100 are not above.
func quantile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(1, (len(sorted)*p+99)/100)-1]
}
