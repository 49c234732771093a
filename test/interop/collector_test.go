//go:build interop

package interop

import (
	"context"
	_ "embed"
	"path/filepath"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
)

// collectorVersion is the version of the builder and of all parts in builder.yaml.
const collectorVersion = "v0.160.0"

//go:embed builder.yaml
var collectorManifest []byte

// collector starts an OpenTelemetry Collector with a configuration of deploy/otel-collector as it stands in the
// repository, which sends to the project. env is what the configuration asks for besides.
func (m *matrix) collector(config string, env ...string) *program {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 15*time.Minute) // the first time, it is built
	defer cancel()
	collector, err := rig.BuildCollector(ctx, collectorVersion, collectorManifest)
	if err != nil {
		m.t.Fatal(err)
	}
	config, err = filepath.Abs(filepath.Join("../../deploy/otel-collector", config))
	if err != nil {
		m.t.Fatal(err)
	}
	env = append(env, "MATRIX_ENDPOINT="+m.endpoint(), "MATRIX_KEY="+m.app.FirstStart().Key)
	p := start(m.t, m.t.TempDir(), env, collector, "--config", config)
	p.printed("Everything is ready")
	return p
}
