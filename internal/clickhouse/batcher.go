package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Columns is a block of rows of one table that a Batcher fills, stores and
// fills again. It need not be safe for concurrent use.
type Columns interface {
	// Rows is the number of complete rows.
	Rows() int
	// Bytes is about what the rows hold, in bytes. It is asked once per Append.
	Bytes() int
	// Reset empties the block and keeps its memory.
	Reset()
	// Table is the table's name, always the same.
	Table() string
	// Input are the columns to insert; all hold Rows rows.
	Input() proto.Input
}

// BatchOptions bound a Batcher. Zero values take the defaults.
type BatchOptions struct {
	MaxRows  int           // rows at which a block is stored without waiting longer; 50,000
	MaxDelay time.Duration // how long the first row of a block waits for others; 200 ms
	// MaxPending is the number of rows not yet stored, open or under way, from
	// which on Append is refused; 4 × MaxRows. The request that crosses it is
	// still taken, so it may be exceeded by one request per writer.
	MaxPending int
	// MaxBytes and MaxPendingBytes are the same for what the rows hold, so that
	// large rows do not take more memory than many; 64 MiB and 4 × MaxBytes.
	MaxBytes        int
	MaxPendingBytes int
	Writers         int // blocks stored at the same time; 2
}

// Batcher is group commit: it joins what many callers append to one open block,
// stores the block as one insert, and then answers each of the callers. So an
// answered row is a stored row, and an insert per request is not needed.
//
// Each writer has a lane: an open block that callers append to while the
// writer stores the one before. Quiet times use the first lane only, which
// keeps blocks large; callers that would have to wait for each other spill over.
type Batcher[C Columns] struct {
	insert  func(ctx context.Context, table string, in proto.Input) error
	fresh   func() C
	opts    BatchOptions
	lanes   []*lane[C]
	pending atomic.Int64 // rows
	bytes   atomic.Int64 // of the pending rows

	closing   chan struct{}
	closeOnce sync.Once
	writers   sync.WaitGroup
	ctx       context.Context // of the inserts; ends when Close's patience does
	cancel    context.CancelFunc
}

// lane is an open block and the signals to its writer.
type lane[C Columns] struct {
	lock   chan struct{} // a mutex that can be waited for with a context; guards open
	open   block[C]
	spare  C             // empty; becomes the next open block. The writer's own.
	filled chan struct{} // holds a token once open has its first rows
	full   chan struct{} // holds a token once open has MaxRows or MaxBytes
}

// block is rows and what their callers wait for.
type block[C Columns] struct {
	columns C
	rows    int // columns.Rows() after the last good append
	bytes   int // columns.Bytes() at the same time
	since   time.Time
	answer  *answer
}

// answer is shared by the callers of one block. err is set before done is closed.
type answer struct {
	done chan struct{}
	err  error
}

func (a *answer) give(err error) {
	a.err = err
	close(a.done)
}

// NewBatcher returns a Batcher that stores into db. fresh makes an empty block;
// it is called twice per writer, and again after a panic in an append. Close ends it.
func NewBatcher[C Columns](db *DB, fresh func() C, opts BatchOptions) *Batcher[C] {
	return newBatcher(db.Insert, fresh, opts)
}

