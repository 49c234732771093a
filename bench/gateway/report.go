package main

import (
	"fmt"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// What is to be reached, as issue 4 says.
const (
	targetAddedP50   = 400 * time.Microsecond
	targetAddedP99   = 5 * time.Millisecond
	targetPeak       = 6000.0
	targetLogged     = 3000.0
	targetTimes      = 5.0
	targetMemory     = 100 << 20
	targetStructured = 100.0
	targetText       = 40.0
)

// named returns the outcome of a way by what its name contains, nil when it was not measured.
func (r *results) named(what string) *outcome {
	for _, each := range r.outcomes {
		if strings.Contains(each.name, what) {
			return each
		}
	}
	return nil
}

// added is how much longer a way takes than no gateway, as the difference of quantiles.
func (r *results) added(of *outcome, q float64, stream, first bool) time.Duration {
	pick := func(o *outcome) *measured {
		if stream {
			return o.stream
		}
		return o.whole
	}
	return pick(of).quantile(q, first) - pick(r.outcomes[0]).quantile(q, first)
}

const (
	byName = "pass-through"
	byRole = "role"
)

func (r *results) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Calls of models through a gateway\n\n`make bench-gateway`\n\n%s- engine: ClickHouse %s, embedded\n- at the same time on the machine: %s\n\n", r.machine, r.engine, r.company)
	fmt.Fprintf(&b, `A prompt of %s bytes, an answer of %s. The loader, the model server, the gateway and MATRIX's engine run on the same %d cores. The
model server answers chat completions on loopback; streams come in %d events. Every answer is compared with what the model said.
The plain proxy is Go's own HTTP server and client with nothing between them: it passes bytes on, and is what one more hop costs here.
The pass-through asks a service of the house by its model's name: nothing is masked, and the log keeps the facts of the call and no text.
The role asks a service outside of it: every call is masked, and logged with its masked texts. Portkey's gateway (%s, Node.js) masks and logs nothing.

## Added time, %d requests a second, the model takes %s

`, thousands(int64(len(evidence))), thousands(int64(len(answer))), runtime.NumCPU(), len(streamedAnswer), portkeyVersion, r.rate, r.thinks)
	rows := [][]string{{"", "p50 ms", "p99 ms", "stream, first piece: p50 ms", "p99 ms", "stream, all: p50 ms", "p99 ms"}}
	for i, each := range r.outcomes {
		row := []string{each.name}
		for _, kind := range []struct{ stream, first bool }{{false, false}, {true, true}, {true, false}} {
			for _, q := range []float64{0.5, 0.99} {
				if kind.stream && each.noStream != nil {
					row = append(row, unmeasured)
				} else if i == 0 {
					m := each.whole
					if kind.stream {
						m = each.stream
					}
					row = append(row, ms(m.quantile(q, kind.first)))
				} else {
					row = append(row, plus(r.added(each, q, kind.stream, kind.first)))
				}
			}
		}
		rows = append(rows, row)
	}
	b.WriteString(table(rows))
	fmt.Fprintf(&b, "\nThe first line is the whole time, the others what is added to it: differences of quantiles. A time counts from when the request was due.\n%s for each cell, in %d turns.\n\n", r.at, r.rounds)
	fmt.Fprintf(&b, "## Peak, %d requests under way, the model answers at once\n\n", r.connections)
	rows = [][]string{{"", "requests/s", "p50 ms", "p99 ms", "streams/s", "first piece p50 ms", "p99 ms"}}
	for _, each := range r.outcomes {
		row := []string{each.name, thousands(int64(each.peakWhole.perSecond())), ms(each.peakWhole.quantile(0.5, false)), ms(each.peakWhole.quantile(0.99, false))}
		if each.noStream != nil {
			row = append(row, unmeasured, unmeasured, unmeasured)
		} else {
			row = append(row, thousands(int64(each.peakStream.perSecond())), ms(each.peakStream.quantile(0.5, true)), ms(each.peakStream.quantile(0.99, true)))
		}
		rows = append(rows, row)
	}
	b.WriteString(table(rows))
	b.WriteString("\n")
	for _, each := range r.outcomes {
		if calls := len(each.peakWhole.timings); each.matrix && calls > 0 {
			fmt.Fprintf(&b, "CPU for each call of %s, not streamed: %.2f ms of MATRIX, %.2f ms of its engine.\n", each.name,
				each.cpu[0].Seconds()*1e3/float64(calls), each.cpu[1].Seconds()*1e3/float64(calls))
		}
	}
	for _, each := range r.outcomes {
		if each.noStream != nil {
			fmt.Fprintf(&b, "\nStreams of %s are not measured: asked for one it said %q.\n", each.name, each.noStream)
		}
	}
	fmt.Fprintf(&b, "\nPublished for 2 vCPU (as issue 4 of this project quotes it; another machine, and no masking): GoModel 4,212, Bifrost 2,624, Portkey 982, LiteLLM 276\nrequests/s.\n\n## Targets\n\n%s", r.targets())
	fmt.Fprintf(&b, "\nMATRIX answered %s calls; its log has %s of them.\n", thousands(r.asked), thousands(r.distinct))
	return b.String()
}

