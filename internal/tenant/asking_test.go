package tenant

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

func TestWhoAsksForTheSameKeyAtTheSameTimeWaitsForOneLookUp(t *testing.T) {
	db := metadbtest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		var asked atomic.Int32
		answer := make(chan struct{})
		lookUp := func(context.Context, string) (keyEntry, error) {
			asked.Add(1)
			<-answer
			return keyEntry{project: 7, at: time.Now(), fresh: keyFresh}, nil
		}
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if p, _, err := s.authenticate(t.Context(), "hash", lookUp); err != nil || p != 7 {
					t.Errorf("%v, %v", p, err)
				}
			})
		}
		// One who goes away takes nobody along.
		gone, cancel := context.WithCancel(t.Context())
		callers.Go(func() {
			if _, _, err := s.authenticate(gone, "hash", lookUp); !fault.Is(err, fault.Unavailable) {
				t.Errorf("gone: %v", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(answer)
		callers.Wait()
		if n := asked.Load(); n != 1 {
			t.Errorf("%d look-ups", n)
		}
	})
}

func TestInventedKeysAreLookedUpAFewAtATime(t *testing.T) {
	db := metadbtest.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Options{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		var running atomic.Int32
		answer := make(chan struct{})
		lookUp := func(context.Context, string) (keyEntry, error) {
			running.Add(1)
			<-answer
			return keyEntry{at: time.Now(), fresh: unknownFresh}, nil
		}
		var callers sync.WaitGroup
		for i := range 20 {
			callers.Go(func() {
				if _, _, err := s.authenticate(t.Context(), string(rune('a'+i)), lookUp); !fault.Is(err, fault.Unauthenticated) {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := running.Load(); n != strangers {
			t.Errorf("%d at a time", n)
		}
		close(answer)
		callers.Wait()
	})
}
