//go:build !linux

package clickhouse

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes give a child a process group: the terminal's signals stay away
// from it, and what it starts can be killed with it. Here only the end of its
// standard input tells it that the parent is gone.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// programAttributes keep a program in the group of the child that starts it.
func programAttributes() *syscall.SysProcAttr { return nil }

// machineMemory returns the memory of the machine in bytes, 0 when it is unknown.
func machineMemory() int64 {
	size, err := unix.SysctlUint64("hw.memsize") // as macOS calls it
	if err != nil {
		return 0
	}
	return int64(size)
}
