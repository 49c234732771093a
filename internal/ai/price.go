package ai

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Price is what a model costs from a moment on, in USD per million tokens.
type Price struct {
	Version  int64      `json:"version" doc:"grows with every price that is set; a call names the one it was counted with"`
	Provider string     `json:"provider"`
	Model    string     `json:"model"`
	From     *time.Time `json:"from" doc:"it holds from then on; null: always"`
	Input    float64    `json:"input" doc:"USD per million tokens of the question"`
	Output   float64    `json:"output" doc:"USD per million tokens of the answer"`
	// The kinds of tokens below are part of the question's or the answer's.
	Cached     *float64 `json:"cached" doc:"of the question, those read from a cache; null: as input"`
	CacheWrite *float64 `json:"cache_write" doc:"of the question, those written to a cache; null: as input"`
	Reasoning  *float64 `json:"reasoning" doc:"of the answer, those of reasoning; null: as output"`
	// Ended says that the price is not known from then on.
	Ended       bool       `json:"ended" doc:"the price is not known from then on"`
	Upcoming    int        `json:"upcoming" doc:"changes of it that are still to come"`
	WithdrawnAt *time.Time `json:"withdrawn_at" doc:"it was taken back and never holds"`
	WithdrawnBy string     `json:"withdrawn_by"`
	UpdatedAt   *time.Time `json:"updated_at" doc:"null: as it came with MATRIX"`
	UpdatedBy   string     `json:"updated_by"`
}

const (
	micro    = 1e6
	maxPrice = 1e6
	// farPrice bounds when a price may begin, around now.
	farPrice = 20 * 366 * 24 * time.Hour
)

// Prices returns the price of every model that has one, by provider and model:
// the one that holds now, or the next to come when there is none yet.
func (s *Roles) Prices(ctx context.Context) ([]Price, error) {
	all, err := s.priceRows(ctx, `WHERE withdrawn_at = 0`)
	if err != nil {
		return nil, err
	}
	now := s.now()
	shown := []Price{}
	for _, versions := range byModel(all) {
		at := slices.IndexFunc(versions, func(p Price) bool { return p.holds(now) })
		upcoming := versions
		if at >= 0 {
			upcoming = versions[:at]
		}
		upcoming = effective(upcoming)
		switch {
		case at >= 0 && !versions[at].Ended:
			p := versions[at]
			p.Upcoming = len(upcoming)
			shown = append(shown, p)
		default:
			slices.Reverse(upcoming)
			if next := slices.IndexFunc(upcoming, func(p Price) bool { return !p.Ended }); next >= 0 {
				p := upcoming[next]
				p.Upcoming = len(upcoming) - next - 1
				shown = append(shown, p)
			}
		}
	}
	return shown, nil
}

// PriceHistory returns all that was ever said of a model's price, the latest to
// hold first.
func (s *Roles) PriceHistory(ctx context.Context, provider, model string) ([]Price, error) {
	return s.priceRows(ctx, `WHERE provider = $1 AND model = $2`, provider, model)
}

// holds reports whether the price has begun.
func (p *Price) holds(at time.Time) bool { return p.From == nil || !p.From.After(at) }

// effective leaves out what a later version with the same begin replaces.
func effective(versions []Price) []Price {
	return slices.CompactFunc(slices.Clone(versions), func(a, b Price) bool {
		return a.From == b.From || a.From != nil && b.From != nil && a.From.Equal(*b.From)
	})
}

// byModel cuts prices, ordered as priceRows does, into those of each model.
func byModel(all []Price) (models [][]Price) {
	for start, i := 0, 1; i <= len(all); i++ {
		if i == len(all) || all[i].Provider != all[start].Provider || all[i].Model != all[start].Model {
			models = append(models, all[start:i])
			start = i
		}
	}
	return models
}

func (s *Roles) priceRows(ctx context.Context, where string, args ...any) ([]Price, error) {
	rows, err := s.db.Query(ctx, `SELECT version, provider, model, since, input, output, cached, cache_write, reasoning, ended, withdrawn_at, withdrawn_by, updated_at, updated_by
		FROM ai_price_at `+where+` ORDER BY provider, model, since DESC, version DESC`, args...)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Price, error) {
		var p Price
		var since, input, output, withdrawn, at int64
		var cached, write, reasoning *int64
		err := rows.Scan(&p.Version, &p.Provider, &p.Model, &since, &input, &output, &cached, &write, &reasoning, &p.Ended, &withdrawn, &p.WithdrawnBy, &at, &p.UpdatedBy)
		p.Input, p.Output = float64(input)/micro, float64(output)/micro
		p.Cached, p.CacheWrite, p.Reasoning = inDollars(cached), inDollars(write), inDollars(reasoning)
		p.From, p.WithdrawnAt, p.UpdatedAt = momentOf(since), momentOf(withdrawn), momentOf(at)
		return p, err
	})
}

func momentOf(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := metadb.FromMicros(micros)
	return &t
}

func inDollars(micros *int64) *float64 {
	if micros == nil {
		return nil
	}
	usd := float64(*micros) / micro
	return &usd
}

