package ai

import (
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
)

func TestAnHourOfCallsIsReadWithoutTheRestOfTheProject(t *testing.T) {
	db := clickhousetest.New(t)
	if err := db.Migrate(t.Context(), "ai", Migrations()); err != nil {
		t.Fatal(err)
	}
	// 300,000 calls over three days, the last of them within the table's time to live.
	begin := time.Now().UTC().Truncate(24 * time.Hour).Add(-72 * time.Hour)
	if err := db.Exec(t.Context(), `INSERT INTO ai_calls (project_id, at, call_id, person)
		SELECT 7, toDateTime64('`+begin.Format(time.DateTime)+`', 3, 'UTC') + toIntervalMillisecond(number * 864), lower(hex(MD5(toString(number)))), number % 5 FROM numbers(300000)`); err != nil {
		t.Fatal(err)
	}
	for _, filter := range []CallFilter{{From: begin.Add(30 * time.Hour), To: begin.Add(31 * time.Hour), Person: "3"}, {From: begin.Add(71 * time.Hour)}} {
		where, params, err := filter.where()
		if err != nil {
			t.Fatal(err)
		}
		var read []struct {
			Rows uint64 `ch:"rows"`
		}
		err = db.Select(t.Context(), 7, &read, `SELECT sum(rows) AS rows FROM (EXPLAIN ESTIMATE SELECT `+callFacts+` FROM ai_calls WHERE project_id = 7`+where+`) WHERE table = 'ai_calls' AND {project:UInt32} > 0`, params...)
		if err != nil {
			t.Fatal(err)
		}
		if len(read) != 1 || read[0].Rows == 0 || read[0].Rows > 3*8192 { // an hour has 4,167
			t.Errorf("%+v reads %+v of 300,000 rows", filter, read)
		}
	}
}
