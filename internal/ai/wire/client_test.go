package wire_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matrix-aiops/matrix/internal/ai/wire"
)

func TestConnectionsAreUsedAgainUnderLoad(t *testing.T) {
	const together, rounds = 20, 5
	var opened atomic.Int64
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait() // all of a round are under way at once
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := wire.Client(nil)
	for range rounds {
		arrived.Add(together)
		var done sync.WaitGroup
		for range together {
			done.Go(func() {
				x := &wire.Exchange{}
				r, err := http.NewRequestWithContext(x.With(t.Context()), http.MethodPost, server.URL, strings.NewReader("{}"))
				if err != nil {
					t.Error(err)
					return
				}
				response, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
			})
		}
		done.Wait()
	}
	if n := opened.Load(); n > 2*together {
		t.Errorf("%d connections were opened for %d requests at once", n, together)
	}
}
