package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Price is what a model costs, in USD per million tokens.
type Price struct {
	Provider string  `json:"provider"`
	Model    string  `json:"model"`
	Input    float64 `json:"input"`
	Output   float64 `json:"output"`
}

const micro = 1e6

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

// cost returns what the tokens cost in USD, nil when the price of the model is
// unknown. Cached input is counted at the full price: an upper bound.
func (s *Roles) cost(ctx context.Context, e Entry, u Usage) (*float64, error) {
	for _, model := range []string{e.Model, dated.ReplaceAllString(e.Model, "")} {
		var input, output int64
		err := s.db.QueryRow(ctx, `SELECT input, output FROM ai_price WHERE provider = $1 AND model = $2`, e.Provider, model).Scan(&input, &output)
		if errors.Is(err, metadb.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load price: %w", err)
		}
		usd := (float64(u.InputTokens)*float64(input) + float64(u.OutputTokens)*float64(output)) / micro / 1e6
		return &usd, nil
	}
	return nil, nil
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
