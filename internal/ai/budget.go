package ai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Budget bounds what may be used of models in a period. A call is held to all
// budgets that are about its caller, those of the installation and those of its
// organisation, so that an organisation can make what it may use less, never more.
type Budget struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	// Owner is whose budget it is: one of an organisation counts only the calls of
	// the organisation's projects.
	Owner Owner `json:"owner" doc:"id of the organisation, 0 for the installation"`
	// Scope is who is counted: all, org, group, project, person, token, role or
	// purpose, such as judge for all that the judge of answers asks.
	Scope string `json:"scope"`
	// Of is the id of the one it is about, the code of the role, or the purpose;
	// "" counts each of them for itself. An organisation's own role of a
	// code is counted beside the installation's, and for itself.
	Of      string  `json:"of"`
	Measure string  `json:"measure"` // requests, tokens or usd
	Period  string  `json:"period"`  // minute, hour, day or month, of UTC
	Limit   float64 `json:"limit"`   // in requests, tokens or USD
	// SoftPercent of the limit is told to the people of the project that reaches
	// it; 0 tells nobody.
	SoftPercent int       `json:"soft_percent"`
	UpdatedAt   time.Time `json:"updated_at"`
	UpdatedBy   string    `json:"updated_by"`
}

var (
	budgetScopes   = []string{"all", "org", "group", "project", "person", "token", "role", "purpose"}
	budgetMeasures = map[string]float64{"requests": 1, "tokens": 1, "usd": 1e9} // how many counted units are one
	budgetPeriods  = []string{"minute", "hour", "day", "month"}
)

var purposeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

const (
	maxBudgets    = 500 // of the installation
	maxOrgBudgets = 50  // of one organisation
	// guessedAnswer is how many tokens are reserved for an answer without a bound.
	guessedAnswer = 1000
	// bytesPerToken is low, so that what is reserved is rather too much.
	bytesPerToken = 3
	keepUse       = 62 * 24 * time.Hour
	// maxDollars keeps a hundred times the counted units of a limit within 63 bits.
	maxDollars = 1e7
)

func (b *Budget) check() error {
	invalid := func(field, why string) error { return fault.New(fault.Invalid, "%s", why).WithField(field) }
	switch {
	case !slices.Contains(budgetScopes, b.Scope):
		return invalid("scope", "a budget is of all, an org, a group, a project, a person, a token, a role or a purpose")
	case b.Scope == "all" && b.Of != "":
		return invalid("of", "a budget of all is of nobody alone")
	case b.Scope == "all" && b.Owner != Shared:
		return invalid("scope", "all of an organisation is its scope org")
	case b.Scope == "org" && b.Owner != Shared && b.Of != strconv.FormatInt(int64(b.Owner), 10):
		return invalid("of", "an organisation's budget is of no other organisation")
	case b.Of != "" && b.Scope == "role" && !roleCode.MatchString(b.Of):
		return invalid("of", "a role is named by its code")
	case b.Of != "" && b.Scope == "purpose" && !purposeName.MatchString(b.Of):
		return invalid("of", "a purpose is named in small letters, digits and _, such as judge")
	case budgetMeasures[b.Measure] == 0:
		return invalid("measure", "a budget counts requests, tokens or usd")
	case !slices.Contains(budgetPeriods, b.Period):
		return invalid("period", "the period is a minute, an hour, a day or a month")
	case !(b.Limit > 0 && b.Limit <= 1e12):
		return invalid("limit", "the limit is over 0 and at most 10^12")
	case b.Measure == "usd" && b.Limit > maxDollars:
		return invalid("limit", "the limit is at most 10^7 USD")
	case b.SoftPercent < 0 || b.SoftPercent > 99:
		return invalid("soft_percent", "people are told at 1 to 99 percent, 0 tells nobody")
	}
	if b.Of != "" && b.Scope != "role" && b.Scope != "purpose" {
		if id, err := strconv.ParseInt(b.Of, 10, 64); err != nil || id <= 0 {
			return invalid("of", "it is named by its number")
		}
	}
	return nil
}

// units is an amount as it is counted.
func (b *Budget) units(amount float64) int64 {
	return int64(math.Round(amount * budgetMeasures[b.Measure]))
}

// window returns the period that t is in.
func (b *Budget) window(t time.Time) (from, to time.Time) {
	t = t.UTC()
	switch b.Period {
	case "minute":
		from = t.Truncate(time.Minute)
		return from, from.Add(time.Minute)
	case "hour":
		from = t.Truncate(time.Hour)
		return from, from.Add(time.Hour)
	case "day":
		from = t.Truncate(24 * time.Hour)
		return from, from.Add(24 * time.Hour)
	}
	from = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, 1, 0)
}

// Budgets returns all budgets of all owners, those of most first.
func (s *Roles) Budgets(ctx context.Context) ([]Budget, error) { return loadBudgets(ctx, s.db) }

