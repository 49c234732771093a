package report

import "github.com/matrix-aiops/matrix/internal/ground"

// How far the facts carry a cause.
const (
	High    = "high"    // one thing took most of the time, or one service alone deviates strongly
	Medium  = "medium"  // something deviates clearly, or failed
	Low     = "low"     // something deviates
	Unknown = "unknown" // the facts carry no cause
)

// AsUsual is the verdict of a note that says that nothing deviates.
const AsUsual = "as_usual"

// Strengths of a deviation, in nats (see evidence.Deviation): 3 happens by chance
// about once in a hundred times, 10 practically never.
const (
	clear  = 3
	strong = 10
)

// Confidence says how far the facts carry a cause. It is computed from the facts
// that code found alone: what a model asked for, or thinks of its own answer, does
// not matter.
func Confidence(b *ground.Bundle) string {
	w := writer{bundle: b.Unasked()}
	elapsed := w.first(ground.Transaction).number("elapsed")
	for _, kind := range []string{ground.Statement, ground.Call, ground.Wait} {
		for _, v := range w.of(kind) {
			if elapsed > 0 && v.cost() >= elapsed/2 {
				return High
			}
		}
	}
	causes := w.of(ground.Cause)
	if len(causes) > 0 {
		first, second := causes[0].number("strength"), 0.0
		if len(causes) > 1 {
			second = causes[1].number("strength")
		}
		switch {
		case first >= strong && first >= 2*second:
			return High
		case first >= clear:
			return Medium
		}
		return Low
	}
	if w.first(ground.Exception).ID != "" {
		return Medium
	}
	return Unknown
}

// Rate sets the report's confidence. Where the facts that code found carry no
// cause, it is Low when the analysis stands on one that a model asked for and that
// tells of something unusual: which ones were asked for was a choice, so they
// carry no more than that.
func (r *Report) Rate(b *ground.Bundle) {
	r.Confidence = Confidence(b)
	if r.Confidence != Unknown {
		return
	}
	for _, p := range r.Analysis {
		for _, id := range p.Evidence {
			if f, _ := b.Fact(id); f.Asked != "" && f.Get(ground.Deviates) != "" {
				r.Confidence = Low
			}
		}
	}
}
