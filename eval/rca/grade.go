package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/matrix-aiops/matrix/internal/evidence"
)

// grades are how the causes that were named compare with those that were injected.
type grades struct {
	machine string
	verbose bool
	took    time.Duration // to observe the time of a fault, on average
	graded  []graded
}

type graded struct {
	fault
	rank   int // 0: not named
	past   int // the rank with what was recorded before alone
	causes []evidence.Cause
	region string // "", or how the place in the code compares: first, named, missed
}

func (g *grades) add(f fault, causes, past []evidence.Cause, regions map[string]map[string]string) {
	rank := f.rank(causes)
	one := graded{fault: f, rank: rank, past: f.rank(past), causes: causes}
	if want := regions[f.service()][f.kind]; want != "" {
		one.region = "missed"
		if rank > 0 && len(causes[rank-1].Deviations) > 0 {
			for i, d := range causes[rank-1].Deviations {
				if within(d, want) {
					one.region = "named"
					if i == 0 && rank == 1 {
						one.region = "first"
					}
					break
				}
			}
		}
	}
	g.graded = append(g.graded, one)
}

// rank is the place of the service with the fault among causes, 0 for none.
func (f fault) rank(causes []evidence.Cause) int {
	return 1 + slices.IndexFunc(causes, func(c evidence.Cause) bool { return c.Service == f.service() })
}

// within reports whether a deviation is of a labelled place: two places of the code,
// or texts, joined by an underscore, between which the fault was; or the name of a
// metric of a resource.
func within(d evidence.Deviation, label string) bool {
	if d.Kind == evidence.Saturated {
		return strings.Contains(strings.ToLower(label), "cpu") && strings.Contains(d.Resource, "cpu")
	}
	for part := range strings.SplitSeq(label, "_") {
		if part != "" && (d.Step.Line == part || strings.Contains(d.Line, part)) {
			return true
		}
	}
	return false
}

func (g *grades) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Causes of injected faults\n\n`make eval-rca`\n\n%s- recording: %d faults from %s to %s UTC\n\n", g.machine, len(g.graded), g.graded[0].at.Format("2006-01-02 15:04"), g.graded[len(g.graded)-1].at.Format("2006-01-02 15:04"))
	b.WriteString("Each fault's three minutes were investigated without its label. Usual were the recorded minutes without a fault and the times of the other\nfaults, unlabelled; the rank in brackets is the one with what was recorded before alone.\n\n")
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprint(w, "| time\t| injected\t| into\t| rank\t| place\t| named first, with what deviates most\t|\n| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t|\n")
	var first, three, firstPast, threePast, regions, regionsFirst int
	for _, f := range g.graded {
		rank, named := fmt.Sprintf("%s (%s)", place(f.rank), place(f.past)), ""
		first, three = first+upTo(f.rank, 1), three+upTo(f.rank, 3)
		firstPast, threePast = firstPast+upTo(f.past, 1), threePast+upTo(f.past, 3)
		if f.region != "" {
			regions++
			if f.region == "first" {
				regionsFirst++
			}
		}
		if len(f.causes) > 0 {
			named = f.causes[0].Service + ": " + words(f.causes[0].Deviations[0])
		}
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n", f.at.Format("01-02 15:04"), f.kind, f.service(), rank, f.region, named)
	}
	_ = w.Flush() // a strings.Builder does not fail
	if g.verbose {
		g.details(&b)
	}
	n := max(len(g.graded), 1)
	fmt.Fprintf(&b, "\nWith what was recorded before alone: as1=%.3f as3=%.3f. Observing the time of a fault took %d ms on average.\n", float64(firstPast)/float64(n), float64(threePast)/float64(n), g.took.Milliseconds())
	fmt.Fprintf(&b, "\n```\nRESULT as1=%.3f as3=%.3f region1=%.3f faults=%d\n```\n", float64(first)/float64(n), float64(three)/float64(n), float64(regionsFirst)/float64(max(regions, 1)), len(g.graded))
	return b.String()
}

// place writes a rank.
func place(rank int) string {
	if rank == 0 {
		return "–"
	}
	return fmt.Sprint(rank)
}

// upTo is 1 for a rank that is at most so much.
func upTo(rank, most int) int {
	if rank >= 1 && rank <= most {
		return 1
	}
	return 0
}

func (g *grades) details(b *strings.Builder) {
	for _, f := range g.graded {
		fmt.Fprintf(b, "\n%s %s %s\n", f.at.Format("15:04"), f.kind, f.service())
		for i, c := range f.causes {
			if i == 4 {
				break
			}
			by := ""
			if c.By != "" {
				by = ", as " + c.By + " has changed"
			}
			fmt.Fprintf(b, "  %d. %s, %.1f%s\n", i+1, c.Service, c.Strength, by)
			for _, d := range c.Deviations[:min(3, len(c.Deviations))] {
				fmt.Fprintf(b, "       %.1f %s\n", d.Strength, words(d))
			}
		}
	}
}

// words says what deviates, in one line.
func words(d evidence.Deviation) string {
	what := d.Step.Line
	if what == "" {
		what = "call of " + d.Step.Call.Service + " " + d.Step.Call.Name
	}
	if d.Line != "" && !strings.Contains(d.Line, d.Step.Line) {
		what = d.Line
	}
	what = strings.NewReplacer("|", "/", "\n", " ").Replace(what)
	if len(what) > 90 {
		what = strings.ToValidUTF8(what[:90], "") + "…"
	}
	switch d.Kind {
	case evidence.Slower:
		return fmt.Sprintf("%s takes %.0f ms, usually %.0f", d.Operation.Name, d.Now, d.Usual)
	case evidence.Apart:
		return fmt.Sprintf("calls of %s take %.0f ms more than it does, usually %.0f", d.Operation.Name, d.Now, d.Usual)
	case evidence.Saturated:
		return fmt.Sprintf("%s is %.2f, usually %.2f", d.Resource, d.Now, d.Usual)
	}
	return fmt.Sprintf("%s: %s in %.0f %% of traces, usually %.0f", d.Operation.Name, what, d.Now*100, d.Usual*100)
}
