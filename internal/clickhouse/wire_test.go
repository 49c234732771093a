package clickhouse_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// wire is a TCP connection to a server that a test can cut.
type wire struct {
	dsn      string // the server's, with the wire's address
	listener net.Listener

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newWire(t testing.TB, dsn string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := mustURL(t, dsn)
	target := u.Host
	u.Host = listener.Addr().String()
	w := &wire{dsn: u.String(), listener: listener}
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil || !w.keep(client, server) {
				_ = client.Close()
				continue
			}
			for a, b := range map[net.Conn]net.Conn{client: server, server: client} {
				go func() {
					_, _ = io.Copy(a, b) // ends with either side
					_ = a.Close()
				}()
			}
		}
	}()
	return w
}

func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		for _, c := range conns {
			_ = c.Close()
		}
		return false
	}
	w.conns = append(w.conns, conns...)
	return true
}

// cut ends all connections and lets no new one through.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// mend lets new connections through again.
func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}
