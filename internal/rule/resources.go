package rule

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds about resources are expressions over the metrics that agents send, as
// shares between 0 and 1. Each names every source it knows: what a project does not
// send yields nothing.

// shareParams are the parameters of all of them.
func shareParams(threshold float64, more ...Param) []Param {
	return append([]Param{
		{Name: "threshold_percent", Type: Number, Unit: "%", Default: threshold, Min: 0.1, Max: 100},
		{Name: "calm_percent", Type: Number, Unit: "%", Optional: true, Min: 0.1, Max: 100},
	}, more...)
}

var hostParam = Param{Name: "host", Type: Text, Optional: true}

// share makes a kind about a share. In the expression $h stands for the matcher
// of hosts of the Collector, $n for that of the node exporter.
func share(name, measureName string, threshold float64, scoped bool, expression string, params ...Param) *Kind {
	return minutes(&Kind{
		Name: name, Group: "resources", Scoped: scoped, Params: shareParams(threshold, params...),
		Count: 5, WindowMinutes: 5, QuietMinutes: 10, Severity: Warning,
		condition: func(r *Rule) Condition {
			m := measureName
			if host := r.Params.text("host"); host != "" {
				m += " of " + host
			}
			return Condition{Measure: m, Op: ">=", Threshold: r.Params.number("threshold_percent"), Unit: "%"}
		},
	}, &measure{
		shared: func(r *Rule) string { return fmt.Sprintf("%d\x00%s", r.Project, r.Params.text("host")) },
		window: func(*Rule) time.Duration { return time.Minute },
		limits: func(r *Rule, usual float64) (float64, float64) {
			return limitsAbove(r, usual, "threshold_percent", "calm_percent")
		},
		read: func(ctx context.Context, src *Sources, rules []*Rule, _ time.Duration, ends []time.Time) ([]reading, error) {
			system, node := `host_name!=""`, `instance!=""`
			if host := rules[0].Params.text("host"); host != "" {
				system, node = "host_name="+strconv.Quote(host), "instance=~"+strconv.Quote(regexp.QuoteMeta(host)+"(:[0-9]+)?")
			}
			query := "100 * (" + strings.NewReplacer("$h", system, "$n", node).Replace(expression) + ")"
			return readMetric(ctx, src, rules[0].Project, query, ends)
		},
	})
}

// noDisk are file systems that hold no data of their own.
const noDisk = `tmpfs|devtmpfs|overlay|squashfs|iso9660|autofs|ramfs|proc|sysfs|cgroup.*|nsfs|fuse\\.lxcfs`

var (
	hostCPU = share("host_cpu", "host CPU", 90, false, `
		1 - sum by (host_name) (rate(system_cpu_time_seconds_total{state="idle",$h}[5m])) / sum by (host_name) (rate(system_cpu_time_seconds_total{$h}[5m]))
		or 1 - sum by (instance) (rate(node_cpu_seconds_total{mode="idle",$n}[5m])) / sum by (instance) (rate(node_cpu_seconds_total{$n}[5m]))`, hostParam)

	hostMemory = share("host_memory", "host memory", 90, false, `
		sum by (host_name) (system_memory_usage_bytes{state="used",$h}) / sum by (host_name) (system_memory_usage_bytes{state=~"used|free|cached|buffered|inactive",$h})
		or max by (instance) (1 - node_memory_MemAvailable_bytes{$n} / node_memory_MemTotal_bytes{$n})`, hostParam)

	hostDisk = share("host_disk", "host disk", 85, false, `
		max by (host_name, mountpoint) (sum by (host_name, device, mountpoint) (system_filesystem_usage_bytes{state="used",type!~"`+noDisk+`",$h})
			/ sum by (host_name, device, mountpoint) (system_filesystem_usage_bytes{state=~"used|free",type!~"`+noDisk+`",$h}))
		or max by (instance, mountpoint) ((node_filesystem_size_bytes{fstype!~"`+noDisk+`",$n} - node_filesystem_free_bytes{$n})
			/ (node_filesystem_size_bytes{$n} - node_filesystem_free_bytes{$n} + node_filesystem_avail_bytes{$n}))`, hostParam)

	// OpenTelemetry's conventions for JVMs, and Micrometer's names.
	jvmHeap = share("jvm_heap", "JVM heap", 90, true, `
		sum without (jvm_memory_pool_name) (jvm_memory_used_bytes{jvm_memory_type="heap"}) / sum without (jvm_memory_pool_name) (jvm_memory_limit_bytes{jvm_memory_type="heap"} > 0)
		or sum without (id) (jvm_memory_used_bytes{area="heap"}) / sum without (id) (jvm_memory_max_bytes{area="heap"} > 0)`)

	jvmGC = share("jvm_gc", "time in JVM GC", 10, true, `
		sum without (jvm_gc_name, jvm_gc_action, jvm_gc_cause) (rate(jvm_gc_duration_seconds_sum[5m]))
		or sum without (action, cause, gc) (rate(jvm_gc_pause_seconds_sum[5m]))`)

	// Tomcat and Jetty by Micrometer, executors by Micrometer.
	threadPool = share("thread_pool", "thread pool", 90, true, `
		tomcat_threads_busy_threads / (tomcat_threads_config_max_threads > 0)
		or jetty_threads_busy / (jetty_threads_config_max > 0)
		or executor_active_threads / (executor_pool_max_threads > 0 < 2147483647)`)

	// OpenTelemetry's conventions for connection pools, as they are and as they were,
	// and HikariCP by Micrometer.
	connectionPool = share("connection_pool", "connection pool", 90, true, `
		sum without (db_client_connection_state) (db_client_connection_count{db_client_connection_state="used"}) / (db_client_connection_max > 0)
		or sum without (state) (db_client_connections_usage{state="used"}) / (db_client_connections_max > 0)
		or hikaricp_connections_active / (hikaricp_connections_max > 0)`)
)
