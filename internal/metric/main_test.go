package metric

import (
	"testing"

	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestMain(m *testing.M) { clickhousetest.Main(m) }
