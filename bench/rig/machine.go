package rig

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine describes where a result was measured, in lines of Markdown.
func Machine() string {
	return fmt.Sprintf("- date: %s\n- machine: %s, %d cores, %s memory\n- system: %s, %s\n",
		time.Now().UTC().Format("2006-01-02 15:04 MST"), value("/proc/cpuinfo", "model name"), runtime.NumCPU(), memory(), kernel(), runtime.Version())
}

// value returns the first value of a key in a file of "key: value" lines.
func value(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func memory() string {
	kib, err := strconv.Atoi(strings.TrimSuffix(value("/proc/meminfo", "MemTotal"), " kB"))
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return "Linux " + strings.TrimSpace(string(release))
}
