package host

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// measure is one thing that is known of a host, in PromQL over both sources.
// In a query $s and $n stand for the matchers of the one and the other source,
// $w for the window of rates. Shares are between 0 and 1.
type measure struct {
	name         string
	system, node string // grouped by host_name and by instance, and by line for those of a chart; "" none
}

// File systems that hold no data of their own, and devices that repeat what others carry.
const (
	noDisk    = `tmpfs|devtmpfs|overlay|squashfs|iso9660|autofs|ramfs|proc|sysfs|cgroup.*|nsfs|fuse\\.lxcfs`
	noNetwork = `lo|lo0|veth.*|cali.*|cni.*|docker.*|br-.*|flannel.*|lxc.*`
	noDevice  = `loop.*|ram.*|dm-.*|md.*`
)

// memory are the states of hostmetrics that add up to all memory; those of the
// slab are counted in them.
const memory = `used|free|cached|buffered|inactive`

// state is how a host is at one time.
var state = []measure{
	// Of the time that was told of: a host that began to tell within the window is not taken for busy.
	{"cpu", `1 - sum by (host_name) (rate(system_cpu_time_seconds_total{state="idle",$s}[$w])) / sum by (host_name) (rate(system_cpu_time_seconds_total{$s}[$w]))`,
		`1 - sum by (instance) (rate(node_cpu_seconds_total{mode="idle",$n}[$w])) / sum by (instance) (rate(node_cpu_seconds_total{$n}[$w]))`},
	// Since the middle of 2026 the hostmetrics receiver counts the processors and adds up their times; before, it told of each.
	{"cores", `max by (host_name) (system_cpu_logical_count{$s}) or count by (host_name) (system_cpu_time_seconds_total{state="idle",cpu!="",$s})`,
		`count by (instance) (node_cpu_seconds_total{mode="idle",$n})`},
	{"memory", `sum by (host_name) (system_memory_usage_bytes{state="used",$s}) / sum by (host_name) (system_memory_usage_bytes{state=~"` + memory + `",$s})`,
		`max by (instance) (1 - node_memory_MemAvailable_bytes{$n} / node_memory_MemTotal_bytes{$n})`},
	{"memory_bytes", `sum by (host_name) (system_memory_usage_bytes{state=~"` + memory + `",$s})`,
		`max by (instance) (node_memory_MemTotal_bytes{$n})`},
	{"disk", disk.system, disk.node},
	{"receive", `sum by (host_name) (rate(system_network_io_bytes_total{direction="receive",device!~"` + noNetwork + `",$s}[$w]))`,
		`sum by (instance) (rate(node_network_receive_bytes_total{device!~"` + noNetwork + `",$n}[$w]))`},
	{"transmit", `sum by (host_name) (rate(system_network_io_bytes_total{direction="transmit",device!~"` + noNetwork + `",$s}[$w]))`,
		`sum by (instance) (rate(node_network_transmit_bytes_total{device!~"` + noNetwork + `",$n}[$w]))`},
	{"load", `max by (host_name) (system_cpu_load_average_1m{$s})`, `max by (instance) (node_load1{$n})`},
	{"processes", `sum by (host_name) (system_processes_count{$s})`, `max by (instance) (node_processes_pids{$n})`},
	{"name", "", `group by (instance, nodename) (last_over_time(node_uname_info{$n}[6h]))`}, // of a silent one, too
}

// disk is how full each file system is for those who may write to it, as df has
// it: what is kept for root is neither.
var disk = measure{"disk",
	named("mountpoint", `max by (host_name, mountpoint) (
		sum by (host_name, device, mountpoint) (system_filesystem_usage_bytes{state="used",type!~"`+noDisk+`",$s})
		/ sum by (host_name, device, mountpoint) (system_filesystem_usage_bytes{state=~"used|free",type!~"`+noDisk+`",$s}))`),
	named("mountpoint", `max by (instance, mountpoint) (
		(node_filesystem_size_bytes{fstype!~"`+noDisk+`",$n} - node_filesystem_free_bytes{$n})
		/ (node_filesystem_size_bytes{$n} - node_filesystem_free_bytes{$n} + node_filesystem_avail_bytes{$n}))`)}

