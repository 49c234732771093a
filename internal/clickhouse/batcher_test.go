package clickhouse

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// numbers is the smallest Columns: one column of integers.
type numbers struct {
	n proto.ColInt64
}

func newNumbers() *numbers              { return &numbers{} }
func (c *numbers) Rows() int            { return len(c.n) }
func (c *numbers) Bytes() int           { return 8 * len(c.n) }
func (c *numbers) Reset()               { c.n = c.n[:0] }
func (c *numbers) Table() string        { return "numbers" }
func (c *numbers) Input() proto.Input   { return proto.Input{{Name: "n", Data: &c.n}} }
func (c *numbers) add(n ...int64) error { c.n = append(c.n, n...); return nil }

// store is what stands behind a batcher under test: it keeps the rows of each insert.
type store struct {
	mu      sync.Mutex
	inserts [][]int64
	during  func(ctx context.Context, rows []int64) error // called without the lock; may be nil
}

func (s *store) insert(ctx context.Context, _ string, in proto.Input) error {
	rows := slices.Clone(*in[0].Data.(*proto.ColInt64))
	if s.during != nil {
		if err := s.during(ctx, rows); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inserts = append(s.inserts, rows)
	return nil
}

func (s *store) rows() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.inserts...)
}

func TestRequestsOfOneMomentAreStoredByOneInsertAndAnsweredAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		b := newBatcher(s.insert, newNumbers, BatchOptions{})
		began := time.Now()
		var callers sync.WaitGroup
		for n := range int64(100) {
			callers.Go(func() {
				if err := b.Append(t.Context(), func(c *numbers) error { return c.add(n) }); err != nil {
					t.Error(err)
				}
				if !slices.Contains(s.rows(), n) {
					t.Errorf("row %d was answered before it was stored", n)
				}
			})
		}
		callers.Wait()
		if waited := time.Since(began); waited != 200*time.Millisecond {
			t.Errorf("answered after %s, want MaxDelay", waited)
		}
		if len(s.inserts) > 2 { // one per writer
			t.Errorf("%d inserts, want the requests joined", len(s.inserts))
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAFullBlockDoesNotWaitForTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		b := newBatcher(s.insert, newNumbers, BatchOptions{MaxRows: 3, MaxDelay: time.Hour})
		began := time.Now()
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(1, 2, 3) }); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s", waited)
		}
		_ = b.Close(t.Context())
	})
}

func TestAFailedInsertAnswersItsCallersOnlyAndTheNextBlockIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fault.New(fault.Unavailable, "down")
		s := store{during: func(_ context.Context, rows []int64) error {
			if slices.Contains(rows, 1) {
				return down
			}
			return nil
		}}
		b := newBatcher(s.insert, newNumbers, BatchOptions{Writers: 1})
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(1) }); !errors.Is(err, down) {
			t.Errorf("error = %v, want the insert's", err)
		}
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(2) }); err != nil {
			t.Error(err)
		}
		if got := s.rows(); !slices.Equal(got, []int64{2}) {
			t.Errorf("stored %v, want 2 alone", got)
		}
		_ = b.Close(t.Context())
	})
}

func TestAnAppendThatFailsLeavesItsNeighboursAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		b := newBatcher(s.insert, newNumbers, BatchOptions{Writers: 1})
		good := make(chan error, 1)
		go func() { good <- b.Append(t.Context(), func(c *numbers) error { return c.add(1) }) }()
		synctest.Wait()
		malformed := errors.New("malformed")
		if err := b.Append(t.Context(), func(*numbers) error { return malformed }); !errors.Is(err, malformed) {
			t.Errorf("error = %v, want its own", err)
		}
		if err := <-good; err != nil {
			t.Errorf("the neighbour got %v", err)
		}
		_ = b.Close(t.Context())
	})
}

