package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/app"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
	"github.com/matrix-aiops/matrix/internal/fake/search"
)

// guideFor makes the role guide, and returns a token of that scope for a program.
func guideFor(t *testing.T, h *house, scope string) (secret string) {
	t.Helper()
	call := func(path string, body, into any) {
		t.Helper()
		if _, err := h.api.Call(t.Context(), http.MethodPost, path, "", body, into); err != nil {
			t.Fatal(err)
		}
	}
	call("/api/v1/roles", map[string]any{"code": "guide", "system_message": "Be brief.", "chain": []any{}, "parameters": map[string]any{}, "retries": 0}, nil)
	var token struct {
		Secret string `json:"secret"`
	}
	call("/api/v1/tokens", map[string]any{"name": "program", "scopes": []string{scope}, "expires_at": time.Now().Add(time.Hour)}, &token)
	return token.Secret
}

// A call of a model is telemetry of its project, in the trace of the program that
// made it, and its record gets to a search engine.
func TestACallOfAModelIsATraceMetricsAndADocument(t *testing.T) {
	engine := search.Start()
	t.Cleanup(func() {
		engine.Close()
		if faults := engine.Faults(); len(faults) > 0 {
			t.Errorf("the search engine got what is not well formed: %v", faults)
		}
	})
	model, use := startModel(t)
	h := start(t, use, func(o *app.Options) {
		o.File.AI.Providers["spare"] = app.FileProvider{Kind: "openai", BaseURL: model.URL, APIKey: modelKey}
		o.File.AI.DefaultChain = []string{"openai/busy-1", "spare/analyst-1"}
		o.File.AI.Search = app.FileSearch{URLs: []string{engine.URL}, APIKey: "a2V5"}
	})
	model.Behave(func(r llm.Request) llm.Reply {
		if r.Model == "busy-1" {
			return llm.Reply{Status: http.StatusInternalServerError}
		}
		return llm.Reply{Text: "fine"}
	})
	token := guideFor(t, h, "ai.ask")

	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	body, err := json.Marshal(map[string]any{"model": "role:guide", "messages": []any{map[string]string{"role": "user", "content": "Hello"}}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.app.URL()+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Traceparent", "00-"+trace+"-"+span+"-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(response.Body)
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %v\n%s", response.Status, err, answer)
	}

	var spans map[string]spanOfCall
	h.eventually("the trace with its attempts", func() bool {
		spans = h.spans(trace)
		return len(spans) == 3
	})
	if root := spans["chat guide"]; root.Parent != span || root.ID == "" || spans["chat busy-1"].Parent != root.ID || spans["chat analyst-1"].Parent != root.ID || spans["chat analyst-1"].text("gen_ai.request.model") != "analyst-1" {
		t.Errorf("spans %+v", spans)
	}

	value := func(query string) float64 {
		t.Helper()
		var result struct {
			Data struct {
				Result []struct {
					Value [2]any `json:"value"`
				} `json:"result"`
			} `json:"data"`
		}
		h.get(h.path("/prometheus/api/v1/query?query=%s", url.QueryEscape(query)), &result)
		if len(result.Data.Result) != 1 {
			return -1
		}
		n, err := strconv.ParseFloat(result.Data.Result[0].Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	h.eventually("the metrics", func() bool {
		return value(`gen_ai_client_operation_duration_seconds_count{gen_ai_request_model="analyst-1",job="matrix-ai"}`) == 1
	})
	for query, want := range map[string]float64{
		`sum(gen_ai_client_operation_duration_seconds_count{error_type!=""})`:                                        1,
		`sum(gen_ai_server_request_duration_seconds_count{matrix_role_code="guide"})`:                                1,
		`count(gen_ai_client_token_usage_count{gen_ai_token_type="input",gen_ai_provider_name="spare"})`:             1,
		`count(gen_ai_client_token_usage_bucket{gen_ai_token_type="output",le="+Inf",gen_ai_provider_name="spare"})`: 1,
	} {
		if got := value(query); got != want {
			t.Errorf("%s = %v, want %v", query, got, want)
		}
	}

	var edges json.RawMessage
	h.eventually("the call on the service map", func() bool {
		h.get(h.path("/map?from=%s&to=%s", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Minute).UTC().Format(time.RFC3339)), &edges)
		return bytes.Contains(edges, []byte(`"matrix-ai"`)) && bytes.Contains(edges, []byte(`"spare"`))
	})

	h.eventually("the documents", func() bool {
		return len(engine.Documents("matrix-ai-calls")) == 1 && len(engine.Documents("matrix-ai-attempts")) == 2
	})
	if d := engine.Documents("matrix-ai-calls")[0].Fields; d["matrix.role.code"] != "guide" || d["matrix.answer"] != "fine" {
		t.Errorf("document %v", d)
	}
	var shipping struct {
		Configured bool
		Status     struct{ Shipped, Waiting int }
	}
	h.eventually("the state of shipping", func() bool {
		h.get("/api/v1/ai-shipping", &shipping)
		return shipping.Configured && shipping.Status.Shipped == 3 && shipping.Status.Waiting == 0
	})
	h.eventually("the metric of shipping", func() bool { return value(`matrix_ai_ship_documents_total{outcome="shipped"}`) == 3 })
}

// spanOfCall is a span as OTLP writes it.
type spanOfCall struct {
	ID         string `json:"spanId"`
	Parent     string `json:"parentSpanId"`
	Name       string `json:"name"`
	Attributes []struct {
		Key   string `json:"key"`
		Value struct {
			Text string `json:"stringValue"`
		} `json:"value"`
	} `json:"attributes"`
}

func (s spanOfCall) text(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.Text
		}
	}
	return ""
}

