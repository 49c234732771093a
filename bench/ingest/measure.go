package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/load"
)

// result is what one contender took for the spans it was sent.
type result struct {
	name                     string
	spans                    int64         // accepted
	visible                  time.Duration // from the first request until all rows were visible
	receiverCPU, engineCPU   time.Duration
	receiverPeak, enginePeak int64 // bytes
	bytes                    int64 // on disk
	audit                    rig.Audit
	load                     *load.Report
	engineVersion            string
}

func (r *result) perMillion(cpu time.Duration) float64 {
	return cpu.Seconds() / float64(r.spans) * 1e6
}

func (r *result) cpu() float64          { return r.perMillion(r.receiverCPU + r.engineCPU) }
func (r *result) bytesPerSpan() float64 { return float64(r.bytes) / float64(r.spans) }
func (r *result) rate() float64         { return float64(r.spans) / r.visible.Seconds() }

// visibleTimeout is how long rows may take to appear after the last answer.
const visibleTimeout = 2 * time.Minute

func measure(ctx context.Context, c contender, o options) (_ *result, err error) {
	dir, err := os.MkdirTemp("", "matrix-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	engine, err := rig.StartEngine(ctx, dir, c.database())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, engine.Stop()) }()
	receiver, endpoint, key, err := c.start(ctx, dir, engine, o.protocol)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, receiver.Stop()) }()

	r := &result{name: c.name()}
	if r.engineVersion, err = engine.Version(ctx); err != nil {
		return nil, err
	}
	if err := engine.Settle(ctx, c.database()); err != nil {
		return nil, err
	}
	before, err := usage(receiver.PID(), engine.PID())
	if err != nil {
		return nil, err
	}
	var ledger bytes.Buffer
	began := time.Now()
	// The seed is fixed: both get the same spans.
	r.load, err = load.Run(ctx, load.Options{Endpoint: endpoint, Protocol: o.protocol, Key: key, Spans: o.spans, Concurrency: o.concurrency, Seed: 1, Ledger: &ledger})
	if err != nil {
		return nil, err
	}
	r.spans = r.load.Accepted
	if r.spans == 0 {
		return nil, fmt.Errorf("nothing was accepted: %v", r.load.Rejected)
	}
	for deadline := time.Now().Add(visibleTimeout); time.Now().Before(deadline); {
		rows, err := engine.Number(ctx, "SELECT count() FROM "+c.table())
		if err != nil {
			return nil, err
		}
		r.visible = time.Since(began)
		if rows >= r.spans {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := engine.Settle(ctx, c.database()); err != nil {
		return nil, err
	}
	after, err := usage(receiver.PID(), engine.PID())
	if err != nil {
		return nil, err
	}
	r.receiverCPU, r.engineCPU = after[0].CPU-before[0].CPU, after[1].CPU-before[1].CPU
	r.receiverPeak, r.enginePeak = after[0].Peak, after[1].Peak
	if r.bytes, err = engine.BytesOnDisk(ctx, c.database()); err != nil {
		return nil, err
	}
	ids, err := engine.SpanIDs(ctx, c.table(), c.spanID(), "true")
	if err != nil {
		return nil, err
	}
	r.audit, err = rig.Check(ledger.Bytes(), ids)
	return r, err
}

func usage(pids ...int) ([]rig.Usage, error) {
	var out []rig.Usage
	for _, pid := range pids {
		u, err := rig.UsageOf(pid)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, nil
}

// table shows the results side by side, in Markdown.
func table(results []*result) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	row := func(name string, value func(*result) string) {
		fmt.Fprintf(w, "| %s\t", name)
		for _, r := range results {
			fmt.Fprintf(w, "| %s\t", value(r))
		}
		fmt.Fprintln(w, "|")
	}
	row("", func(r *result) string { return r.name })
	row("---", func(*result) string { return "---" })
	row("spans accepted", func(r *result) string { return fmt.Sprint(r.spans) })
	row("until all are visible", func(r *result) string { return fmt.Sprintf("%.1f s", r.visible.Seconds()) })
	row("spans/s", func(r *result) string { return fmt.Sprintf("%.0f", r.rate()) })
	row("CPU s per million: receiver", func(r *result) string { return fmt.Sprintf("%.1f", r.perMillion(r.receiverCPU)) })
	row("CPU s per million: engine", func(r *result) string { return fmt.Sprintf("%.1f", r.perMillion(r.engineCPU)) })
	row("CPU s per million: both", func(r *result) string { return fmt.Sprintf("%.1f", r.cpu()) })
	row("peak memory: receiver", func(r *result) string { return fmt.Sprintf("%d MiB", r.receiverPeak>>20) })
	row("peak memory: engine", func(r *result) string { return fmt.Sprintf("%d MiB", r.enginePeak>>20) })
	row("bytes per span on disk", func(r *result) string { return fmt.Sprintf("%.1f", r.bytesPerSpan()) })
	row("acknowledged but missing", func(r *result) string { return fmt.Sprint(r.audit.Missing) })
	row("rows twice", func(r *result) string { return fmt.Sprint(r.audit.Repeated) })
	row("rejected", func(r *result) string { return fmt.Sprint(r.load.Refused()) })
	row("acknowledged after p50 / p99", func(r *result) string {
		return fmt.Sprintf("%d / %d ms", r.load.Latency.P50Ns/1e6, r.load.Latency.P99Ns/1e6)
	})
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

// resultLine ends the output: what other programs read. peer values are missing when one was measured alone.
func resultLine(results []*result) string {
	ours := results[len(results)-1]
	if len(results) < 2 {
		return fmt.Sprintf("RESULT %s_cpu_s_per_million=%.1f missing=%d bytes_per_span=%.1f spans_per_s=%.0f", strings.ToLower(ours.name), ours.cpu(), ours.audit.Missing, ours.bytesPerSpan(), ours.rate())
	}
	peer := results[0]
	return fmt.Sprintf("RESULT cpu_ratio=%.3f wall_ratio=%.3f missing=%d bytes_per_span=%.1f peer_bytes_per_span=%.1f spans_per_s=%.0f",
		ours.cpu()/peer.cpu(), ours.visible.Seconds()*float64(peer.spans)/(peer.visible.Seconds()*float64(ours.spans)), ours.audit.Missing, ours.bytesPerSpan(), peer.bytesPerSpan(), ours.rate())
}
