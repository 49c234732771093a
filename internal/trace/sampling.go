package trace

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// sampledSpans is how many entry spans are looked at for a sign of sampling.
const sampledSpans = 5_000

// samplingAttributes are the names under which spans say the probability with which they were recorded: OpenTelemetry
// distributions, Jaeger clients (sampler.param, of a probabilistic sampler). SampleRate, of Honeycomb's, is its inverse.
var samplingAttributes = []string{"sampling.probability", "sampler.param", "SampleRate"}

// Sampling says what spans tell about how they were chosen. Spans that tell
// nothing may have been sampled all the same: senders rarely say it.
type Sampling struct {
	Known       bool    `json:"known" doc:"spans of the range say that not all requests were recorded"`
	Probability float64 `json:"probability" doc:"the least that they name, of 1; 0 when not known"`
}

// Sampling looks for signs of sampling among some entry spans that started
// between from and to.
func (s *Store) Sampling(ctx context.Context, p project.ID, from, to time.Time) (out Sampling, err error) {
	var rows []struct {
		Least float64 `ch:"least_probability"`
	}
	err = s.db.Select(ctx, p, &rows, `
		SELECT minIf(probability, probability > 0 AND probability < 1) AS least_probability FROM (
			SELECT arrayJoin(arrayMap((k, v) -> if(k = 'SampleRate', 1 / v, v), keys, values)) AS probability FROM (
				SELECT arrayFilter(k -> has({names:Array(String)}, k), attr_keys) AS keys,
					arrayMap(k -> toFloat64OrZero(attr_values[indexOf(attr_keys, k)]), keys) AS values
				FROM (SELECT attr_keys, attr_values FROM spans
					WHERE project_id = {project:UInt32} AND start >= {from:DateTime64(9)} AND start < {to:DateTime64(9)} AND entry
					LIMIT {looked:UInt32})))`,
		clickhouse.P("names", samplingAttributes), clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("looked", sampledSpans))
	if err != nil {
		return out, fmt.Errorf("look for sampling: %w", err)
	}
	return Sampling{Known: rows[0].Least > 0, Probability: rows[0].Least}, nil
}