// charts is how a host was over time, each measure a chart.
var charts = []measure{
	{"cpu", named("state", `sum by (host_name, state) (rate(system_cpu_time_seconds_total{state!="idle",$s}[$w]))
			/ on (host_name) group_left sum by (host_name) (rate(system_cpu_time_seconds_total{$s}[$w]))`),
		named("mode", `sum by (instance, mode) (rate(node_cpu_seconds_total{mode!="idle",$n}[$w]))
			/ on (instance) group_left sum by (instance) (rate(node_cpu_seconds_total{$n}[$w]))`)},
	{"memory", named("state", `sum by (host_name, state) (system_memory_usage_bytes{state=~"`+memory+`",$s})`),
		strings.Join([]string{
			line("used", `max by (instance) (node_memory_MemTotal_bytes{$n} - node_memory_MemAvailable_bytes{$n})`),
			line("cached", `max by (instance) (node_memory_Cached_bytes{$n})`),
			line("buffered", `max by (instance) (node_memory_Buffers_bytes{$n})`),
			line("free", `max by (instance) (node_memory_MemFree_bytes{$n})`),
		}, " or ")},
	disk,
	{"network", named("direction", `sum by (host_name, direction) (rate(system_network_io_bytes_total{device!~"`+noNetwork+`",$s}[$w]))`),
		line("receive", `sum by (instance) (rate(node_network_receive_bytes_total{device!~"`+noNetwork+`",$n}[$w]))`) + " or " +
			line("transmit", `sum by (instance) (rate(node_network_transmit_bytes_total{device!~"`+noNetwork+`",$n}[$w]))`)},
	{"disk_io", named("direction", `sum by (host_name, direction) (rate(system_disk_io_bytes_total{device!~"`+noDevice+`",$s}[$w]))`),
		line("read", `sum by (instance) (rate(node_disk_read_bytes_total{device!~"`+noDevice+`",$n}[$w]))`) + " or " +
			line("write", `sum by (instance) (rate(node_disk_written_bytes_total{device!~"`+noDevice+`",$n}[$w]))`)},
	{"load", line("1m", `max by (host_name) (system_cpu_load_average_1m{$s})`) + " or " +
		line("5m", `max by (host_name) (system_cpu_load_average_5m{$s})`) + " or " + line("15m", `max by (host_name) (system_cpu_load_average_15m{$s})`),
		line("1m", `max by (instance) (node_load1{$n})`) + " or " +
			line("5m", `max by (instance) (node_load5{$n})`) + " or " + line("15m", `max by (instance) (node_load15{$n})`)},
}

// course is when each host was heard of, and its load meanwhile: one series of a host each.
var course = []measure{
	{"seen", `max by (host_name) (timestamp(system_memory_usage_bytes{state="used",$s}))`, `max by (instance) (timestamp(node_memory_MemTotal_bytes{$n}))`},
	{"load", `max by (host_name) (system_cpu_load_average_1m{$s})`, `max by (instance) (node_load1{$n})`},
}

// named calls the lines of a chart as a label does.
func named(label, query string) string {
	return fmt.Sprintf(`label_replace(%s, "line", "$1", %q, "(.*)")`, query, label)
}

// line is one line of a chart.
func line(value, query string) string {
	return fmt.Sprintf(`label_replace(%s, "line", %q, "", "")`, query, value)
}

// matchers select hosts: those of each source.
type matchers struct{ system, node string }

// everyHost selects all. A Collector that does not say whose metrics they are
// mixes those of all its machines: they are left out.
var everyHost = matchers{`host_name!=""`, `instance!=""`}

// oneHost selects the host of that name, which may have told of it as these instances.
func oneHost(name string, instances []string) matchers {
	pattern := regexp.QuoteMeta(name) + `(:[0-9]+)?`
	for _, i := range instances {
		pattern += "|" + regexp.QuoteMeta(i)
	}
	return matchers{"host_name=" + strconv.Quote(name), "instance=~" + strconv.Quote(pattern)}
}

// query puts measures together: one query, whose series say in the label measure what they are of.
func query(all []measure, of matchers, window time.Duration) string {
	fill := strings.NewReplacer("$s", of.system, "$n", of.node, "$w", strconv.Itoa(int(window.Seconds()))+"s")
	var parts []string
	for _, m := range all {
		for _, source := range []string{m.system, m.node} {
			if source != "" {
				parts = append(parts, fmt.Sprintf(`label_replace(%s, "measure", %q, "", "")`, fill.Replace(source), m.name))
			}
		}
	}
	return strings.Join(parts, "\nor ")
}
