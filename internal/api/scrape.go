package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/scrape"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

func (s *server) registerScrape() {
	register(s, tenant.ProjectRead, get("get-scrape", "/api/v1/projects/{project}/scrape", "What is scraped for the project, and what became of each target"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*result[scrape.Status], error) {
			return ok(s.opts.Scrapes.Status(ctx, in.Project))
		})
	prometheus(s, "targets", "targets", "Targets that are scraped", false, s.promTargets)
}

// InPromTargets selects targets.
type InPromTargets struct {
	InPrometheus
	State string `query:"state" doc:"active, dropped or any; default any"`
	Pool  string `query:"scrapePool" doc:"a job; default all"`
}

// The targets as the Prometheus HTTP API has them.
type (
	promTarget struct {
		DiscoveredLabels   map[string]string `json:"discoveredLabels"`
		Labels             map[string]string `json:"labels"`
		ScrapePool         string            `json:"scrapePool"`
		ScrapeURL          string            `json:"scrapeUrl"`
		GlobalURL          string            `json:"globalUrl"`
		LastError          string            `json:"lastError"`
		LastScrape         time.Time         `json:"lastScrape"`
		LastScrapeDuration float64           `json:"lastScrapeDuration"`
		Health             string            `json:"health"`
		ScrapeInterval     string            `json:"scrapeInterval"`
		ScrapeTimeout      string            `json:"scrapeTimeout"`
	}
	promDropped struct {
		DiscoveredLabels map[string]string `json:"discoveredLabels"`
		ScrapePool       string            `json:"scrapePool"`
	}
	promTargets struct {
		ActiveTargets       []promTarget   `json:"activeTargets"`
		DroppedTargets      []promDropped  `json:"droppedTargets"`
		DroppedTargetCounts map[string]int `json:"droppedTargetCounts"`
	}
)

func (s *server) promTargets(ctx context.Context, in *InPromTargets) (prometheusData, error) {
	p, form := in.request()
	status, err := s.opts.Scrapes.Status(ctx, p)
	if err != nil {
		return prometheusData{}, err
	}
	state, pool := strings.ToLower(form.Get("state")), form.Get("scrapePool")
	if !slices.Contains([]string{"", "any", "active", "dropped"}, state) {
		return prometheusData{}, invalidParameter("state", "%q is none of active, dropped and any", state)
	}
	out := promTargets{ActiveTargets: []promTarget{}, DroppedTargets: []promDropped{}}
	if state != "dropped" {
		for _, t := range status.Targets {
			if pool != "" && pool != t.Job {
				continue
			}
			of := promTarget{DiscoveredLabels: t.Discovered, Labels: t.Labels, ScrapePool: t.Job, ScrapeURL: t.URL, GlobalURL: t.URL, LastError: t.Error,
				LastScrapeDuration: t.Duration, Health: string(t.Health), ScrapeInterval: t.Interval, ScrapeTimeout: t.Timeout}
			if t.At != nil {
				of.LastScrape = *t.At
			}
			out.ActiveTargets = append(out.ActiveTargets, of)
		}
	}
	if state != "active" {
		out.DroppedTargetCounts = status.DroppedCounts
		for _, t := range status.Dropped {
			if pool == "" || pool == t.Job {
				out.DroppedTargets = append(out.DroppedTargets, promDropped{t.Discovered, t.Job})
			}
		}
	}
	return prometheusData{data: out}, nil
}
