package audit

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// storeEvery is how long a read waits for others to be stored with it.
	storeEvery = time.Second
	// togetherFor is how long reads of the same by the same are one entry.
	togetherFor = time.Minute
	// maxReads and maxWait bound what may wait: beyond them nobody is shown what
	// could not be noted.
	maxReads = 10_000
	maxWait  = 30 * time.Second
)

// readKey is what makes two reads one entry.
type readKey struct {
	user, token int64
	address     string
	operation   string
	org         int64
	project     project.ID
	object      string
	data        string
}

// Read notes that data was shown which others see masked: data names the kinds.
// It costs no query: within a second it is stored with others, and what the same
// caller reads of the same again within a minute is counted into one entry. When
// that has not been possible for a while it is fault.Unavailable, and nothing may
// be shown.
func (l *Log) Read(e Entry, data string) error {
	now := l.now().UTC()
	key := readKey{e.Actor.UserID, e.Actor.TokenID, e.Actor.Address, e.Operation, e.OrgID, e.ProjectID, e.Object, data}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.reads[key]; known != nil && now.Sub(known.At) < togetherFor {
		known.Times++
		known.LastAt = now
		return l.full(now)
	}
	if err := l.full(now); err != nil {
		return err
	}
	e.Kind, e.Outcome, e.Summary = KindRead, Done, map[string]string{"shown": data}
	e.At, e.LastAt, e.Times = now, now, 1
	if len(l.reads) == 0 {
		l.since = now
	}
	l.reads[key] = &e
	return nil
}

// full refuses reads that could not be noted. It is called with l.mu held.
func (l *Log) full(now time.Time) error {
	if len(l.reads) >= maxReads || len(l.reads) > 0 && now.Sub(l.since) > maxWait {
		return fault.New(fault.Unavailable, "the audit log cannot be written, so unmasked data is not shown: ask again")
	}
	return nil
}

// storeReads stores what waits until the log is closed.
func (l *Log) storeReads() {
	tick := time.NewTicker(storeEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(context.Background(), endWithin)
			if err := l.Flush(ctx); err != nil {
				l.log.WarnContext(ctx, "reads of unmasked data wait to be noted", "error", err.Error())
			}
			cancel()
		}
	}
}

// Flush stores the reads that wait. What cannot be stored goes on waiting.
func (l *Log) Flush(ctx context.Context) error {
	l.mu.Lock()
	waiting := l.reads
	since := l.since
	l.reads = map[readKey]*Entry{}
	l.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	err := l.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		for key, e := range waiting {
			// An entry of the last minute counts on; that only makes it later and more.
			n, err := tx.Exec(ctx, `UPDATE audit_entry SET times = times + $9, last_at = $10
				WHERE id = (SELECT max(id) FROM audit_entry WHERE org_id = $1 AND id >= $11 AND kind = 'read' AND user_id = $2 AND token_id = $3 AND address = $4
					AND operation = $5 AND project_id = $6 AND object = $7 AND summary = $8)`,
				key.org, key.user, key.token, key.address, key.operation, int64(key.project), key.object, shown(key.data),
				e.Times, metadb.Micros(e.LastAt), newID(e.At.Add(-togetherFor))[:14])
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
			e.ID = newID(e.At)
			if err := insert(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, e := range waiting {
		if again := l.reads[key]; again != nil {
			e.Times += again.Times
			e.LastAt = again.LastAt
		}
		l.reads[key] = e
	}
	l.since = since
	return err
}

// shown is the stored summary of a read.
func shown(data string) string { return `{"shown":"` + data + `"}` }

// Close stores what waits, and ends.
func (l *Log) Close(ctx context.Context) error {
	close(l.stop)
	l.idle.Wait()
	return l.Flush(ctx)
}
