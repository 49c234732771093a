package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/issue"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/view"
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

// Shards is how many parts the rules are evaluated in, by their project: each
// part is a job of its own, so that nodes share the work.
const Shards = 4

// Sources are the nouns that rules read.
type Sources struct {
	Traces  *trace.Store
	Logs    *logs.Store
	Metrics *metric.Engine
	Issues  *issue.Store
	Views   *view.Store
	// Even reports whether the machine's clock has run evenly for a time: what is
	// concluded from silence needs that.
	Even func(d time.Duration) bool

	past  *past
	names *metricNames
}

// even is Even, false without one.
func (s *Sources) even(d time.Duration) bool { return s.Even != nil && s.Even(d) }

// EngineOptions say what an Engine works with. All but Log and Now are needed.
type EngineOptions struct {
	DB      *metadb.DB
	Sources Sources
	// OnFire is called within the transaction that records the matches, once
	// per rule, application, phase and subject that has new ones. It may be run
	// again and must have no effects but those on tx. An error undoes the rule's pass.
	OnFire func(ctx context.Context, tx *metadb.Tx, f Firing) error
	// OnFailure is called in a transaction once when a rule that went well
	// begins to fail for a reason of its own, such as an expression that asks for
	// too much. why is for people.
	OnFailure func(ctx context.Context, tx *metadb.Tx, r Rule, why string) error
	Log       *slog.Logger
	Now       func() time.Time
}

// Engine evaluates all rules over what arrived. It keeps nothing in memory that
// it needs: any number of nodes may evaluate, at the same time too, and a match
// still counts exactly once per rule.
type Engine struct {
	opts   EngineOptions
	shards [Shards]shard
}

// shard is the part of the rules of some projects.
type shard struct {
	*Engine
	number int

	mu     sync.Mutex // one pass at a time
	pruned time.Time
	recent recent
}

