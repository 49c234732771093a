package api

import (
	"context"
	"slices"
	"strconv"
)

// numbered are the kinds of things, in budgets and in usage, that have a number
// and a name.
var numbered = []string{"org", "group", "project", "person", "token"}

// naming asks for the name of something, if it is of those.
type naming struct {
	scope, id string
	name      *string
}

// nameSubjects fills in the names, with one query for each kind of thing.
func (s *server) nameSubjects(ctx context.Context, wanted []naming) error {
	ids := map[string][]int64{}
	for _, w := range wanted {
		if id, err := strconv.ParseInt(w.id, 10, 64); err == nil && id > 0 && slices.Contains(numbered, w.scope) {
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
