//go:build interop

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/ai/openai"
	"github.com/matrix-aiops/matrix/internal/ai/ship"
	"github.com/matrix-aiops/matrix/internal/clickhouse/clickhousetest"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
)

// node is a running OpenSearch.
type node struct {
	*program
	t   *testing.T
	url string
}

// buildSearch makes the node with Maven.
func buildSearch(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s on this machine: OpenSearch needs a JDK of 17 or later, and Maven to get it", tool)
		}
	}
	cmd := exec.Command("mvn", "-q", "-B", "-ntp", "package")
	cmd.Dir = "search"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the node: %v\n%s", err, out)
	}
	dir, err := filepath.Abs("search/target")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// startSearch starts the node on a data directory, on port "0" on a free one.
func startSearch(t *testing.T, built, data, port string) *node {
	t.Helper()
	p := start(t, data, nil, "java", "-Xms512m", "-Xmx512m", "-cp", filepath.Join(built, "classes")+":"+filepath.Join(built, "lib")+"/*", "SearchNode", data, port)
	address := p.printed("listening on /")
	return &node{program: p, t: t, url: "http://" + address}
}

// ask sends a request that must succeed.
func (n *node) ask(method, path, body string, out any) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		n.t.Fatalf("%s %s: %s %v\n%s", method, path, response.Status, err, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			n.t.Fatalf("%s %s: %v\n%s", method, path, err, text)
		}
	}
}

// ids counts the documents of a stream, each of its indices included, by their ids.
func (n *node) ids(stream string) map[string]int {
	n.t.Helper()
	n.ask(http.MethodPost, "/"+stream+"/_refresh", "", nil)
	type page struct {
		Scroll string `json:"_scroll_id"`
		Hits   struct {
			Hits []struct {
				ID string `json:"_id"`
			} `json:"hits"`
		} `json:"hits"`
	}
	ids := map[string]int{}
	var p page
	n.ask(http.MethodPost, "/"+stream+"/_search?scroll=1m", `{"size":5000,"_source":false}`, &p)
	for len(p.Hits.Hits) > 0 {
		for _, hit := range p.Hits.Hits {
			ids[hit.ID]++
		}
		next := page{}
		n.ask(http.MethodPost, "/_search/scroll", fmt.Sprintf(`{"scroll":"1m","scroll_id":%q}`, p.Scroll), &next)
		p = next
	}
	return ids
}

// once fails unless the stream holds exactly want documents, each once.
func (n *node) once(stream string, want int) {
	n.t.Helper()
	ids := n.ids(stream)
	doubled := 0
	for _, times := range ids {
		if times != 1 {
			doubled++
		}
	}
	n.t.Logf("%s: %d documents, %d of them more than once", stream, len(ids), doubled)
	if len(ids) != want || doubled != 0 {
		n.t.Errorf("%s holds %d documents, %d of them more than once; want %d", stream, len(ids), doubled, want)
	}
}