func newBatcher[C Columns](insert func(context.Context, string, proto.Input) error, fresh func() C, opts BatchOptions) *Batcher[C] {
	opts.MaxRows = cmp.Or(opts.MaxRows, 50_000)
	opts.MaxDelay = cmp.Or(opts.MaxDelay, 200*time.Millisecond)
	opts.MaxPending = cmp.Or(opts.MaxPending, 4*opts.MaxRows)
	opts.MaxBytes = cmp.Or(opts.MaxBytes, 64<<20)
	opts.MaxPendingBytes = cmp.Or(opts.MaxPendingBytes, 4*opts.MaxBytes)
	opts.Writers = cmp.Or(opts.Writers, 2)
	b := &Batcher[C]{insert: insert, fresh: fresh, opts: opts, closing: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	for range opts.Writers {
		l := &lane[C]{
			lock: make(chan struct{}, 1), filled: make(chan struct{}, 1), full: make(chan struct{}, 1),
			spare: fresh(),
		}
		l.open = newBlock(fresh())
		b.lanes = append(b.lanes, l)
		b.writers.Go(func() { b.write(l) })
	}
	return b
}

func newBlock[C Columns](columns C) block[C] {
	return block[C]{columns: columns, answer: &answer{done: make(chan struct{})}}
}

// Append lets fn append to an open block, alone, and returns once the block is
// stored, or with the error of its insert. Rows are stored together with those
// of other callers, in no particular order between callers.
//
// When fn returns an error, it must have left the block as it found it; the
// error goes to this caller only. When it did not, or panicked, the block is
// thrown away and its callers are told to repeat (fault.Unavailable).
//
// When too much is pending, or the Batcher is closed, fn is not called and the
// error is fault.Unavailable with RetryAfter. When ctx ends first, Append
// returns ctx's error at once; the rows may be stored nevertheless.
func (b *Batcher[C]) Append(ctx context.Context, fn func(C) error) error {
	if b.pending.Load() >= int64(b.opts.MaxPending) || b.bytes.Load() >= int64(b.opts.MaxPendingBytes) {
		return fault.New(fault.Unavailable, "the telemetry engine is behind").WithRetryAfter(time.Second)
	}
	l, err := b.acquire(ctx)
	if err != nil {
		return err
	}
	answer, err := b.appendTo(l, fn)
	if err != nil || answer == nil {
		return err
	}
	select {
	case <-answer.done:
		return answer.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Pending returns the number of rows not yet stored.
func (b *Batcher[C]) Pending() int { return int(b.pending.Load()) }

// acquire locks a lane: the first that is free and not full, otherwise the
// first that becomes free.
func (b *Batcher[C]) acquire(ctx context.Context) (*lane[C], error) {
	for _, l := range b.lanes {
		select {
		case l.lock <- struct{}{}:
			if !b.isFull(&l.open) {
				return l, nil
			}
			<-l.lock
		default:
		}
	}
	l := b.lanes[int(b.pending.Load())%len(b.lanes)] // any of them, but not all the same
	select {
	case l.lock <- struct{}{}:
		return l, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// appendTo runs fn on the lane's open block and unlocks the lane. It returns no
// answer when there is nothing to wait for.
func (b *Batcher[C]) appendTo(l *lane[C], fn func(C) error) (*answer, error) {
	defer func() { <-l.lock }()
	select {
	case <-b.closing:
		return nil, fault.New(fault.Unavailable, "the server is stopping").WithRetryAfter(time.Second)
	default:
	}
	open := &l.open
	clean := false
	defer func() { // also when fn panics
		if !clean {
			b.spoil(l)
		}
	}()
	if err := fn(open.columns); err != nil {
		clean = open.columns.Rows() == open.rows
		return nil, err
	}
	clean = true
	added := open.columns.Rows() - open.rows
	if added == 0 {
		return nil, nil
	}
	if open.rows == 0 {
		open.since = time.Now()
		notify(l.filled)
	}
	b.pending.Add(int64(added))
	holds := open.columns.Bytes()
	b.bytes.Add(int64(holds - open.bytes))
	open.rows, open.bytes = open.rows+added, holds
	if b.isFull(open) {
		notify(l.full)
	}
	return open.answer, nil
}

func (b *Batcher[C]) isFull(open *block[C]) bool {
	return open.rows >= b.opts.MaxRows || open.bytes >= b.opts.MaxBytes
}

// settle takes a block out of what is pending.
func (b *Batcher[C]) settle(done *block[C]) {
	b.pending.Add(-int64(done.rows))
	b.bytes.Add(-int64(done.bytes))
}

// spoil throws the open block away: nobody knows what is in it. The lane is locked.
func (b *Batcher[C]) spoil(l *lane[C]) {
	b.settle(&l.open)
	l.open.answer.give(fault.New(fault.Unavailable, "the block was given up because of another request").WithRetryAfter(100 * time.Millisecond))
	l.open = newBlock(b.fresh())
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write is a lane's writer: it waits until the open block is due, takes it,
// stores it, answers. It ends once the Batcher closes and nothing is left.
func (b *Batcher[C]) write(l *lane[C]) {
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-l.filled:
			b.await(l, due)
		case <-b.closing:
		}
		if !b.store(l) {
			select {
			case <-b.closing:
				return
			default:
			}
		}
	}
}

// store takes the open block, inserts it and answers its callers. It returns
// false when there was nothing to store.
func (b *Batcher[C]) store(l *lane[C]) bool {
	full, ok := b.take(l)
	if !ok {
		return false
	}
	err := b.insert(b.ctx, full.columns.Table(), full.columns.Input())
	b.settle(&full)
	full.answer.give(err)
	full.columns.Reset()
	l.spare = full.columns
	return true
}

// await returns when the open block is full, old enough, or the last one.
func (b *Batcher[C]) await(l *lane[C], due *time.Timer) {
	l.lock <- struct{}{}
	due.Reset(b.opts.MaxDelay - time.Since(l.open.since))
	<-l.lock
	select {
	case <-due.C:
	case <-l.full:
	case <-b.closing:
	}
}

// take puts the spare block in the place of the open one and returns that,
// unless it is empty.
func (b *Batcher[C]) take(l *lane[C]) (block[C], bool) {
	l.lock <- struct{}{}
	defer func() { <-l.lock }()
	taken := l.open
	if taken.rows == 0 {
		return taken, false
	}
	l.open = newBlock(l.spare)
	for _, token := range []chan struct{}{l.filled, l.full} { // they spoke of the block taken
		select {
		case <-token:
		default:
		}
	}
	return taken, true
}

// Close stores what is open, answers its callers and returns. Appends that come
// after are refused. When ctx ends first, inserts under way are broken off and
// their callers get the error.
func (b *Batcher[C]) Close(ctx context.Context) error {
	b.closeOnce.Do(func() { close(b.closing) })
	stored := make(chan struct{})
	go func() {
		b.writers.Wait()
		close(stored)
	}()
	defer b.cancel()
	select {
	case <-stored:
		return nil
	case <-ctx.Done():
		b.cancel()
		<-stored
		return fmt.Errorf("close batcher: inserts broken off: %w", ctx.Err())
	}
}