func TestAPanicInAnAppendTellsTheNeighboursToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		b := newBatcher(s.insert, newNumbers, BatchOptions{Writers: 1})
		neighbour := make(chan error, 1)
		go func() { neighbour <- b.Append(t.Context(), func(c *numbers) error { return c.add(1) }) }()
		synctest.Wait()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = b.Append(t.Context(), func(c *numbers) error { _ = c.add(2); panic("bug") })
		}()
		if err := <-neighbour; !fault.Is(err, fault.Unavailable) {
			t.Errorf("the neighbour got %v, want to be told to repeat", err)
		}
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(3) }); err != nil {
			t.Error(err)
		}
		if got := s.rows(); !slices.Equal(got, []int64{3}) || b.Pending() != 0 {
			t.Errorf("stored %v with %d pending, want 3 alone and none", got, b.Pending())
		}
		_ = b.Close(t.Context())
	})
}

func TestTooMuchPendingIsRefusedUntilTheEngineCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := store{during: func(context.Context, []int64) error { <-release; return nil }}
		b := newBatcher(s.insert, newNumbers, BatchOptions{MaxRows: 2, MaxPending: 4, Writers: 1})
		var callers sync.WaitGroup
		for range 2 { // one block under way, one open
			callers.Go(func() {
				if err := b.Append(t.Context(), func(c *numbers) error { return c.add(1, 1) }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		err := b.Append(t.Context(), func(*numbers) error { t.Error("fn was called"); return nil })
		if !fault.Is(err, fault.Unavailable) || fault.As(err).RetryAfter <= 0 {
			t.Errorf("error = %v, want unavailable with a time to retry", err)
		}
		close(release)
		callers.Wait()
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(1) }); err != nil {
			t.Errorf("after the engine caught up: %v", err)
		}
		_ = b.Close(t.Context())
	})
}

func TestLargeRowsAreBoundedByTheirBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := store{during: func(context.Context, []int64) error { <-release; return nil }}
		b := newBatcher(s.insert, newNumbers, BatchOptions{MaxBytes: 16, MaxPendingBytes: 32, MaxDelay: time.Hour, Writers: 1})
		var callers sync.WaitGroup
		began := time.Now()
		for range 2 { // one block under way, one open
			callers.Go(func() {
				if err := b.Append(t.Context(), func(c *numbers) error { return c.add(1, 1) }); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		err := b.Append(t.Context(), func(*numbers) error { t.Error("fn was called"); return nil })
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("error = %v, want unavailable", err)
		}
		close(release)
		callers.Wait()
		if waited := time.Since(began); waited != 0 || len(s.inserts) != 2 {
			t.Errorf("%d inserts after %s, want a block closed as soon as it has its bytes", len(s.inserts), waited)
		}
		_ = b.Close(t.Context())
		if n := b.bytes.Load(); n != 0 {
			t.Errorf("%d bytes pending after close", n)
		}
	})
}

func TestACallerWhoseContextEndsReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store{during: func(ctx context.Context, _ []int64) error { <-ctx.Done(); return ctx.Err() }}
		b := newBatcher(s.insert, newNumbers, BatchOptions{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := b.Append(ctx, func(c *numbers) error { return c.add(1) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("returned after %s", waited)
		}
		closing, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := b.Close(closing); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close of a hanging insert = %v, want the deadline", err)
		}
	})
}

func TestCloseStoresTheOpenBlockAnswersItsCallersAndRefusesLaterOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		b := newBatcher(s.insert, newNumbers, BatchOptions{MaxDelay: time.Hour})
		answered := make(chan error, 1)
		go func() { answered <- b.Append(t.Context(), func(c *numbers) error { return c.add(7) }) }()
		synctest.Wait()
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-answered; err != nil || !slices.Equal(s.rows(), []int64{7}) {
			t.Errorf("answer %v, stored %v", err, s.rows())
		}
		if err := b.Append(t.Context(), func(c *numbers) error { return c.add(8) }); !fault.Is(err, fault.Unavailable) {
			t.Errorf("append after close = %v", err)
		}
	})
}

