package rig

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// BuildCollector builds an OpenTelemetry Collector with its official builder of the given version, once for each
// manifest, and returns the program.
func BuildCollector(ctx context.Context, version string, manifest []byte) (string, error) {
	cache := os.Getenv("MATRIX_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(user, "matrix")
	}
	dir := filepath.Join(cache, fmt.Sprintf("otelcol-%x", sha256.Sum256(manifest))[:24])
	program := filepath.Join(dir, "otelcol")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "building the collector in %s (some minutes, once) …\n", dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "builder.yaml"), manifest, 0o644); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "run", "go.opentelemetry.io/collector/cmd/builder@"+version, "--config", "builder.yaml")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the collector: %w\n%s", err, out)
	}
	return program, nil
}
