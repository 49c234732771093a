package main

import (
	"context"
	"fmt"
	"os"

	"github.com/matrix-aiops/matrix/internal/app"
)

type userCommand struct {
	ResetPassword resetPasswordCommand `cmd:"" help:"Give an account a new random password, turn its second factor off, end its sessions and revoke its API tokens."`
}

type resetPasswordCommand struct {
	fileFlag
	metaFlag
	Data  string `help:"The server's data directory." default:"data" type:"path"`
	Email string `arg:"" help:"Address of the account; the first one is admin@localhost."`
}

// Run works on the metadata database, whether a server runs on it or not.
func (c *resetPasswordCommand) Run(ctx context.Context) error {
	file, err := app.LoadFile(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	password, err := app.ResetPassword(ctx, app.Options{DataDir: c.Data, MetaDB: c.MetaDB, File: file}, c.Email)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "The new password of %s, shown this one time:\n  %s\n", c.Email, password)
	return err
}