// spans are those of a trace by name, none while it is not there.
func (h *house) spans(trace string) map[string]spanOfCall {
	var found struct {
		Resources []struct {
			Scopes []struct {
				Spans []spanOfCall `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
	all := map[string]spanOfCall{}
	if _, err := h.api.Get(h.t.Context(), h.path("/traces/%s/otlp", trace), &found); err != nil {
		return all
	}
	for _, resource := range found.Resources {
		for _, scope := range resource.Scopes {
			for _, s := range scope.Spans {
				all[s.Name] = s
			}
		}
	}
	return all
}

// Whatever the protocol, an answer in words is a chat, and vectors are embeddings,
// also when the service gave none.
func TestTheSpansOfACallNameWhatItAskedFor(t *testing.T) {
	model, use := startModel(t)
	h := start(t, use, func(o *app.Options) { o.File.AI.DefaultChain = []string{"openai/by-role"} })
	model.Behave(func(r llm.Request) llm.Reply {
		if r.Model == "broken" {
			return llm.Reply{Status: http.StatusInternalServerError}
		}
		return llm.Reply{Text: "fine"}
	})
	token := guideFor(t, h, "ai.model")

	const trace = "0af7651916cd43dd8448eb211c80319d"
	f := func(path string, body map[string]any, status int) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.app.URL()+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Traceparent": {"00-" + trace + "-b7ad6b7169203331-01"}}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		if err := response.Body.Close(); err != nil || response.StatusCode != status {
			t.Fatalf("%s: %s %v\n%s", path, response.Status, err, answer)
		}
	}
	turns := []any{map[string]string{"role": "user", "content": "Hello"}}
	f("/v1/chat/completions", map[string]any{"model": "role:guide", "messages": turns}, http.StatusOK)
	f("/v1/chat/completions", map[string]any{"model": "openai/by-chat", "messages": turns}, http.StatusOK)
	f("/v1/responses", map[string]any{"model": "openai/by-response", "input": "Hello"}, http.StatusOK)
	f("/v1/messages", map[string]any{"model": "openai/by-message", "messages": turns, "max_tokens": 100}, http.StatusOK)
	f("/v1/embeddings", map[string]any{"model": "openai/vectors", "input": "Hello"}, http.StatusOK)
	f("/v1/embeddings", map[string]any{"model": "openai/broken", "input": "Hello"}, http.StatusServiceUnavailable)

	var spans map[string]spanOfCall
	h.eventually("the spans of all calls", func() bool {
		spans = h.spans(trace)
		return len(spans) >= 7
	})
	for name, operation := range map[string]string{
		"chat guide": "chat", "chat by-role": "chat", "chat by-chat": "chat", "chat by-response": "chat", "chat by-message": "chat", "embeddings vectors": "embeddings", "embeddings broken": "embeddings",
	} {
		if got := spans[name].text("gen_ai.operation.name"); got != operation {
			t.Errorf("the span %q says %q, want %q", name, got, operation)
		}
	}
	if len(spans) != 7 {
		t.Errorf("spans %+v", spans)
	}
	var calls struct {
		Items []struct{ Model, Operation string }
	}
	h.eventually("the log of the calls", func() bool {
		h.get(h.path("/ai-calls"), &calls)
		return len(calls.Items) == 6
	})
	for _, c := range calls.Items {
		if want := map[bool]string{true: "embeddings", false: "chat"}[c.Model == "vectors" || c.Model == "broken"]; c.Operation != want {
			t.Errorf("the call of %s is logged as %q", c.Model, c.Operation)
		}
	}
}
