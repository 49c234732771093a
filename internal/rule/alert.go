package rule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Alert is an alarm that another system sounds and sends here, again and again
// while it lasts.
type Alert struct {
	Name     string            // what it is called there: its rule here is called the same
	Labels   map[string]string // what it is about
	Summary  string
	Runbook  string
	Severity string // Info, Warning, Critical; "" is Warning
	StartsAt time.Time
	Resolved bool // it is over: nothing keeps its incident open any more
	Value    float64
}

// alertKind is the kind of the rules that stand for alarms of other systems. One
// is made when an alert of a new name comes, so that people can route and mute it.
const alertKind = "alert"

var alerts = &Kind{
	Name: alertKind, Group: "external", Scoped: true, Params: []Param{},
	Count: 1, WindowMinutes: 1, QuietMinutes: 6, Severity: Warning,
	condition: func(r *Rule) Condition { return Condition{Measure: "Alert of another system: " + r.Name} },
	find:      func(context.Context, *Sources, search) (results, error) { return results{}, nil }, // they are pushed
}

// Push takes alerts of another system: a minute in which one comes is a match of
// the rule of its name. The alerts are recorded when it returns without an error;
// to push them again does no harm.
func (e *Engine) Push(ctx context.Context, p project.ID, alerts []Alert) error {
	now := e.opts.Now()
	byName := map[string][]Alert{}
	for _, a := range alerts {
		if !a.Resolved {
			byName[a.Name] = append(byName[a.Name], a)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		err := e.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
			r, err := alertRule(ctx, tx, p, byName[name][0], now)
			if err != nil || !r.Enabled {
				return err
			}
			var hits []hit
			for i := range byName[name] {
				if m := byName[name][i].match(now); r.covers(m.Service, m.Environment) {
					hits = append(hits, hit{m, now})
				}
			}
			fresh, err := recordMatches(ctx, tx, &due{Rule: r}, hits)
			if err != nil {
				return fmt.Errorf("record alerts: %w", err)
			}
			for _, group := range grouped(fresh) {
				firing, err := judge(ctx, tx, &r, group, now)
				if err != nil {
					return fmt.Errorf("count alerts: %w", err)
				}
				if err := e.opts.OnFire(ctx, tx, firing); err != nil {
					return fmt.Errorf("fire: %w", err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// match is the alert as a match of the minute in which it came.
func (a *Alert) match(now time.Time) Match {
	of := seriesOf(labels.FromMap(a.Labels))
	return Match{
		Service: of.Service, Environment: of.Environment, Subject: of.Subject, Instance: of.Instance,
		Start: now.Truncate(time.Minute), DurationNs: int64(time.Minute), Value: a.Value, Counts: true,
	}
}

// alertRule returns the rule that stands for alerts of a name, made anew for the first.
func alertRule(ctx context.Context, tx *metadb.Tx, p project.ID, a Alert, now time.Time) (Rule, error) {
	name := oneLine(a.Name)
	var have int64
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM rule WHERE project_id = $1 AND kind = $2 AND name <> $3`, int64(p), alertKind, name).Scan(&have); err != nil {
		return Rule{}, fmt.Errorf("count rules of alerts: %w", err)
	}
	if have >= maxAlertRules { // a sender whose names never end must not use up the project's rules
		name = otherAlerts
	}
	for _, candidate := range []string{name, name + " (alert)"} {
		r, err := scanRule(tx.QueryRow(ctx, `SELECT `+ruleColumns+` FROM rule WHERE project_id = $1 AND name = $2`, int64(p), candidate))
		if err == nil && r.Kind == alertKind {
			return r, nil
		}
		if err == nil {
			continue // another kind has the name
		}
		if !errors.Is(err, metadb.ErrNoRows) {
			return r, fmt.Errorf("find the rule of an alert: %w", err)
		}
		return create(ctx, tx, p, "matrix", Rule{
			Name: candidate, Kind: alertKind, Enabled: true, Params: Params{}, Severity: cmp.Or(a.Severity, Warning), Runbook: link(a.Runbook),
			Count: alerts.Count, WindowMinutes: alerts.WindowMinutes, QuietMinutes: alerts.QuietMinutes,
		}, now)
	}
	return Rule{}, fmt.Errorf("the names %q and %q are both taken by rules of other kinds", name, name+" (alert)")
}

// maxAlertRules is how many names of alerts get a rule of their own; what comes
// with others has one together.
const (
	maxAlertRules = 500
	otherAlerts   = "Other alerts"
)

// link returns an address that a rule may carry, "" for none that it may.
func link(address string) string {
	if isLink(address) {
		return address
	}
	return ""
}

// oneLine makes a name that another system chose fit for a rule.
func oneLine(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	const room = maxNameLength - len(" (alert)")
	if r := []rune(name); len(r) > room {
		name = string(r[:room])
	}
	return cmp.Or(name, "unnamed alert")
}