// NewEngine returns an Engine. Call EvaluateShard for each of the Shards every ten seconds.
func NewEngine(opts EngineOptions) (*Engine, error) {
	if opts.DB == nil || opts.Sources.Traces == nil || opts.OnFire == nil || opts.OnFailure == nil {
		return nil, errors.New("rule: EngineOptions.DB, Sources, OnFire and OnFailure are required")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	opts.Sources.past, opts.Sources.names = &past{}, &metricNames{known: map[project.ID]knownNames{}}
	e := &Engine{opts: opts}
	for i := range e.shards {
		e.shards[i].Engine, e.shards[i].number, e.shards[i].recent = e, i, recent{}
	}
	return e, nil
}

// due is an enabled rule and how far it was evaluated.
type due struct {
	Rule
	since, watermark int64 // µs, arrival time
	failingSince     int64 // µs, 0: it goes well
}

// Evaluate makes one pass over all enabled rules, shard by shard.
func (e *Engine) Evaluate(ctx context.Context) error {
	var failed []error
	for number := range e.shards {
		failed = append(failed, e.EvaluateShard(ctx, number))
	}
	return errors.Join(failed...)
}

// EvaluateShard makes one pass over the enabled rules of a shard. An error in one
// rule does not stop the others: it is part of the returned error, and the rule's
// next pass begins where its last good one ended. When the engine or the metadata
// database is down nothing has changed.
func (e *Engine) EvaluateShard(ctx context.Context, number int) error {
	if number < 0 || number >= Shards {
		return fmt.Errorf("rules have no shard %d", number)
	}
	return e.shards[number].evaluate(ctx)
}

func (s *shard) evaluate(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	started := time.Now() // of the budget: real time, whatever the clock of the rules says
	now := s.opts.Now().Truncate(time.Millisecond)
	if err := s.takeBack(ctx, now); err != nil {
		return err
	}
	var failed []error
	for {
		rules, err := s.due(ctx, now)
		if err != nil {
			return err
		}
		behind := false
		for _, group := range together(rules) {
			if time.Since(started) > budget {
				s.opts.Log.Warn("rules are evaluated late", "rules", len(rules))
				return errors.Join(failed...)
			}
			more, err := s.pass(ctx, group, now)
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
	if err := s.prune(ctx, now); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// takeBack takes rules back that a clock which ran ahead, and was set right since,
// has carried into the future: else they would be blind until then. What they have
// counted stays counted.
func (s *shard) takeBack(ctx context.Context, now time.Time) error {
	_, err := s.opts.DB.Exec(ctx, `UPDATE rule_state SET watermark = $1, since = CASE WHEN since > $1 THEN $1 ELSE since END WHERE watermark > $2`,
		metadb.Micros(now.Add(-overlap)), metadb.Micros(now.Add(overlap)))
	if err != nil {
		return fmt.Errorf("take rules back: %w", err)
	}
	return nil
}

// due returns the enabled rules of the shard whose watermark is before now.
func (s *shard) due(ctx context.Context, now time.Time) ([]due, error) {
	rows, err := s.opts.DB.Query(ctx, `SELECT `+ruleColumns+`, since, watermark, failing_since FROM rule JOIN rule_state ON rule_id = id
		WHERE enabled AND watermark < $1 AND project_id % $2 = $3 ORDER BY watermark, kind, id`, metadb.Micros(now), Shards, s.number)
	rules, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (d due, err error) {
		d.Rule, err = scanRule(rows, &d.since, &d.watermark, &d.failingSince)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return slices.DeleteFunc(rules, func(d due) bool { return kindOf(d.Kind) == nil }), nil
}

// together groups rules of one kind, so that one read serves them all: those that
// stand within the overlap, which is read again anyway, from the one furthest
// behind. In the steady state, and soon after many were made, that is every rule of
// a kind.
func together(rules []due) [][]due {
	slices.SortStableFunc(rules, func(a, b due) int { return strings.Compare(a.Kind, b.Kind) })
	var groups [][]due
	for i, r := range rules {
		last := len(groups) - 1
		if i == 0 || r.Kind != groups[last][0].Kind || r.watermark > groups[last][0].watermark+overlap.Microseconds() {
			groups = append(groups, nil)
			last++
		}
		groups[last] = append(groups[last], r)
	}
	// Those furthest behind come first: there may be no time for all.
	slices.SortStableFunc(groups, func(a, b []due) int { return cmp.Compare(a[0].watermark, b[0].watermark) })
	return groups
}

// pass takes rules of one kind that one read serves to now, or as far as it
// reaches; then there is more.
func (s *shard) pass(ctx context.Context, rules []due, now time.Time) (more bool, err error) {
	from, until := metadb.FromMicros(rules[0].watermark), now
	kind := kindOf(rules[0].Kind)
	ask := search{After: from, Until: until, Limit: maxRead}
	for i := range rules {
		ask.Rules = append(ask.Rules, &rules[i].Rule)
	}
	found, err := kind.find(ctx, &s.opts.Sources, ask)
	if err != nil {
		return false, fmt.Errorf("%s: %w", kind.Name, err)
	}
	if !found.reached.IsZero() {
		until = found.reached
		more = until.Before(now)
	}
	// Of the overlap the newest are read: under a flood of matches those at its
	// far end, which were all there to read the last time, are left out.
	// Kinds that count minutes have read those of the overlap with the new ones.
	var again results
	if !kind.Minutes {
		ask.After, ask.Until, ask.Newest = from.Add(-overlap), from, true
		if again, err = kind.find(ctx, &s.opts.Sources, ask); err != nil {
			return false, fmt.Errorf("%s: %w", kind.Name, err)
		}
	}

	var failed []error
	quiet := map[int64][]int64{} // by where they stand
	for i := range rules {
		r := &rules[i]
		if r.watermark >= metadb.Micros(until) {
			continue // it has seen all that was read
		}
		if why := cmp.Or(found.failed[r.ID], again.failed[r.ID]); why != nil {
			if err := s.fail(ctx, r, why, until); err != nil {
				failed = append(failed, fmt.Errorf("rule %d: %w", r.ID, err))
			}
			continue
		}
		matched := s.unseen(r, found.hits[r.ID], again.hits[r.ID])
		// A rule that failed is well again once it was evaluated.
		if len(matched) == 0 && (r.failingSince == 0 || found.idle) {
			quiet[r.watermark] = append(quiet[r.watermark], r.ID)
			continue
		}
		if err := s.record(ctx, r, matched, until); err != nil {
			failed = append(failed, fmt.Errorf("rule %d: %w", r.ID, err))
		}
	}
	for at, ids := range quiet {
		if err := s.advance(ctx, ids, at, until); err != nil {
			failed = append(failed, err)
		}
	}
	return more, errors.Join(failed...)
}

// unseen returns the hits that the rule counts and that this node has not
// recorded already; each once.
func (s *shard) unseen(r *due, found ...[]hit) []hit {
	var kept []hit
	here := map[matchKey]int{}
	for _, hits := range found {
		for i := range hits {
			h := &hits[i]
			key := matchKey{r.ID, h.key(), h.Counts}
			if metadb.Micros(h.arrived) <= r.since || s.recent.has(key) {
				continue
			}
			if _, twice := here[key]; !twice {
				here[key] = len(kept)
				kept = append(kept, *h)
			}
		}
	}
	return kept
}

// advance moves rules that matched nothing.
func (s *shard) advance(ctx context.Context, ids []int64, from int64, until time.Time) error {
	for chunk := range slices.Chunk(ids, 100) {
		list := placeholders{}
		set, at := list.add(metadb.Micros(until)), list.add(from)
		_, err := s.opts.DB.Exec(ctx, `UPDATE rule_state SET watermark = `+set+` WHERE watermark = `+at+` AND rule_id IN (`+addAll(&list, chunk)+`)`, list.args...)
		if err != nil {
			return fmt.Errorf("advance rules: %w", err)
		}
	}
	return nil
}

// take moves a rule within a transaction. Taking it from exactly where this pass
// found it is the lock: a node that comes second, or after an edit, changes nothing.
func take(ctx context.Context, tx *metadb.Tx, r *due, until time.Time, failingSince int64, failure string) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE rule_state SET watermark = $1, failing_since = $2, failure = $3 WHERE rule_id = $4 AND watermark = $5
		AND since = $6 AND EXISTS (SELECT 1 FROM rule WHERE id = $4 AND version = $7)`,
		metadb.Micros(until), failingSince, failure, r.ID, r.watermark, r.since, r.Version)
	if err != nil {
		return false, fmt.Errorf("advance: %w", err)
	}
	return n == 1, nil
}

// record stores the matches of one rule, moves it and hands over what that
// means, all in one transaction.
func (s *shard) record(ctx context.Context, r *due, hits []hit, until time.Time) error {
	moved := false
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) (err error) {
		if moved, err = take(ctx, tx, r, until, 0, ""); err != nil || !moved {
			return err
		}
		fresh, err := recordMatches(ctx, tx, r, hits)
		if err != nil {
			return fmt.Errorf("record matches: %w", err)
		}
		for _, group := range grouped(fresh) {
			firing, err := judge(ctx, tx, &r.Rule, group, until)
			if err != nil {
				return fmt.Errorf("count matches: %w", err)
			}
			if err := s.opts.OnFire(ctx, tx, firing); err != nil {
				return fmt.Errorf("fire: %w", err)
			}
		}
		return nil
	})
	if err == nil && moved {
		s.recent.add(r.ID, hits)
	}
	return err
}

// maxFailure is how long the reason of a failure is kept, in bytes.
const maxFailure = 500

// fail moves a rule that cannot be evaluated for a reason of its own, and tells
// its people when that begins.
func (s *shard) fail(ctx context.Context, r *due, why error, until time.Time) error {
	text := strings.ToValidUTF8(why.Error(), "\uFFFD")
	if f := fault.As(why); f != nil {
		text = f.Message
	}
	text = strings.ToValidUTF8(text[:min(len(text), maxFailure)], "")
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		moved, err := take(ctx, tx, r, until, cmp.Or(r.failingSince, metadb.Micros(until)), text)
		if err != nil || !moved || r.failingSince != 0 {
			return err
		}
		return s.opts.OnFailure(ctx, tx, r.Rule, text)
	})
}

// prune removes matches that no window can hold any more.
func (s *shard) prune(ctx context.Context, now time.Time) error {
	if now.Sub(s.pruned) < pruneEvery {
		return nil
	}
	s.pruned = now
	s.recent.forget(now.Add(-2 * overlap))
	if s.number > 0 {
		return nil // the first does it for all
	}
	if _, err := s.opts.DB.Exec(ctx, `DELETE FROM rule_match WHERE expires_at < $1`, metadb.Micros(now)); err != nil {
		return fmt.Errorf("prune matches: %w", err)
	}
	return nil
}

type matchKey struct {
	rule   int64
	key    string
	counts bool
}

// recent spares the database the matches of the overlap that this node recorded
// itself. It only forgets: without it every match is refused by its key.
type recent map[matchKey]time.Time // when it arrived

func (m recent) has(key matchKey) bool {
	_, ok := m[key]
	return ok
}

func (m recent) add(id int64, hits []hit) {
	for i := range hits {
		m[matchKey{id, hits[i].key(), hits[i].Counts}] = hits[i].arrived
	}
}

func (m recent) forget(before time.Time) {
	for key, arrived := range m {
		if arrived.Before(before) {
			delete(m, key)
		}
	}
}

// Evaluation is how far the evaluation of a project's enabled rules is.
type Evaluation struct {
	Enabled int64 `json:"enabled" doc:"rules that are on"`
	Failing int64 `json:"failing" doc:"of them, those that cannot be evaluated"`
	// BehindMs is how long ago what the furthest behind of them has seen arrived.
	BehindMs int64 `json:"behind_ms" doc:"how far the one that is furthest behind is behind the present"`
}

// Evaluation returns how far the rules of a project are.
func (e *Engine) Evaluation(ctx context.Context, p project.ID) (Evaluation, error) {
	var out Evaluation
	var oldest int64
	err := e.opts.DB.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN failing_since > 0 THEN 1 ELSE 0 END), 0), COALESCE(MIN(watermark), 0)
		FROM rule JOIN rule_state ON rule_id = id WHERE project_id = $1 AND enabled`, int64(p)).Scan(&out.Enabled, &out.Failing, &oldest)
	if err != nil {
		return out, fmt.Errorf("read how far rules are: %w", err)
	}
	if out.Enabled > 0 {
		out.BehindMs = max(0, e.opts.Now().Sub(metadb.FromMicros(oldest)).Milliseconds())
	}
	return out, nil
}
