// Command rules measures how far behind the present MATRIX evaluates ten thousand
// alarm rules of many projects on one node while telemetry comes in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

const database = "matrix"

type options struct {
	projects, services, promql int
	rate                       float64
	settle, watch              time.Duration
	matrix, results            string
}

func main() {
	rig.ServeEngine()
	var o options
	flag.IntVar(&o.projects, "projects", 40, "projects that the rules are spread over")
	flag.IntVar(&o.services, "services", 13, "services of each that have the rules of all templates for services")
	flag.IntVar(&o.promql, "promql", 16, "alerts of each, as a Prometheus rule file has them, no expression twice")
	flag.Float64Var(&o.rate, "rate", 2000, "spans per second that all projects get together")
	flag.DurationVar(&o.settle, "settle", 3*time.Minute, "how long the rules are left alone before they are watched")
	flag.DurationVar(&o.watch, "watch", 3*time.Minute, "how long they are watched")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to measure")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.Parse()
	rig.Main("bench-rules", func(ctx context.Context) error { return run(ctx, o) })
}

func run(ctx context.Context, o options) (err error) {
	pair, err := rig.StartPair(ctx, "rules", database, o.matrix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Stop()) }()
	t, err := newTown(ctx, pair.Matrix, o)
	if err != nil {
		return err
	}
	stopped := t.sendAll(ctx)
	defer func() { err = errors.Join(err, stopped()) }()

	fmt.Fprintln(os.Stderr, "watching without rules …")
	if err := sleep(ctx, 30*time.Second); err != nil {
		return err
	}
	without, err := t.cost(ctx, pair, time.Minute)
	if err != nil {
		return err
	}
	services, err := t.servicesOf(ctx)
	if err != nil {
		return err
	}
	rules, err := t.makeRules(ctx, services)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%d rules are made, watching them …\n", rules)
	if err := sleep(ctx, o.settle); err != nil {
		return err
	}
	var behind []time.Duration
	with, err := t.costWhile(pair, func() (err error) {
		behind, err = t.watch(ctx, o.watch)
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(behind)
	version, err := pair.Engine.Version(ctx)
	if err != nil {
		return err
	}
	r := result{options: o, rules: rules, series: 20*len(services) + 8*hosts, engine: version, behind: behind, without: without, with: with}
	text := r.report()
	fmt.Print(text)
	if o.results == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(o.results, "rules-"+time.Now().UTC().Format("2006-01-02")+".md"), []byte(text), 0o644)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
