package trace

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/otel"
)

func TestTheCatalogForgetsRawStatementsBeforeTheyGrowTooLarge(t *testing.T) {
	c := NewCatalog(otel.NewCatalog())
	long := strings.Repeat("x", maxRawCached-100)
	for i := range 8000 {
		c.statement(1, []byte("mysql"), fmt.Appendf(nil, "SELECT * FROM t%d -- %s", i, long))
	}
	var raw int64
	for i := range c.raw {
		raw += c.raw[i].Load().bytes()
	}
	if raw > maxRawBytes || raw != c.rawBytes.Load() || raw == 0 {
		t.Errorf("raw statements hold %d bytes, counted %d, limit %d", raw, c.rawBytes.Load(), maxRawBytes)
	}
}

// A block is closed by its bytes, so they must not be far from what is sent.
func TestABlockKnowsTheBytesOfItsInput(t *testing.T) {
	c := NewColumns(NewCatalog(otel.NewCatalog()))
	empty := c.Bytes()
	c.Begin(1, 14, time.Now())
	var b otel.ResourceBuilder
	b.Attribute([]byte("service.name"), []byte("api"))
	c.SetResource(&b, 1)
	row := NewRow()
	for range 1000 {
		row.Reset()
		row.Name = []byte("work")
		row.Attribute([]byte("k"), bytes.Repeat([]byte("v"), 1000))
		c.Append(row)
	}
	// A value and its length, 6 empty texts, the indexes of 17 names, 85 bytes of numbers, two ends.
	if got := c.Bytes() - empty; got < 1_177_000 || got > 1_177_100 {
		t.Errorf("1,000 spans with 1,000 bytes each are %d bytes", got)
	}
	c.Rollback()
	if got := c.Bytes(); got > empty+100 {
		t.Errorf("%d bytes are left after a rollback, %d before", got, empty)
	}
	c.Reset()
	if got := c.Bytes(); got != empty {
		t.Errorf("%d bytes after a reset, %d at first", got, empty)
	}
}
