package main

import (
	"fmt"
	"os"
	"runtime"
)

type versionCommand struct{}

// Run prints the version, the Go release and the platform.
func (versionCommand) Run() error {
	_, err := fmt.Fprintf(os.Stdout, "matrix %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
