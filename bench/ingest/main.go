// Command ingest measures how much it costs to take in spans: MATRIX against the OpenTelemetry Collector with
// its ClickHouse exporter, each on an engine of its own, of one kind, in one run. It ends with the table, a
// file in bench/results and one line RESULT.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// collectorVersion is the version of the builder and of all parts in builder.yaml.
const collectorVersion = "v0.161.0"

//go:embed builder.yaml
var manifest []byte

type options struct {
	spans, concurrency int
	protocol           string
	only               string
	matrix, results    string
	batch              int // of the collector
}

func main() {
	rig.ServeEngine()
	var o options
	flag.IntVar(&o.spans, "spans", 1_000_000, "spans to send to each")
	flag.IntVar(&o.concurrency, "concurrency", 256, "requests of 1,000 spans under way at a time")
	flag.StringVar(&o.protocol, "protocol", "grpc", "grpc or http")
	flag.StringVar(&o.only, "only", "", "measure one alone: matrix or collector")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to measure")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.IntVar(&o.batch, "collector-batch", 50_000, "rows in an INSERT of the collector")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-ingest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	var contenders []contender
	if o.only != "matrix" {
		collector, err := rig.BuildCollector(ctx, collectorVersion, manifest)
		if err != nil {
			return err
		}
		contenders = append(contenders, &collectorContender{binary: collector, batch: o.batch})
	}
	if o.only != "collector" {
		contenders = append(contenders, &matrixContender{binary: o.matrix})
	}
	var results []*result
	for _, c := range contenders {
		fmt.Fprintf(os.Stderr, "measuring %s …\n", c.name())
		r, err := measure(ctx, c, o)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		results = append(results, r)
	}
	text := table(results)
	fmt.Print(text)
	line := resultLine(results)
	if o.results != "" && len(results) == 2 {
		path := filepath.Join(o.results, "ingest-"+time.Now().UTC().Format("2006-01-02")+".md")
		if err := os.WriteFile(path, []byte(report(o, results, text, line)), 0o644); err != nil {
			return err
		}
	}
	fmt.Println(line)
	return nil
}

// report is the file that is checked in.
func report(o options, results []*result, table, line string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Ingest: MATRIX against OpenTelemetry Collector + clickhouseexporter\n\n`make bench-ingest`\n\n%s- engine: ClickHouse %s, embedded, one for each\n\n", rig.Machine(), results[0].engineVersion)
	fmt.Fprintf(&b, "The same %d spans (20 services, 9 attributes each, 1,000 in a request, OTLP/%s without compression, %d requests\nunder way at a time) to both, one after the other. The generator runs on the same %d cores; its time is not counted.\n\n", o.spans, o.protocol, o.concurrency, runtime.NumCPU())
	fmt.Fprintf(&b, "- MATRIX: `matrix serve` as it comes, with rollups, transactions and indexes; a request is acknowledged once it is stored.\n")
	fmt.Fprintf(&b, "- Collector %s: OTLP receiver and ClickHouse exporter with its own schema and defaults (lz4, async_insert), batching in the\n  sending queue as its README recommends, %d rows in an INSERT (5,000, the README's example, costs it more), a queue that blocks\n  instead of dropping, own metrics off. It acknowledges what is in the memory of its queue.\n\n", collectorVersion, o.batch)
	b.WriteString(table)
	fmt.Fprintf(&b, "\nSpans/s: from the first request until all rows are visible. CPU: user and system time per million spans, until no merge has run and\nno part has changed for ten seconds. Memory: VmHWM. Missing: acknowledged spans, by id, that the table does not have.\n\n```\n%s\n```\n", line)
	return b.String()
}
