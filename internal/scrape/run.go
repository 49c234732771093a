package scrape

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/discovery"
	promscrape "github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/util/logging"
)

// run is Prometheus' own discovery and scraping, at work for one project.
type run struct {
	samples   *samples
	discovery *discovery.Manager
	scrapes   *promscrape.Manager
	cancel    context.CancelFunc
	ended     sync.WaitGroup
}

// begin starts both for no target yet. Which targets came and went is looked at
// every so often.
func begin(s *samples, p Project, every time.Duration, log *slog.Logger) (*run, error) {
	s.project.Store(&p)
	s.problems = map[*promscrape.Target]string{}
	registry := prometheus.NewRegistry() // the managers want one each; nobody reads it
	found, err := discovery.CreateAndRegisterSDMetrics(registry)
	if err != nil {
		return nil, fmt.Errorf("begin discovery: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{samples: s, cancel: cancel, discovery: discovery.NewManager(ctx, log, registry, found)}
	r.scrapes, err = promscrape.NewManager(&promscrape.Options{
		AppendMetadata:           true,
		PassMetadataInContext:    true, // of it the target, whose problems are noted
		DiscoveryReloadOnStartup: true,
		DiscoveryReloadInterval:  model.Duration(every),
	}, log, logging.NewJSONFileLogger, nil, s, registry)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("begin scraping: %w", err)
	}
	r.ended.Go(func() { _ = r.discovery.Run() }) // it says that its context ended
	r.ended.Go(func() { _ = r.scrapes.Run(r.discovery.SyncCh()) })
	return r, nil
}

// apply makes the managers do what a configuration says.
func (r *run) apply(f *file) error {
	if err := r.scrapes.ApplyConfig(f.config); err != nil {
		return err
	}
	jobs, err := f.config.GetScrapeConfigs()
	if err != nil {
		return err
	}
	targets := map[string]discovery.Configs{}
	for _, j := range jobs {
		targets[j.JobName] = j.ServiceDiscoveryConfigs
	}
	return r.discovery.ApplyConfig(targets)
}

func (r *run) state() State { return stateOf(r.scrapes, r.samples) }

// stop lets the scrapes under way end. Their series do not: another node, or
// this one after its restart, goes on with them.
func (r *run) stop() {
	r.cancel()
	r.scrapes.Stop()
	r.ended.Wait()
}
