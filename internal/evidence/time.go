package evidence

import (
	"cmp"
	"slices"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// pause is time in which a transaction waited, or in which nothing is recorded.
type pause struct {
	step *trace.Step // the wait itself, or the step before which nothing ran
	tail bool        // nothing ran after the last step below step
	ns   int64
}

// waits gives the longest waits for connections and the longest gaps.
func (t *transaction) waits() {
	var all []pause
	for i := range t.Steps {
		s := &t.Steps[i]
		if s.Kind == trace.StepWait && s.ElapsedNs >= waitNoticeable.Nanoseconds() && !t.nestedWait(s) {
			all = append(all, pause{step: s, ns: s.ElapsedNs})
		}
		if t.noticeable(s.GapNs) {
			all = append(all, pause{step: s, ns: s.GapNs})
		}
		if t.noticeable(s.TailNs) {
			all = append(all, pause{step: s, ns: s.TailNs, tail: true})
		}
	}
	slices.SortStableFunc(all, func(a, b pause) int { return cmp.Compare(b.ns, a.ns) })
	for _, p := range all[:min(len(all), maxOthers)] {
		t.wait(p)
	}
}

// nestedWait reports whether a wait is the inside of another one:
// pg-pool.connect waits in pg.connect.
func (t *transaction) nestedWait(s *trace.Step) bool {
	return s.ParentIndex > 0 && t.Steps[s.ParentIndex-1].Kind == trace.StepWait
}

func (t *transaction) wait(p pause) {
	s := p.step
	f := t.fact(ground.Wait, s)
	share := percent(p.ns, t.Transaction.ElapsedNs)
	name := clip(s.Name, maxName)
	switch {
	case p.tail:
		f.say("After the last step below step %d (%s), until that ended, nothing recorded ran for %s ms", s.Index, name, milliseconds(p.ns))
		f.value("what", "gap")
	case s.Kind == trace.StepWait && p.ns == s.ElapsedNs:
		f.say("Step %d: waiting for a connection (%s) took %s ms", s.Index, name, milliseconds(p.ns))
		f.value("what", "connection")
	default:
		f.say("Before step %d, nothing recorded ran for %s ms", s.Index, milliseconds(p.ns))
		f.value("what", "gap")
	}
	if share != "" {
		f.say(" (%s %% of the transaction)", share)
	}
	f.say(".")
	f.ms("elapsed", p.ns)
	f.number("share", share, "percent")
	t.bundle.add(f.ground())
}

// methods gives the program's own steps that took long and have nothing below
// them: of the others the time is in what they called, or in gaps.
func (t *transaction) methods() {
	var leaves []*trace.Step
	for i := range t.Steps {
		s := &t.Steps[i]
		if s.Kind == trace.StepMethod && t.noticeable(s.SelfNs) && !t.runs(s) {
			leaves = append(leaves, s)
		}
	}
	slices.SortStableFunc(leaves, func(a, b *trace.Step) int { return cmp.Compare(b.SelfNs, a.SelfNs) })
	for _, s := range leaves[:min(len(leaves), maxOthers)] {
		f := t.fact(ground.Step, s)
		share := percent(s.SelfNs, t.Transaction.ElapsedNs)
		f.say("Step %d: %s", s.Index, clip(s.Name, maxName))
		if s.Code != "" {
			f.say(" (%s)", clip(s.Code, maxName))
		}
		f.say(" took %s ms in itself (%s %% of the transaction)", milliseconds(s.SelfNs), share)
		f.say(", from %s ms after the start.", milliseconds(s.OffsetNs))
		f.value("name", clip(s.Name, maxName))
		f.service(s.Service)
		f.ms("elapsed", s.ElapsedNs)
		f.ms("self", s.SelfNs)
		f.ms("offset", s.OffsetNs)
		f.number("share", share, "percent")
		t.bundle.add(f.ground())
	}
}

// runs reports whether anything but an exception is recorded below a step.
func (t *transaction) runs(s *trace.Step) bool {
	for i := s.Index; i < len(t.Steps) && t.Steps[i].Depth > s.Depth; i++ {
		if t.Steps[i].Kind != trace.StepException {
			return true
		}
	}
	return false
}

// exceptions gives each different exception once, in order of appearance.
func (t *transaction) exceptions() {
	all := groups(t.Steps, func(s *trace.Step) string {
		if s.Kind != trace.StepException {
			return ""
		}
		return s.Exception.Type + "\x00" + s.Exception.Message
	})
	for _, g := range all[:min(len(all), maxOthers)] {
		s := g.slowest()
		f := t.fact(ground.Exception, s)
		kind, message := clip(s.Exception.Type, maxName), clip(s.Exception.Message, maxMessage)
		f.say("Step %d: exception %s", s.Index, cmp.Or(kind, "without a type"))
		if message != "" {
			f.say(": %s", message)
		}
		if s.Code != "" {
			f.say("; thrown in %s", clip(s.Code, maxName))
		}
		if len(g.steps) > 1 {
			f.say("; recorded %d times", len(g.steps))
			f.count("calls", len(g.steps))
		}
		f.value("type", kind)
		f.value("message", message)
		f.service(s.Service)
		t.bundle.add(f.ground())
	}
}
