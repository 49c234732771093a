package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
)

// stopTimeout bounds how long a stop waits for open batches and running jobs.
const stopTimeout = 30 * time.Second

// serverFlags are the first tier of configuration, shared by serve, demo and migrate.
type serverFlags struct {
	Config       string   `help:"YAML file with addresses, secrets and limits; see 'matrix config --help'." type:"path" placeholder:"FILE"`
	Listen       string   `help:"Address of the UI and API." default:"127.0.0.1:8080"`
	OTLPGRPC     string   `name:"otlp-grpc" help:"Address of the OTLP/gRPC receiver." default:"127.0.0.1:4317"`
	OTLPHTTP     string   `name:"otlp-http" help:"Address of the OTLP/HTTP receiver." default:"127.0.0.1:4318"`
	MetaDB       string   `name:"metadb" help:"Metadata database: postgres://… (default: a SQLite file in --data)." placeholder:"DSN"`
	ClickHouse   []string `name:"clickhouse" help:"Use these ClickHouse servers instead of the embedded engine." placeholder:"DSN"`
	EngineMemory byteSize `help:"Memory limit of the embedded engine, as in 4GiB (default: half of the machine's, at most 8 GiB)." placeholder:"SIZE"`
}

// options reads the configuration file and checks everything.
func (f serverFlags) options(data string, dev bool) (app.Options, error) {
	file, err := app.LoadFile(f.Config, os.LookupEnv)
	if err != nil {
		return app.Options{}, err
	}
	options := app.Options{
		DataDir: data, Listen: f.Listen, OTLPGRPC: f.OTLPGRPC, OTLPHTTP: f.OTLPHTTP,
		MetaDB: f.MetaDB, ClickHouse: f.ClickHouse, EngineMemory: int64(f.EngineMemory),
		Dev: dev, Version: version, File: file.WithEnvironment(os.LookupEnv),
	}
	return options, options.Check()
}

// logFlag is how much serve and migrate tell.
type logFlag struct {
	LogLevel slog.Level `help:"debug, info, warn or error." default:"info"`
}

// dataFlag is where serve and migrate keep what they have.
type dataFlag struct {
	Data string `help:"Directory for the metadata file, the engine's data and keys." default:"data" type:"path"`
}

type serveCommand struct {
	dataFlag
	logFlag
	serverFlags
	Dev bool `help:"Accept telemetry without a key on loopback, and let notifications go to loopback. Not for production."`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	options, err := c.options(c.Data, c.Dev)
	if err != nil {
		return err
	}
	log := newLogger(c.LogLevel)
	matrix := app.New(options, log)
	if err := matrix.Start(ctx); err != nil {
		return err
	}
	printFirstStart(matrix)
	fmt.Fprintf(os.Stdout, "MATRIX is ready on %s\n", matrix.URL())
	select {
	case <-ctx.Done():
	case err = <-matrix.Failed():
	}
	return errors.Join(err, stop(matrix))
}

func stop(matrix *app.App) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return matrix.Stop(ctx)
}

// printFirstStart shows the credentials a first start has made. They are
// stored hashed only: this is the one time anyone can read them.
func printFirstStart(matrix *app.App) {
	first := matrix.FirstStart()
	if first == nil {
		return
	}
	fmt.Fprintf(os.Stdout, `
First start: this is shown once, write it down.
  Sign in at   %s
  E-mail       %s
  Password     %s
  Ingest key   %s   (project %q)

Send telemetry:
  export OTEL_EXPORTER_OTLP_ENDPOINT=%s
  export OTEL_EXPORTER_OTLP_HEADERS="x-matrix-key=%s"

`, matrix.URL(), first.Email, first.Password, first.Key, first.Project.Name, matrix.OTLPHTTPURL(), first.Key)
}
