package host

import (
	"time"

	"github.com/matrix-aiops/matrix/internal/trace"
)

// Health is a judgement on a host in its worst respect.
type Health struct {
	State  trace.HealthState `json:"state" enum:"critical,warning,ok"`
	Reason Reason            `json:"reason" enum:",silent,cpu,memory,disk"`
	weight float64
}

// Reason is what a state is about.
type Reason string

// The reasons; a healthy host has none.
const (
	Silent Reason = "silent" // not heard of for 5 minutes
	CPU    Reason = "cpu"
	Memory Reason = "memory"
	Disk   Reason = "disk"
)

// limits are the shares from which a host is noticed. Of a disk little that is
// left is worse than of a processor: what runs out of it stops.
var limits = []struct {
	reason            Reason
	value             func(*Host) *float64
	warning, critical float64
}{
	{Disk, func(h *Host) *float64 { return h.Disk }, 0.85, 0.95},
	{Memory, func(h *Host) *float64 { return h.Memory }, 0.9, 0.97},
	{CPU, func(h *Host) *float64 { return h.CPU }, 0.85, 0.97},
}

// judge finds the worst that is to be said of a host at a time. One that is
// silent may have been taken away on purpose: that is a warning.
func judge(h *Host, at time.Time) Health {
	if at.Sub(h.LastSeen) > silentAfter {
		return Health{State: trace.Warning, Reason: Silent, weight: 1.5}
	}
	worst := Health{State: trace.Healthy}
	for _, l := range limits {
		v := l.value(h)
		if v == nil {
			continue
		}
		judged := Health{State: trace.Healthy, weight: *v / l.warning / 10}
		switch {
		case *v >= l.critical:
			judged = Health{State: trace.Critical, Reason: l.reason, weight: 2 + *v}
		case *v >= l.warning:
			judged = Health{State: trace.Warning, Reason: l.reason, weight: 1 + (*v-l.warning)/(l.critical-l.warning)}
		}
		if judged.weight > worst.weight {
			worst = judged
		}
	}
	return worst
}
