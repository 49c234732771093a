package ship

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// mark is a place in the order of arrival.
type mark struct {
	arrived int64 // unix µs, by the telemetry engine's clock
	callID  string
}

// position is how far a cluster has got.
type position struct {
	cluster string
	mark
}

// hold makes this process the one that ships to the cluster, and returns its
// position: nil while another ships, or while a pause lasts.
func (s *Shipper) hold(ctx context.Context, cluster string) (*position, error) {
	now := s.opts.Now()
	if err := s.row(ctx, cluster); err != nil {
		return nil, err
	}
	var holder string
	if err := s.opts.DB.QueryRow(ctx, `SELECT holder FROM ai_ship WHERE destination = $1 AND cluster = $2`, s.opts.Index, cluster).Scan(&holder); err != nil {
		return nil, fmt.Errorf("read position of shipping: %w", err)
	}
	if holder != s.holder { // it may have sent what it did not note
		s.sure = false
	}
	n, err := s.opts.DB.Exec(ctx, `UPDATE ai_ship SET holder = $1, held_until = $2
		WHERE destination = $3 AND cluster = $4 AND retry_at <= $5 AND (held_until < $5 OR holder = $1)`,
		s.holder, metadb.Micros(now.Add(holdFor)), s.opts.Index, cluster, metadb.Micros(now))
	if err != nil {
		return nil, fmt.Errorf("hold shipping: %w", err)
	}
	if n == 0 {
		return nil, nil
	}
	at := &position{cluster: cluster}
	err = s.opts.DB.QueryRow(ctx, `SELECT arrived, call_id FROM ai_ship WHERE destination = $1 AND cluster = $2`, s.opts.Index, cluster).Scan(&at.arrived, &at.callID)
	if err != nil {
		return nil, fmt.Errorf("read position of shipping: %w", err)
	}
	_, err = s.opts.DB.Exec(ctx, `UPDATE ai_ship SET error = '', failures = 0 WHERE destination = $1 AND cluster = '' AND error != ''`, s.opts.Index)
	if err != nil {
		return nil, fmt.Errorf("note that the destination answers: %w", err)
	}
	return at, nil
}

// row makes the row of a cluster.
func (s *Shipper) row(ctx context.Context, cluster string) error {
	_, err := s.opts.DB.Exec(ctx, `INSERT INTO ai_ship (destination, cluster, arrived, call_id, holder, held_until, shipped, refused, failures, retry_at, error, updated_at)
		VALUES ($1, $2, 0, '', '', 0, 0, 0, 0, 0, '', $3) ON CONFLICT (destination, cluster) DO NOTHING`, s.opts.Index, cluster, metadb.Micros(s.opts.Now()))
	if err != nil {
		return fmt.Errorf("keep position of shipping: %w", err)
	}
	return nil
}

// advance notes that everything up to last is settled; false when another
// process ships meanwhile.
func (s *Shipper) advance(ctx context.Context, at *position, last mark, shipped, refused int) (held bool, err error) {
	now := s.opts.Now()
	n, err := s.opts.DB.Exec(ctx, `UPDATE ai_ship SET arrived = $1, call_id = $2, shipped = shipped + $3, refused = refused + $4, failures = 0, retry_at = 0, error = '',
			held_until = $5, updated_at = $6
		WHERE destination = $7 AND cluster = $8 AND holder = $9`,
		last.arrived, last.callID, int64(shipped), int64(refused), metadb.Micros(now.Add(holdFor)), metadb.Micros(now), s.opts.Index, at.cluster, s.holder)
	if err != nil {
		return false, fmt.Errorf("note position of shipping: %w", err)
	}
	at.mark = last
	return n > 0, nil
}

// letGo lets other processes ship.
func (s *Shipper) letGo(ctx context.Context, at *position) error {
	_, err := s.opts.DB.Exec(ctx, `UPDATE ai_ship SET held_until = 0, failures = 0, retry_at = 0, error = '', updated_at = $1 WHERE destination = $2 AND cluster = $3 AND holder = $4`,
		metadb.Micros(s.opts.Now()), s.opts.Index, at.cluster, s.holder)
	if err != nil {
		return fmt.Errorf("end shipping: %w", err)
	}
	return nil
}