// Whatever callers, failures and cancellations there are: a row whose caller
// was told "stored" is stored exactly once, and a row whose caller was told
// "failed" by the insert or by fn is not stored.
func TestAnAnsweredRowIsStoredExactlyOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type request struct {
			at       time.Duration
			rows     int
			fail     bool
			patience time.Duration
		}
		requests := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) request {
			return request{
				at:       time.Duration(rapid.IntRange(0, 500).Draw(r, "at ms")) * time.Millisecond,
				rows:     rapid.IntRange(0, 8).Draw(r, "rows"),
				fail:     rapid.IntRange(0, 9).Draw(r, "fail") == 0,
				patience: time.Duration(rapid.IntRange(1, 400).Draw(r, "patience ms")) * time.Millisecond,
			}
		}), 1, 60).Draw(r, "requests")
		failEvery := rapid.IntRange(2, 9).Draw(r, "every nth insert fails")
		opts := BatchOptions{
			MaxRows:    rapid.IntRange(1, 20).Draw(r, "max rows"),
			MaxDelay:   time.Duration(rapid.IntRange(1, 100).Draw(r, "delay ms")) * time.Millisecond,
			MaxPending: rapid.IntRange(1, 60).Draw(r, "max pending"),
			Writers:    rapid.IntRange(1, 3).Draw(r, "writers"),
		}
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			count := 0
			s := store{during: func(context.Context, []int64) error {
				time.Sleep(30 * time.Millisecond) // of the bubble's clock
				mu.Lock()
				defer mu.Unlock()
				if count++; count%failEvery == 0 {
					return errors.New("engine down")
				}
				return nil
			}}
			b := newBatcher(s.insert, newNumbers, opts)
			answers := make([]error, len(requests))
			var callers sync.WaitGroup
			for i, q := range requests {
				callers.Go(func() {
					time.Sleep(q.at)
					ctx, cancel := context.WithTimeout(context.Background(), q.patience)
					defer cancel()
					answers[i] = b.Append(ctx, func(c *numbers) error {
						if q.fail {
							return errors.New("malformed")
						}
						for range q.rows {
							_ = c.add(int64(i))
						}
						return nil
					})
				})
			}
			callers.Wait()
			if err := b.Close(context.Background()); err != nil {
				t.Error(err)
			}
			if b.Pending() != 0 || b.bytes.Load() != 0 {
				t.Errorf("%d rows, %d bytes pending after close", b.Pending(), b.bytes.Load())
			}
			stored := map[int64]int{}
			for _, n := range s.rows() {
				stored[n]++
			}
			for i, q := range requests {
				want := q.rows
				if q.fail {
					want = 0
				}
				got := stored[int64(i)]
				switch err := answers[i]; {
				case err == nil && got != want:
					t.Errorf("request %d was answered as stored: %d of %d rows are", i, got, want)
				case err != nil && !errors.Is(err, context.DeadlineExceeded) && got != 0:
					t.Errorf("request %d failed with %v: %d rows are stored", i, err, got)
				case got != 0 && got != want:
					t.Errorf("request %d was torn: %d of %d rows are stored", i, got, want)
				}
			}
		})
	})
}

func TestAppendAllocatesNothingOfItsOwn(t *testing.T) {
	b := newBatcher(func(context.Context, string, proto.Input) error { return nil }, newNumbers, BatchOptions{MaxRows: 1, Writers: 1})
	ctx := context.Background()
	add := func(c *numbers) error { return c.add(1) }
	got := testing.AllocsPerRun(200, func() {
		if err := b.Append(ctx, add); err != nil {
			t.Fatal(err)
		}
	})
	// Every append here is a block: its answer, its channel, and its Input.
	if got > 5 {
		t.Errorf("%v allocations for an append that is a block of its own", got)
	}
	if err := b.Close(ctx); err != nil {
		t.Error(err)
	}
}
