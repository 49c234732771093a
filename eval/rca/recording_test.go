package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	logsv1 "go.opentelemetry.io/proto/otlp/logs/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/matrix-aiops/matrix/internal/evidence"
)

const (
	traceID = "495fa881792b62888558519a5cb3ec0b"
	orders  = "ts-order-service-5b67c48447-mv5hb"
	prices  = "ts-price-service-76846864d9-g465z"
)

// write makes a recording of one fault.
func write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rca_data/2023-01-29/2023-01-29-fault_list.json": `{"08": [{"inject_time": "2023-01-29 08:43:04", "inject_timestamp": "1674953044", "inject_pod": "` + prices + `", "inject_type": "return"}]}`,
		"rca_data/2023-01-29/trace/08_43_trace.csv": "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n" +
			traceID + ",e42b0a83a8076b9a,root," + orders + ",/*,1674983096453000000,1674983096549735852,96735\n" +
			traceID + ",3543ea065e08dbd1,e42b0a83a8076b9a," + orders + ",HTTP GET,1674983096453822078,1674983096549477904,95655\n" +
			traceID + ",3543ea065e08dbd2,3543ea065e08dbd1," + prices + ",/prices,1674983096453822079,1674983096549477903,95655\n",
		"rca_data/2023-01-29/log/08_43_log.csv": "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n" +
			`2023,1674983096453822080,n,` + prices + `,server,` + traceID + `,3543ea065e08dbd2,"{""log"":""17:04:11.107 WARN  p.PriceService#48 none\n"",""stream"":""stdout""}"` + "\n" +
			`0001,-6795364578871345152,n,` + prices + `,server,,,"{""log"":""no time""}"` + "\n",
		"construct_data/2023-01-29/trace/08_50_trace.csv": "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n",
		"construct_data/root_cause_ts.json":               `{"ts-price-service": {"return": "p.PriceService#48_p.PriceService#50"}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestARecordingIsReadWithItsFaultsAndMinutes(t *testing.T) {
	r, err := open(write(t))
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2023, 1, 29, 8, 43, 4, 0, time.UTC)
	if len(r.faults) != 1 || !r.faults[0].at.Equal(want) || r.faults[0].service() != "ts-price-service" || len(r.around) != 1 || len(r.reference) != 1 || r.reference[0].at.Minute() != 50 {
		t.Errorf("%+v", r)
	}
	if _, err := open(t.TempDir()); err == nil {
		t.Error("an empty directory is a recording")
	}
}

func TestSpansOfTwoPodsAreAClientAndAServer(t *testing.T) {
	r, err := open(write(t))
	if err != nil {
		t.Fatal(err)
	}
	resources, err := spansOf(r.around[0].spans)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]tracev1.Span_SpanKind{}
	for _, of := range resources {
		for _, s := range of.ScopeSpans[0].Spans {
			kinds[s.Name] = s.Kind
		}
	}
	if kinds["/*"] != tracev1.Span_SPAN_KIND_SERVER || kinds["HTTP GET"] != tracev1.Span_SPAN_KIND_CLIENT || kinds["/prices"] != tracev1.Span_SPAN_KIND_SERVER {
		t.Errorf("kinds %v", kinds)
	}
	records, err := recordsOf(r.around[0].logs)
	if err != nil || len(records) != 1 || len(records[0].ScopeLogs[0].LogRecords) != 1 {
		t.Fatalf("records %v, %v", records, err)
	}
	record := records[0].ScopeLogs[0].LogRecords[0]
	if record.Body.GetStringValue() != "17:04:11.107 WARN  p.PriceService#48 none" || record.SeverityNumber != logsv1.SeverityNumber_SEVERITY_NUMBER_WARN || len(record.TraceId) != 16 {
		t.Errorf("record %v", record)
	}
}

func TestAFaultIsGradedByServiceAndPlace(t *testing.T) {
	r, err := open(write(t))
	if err != nil {
		t.Fatal(err)
	}
	named := []evidence.Cause{{Service: "ts-order-service", Deviations: []evidence.Deviation{{}}}, {Service: "ts-price-service", Deviations: []evidence.Deviation{{Step: evidence.Step{Line: "p.PriceService#50"}}}}}
	g := &grades{}
	g.add(r.faults[0], named, nil, r.regions)
	g.add(r.faults[0], named[1:], named, r.regions)
	if one, two := g.graded[0], g.graded[1]; one.rank != 2 || one.past != 0 || one.region != "named" || two.rank != 1 || two.past != 2 || two.region != "first" {
		t.Errorf("%+v", g.graded)
	}
}
