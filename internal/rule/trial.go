package rule

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// TrialDays is how far back a trial looks.
	TrialDays   = 7
	trialTime   = 60 * time.Second // a trial takes at most
	trialHits   = 200_000          // it looks at
	trialFired  = 200              // it lists
	trialMargin = time.Minute      // of the present, which is not all there yet
)

// Trial is what a rule would have done.
type Trial struct {
	From     time.Time    `json:"from"`
	To       time.Time    `json:"to"`
	Fired    []TrialFired `json:"fired" doc:"the incidents it would have opened, newest first, at most 200"`
	Total    int          `json:"total" doc:"how many there would have been"`
	Matches  int          `json:"matches" doc:"how many calls or minutes it counted"`
	Complete bool         `json:"complete" doc:"false when there was more than could be looked at"`
}

// TrialFired is one incident that a rule would have opened.
type TrialFired struct {
	From    time.Time `json:"from" doc:"of the window that opened it"`
	Opened  time.Time `json:"opened"`
	To      time.Time `json:"to" doc:"its last match"`
	Service string    `json:"service"`
	Phase   string    `json:"phase"`
	Subject string    `json:"subject"`
	Count   int       `json:"count" doc:"matches"`
	Value   float64   `json:"value" doc:"the worst"`
	Usual   *float64  `json:"usual,omitempty"`
}

// Try says what a rule would have done in the last seven days, without keeping
// it. What a rule concludes from silence is believed of the past as it is.
func (e *Engine) Try(ctx context.Context, p project.ID, r Rule) (*Trial, error) {
	r.Project, r.ID = p, 0
	if err := r.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	to := e.opts.Now().Add(-trialMargin)
	t := &Trial{From: to.AddDate(0, 0, -TrialDays).UTC(), To: to.UTC(), Fired: []TrialFired{}, Complete: true}
	ask := search{Rules: []*Rule{&r}, After: t.From, Until: to, Limit: maxRead, past: true}
	bySeries := map[series]map[string]Match{}
	for {
		found, err := kindOf(r.Kind).find(ctx, &e.opts.Sources, ask)
		if err != nil {
			return nil, fmt.Errorf("try the rule: %w", err)
		}
		if why := found.failed[r.ID]; why != nil {
			return nil, why
		}
		for _, h := range found.hits[r.ID] {
			of := series{p, h.Service, h.Environment, h.Subject}
			if bySeries[of] == nil {
				bySeries[of] = map[string]Match{}
			}
			if _, twice := bySeries[of][h.key()]; !twice {
				bySeries[of][h.key()] = h.Match
				t.Matches++
			}
		}
		if found.reached.IsZero() || !found.reached.After(ask.After) {
			break
		}
		if t.Complete = t.Matches < trialHits; !t.Complete {
			break
		}
		ask.After = found.reached
	}
	for _, matches := range bySeries {
		t.Fired = append(t.Fired, r.fired(matches)...)
	}
	slices.SortFunc(t.Fired, func(a, b TrialFired) int {
		return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Subject, b.Subject))
	})
	t.Total = len(t.Fired)
	t.Fired = t.Fired[:min(len(t.Fired), trialFired)]
	return t, nil
}

// fired returns the incidents that matches of one series would have opened: each
// from the first window that is met until there is no match for the quiet time.
func (r *Rule) fired(matches map[string]Match) []TrialFired {
	sorted := make([]Match, 0, len(matches))
	for _, m := range matches {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b Match) int { return a.End().Compare(b.End()) })
	var all []TrialFired
	var open *TrialFired
	first := 0 // of those that count within the window
	var counted []Match
	for _, m := range sorted {
		end := m.End()
		if open != nil && end.Sub(open.To) > r.Quiet() {
			open = nil
		}
		if m.Counts {
			counted = append(counted, m)
		}
		for first < len(counted) && !counted[first].End().After(end.Add(-r.Window())) {
			first++
		}
		switch {
		case open != nil:
			open.To = end.UTC()
			open.Count++
			r.takeWorse(open, &m)
		case m.Counts && len(counted)-first >= r.Count && !r.muted(end):
			all = append(all, TrialFired{From: end.Add(-r.Window()).UTC(), Opened: end.UTC(), To: end.UTC(), Service: m.Service,
				Phase: m.Environment, Subject: m.Subject, Count: len(counted) - first, Value: m.Value, Usual: m.Usual})
			open = &all[len(all)-1]
			for i := first; i < len(counted); i++ {
				r.takeWorse(open, &counted[i])
			}
		}
	}
	return all
}

func (r *Rule) takeWorse(f *TrialFired, m *Match) {
	if m.Value > f.Value != r.lowIsWorse() {
		f.Value, f.Usual = m.Value, m.Usual
	}
}
