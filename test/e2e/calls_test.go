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
	call("/api/v1/tokens", map[string]any{"name": "program", "scopes": []string{"ai.ask"}, "expires_at": time.Now().Add(time.Hour)}, &token)

	const trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	body, err := json.Marshal(map[string]any{"model": "role:guide", "messages": []any{map[string]string{"role": "user", "content": "Hello"}}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.app.URL()+"/v1/chat/completions", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.Secret)
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

	type attributes []struct {
		Key   string `json:"key"`
		Value struct {
			Text string `json:"stringValue"`
		} `json:"value"`
	}
	var found struct {
		Resources []struct {
			Resource struct{ Attributes attributes } `json:"resource"`
			Scopes   []struct {
				Spans []struct {
					ID         string `json:"spanId"`
					Parent     string `json:"parentSpanId"`
					Name       string `json:"name"`
					Attributes attributes
				} `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	}
	parents, ids, requested := map[string]string{}, map[string]string{}, map[string]string{}
	h.eventually("the trace with its attempts", func() bool {
		_, err := h.api.Get(t.Context(), h.path("/traces/%s/otlp", trace), &found)
		for _, resource := range found.Resources {
			for _, scope := range resource.Scopes {
				for _, s := range scope.Spans {
					parents[s.Name], ids[s.Name] = s.Parent, s.ID
					for _, a := range s.Attributes {
						if a.Key == "gen_ai.request.model" {
							requested[s.Name] = a.Value.Text
						}
					}
				}
			}
		}
		return err == nil && len(ids) == 3
	})
	if root := ids["chat guide"]; parents["chat guide"] != span || root == "" || parents["chat busy-1"] != root || parents["chat analyst-1"] != root || requested["chat analyst-1"] != "analyst-1" {
		t.Errorf("spans %v below %v ask for %v", ids, parents, requested)
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
