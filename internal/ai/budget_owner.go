package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// budgets are all that hold, by whose they are: a call looks at those of the
// installation and of its own organisation alone.
type budgets map[Owner][]Budget

func budgetsByOwner(all []Budget) budgets {
	owned := budgets{}
	for _, b := range all {
		owned[b.Owner] = append(owned[b.Owner], b)
	}
	return owned
}

// about returns the budgets that may be about a call of a place.
func (b budgets) about(p place) (found []*Budget) {
	owners := []Owner{Shared}
	if p.org > 0 {
		owners = append(owners, Owner(p.org))
	}
	for _, owner := range owners {
		for i := range b[owner] {
			found = append(found, &b[owner][i])
		}
	}
	return found
}

// budgetOf returns a budget of an owner; fault.NotFound, also when it is another's.
func budgetOf(ctx context.Context, q metadb.Querier, owner Owner, id string) (*Budget, error) {
	var body string
	err := q.QueryRow(ctx, `SELECT body FROM ai_budget WHERE id = $1`, id).Scan(&body)
	if err != nil && !errors.Is(err, metadb.ErrNoRows) {
		return nil, fmt.Errorf("load budget: %w", err)
	}
	var b Budget
	if err == nil {
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return nil, fmt.Errorf("read budget %s: %w", id, err)
		}
	}
	if err != nil || b.Owner != owner {
		return nil, fault.New(fault.NotFound, "there is no budget %q", id)
	}
	return &b, nil
}

// counts refuses a change of what a budget counts: what was used is kept in the
// units and for the subjects of before.
func (b *Budget) counts(known *Budget) error {
	for field, same := range map[string]bool{"scope": b.Scope == known.Scope, "measure": b.Measure == known.Measure, "period": b.Period == known.Period} {
		if !same {
			return fault.New(fault.Invalid, "what a budget counts stays: make another budget").WithField(field)
		}
	}
	return nil
}

// roomForBudget refuses one more budget than are kept of an owner.
func roomForBudget(ctx context.Context, tx *metadb.Tx, owner Owner) error {
	all, err := loadBudgets(ctx, tx)
	if err != nil {
		return err
	}
	most := maxBudgets
	if owner != Shared {
		most = maxOrgBudgets
	}
	all = slices.DeleteFunc(all, func(b Budget) bool { return b.Owner != owner })
	if len(all) >= most {
		return fault.New(fault.Invalid, "there are %d budgets already, no more are kept", most)
	}
	return nil
}
