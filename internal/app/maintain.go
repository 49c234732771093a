package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Migrate brings both databases to this version's schema and closes them again.
func Migrate(ctx context.Context, opts Options, log *slog.Logger) error {
	a := New(opts, log)
	err := a.makeDataDir()
	if err == nil {
		_, err = a.openMetadata(ctx)
	}
	if err == nil {
		_, err = a.openTelemetry(ctx)
	}
	return errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
}

// ResetPassword gives the account with that address a random password, which
// only the result holds, turns its second factor off, ends its sessions and
// revokes its API tokens. It needs
// no running node and disturbs none. Without an installation it is
// fault.NotFound, as for an address nobody has.
func ResetPassword(ctx context.Context, opts Options, email string) (password string, err error) {
	if err := opts.checkStores(); err != nil {
		return "", err
	}
	if path, file := strings.CutPrefix(opts.MetaDSN(), "sqlite:"); file {
		if _, err := os.Stat(path); err != nil { // or opening would make an empty one
			return "", fault.Wrap(err, fault.NotFound, "there is no metadata file %s: name the server's directory with --data", path)
		}
	}
	db, err := metadb.Open(ctx, opts.MetaDSN())
	if err != nil {
		return "", fmt.Errorf("open metadata: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tenants, err := tenant.New(tenant.Options{DB: db})
	if err != nil {
		return "", err
	}
	return tenants.ResetPassword(ctx, email)
}
