package channel

import "sync"

// Gate holds back what comes to a service until it is opened. The zero value is
// open; it is safe for concurrent use.
type Gate struct {
	mu   sync.Mutex
	hung chan struct{} // nil when open
}

// Hang makes everything wait until Resume.
func (g *Gate) Hang() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hung == nil {
		g.hung = make(chan struct{})
	}
}

// Resume lets what waits go on.
func (g *Gate) Resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hung != nil {
		close(g.hung)
		g.hung = nil
	}
}

// Held returns what is closed when the gate opens, nil when it is open.
func (g *Gate) Held() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hung
}
