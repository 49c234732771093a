package shop

import (
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

const (
	mib     = 1 << 20
	gib     = 1 << 30
	poolMax = 10 // connections to the database of a Java service
)

// started is when a pod began to run: with its release, which the fleet tells.
func (m *meter) started(p *pod) time.Time {
	switch p.release {
	case 0:
		return m.boot()
	case 1:
		return m.opened.Add(-12 * time.Hour)
	}
	return m.opened.Add(-30 * time.Minute)
}

// runtime reads the runtime of a pod. sick tells that it waits for its database.
func (m *meter) runtime(p *pod, at time.Time, sick bool) *metricspb.ResourceMetrics {
	since := m.started(p)
	b, load := newBook(since, at), m.wave(p.instance).at(at)
	if p.language != "java" {
		b.gauge("process.cpu.utilization", "1", 0.04+0.2*load)
		b.level("process.memory.usage", "By", (90+40*load)*mib)
		b.level("v8js.memory.heap.used", "By", (35+25*load)*mib, str("v8js.heap.space.name", "old_space"))
		return b.of(p.resource, "@opentelemetry/host-metrics", p.scopeVersion())
	}
	// The young generation fills up and is collected: a saw whose tooth is a collection.
	const collectEvery = 48 * time.Second
	age := at.Sub(since)
	tooth := float64(age%collectEvery) / float64(collectEvery)
	heap := []struct {
		pool        string
		used, limit float64
	}{
		{"G1 Eden Space", (20 + 280*tooth) * mib, 0},
		{"G1 Old Gen", (180 + 160*load) * mib, 1024 * mib},
		{"G1 Survivor Space", (8 + 8*load) * mib, 0},
	}
	b.gauge("jvm.cpu.recent_utilization", "1", 0.03+0.25*load)
	collections := uint64(age / collectEvery)
	b.histogram("jvm.gc.duration", "s", distribution{
		bounds: []float64{0.01, 0.1, 1, 10}, counts: []uint64{collections - collections/5, collections / 5, 0, 0, 0}, sum: 0.009 * float64(collections),
	}, str("jvm.gc.action", "end of minor GC"), str("jvm.gc.name", "G1 Young Generation"))
	for _, pool := range heap {
		if pool.limit > 0 {
			b.level("jvm.memory.limit", "By", pool.limit, str("jvm.memory.pool.name", pool.pool), str("jvm.memory.type", "heap"))
		}
	}
	for _, pool := range heap {
		b.level("jvm.memory.used", "By", pool.used, str("jvm.memory.pool.name", pool.pool), str("jvm.memory.type", "heap"))
	}
	b.level("jvm.memory.used", "By", 118*mib, str("jvm.memory.pool.name", "Metaspace"), str("jvm.memory.type", "non_heap"))

	used, pending, runnable := float64(int(1+4*load)), 0.0, float64(int(12+6*load))
	waiting := 24.0
	if sick {
		used, pending, waiting = poolMax, float64(int(3+9*load)), waiting+12
	}
	b.level("jvm.thread.count", "{thread}", runnable, truth("jvm.thread.daemon", true), str("jvm.thread.state", "runnable"))
	b.level("jvm.thread.count", "{thread}", waiting, truth("jvm.thread.daemon", true), str("jvm.thread.state", "timed_waiting"))

	pool := str("db.client.connection.pool.name", "HikariPool-1")
	b.level("db.client.connection.count", "{connection}", poolMax-used, pool, str("db.client.connection.state", "idle"))
	b.level("db.client.connection.count", "{connection}", used, pool, str("db.client.connection.state", "used"))
	b.level("db.client.connection.max", "{connection}", poolMax, pool)
	b.level("db.client.connection.pending_requests", "{request}", pending, pool)
	return b.of(p.resource, "io.opentelemetry.runtime-telemetry-java8", p.scopeVersion())
}
