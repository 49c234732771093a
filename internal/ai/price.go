package ai

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Price is what a model costs, in USD per million tokens.
type Price struct {
	Provider  string     `json:"provider"`
	Model     string     `json:"model"`
	Input     float64    `json:"input" doc:"USD per million tokens of the question"`
	Output    float64    `json:"output" doc:"USD per million tokens of the answer"`
	UpdatedAt *time.Time `json:"updated_at"` // null: as it came with MATRIX
	UpdatedBy string     `json:"updated_by"`
}

const (
	micro    = 1e6
	maxPrice = 1e6
)

// Prices returns the price of every model that has one, by provider and model.
func (s *Roles) Prices(ctx context.Context) ([]Price, error) {
	rows, err := s.db.Query(ctx, `SELECT provider, model, input, output, updated_at, updated_by FROM ai_price WHERE NOT deleted ORDER BY provider, model`)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Price, error) {
		var p Price
		var input, output, at int64
		err := rows.Scan(&p.Provider, &p.Model, &input, &output, &at, &p.UpdatedBy)
		p.Input, p.Output = float64(input)/micro, float64(output)/micro
		if at != 0 {
			changed := metadb.FromMicros(at)
			p.UpdatedAt = &changed
		}
		return p, err
	})
}

// SetPrice stores the price of a model, over the one it had; calls are counted
// with it from then on. Prices are kept to a millionth of a dollar. It returns
// the price as stored; fault.Invalid.
func (s *Roles) SetPrice(ctx context.Context, p Price, author string) (*Price, error) {
	switch {
	case p.Provider == "" || len(p.Provider) > 63:
		return nil, fault.New(fault.Invalid, "a price is of a provider").WithField("provider")
	case p.Model == "" || len(p.Model) > maxModel:
		return nil, fault.New(fault.Invalid, "a price is of a model of at most %d bytes", maxModel).WithField("model")
	case !(p.Input >= 0 && p.Input <= maxPrice):
		return nil, fault.New(fault.Invalid, "a price is between 0 and %d USD per million tokens", int(maxPrice)).WithField("input")
	case !(p.Output >= 0 && p.Output <= maxPrice):
		return nil, fault.New(fault.Invalid, "a price is between 0 and %d USD per million tokens", int(maxPrice)).WithField("output")
	}
	input, output, now := math.Round(p.Input*micro), math.Round(p.Output*micro), s.now().UTC().Truncate(time.Microsecond)
	_, err := s.db.Exec(ctx, `INSERT INTO ai_price (provider, model, input, output, updated_at, updated_by, deleted) VALUES ($1, $2, $3, $4, $5, $6, FALSE)
		ON CONFLICT (provider, model) DO UPDATE SET input = excluded.input, output = excluded.output,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by, deleted = excluded.deleted`,
		p.Provider, p.Model, int64(input), int64(output), metadb.Micros(now), author)
	if err != nil {
		return nil, fmt.Errorf("store price: %w", err)
	}
	s.forget()
	p.Input, p.Output, p.UpdatedAt, p.UpdatedBy = input/micro, output/micro, &now, author
	return &p, nil
}

// DeletePrice makes the price of a model unknown; fault.NotFound.
func (s *Roles) DeletePrice(ctx context.Context, provider, model, author string) error {
	n, err := s.db.Exec(ctx, `UPDATE ai_price SET deleted = TRUE, updated_at = $3, updated_by = $4 WHERE provider = $1 AND model = $2 AND NOT deleted`,
		provider, model, metadb.Micros(s.now()), author)
	if err != nil {
		return fmt.Errorf("delete price: %w", err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "the model %q of %q has no price", model, provider)
	}
	s.forget()
	return nil
}

func seedPrices(ctx context.Context, tx *metadb.Tx) error {
	var prices []Price
	if err := json.Unmarshal([]byte(embedded("prices.json")), &prices); err != nil {
		return fmt.Errorf("read default prices: %w", err)
	}
	for _, p := range prices {
		_, err := tx.Exec(ctx, `INSERT INTO ai_price (provider, model, input, output) VALUES ($1, $2, $3, $4) ON CONFLICT (provider, model) DO NOTHING`,
			p.Provider, p.Model, int64(p.Input*micro+0.5), int64(p.Output*micro+0.5))
		if err != nil {
			return err
		}
	}
	return nil
}

// dated is the suffix of a pinned model: gpt-4o-mini-2024-07-18.
var dated = regexp.MustCompile(`-[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

// prices are what models cost, by provider and model: millionths of a dollar per
// million tokens of the question and of the answer.
type prices map[modelKey][2]int64

// known returns the prices as they are now, for many calls.
func (s *Roles) known(ctx context.Context) (prices, error) {
	rows, err := s.db.Query(ctx, `SELECT provider, model, input, output FROM ai_price WHERE NOT deleted`)
	all := prices{}
	_, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (struct{}, error) {
		var key modelKey
		var price [2]int64
		err := rows.Scan(&key.provider, &key.model, &price[0], &price[1])
		all[key] = price
		return struct{}{}, err
	})
	return all, err
}

// cost returns what the tokens cost in USD, nil when the price of the model is
// unknown. Cached input is counted at the full price: an upper bound.
func (p prices) cost(e Entry, u Usage) *float64 {
	price, known := p[modelKey{e.Provider, e.Model}]
	if !known {
		price, known = p[modelKey{e.Provider, dated.ReplaceAllString(e.Model, "")}]
	}
	if !known {
		return nil
	}
	usd := (float64(u.InputTokens)*float64(price[0]) + float64(u.OutputTokens)*float64(price[1])) / micro / 1e6
	return &usd
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
