package shop

import (
	"fmt"
	"math"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
)

// nodes is how many machines the pods run on.
const nodes = 6

// full is the node whose disk fills up.
const full = 2

func nodeName(n int) string { return fmt.Sprintf("shop-prod-node-%02d", 1+n) }

// boot is when the nodes were started, long before the past that the shop tells of.
func (m *meter) boot() time.Time { return m.opened.Add(-9 * 24 * time.Hour) }

// cores is how many processors a node has.
const cores = 4

// node reads a node as the hostmetrics receiver of an OpenTelemetry Collector on it does, with the
// resourcedetection processor.
func (m *meter) node(n int, at time.Time) *metricspb.ResourceMetrics {
	name, boot := nodeName(n), m.boot()
	up := at.Sub(boot).Seconds()
	b, busy := newBook(boot, at), m.wave(name+" cpu")
	load := busy.at(at)

	// The shares of a processor's time, at rest and for each unit of load; what is left is idle.
	share := 0.1 + 0.35*load + 0.04*float64(n)
	for cpu := range cores {
		work := busy.sum(boot, at)*0.35 + (0.1+0.04*float64(n))*up
		id := str("cpu", fmt.Sprintf("cpu%d", cpu))
		for _, state := range cpuStates {
			v := state.share * work
			if state.name == "idle" {
				v = up - work
			}
			b.counter("system.cpu.time", "s", v, id, str("state", state.name))
		}
	}
	for cpu := range cores {
		id := str("cpu", fmt.Sprintf("cpu%d", cpu))
		for _, state := range cpuStates {
			v := state.share * share
			if state.name == "idle" {
				v = 1 - share
			}
			b.gauge("system.cpu.utilization", "1", v, id, str("state", state.name))
		}
	}
	for _, span := range []struct {
		name string
		over time.Duration
	}{{"1m", time.Minute}, {"5m", 5 * time.Minute}, {"15m", 15 * time.Minute}} {
		mean := busy.sum(at.Add(-span.over), at) / span.over.Seconds()
		b.gauge("system.cpu.load_average."+span.name, "{thread}", math.Round(100*cores*(0.15+0.6*mean+0.04*float64(n)))/100)
	}

	const memory = 16 * gib
	used := 0.38 + 0.12*m.wave(name+" memory").at(at) + 0.05*float64(n)
	states := []struct {
		name  string
		share float64
	}{{"buffered", 0.02}, {"cached", 0.18}, {"free", 0.8 - used}, {"slab_reclaimable", 0.02}, {"slab_unreclaimable", 0.01}, {"used", used}}
	for _, s := range states {
		b.level("system.memory.usage", "By", s.share*memory, str("state", s.name))
	}
	for _, s := range states {
		b.gauge("system.memory.utilization", "1", s.share, str("state", s.name))
	}

	for _, d := range m.disks(n, at) {
		at := []*commonpb.KeyValue{str("device", d.device), str("mode", "rw"), str("mountpoint", d.mount), str("type", "ext4")}
		for _, s := range []struct {
			name  string
			share float64
		}{{"free", 0.95 - d.used}, {"reserved", 0.05}, {"used", d.used}} {
			b.level("system.filesystem.usage", "By", s.share*d.size, append(at[:4:4], str("state", s.name))...)
		}
	}

	flow := func(name string, rest, more float64) float64 { return rest*up + more*m.wave(name).sum(boot, at) }
	b.counter("system.disk.io", "By", flow(name+" read", 0.2*mib, 3*mib), str("device", "nvme0n1"), str("direction", "read"))
	b.counter("system.disk.io", "By", flow(name+" write", 0.6*mib, 8*mib), str("device", "nvme0n1"), str("direction", "write"))
	b.counter("system.network.io", "By", flow(name+" in", 0.4*mib, 4*mib), str("device", "eth0"), str("direction", "receive"))
	b.counter("system.network.io", "By", flow(name+" out", 0.5*mib, 6*mib), str("device", "eth0"), str("direction", "transmit"))
	b.level("system.processes.count", "{processes}", float64(int(4+6*load)), str("status", "running"))
	b.level("system.processes.count", "{processes}", float64(210+5*n), str("status", "sleeping"))

	return b.of(&resourcepb.Resource{Attributes: []*commonpb.KeyValue{
		str("host.arch", "amd64"), str("host.id", fmt.Sprintf("i-0c5e%012x", 1+n)), str("host.name", name),
		str("k8s.cluster.name", "shop-prod"), str("k8s.node.name", name),
		str("os.type", "linux"),
	}}, "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver", "0.141.0")
}

// cpuStates are the states of a processor, with what share of its work each is.
var cpuStates = []struct {
	name  string
	share float64
}{{"idle", 0}, {"interrupt", 0}, {"nice", 0}, {"softirq", 0.04}, {"steal", 0.02}, {"system", 0.2}, {"user", 0.68}, {"wait", 0.06}}

// disk is a file system of a node.
type disk struct {
	device, mount string
	size, used    float64 // bytes, share
}

// disks are the file systems of a node: that of the images fills up on one node, a tenth of it in ten days.
func (m *meter) disks(n int, at time.Time) []disk {
	images := 0.31 + 0.06*float64(n)
	if n == full {
		images = 0.82 + 0.1*at.Sub(m.boot()).Hours()/240
	}
	return []disk{
		{"/dev/nvme0n1p1", "/", 40 * gib, 0.34 + 0.02*float64(n)},
		{"/dev/nvme1n1", "/var/lib/containerd", 100 * gib, min(images, 0.95)},
	}
}
