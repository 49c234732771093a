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

// fileFlag names the second tier of configuration.
type fileFlag struct {
	Config string `help:"YAML file with addresses, secrets and limits; see 'matrix config --help'." type:"path" placeholder:"FILE"`
}

// nodeFlags say where a node listens and what it may use: for serve, demo and migrate.
type nodeFlags struct {
	fileFlag
	Listen       string   `help:"Address of the UI and API." default:"127.0.0.1:8080"`
	OTLPGRPC     string   `name:"otlp-grpc" help:"Address of the OTLP/gRPC receiver." default:"127.0.0.1:4317"`
	OTLPHTTP     string   `name:"otlp-http" help:"Address of the OTLP/HTTP receiver." default:"127.0.0.1:4318"`
	EngineMemory byteSize `help:"Memory limit of the embedded engine, as in 4GiB (default: half of the machine's, at most 8 GiB)." placeholder:"SIZE"`
}

// metaFlag is for all that reads the metadata.
type metaFlag struct {
	MetaDB string `name:"metadb" help:"Metadata database: postgres://… (default: a SQLite file in --data). With a password it belongs into the file." placeholder:"DSN"`
}

// storeFlags are where serve and migrate keep what they have. The demo keeps
// nothing and has none.
type storeFlags struct {
	metaFlag
	Data       string   `help:"Directory for the metadata file, the engine's data and keys." default:"data" type:"path"`
	ClickHouse []string `name:"clickhouse" help:"Use these ClickHouse servers instead of the embedded engine." placeholder:"DSN"`
}

// options reads the configuration file and checks everything.
func (f nodeFlags) options(stores storeFlags, dev bool) (app.Options, error) {
	file, err := app.LoadFile(f.Config, os.LookupEnv)
	if err != nil {
		return app.Options{}, err
	}
	options := app.Options{
		DataDir: stores.Data, Listen: f.Listen, OTLPGRPC: f.OTLPGRPC, OTLPHTTP: f.OTLPHTTP,
		MetaDB: stores.MetaDB, ClickHouse: stores.ClickHouse, EngineMemory: int64(f.EngineMemory),
		Dev: dev, Version: version, File: file.WithEnvironment(os.LookupEnv),
	}
	return options, options.Check()
}

// logFlag is how much serve and migrate tell.
type logFlag struct {
	LogLevel slog.Level `help:"debug, info, warn or error." default:"info"`
}

type serveCommand struct {
	storeFlags
	logFlag
	nodeFlags
	Dev bool `help:"Accept telemetry without a key on loopback, and let notifications and model providers of organisations go to loopback. Not for production."`
}

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	options, err := c.options(c.storeFlags, c.Dev)
	if err != nil {
		return err
	}
	log := newLogger(c.LogLevel)
	matrix := app.New(options, log)
	err = matrix.Start(ctx)
	printFirstStart(matrix) // also when something after it has failed: there is no second time
	if err != nil {
		return err
	}
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
