package trace

import "strings"

// ServiceCalls returns the services that each service called, without what went
// through a queue: who sends a message does not wait for who reads it.
func (g *Graph) ServiceCalls() map[string][]string {
	prefix := string(NodeService) + ":"
	out := map[string][]string{}
	for i := range g.Edges {
		from, isService := strings.CutPrefix(g.Edges[i].From, prefix)
		to, calls := strings.CutPrefix(g.Edges[i].To, prefix)
		if isService && calls && from != to {
			out[from] = append(out[from], to)
		}
	}
	return out
}