// The destination is killed in the middle of a bulk, calls go on, and it comes back on the same data.
func TestInteropRecordsOfAICallsReachOpenSearchOnceThroughAnOutage(t *testing.T) {
	built := buildSearch(t)
	data := t.TempDir()
	search := startSearch(t, built, data, "0")

	model, err := llm.Start("sk-interop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	model.Behave(func(llm.Request) llm.Reply { return llm.Reply{Text: `{"text":"fine"}`} })
	provider, err := openai.New(openai.Options{BaseURL: model.URL})
	if err != nil {
		t.Fatal(err)
	}
	telemetry, meta := clickhousetest.New(t), metadbtest.SQLite(t)
	if err := telemetry.Migrate(t.Context(), "ai", ai.Migrations()); err != nil {
		t.Fatal(err)
	}
	if err := telemetry.Migrate(t.Context(), "ai_ship", ship.Migrations()); err != nil {
		t.Fatal(err)
	}
	gateway, err := ai.New(ai.Options{DB: meta, Telemetry: telemetry, Dir: t.TempDir(), DefaultChain: []ai.Entry{{Provider: "openai", Model: "gpt-5"}},
		Services: map[string]ai.Service{"openai": {Kind: "openai", Provider: provider, Keys: []ai.Key{{Alias: "main", Secret: "sk-interop"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	const format = `{"type":"json_schema","name":"answer","schema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}`
	if _, err := gateway.Roles().Create(t.Context(), ai.Role{Code: "writer", SystemMessage: "Write.", ResponseFormat: json.RawMessage(format)}, "kim"); err != nil {
		t.Fatal(err)
	}
	calls := 0
	call := func(n int) {
		t.Helper()
		for range n {
			if _, err := gateway.Run(t.Context(), ai.Caller{Project: 7, Kind: "api", Name: "kim"}, "writer", ai.Input{Message: "Write to lee@example.com."}); err != nil {
				t.Fatal(err)
			}
			calls++
		}
		if err := gateway.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	front := &front{}
	var log bytes.Buffer
	shipper, err := ship.New(ship.Options{DB: meta, Telemetry: telemetry, URLs: []string{front.start(t, search.url)}, Settle: 100 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shipper.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("shipping:\n%s", log.String())
		}
	})
	run := func() {
		t.Helper()
		if err := shipper.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	status := func() *ship.Progress {
		t.Helper()
		st, err := shipper.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	shipAll := func() {
		t.Helper()
		for deadline := time.Now().Add(patience); status().Waiting > 0; {
			run()
			if time.Now().After(deadline) {
				t.Fatalf("not shipped within %s: %+v", patience, status())
			}
			time.Sleep(100 * time.Millisecond)
		}
	}

	call(200)
	shipAll()
	search.once("matrix-ai-calls", 200)
	search.once("matrix-ai-attempts", 200)
	search.template()

	// Killed when it has taken the second bulk of many, and before that is told.
	call(3000)
	bulks := 0
	front.kill = func(path string) bool {
		if path == "/_bulk" {
			bulks++
		}
		if bulks < 2 {
			return false
		}
		search.kill()
		return true
	}
	run()
	front.kill = nil
	st := status()
	if st.Waiting == 0 || st.Error == "" || st.Waiting == 3000 {
		t.Fatalf("it was not killed in the middle: %+v", st)
	}
	t.Logf("killed with %d of 3000 calls waiting: %s", st.Waiting, st.Error)
	for range 3 { // calls go on meanwhile
		call(300)
		run()
	}

	search = startSearch(t, built, data, search.port())
	if taken := len(search.ids("matrix-ai-calls")); taken <= calls-900-int(st.Waiting) {
		t.Fatalf("nothing was taken that was not noted, with %d calls there: the test tests nothing", taken)
	}
	for _, stream := range []string{"matrix-ai-calls", "matrix-ai-attempts"} { // and a lifecycle policy strikes: what was not noted is in an index that is closed to it
		search.ask(http.MethodPost, "/"+stream+"/_rollover", "", nil)
	}
	call(50)
	shipAll()
	search.once("matrix-ai-calls", calls)
	search.once("matrix-ai-attempts", calls)
	if st := status(); st.Refused != 0 || st.Error != "" {
		t.Errorf("in the end: %+v", st)
	}

	var sums struct {
		Hits struct {
			Total struct {
				Value int `json:"value"`
			} `json:"total"`
			Hits []struct {
				Source struct {
					Parsed map[string]string `json:"matrix.parsed"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
		Aggregations struct {
			Input  struct{ Value float64 } `json:"input"`
			Models struct {
				Buckets []struct {
					Key   string `json:"key"`
					Count int    `json:"doc_count"`
				} `json:"buckets"`
			} `json:"models"`
		} `json:"aggregations"`
	}
	search.ask(http.MethodPost, "/matrix-ai-calls/_search", `{"size":1,"track_total_hits":true,"query":{"match":{"matrix.answer":"fine"}},
		"aggs":{"input":{"sum":{"field":"gen_ai.usage.input_tokens"}},"models":{"terms":{"field":"gen_ai.request.model"}}}}`, &sums)
	spent, err := gateway.Spent(t.Context(), 7, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	models := sums.Aggregations.Models.Buckets
	if sums.Hits.Total.Value != calls || len(models) != 1 || models[0].Key != "gpt-5" || models[0].Count != calls || uint64(sums.Aggregations.Input.Value) != spent.InputTokens || spent.Calls != uint64(calls) {
		t.Errorf("OpenSearch counts %+v, MATRIX %+v", sums, spent)
	}
	if found := sums.Hits.Hits; len(found) != 1 || found[0].Source.Parsed["text"] != "fine" {
		t.Errorf("parsed: %+v", found)
	}
}

// template checks that the streams are of our template.
func (n *node) template() {
	n.t.Helper()
	var streams struct {
		Streams []struct {
			Name     string `json:"name"`
			Template string `json:"template"`
		} `json:"data_streams"`
	}
	n.ask(http.MethodGet, "/_data_stream/matrix-ai-*", "", &streams)
	if len(streams.Streams) != 2 || streams.Streams[0].Template != "matrix-ai" {
		n.t.Errorf("streams: %+v", streams)
	}
	var fields map[string]struct {
		Mappings map[string]json.RawMessage `json:"mappings"`
	}
	n.ask(http.MethodGet, "/matrix-ai-calls/_mapping/field/gen_ai.*,matrix.*", "", &fields)
	for index, f := range fields {
		for _, name := range []string{"gen_ai.usage.input_tokens", "gen_ai.usage.cache_read.input_tokens", "gen_ai.response.finish_reasons", "matrix.cost_usd", "matrix.answer"} {
			if f.Mappings[name] == nil {
				n.t.Errorf("%s has no field %s", index, name)
			}
		}
	}
	if len(fields) == 0 {
		n.t.Error("no mapping")
	}
}

// front stands before a node and can lose what it answers.
type front struct {
	kill func(path string) bool // asked for each answer: whether it gets lost
}

// start returns its address.
func (f *front) start(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	proxy.ModifyResponse = func(r *http.Response) error {
		if f.kill != nil && f.kill(r.Request.URL.Path) {
			return errors.New("lost")
		}
		return nil
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// port is that of the node.
func (n *node) port() string { return n.url[strings.LastIndex(n.url, ":")+1:] }

// kill ends the program as a power cut does.
func (p *program) kill() {
	if process, err := os.FindProcess(p.pid); err == nil {
		_ = process.Kill()
	}
	<-p.done
}
