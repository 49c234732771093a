package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/load"
)

const (
	database      = "matrix"
	spansPerTrace = 10
	batch         = 1000 // spans or log records in a request
	seed          = 1
)

// filling is the data that is asked about, and what it took to store it.
type filling struct {
	options
	until time.Time // the data ends here

	engineVersion     string
	spansSent         sent
	logsSent          sent
	metricsSent       sent
	spanBytes         int64       // of the table of spans
	traceTables       []rig.Table // all that hold something after the spans
	logBytes          int64       // of all that the logs filled
	metricBytes       int64
	generator         time.Duration // CPU time while spans were sent
	matrix, engineCPU time.Duration
}

// sent is how one signal was taken in.
type sent struct {
	items int64
	took  time.Duration
}

func (s sent) perSecond() float64 { return float64(s.items) / s.took.Seconds() }

func (f *filling) load(signal string, items int) load.Options {
	return load.Options{Protocol: f.protocol, Signal: signal, Shape: "10x11", Spans: items, Batch: batch, Concurrency: f.concurrency, Seed: seed, Over: f.over, Until: f.until}
}

// fill sends the spans, the logs and the metrics, one after the other, and looks after each what it takes on disk
// once the engine has merged it.
func (f *filling) fill(ctx context.Context, engine *rig.Engine, matrix *rig.Matrix) (err error) {
	if f.engineVersion, err = engine.Version(ctx); err != nil {
		return err
	}
	before, err := rig.CPU(os.Getpid(), matrix.PID(), engine.PID())
	if err != nil {
		return err
	}
	if f.spansSent, err = f.send(ctx, matrix, "traces", f.spans); err != nil {
		return err
	}
	after, err := rig.CPU(os.Getpid(), matrix.PID(), engine.PID())
	if err != nil {
		return err
	}
	f.generator, f.matrix, f.engineCPU = after[0]-before[0], after[1]-before[1], after[2]-before[2]
	if err := engine.Settle(ctx, database); err != nil {
		return err
	}
	if f.traceTables, err = engine.Tables(ctx, database); err != nil {
		return err
	}
	full := int64(0)
	for _, t := range f.traceTables {
		full += t.Bytes
		if t.Name != "spans" {
			continue
		}
		f.spanBytes = t.Bytes
		if t.Rows != f.spansSent.items {
			return fmt.Errorf("%d spans were acknowledged, %d are stored", f.spansSent.items, t.Rows)
		}
	}

	if f.logsSent, err = f.send(ctx, matrix, "logs", f.logs); err != nil {
		return err
	}
	if f.logBytes, full, err = growth(ctx, engine, full); err != nil {
		return err
	}
	began := time.Now()
	f.metricsSent, err = sendMetrics(ctx, matrix, f)
	if err != nil {
		return err
	}
	f.metricsSent.took = time.Since(began)
	f.metricBytes, _, err = growth(ctx, engine, full)
	return err
}

// growth returns by how much the database has grown, and its size.
func growth(ctx context.Context, engine *rig.Engine, before int64) (grown, size int64, err error) {
	if err := engine.Settle(ctx, database); err != nil {
		return 0, 0, err
	}
	size, err = engine.BytesOnDisk(ctx, database)
	return size - before, size, err
}

func (f *filling) send(ctx context.Context, matrix *rig.Matrix, signal string, items int) (sent, error) {
	fmt.Fprintf(os.Stderr, "sending %d %s …\n", items, signal)
	opts := f.load(signal, items)
	opts.Key, opts.Endpoint = matrix.Key, matrix.HTTP
	if f.protocol == "grpc" {
		opts.Endpoint = matrix.GRPC
	}
	report, err := load.Run(ctx, opts)
	if err != nil {
		return sent{}, err
	}
	if report.Refused() > 0 {
		return sent{}, fmt.Errorf("%d %s were refused: %v", report.Refused(), report.Things(), report.Rejected)
	}
	return sent{items: report.Accepted, took: time.Duration(report.ElapsedNs)}, nil
}
