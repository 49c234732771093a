package api

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/otel"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Home is a project at a glance.
type Home struct {
	OpenIncidents   int64           `json:"open_incidents"`
	Transactions    uint64          `json:"transactions" doc:"began within the last hour"`
	Receiving       bool            `json:"receiving" doc:"a transaction began within the last day, or anything else arrived within the last hour"`
	Signals         []SignalArrival `json:"signals" doc:"always all, in this order: traces, logs, metrics, profiles"`
	EnabledRules    int             `json:"enabled_rules"`
	EnabledChannels int             `json:"enabled_channels"`
}

// SignalArrival is how much of one signal arrives: spans, log records, samples or profiles.
type SignalArrival struct {
	Signal string `json:"signal" enum:"traces,logs,metrics,profiles"`
	otel.Arrival
}

func (s *server) registerHome() {
	register(s, tenant.ProjectRead, get("get-home", "/api/v1/projects/{project}/home", "A project at a glance"), s.home)
}

func (s *server) home(ctx context.Context, _ tenant.Actor, in *InProject) (*result[Home], error) {
	var home Home
	open, err := s.opts.Incidents.List(ctx, in.Project, incident.Query{State: incident.Active, Limit: 1})
	if err != nil {
		return nil, err
	}
	home.OpenIncidents = open.Total
	now := s.now()
	if home.Transactions, err = s.opts.Traces.Began(ctx, in.Project, now.Add(-time.Hour)); err != nil {
		return nil, err
	}
	day, err := s.opts.Traces.Began(ctx, in.Project, now.Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	if home.Signals, err = s.arriving(ctx, in.Project); err != nil {
		return nil, err
	}
	home.Receiving = day > 0
	for _, signal := range home.Signals {
		home.Receiving = home.Receiving || signal.Last != nil
	}
	rules, err := s.opts.Rules.List(ctx, in.Project)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if r.Enabled {
			home.EnabledRules++
		}
	}
	targets, err := s.opts.Outbox.Targets().List(ctx, in.Project)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if t.Enabled {
			home.EnabledChannels++
		}
	}
	return ok(home, nil)
}

// arriving asks each noun how much of it arrives.
func (s *server) arriving(ctx context.Context, p project.ID) ([]SignalArrival, error) {
	now := s.now()
	var out []SignalArrival
	for _, noun := range []struct {
		signal string
		ask    func(context.Context, project.ID, time.Time) (otel.Arrival, error)
	}{
		{"traces", s.opts.Traces.Arriving},
		{"logs", s.opts.Logs.Arriving},
		{"metrics", s.opts.Metrics.Arriving},
		{"profiles", s.opts.Flames.Arriving},
	} {
		a, err := noun.ask(ctx, p, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", noun.signal, err)
		}
		out = append(out, SignalArrival{noun.signal, a})
	}
	return out, nil
}
