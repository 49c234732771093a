package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// The metrics are counters that 20 services count in as many instances as there are series, scraped every 15 s.
// Each rises steadily, so that its rate is known.
const (
	metricName      = "bench_requests_total"
	metricServices  = 20
	scrape          = 15 * time.Second
	samplesInSeries = 10 // of one request
)

var errNoRemoteWrite = errors.New("this MATRIX has no Prometheus remote write endpoint")

func metricService(series int) string { return fmt.Sprintf("service-%02d", series%metricServices) }

// rise is by how much a counter rises between two scrapes.
func rise(series int) float64 { return float64(1 + series%7) }

// ratePerService is what sum by(service)(rate()) must say.
func ratePerService(series int) map[string]float64 {
	rates := map[string]float64{}
	for s := range series {
		rates[metricService(s)] += rise(s) / scrape.Seconds()
	}
	return rates
}

// scraped returns when the n-th scrape was; the last was at the end of the data.
func (f *filling) scraped(n int) time.Time {
	return f.until.Truncate(scrape).Add(-time.Duration(f.samples-1-n) * scrape)
}

// sendMetrics writes all samples by Prometheus remote write 1.0, the oldest first.
func sendMetrics(ctx context.Context, matrix *rig.Matrix, f *filling) (sent, error) {
	fmt.Fprintf(os.Stderr, "sending %d samples of %d series …\n", f.samples, f.series)
	var out sent
	for from := 0; from < f.samples; from += samplesInSeries {
		to := min(from+samplesInSeries, f.samples)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, matrix.HTTP+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, f.writeRequest(from, to))))
		if err != nil {
			return out, err
		}
		request.Header.Set("Content-Type", "application/x-protobuf")
		request.Header.Set("Content-Encoding", "snappy")
		request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
		request.Header.Set("Authorization", "Bearer "+matrix.Key)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return out, err
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return out, err
		}
		switch {
		case response.StatusCode == http.StatusNotFound:
			return out, errNoRemoteWrite
		case response.StatusCode >= http.StatusMultipleChoices:
			return out, fmt.Errorf("remote write: %s: %s", response.Status, text)
		}
		out.items += int64((to - from) * f.series)
	}
	return out, nil
}

// writeRequest is a prometheus.WriteRequest with the scrapes from to (exclusive) of all series.
func (f *filling) writeRequest(from, to int) []byte {
	var request []byte
	for s := range f.series {
		var series []byte
		for _, label := range [][2]string{{"__name__", metricName}, {"instance", fmt.Sprintf("10.42.%d.%d:8080", s%metricServices, s/metricServices)}, {"service", metricService(s)}} {
			b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), label[0])
			b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), label[1])
			series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), b)
		}
		for n := from; n < to; n++ {
			value := 1e6 + rise(s)*float64(n)
			b := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(value))
			b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(f.scraped(n).UnixMilli()))
			series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), b)
		}
		request = protowire.AppendBytes(protowire.AppendTag(request, 1, protowire.BytesType), series)
	}
	return request
}
