package rig

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

// Main is what a benchmark's main ends with: it runs until the benchmark is over or
// interrupted, and says as name what went wrong.
func Main(name string, run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
