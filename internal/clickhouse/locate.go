package clickhouse

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// LibraryEnv names the environment variable that points at a libchdb.so.
const LibraryEnv = "MATRIX_ENGINE_LIB"

// libraryVersion is the version of the npm packages that `make setup` installs.
const libraryVersion = "26.7.3-stable.1"

// Binary is a ClickHouse found on this machine: a program or a library, never both.
type Binary struct {
	Server  string // path of the `clickhouse` program, "" when it is the library
	Library string // path of libchdb.so, "" when it is the program
}

// String returns the path.
func (b Binary) String() string { return b.Server + b.Library }

// Locate finds a ClickHouse: the library $MATRIX_ENGINE_LIB points at, a
// `clickhouse` on PATH, or the npm library under dataDir/engine, beside this
// program, or in the user's cache directory, in this order. When there is none
// the error (fault.Unavailable) says which command installs one.
func Locate(dataDir string) (Binary, error) {
	if lib := os.Getenv(LibraryEnv); lib != "" {
		if !isFile(lib) {
			return Binary{}, fault.New(fault.Invalid, "%s points at %s, which is not a file", LibraryEnv, lib)
		}
		return Binary{Library: lib}, nil
	}
	if server, err := exec.LookPath("clickhouse"); err == nil {
		if server, err = filepath.Abs(server); err != nil {
			return Binary{}, fmt.Errorf("locate clickhouse: %w", err)
		}
		return Binary{Server: server}, nil
	}
	platform, ok := libraryPlatform(runtime.GOOS, runtime.GOARCH)
	if !ok {
		return Binary{}, fault.New(fault.Unavailable, "no ClickHouse found: put `clickhouse` on PATH, or name servers with --clickhouse (there is no engine library for %s/%s)", runtime.GOOS, runtime.GOARCH)
	}
	var tried []string
	for _, dir := range libraryDirs(dataDir) {
		lib := filepath.Join(dir, "node_modules", "@chdb", "lib-"+platform, "libchdb.so")
		if isFile(lib) {
			return Binary{Library: lib}, nil
		}
		tried = append(tried, lib)
	}
	install := "."
	if dir, err := cacheDir(); err == nil {
		install = dir
	}
	return Binary{}, fault.New(fault.Unavailable,
		"no ClickHouse found: no `clickhouse` on PATH and no library at %s. Install it with `make setup`, or with `npm install --prefix %s @chdb/lib-%s@%s`",
		strings.Join(tried, " or "), install, platform, libraryVersion)
}

// libraryPlatform returns the suffix of the npm package that holds the library.
func libraryPlatform(goos, goarch string) (string, bool) {
	platform, ok := map[string]string{
		"linux/amd64":  "linux-x64-gnu",
		"linux/arm64":  "linux-arm64-gnu",
		"darwin/amd64": "darwin-x64",
		"darwin/arm64": "darwin-arm64",
	}[goos+"/"+goarch]
	return platform, ok
}

func libraryDirs(dataDir string) []string {
	var dirs []string
	if dataDir != "" {
		dirs = append(dirs, filepath.Join(dataDir, "engine"))
	}
	if self, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(self))
	}
	if dir, err := cacheDir(); err == nil {
		dirs = append(dirs, dir)
	}
	return dirs
}

// cacheDir is where `make setup` puts the library: $MATRIX_CACHE, or matrix below
// $XDG_CACHE_HOME or ~/.cache, on macOS too, so that the Makefile needs no case
// for it.
func cacheDir() (string, error) {
	if dir := os.Getenv("MATRIX_CACHE"); dir != "" {
		return filepath.Join(dir, "engine"), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "matrix", "engine"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "matrix", "engine"), nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