func (r *results) targets() string {
	name, role, portkey := r.named(byName), r.named(byRole), r.named("Portkey")
	rows := [][]string{{"", "measured", "target", ""}}
	add := func(what, measured, target string, met bool) {
		verdict := "missed"
		if met {
			verdict = "met"
		}
		rows = append(rows, []string{what, measured, target, verdict})
	}
	p50, p99 := r.added(name, 0.5, false, false), r.added(name, 0.99, false, false)
	add("pass-through: added p50", ms(p50)+" ms", "≤ 0.4 ms", p50 <= targetAddedP50)
	add("pass-through: added p99", ms(p99)+" ms", "≤ 5 ms", p99 <= targetAddedP99)
	add("pass-through: requests/s", thousands(int64(name.peakWhole.perSecond())), "≥ 6,000", name.peakWhole.perSecond() >= targetPeak)
	add("role: requests/s", thousands(int64(role.peakWhole.perSecond())), "≥ 3,000", role.peakWhole.perSecond() >= targetLogged)
	if portkey != nil {
		times := name.peakWhole.perSecond() / portkey.peakWhole.perSecond()
		add("pass-through: times Portkey's requests/s", fmt.Sprintf("%.1f", times), "≥ 5", times >= targetTimes)
	}
	add("memory of MATRIX, the most (without the engine)", fmt.Sprintf("%d MiB", r.peak>>20), "≤ 100 MB", r.peak <= targetMemory)
	for _, speed := range []struct {
		what, measured string
		target         float64
	}{{"masking of structured evidence, one core", r.structured, targetStructured}, {"masking of free text, one core", r.text, targetText}} {
		var mbps float64
		if _, err := fmt.Sscan(speed.measured, &mbps); err != nil {
			rows = append(rows, []string{speed.what, speed.measured, fmt.Sprintf("≥ %.0f MB/s", speed.target), "missed"})
			continue
		}
		add(speed.what, speed.measured+" MB/s", fmt.Sprintf("≥ %.0f MB/s", speed.target), mbps >= speed.target)
	}
	return table(rows) + fmt.Sprintf("\nMemory after the run: %d MiB, of which %d MiB are the program's own file, mapped.\n", r.rss>>20, r.mapped>>20)
}

// resultLine ends the output: what other programs read.
func (r *results) resultLine() string {
	name, role := r.named(byName), r.named(byRole)
	portkey := unmeasured
	if p := r.named("Portkey"); p != nil {
		portkey = fmt.Sprintf("%.0f", p.peakWhole.perSecond())
	}
	return fmt.Sprintf("RESULT added_p50_ms=%s added_p99_ms=%s peak_rps=%.0f logged_rps=%.0f portkey_rps=%s rss_mb=%d mask_structured_mbps=%s mask_text_mbps=%s",
		ms(r.added(name, 0.5, false, false)), ms(r.added(name, 0.99, false, false)), name.peakWhole.perSecond(), role.peakWhole.perSecond(), portkey, r.peak>>20, r.structured, r.text)
}

// table writes rows, of which the first is the head, as Markdown.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	for i, row := range rows {
		fmt.Fprintf(w, "| %s\t|\n", strings.Join(row, "\t| "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat(" ---\t|", len(row)))
		}
	}
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

// plus writes a difference, with its sign.
func plus(d time.Duration) string { return fmt.Sprintf("%+.2f", float64(d)/float64(time.Millisecond)) }

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

// thousands writes a number with commas.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