// noteFailure lets others try, after a pause that grows with the failures in a row.
func (s *Shipper) noteFailure(ctx context.Context, cluster, why string) error {
	if err := s.row(ctx, cluster); err != nil {
		return err
	}
	var failures int64
	err := s.opts.DB.QueryRow(ctx, `UPDATE ai_ship SET failures = failures + 1, error = $1, held_until = 0, updated_at = $2 WHERE destination = $3 AND cluster = $4 RETURNING failures`,
		why, metadb.Micros(s.opts.Now()), s.opts.Index, cluster).Scan(&failures)
	if err != nil {
		return fmt.Errorf("note a failure of shipping: %w", err)
	}
	pause := min(time.Second<<min(failures-1, 10), longest)
	_, err = s.opts.DB.Exec(ctx, `UPDATE ai_ship SET retry_at = $1 WHERE destination = $2 AND cluster = $3`, metadb.Micros(s.opts.Now().Add(pause)), s.opts.Index, cluster)
	if err != nil {
		return fmt.Errorf("note a failure of shipping: %w", err)
	}
	return nil
}

// Progress is how shipping goes.
type Progress struct {
	Index    string     `json:"index"`
	URLs     []string   `json:"urls" doc:"without credentials"`
	Shipped  int64      `json:"shipped" doc:"documents acknowledged since the destination is known: calls and attempts"`
	Refused  int64      `json:"refused" doc:"documents that the destination will never take; the log names them"`
	Waiting  uint64     `json:"waiting" doc:"calls that are not shipped yet"`
	Oldest   *time.Time `json:"oldest" doc:"when the first of them arrived"`
	Failures int64      `json:"failures" doc:"in a row"`
	Error    string     `json:"error" doc:"why the last try failed, empty after a success"`
	At       *time.Time `json:"at" doc:"of the last try; null before the first"`
}

// Status tells how shipping goes, on whatever node it is done.
func (s *Shipper) Status(ctx context.Context) (*Progress, error) {
	st := &Progress{Index: s.opts.Index, URLs: bare(s.opts.URLs)}
	var at mark
	var updated int64
	err := s.opts.DB.QueryRow(ctx, `SELECT arrived, call_id, shipped, refused, failures, error, updated_at FROM ai_ship
		WHERE destination = $1 AND cluster != '' ORDER BY updated_at DESC LIMIT 1`, s.opts.Index).
		Scan(&at.arrived, &at.callID, &st.Shipped, &st.Refused, &st.Failures, &st.Error, &updated)
	if err != nil && !errors.Is(err, metadb.ErrNoRows) {
		return nil, fmt.Errorf("read state of shipping: %w", err)
	}
	var failures, failedAt int64
	var failure string
	err = s.opts.DB.QueryRow(ctx, `SELECT failures, error, updated_at FROM ai_ship WHERE destination = $1 AND cluster = '' AND error != ''`, s.opts.Index).
		Scan(&failures, &failure, &failedAt)
	switch {
	case err == nil && failedAt >= updated:
		st.Failures, st.Error, updated = failures, failure, failedAt
	case err != nil && !errors.Is(err, metadb.ErrNoRows):
		return nil, fmt.Errorf("read state of shipping: %w", err)
	}
	if updated > 0 {
		when := metadb.FromMicros(updated)
		st.At = &when
	}
	var rows []struct {
		N      uint64    `ch:"n"`
		Oldest time.Time `ch:"oldest"`
	}
	err = s.opts.Telemetry.SystemSelect(ctx, &rows, `SELECT count() AS n, min(arrived) AS oldest FROM ai_arrivals
		WHERE arrived >= fromUnixTimestamp64Micro({stamp:Int64}) AND (arrived, call_id) > (fromUnixTimestamp64Micro({stamp:Int64}), {id:String})`,
		clickhouse.P("stamp", at.arrived), clickhouse.P("id", at.callID))
	if err != nil {
		return nil, fmt.Errorf("count what is not shipped: %w", err)
	}
	if len(rows) > 0 && rows[0].N > 0 {
		oldest := rows[0].Oldest.UTC()
		st.Waiting, st.Oldest = rows[0].N, &oldest
	}
	return st, nil
}
