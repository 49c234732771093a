// Command kill proves that what was acknowledged is stored: it kills MATRIX and its engine with kill -9 at random
// moments under a load of spans, and then looks for every span that was acknowledged, by id. With -mix it sends log
// records, samples of metrics and errors beside them and looks for each of these, too. It ends with a table, a file
// in bench/results and one line RESULT; the exit status is 1 when anything is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/load"
)

type options struct {
	kills           int
	rate            float64
	seed            uint64
	mix             bool
	matrix, results string
}

func main() {
	rig.ServeEngine()
	var o options
	flag.IntVar(&o.kills, "kills", 20, "how often to kill")
	flag.Float64Var(&o.rate, "rate", 20_000, "spans per second of load")
	flag.Uint64Var(&o.seed, "seed", 0, "of the moments and the victims; 0 takes a random one")
	flag.BoolVar(&o.mix, "mix", true, "send log records, samples and errors beside the spans")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to kill")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.Parse()
	rig.Main("bench-kill", func(ctx context.Context) error { return run(ctx, o) })
}

// kill is one of the kills.
type kill struct {
	at     time.Duration // since the load began
	victim string
	acks   int // acknowledged requests by then
}

func run(ctx context.Context, o options) (err error) {
	for o.seed == 0 {
		o.seed = rand.Uint64()
	}
	dir, err := os.MkdirTemp("", "matrix-kill-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	matrix, err := rig.StartMatrix(ctx, dir, o.matrix)
	if err != nil {
		return err
	}
	defer matrix.Kill()

	ledger := &ledger{}
	loading, endLoad := context.WithCancelCause(ctx)
	loaded := make(chan *load.Report, 1)
	began := time.Now()
	go func() {
		// The load ends when the kills are over; a request then under way is not acknowledged. An error of the
		// ledger would show as missing acknowledgements below.
		report, _ := load.Run(loading, load.Options{Endpoint: matrix.HTTP, Key: matrix.Key, Spans: 1 << 30, Rate: o.rate, Concurrency: 32, Retries: 1000, Ledger: ledger})
		loaded <- report
	}()
	mixture, mixing := &mixture{endpoint: matrix.HTTP, key: matrix.Key}, make(chan struct{})
	go func() {
		defer close(mixing)
		if o.mix {
			mixture.run(loading)
		}
	}()
	kills, err := killAll(ctx, o, matrix, ledger, began)
	endLoad(errLoadOver)
	report := <-loaded
	<-mixing
	if err != nil {
		return err
	}
	if err := matrix.Stop(); err != nil {
		return err
	}

	engine, err := rig.StartEngine(ctx, matrix.Data(), "matrix")
	if err != nil {
		return err
	}
	ids, err := engine.SpanIDs(ctx, "matrix.spans", "span_id", "service NOT LIKE 'mix-%'")
	var mix []mixed
	if err == nil && o.mix {
		mix, err = mixture.audit(ctx, engine)
	}
	if err = errors.Join(err, engine.Stop()); err != nil {
		return err
	}
	audit, err := rig.Check(ledger.bytes(), ids)
	if err != nil {
		return err
	}
	return conclude(o, kills, audit, mix, report)
}

var errLoadOver = errors.New("the load is over")

// killAll kills at random moments. A killed MATRIX is started again at once, as a service manager would; a
// killed engine is MATRIX's own business.
func killAll(ctx context.Context, o options, matrix *rig.Matrix, acknowledged *ledger, began time.Time) ([]kill, error) {
	rng := rand.New(rand.NewPCG(o.seed, 0))
	var kills []kill
	for len(kills) < o.kills {
		// Load must flow between two kills, otherwise the second one would hit nothing.
		if err := acknowledged.moves(ctx); err != nil {
			return kills, err
		}
		select {
		case <-ctx.Done():
			return kills, ctx.Err()
		case <-time.After(time.Duration(rng.IntN(2500)) * time.Millisecond):
		}
		k := kill{at: time.Since(began), victim: "engine", acks: acknowledged.lines()}
		if rng.IntN(2) == 0 {
			k.victim = "MATRIX"
			matrix.Kill()
			if _, err := matrix.Restart(ctx); err != nil {
				return kills, err
			}
		} else {
			pid, err := rig.Child(matrix.PID())
			if err != nil {
				return kills, err
			}
			if pid == 0 {
				continue // it is just being started again
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return kills, fmt.Errorf("kill the engine: %w", err)
			}
		}
		kills = append(kills, k)
		fmt.Fprintf(os.Stderr, "kill %d/%d: %s\n", len(kills), o.kills, k.victim)
	}
	return kills, acknowledged.moves(ctx)
}

// conclude prints and writes the result.
func conclude(o options, kills []kill, audit rig.Audit, mix []mixed, report *load.Report) error {
	var table strings.Builder
	victims := map[string]int{}
	table.WriteString("| kill | after | victim | acknowledged by then |\n| --- | --- | --- | --- |\n")
	for i, k := range kills {
		victims[k.victim]++
		fmt.Fprintf(&table, "| %d | %.1f s | %s | %d requests |\n", i+1, k.at.Seconds(), k.victim, k.acks)
	}
	summary := fmt.Sprintf("%d spans in %d requests were acknowledged, %d requests were repeated; %d acknowledged spans are missing, %d rows are stored twice.\n",
		audit.Acknowledged, report.Acknowledged, report.Retried, audit.Missing, audit.Repeated)
	line := fmt.Sprintf("RESULT kills=%d matrix_kills=%d engine_kills=%d acknowledged=%d missing=%d repeated=%d", len(kills), victims["MATRIX"], victims["engine"], audit.Acknowledged, audit.Missing, audit.Repeated)
	beside := 0
	for _, of := range mix {
		line += fmt.Sprintf(" %s=%d/%d", strings.ReplaceAll(of.kind, " ", "_"), of.missing, of.acknowledged)
		beside += of.missing
	}
	summary += tableOf(mix)
	fmt.Print(table.String(), "\n", summary)
	if o.results != "" {
		text := fmt.Sprintf("# kill -9 under load\n\n`make bench-kill`, seed %d\n\n%s\nMATRIX with its embedded engine, %.0f spans/s over OTLP/HTTP, 32 requests under way at a time. MATRIX is started again\nat once; the engine is started again by MATRIX. Afterwards every span of every acknowledged request is looked up by id. A\nrequest whose answer was lost is repeated by the client, as OTLP says: its rows may be stored twice.\n\n%s\n%s\n```\n%s\n```\n",
			o.seed, rig.Machine(), o.rate, table.String(), summary, line)
		path := filepath.Join(o.results, "kill-"+time.Now().UTC().Format("2006-01-02")+".md")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Println(line)
	if audit.Missing+beside > 0 {
		return fmt.Errorf("%d acknowledged spans of the load and %d things of the mix are missing", audit.Missing, beside)
	}
	return nil
}
