package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// contender is a receiver that stores spans in a given engine.
type contender interface {
	name() string
	database() string
	table() string
	spanID() string // expression for the span id as a big-endian number
	// start starts the receiver on the engine and returns it with its endpoint for the protocol and the key.
	start(ctx context.Context, dir string, engine *rig.Engine, protocol string) (receiver *rig.Process, endpoint, key string, err error)
}

type matrixContender struct{ binary string }

func (*matrixContender) name() string     { return "MATRIX" }
func (*matrixContender) database() string { return "matrix" }
func (*matrixContender) table() string    { return "matrix.spans" }
func (*matrixContender) spanID() string   { return "span_id" }

func (c *matrixContender) start(ctx context.Context, dir string, engine *rig.Engine, protocol string) (*rig.Process, string, string, error) {
	m, err := rig.StartMatrix(ctx, dir, c.binary, "--clickhouse", engine.DSN())
	if err != nil {
		return nil, "", "", err
	}
	if protocol == "grpc" {
		return m.Process, m.GRPC, m.Key, nil
	}
	return m.Process, m.HTTP, m.Key, nil
}

type collectorContender struct {
	binary string
	batch  int
}

func (*collectorContender) name() string     { return "Collector" }
func (*collectorContender) database() string { return "otel" }
func (*collectorContender) table() string    { return "otel.otel_traces" }
func (*collectorContender) spanID() string   { return "reinterpretAsUInt64(reverse(unhex(SpanId)))" }

// collectorConfig follows the exporter's README: batches in the sending queue. Where it could lose spans or
// would be slowed down by its defaults, it is helped: the queue blocks instead of dropping, an INSERT may take
// longer than 5 s, and it does not measure itself.
const collectorConfig = `receivers:
  otlp:
    protocols:
      grpc: {endpoint: %q, max_recv_msg_size_mib: 16}
      http: {endpoint: %q}
exporters:
  clickhouse:
    endpoint: %q
    database: otel
    timeout: 60s
    sending_queue:
      num_consumers: 10
      queue_size: 1000
      block_on_overflow: true
      batch: {sizer: items, min_size: %d, flush_timeout: 5s}
service:
  telemetry:
    logs: {level: info}
    metrics: {level: none}
  pipelines:
    traces: {receivers: [otlp], exporters: [clickhouse]}
`

func (c *collectorContender) start(ctx context.Context, dir string, engine *rig.Engine, protocol string) (*rig.Process, string, string, error) {
	grpc, err := rig.FreeAddress(ctx)
	if err != nil {
		return nil, "", "", err
	}
	http, err := rig.FreeAddress(ctx)
	if err != nil {
		return nil, "", "", err
	}
	path := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, collectorConfig, grpc, http, engine.DSN(), c.batch), 0o600); err != nil {
		return nil, "", "", err
	}
	p, err := rig.Start(ctx, dir, "collector", c.binary, "--config", path)
	if err != nil {
		return nil, "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := p.Printed(ctx, "Everything is ready"); err != nil {
		p.Kill()
		return nil, "", "", err
	}
	if protocol == "grpc" {
		return p, grpc, "", nil
	}
	return p, "http://" + http, "", nil
}
