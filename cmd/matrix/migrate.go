package main

import (
	"context"
	"fmt"
	"os"

	"github.com/matrix-aiops/matrix/internal/app"
)

type migrateCommand struct {
	storeFlags
	logFlag
	nodeFlags
}

// Run migrates both databases. It is safe beside running nodes.
func (c *migrateCommand) Run(ctx context.Context) error {
	options, err := c.options(c.storeFlags, false)
	if err != nil {
		return err
	}
	if err := app.Migrate(ctx, options, newLogger(c.LogLevel)); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "both databases have this version's schema")
	return nil
}
