package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/trace"
)

func (m *memory) inUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// stall sends the first bytes of a request over HTTP, or of a call over gRPC,
// and no more until its context ends.
func (h *harness) stall(ctx context.Context, overGRPC bool, first []byte) error {
	body, feed := io.Pipe()
	go func() {
		_, _ = feed.Write(first) // the request may be refused midway
		<-ctx.Done()
		_ = feed.CloseWithError(ctx.Err()) // not the end of the body
	}()
	if overGRPC {
		if code := h.callRaw(ctx, goodKey, "", body); code == codes.Unavailable {
			return errors.New("refused")
		}
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.HTTPAddr()+"/v1/traces", body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", typeProtobuf)
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil // cancelled, as meant
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		h.t.Errorf("a slow client got %d", response.StatusCode)
	}
	return errors.New("refused")
}

func TestAClientThatSendsNothingHoldsNextToNothing(t *testing.T) {
	h := start(t, func(o *Options) { o.MaxBody = 16 << 20 })
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 32 {
		clients.Go(func() {
			if err := h.stall(ctx, i%2 == 0, framed(0, make([]byte, 16<<20))[:1000]); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { return h.memory.inUse() >= 32*firstBuffer })
	if got := h.memory.inUse(); got > 32*firstBuffer {
		t.Errorf("32 clients that sent 1,000 bytes each hold %d bytes", got)
	}
	cancel()
	clients.Wait()
	eventually(t, func() bool { return h.memory.inUse() == 0 })
}

func TestSlowClientsOfOneProjectLeaveRoomForTheOthers(t *testing.T) {
	for name, overGRPC := range map[string]bool{"HTTP": false, "gRPC": true} {
		t.Run(name, func(t *testing.T) {
			h := start(t, func(o *Options) { o.MaxBody = 1 << 20; o.MaxMemory = 8 << 20 })
			ctx, cancel := context.WithCancel(t.Context())
			var clients sync.WaitGroup
			refused := make(chan error, 100)
			for range cap(refused) {
				clients.Go(func() { refused <- h.stall(ctx, overGRPC, framed(0, make([]byte, 1<<20))[:300_000]) })
			}
			if err := <-refused; err == nil {
				t.Fatal("a client gave up by itself")
			}
			if response, body := h.post(httpRequest{key: slowKey, body: marshal(oneResource("shop", good(1, time.Now())))}); response.StatusCode != 200 {
				t.Errorf("another project got %d %q", response.StatusCode, body)
			}
			if used := h.memory.inUse(); used > 4<<20 {
				t.Errorf("one project holds %d bytes, want at most half of all", used)
			}
			cancel()
			clients.Wait()
			eventually(t, func() bool { return h.memory.inUse() == 0 })
		})
	}
}

func TestTheLargestRequestFitsIntoTheLeastMemory(t *testing.T) {
	h := start(t, func(o *Options) { o.MaxBody = 1 << 20; o.MaxMemory = 1 })
	request := oneResource("shop", good(1, time.Now()))
	request.ResourceSpans[0].SchemaUrl = strings.Repeat("x", 1<<20-1<<10) // unknown to the decoder, and all of one letter
	if response, body := h.post(httpRequest{key: goodKey, encoding: "gzip", body: gzipped(marshal(request)), chunked: true}); response.StatusCode != 200 {
		t.Errorf("got %d %q", response.StatusCode, body)
	}
	if used := h.memory.inUse(); used != 0 {
		t.Errorf("%d bytes are held afterwards", used)
	}
}

func TestAClientThatIsTooSlowIsToldToComeBack(t *testing.T) {
	h := start(t, func(o *Options) { o.readTime = 50 * time.Millisecond })
	for name, overGRPC := range map[string]bool{"HTTP": false, "gRPC": true} {
		if err := h.stall(t.Context(), overGRPC, framed(0, make([]byte, 100))[:50]); err == nil {
			t.Errorf("%s: the client had to give up by itself", name)
		}
	}
	eventually(t, func() bool { return h.memory.inUse() == 0 })
}

func TestWhileTheEngineIsDownCallersAreToldToComeBack(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	engine, err := clickhouse.StartEngine(ctx, clickhouse.EngineOptions{Dir: t.TempDir(), Memory: 2 << 30, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			_ = engine.Stop(context.Background()) // the test has failed already
		}
	})
	db, err := clickhouse.Open(ctx, clickhouse.Options{DSNs: []string{engine.DSN()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Migrate(ctx, "trace", trace.Migrations()); err != nil {
		t.Fatal(err)
	}
	h := startOn(t, db, nil)
	stopped = true
	if err := engine.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	response, _ := h.post(httpRequest{key: goodKey, body: marshal(oneResource("shop", good(1, time.Now())))})
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" {
		t.Errorf("HTTP: %d, Retry-After %q, want 503 and 1", response.StatusCode, response.Header.Get("Retry-After"))
	}
	_, err = h.dial().Export(withKey(ctx, goodKey), oneResource("shop", good(1, time.Now())))
	if st := status.Convert(err); st.Code() != codes.Unavailable || len(st.Details()) != 1 {
		t.Errorf("gRPC: %v %v, want UNAVAILABLE with RetryInfo", st, st.Details())
	}
}

func TestAPanicWhileDecodingIsAnsweredAndHurtsNobodyElse(t *testing.T) {
	var broken sync.Map
	h := start(t, func(o *Options) {
		o.Now = func() time.Time {
			if _, ok := broken.Load("clock"); ok {
				panic("no clock")
			}
			return time.Now()
		}
	})
	request := oneResource("shop", good(1, time.Now()))
	client := h.dial()
	broken.Store("clock", true)
	if _, err := client.Export(withKey(t.Context(), goodKey), request); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "internal error ") || strings.Contains(err.Error(), "clock") {
		t.Errorf("gRPC: %v, want an id", err)
	}
	if response, body := h.post(httpRequest{key: goodKey, body: marshal(request)}); response.StatusCode != 500 || !strings.Contains(string(body), "internal error ") {
		t.Errorf("HTTP: %d %q, want 500 with an id", response.StatusCode, body)
	}
	broken.Delete("clock")
	if _, err := client.Export(withKey(t.Context(), goodKey), request); err != nil {
		t.Errorf("the next request: %v", err)
	}
	if used := h.memory.inUse(); used != 0 {
		t.Errorf("%d bytes are held afterwards", used)
	}
}

func TestAReceiverThatEndsByItselfIsReported(t *testing.T) {
	failed := make(chan error, 2)
	h := start(t, func(o *Options) { o.Failed = func(err error) { failed <- err } })
	for name, listener := range map[string]io.Closer{"otlp/grpc": h.grpcListener, "otlp/http": h.httpListener} {
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; !strings.Contains(err.Error(), name) {
			t.Errorf("reported %v, want %s", err, name)
		}
	}
}
