package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// lockWait is how long a start waits for the engine of a process that just died
// to notice and to let go of the directory.
const lockWait = 5 * time.Second

// lockDir takes the exclusive lock of a data directory. The child inherits it,
// so it is free only when parent and child are gone. Closing the file releases it.
func lockDir(ctx context.Context, path string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), file.Close())
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			holder, _ := io.ReadAll(io.LimitReader(file, 20)) // only makes the message better
			_ = file.Close()
			return nil, fault.New(fault.Conflict, "the data directory %s is in use by another matrix (process %s): stop it, or use another --data",
				filepath.Dir(filepath.Dir(path)), strings.TrimSpace(string(holder)))
		}
	}
	if err = file.Truncate(0); err == nil {
		_, err = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock data directory: %w", err), file.Close())
	}
	return file, nil
}
