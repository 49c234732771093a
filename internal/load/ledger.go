package load

import (
	"bufio"
	"fmt"
	"io"
	"sync"
)

// Entry is one acknowledged request in a ledger.
type Entry struct {
	Request  uint64
	Spans    int // in the request
	Rejected int // of these, by partial success
}

// ledger writes down what was acknowledged, each line with one write before the next request is sent, so
// that it is complete whenever the generator dies.
type ledger struct {
	mu sync.Mutex
	w  io.Writer
}

func newLedger(opts Options) (*ledger, error) {
	l := &ledger{w: opts.Ledger}
	if l.w == nil {
		return l, nil
	}
	_, err := fmt.Fprintf(l.w, "seed %d\n", opts.Seed)
	return l, err
}

func (l *ledger) acknowledge(request uint64, spans, rejected int64) error {
	if l.w == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := fmt.Fprintf(l.w, "ack %d %d %d\n", request, spans, rejected); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// ReadLedger returns the seed and the acknowledged requests of a ledger. SpanIDs of the two tell which spans
// must be found.
func ReadLedger(r io.Reader) (seed uint64, entries []Entry, err error) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			if _, err := fmt.Sscanf(lines.Text(), "seed %d", &seed); err != nil {
				return 0, nil, fmt.Errorf("ledger line 1: %w", err)
			}
			continue
		}
		var e Entry
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d %d", &e.Request, &e.Spans, &e.Rejected); err != nil {
			return 0, nil, fmt.Errorf("ledger line %d: %w", n, err)
		}
		entries = append(entries, e)
	}
	return seed, entries, lines.Err()
}
