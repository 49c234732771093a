//go:build !linux

package clickhouse

import "syscall"

// childAttributes keep the terminal's signals away from a child. Here only the
// end of its standard input tells it that the parent is gone.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
