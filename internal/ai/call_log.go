package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/tidwall/wal"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
)

// callLog brings the records of calls to the telemetry engine. A record is first
// written to a file, which the process may be killed behind, and goes from there
// in batches: an answer does not wait for the engine, and while the engine is
// away records wait in the file, up to a bound.
//
// A record may be stored twice, when the process ends between storing it and
// cutting it off the file; reads count it once.
type callLog struct {
	telemetry *clickhouse.DB
	log       *slog.Logger
	limit     int64 // bytes that may wait
	noted     func(context.Context, *Call)

	mu      sync.Mutex
	file    *wal.Log
	last    uint64 // index in the file of the newest record
	stored  uint64 // of the newest that the engine has
	waiting int64  // bytes in the file behind stored
	sizes   []int64
	recent  []*Call       // as sizes: what need not be read from the file again, nil for the others
	held    int64         // bytes that recent stands for
	moved   chan struct{} // closed, and made anew, when stored moves

	wake   chan struct{}
	hurry  chan struct{} // somebody waits in flush, or many records do
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	defaultLogLimit = 1 << 30
	logBatch        = 4000
	logBatchBytes   = 16 << 20
	logHeld         = 8 << 20     // bytes of records that are also held in memory
	logGather       = time.Second // that a record waits for others, unless they are many
	logBackoff      = 10 * time.Second
)

// StoreWithin is how long storing records in the engine may take. What takes
// longer is stored again, and so arrives again: who reads records in the order of
// their arrival and keeps further than this behind it misses none.
const StoreWithin = 30 * time.Second

// errLogFull refuses calls whose record could not be kept.
var errLogFull = fault.New(fault.Unavailable, "the log of AI calls is full: the telemetry store has been away too long. Calls go on when it is back").WithRetryAfter(30 * time.Second)

func newCallLog(dir string, limit int64, telemetry *clickhouse.DB, log *slog.Logger) (*callLog, error) {
	file, err := wal.Open(dir, &wal.Options{NoSync: true, AllowEmpty: true, DirPerms: 0o700, FilePerms: 0o600})
	if err != nil {
		return nil, fmt.Errorf("open the log of ai calls: %w", err)
	}
	first, err := file.FirstIndex()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l := &callLog{telemetry: telemetry, log: log, limit: limit, file: file, stored: first - 1, moved: make(chan struct{}), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), done: make(chan struct{})}
	if l.last, err = file.LastIndex(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	for index := first; index <= l.last; index++ { // what the last process did not bring to the engine
		data, err := file.Read(index)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read the log of ai calls: %w", err), file.Close())
		}
		l.sizes, l.recent = append(l.sizes, int64(len(data))), append(l.recent, nil)
		l.waiting += int64(len(data))
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx)
	l.nudge()
	return l, nil
}

// nudge says that there is a record to store.
func (l *callLog) nudge() { signal(l.wake) }

// urge says that it should not wait for others.
func (l *callLog) urge() { signal(l.hurry) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// full reports whether no more records can be kept.
func (l *callLog) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting >= l.limit
}

// callRecord is a call as it stands in the file.
type callRecord struct {
	*Call
	Originals []mask.Token `json:"originals,omitempty"`
}

// write keeps a record, which is not changed from then on.
func (l *callLog) write(ctx context.Context, c *Call) {
	if l.noted != nil {
		l.noted(ctx, c)
	}
	data, err := json.Marshal(callRecord{c, c.Originals})
	if err == nil {
		err = l.append(data, c)
	}
	if err != nil {
		l.log.ErrorContext(ctx, "the record of an ai call is lost", "call_id", c.CallID, "error", err)
	}
}

func (l *callLog) append(data []byte, c *Call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= l.limit {
		return errLogFull
	}
	if err := l.file.Write(l.last+1, data); err != nil {
		return err
	}
	size := int64(len(data))
	if l.held+size > logHeld {
		c = nil
	} else {
		l.held += size
	}
	l.last++
	l.sizes, l.recent = append(l.sizes, size), append(l.recent, c)
	l.waiting += size
	l.nudge()
	if len(l.recent) >= logBatch || l.held >= logHeld/2 {
		l.urge()
	}
	return nil
}

