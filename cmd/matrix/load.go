package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/load"
)

type loadCommand struct {
	Endpoint    string        `help:"OTLP endpoint (default: http://127.0.0.1:4318, or 127.0.0.1:4317 with --protocol=grpc)." placeholder:"ADDRESS"`
	Protocol    string        `help:"http or grpc." enum:"http,grpc" default:"http"`
	Key         string        `help:"Ingest key." env:"MATRIX_KEY"`
	Signal      string        `help:"What to send: traces or logs." enum:"traces,logs" default:"traces"`
	Shape       string        `help:"Traces: 20x9 are 20 spans with 9 attributes each, as an agent sees 5 services: request, method, SQL, call. 10x11 are 10 spans with 11 attributes: request and call; customer.id has 100,000 values." enum:"20x9,10x11" default:"20x9"`
	Spans       int           `help:"How many spans, or log records, to send in all (also as --records)." aliases:"records" default:"100000"`
	Over        time.Duration `help:"Spread their times evenly over this long until now, as in 24h, so that queries of a day find something; default: they happen as they are sent." placeholder:"DURATION"`
	Seed        uint64        `help:"Of the ids: logs belong to the traces of shape 10x11 of the same seed, number and --over (default: random)." placeholder:"NUMBER"`
	Rate        float64       `help:"Spans, or log records, per second; 0 sends as fast as they are taken." default:"0"`
	Concurrency int           `help:"Requests under way at a time." default:"4"`
	Batch       int           `help:"Spans, or log records, in a request." default:"1000"`
	Ledger      string        `help:"Write one line for each acknowledged request to this file." type:"path" placeholder:"FILE"`
	JSON        bool          `help:"Print the report as JSON."`
}

// Run sends the load and prints what became of it.
func (c *loadCommand) Run(ctx context.Context) error {
	options := load.Options{
		Endpoint: c.Endpoint, Protocol: c.Protocol, Key: c.Key,
		Signal: c.Signal, Shape: c.Shape, Spans: c.Spans, Over: c.Over, Seed: c.Seed,
		Batch: c.Batch, Concurrency: c.Concurrency, Rate: c.Rate,
	}
	if c.Ledger != "" {
		file, err := os.Create(c.Ledger)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "the ledger %s cannot be written", c.Ledger)
		}
		defer file.Close()
		options.Ledger = file
	}
	report, err := load.Run(ctx, options)
	if report != nil {
		if c.JSON {
			err = firstError(err, json.NewEncoder(os.Stdout).Encode(report))
		} else {
			err = firstError(err, report.WriteText(os.Stdout))
		}
	}
	if err == nil && report.Refused() > 0 {
		err = fmt.Errorf("%d %s were not taken", report.Refused(), report.Things())
	}
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
