package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"
)

// Sample is a value of a series.
type Sample struct {
	At    time.Time
	Value float64
}

// AppendSeries appends a series with its samples, oldest first, to a
// prometheus.WriteRequest of the remote write protocol 1.0.
func AppendSeries(request []byte, labels [][2]string, samples ...Sample) []byte {
	var series []byte
	for _, label := range labels {
		b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), label[0])
		b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), label[1])
		series = protowire.AppendBytes(protowire.AppendTag(series, 1, protowire.BytesType), b)
	}
	for _, s := range samples {
		b := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(s.Value))
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(s.At.UnixMilli()))
		series = protowire.AppendBytes(protowire.AppendTag(series, 2, protowire.BytesType), b)
	}
	return protowire.AppendBytes(protowire.AppendTag(request, 1, protowire.BytesType), series)
}

// RemoteWrite sends a prometheus.WriteRequest with an ingest key.
func (m *Matrix) RemoteWrite(ctx context.Context, key string, write []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.HTTP+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, write)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("remote write: %s: %s", response.Status, text)
	}
	return nil
}
