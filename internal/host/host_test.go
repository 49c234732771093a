package host

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metric"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
	"github.com/matrix-aiops/matrix/internal/trace/tracetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }

// place is a database with metrics and spans.
type place struct {
	t      *testing.T
	db     *clickhouse.DB
	store  *Store
	writer *metric.Writer
}

func newPlace(t *testing.T) *place {
	db, traces := tracetest.Open(t)
	if err := db.Migrate(t.Context(), "metric", metric.Migrations()); err != nil {
		t.Fatal(err)
	}
	w := metric.NewWriter(db, metric.Limits{}, clickhouse.BatchOptions{MaxDelay: time.Microsecond})
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &place{t, db, NewStore(metric.NewEngine(metric.NewStore(db), nil), traces), w}
}

var now = time.Now().UTC().Truncate(time.Minute)

// tell stores the samples of ten minutes until end, two a minute: each series
// begins with start and grows by perSecond.
func (p *place) tell(of project.ID, end time.Time, start, perSecond float64, name string, ls ...string) {
	p.t.Helper()
	b := p.writer.Begin(of, 30, now)
	defer p.writer.Release(b)
	s, err := b.Series(labels.FromStrings(append([]string{"__name__", name}, ls...)...))
	for i := 0; i <= 20 && err == nil; i++ {
		at := end.Add(-10*time.Minute + time.Duration(i)*30*time.Second)
		err = b.Sample(s, 0, at.UnixMilli(), start+perSecond*float64(30*i))
	}
	if err == nil {
		err = p.writer.Write(p.t.Context(), b)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// collector tells what a hostmetrics receiver tells of a host.
func (p *place) collector(of project.ID, host string, end time.Time, busy, memory, disk float64) {
	h := []string{"host_name", host}
	for _, cpu := range []string{"cpu0", "cpu1"} {
		p.tell(of, end, 0, busy, "system_cpu_time_seconds_total", append(h, "cpu", cpu, "state", "user")...)
		p.tell(of, end, 0, 1-busy, "system_cpu_time_seconds_total", append(h, "cpu", cpu, "state", "idle")...)
	}
	p.tell(of, end, memory*1000, 0, "system_memory_usage_bytes", append(h, "state", "used")...)
	p.tell(of, end, (1-memory)*1000, 0, "system_memory_usage_bytes", append(h, "state", "free")...)
	p.tell(of, end, 50, 0, "system_memory_usage_bytes", append(h, "state", "slab_reclaimable")...)
	for mount, used := range map[string]float64{"/": 0.1, "/data": disk} {
		d := slices.Concat(h, []string{"device", "/dev/" + mount, "mountpoint", mount, "type", "ext4"})
		p.tell(of, end, 900*used, 0, "system_filesystem_usage_bytes", append(d, "state", "used")...)
		p.tell(of, end, 900*(1-used), 0, "system_filesystem_usage_bytes", append(d, "state", "free")...)
		p.tell(of, end, 100, 0, "system_filesystem_usage_bytes", append(d, "state", "reserved")...)
	}
	p.tell(of, end, 1, 0, "system_filesystem_usage_bytes", append(h, "device", "tmpfs", "mountpoint", "/run", "type", "tmpfs", "state", "used")...)
	p.tell(of, end, 0, 100, "system_network_io_bytes_total", append(h, "device", "eth0", "direction", "receive")...)
	p.tell(of, end, 0, 200, "system_network_io_bytes_total", append(h, "device", "eth0", "direction", "transmit")...)
	p.tell(of, end, 0, 9999, "system_network_io_bytes_total", append(h, "device", "lo", "direction", "transmit")...)
	p.tell(of, end, 0, 300, "system_disk_io_bytes_total", append(h, "device", "sda", "direction", "write")...)
	p.tell(of, end, 1.5, 0, "system_cpu_load_average_1m", h...)
	p.tell(of, end, 3, 0, "system_processes_count", append(h, "status", "running")...)
	p.tell(of, end, 97, 0, "system_processes_count", append(h, "status", "sleeping")...)
}

// exporter tells what a node_exporter tells of a host.
func (p *place) exporter(of project.ID, instance, nodename string, end time.Time, busy, memory, disk float64) {
	h := []string{"instance", instance, "job", "node"}
	p.tell(of, end, 0, busy, "node_cpu_seconds_total", append(h, "cpu", "0", "mode", "system")...)
	p.tell(of, end, 0, 1-busy, "node_cpu_seconds_total", append(h, "cpu", "0", "mode", "idle")...)
	p.tell(of, end, 1000, 0, "node_memory_MemTotal_bytes", h...)
	p.tell(of, end, 1000*(1-memory), 0, "node_memory_MemAvailable_bytes", h...)
	d := slices.Concat(h, []string{"device", "/dev/sda1", "fstype", "ext4", "mountpoint", "/"})
	p.tell(of, end, 1000, 0, "node_filesystem_size_bytes", d...)
	p.tell(of, end, 1000-900*disk, 0, "node_filesystem_free_bytes", d...)
	p.tell(of, end, 900-900*disk, 0, "node_filesystem_avail_bytes", d...)
	p.tell(of, end, 0, 100, "node_network_receive_bytes_total", append(h, "device", "eth0")...)
	p.tell(of, end, 0, 200, "node_network_transmit_bytes_total", append(h, "device", "eth0")...)
	p.tell(of, end, 0, 300, "node_disk_written_bytes_total", append(h, "device", "sda")...)
	p.tell(of, end, 1.5, 0, "node_load1", h...)
	if nodename != "" {
		p.tell(of, end, 1, 0, "node_uname_info", append(h, "nodename", nodename)...)
	}
}

func (p *place) list(q Query) []Host {
	p.t.Helper()
	q.From, q.To = now.Add(-time.Hour), now
	top, err := p.store.Hosts(p.t.Context(), 1, q, now)
	if err != nil {
		p.t.Fatal(err)
	}
	return top.Items
}

func near(v *float64, want float64) bool { return v != nil && math.Abs(*v-want) < 0.001*max(1, want) }

func names(hosts []Host) (all []string) {
	for _, h := range hosts {
		all = append(all, h.Host)
	}
	return all
}

func TestAHostIsTheSameWhoeverTellsOfIt(t *testing.T) {
	p := newPlace(t)
	p.collector(1, "alpha", now, 0.3, 0.5, 0.6)
	p.exporter(1, "10.0.0.2:9100", "beta", now, 0.3, 0.5, 0.6)
	p.collector(2, "secret", now, 0.3, 0.5, 0.6)
	hosts := p.list(Query{Order: ByName})
	if fmt.Sprint(names(hosts)) != "[alpha beta]" {
		t.Fatalf("hosts %v", names(hosts))
	}
	for _, h := range hosts {
		if !near(h.CPU, 0.3) || !near(h.Memory, 0.5) || !near(h.Disk, 0.6) || !near(h.ReceivePerSecond, 100) || !near(h.TransmitPerSecond, 200) || !near(h.Load, 1.5) || !near(h.MemoryBytes, 1000) {
			t.Errorf("%s: cpu %v memory %v of %v disk %v in %v out %v load %v", h.Host, deref(h.CPU), deref(h.Memory), deref(h.MemoryBytes), deref(h.Disk), deref(h.ReceivePerSecond), deref(h.TransmitPerSecond), deref(h.Load))
		}
		if !h.LastSeen.Equal(now) || h.Health.State != trace.Healthy {
			t.Errorf("%s: last seen %s, %+v", h.Host, h.LastSeen, h.Health)
		}
		if last := h.Spark.Load[len(h.Spark.Load)-1]; !near(last, 1.5) {
			t.Errorf("%s: load of the last step %v", h.Host, deref(last))
		}
	}
	if a := hosts[0]; a.DiskMount != "/data" || !near(a.Processes, 100) || !near(a.Cores, 2) {
		t.Errorf("alpha: fullest %s, %v processes, %v cores", a.DiskMount, deref(a.Processes), deref(a.Cores))
	}
}

// As the hostmetrics receiver does by default since the middle of 2026.
func TestTheCoresOfAHostAreKnownWhenTheirTimeIsToldInOneSum(t *testing.T) {
	p := newPlace(t)
	h := []string{"host_name", "alpha"}
	p.tell(1, now, 0, 8*0.3, "system_cpu_time_seconds_total", append(h, "state", "user")...)
	p.tell(1, now, 0, 8*0.7, "system_cpu_time_seconds_total", append(h, "state", "idle")...)
	p.tell(1, now, 500, 0, "system_memory_usage_bytes", append(h, "state", "used")...)
	if got := p.list(Query{}); len(got) != 1 || got[0].Cores != nil || !near(got[0].CPU, 0.3) {
		t.Fatalf("of one that does not say how many they are: %v cores, CPU %v", deref(got[0].Cores), deref(got[0].CPU))
	}
	p.tell(1, now, 8, 0, "system_cpu_logical_count", h...)
	if got := p.list(Query{}); !near(got[0].Cores, 8) {
		t.Errorf("%v cores", deref(got[0].Cores))
	}
}

func deref(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

func TestTheWorstHostComesFirst(t *testing.T) {
	p := newPlace(t)
	p.collector(1, "calm", now, 0.3, 0.5, 0.6)
	p.collector(1, "busy", now, 0.9, 0.5, 0.6)
	p.collector(1, "full", now, 0.1, 0.5, 0.96)
	p.exporter(1, "10.0.0.9:9100", "gone", now.Add(-20*time.Minute), 0.1, 0.5, 0.96)
	hosts := p.list(Query{})
	if fmt.Sprint(names(hosts)) != "[full gone busy calm]" {
		t.Fatalf("hosts %v", names(hosts))
	}
	for i, want := range []Health{{State: trace.Critical, Reason: Disk}, {State: trace.Warning, Reason: Silent}, {State: trace.Warning, Reason: CPU}, {State: trace.Healthy}} {
		if got := hosts[i].Health; got.State != want.State || got.Reason != want.Reason {
			t.Errorf("%s is %+v, want %+v", hosts[i].Host, got, want)
		}
	}
	if seen := hosts[1].LastSeen; !seen.Equal(now.Add(-20 * time.Minute)) {
		t.Errorf("gone was last seen %s before now", now.Sub(seen))
	}
}

func TestWhatRunsOnAHostIsFoundByItsNode(t *testing.T) {
	p := newPlace(t)
	p.collector(1, "node-1", now, 0.3, 0.5, 0.6)
	p.collector(1, "node-2", now, 0.3, 0.5, 0.6)
	var spans []tracetest.Span
	for i := range 10 {
		spans = append(spans, tracetest.Span{
			Trace: tracetest.ID(uint64(i + 1)), ID: trace.SpanID(i + 1), Service: "orders", Name: "GET /", Kind: trace.KindServer,
			Start: now.Add(-time.Minute), Duration: time.Millisecond, Error: i == 0, Instance: fmt.Sprint("pod-", i%2),
			Resource: map[string]string{"host.name": fmt.Sprint("pod-", i%2), "k8s.pod.name": fmt.Sprint("pod-", i%2), "k8s.node.name": fmt.Sprint("node-", 1+i%2)},
		})
	}
	tracetest.Insert(t, p.db, 1, spans...)
	for _, h := range p.list(Query{Text: "ORDERS", Order: ByName}) {
		if len(h.Services) != 1 || h.Services[0].Service != "orders" || h.Services[0].Count != 5 || len(h.Services[0].Instances) != 1 {
			t.Errorf("on %s: %+v", h.Host, h.Services)
		}
	}
	if got := p.list(Query{Text: "no such"}); len(got) != 0 {
		t.Errorf("found %v", names(got))
	}
	d, err := p.store.Host(t.Context(), 1, "node-1", now.Add(-time.Hour), now, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Services) != 1 || d.Services[0].Errors != 1 {
		t.Errorf("on node-1: %+v", d.Services)
	}
}

func TestAHostIsDrawnOverTheRange(t *testing.T) {
	p := newPlace(t)
	p.collector(1, "alpha", now, 0.3, 0.5, 0.6)
	p.exporter(1, "10.0.0.2:9100", "beta", now, 0.3, 0.5, 0.6)
	for name, want := range map[string]string{
		"alpha": "cpu[user] memory[free used] disk[/ /data] network[receive transmit] disk_io[write] load[1m]",
		"beta":  "cpu[system] memory[used] disk[/] network[receive transmit] disk_io[write] load[1m]",
	} {
		d, err := p.store.Host(t.Context(), 1, name, now.Add(-time.Hour), now, now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, c := range d.Charts {
			if i > 0 {
				got += " "
			}
			var lines []string
			for _, l := range c.Lines {
				lines = append(lines, l.Line)
				if last := l.Values[len(l.Values)-1]; last == nil || l.Values[0] != nil {
					t.Errorf("%s: %s of %s begins with %v and ends with %v", name, l.Line, c.Chart, deref(l.Values[0]), deref(last))
				}
			}
			got += c.Chart + fmt.Sprint(lines)
		}
		if got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		if !near(d.CPU, 0.3) || d.Host.Host != name {
			t.Errorf("%s: %+v", name, d.Host)
		}
	}
}

func TestAHostThatHasJustBegunToTellIsNotBusy(t *testing.T) {
	p := newPlace(t)
	p.collector(1, "alpha", now.Add(9*time.Minute), 0.3, 0.5, 0.6) // of which one minute has passed
	hosts := p.list(Query{})
	if len(hosts) != 1 || !near(hosts[0].CPU, 0.3) {
		t.Fatalf("cpu %v", deref(hosts[0].CPU))
	}
}

func TestAHostNobodyHeardOfIsNotFound(t *testing.T) {
	p := newPlace(t)
	p.collector(2, "secret", now, 0.3, 0.5, 0.6)
	_, err := p.store.Host(t.Context(), 1, "secret", now.Add(-time.Hour), now, now)
	if fault.KindOf(err) != fault.NotFound {
		t.Fatalf("error %v", err)
	}
	if _, err := p.store.Host(t.Context(), 1, `a"b\c.*`, now.Add(-time.Hour), now, now); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("error %v", err)
	}
}
