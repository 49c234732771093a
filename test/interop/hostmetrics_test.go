//go:build interop

package interop

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/host"
)

// The configuration that the user's guide recommends, as it stands in the repository.
func TestInteropThisMachineIsReadByAnUnmodifiedCollector(t *testing.T) {
	matrix := startMATRIX(t)
	reader := matrix.collector("hostmetrics.yaml", "HOST_NAME=machine-7", "ROOT=/")

	var h host.Host
	reader.until("the machine is in MATRIX, read twice: rates take that", func() bool {
		hosts := matrix.hosts()
		if len(hosts) == 1 {
			h = hosts[0]
		}
		return h.CPU != nil && len(matrix.lines("machine-7", "cpu")) > 0
	})
	f := func(what string, v *float64, low, high float64) {
		t.Helper()
		switch {
		case v == nil:
			t.Errorf("%s is not known", what)
		case *v < low || *v > high:
			t.Errorf("%s is %g, not between %g and %g", what, *v, low, high)
		}
	}
	total := memoryOfThisMachine(t)
	if h.Host != "machine-7" || time.Since(h.LastSeen) > time.Minute {
		t.Errorf("host %s, last seen %s", h.Host, h.LastSeen)
	}
	f("CPU", h.CPU, 0.0001, 1)
	f("cores", h.Cores, float64(runtime.NumCPU()), float64(runtime.NumCPU()))
	f("memory", h.Memory, 0.001, 0.999)
	f("bytes of memory", h.MemoryBytes, 0.9*total, 1.05*total) // not all of it has a state, and of the cached some the kernel does not count as available, so it is among the used, too
	f("disk", h.Disk, 0.0001, 1)
	if stat, err := os.Stat(h.DiskMount); err != nil || !stat.IsDir() {
		t.Errorf("the fullest file system is %q: %v", h.DiskMount, err)
	}
	f("bytes received", h.ReceivePerSecond, 0, 1e12)
	f("bytes sent", h.TransmitPerSecond, 0, 1e12)
	f("load", h.Load, 0, 10_000)
	f("processes", h.Processes, 3, 1e6) // this one, the engine, the Collector

	for name, want := range map[string][]string{
		"cpu": {"system", "user"}, "memory": {"free", "used"}, "disk": {h.DiskMount}, "network": {"receive", "transmit"},
		"disk_io": {"read", "write"}, "load": {"15m", "1m", "5m"},
	} {
		lines := matrix.lines("machine-7", name)
		for _, line := range want {
			if !slices.Contains(lines, line) {
				t.Errorf("the chart %s has no %s, but %v", name, line, lines)
			}
		}
	}
}

// hosts are the machines of the last minutes.
func (m *matrix) hosts() []host.Host {
	m.t.Helper()
	var page struct {
		Items []host.Host `json:"items"`
	}
	if _, err := m.user.Get(m.t.Context(), fmt.Sprintf("/api/v1/projects/%d/hosts?%s", m.project, lastMinutes()), &page); err != nil {
		m.t.Fatal(err)
	}
	return page.Items
}

// lines are the lines of a chart of a machine's page that have a value.
func (m *matrix) lines(of, chart string) []string {
	m.t.Helper()
	var page host.Overview
	if _, err := m.user.Get(m.t.Context(), fmt.Sprintf("/api/v1/projects/%d/hosts/%s?%s", m.project, of, lastMinutes()), &page); err != nil {
		m.t.Fatal(err)
	}
	var lines []string
	for _, c := range page.Charts {
		for _, l := range c.Lines {
			if c.Chart == chart && slices.ContainsFunc(l.Values, func(v *float64) bool { return v != nil }) {
				lines = append(lines, l.Line)
			}
		}
	}
	return lines
}

// lastMinutes is the range of a page as a query, short enough for a point of a chart every 10 seconds.
func lastMinutes() string {
	now := time.Now()
	return url.Values{"from": {now.Add(-15 * time.Minute).Format(time.RFC3339)}, "to": {now.Format(time.RFC3339)}}.Encode()
}

// memoryOfThisMachine is its size in bytes as the kernel tells it.
func memoryOfThisMachine(t *testing.T) float64 {
	t.Helper()
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`MemTotal:\s+(\d+) kB`).FindStringSubmatch(string(meminfo))
	if found == nil {
		t.Fatalf("no size in /proc/meminfo:\n%s", meminfo)
	}
	kib, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024
}
