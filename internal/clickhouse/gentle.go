package clickhouse

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// drainTime is how long a closed connection waits for the server's last words.
const drainTime = 5 * time.Second

// gentleConn closes without a reset. Closing a socket that holds unread data,
// as drivers do when a query is cancelled, sends a reset, and the engine library
// ends its whole process when it meets one between two queries (ADR 0002).
// So Close only says that we are done, and reads on in the background until the
// server is done too.
type gentleConn struct {
	*net.TCPConn
	closed  atomic.Bool
	reading sync.RWMutex // held for reading by Read
}

// dialGently connects to a ClickHouse address.
func dialGently(ctx context.Context, addr string, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &gentleConn{TCPConn: conn.(*net.TCPConn)}, nil
}

// Read implements net.Conn.
func (c *gentleConn) Read(p []byte) (int, error) {
	c.reading.RLock()
	defer c.reading.RUnlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.TCPConn.Read(p)
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return n, err
}

// Close implements net.Conn. Reads and writes end at once, the socket later.
func (c *gentleConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	// Wakes a Read that waits; when this fails the socket is gone already.
	_ = c.SetDeadline(time.Unix(1, 0))
	if err := c.CloseWrite(); err != nil {
		return c.TCPConn.Close()
	}
	go func() {
		c.reading.Lock()   // waits until a Read that was woken has left; later ones see closed
		c.reading.Unlock() //nolint:staticcheck // the lock was only waited for
		_ = c.SetReadDeadline(time.Now().Add(drainTime))
		_, _ = io.Copy(io.Discard, c.TCPConn) // ends with the server's side or the deadline
		_ = c.TCPConn.Close()
	}()
	return nil
}
