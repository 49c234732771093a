package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// interval is how often rules are evaluated, unless the node is told otherwise.
const interval = 10 * time.Second

type result struct {
	options
	rules, series int
	engine        string
	behind        []time.Duration // sorted
	without, with cost
}

func (r *result) quantile(q float64) time.Duration {
	return r.behind[int(q*float64(len(r.behind)-1))]
}

// met reports whether rules keep their interval: just before a pass that begins on
// time has moved them, rules are as far behind as the interval and the pass are long.
func (r *result) met() bool { return r.quantile(1) <= 2*interval }

// report is the file that is checked in.
func (r *result) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Ten thousand alarm rules on one node\n\n`make bench-rules`\n\n%s- engine: ClickHouse %s, embedded\n\n", rig.Machine(), r.engine)
	fmt.Fprintf(&b, "%d rules in %d projects: the templates web, java and database for %d services of each, the template hosts, and %d\nalerts of a Prometheus rule file, no expression twice. All projects together get %.0f spans/s meanwhile, and\neach reports %d series of its services and %d hosts every %s, from the same machine.\n", r.rules, r.projects, r.services, r.promql, r.rate, r.series, hosts, reportEvery)
	fmt.Fprintf(&b, "Watched for %s, %s after the last rule was made: every project is asked every two seconds how far its rules are behind.\n\n", r.watch, r.settle)
	b.WriteString("| behind the present | |\n| --- | ---: |\n")
	for _, q := range []struct {
		name string
		of   float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"most", 1}} {
		fmt.Fprintf(&b, "| %s | %.1f s |\n", q.name, r.quantile(q.of).Seconds())
	}
	fmt.Fprintf(&b, "\nRules are evaluated every %s. Evaluated within their interval means that a pass is over before the next begins: no rule is\never more than two intervals behind. **%s**\n\n", interval, map[bool]string{true: "Met.", false: "Missed."}[r.met()])
	b.WriteString("| CPU, of a core | MATRIX | engine |\n| --- | ---: | ---: |\n")
	fmt.Fprintf(&b, "| before the rules | %.2f | %.2f |\n| with them | %.2f | %.2f |\n", r.without.matrix, r.without.engine, r.with.matrix, r.with.engine)
	fmt.Fprintf(&b, "\nMost memory of MATRIX: %d MiB. The generator takes part of the same cores; its time is not counted.\n", r.with.peak>>20)
	fmt.Fprintf(&b, "\n```\nRESULT rules=%d projects=%d spans_per_s=%.0f behind_p50_s=%.1f behind_p99_s=%.1f behind_max_s=%.1f met=%t\n```\n",
		r.rules, r.projects, r.rate, r.quantile(0.5).Seconds(), r.quantile(0.99).Seconds(), r.quantile(1).Seconds(), r.met())
	return b.String()
}
