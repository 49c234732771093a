package clickhouse

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	mostMemory    = 8 << 30 // bytes an engine takes without being told
	unknownMemory = 4 << 30 // bytes of a machine that does not tell its own
)

// defaultMemory is what the engine may use when nobody says, in bytes.
func defaultMemory() int64 {
	total := machineMemory()
	if total <= 0 {
		total = unknownMemory
	}
	if limit, ok := containerMemory("/"); ok {
		total = min(total, limit)
	}
	return min(total/2, mostMemory)
}

// containerMemory returns the least memory limit of the control groups this
// process is in, in bytes, and false where there is none. root is "/" except in
// tests.
func containerMemory(root string) (least int64, found bool) {
	groups, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0, false // not Linux
	}
	for line := range strings.Lines(string(groups)) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		var mount, file string
		switch {
		case id == "0" && controllers == "": // version 2
			mount, file = "sys/fs/cgroup", "memory.max"
		case controllers == "memory": // version 1
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for ; ; group = filepath.Dir(group) { // a group's limit holds for those below it
			text, err := os.ReadFile(filepath.Join(root, mount, group, file))
			if limit, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && (!found || limit < least) {
				least, found = limit, true
			}
			if len(group) <= 1 {
				break
			}
		}
	}
	return least, found
}