func inMicros(usd *float64) *int64 {
	if usd == nil {
		return nil
	}
	micros := int64(math.Round(*usd * micro))
	return &micros
}

func (p *Price) check(now time.Time) error {
	if _, name := Owned(p.Provider); name == "" || len(name) > 63 {
		return fault.New(fault.Invalid, "a price is of a provider").WithField("provider")
	}
	if p.Model == "" || len(p.Model) > maxModel {
		return fault.New(fault.Invalid, "a price is of a model of at most %d bytes", maxModel).WithField("model")
	}
	for _, amount := range []struct {
		field string
		usd   *float64
	}{{"input", &p.Input}, {"output", &p.Output}, {"cached", p.Cached}, {"cache_write", p.CacheWrite}, {"reasoning", p.Reasoning}} {
		if amount.usd != nil && !(*amount.usd >= 0 && *amount.usd <= maxPrice) {
			return fault.New(fault.Invalid, "a price is between 0 and %d USD per million tokens", int(maxPrice)).WithField(amount.field)
		}
	}
	if p.From != nil && p.From.Sub(now).Abs() > farPrice {
		return fault.New(fault.Invalid, "a price begins within twenty years of now").WithField("from")
	}
	return nil
}

// SetPrice stores what a model costs from p.From on, from now when that is nil.
// Calls are counted with it that begin from then on; those already counted are
// left as they are, see Recount. Prices are kept to a millionth of a dollar and
// begin at a millisecond. It returns the price as stored; fault.Invalid.
func (s *Roles) SetPrice(ctx context.Context, p Price, author string) (*Price, error) {
	now := s.now().UTC()
	if err := p.check(now); err != nil {
		return nil, err
	}
	if p.From == nil {
		p.From = &now
	}
	from := p.From.UTC().Truncate(time.Millisecond) // as calls are logged
	p.From = &from
	if err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error { return insertPrice(ctx, tx, &p, now, author) }); err != nil {
		return nil, fmt.Errorf("store price: %w", err)
	}
	s.forget()
	stored, err := s.priceRows(ctx, `WHERE version = $1`, p.Version)
	if err != nil {
		return nil, err
	}
	return &stored[0], nil
}

