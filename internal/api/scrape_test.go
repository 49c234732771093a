package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/scrape"
)

func TestPrometheusOwnClientReadsTheTargetsOfAProject(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	h, api := prometheusAt(t, now)
	if found, err := api.Targets(t.Context()); err != nil || len(found.Active) > 0 || len(found.Dropped) > 0 {
		t.Errorf("before there is any: %+v, %v", found, err)
	}
	store := func(p project.ID, job string) {
		t.Helper()
		state, err := json.Marshal(scrape.State{
			Host: "a", File: "/etc/prometheus.yml",
			Targets: []scrape.Target{
				{Job: job, URL: "http://" + job + ":1/metrics", Labels: map[string]string{"job": job}, Discovered: map[string]string{"__address__": job + ":1"},
					Health: "up", At: &now, Duration: 0.25, Interval: "15s", Timeout: "10s"},
				{Job: "other", URL: "http://other:1/metrics", Labels: map[string]string{"job": "other"}, Health: "down", Error: "connection refused", At: &now},
			},
			Dropped: []scrape.Dropped{{Job: job, Discovered: map[string]string{"__address__": "dropped"}}}, DroppedCounts: map[string]int{job: 3},
		})
		h.must(err)
		_, err = h.db.Exec(t.Context(), `INSERT INTO scrape (project_id, node, beat, at, state) VALUES ($1, 'node-1', 1, $2, $3)`, p, metadb.Micros(now), string(state))
		h.must(err)
	}
	store(h.first.Project.ID, "ours")
	store(h.first.Project.ID+1000, "theirs")

	found, err := api.Targets(t.Context())
	h.must(err)
	want := promv1.ActiveTarget{DiscoveredLabels: map[string]string{"__address__": "ours:1"}, Labels: model.LabelSet{"job": "ours"}, ScrapePool: "ours",
		ScrapeURL: "http://ours:1/metrics", GlobalURL: "http://ours:1/metrics", LastScrape: now, LastScrapeDuration: 0.25, Health: promv1.HealthGood}
	if len(found.Active) != 2 || fmt.Sprintf("%+v", found.Active[0]) != fmt.Sprintf("%+v", want) {
		t.Errorf("active = %+v\nwant %+v", found.Active, want)
	}
	if other := found.Active[1]; other.Health != promv1.HealthBad || other.LastError != "connection refused" {
		t.Errorf("other = %+v", other)
	}
	if len(found.Dropped) != 1 || found.Dropped[0].DiscoveredLabels["__address__"] != "dropped" {
		t.Errorf("dropped = %+v", found.Dropped)
	}

	f := func(query string, want ...string) {
		t.Helper()
		answer := h.admin().do(http.MethodGet, h.projectPath("/prometheus/api/v1/targets?"+query), nil, nil)
		text := answer.Body.String()
		for _, w := range want {
			w, not := strings.CutPrefix(w, "!")
			if strings.Contains(text, w) == not {
				t.Errorf("%s answers %s, contains %s = %v", query, text, w, not)
			}
		}
	}
	f("state=active", "ours:1", `"droppedTargets":[]`, "!theirs")
	f("state=dropped", `"activeTargets":[]`, "dropped", `"droppedTargetCounts":{"ours":3}`)
	f("scrapePool=other", "other:1", "!ours:1")
	f("state=alive", "bad_data", "alive")

	var status scrape.Status
	h.must(json.Unmarshal(h.admin().do(http.MethodGet, h.projectPath("/scrape"), nil, nil).Body.Bytes(), &status))
	if !status.Configured || !status.Scraping || status.Node != "node-1" || status.Host != "a" || len(status.Targets) != 2 {
		t.Errorf("status = %+v", status)
	}
	_, err = h.db.Exec(t.Context(), `UPDATE scrape SET at = $1`, metadb.Micros(now.Add(-time.Minute)))
	h.must(err)
	h.must(json.Unmarshal(h.admin().do(http.MethodGet, h.projectPath("/scrape"), nil, nil).Body.Bytes(), &status))
	if status.Scraping {
		t.Error("a node that is silent for a minute scrapes")
	}
}
