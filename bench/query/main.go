// Command query measures how fast MATRIX takes in a day of telemetry with everything on, how large it is on disk,
// and how long the questions of its screens take then, asked through the HTTP API, or the evidence of an incident. Every
// answer is checked against what was sent. It ends with a table, a file in bench/results and one line RESULT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

type options struct {
	spans, logs, concurrency, runs int
	series, samples                int
	protocol                       string
	over                           time.Duration
	evidence                       bool
	matrix, results                string
}

func main() {
	rig.ServeEngine()
	var o options
	flag.IntVar(&o.spans, "spans", 10_000_000, "spans to send, ten to a trace")
	flag.IntVar(&o.logs, "logs", 10_000_000, "log records to send")
	flag.IntVar(&o.series, "series", 1000, "series of metrics")
	flag.IntVar(&o.samples, "samples", 1440, "samples of each series, 15 s apart")
	flag.DurationVar(&o.over, "over", 24*time.Hour, "past over which spans and logs are spread")
	flag.IntVar(&o.concurrency, "concurrency", 256, "requests of 1,000 spans or log records under way at a time")
	flag.StringVar(&o.protocol, "protocol", "grpc", "grpc or http")
	flag.IntVar(&o.runs, "runs", 20, "how often each question is asked, warm and after a restart of the engine")
	flag.BoolVar(&o.evidence, "evidence", false, "collect the evidence of incidents instead of asking the questions of the screens")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to measure")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.Parse()
	rig.Main("bench-query", func(ctx context.Context) error { return run(ctx, o) })
}

func run(ctx context.Context, o options) (err error) {
	if whole := batch * 5; o.spans < whole || o.spans%whole != 0 || o.logs < batch || o.logs%batch != 0 || o.runs < 1 || o.samples < 40 || o.series < 1 {
		return fmt.Errorf("spans come in %d, which are whole traces, logs in %d, at least 40 samples are asked about", whole, batch)
	}
	pair, err := rig.StartPair(ctx, "query", database, o.matrix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Stop()) }()
	engine, matrix := pair.Engine, pair.Matrix

	f := &filling{options: o, until: time.Now().Truncate(time.Millisecond)}
	if err := f.fill(ctx, engine, matrix); err != nil {
		return err
	}
	said, err := f.truth()
	if err != nil {
		return err
	}
	user, err := signIn(ctx, matrix)
	if err != nil {
		return err
	}
	if o.evidence {
		v, err := investigate(ctx, engine, user.id, f, said)
		if err != nil {
			return err
		}
		return o.tell("evidence", v.report(f), v.resultLine())
	}
	asker := &asker{runs: o.runs, engine: engine, matrix: matrix, user: user}
	asked, wrong := asker.all(ctx, questions(f, said))
	if err := ctx.Err(); err != nil {
		return err
	}
	if wrong != nil {
		fmt.Print(report(f, asked))
		fmt.Println(resultLine(f, asked))
		return wrong
	}
	return o.tell("query", report(f, asked), resultLine(f, asked))
}

// tell prints a report and its last line, and keeps them.
func (o *options) tell(name, report, line string) error {
	fmt.Print(report)
	if o.results != "" {
		path := filepath.Join(o.results, name+"-"+time.Now().UTC().Format("2006-01-02")+".md")
		if err := os.WriteFile(path, []byte(report+"\n```\n"+line+"\n```\n"), 0o644); err != nil {
			return err
		}
	}
	fmt.Println(line)
	return nil
}