// insertPrice adds p with the next version, as of author at now.
func insertPrice(ctx context.Context, tx *metadb.Tx, p *Price, now time.Time, author string) error {
	if err := tx.QueryRow(ctx, `UPDATE ai_price_version SET last = last + 1 RETURNING last`).Scan(&p.Version); err != nil {
		return err
	}
	since, at := int64(0), int64(0)
	if p.From != nil {
		since = metadb.Micros(*p.From)
	}
	if !now.IsZero() {
		at = metadb.Micros(now)
	}
	_, err := tx.Exec(ctx, `INSERT INTO ai_price_at (version, provider, model, since, input, output, cached, cache_write, reasoning, ended, updated_at, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, p.Version, p.Provider, p.Model, since, *inMicros(&p.Input), *inMicros(&p.Output),
		inMicros(p.Cached), inMicros(p.CacheWrite), inMicros(p.Reasoning), p.Ended, at, author)
	return err
}

// DeletePrice makes the price of a model unknown from now on, and takes back
// changes of it that are still to come; fault.NotFound.
func (s *Roles) DeletePrice(ctx context.Context, provider, model, author string) error {
	now := s.now().UTC().Truncate(time.Millisecond)
	err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		// The version is taken first: two who delete do so one after the other.
		end := Price{Provider: provider, Model: model, From: &now, Ended: true}
		taken, err := tx.Exec(ctx, `UPDATE ai_price_at SET withdrawn_at = $3, withdrawn_by = $4 WHERE provider = $1 AND model = $2 AND since > $3 AND withdrawn_at = 0`,
			provider, model, metadb.Micros(now), author)
		if err != nil {
			return err
		}
		ended := true
		err = tx.QueryRow(ctx, `SELECT ended FROM ai_price_at WHERE provider = $1 AND model = $2 AND since <= $3 AND withdrawn_at = 0
			ORDER BY since DESC, version DESC LIMIT 1`, provider, model, metadb.Micros(now)).Scan(&ended)
		if err != nil && !errors.Is(err, metadb.ErrNoRows) {
			return err
		}
		switch {
		case !ended:
			return insertPrice(ctx, tx, &end, s.now(), author)
		case taken == 0:
			return fault.New(fault.NotFound, "the model %q of %q has no price", model, provider)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete price: %w", err)
	}
	s.forget()
	return nil
}

// WithdrawPrice takes back a price that was set by mistake: it never holds, and
// what it replaced does again; fault.NotFound.
func (s *Roles) WithdrawPrice(ctx context.Context, version int64, author string) error {
	n, err := s.db.Exec(ctx, `UPDATE ai_price_at SET withdrawn_at = $2, withdrawn_by = $3 WHERE version = $1 AND withdrawn_at = 0`, version, metadb.Micros(s.now()), author)
	if err != nil {
		return fmt.Errorf("withdraw price: %w", err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "there is no price of version %d", version)
	}
	s.forget()
	return nil
}

// seedPrices stores the prices that come with MATRIX of models that never had one.
func seedPrices(ctx context.Context, tx *metadb.Tx) error {
	var known struct {
		Prices []Price `json:"prices"` // the rest says where they are from
	}
	if err := json.Unmarshal([]byte(embedded("prices.json")), &known); err != nil {
		return fmt.Errorf("read default prices: %w", err)
	}
	rows, err := tx.Query(ctx, `SELECT DISTINCT provider, model FROM ai_price_at`)
	stored := map[modelKey]bool{}
	_, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (struct{}, error) {
		var key modelKey
		err := rows.Scan(&key.provider, &key.model)
		stored[key] = true
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	for i := range known.Prices {
		if p := &known.Prices[i]; !stored[modelKey{p.Provider, p.Model}] {
			if err := insertPrice(ctx, tx, p, time.Time{}, "matrix"); err != nil {
				return err
			}
		}
	}
	return nil
}

// undated is a model without the date that pins it: gpt-4o-mini of
// gpt-4o-mini-2024-07-18. A model without one is itself.
func undated(model string) string {
	const layout = "-2006-01-02"
	at := len(model) - len(layout)
	if at <= 0 || model[at] != '-' {
		return model
	}
	for i, c := range []byte(model[at:]) {
		if digit := '0' <= layout[i] && layout[i] <= '9'; digit != ('0' <= c && c <= '9') || !digit && c != '-' {
			return model
		}
	}
	return model[:at]
}

// PriceList is what models cost: the prices of each model by begin, the latest
// first.
type PriceList struct {
	by    map[modelKey][]Price
	kinds map[string]string // of organisations' services, by the name they are stored under
}

// PriceList returns the prices as they are now, for many calls.
func (s *Roles) PriceList(ctx context.Context) (PriceList, error) {
	list := PriceList{by: map[modelKey][]Price{}}
	rows, err := s.priceRows(ctx, `WHERE withdrawn_at = 0`)
	if err != nil {
		return list, err
	}
	for _, versions := range byModel(rows) {
		list.by[modelKey{versions[0].Provider, versions[0].Model}] = effective(versions)
	}
	list.kinds, err = kindsOfOwn(ctx, s.db)
	return list, err
}

// Of returns the prices of a model of a provider, by the name that attempts are
// stored under.
func (p PriceList) Of(provider, model string) []Price {
	owner, name := Owned(provider)
	return p.timeline(pricedAs(owner, name, p.kinds[provider]), model)
}

// under returns the prices that a model was given under one name: its own, else
// those of the model it is a dated version of.
func (p PriceList) under(provider, model string) []Price {
	if own, known := p.by[modelKey{provider, model}]; known {
		return own
	}
	return p.by[modelKey{provider, undated(model)}]
}

// at returns the price of a model that holds at a moment: of the first of the
// providers' names that has one then. It is nil when none has.
func (p PriceList) at(providers []string, model string, at time.Time) *Price {
	for _, provider := range providers {
		versions := p.under(provider, model)
		if i := slices.IndexFunc(versions, func(price Price) bool { return price.holds(at) }); i >= 0 && !versions[i].Ended {
			return &versions[i]
		}
	}
	return nil
}

// cost returns what tokens cost in USD that were used at a moment, and the version
// of the price; nil and 0 when it was unknown then.
func (p PriceList) cost(providers []string, model string, at time.Time, u Usage) (usd *float64, version int64) {
	price := p.at(providers, model, at)
	if price == nil {
		return nil, 0
	}
	sum := price.cost(u)
	return &sum, price.Version
}

// cost is the formula: what has a price of its own is not paid for twice. A
// service may tell of more cached tokens than of tokens; no part is negative.
func (p *Price) cost(u Usage) float64 {
	cached := min(u.CachedTokens, u.InputTokens)
	write := min(u.CacheWriteTokens, u.InputTokens-cached)
	reasoning := min(u.ReasoningTokens, u.OutputTokens)
	return (float64(u.InputTokens-cached-write)*p.Input +
		float64(cached)**cmp.Or(p.Cached, &p.Input) +
		float64(write)**cmp.Or(p.CacheWrite, &p.Input) +
		float64(u.OutputTokens-reasoning)*p.Output +
		float64(reasoning)**cmp.Or(p.Reasoning, &p.Output)) / 1e6
}

// total sums the usage of all attempts; one unknown cost makes the sum unknown.
func total(attempts []Attempt) Usage {
	var sum Usage
	var usd float64
	known := true
	for _, a := range attempts {
		u := a.Usage
		sum.InputTokens += u.InputTokens
		sum.CachedTokens += u.CachedTokens
		sum.CacheWriteTokens += u.CacheWriteTokens
		sum.ReasoningTokens += u.ReasoningTokens
		sum.OutputTokens += u.OutputTokens
		switch {
		case u.CostUSD != nil:
			usd += *u.CostUSD
		case u.InputTokens+u.OutputTokens > 0:
			known = false
		}
	}
	if known && sum.InputTokens+sum.OutputTokens > 0 {
		sum.CostUSD = &usd
	}
	return sum
}
