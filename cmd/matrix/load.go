package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/load"
)

type loadCommand struct {
	Endpoint    string  `help:"OTLP endpoint (default: http://127.0.0.1:4318, or 127.0.0.1:4317 with --protocol=grpc)." placeholder:"ADDRESS"`
	Protocol    string  `help:"http or grpc." enum:"http,grpc" default:"http"`
	Key         string  `help:"Ingest key." env:"MATRIX_KEY"`
	Spans       int     `help:"How many spans to send in all." default:"100000"`
	Rate        float64 `help:"Spans per second; 0 sends as fast as they are taken." default:"0"`
	Concurrency int     `help:"Requests under way at a time." default:"4"`
	Batch       int     `help:"Spans in a request." default:"1000"`
	Ledger      string  `help:"Write one line for each acknowledged request to this file." type:"path" placeholder:"FILE"`
	JSON        bool    `help:"Print the report as JSON."`
}

// Run sends the load and prints what became of it.
func (c *loadCommand) Run(ctx context.Context) error {
	options := load.Options{
		Endpoint: c.Endpoint, Protocol: c.Protocol, Key: c.Key, Spans: c.Spans,
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
	if err == nil && report.RejectedSpans() > 0 {
		err = fmt.Errorf("%d spans were not taken", report.RejectedSpans())
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
