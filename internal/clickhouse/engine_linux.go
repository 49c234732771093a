package clickhouse

import "syscall"

// childAttributes make the kernel end a child whose parent thread is gone, and
// give it a process group: the terminal's signals stay away from it, and what it
// starts can be killed with it.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// programAttributes keep a program in the group of the child that starts it. The
// program may hang, so nothing that can be ignored ends it when the child is gone.
func programAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// machineMemory returns the memory of the machine in bytes.
func machineMemory() int64 {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}
