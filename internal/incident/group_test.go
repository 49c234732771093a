package incident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestWhatARuleFiresForManyServicesIsDecidedTogether(t *testing.T) {
	metadbtest.Each(t, func(t *testing.T, db *metadb.DB) {
		h := newHouse(t, db)
		err := db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			for i := range 12 {
				if err := h.service.Open(ctx, tx, of(1, fmt.Sprintf("service-%02d", i))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		h.Advance(time.Second)
		if h.sent(1, "incident.alarm") != 0 {
			t.Error("the first is told of before it is known that there are more")
		}
		h.must(h.service.RunRelate(t.Context(), 5)) // whichever job comes first
		groups := map[string]int{}
		rows, err := db.Query(t.Context(), `SELECT body FROM notify_message`)
		bodies, err := metadb.Collect(rows, err, func(r *metadb.Rows) (b []byte, err error) { return b, r.Scan(&b) })
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range bodies {
			var m notify.Message
			if err := json.Unmarshal(body, &m); err != nil {
				t.Fatal(err)
			}
			groups[m.Group.Key]++
		}
		if groups["rule/1/alarm"] != 12 || h.list(incident.Query{}).Total != 12 {
			t.Errorf("%d incidents, groups %v", h.list(incident.Query{}).Total, groups)
		}
	})
}
