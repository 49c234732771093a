package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	// overlap is how long before the watermark a pass reads again: an insert
	// takes its arrival time before its rows can be read, and the clocks of
	// engine nodes differ.
	overlap = 2 * time.Minute
	// maxRead is how many calls one read of a pass takes.
	maxRead = 20_000
	// budget is how long a pass may take; what is left waits for the next one.
	budget = 30 * time.Second
	// pruneEvery is how often a node removes matches that no window can hold.
	pruneEvery = time.Minute
)

// EngineOptions say what an Engine works with. All but Log and Now are needed.
type EngineOptions struct {
	DB     *metadb.DB
	Traces *trace.Store
	// OnFire is called within the transaction that records the matches, once
	// per rule, application and phase that has new ones. It may be run again
	// and must have no effects but those on tx. An error undoes the rule's pass.
	OnFire func(ctx context.Context, tx *metadb.Tx, f Firing) error
	Log    *slog.Logger
	Now    func() time.Time
}

// Engine evaluates all rules over what arrived. It keeps nothing in memory that
// it needs: any number of nodes may evaluate, at the same time too, and a call
// still counts exactly once per rule.
type Engine struct {
	db     *metadb.DB
	traces *trace.Store
	onFire func(ctx context.Context, tx *metadb.Tx, f Firing) error
	log    *slog.Logger
	now    func() time.Time

	mu     sync.Mutex // one pass at a time
	pruned time.Time
	recent recent
}

// NewEngine returns an Engine. Call Evaluate every ten seconds.
func NewEngine(opts EngineOptions) (*Engine, error) {
	if opts.DB == nil || opts.Traces == nil || opts.OnFire == nil {
		return nil, errors.New("rule: EngineOptions.DB, Traces and OnFire are required")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Engine{
		db: opts.DB, traces: opts.Traces, onFire: opts.OnFire, now: opts.Now,
		log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)), recent: recent{},
	}, nil
}

// due is an enabled rule and how far it was evaluated.
type due struct {
	Rule
	since, watermark int64 // µs, arrival time
}

