package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/load"
)

// mixEvery is how often each kind of the mix is sent: often enough to meet every kill, little enough to be
// remembered thing by thing.
const mixEvery = 50 * time.Millisecond

// mixture sends telemetry of every kind beside the load and remembers what was acknowledged.
type mixture struct {
	endpoint, key string

	mu           sync.Mutex
	acknowledged map[string][]string // things by kind
	refused      error               // an answer that no sender should get
}

// run sends until ctx ends.
func (m *mixture) run(ctx context.Context) {
	m.acknowledged = map[string][]string{}
	began := time.Now().Add(-time.Hour)
	var sending sync.WaitGroup
	for _, kind := range load.Mix {
		sending.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				things, err := m.send(ctx, &kind, n, began)
				m.mu.Lock()
				m.acknowledged[kind.Name] = append(m.acknowledged[kind.Name], things...)
				if err != nil && ctx.Err() == nil {
					m.refused = errors.Join(m.refused, fmt.Errorf("%s: %w", kind.Name, err))
				}
				m.mu.Unlock()
				if err != nil {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(mixEvery):
				}
			}
		})
	}
	sending.Wait()
}

// send sends one request and returns the things in it if they were acknowledged. One that was not answered, or
// is to come again, is given up: the next has other things.
func (m *mixture) send(ctx context.Context, kind *load.Kind, n int, began time.Time) ([]string, error) {
	body, things, err := kind.Request(0, n, began)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.endpoint+kind.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+m.key)
	request.Header.Set("Content-Type", "application/x-protobuf")
	if kind.Encoding != "" {
		request.Header.Set("Content-Encoding", kind.Encoding)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil //nolint:nilerr // MATRIX was killed: nothing was acknowledged
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	switch {
	case err != nil:
		return nil, nil //nolint:nilerr // as above, while it answered
	case response.StatusCode == http.StatusOK || response.StatusCode == http.StatusNoContent:
		return things, nil
	case response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests:
		return nil, nil
	}
	return nil, fmt.Errorf("answered %s: %s", response.Status, bytes.TrimSpace(text))
}

// mixed is what became of a kind of the mix.
type mixed struct {
	kind                  string
	acknowledged, missing int
	example               string // of what is missing
}

// things are all that is stored of the mix, by name. A sample without its series is none, nor is an error
// without its fingerprint.
const things = `
	SELECT concat('span ', toString(span_id)) AS thing FROM matrix.spans WHERE service LIKE 'mix-%'
	UNION ALL SELECT concat('log ', body) FROM matrix.logs WHERE service LIKE 'mix-%'
	UNION ALL SELECT concat('error ', message) FROM matrix.error_events WHERE service LIKE 'mix-%' AND fingerprint != 0
	UNION ALL SELECT concat('sample ', metric, ' ', toString(toUInt64(value))) FROM matrix.metric_samples
		WHERE metric LIKE 'mix_%' AND series_id IN (SELECT series_id FROM matrix.metric_series)`

// audit looks for everything that was acknowledged.
func (m *mixture) audit(ctx context.Context, engine *rig.Engine) ([]mixed, error) {
	if m.refused != nil {
		return nil, m.refused
	}
	stored, err := engine.Texts(ctx, things)
	if err != nil {
		return nil, err
	}
	var out []mixed
	for _, kind := range load.Mix {
		of := mixed{kind: kind.Name, acknowledged: len(m.acknowledged[kind.Name])}
		for _, thing := range m.acknowledged[kind.Name] {
			if !stored[thing] {
				of.missing++
				of.example = thing
			}
		}
		out = append(out, of)
	}
	return out, nil
}

// tableOf is the result of the mix as a table.
func tableOf(mix []mixed) string {
	if len(mix) == 0 {
		return ""
	}
	var table strings.Builder
	table.WriteString("\n| beside it | acknowledged | missing |\n| --- | --- | --- |\n")
	for _, of := range mix {
		fmt.Fprintf(&table, "| %s | %d | %d %s |\n", of.kind, of.acknowledged, of.missing, of.example)
	}
	return table.String()
}
