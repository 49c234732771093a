package clickhouse

import "syscall"

// childAttributes make the kernel end a child whose parent thread is gone, and
// keep the terminal's signals away from it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
