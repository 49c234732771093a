// Command rca evaluates how well MATRIX finds causes, on recordings of faults that
// were injected into a system by others. It sends a recording through MATRIX's OTLP
// endpoints at the recording's own times, has every fault's minutes investigated
// without a label, and grades the services that are named. `make eval-rca` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/evidence"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

const (
	database = "matrix"
	window   = 3 * time.Minute // of a fault, from the minute it was injected in
)

type options struct {
	data, matrix, results string
	verbose               bool
}

func main() {
	rig.ServeEngine()
	var o options
	flag.StringVar(&o.data, "data", "", "directory of a recording: rca_data and construct_data as IntelligentDDS/Nezha publishes them")
	flag.StringVar(&o.matrix, "matrix", "bin/matrix", "the program to evaluate")
	flag.StringVar(&o.results, "results", "bench/results", "directory for the result; empty writes none")
	flag.BoolVar(&o.verbose, "v", false, "show what was found of every fault, also of those whose cause was named first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval-rca:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.data == "" {
		return errors.New("say where a recording is: make eval-rca DATA=<dir>")
	}
	r, err := open(o.data)
	if err != nil {
		return err
	}
	pair, err := rig.StartPair(ctx, "rca", database, o.matrix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pair.Stop()) }()
	engine, matrix := pair.Engine, pair.Matrix
	p, err := keepLong(ctx, matrix)
	if err != nil {
		return err
	}
	if err := replay(ctx, sender{matrix.HTTP, matrix.Key}, r); err != nil {
		return err
	}
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{engine.DSN()}, Database: database, MaxOpen: 4})
	if err != nil {
		return err
	}
	defer db.Close()
	investigator := evidence.NewInvestigator(trace.NewStore(db), logs.NewStore(db), metric.NewEngine(metric.NewStore(db), nil))
	g := &grades{machine: rig.Machine(), verbose: o.verbose}
	seen, err := observe(ctx, investigator, p, r)
	if err != nil {
		return err
	}
	g.took = seen.took
	for i, f := range r.faults {
		g.add(f, seen.causes(i, false), seen.causes(i, true), r.regions)
	}
	report := g.report()
	fmt.Print(report)
	if o.results != "" {
		return os.WriteFile(filepath.Join(o.results, "rca-"+time.Now().UTC().Format("2006-01-02")+".md"), []byte(report), 0o644)
	}
	return nil
}

// keepLong has the first project keep telemetry for as long as can be: recordings are old.
func keepLong(ctx context.Context, m *rig.Matrix) (project.ID, error) {
	c, err := client.SignIn(ctx, m.URL, m.Email, m.Password)
	if err != nil {
		return 0, err
	}
	var page struct {
		Items []struct {
			ID       project.ID `json:"id"`
			Name     string     `json:"name"`
			Language string     `json:"language"`
		} `json:"items"`
	}
	if _, err := c.Get(ctx, "/api/v1/projects", &page); err != nil {
		return 0, err
	}
	if len(page.Items) != 1 {
		return 0, fmt.Errorf("MATRIX began with %d projects", len(page.Items))
	}
	p := page.Items[0]
	path := fmt.Sprintf("/api/v1/projects/%d", p.ID)
	etag, err := c.Get(ctx, path, nil)
	if err != nil {
		return 0, err
	}
	const days = 3650
	settings := map[string]any{"name": p.Name, "language": p.Language, "retention": project.Retention{Traces: days, Logs: days, Metrics: days}}
	_, err = c.Call(ctx, http.MethodPut, path, etag, settings, nil)
	return p.ID, err
}

// replay sends all of a recording.
func replay(ctx context.Context, to sender, r *recording) error {
	all := append(slices.Clone(r.reference), r.around...)
	for i, m := range all {
		if err := to.minute(ctx, m); err != nil {
			return fmt.Errorf("%s: %w", m.spans, err)
		}
		if i%20 == 19 || i == len(all)-1 {
			fmt.Fprintf(os.Stderr, "sent %d of %d minutes\n", i+1, len(all))
		}
	}
	for _, path := range r.metrics {
		if err := to.podMetrics(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// observed is what was seen of a recording.
type observed struct {
	reference, faults []*evidence.Observed
	took              time.Duration // for a fault, on average
}

// observe reads all minutes without a fault, and the time of each fault.
func observe(ctx context.Context, v *evidence.Investigator, p project.ID, r *recording) (*observed, error) {
	var o observed
	for _, m := range r.reference {
		seen, err := v.Observe(ctx, p, evidence.Period{From: m.at, To: m.at.Add(time.Minute)})
		if err != nil {
			return nil, err
		}
		o.reference = append(o.reference, seen)
	}
	began := time.Now()
	for _, f := range r.faults {
		from := f.at.Truncate(time.Minute)
		seen, err := v.Observe(ctx, p, evidence.Period{From: from, To: from.Add(window)})
		if err != nil {
			return nil, err
		}
		o.faults = append(o.faults, seen)
	}
	o.took = time.Since(began) / time.Duration(len(r.faults))
	return &o, nil
}

// causes finds the causes of the fault with a number. Usual are the minutes without
// a fault and the times of the other faults, of which nothing is known but that they
// are other times; with past only those before it.
func (o *observed) causes(fault int, past bool) []evidence.Cause {
	usual := slices.Clone(o.reference)
	for i, seen := range o.faults {
		if i < fault || i > fault && !past {
			usual = append(usual, seen)
		}
	}
	return evidence.Causes(o.faults[fault], usual)
}
