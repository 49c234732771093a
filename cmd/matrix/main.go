// Command matrix is the whole of MATRIX: the service, its demo and its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// version is set by the linker; "dev" in an unreleased build.
var version = "dev"

type cli struct {
	Serve   serveCommand   `cmd:"" help:"Run MATRIX: UI and API on --listen, OTLP on 4317 and 4318."`
	Demo    demoCommand    `cmd:"" help:"Run MATRIX with a simulated shop, make one of its queries slow and show the report."`
	Load    loadCommand    `cmd:"" help:"Send realistic OTLP traces or logs as fast as asked and report latencies."`
	Config  configCommand  `cmd:"" help:"Explain and check the configuration file."`
	User    userCommand    `cmd:"" help:"Help somebody who cannot sign in."`
	Migrate migrateCommand `cmd:"" help:"Bring both databases to this version's schema and exit."`
	Engine  engineCommand  `cmd:"" hidden:"" help:"The telemetry engine; started and watched by serve."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	// The engine reads its own arguments: ClickHouse's, not ours.
	if len(os.Args) > 1 && os.Args[1] == "engine" {
		exit(engineCommand{}.serve(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	var command cli
	parsed := kong.Parse(&command,
		kong.Name("matrix"),
		kong.Description("Observability with AI inside. Start with:\n\n  matrix demo     see an incident and its report\n  matrix serve    run it\n\nDocumentation: docs/user"),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version},
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	exit(parsed.Run())
}

// exit ends the process: 0 for nil, 1 with the message for an error, 130 when
// the user interrupted.
func exit(err error) {
	switch {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, context.Canceled):
		os.Exit(130)
	}
	fmt.Fprintln(os.Stderr, "matrix: "+err.Error())
	if f := fault.As(err); f != nil && f.Field != "" && !strings.Contains(err.Error(), f.Field) {
		fmt.Fprintln(os.Stderr, "matrix: see", f.Field)
	}
	os.Exit(1)
}

// newLogger returns the process's logger: text for a terminal, JSON otherwise.
func newLogger(level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}
