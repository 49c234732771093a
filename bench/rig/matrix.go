package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// Matrix is a running `matrix serve`.
type Matrix struct {
	*Process
	URL        string // of the HTTP API
	HTTP, GRPC string // the OTLP endpoints
	// The first start made these: the ingest key, and the account that sees everything.
	Key, Email, Password string

	dir, binary string
	args        []string
}

var firstStart = regexp.MustCompile(`E-mail +(\S+)\s+Password +(\S+)\s+Ingest key +(\S+)`)

// StartMatrix starts `matrix serve` for the first time, with its data in dir.
func StartMatrix(ctx context.Context, dir, binary string, args ...string) (*Matrix, error) {
	var addresses [3]string
	for i := range addresses {
		var err error
		if addresses[i], err = FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	m := &Matrix{
		URL: "http://" + addresses[0], HTTP: "http://" + addresses[1], GRPC: addresses[2], dir: dir, binary: binary,
		args: append([]string{"serve", "--data", filepath.Join(dir, "data"), "--log-level", "warn",
			"--listen", addresses[0], "--otlp-http", addresses[1], "--otlp-grpc", addresses[2]}, args...),
	}
	printed, err := m.Restart(ctx)
	if err != nil {
		return nil, err
	}
	made := firstStart.FindStringSubmatch(printed)
	if made == nil {
		m.Kill()
		return nil, fmt.Errorf("matrix printed no account and key:\n%s", tail(printed))
	}
	m.Email, m.Password, m.Key = made[1], made[2], made[3]
	return m, nil
}

// Restart starts MATRIX again after its end and returns what it printed until it was ready.
func (m *Matrix) Restart(ctx context.Context) (printed string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if m.Process, err = Start(ctx, m.dir, "matrix", m.binary, m.args...); err != nil {
		return "", err
	}
	return m.Printed(ctx, "MATRIX is ready")
}

// Data is the directory with MATRIX's data.
func (m *Matrix) Data() string { return filepath.Join(m.dir, "data") }