// Evaluate makes one pass over all enabled rules. An error in one rule does not
// stop the others: it is part of the returned error, and the rule's next pass
// begins where its last good one ended. When the engine or the metadata
// database is down nothing has changed.
func (e *Engine) Evaluate(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	started := time.Now() // of the budget: real time, whatever the clock of the rules says
	now := e.now().Truncate(time.Millisecond)
	var failed []error
	for {
		rules, err := e.due(ctx, now)
		if err != nil {
			return err
		}
		behind := false
		for _, group := range together(rules) {
			if time.Since(started) > budget {
				e.log.Warn("rules are evaluated late", "rules", len(rules))
				return errors.Join(failed...)
			}
			more, err := e.pass(ctx, group, now)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			behind = behind || more
		}
		if !behind || len(failed) > 0 {
			break
		}
	}
	if err := e.prune(ctx, now); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// due returns the enabled rules whose watermark is before now.
func (e *Engine) due(ctx context.Context, now time.Time) ([]due, error) {
	rows, err := e.db.Query(ctx, `SELECT `+ruleColumns+`, since, watermark FROM rule JOIN rule_state ON rule_id = id
		WHERE enabled AND watermark < $1 ORDER BY watermark, id`, metadb.Micros(now))
	rules, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (d due, err error) {
		d.Rule, err = scanRule(rows, &d.since, &d.watermark)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return rules, nil
}

// together groups rules that stand at the same watermark, so that one read
// serves them all. In the steady state that is every rule.
func together(rules []due) [][]due {
	var groups [][]due
	for i, r := range rules {
		if i == 0 || r.watermark != rules[i-1].watermark {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], r)
	}
	return groups
}

// pass takes the rules of one watermark to now, or as far as one read reaches;
// then there is more.
func (e *Engine) pass(ctx context.Context, rules []due, now time.Time) (more bool, err error) {
	from, until := metadb.FromMicros(rules[0].watermark), now
	query := trace.SlowQuery{Floor: rules[0].Threshold(), Limit: maxRead}
	seen := map[project.ID]bool{}
	for _, r := range rules {
		query.Floor = min(query.Floor, r.Threshold())
		if !seen[r.Project] {
			seen[r.Project] = true
			query.Projects = append(query.Projects, r.Project)
		}
	}
	query.After, query.Until = from, until
	calls, err := e.traces.SlowSQL(ctx, query)
	if err != nil {
		return false, err
	}
	if len(calls) >= maxRead {
		until = calls[len(calls)-1].Arrived
		more = until.Before(now)
	}
	// Of the overlap the newest are read: under a flood of matches those at its
	// far end, which were all there to read the last time, are left out.
	query.After, query.Until, query.Newest = from.Add(-overlap), from, true
	again, err := e.traces.SlowSQL(ctx, query)
	if err != nil {
		return false, err
	}
	calls = append(calls, again...)

	var failed []error
	var quiet []int64
	for i := range rules {
		r := &rules[i]
		matched := e.matching(r, calls)
		if len(matched) == 0 {
			quiet = append(quiet, r.ID)
			continue
		}
		if err := e.evaluate(ctx, r, matched, until); err != nil {
			failed = append(failed, fmt.Errorf("rule %d: %w", r.ID, err))
		}
	}
	if err := e.advance(ctx, quiet, rules[0].watermark, until); err != nil {
		failed = append(failed, err)
	}
	return more, errors.Join(failed...)
}

// matching returns the calls that the rule counts and that this node has not
// recorded already; each once.
func (e *Engine) matching(r *due, calls []trace.SlowCall) []trace.SlowCall {
	var matched []trace.SlowCall
	here := map[matchKey]bool{}
	for _, c := range calls {
		key := matchKey{r.ID, c.TraceID, c.SpanID}
		if !r.matches(&c) || metadb.Micros(c.Arrived) <= r.since || e.recent.has(key) || here[key] {
			continue
		}
		here[key] = true
		matched = append(matched, c)
	}
	return matched
}

// advance moves rules that matched nothing.
func (e *Engine) advance(ctx context.Context, ids []int64, from int64, until time.Time) error {
	for chunk := range slices.Chunk(ids, 100) {
		list := placeholders{}
		set, at := list.add(metadb.Micros(until)), list.add(from)
		_, err := e.db.Exec(ctx, `UPDATE rule_state SET watermark = `+set+` WHERE watermark = `+at+` AND rule_id IN (`+addAll(&list, chunk)+`)`, list.args...)
		if err != nil {
			return fmt.Errorf("advance rules: %w", err)
		}
	}
	return nil
}

// evaluate records the matches of one rule, moves it and hands over what that
// means, all in one transaction.
func (e *Engine) evaluate(ctx context.Context, r *due, calls []trace.SlowCall, until time.Time) error {
	moved := false
	err := e.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		// Taking the rule from exactly where this pass found it is the lock: a
		// node that comes second, or after an edit, changes nothing.
		n, err := tx.Exec(ctx, `UPDATE rule_state SET watermark = $1 WHERE rule_id = $2 AND watermark = $3 AND since = $4
			AND EXISTS (SELECT 1 FROM rule WHERE id = $2 AND version = $5)`, metadb.Micros(until), r.ID, r.watermark, r.since, r.Version)
		if err != nil {
			return fmt.Errorf("advance: %w", err)
		}
		if moved = n == 1; !moved {
			return nil
		}
		fresh, err := recordMatches(ctx, tx, r, calls)
		if err != nil {
			return fmt.Errorf("record matches: %w", err)
		}
		for _, group := range grouped(fresh) {
			firing, err := judge(ctx, tx, &r.Rule, group)
			if err != nil {
				return fmt.Errorf("count matches: %w", err)
			}
			if err := e.onFire(ctx, tx, firing); err != nil {
				return fmt.Errorf("fire: %w", err)
			}
		}
		return nil
	})
	if err == nil && moved {
		e.recent.add(r.ID, calls)
	}
	return err
}

// prune removes matches that no window can hold any more.
func (e *Engine) prune(ctx context.Context, now time.Time) error {
	if now.Sub(e.pruned) < pruneEvery {
		return nil
	}
	e.pruned = now
	e.recent.forget(now.Add(-2 * overlap))
	if _, err := e.db.Exec(ctx, `DELETE FROM rule_match WHERE expires_at < $1`, metadb.Micros(now)); err != nil {
		return fmt.Errorf("prune matches: %w", err)
	}
	return nil
}

type matchKey struct {
	rule  int64
	trace trace.TraceID
	span  trace.SpanID
}

// recent spares the database the matches of the overlap that this node recorded
// itself. It only forgets: without it every match is refused by its key.
type recent map[matchKey]time.Time // when it arrived

func (m recent) has(key matchKey) bool {
	_, ok := m[key]
	return ok
}

func (m recent) add(id int64, calls []trace.SlowCall) {
	for _, c := range calls {
		m[matchKey{id, c.TraceID, c.SpanID}] = c.Arrived
	}
}

func (m recent) forget(before time.Time) {
	for key, arrived := range m {
		if arrived.Before(before) {
			delete(m, key)
		}
	}
}
