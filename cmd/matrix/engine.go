package main

import "github.com/matrix-aiops/matrix/internal/clickhouse"

// engineCommand exists for kong's command tree only; main hands the engine's
// own arguments to serve before kong sees them.
type engineCommand struct{}

// Run refuses: an engine without a parent's arguments has nothing to do.
func (engineCommand) Run() error { return engineCommand{}.serve(nil) }

func (engineCommand) serve(args []string) error { return clickhouse.ServeEngine(args) }
