package evidence

import (
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// LinksOfDeviations returns where each form of a deviation can be seen, by a name of
// the form.
func LinksOfDeviations(p project.ID, now Period) map[string]string {
	entry, inside := Operation{"shop", "POST /order"}, Operation{"shop", "Cart.total"}
	o := &Observed{shape: &shape{shown: map[Operation]example{
		entry:  {trace: trace.TraceID{1}, span: 2, entry: true},
		inside: {trace: trace.TraceID{1}, span: 3},
	}}}
	in := &Input{project: p, Environment: "prod"}
	links := map[string]string{}
	for name, d := range map[string]Deviation{
		"slower at the entry": {Kind: Slower, Operation: entry},
		"slower inside":       {Kind: Slower, Operation: inside},
		"calls":               {Kind: StepMore, Operation: entry, Step: Step{Call: inside}},
		"a pattern":           {Kind: StepMore, Operation: entry, Step: Step{Line: "232ff6544603d710"}},
		"a place":             {Kind: StepLess, Operation: entry, Step: Step{Line: "c.s.Contacts#34"}},
		"a resource":          {Kind: Saturated, Operation: Operation{Service: `sh"op`}, Resource: "jvm_cpu_recent_utilization_ratio"},
	} {
		links[name] = in.seen(&d, o, now)
	}
	return links
}
