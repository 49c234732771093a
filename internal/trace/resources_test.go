package trace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestWhatSendersSayOfThemselvesIsListedByHowManySayIt(t *testing.T) {
	db, store := tracetest.Open(t)
	for i, pod := range []string{"a", "b", "c"} {
		region := map[bool]string{true: "eu", false: "us"}[pod == "a"]
		tracetest.Insert(t, db, 1, tracetest.Span{
			Trace: tracetest.ID(uint64(i)), ID: trace.SpanID(i + 1), Start: noon, Resource: map[string]string{"k8s.pod.name": pod, "cloud.region": region},
		})
	}
	tracetest.Insert(t, db, 2, tracetest.Span{Trace: tracetest.ID(9), ID: 9, Start: noon, Resource: map[string]string{"secret": "of another"}})
	got, err := store.ResourceAttributes(t.Context(), 1, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []otel.ResourceAttribute{
		{Key: "cloud.region", Values: []otel.AttributeValue{{Value: "us", Resources: 2}, {Value: "eu", Resources: 1}}},
		{Key: "k8s.pod.name", Values: []otel.AttributeValue{{Value: "a", Resources: 1}, {Value: "b", Resources: 1}, {Value: "c", Resources: 1}}},
		{Key: "service.name", Values: []otel.AttributeValue{{Value: "api", Resources: 3}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err = store.ResourceAttributes(t.Context(), 1, time.Now().Add(48*time.Hour)); err != nil || len(got) != 0 {
		t.Errorf("of days to come: %v, %v", got, err)
	}
}
