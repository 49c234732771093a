package trace_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestWhatDiffersIsRankedFirst(t *testing.T) {
	db, store := tracetest.Open(t)
	var spans []tracetest.Span
	for n := range uint64(200) {
		s := tracetest.Span{Trace: tracetest.ID(n + 1), ID: trace.SpanID(n + 1), Instance: fmt.Sprintf("pod-%d", n%2), Version: "1.0", Kind: trace.KindServer,
			Start: noon.Add(time.Duration(n) * time.Second), Duration: 50 * ms, Attributes: map[string]string{"customer.id": fmt.Sprint(n % 20), "request.id": fmt.Sprint(n)}}
		if n%10 == 3 { // the slow ones are customer 3's and 13's, of the new version
			s.Duration, s.Version, s.Error = 2*time.Second, "1.1", n%20 == 3
		}
		spans = append(spans, s)
	}
	tracetest.Insert(t, db, 1, spans...)
	q := trace.TransactionQuery{From: noon, To: noon.Add(time.Hour)}
	d, err := store.Differences(t.Context(), 1, q, trace.Selection{MinElapsed: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if d.Selected != 20 || d.Rest != 180 || d.SelectedShown != 20 || d.RestShown != 180 {
		t.Errorf("%+v", d)
	}
	if len(d.Items) < 4 {
		t.Fatalf("%+v", d.Items)
	}
	score := map[string]float64{}
	for _, x := range d.Items {
		score[x.Attribute+"="+x.Value] = x.Score
		if x.Attribute == "attr.request.id" || x.Attribute == "service" {
			t.Errorf("%+v differs by chance, or not at all", x)
		}
	}
	if score["version=1.1"] != 1 || score["version=1.0"] != -1 || score["attr.customer.id=3"] != 0.5 || score["attr.customer.id=13"] != 0.5 || score["status=error"] != 0.5 {
		t.Errorf("%+v", d.Items)
	}
	if d.Items[0].Attribute != "version" {
		t.Errorf("first: %+v", d.Items[0])
	}

	failed := true
	if d, err = store.Differences(t.Context(), 1, q, trace.Selection{Failed: &failed}); err != nil || d.Selected != 10 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err = store.Differences(t.Context(), 2, q, trace.Selection{Failed: &failed}); err != nil || d.Selected != 0 || len(d.Items) != 0 {
		t.Errorf("another project: %+v, %v", d, err)
	}
	if _, err = store.Differences(t.Context(), 1, q, trace.Selection{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("everything selected: %v", err)
	}
}
