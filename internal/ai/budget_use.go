package ai

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// BudgetUse is what one of those a budget is about has used in a period.
type BudgetUse struct {
	Subject string    `json:"subject" doc:"id or code, as in of; empty for all"`
	Name    string    `json:"name" doc:"of an organisation, group, project, person or token, and the code of an organisation's own role; empty when it is gone"`
	Used    float64   `json:"used" doc:"with what calls under way have reserved"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// BudgetStanding is a budget, and how far it is used in its present period.
type BudgetStanding struct {
	Budget
	Name     string     `json:"name" doc:"of the one it is about; empty when it counts each, or that one is gone"`
	From     time.Time  `json:"from" doc:"of the present period"`
	To       time.Time  `json:"to"`
	Hidden   bool       `json:"hidden" doc:"its use is counted over organisations, and not told to one of them"`
	Subjects int        `json:"subjects" doc:"how many have used something of it"`
	Near     int        `json:"near" doc:"how many of them are near the limit"`
	Top      *BudgetUse `json:"top" doc:"who has used most; null when nobody has"`
}

// NearLimit is one who is near the limit of a budget: at its soft limit, or at 80
// percent of what may be used.
type NearLimit struct {
	Budget BudgetStanding `json:"budget"`
	Use    BudgetUse      `json:"use"`
	Share  float64        `json:"share" doc:"of the limit, 1 when it is spent"`
}

// BudgetPeriod is what was used of a budget in one period.
type BudgetPeriod struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Subjects int       `json:"subjects" doc:"how many have used something"`
	Near     int       `json:"near" doc:"how many of them came near the limit as it is now"`
	Most     float64   `json:"most" doc:"what the one has used who used most"`
	Used     float64   `json:"used" doc:"by all together"`
}

const (
	nearPercent      = 80
	maxNear          = 200
	maxBudgetUses    = 1000
	maxBudgetPeriods = 60
	budgetsAQuery    = 1000 // four parameters each, of 32,766 that SQLite takes
)

// near is from how many units on one is near the limit.
func (b *Budget) near() int64 {
	percent := int64(nearPercent)
	if b.SoftPercent > 0 {
		percent = min(percent, int64(b.SoftPercent))
	}
	return b.part(percent)
}

// part is a share of the limit in units, no less than that.
func (b *Budget) part(percent int64) int64 { return (b.units(b.Limit)*percent + 99) / 100 }

// amount is what counted units are in the budget's measure.
func (b *Budget) amount(units int64) float64 { return float64(units) / budgetMeasures[b.Measure] }

// BudgetView is what the administrators of one owner see of budgets: their own
// budgets whole, and an organisation those of the installation that apply to it,
// with what the organisation, its groups and its projects have used.
type BudgetView struct {
	s        *Roles
	owner    Owner
	groups   []int64
	projects []project.ID
}

// BudgetsOf returns the view of an owner with the groups and the projects it has;
// the installation needs to name none.
func (s *Roles) BudgetsOf(owner Owner, groups []int64, projects []project.ID) *BudgetView {
	return &BudgetView{s, owner, groups, projects}
}

// seen is a budget of a view with the subjects of which the use is told; nil
// subjects are all of them.
type seen struct {
	budget   *Budget
	hidden   bool
	subjects []string
}

func numbers[T int64 | project.ID](ids []T) []string {
	out := make([]string, len(ids)) // never nil: that is all
	for i, id := range ids {
		out[i] = strconv.FormatInt(int64(id), 10)
	}
	return out
}

// all returns the budgets of the view, the owner's first.
func (v *BudgetView) all(ctx context.Context) (own []seen, err error) {
	stored, err := v.s.Budgets(ctx)
	if err != nil {
		return nil, fmt.Errorf("load budgets: %w", err)
	}
	parts := map[string][]string{"org": {strconv.FormatInt(int64(v.owner), 10)}, "group": numbers(v.groups), "project": numbers(v.projects)}
	var shared []seen
	for i := range stored {
		b := &stored[i]
		subjects, told := parts[b.Scope]
		switch {
		case b.Owner == v.owner:
			own = append(own, seen{budget: b})
		case b.Owner != Shared:
		case told && (b.Of == "" || slices.Contains(subjects, b.Of)):
			shared = append(shared, seen{budget: b, subjects: subjects})
		// What one person or one token uses is theirs, in all their organisations.
		case !told && (b.Of == "" || b.Scope != "person" && b.Scope != "token"):
			shared = append(shared, seen{budget: b, hidden: true, subjects: []string{}})
		}
	}
	return append(own, shared...), nil
}

func (v *BudgetView) find(ctx context.Context, id string) (*seen, error) {
	all, err := v.all(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(s seen) bool { return s.budget.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "there is no budget %q", id)
	}
	return &all[i], nil
}

// params collects the parameters of a query.
type params []any

func (p *params) add(value any) string {
	*p = append(*p, value)
	return "$" + strconv.Itoa(len(*p))
}

// among narrows a query to subjects; nil are all.
func (p *params) among(column string, subjects []string) string {
	if subjects == nil {
		return ""
	}
	if len(subjects) == 0 {
		return " AND 1 = 0"
	}
	places := make([]string, len(subjects))
	for i, subject := range subjects {
		places[i] = p.add(subject)
	}
	return " AND " + column + " IN (" + strings.Join(places, ", ") + ")"
}

// inPeriod asks about the present periods of many budgets at once: the query
// reads ai_budget_use as u beside the budgets as b (id, since, near, most), and
// ends where an AND may follow. Budgets of the same subjects are asked together.
func inPeriod[T any](ctx context.Context, v *BudgetView, all []seen, query, rest string, scan func(*metadb.Rows) (T, error)) ([]T, error) {
	found := []T{}
	now := v.s.now()
	together := map[string][]seen{}
	for _, s := range all {
		kind := ""
		if s.subjects != nil {
			kind = s.budget.Scope
		}
		if !s.hidden {
			together[kind] = append(together[kind], s)
		}
	}
	for _, group := range together {
		for chunk := range slices.Chunk(group, budgetsAQuery) {
			var p params
			rows := make([]string, len(chunk))
			for i, s := range chunk {
				from, _ := s.budget.window(now)
				rows[i] = fmt.Sprintf(`(CAST(%s AS TEXT), CAST(%s AS BIGINT), CAST(%s AS BIGINT), CAST(%s AS BIGINT))`,
					p.add(s.budget.ID), p.add(metadb.Micros(from)), p.add(s.budget.near()), p.add(s.budget.units(s.budget.Limit)))
			}
			sql := `WITH b (id, since, near, most) AS (VALUES ` + strings.Join(rows, ", ") + `) ` + query + p.among("u.subject", chunk[0].subjects) + rest
			read, err := v.s.db.Query(ctx, sql, p...)
			part, err := metadb.Collect(read, err, scan)
			if err != nil {
				return nil, fmt.Errorf("read the use of budgets: %w", err)
			}
			found = append(found, part...)
		}
	}
	return found, nil
}

// standings returns the budgets with how far they are used, by their ids.
func (v *BudgetView) standings(ctx context.Context, all []seen) ([]BudgetStanding, error) {
	type top struct {
		id, subject    string
		used           int64
		subjects, near int
	}
	tops, err := inPeriod(ctx, v, all, `SELECT id, subject, used, subjects, many FROM (
		SELECT b.id, u.subject, u.used, COUNT(*) OVER (PARTITION BY b.id) AS subjects,
			COUNT(CASE WHEN u.used >= b.near THEN 1 END) OVER (PARTITION BY b.id) AS many,
			ROW_NUMBER() OVER (PARTITION BY b.id ORDER BY u.used DESC, u.subject) AS place
		FROM b JOIN ai_budget_use u ON u.budget = b.id AND u.since = b.since WHERE 1 = 1`, `) x WHERE place = 1`,
		func(r *metadb.Rows) (t top, err error) {
			return t, r.Scan(&t.id, &t.subject, &t.used, &t.subjects, &t.near)
		})
	if err != nil {
		return nil, err
	}
	byID := make(map[string]top, len(tops))
	for _, t := range tops {
		byID[t.id] = t
	}
	now := v.s.now()
	out := make([]BudgetStanding, len(all))
	for i, s := range all {
		from, to := s.budget.window(now)
		out[i] = BudgetStanding{Budget: *s.budget, From: from, To: to, Hidden: s.hidden}
		if t, used := byID[s.budget.ID]; used {
			out[i].Subjects, out[i].Near = t.subjects, t.near
			out[i].Top = &BudgetUse{Subject: t.subject, Used: s.budget.amount(t.used), From: from, To: to}
		}
	}
	return out, nil
}

// List returns the budgets of the view, the owner's first, with how far they are
// used in their present periods.
func (v *BudgetView) List(ctx context.Context) ([]BudgetStanding, error) {
	all, err := v.all(ctx)
	if err != nil {
		return nil, err
	}
	return v.standings(ctx, all)
}

// Get returns one budget of the view with how far it is used; fault.NotFound.
func (v *BudgetView) Get(ctx context.Context, id string) (*BudgetStanding, error) {
	s, err := v.find(ctx, id)
	if err != nil {
		return nil, err
	}
	one, err := v.standings(ctx, []seen{*s})
	if err != nil {
		return nil, err
	}
	return &one[0], nil
}

// Near returns who is near the limit of a budget of the view, the nearest first
// and at most 200, and how many there are.
func (v *BudgetView) Near(ctx context.Context) (found []NearLimit, total int, err error) {
	all, err := v.all(ctx)
	if err != nil {
		return nil, 0, err
	}
	list, err := v.standings(ctx, all)
	if err != nil {
		return nil, 0, err
	}
	byID := map[string]*BudgetStanding{}
	for i := range list {
		byID[list[i].ID] = &list[i]
		total += list[i].Near
	}
	all = slices.DeleteFunc(all, func(s seen) bool { return byID[s.budget.ID].Near == 0 })
	found, err = inPeriod(ctx, v, all, `SELECT b.id, u.subject, u.used FROM b JOIN ai_budget_use u ON u.budget = b.id AND u.since = b.since WHERE u.used >= b.near`,
		fmt.Sprintf(` ORDER BY CAST(u.used AS DOUBLE PRECISION) / b.most DESC, b.id, u.subject LIMIT %d`, maxNear),
		func(r *metadb.Rows) (near NearLimit, err error) {
			var id, subject string
			var used int64
			if err := r.Scan(&id, &subject, &used); err != nil {
				return near, err
			}
			b := byID[id]
			near = NearLimit{Budget: *b, Use: BudgetUse{Subject: subject, Used: b.amount(used), From: b.From, To: b.To}}
			near.Share = near.Use.Used / b.Limit
			return near, nil
		})
	slices.SortStableFunc(found, func(a, b NearLimit) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Budget.ID, b.Budget.ID), cmp.Compare(a.Use.Subject, b.Use.Subject))
	})
	return found[:min(len(found), maxNear)], total, err
}

// Uses returns what was used of a budget of the view in the period that a moment is
// in, the zero time being now: the most first and at most 1000, and how many there
// are; fault.NotFound.
func (v *BudgetView) Uses(ctx context.Context, id string, at time.Time) (uses []BudgetUse, total int, err error) {
	s, err := v.find(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if at.IsZero() {
		at = v.s.now()
	}
	from, to := s.budget.window(at)
	p := params{id, metadb.Micros(from)}
	rows, err := v.s.db.Query(ctx, `SELECT subject, used, COUNT(*) OVER () FROM ai_budget_use WHERE budget = $1 AND since = $2`+p.among("subject", s.subjects)+
		fmt.Sprintf(` ORDER BY used DESC, subject LIMIT %d`, maxBudgetUses), p...)
	uses, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (BudgetUse, error) {
		u := BudgetUse{From: from, To: to}
		var used int64
		err := rows.Scan(&u.Subject, &used, &total)
		u.Used = s.budget.amount(used)
		return u, err
	})
	return uses, total, err
}

// Periods returns the periods of a budget of the view in which something was
// used, the newest first and at most 60: what is longer ago than 62 days is
// forgotten; fault.NotFound.
func (v *BudgetView) Periods(ctx context.Context, id string) ([]BudgetPeriod, error) {
	s, err := v.find(ctx, id)
	if err != nil {
		return nil, err
	}
	p := params{id, s.budget.near()}
	rows, err := v.s.db.Query(ctx, `SELECT since, COUNT(*), COUNT(CASE WHEN used >= CAST($2 AS BIGINT) THEN 1 END), MAX(used), CAST(SUM(used) AS BIGINT)
		FROM ai_budget_use WHERE budget = $1`+p.among("subject", s.subjects)+fmt.Sprintf(` GROUP BY since ORDER BY since DESC LIMIT %d`, maxBudgetPeriods), p...)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (one BudgetPeriod, err error) {
		var since, most, used int64
		err = rows.Scan(&since, &one.Subjects, &one.Near, &most, &used)
		one.From, one.To = s.budget.window(metadb.FromMicros(since))
		one.Most, one.Used = s.budget.amount(most), s.budget.amount(used)
		return one, err
	})
}
