package trace_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestServicesCallServicesAndNotWhatReadsTheirMessages(t *testing.T) {
	engine, _ := tracetest.Open(t)
	store := trace.NewStore(engine)
	tracetest.Insert(t, engine, 1, order(1)...)
	g, _ := graph(t, store, trace.GraphQuery{})
	if diff := cmp.Diff(map[string][]string{"order": {"stock"}}, g.ServiceCalls()); diff != "" {
		t.Error(diff)
	}
}
