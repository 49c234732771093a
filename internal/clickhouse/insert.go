package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// Insert stores in as one native-protocol INSERT into table, on one healthy
// server, and returns when the server has confirmed it. All columns of in have
// the same number of rows; with no rows it does nothing.
//
// The promise is at-least-once: nil means stored. After an error that came
// while the rows were under way it is not known whether they were stored; the
// caller, who repeats, may then store them twice. (Deduplication by token was
// weighed and left out: a repeating OTLP client comes back in another batch,
// with another token.) A server that cannot be reached before anything was sent
// is passed over for the next one. The kind is fault.Unavailable when the
// caller should repeat later.
func (db *DB) Insert(ctx context.Context, table string, in proto.Input) error {
	if len(in) == 0 || in[0].Data.Rows() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, insertTime)
	defer cancel()
	var err error
	for _, s := range db.order() {
		sent := false
		if err = db.prepare(ctx, s); err == nil {
			sent, err = s.inserts.do(ctx, ch.Query{Body: in.Into(table), Input: in, Settings: insertSettings})
			err = mapError(err)
		}
		if err == nil {
			s.succeeded()
			return nil
		}
		if unreachable(err) {
			s.failed()
		}
		if sent || ctx.Err() != nil || !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	return err
}

// insertSettings go with every insert, and through it to the views behind the
// table. A block joins what many projects sent, so how many days one of them
// spreads its rows over must not fail it for the others: partitions per block
// are not limited.
var insertSettings = []ch.Setting{ch.SettingInt("max_partitions_per_insert_block", 0)}

// columnPool holds idle connections that carry columns: one pool for inserts,
// one for Stream. It is our own and not chpool because it must notice
// connections that died with the engine before rows are sent on them: those
// errors would be ambiguous for no reason.
type columnPool struct {
	opts  ch.Options
	slots chan struct{} // one per connection in use

	mu     sync.Mutex
	idle   []*columnConn
	closed bool
}

type columnConn struct {
	*ch.Client
	raw  net.Conn
	born time.Time
}

// maxConnAge makes connections move on, so that load spreads again after a
// server behind an address was replaced.
const maxConnAge = 30 * time.Minute

func newColumnPool(opts ch.Options, size int) *columnPool {
	return &columnPool{opts: opts, slots: make(chan struct{}, size)}
}

// do reports in sent whether the query, and any of its rows, may have reached
// the server. An exception counts as sent: a materialised view may have failed
// after the table itself was written.
func (p *columnPool) do(ctx context.Context, q ch.Query) (sent bool, err error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	conn, err := p.get(ctx)
	if err != nil {
		return false, err
	}
	if err := conn.Do(ctx, q); err != nil {
		// After an error the protocol may be out of step. The query's error says
		// more than the error of closing after it.
		_ = conn.Close()
		return true, err
	}
	p.put(conn)
	return true, nil
}

func (p *columnPool) get(ctx context.Context) (*columnConn, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return nil, net.ErrClosed
		}
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return p.dial(ctx)
		}
		conn := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(conn.born) < maxConnAge && alive(conn.raw) == nil {
			return conn, nil
		}
		_ = conn.Close() // dead or old: nobody waits for it
	}
}

func (p *columnPool) put(conn *columnConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return
	}
	p.idle = append(p.idle, conn)
}

func (p *columnPool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, conn := range p.idle {
		_ = conn.Close()
	}
	p.idle = nil
}

// dial connects, without the caller's cancellation for the reason given at dialToTheEnd.
func (p *columnPool) dial(ctx context.Context) (*columnConn, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*p.opts.DialTimeout)
	defer cancel()
	raw, err := dialGently(ctx, p.opts.Address, p.opts.DialTimeout)
	if err != nil {
		return nil, err
	}
	conn := raw
	if p.opts.TLS != nil {
		if conn, err = secure(ctx, raw, p.opts.Address, p.opts.TLS); err != nil {
			return nil, err
		}
	}
	client, err := ch.Connect(ctx, conn, p.opts)
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return &columnConn{Client: client, raw: raw, born: time.Now()}, nil
}

// alive looks at an idle connection without waiting: a server that is gone has
// closed it, and a server that says something unasked is not to be trusted.
func alive(conn net.Conn) error {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return err
	}
	var found error
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EWOULDBLOCK):
		case err != nil:
			found = err
		case n == 0:
			found = io.EOF
		default:
			found = errors.New("unexpected data on an idle connection")
		}
		return true
	})
	return errors.Join(err, found)
}

// secure speaks TLS over raw, and closes it when the server does not.
func secure(ctx context.Context, raw net.Conn, addr string, config *tls.Config) (net.Conn, error) {
	config = config.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		config.ServerName = host
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}
