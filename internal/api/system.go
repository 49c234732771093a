package api

import (
	"context"
	"net/http"
	"time"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Health is what a probe reads.
type Health struct {
	Status string        `json:"status" enum:"ok,unavailable"`
	Checks []HealthCheck `json:"checks"`
}

// HealthCheck is one dependency; why it is down stands in the log only.
type HealthCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
}

// Version is what runs.
type Version struct {
	Version string `json:"version"`
}

// probeTimeout is how long a dependency has to answer a probe.
const probeTimeout = 2 * time.Second

func (s *server) registerSystem() {
	type health struct {
		Status int
		Body   Health
	}
	register(s, public, get("health", "/healthz", "The process is alive"),
		func(context.Context, tenant.Actor, *nothing) (*health, error) {
			return &health{http.StatusOK, Health{"ok", []HealthCheck{}}}, nil
		})
	register(s, public, get("ready", "/readyz", "The process can serve: its dependencies answer"),
		func(ctx context.Context, _ tenant.Actor, _ *nothing) (*health, error) {
			out := &health{http.StatusOK, Health{"ok", []HealthCheck{}}}
			for _, check := range s.opts.Ready {
				asked, cancel := context.WithTimeout(ctx, probeTimeout)
				err := check.Ask(asked)
				cancel()
				if err != nil {
					s.log.WarnContext(ctx, "dependency is down", "dependency", check.Name, "error", err.Error())
					out.Status, out.Body.Status = http.StatusServiceUnavailable, "unavailable"
				}
				out.Body.Checks = append(out.Body.Checks, HealthCheck{check.Name, err == nil})
			}
			return out, nil
		})
	register(s, public, get("version", "/api/v1/version", "What runs here"),
		func(context.Context, tenant.Actor, *nothing) (*result[Version], error) {
			return ok(Version{s.opts.Version}, nil)
		})
}
