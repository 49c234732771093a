package trace

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/project"
)

// sampledSpans is how many entry spans are looked at for a sign of sampling.
const sampledSpans = 5_000

// samplingProbability is the attribute under which a span's tracestate is stored, where it tells of a probability.
const samplingProbability = "sampling.probability"

// samplingAttributes are the names under which spans say the probability with which they were recorded: OpenTelemetry
// distributions, Jaeger clients (sampler.param, of a probabilistic sampler). SampleRate, of Honeycomb's, is its inverse.
var samplingAttributes = []string{samplingProbability, "sampler.param", "SampleRate"}

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
					WHERE `+spansBetween+` AND entry
					LIMIT {looked:UInt32})))`,
		clickhouse.P("names", samplingAttributes), clickhouse.P("from", from.UTC()), clickhouse.P("to", to.UTC()), clickhouse.P("looked", sampledSpans))
	if err != nil {
		return out, fmt.Errorf("look for sampling: %w", err)
	}
	return Sampling{Known: rows[0].Least > 0, Probability: rows[0].Least}, nil
}

// OpenTelemetry's consistent sampling decides by 56 bits of randomness: a span whose bits are below the threshold is
// rejected.
const (
	thresholdDigits  = 14
	maxAdjustedCount = 1 << 56
)

// probabilityOf reads the probability with which a span was recorded out of a W3C tracestate such as "rojo=1,ot=th:c",
// of at most 1. It is false when the state does not tell. An adjusted count is its inverse. It allocates nothing.
// Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/#sampling-threshold-value-th
func probabilityOf(state []byte) (p float64, ok bool) {
	for member := range bytes.SplitSeq(state, []byte(",")) {
		list, found := bytes.CutPrefix(bytes.TrimSpace(member), []byte("ot="))
		if !found {
			continue
		}
		for sub := range bytes.SplitSeq(list, []byte(";")) {
			if digits, found := bytes.CutPrefix(sub, []byte("th:")); found {
				threshold, ok := rejectionThreshold(digits)
				return float64(maxAdjustedCount-threshold) / maxAdjustedCount, ok
			}
		}
	}
	return 0, false
}

// rejectionThreshold reads 1 to 14 hexadecimal digits, of which trailing zeros were left out.
func rejectionThreshold(digits []byte) (threshold uint64, ok bool) {
	if len(digits) == 0 || len(digits) > thresholdDigits {
		return 0, false
	}
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		threshold = threshold<<4 | uint64(c)
	}
	return threshold << (4 * (thresholdDigits - len(digits))), true
}
