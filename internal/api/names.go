package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// naming asks for the name of something in budgets or in usage, if such things
// have one.
type naming struct {
	scope, id string
	name      *string
}

// nameSubjects fills in the names, with one query for each kind of thing.
func (s *server) nameSubjects(ctx context.Context, wanted []naming) error {
	ids := map[string][]int64{}
	for _, w := range wanted {
		if code := ai.RoleCode(w.id); w.scope == "role" && code != w.id { // an organisation's own: 7/order-assistant
			*w.name = code
		} else if id, err := strconv.ParseInt(w.id, 10, 64); err == nil && id > 0 && tenant.Named(w.scope) {
			ids[w.scope] = append(ids[w.scope], id)
		}
	}
	for scope, numbers := range ids {
		slices.Sort(numbers)
		names, err := s.tenants.Names(ctx, scope, slices.Compact(numbers))
		if err != nil {
			return err
		}
		for _, w := range wanted {
			if id, err := strconv.ParseInt(w.id, 10, 64); err == nil && w.scope == scope {
				*w.name = names[id]
			}
		}
	}
	return nil
}
