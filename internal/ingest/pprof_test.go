package ingest

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/flame"
)

// A profile of this very program, as net/http/pprof would write it.
func TestAProfileOfAGoProgramIsTakenAsItIs(t *testing.T) {
	h := start(t, nil)
	var b bytes.Buffer
	if err := pprof.Lookup("heap").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	response, answer := h.post(httpRequest{path: "/v1/pprof?service=shop&version=1.2", key: goodKey, content: "application/octet-stream", body: b.Bytes()})
	if response.StatusCode != 200 || !strings.Contains(string(answer), `"samples":`) {
		t.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	now := time.Now()
	store := flame.NewStore(h.db)
	q := flame.Query{Service: "shop", Kind: "alloc_space", From: now.Add(-time.Hour), To: now.Add(time.Hour)}
	g, err := store.Graph(t.Context(), 7, q)
	if err != nil || g.Unit != "bytes" || g.Root.Total == 0 || len(g.Root.Children) == 0 {
		t.Errorf("%+v, %v", g, err)
	}
	if foreign, err := store.Graph(t.Context(), 8, q); err != nil || foreign.Root.Total != 0 {
		t.Errorf("of another project: %+v, %v", foreign, err)
	}
}

func TestAProfileThatCannotBeTakenIsRefusedInWords(t *testing.T) {
	h := start(t, nil)
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	f := func(r httpRequest, status int, want string) {
		t.Helper()
		response, answer := h.post(r)
		if response.StatusCode != status || !strings.Contains(string(answer), want) {
			t.Errorf("status %d: %s", response.StatusCode, answer)
		}
	}
	f(httpRequest{path: "/v1/pprof?service=shop", body: b.Bytes()}, 401, "no ingest key")
	f(httpRequest{path: "/v1/pprof", key: goodKey, body: b.Bytes()}, 400, "name the service")
	f(httpRequest{path: "/v1/pprof?service=shop", key: goodKey, body: []byte("nonsense")}, 400, "no profile in the format of pprof")
	f(httpRequest{path: "/v1/pprof?service=shop", key: goodKey, method: "GET"}, 405, "POST")
}