func loadBudgets(ctx context.Context, q metadb.Querier) ([]Budget, error) {
	rows, err := q.Query(ctx, `SELECT body FROM ai_budget`)
	all, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (Budget, error) {
		var body string
		var b Budget
		if err := rows.Scan(&body); err != nil {
			return b, err
		}
		return b, json.Unmarshal([]byte(body), &b)
	})
	slices.SortFunc(all, func(a, b Budget) int {
		return cmp.Or(cmp.Compare(slices.Index(budgetScopes, a.Scope), slices.Index(budgetScopes, b.Scope)), cmp.Compare(a.Of, b.Of), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

// SetBudget stores a budget: a new one without an ID, else the one of that ID
// when its Version is still b's, or fault.Conflict; fault.NotFound when that is
// another owner's. What was used stays counted, so that what is counted stays too.
func (s *Roles) SetBudget(ctx context.Context, b Budget, author string) (*Budget, error) {
	if b.Scope == "org" && b.Of == "" && b.Owner != Shared {
		b.Of = strconv.FormatInt(int64(b.Owner), 10)
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		known := Budget{}
		if b.ID == "" {
			b.ID, b.Version = NewCallID(), 0
			if err := roomForBudget(ctx, tx, b.Owner); err != nil {
				return err
			}
		} else {
			found, err := budgetOf(ctx, tx, b.Owner, b.ID)
			if err != nil {
				return err
			}
			known = *found
		}
		if known.Version != b.Version {
			return fault.New(fault.Conflict, "the budget was changed meanwhile: it is at version %d", known.Version)
		}
		if known.Version > 0 {
			if err := b.counts(&known); err != nil {
				return err
			}
		}
		b.Version, b.UpdatedBy, b.UpdatedAt = known.Version+1, author, s.now().UTC().Truncate(time.Microsecond)
		body, err := json.Marshal(b)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO ai_budget (id, version, body) VALUES ($1, $2, $3)
			ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body`, b.ID, b.Version, string(body))
		return err
	})
	if err != nil {
		return nil, err
	}
	s.forget()
	return &b, nil
}

// DeleteBudget removes a budget of an owner, with what it counted; fault.NotFound.
func (s *Roles) DeleteBudget(ctx context.Context, owner Owner, id string) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := budgetOf(ctx, tx, owner, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM ai_budget WHERE id = $1`, id); err != nil {
			return fmt.Errorf("delete budget: %w", err)
		}
		_, err := tx.Exec(ctx, `DELETE FROM ai_budget_use WHERE budget = $1`, id)
		return err
	})
	if err != nil {
		return err
	}
	s.forget()
	return nil
}

// amounts are what a call uses, or is thought to use before it is made.
type amounts struct {
	requests, tokens, usd float64
}

func (a amounts) of(measure string) float64 {
	switch measure {
	case "requests":
		return a.requests
	case "tokens":
		return a.tokens
	}
	return a.usd
}

// held is what a call has reserved of a budget.
type held struct {
	budget  *Budget
	subject string
	from    time.Time
	units   int64
	now     int64 // used, with these units and those of other calls under way
}

// subject is whom a budget counts the call for; ok is false when it is not about it.
func (b *Budget) subject(caller Caller, p place, role string) (subject string, ok bool) {
	if b.Owner != Shared && int64(b.Owner) != p.org {
		return "", false
	}
	switch b.Scope {
	case "all":
		return "", true
	case "role":
		return role, role != "" && (b.Of == "" || b.Of == RoleCode(role))
	case "purpose":
		subject = caller.purpose()
	default:
		id := map[string]int64{"org": p.org, "group": p.group, "project": int64(caller.Project), "person": caller.Person, "token": caller.Token}[b.Scope]
		if id != 0 {
			subject = strconv.FormatInt(id, 10)
		}
	}
	return subject, subject != "" && (b.Of == "" || b.Of == subject)
}

// place is where a project belongs.
type place struct{ org, group int64 }

// reserve takes the amounts out of all budgets that are about the call, of a role
// by its key, or none of them: fault.RateLimited says which one is spent and until when.
func (g *Gateway) reserve(ctx context.Context, caller Caller, role string, owned budgets, guessed amounts) (taken []held, err error) {
	if len(owned) == 0 {
		return nil, nil
	}
	var p place
	if g.place != nil && caller.Project != 0 {
		if p.org, p.group, err = g.place(ctx, caller.Project); err != nil {
			return nil, fmt.Errorf("find the organisation of the project: %w", err)
		}
	}
	now := g.now()
	for _, b := range owned.about(p) {
		if subject, ok := b.subject(caller, p, role); ok {
			from, _ := b.window(now)
			taken = append(taken, held{budget: b, subject: subject, from: from, units: b.units(guessed.of(b.Measure))})
		}
	}
	if len(taken) == 0 {
		return nil, nil
	}
	// Every call takes its budgets in the same order, so that two of them never
	// wait for each other.
	slices.SortFunc(taken, func(a, b held) int { return cmp.Compare(a.budget.ID, b.budget.ID) })
	err = g.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for i := range taken {
			h := &taken[i]
			limit := h.budget.units(h.budget.Limit)
			if h.units > limit {
				return h.spent(now)
			}
			err := tx.QueryRow(ctx, `INSERT INTO ai_budget_use (budget, subject, since, used) VALUES ($1, $2, $3, $4)
				ON CONFLICT (budget, subject, since) DO UPDATE SET used = ai_budget_use.used + excluded.used WHERE ai_budget_use.used + excluded.used <= $5
				RETURNING used`, h.budget.ID, h.subject, metadb.Micros(h.from), h.units, limit).Scan(&h.now)
			if errors.Is(err, metadb.ErrNoRows) {
				return h.spent(now)
			}
			if err != nil {
				return fmt.Errorf("reserve budget: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range taken {
		g.tellSoft(ctx, caller, &taken[i], taken[i].units)
	}
	return taken, nil
}

// spent refuses a call for which nothing is left.
func (h *held) spent(now time.Time) error {
	b := h.budget
	_, to := b.window(now)
	whose := b.Scope
	switch whose {
	case "all":
		whose = "installation"
	case "org":
		whose = "organisation"
	}
	by := "the"
	if b.Owner != Shared {
		by = "your organisation's"
	}
	return fault.New(fault.RateLimited, "%s budget of %g %s a %s for this %s is spent until %s", by, b.Limit, b.Measure, b.Period, whose,
		to.Format("2006-01-02 15:04 MST")).WithRetryAfter(to.Sub(now))
}

// settle corrects what was reserved by what was used, also when the caller is
// gone, and tells of budgets that have just reached their soft limit.
func (g *Gateway) settle(ctx context.Context, caller Caller, taken []held, used amounts) {
	ctx = context.WithoutCancel(ctx)
	for i := range taken {
		h := &taken[i]
		b := h.budget
		more := b.units(used.of(b.Measure)) - h.units
		if more == 0 {
			continue
		}
		err := g.db.QueryRow(ctx, `UPDATE ai_budget_use SET used = used + $4 WHERE budget = $1 AND subject = $2 AND since = $3 RETURNING used`,
			b.ID, h.subject, metadb.Micros(h.from), more).Scan(&h.now)
		if errors.Is(err, metadb.ErrNoRows) { // the budget was deleted meanwhile
			continue
		}
		if err != nil {
			g.log.ErrorContext(ctx, "the use of a budget was not corrected", "budget", b.ID, "error", err)
			continue
		}
		g.tellSoft(ctx, caller, h, more)
	}
}

// tellSoft tells of a budget that has just reached its soft limit by these units.
func (g *Gateway) tellSoft(ctx context.Context, caller Caller, h *held, units int64) {
	b := h.budget
	soft := b.part(int64(b.SoftPercent))
	if b.SoftPercent == 0 || g.onSoft == nil || h.now < soft || h.now-units >= soft {
		return
	}
	_, to := b.window(h.from)
	told := SoftLimit{Budget: *b, Subject: h.subject, Used: float64(h.now) / budgetMeasures[b.Measure], From: h.from, To: to}
	if err := g.onSoft(context.WithoutCancel(ctx), caller, told); err != nil {
		g.log.ErrorContext(ctx, "nobody was told of a soft limit", "budget", b.ID, "error", err)
	}
}

// SoftLimit is a budget that has reached its soft limit.
type SoftLimit struct {
	Budget  Budget
	Subject string    // as in BudgetUse
	Used    float64   // with what calls under way have reserved
	From    time.Time // of the period
	To      time.Time
}

// guessed are the tokens a call may use: its messages, and the answer up to its bound.
func (c *conversation) guessed() (input, answer int64) {
	bytes, answer := len(c.plainSystem)+len(c.in.Message), int64(guessedAnswer)
	for _, m := range c.in.Messages {
		bytes += len(m.Text)
	}
	if p := c.role.Parameters.over(c.in.Parameters); p.MaxTokens != nil {
		answer = *p.MaxTokens
	}
	return int64(bytes / bytesPerToken), answer
}

// guess is what a call may use.
func (c *conversation) guess() amounts {
	input, answer := c.guessed()
	out := amounts{requests: 1, tokens: float64(input + answer)}
	for _, e := range c.chain {
		if !c.usable(e) {
			continue
		}
		if usd, _ := c.cost(e, c.started, Usage{InputTokens: input, OutputTokens: answer}); usd != nil {
			out.usd = *usd
		}
		break
	}
	return out
}

// used is what a call has used.
func used(attempts []Attempt) amounts {
	u := total(attempts)
	out := amounts{requests: 1, tokens: float64(u.InputTokens + u.OutputTokens)}
	for _, a := range attempts { // also when the price of another attempt is unknown
		if a.Usage.CostUSD != nil {
			out.usd += *a.Usage.CostUSD
		}
	}
	return out
}

// prune forgets what was used long ago.
func (g *Gateway) prune(ctx context.Context) error {
	_, err := g.db.Exec(ctx, `DELETE FROM ai_budget_use WHERE since < $1`, metadb.Micros(g.now().Add(-keepUse)))
	return err
}
