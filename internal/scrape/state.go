package scrape

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	promscrape "github.com/prometheus/prometheus/scrape"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// State is what one node tells of scraping for a project.
type State struct {
	Host string `json:"host" doc:"name of the machine that scrapes"`
	File string `json:"file" doc:"the configuration, a path on that machine"`
	// Problem is why what the file says now is not in use; what it said before is.
	Problem string    `json:"problem,omitempty" doc:"what is wrong with the file as it is now; what it said before is in use"`
	Targets []Target  `json:"targets" doc:"by job and URL"`
	Dropped []Dropped `json:"dropped" doc:"targets that relabelling drops, the first of each job"`
	// DroppedCounts are all of them, by job.
	DroppedCounts map[string]int `json:"dropped_counts"`
}

// Target is what became of one target.
type Target struct {
	Job        string                  `json:"job"`
	URL        string                  `json:"url"`
	Labels     map[string]string       `json:"labels"`
	Discovered map[string]string       `json:"discovered_labels" doc:"before relabelling"`
	Health     promscrape.TargetHealth `json:"health" enum:"up,down,unknown" doc:"unknown: not asked yet"`
	// Error is why it is down, or of a target that is up, which of its samples
	// are not stored.
	Error    string     `json:"error,omitempty" doc:"why it is down, or which samples of it are not stored"`
	At       *time.Time `json:"scraped_at,omitempty" doc:"when the last scrape began; none before the first"`
	Duration float64    `json:"duration_seconds" doc:"of the last scrape"`
	Interval string     `json:"interval"`
	Timeout  string     `json:"timeout"`
}

// Dropped is a target that relabelling drops.
type Dropped struct {
	Job        string            `json:"job"`
	Discovered map[string]string `json:"discovered_labels"`
}

// maxDropped bounds the targets of a job that are listed as dropped.
const maxDropped = 100

// noTargets is a State before there are any: lists that are empty, not absent.
func noTargets() State {
	return State{Targets: []Target{}, Dropped: []Dropped{}, DroppedCounts: map[string]int{}}
}

// stateOf is what the managers know of their targets.
func stateOf(scrapes *promscrape.Manager, s *samples) State {
	state := noTargets()
	b := labels.NewBuilder(labels.EmptyLabels())
	all := map[*promscrape.Target]bool{}
	for job, targets := range scrapes.TargetsActive() {
		for _, t := range targets {
			all[t] = true
			of := Target{
				Job: job, URL: t.URL().String(), Labels: t.Labels(b).Map(), Discovered: t.DiscoveredLabels(b).Map(), Health: t.Health(), Error: s.problem(t),
				Duration: t.LastScrapeDuration().Seconds(), Interval: t.GetValue(model.ScrapeIntervalLabel), Timeout: t.GetValue(model.ScrapeTimeoutLabel),
			}
			if at := t.LastScrape(); !at.IsZero() {
				of.At = &at
			}
			if err := t.LastError(); err != nil {
				of.Error = err.Error()
			}
			state.Targets = append(state.Targets, of)
		}
	}
	s.keep(all)
	for job, targets := range scrapes.TargetsDropped() {
		for _, t := range targets[:min(len(targets), maxDropped)] {
			state.Dropped = append(state.Dropped, Dropped{job, t.DiscoveredLabels(b).Map()})
		}
	}
	state.DroppedCounts = scrapes.TargetsDroppedCounts()
	slices.SortFunc(state.Targets, func(a, b Target) int {
		return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.URL, b.URL))
	})
	slices.SortFunc(state.Dropped, func(a, b Dropped) int {
		return cmp.Or(cmp.Compare(a.Job, b.Job), cmp.Compare(a.Discovered[model.AddressLabel], b.Discovered[model.AddressLabel]))
	})
	return state
}

// Status is a State as any node tells of it.
type Status struct {
	Configured bool       `json:"configured" doc:"some node has scraped for the project"`
	Scraping   bool       `json:"scraping" doc:"a node does now"`
	Node       string     `json:"node,omitempty" doc:"which node does"`
	At         *time.Time `json:"at,omitempty" doc:"of what follows"`
	State
}

// Store reads what became of targets, whichever node scrapes.
type Store struct {
	db  *metadb.DB
	now func() time.Time
}

// NewStore returns a Store; now is time.Now when nil.
func NewStore(db *metadb.DB, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db, now}
}

// Status returns what is known of scraping for a project. It is a few seconds
// old at most while a node scrapes.
func (s *Store) Status(ctx context.Context, p project.ID) (Status, error) {
	out := Status{State: noTargets()}
	var micros int64
	var state string
	err := s.db.QueryRow(ctx, `SELECT node, at, state FROM scrape WHERE project_id = $1`, p).Scan(&out.Node, &micros, &state)
	if errors.Is(err, metadb.ErrNoRows) {
		return out, nil
	}
	if err != nil {
		return out, fmt.Errorf("read scrape state: %w", err)
	}
	if err := json.Unmarshal([]byte(state), &out.State); err != nil {
		return out, fmt.Errorf("decode scrape state: %w", err)
	}
	at := metadb.FromMicros(micros)
	out.Configured, out.At = true, &at
	// Of another node's clock: this much they may differ without a false alarm.
	out.Scraping = out.Node != "" && s.now().Sub(at) < usual.takeOver+usual.giveUp
	return out, nil
}

// Erase removes what is known of a project's targets.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM scrape WHERE project_id = $1`, p)
	return err
}
