package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// outcome is what was measured of one way.
type outcome struct {
	*way
	whole, stream         *measured // at the fixed rate
	peakWhole, peakStream *measured
	lines                 *lines
	cpu                   [2]time.Duration // of MATRIX and of its engine during peakWhole
}

func (o *outcome) all() []*measured {
	return []*measured{o.whole, o.stream, o.peakWhole, o.peakStream}
}

// results is what was measured of all.
type results struct {
	options
	outcomes         []*outcome
	machine          string
	engine           string
	peak, rss        int64 // bytes of MATRIX's memory: the most, and after the run
	mapped           int64 // of rss: files
	asked, logged    int64 // calls of MATRIX that were answered, and that its log has
	distinct         int64
	structured, text string // MB/s of masking
}

// warm is how long each way is asked before it is measured, so that a compiler, a pool or a cache of its
// has begun.
const warm = 2 * time.Second

// measure asks all ways; matrix and engine are the processes whose CPU time is told.
func measure(ctx context.Context, o options, ways []*way, matrix, engine int) (*results, error) {
	r := &results{options: o, machine: rig.Machine()}
	for _, w := range ways {
		fmt.Fprintf(os.Stderr, "warming %s …\n", w.name)
		q, err := w.question(0, false)
		if err != nil {
			return nil, err
		}
		m := closed(ctx, q, o.connections, warm)
		if m.err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, m.err)
		}
		r.asked += w.counts(m) + w.probes()
		each := &outcome{way: w, whole: &measured{}, stream: &measured{}, peakStream: &measured{}, lines: newLines(o.connections)}
		defer each.lines.close()
		r.outcomes = append(r.outcomes, each)
	}
	for _, stream := range []bool{false, true} {
		for round := range o.rounds {
			fmt.Fprintf(os.Stderr, "at %d a second, round %d …\n", o.rate, round+1)
			for _, each := range r.outcomes {
				if stream && each.noStream != nil {
					continue
				}
				q, err := each.question(o.thinks, stream)
				if err != nil {
					return nil, err
				}
				into := each.whole
				if stream {
					into = each.stream
				}
				each.lines.open(ctx, into, q, o.rate, o.at/time.Duration(o.rounds))
			}
		}
	}
	for _, each := range r.outcomes {
		for _, stream := range []bool{false, true} {
			if stream && each.noStream != nil {
				continue
			}
			fmt.Fprintf(os.Stderr, "peak of %s, streams: %t …\n", each.name, stream)
			q, err := each.question(0, stream)
			if err != nil {
				return nil, err
			}
			before, err := cpu(matrix, engine)
			if err != nil {
				return nil, err
			}
			m := closed(ctx, q, o.connections, o.peak)
			after, err := cpu(matrix, engine)
			if err != nil {
				return nil, err
			}
			if !stream {
				for i := range after {
					each.cpu[i] = after[i] - before[i]
				}
			}
			if stream {
				each.peakStream = m
			} else {
				each.peakWhole = m
			}
		}
	}
	for _, each := range r.outcomes {
		for _, m := range each.all() {
			r.asked += each.counts(m)
		}
	}
	return r, ctx.Err()
}

// cpu is what MATRIX and its engine have used so far.
func cpu(matrix, engine int) (used [2]time.Duration, err error) {
	for i, pid := range []int{matrix, engine} {
		u, err := rig.UsageOf(pid)
		if err != nil {
			return used, err
		}
		used[i] = u.CPU
	}
	return used, nil
}

// counts is how many calls of a load must be in MATRIX's log.
func (w *way) counts(m *measured) int64 {
	if !w.matrix {
		return 0
	}
	return int64(len(m.timings))
}

// probes is how many calls found out whether the way answers.
func (w *way) probes() int64 {
	if !w.matrix {
		return 0
	}
	return 1
}

// count reads MATRIX's memory, and waits until its log has all calls.
func (r *results) count(ctx context.Context, engine *rig.Engine, matrix *rig.Matrix) error {
	used, err := rig.UsageOf(matrix.PID())
	if err != nil {
		return err
	}
	r.peak, r.rss, r.mapped = used.Peak, used.Resident, used.Mapped
	fmt.Fprintf(os.Stderr, "counting the log …\n")
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if r.logged, err = engine.Number(ctx, "SELECT count() FROM "+database+".ai_calls"); err != nil {
			return err
		}
		if r.logged >= r.asked || time.Now().After(deadline) {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	r.distinct, err = engine.Number(ctx, "SELECT uniqExact(call_id) FROM "+database+".ai_calls WHERE status = 'ok'")
	return err
}

// wrong reports answers that did not come or were not right, and calls that are not in the log.
func (r *results) wrong() error {
	var all []error
	for _, each := range r.outcomes {
		for _, m := range each.all() {
			if m.failed > 0 {
				all = append(all, fmt.Errorf("%s: %d of %d answers were wrong or failed, the first: %w", each.name, m.failed, m.failed+len(m.timings), m.err))
			}
		}
	}
	if r.distinct != r.asked {
		all = append(all, fmt.Errorf("MATRIX answered %d calls, %d are in its log", r.asked, r.distinct))
	}
	return errors.Join(all...)
}

var benchmarkLine = regexp.MustCompile(`(?m)^BenchmarkMask(Structured|Text)\b.*?([0-9.]+) MB/s`)

const unmeasured = "unmeasured"

// maskSpeed runs the benchmarks of internal/mask on one core and returns megabytes a second.
func maskSpeed(ctx context.Context) (structured, text string, err error) {
	structured, text = unmeasured, unmeasured
	fmt.Fprintf(os.Stderr, "masking …\n")
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkMask(Structured|Text)$", "-benchtime", "2s", "-cpu", "1", "./internal/mask").CombinedOutput()
	if err != nil {
		return structured, text, fmt.Errorf("benchmarks of masking: %w\n%s", err, out)
	}
	for _, found := range benchmarkLine.FindAllSubmatch(out, -1) {
		speed, err := strconv.ParseFloat(string(found[2]), 64)
		if err != nil {
			return structured, text, err
		}
		if shown := strconv.FormatFloat(speed, 'f', 1, 64); string(found[1]) == "Text" {
			text = shown
		} else {
			structured = shown
		}
	}
	return structured, text, nil
}