// run brings records to the engine until ctx ends.
func (l *callLog) run(ctx context.Context) {
	defer close(l.done)
	pause, failing := time.Duration(0), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		for {
			more, err := l.move(ctx)
			if err != nil {
				if ctx.Err() != nil {
					return
				}
				if !failing {
					l.log.WarnContext(ctx, "records of ai calls wait for the engine", "error", err)
				}
				failing, pause = true, min(max(2*pause, time.Second), logBackoff)
			} else if failing {
				failing, pause = false, 0
				l.log.InfoContext(ctx, "records of ai calls go to the engine again")
			}
			if !more && err == nil {
				break
			}
			if wait(ctx, pause) != nil {
				return
			}
		}
		// Few large inserts cost the engine less than many small ones.
		gather := time.NewTimer(logGather)
		select {
		case <-gather.C:
		case <-l.hurry:
			gather.Stop()
		case <-ctx.Done():
			gather.Stop()
			return
		}
	}
}

// move stores the oldest records, up to a batch, and reports whether there are more.
func (l *callLog) move(ctx context.Context) (more bool, err error) {
	calls, attempts := newCallColumns(), newAttemptColumns()
	l.mu.Lock()
	from, last := l.stored+1, l.last
	n := min(len(l.recent), logBatch)
	recent, sizes := slices.Clone(l.recent[:n]), slices.Clone(l.sizes[:n])
	l.mu.Unlock()
	index, bytes := from, int64(0)
	for i := range recent {
		if bytes >= logBatchBytes {
			break
		}
		c := recent[i]
		if c == nil {
			if c, err = l.read(index); err != nil {
				return false, err
			}
		}
		bytes += sizes[i]
		index++
		if c == nil {
			l.log.ErrorContext(ctx, "the record of an ai call cannot be read and is lost")
			continue
		}
		if err := calls.append(c); err != nil {
			return false, err
		}
		attempts.append(c)
	}
	if index == from {
		return false, nil
	}
	// A call that is there has its attempts.
	if len(attempts.project) > 0 {
		if err := l.store(ctx, "ai_attempts", attempts.block()); err != nil {
			return true, fmt.Errorf("store attempts of ai calls: %w", err)
		}
	}
	if len(calls.project) > 0 {
		if err := l.store(ctx, "ai_calls", calls.block()); err != nil {
			return true, fmt.Errorf("store ai calls: %w", err)
		}
	}
	return index <= last, l.advance(index - 1)
}

// store inserts a block, within StoreWithin.
func (l *callLog) store(ctx context.Context, table string, block proto.Input) error {
	ctx, cancel := context.WithTimeout(ctx, StoreWithin)
	defer cancel()
	return l.telemetry.Insert(ctx, table, block)
}

// read returns a record of the file, nil for one that is none.
func (l *callLog) read(index uint64) (*Call, error) {
	data, err := l.file.Read(index)
	if err != nil {
		return nil, err
	}
	r := callRecord{Call: &Call{}}
	if unreadable := json.Unmarshal(data, &r) != nil; unreadable {
		r.Call = nil
	} else {
		r.Call.Originals = r.Originals
	}
	return r.Call, nil
}

// advance notes that records up to index are stored, and cuts them off the file.
func (l *callLog) advance(index uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ; l.stored < index; l.stored++ {
		l.waiting -= l.sizes[0]
		if l.recent[0] != nil {
			l.held -= l.sizes[0]
			l.recent[0] = nil // the array outlives the slice
		}
		l.sizes, l.recent = l.sizes[1:], l.recent[1:]
	}
	close(l.moved)
	l.moved = make(chan struct{})
	return l.file.TruncateFront(index + 1)
}

// flush waits until what was written so far is stored.
func (l *callLog) flush(ctx context.Context) error {
	l.nudge()
	l.urge()
	l.mu.Lock()
	until := l.last
	for l.stored < until {
		moved := l.moved
		l.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("store ai calls: %w", ctx.Err())
		}
		l.mu.Lock()
	}
	l.mu.Unlock()
	return nil
}

// close ends the log; what the engine does not have stays in the file.
func (l *callLog) close() error {
	l.cancel()
	<-l.done
	return l.file.Close()
}

// Flush waits until the records of all calls so far are stored.
func (g *Gateway) Flush(ctx context.Context) error { return g.calls.flush(ctx) }

// Close ends the gateway: it stores the records of its calls while ctx lasts;
// the others wait in Options.Dir for the next gateway on it.
func (g *Gateway) Close(ctx context.Context) error {
	err := g.calls.flush(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = nil // they are safe in the file
	}
	return errors.Join(err, g.calls.close())
}
