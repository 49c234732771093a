package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ledger keeps what the load acknowledged, and shows whether it still does.
type ledger struct {
	mu    sync.Mutex
	text  bytes.Buffer
	count int
}

// Write takes one line.
func (l *ledger) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	return l.text.Write(line)
}

func (l *ledger) lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

func (l *ledger) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text.Bytes())
}

// moves waits until something more is acknowledged.
func (l *ledger) moves(ctx context.Context) error {
	before := l.lines()
	for deadline := time.Now().Add(time.Minute); l.lines() == before; {
		if time.Now().After(deadline) {
			return errors.New("nothing was acknowledged for a minute")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}
