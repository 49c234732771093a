package app

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// holdNode takes the data directory for this process until release or its
// death, and returns this node's name, made at its first start and kept there:
// by it a restarted node knows the jobs it was working on. Two processes of one
// name would take each other's jobs for lost, so the second is fault.Conflict.
func holdNode(dir string) (name string, release func() error, err error) {
	path := filepath.Join(dir, "node.id")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Invalid, "the node's name cannot be kept in %s", path)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return "", nil, fault.New(fault.Conflict, "another matrix process uses %s: stop it, or give this one a directory of its own with --data", dir)
	}
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Invalid, "the data directory %s cannot be locked", dir)
	}
	stored, err := io.ReadAll(file)
	if err != nil {
		return "", nil, fault.Wrap(err, fault.Invalid, "the node's name cannot be read from %s", path)
	}
	if name = strings.TrimSpace(string(stored)); name == "" {
		name = "node-" + rand.Text()
		if _, err = file.WriteString(name); err != nil {
			return "", nil, fault.Wrap(err, fault.Invalid, "the node's name cannot be kept in %s", path)
		}
	}
	return name, file.Close, nil // closing lets go of the lock
}
