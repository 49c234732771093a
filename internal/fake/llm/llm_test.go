package llm_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

func start(t *testing.T, key string) *llm.Server {
	t.Helper()
	s, err := llm.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The paths, and how each is told a key.
const (
	chat       = "/v1/chat/completions"
	responses  = "/v1/responses"
	embeddings = "/v1/embeddings"
	messages   = "/v1/messages"
	generate   = "/v1beta/models/g:generateContent"
	stream     = "/v1beta/models/g:streamGenerateContent?alt=sse"
	embed      = "/v1beta/models/g:batchEmbedContents"
)

func post(t *testing.T, s *llm.Server, key, path, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(path, messages):
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Anthropic-Version", "2023-06-01")
	case strings.HasPrefix(path, "/v1beta"):
		r.Header.Set("X-Goog-Api-Key", key)
	default:
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

const (
	object  = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	open    = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`
	partial = `{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}`
	tuple   = `{"type":"array","prefixItems":[{"type":"string"}]}`
	allOf   = `{"type":"object","properties":{"a":{"allOf":[{"type":"string"}]}},"required":["a"],"additionalProperties":false}`
)

// body completes the fields of a request on a path.
func body(path, more string) string {
	switch path {
	case chat:
		return `{"model":"m","messages":[{"role":"user","content":"x"}]` + more + `}`
	case responses:
		return `{"model":"m","input":"x"` + more + `}`
	case messages:
		return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]` + more + `}`
	}
	return `{"contents":[{"role":"user","parts":[{"text":"x"}]}]` + more + `}`
}

func format(path, schema string) string {
	switch path {
	case chat:
		return body(path, `,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":`+schema+`}}`)
	case responses:
		return body(path, `,"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":`+schema+`}}`)
	case messages:
		return body(path, `,"output_config":{"format":{"type":"json_schema","schema":`+schema+`}}`)
	}
	return body(path, `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":`+schema+`}`)
}

func TestARequestThatIsNotWellFormedIsRefusedAndRemembered(t *testing.T) {
	const (
		call     = `{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		function = `{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}`
		use      = `{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"f","input":{}}]}`
		result   = `{"type":"tool_result","tool_use_id":"c","content":"r"}`
		made     = `{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]}`
		declared = `,"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]}]`
	)
	for path, bodies := range map[string][]string{
		chat: {
			`{`, `{}`, `{"model":"m","messages":[]}`, `{"model":"m","messages":[{"role":"user","content":""}]}`, `{"model":"m","messages":[{"role":"robot","content":"x"}]}`,
			`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"system","content":"y"}]}`, `{"model":"m","messages":[{"role":"assistant","content":"x"}]}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`,
			`{"model":"m","messages":[` + call + `,{"role":"user","content":"x"}]}`, `{"model":"m","messages":[` + call + `,{"role":"tool","tool_call_id":"d","content":"r"}]}`,
			`{"model":"m","messages":[{"role":"tool","tool_call_id":"c","content":"r"}]}`,
			body(chat, `,"temprature":1`), body(chat, `,"max_tokens":1,"max_completion_tokens":1`), body(chat, `,"temperature":2.1`), body(chat, `,"n":2`),
			body(chat, `,"stream_options":{"include_usage":true}`), body(chat, `,"stop":["a","b","c","d","e"]`), body(chat, `,"tool_choice":"required"`),
			body(chat, `,"tools":[`+function+`],"tool_choice":{"type":"function","function":{"name":"g"}}`), body(chat, `,"tools":[`+function+`,`+function+`]`),
			body(chat, `,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":`+open+`}}]`), body(chat, `,"response_format":{"type":"json_object"}`),
			format(chat, open), format(chat, partial), format(chat, tuple), format(chat, allOf), body(chat, `} {`),
		},
		responses: {
			`{}`, body(responses, `,"seed":1`), body(responses, `,"stop":["a"]`), body(responses, `,"max_output_tokens":9`), body(responses, `,"messages":[]`),
			body(responses, `,"tools":[{"type":"function","name":"f","parameters":`+open+`}]`), // strict unless it says otherwise
			`{"model":"m","input":[{"type":"function_call_output","call_id":"c","output":"r"}]}`, format(responses, open),
		},
		embeddings: {`{"model":"m"}`, `{"model":"m","input":[""]}`, `{"model":"m","input":"x","encoding_format":"hex"}`, `{"model":"m","input":"x","user_id":"y"}`},
		messages: {
			`{"model":"m","messages":[{"role":"user","content":"x"}]}`, body(messages, `,"temperature":1.5`), body(messages, `,"seed":1`), body(messages, `,"thinking":{"type":"enabled","budget_tokens":9}`),
			`{"model":"m","max_tokens":9,"messages":[{"role":"system","content":"x"}]}`, `{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":"x"}]}`,
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":""}]}]}`,
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{}}]}]}`,
			`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},` + use + `,{"role":"user","content":[` + result + `]}]}`, // no tools
			`{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"},` + use + `,{"role":"user","content":"y"}]}`,
			`{"model":"m","max_tokens":9,"tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"x"},` + use + `,{"role":"user","content":[{"type":"text","text":"y"},` + result + `]}]}`,
			format(messages, open), format(messages, `{"type":"object","properties":{"a":{"type":"string","minLength":1}},"additionalProperties":false}`),
		},
		generate: {
			`{}`, `{"contents":[{"role":"assistant","parts":[{"text":"x"}]}]}`, `{"contents":[{"role":"user","parts":[]}]}`, `{"contents":[{"role":"user","parts":[{"inlineData":{}}]}]}`,
			body(generate, `,"generationConfig":{"responseJsonSchema":`+object+`}`), body(generate, `,"generationConfig":{"seed":3000000000}`), body(generate, `,"system_instruction":{}`),
			body(generate, `,"toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}}`), format(generate, allOf),
			`{"contents":[{"role":"user","parts":[{"text":"x"}]},` + made + `,{"role":"user","parts":[{"text":"y"}]}]` + declared + `}`,
			`{"contents":[{"role":"user","parts":[{"text":"x"}]},` + made + `,{"role":"user","parts":[{"functionResponse":{"name":"g","response":{}}}]}]` + declared + `}`,
		},
		"/v1beta/models/g:streamGenerateContent": {body(generate, "")},
		"/v1beta/models/g:countTokens":           {body(generate, "")},
		generate + "?key=k":                      {body(generate, "")},
		embed:                                    {`{"requests":[]}`, `{"requests":[{"model":"models/h","content":{"parts":[{"text":"x"}]}}]}`},
	} {
		s := start(t, "")
		for i, body := range bodies {
			if response, text := post(t, s, "k", path, body); response.StatusCode != http.StatusBadRequest || len(s.Faults()) != i+1 {
				t.Fatalf("%s %s: status %d, %s, faults %q", path, body, response.StatusCode, text, s.Faults())
			}
		}
		if n := len(s.Requests()); n != 0 {
			t.Errorf("%s: %d requests were kept", path, n)
		}
	}
}

func TestARequestThatIsWellFormedIsUnderstood(t *testing.T) {
	s := start(t, "")
	s.Behave(func(llm.Request) llm.Reply { return llm.Reply{Text: "ok"} })
	for path, wire := range map[string]string{chat: llm.OpenAIChat, responses: llm.OpenAIResponses, messages: llm.Anthropic, generate: llm.Gemini, stream: llm.Gemini} {
		response, text := post(t, s, "", path, format(path, object))
		requests := s.Requests()
		if response.StatusCode != http.StatusOK || len(s.Faults()) > 0 {
			t.Fatalf("%s: %s, faults %q", path, text, s.Faults())
		}
		got := requests[len(requests)-1]
		if got.Wire != wire || got.Messages[0].Content != "x" || got.ResponseFormat == nil || string(got.ResponseFormat.JSONSchema.Schema) != object || got.Stream != (path == stream) || !strings.Contains(string(got.Raw), "x") {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

func TestAModelRefusesWhatItDoesNotTake(t *testing.T) {
	f := func(path, body, code string) {
		t.Helper()
		s := start(t, "")
		response, text := post(t, s, "", path, body)
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(text, code) || len(s.Faults()) > 0 || len(s.Requests()) != 1 {
			t.Errorf("%s %s: %d %s, faults %q", path, body, response.StatusCode, text, s.Faults())
		}
	}
	f(chat, `{"model":"gpt-5","temperature":0.2,"messages":[{"role":"user","content":"x"}]}`, `"unsupported_value"`)
	f(chat, `{"model":"o3","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`, `"unsupported_parameter"`)
	f(responses, `{"model":"gpt-4.1","reasoning":{"effort":"low"},"input":"x"}`, `"unsupported_parameter"`)
	f(messages, `{"model":"claude-opus-4-5","max_tokens":9,"temperature":0.2,"top_p":0.5,"messages":[{"role":"user","content":"x"}]}`, `"invalid_request_error"`)
	f("/v1beta/models/gemini-2.5-pro:generateContent", body(generate, `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":`+object+`},"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]}]`), `"INVALID_ARGUMENT"`)
}

// TestErrorsAreThoseOfTheService compares whole bodies with the documentation's.
func TestErrorsAreThoseOfTheService(t *testing.T) {
	s := start(t, "right")
	f := func(key, path string, reply llm.Reply, status int, want string) {
		t.Helper()
		if reply.Status != 0 {
			s.Script(reply)
		}
		if response, text := post(t, s, key, path, body(path, "")); response.StatusCode != status || text != want {
			t.Errorf("%s: %d %s\nwant %s", path, response.StatusCode, text, want)
		}
	}
	slow := llm.Reply{Status: 429, RetryAfter: 1500 * time.Millisecond, Message: "slow down"}
	f("right", chat, slow, 429, `{"error":{"code":"rate_limit_exceeded","message":"slow down","param":null,"type":"requests"}}`)
	f("right", responses, llm.Reply{Status: 429, Code: "insufficient_quota"}, 429, `{"error":{"code":"insufficient_quota","message":"scripted failure","param":null,"type":"insufficient_quota"}}`)
	f("right", messages, llm.Reply{Status: 529}, 529, `{"error":{"message":"scripted failure","type":"overloaded_error"},"request_id":"req_fake","type":"error"}`)
	f("right", generate, slow, 429, `{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}],"message":"slow down","status":"RESOURCE_EXHAUSTED"}}`)
	f("wrong", messages, llm.Reply{}, 401, `{"error":{"message":"invalid x-api-key","type":"authentication_error"},"request_id":"req_fake","type":"error"}`)
	f("wrong", generate, llm.Reply{}, 400, `{"error":{"code":400,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","domain":"googleapis.com","reason":"API_KEY_INVALID"}],"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}`)
	for _, path := range []string{chat, responses} { // they quote the key
		if response, text := post(t, s, "wrong", path, body(path, "")); response.StatusCode != 401 || !strings.Contains(text, `"code":"invalid_api_key"`) || !strings.Contains(text, "wrong") {
			t.Errorf("%s: %d %s", path, response.StatusCode, text)
		}
	}
	s.Script(slow)
	if response, _ := post(t, s, "right", chat, body(chat, "")); response.Header.Get("Retry-After") != "2" || response.Header.Get("Retry-After-Ms") != "1500" {
		t.Errorf("headers %v", response.Header)
	}
	if len(s.Faults()) > 0 {
		t.Errorf("faults %q", s.Faults())
	}
}

func TestAStreamIsThatOfTheService(t *testing.T) {
	s := start(t, "")
	f := func(path, more string, events ...string) {
		t.Helper()
		s.Script(llm.Reply{Text: "hi, you", Chunk: 3, Calls: []llm.Call{{ID: "c", Name: "f", Arguments: `{"a":1}`}}})
		response, text := post(t, s, "", path, body(path, more))
		if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
			t.Errorf("%s: content type %q, %s", path, kind, text)
		}
		rest := text
		for _, event := range events {
			_, after, found := strings.Cut(rest, event)
			if !found {
				t.Errorf("%s: no %s in its place in\n%s", path, event, text)
				return
			}
			rest = after
		}
	}
	f(chat, `,"stream":true,"stream_options":{"include_usage":true}`, `"delta":{"content":"","refusal":null,"role":"assistant"}`, `"delta":{"content":"hi,"}`, `"delta":{"content":"u"}`,
		`{"function":{"arguments":"","name":"f"},"id":"c","index":0,"type":"function"}`, `{"function":{"arguments":"{\"a"},"index":0}`, `"finish_reason":"tool_calls"`, `"choices":[],`, `"total_tokens"`, "data: [DONE]\n\n")
	f(responses, `,"stream":true`, "event: response.created\n", "event: response.output_item.added\n", "event: response.content_part.added\n", `"delta":"hi,"`, "event: response.output_text.done\n",
		"event: response.output_item.done\n", `"call_id":"c"`, `"delta":"{\"a"`, "event: response.function_call_arguments.done\n", "event: response.completed\n", `"total_tokens"`)
	f(messages, `,"stream":true`, "event: message_start\n", "event: ping\n", "event: content_block_start\n", `"delta":{"text":"hi,","type":"text_delta"}`, "event: content_block_stop\n", `"content_block":{"id":"c","input":{},"name":"f","type":"tool_use"}`,
		`"delta":{"partial_json":"{\"a","type":"input_json_delta"}`, `"stop_reason":"tool_use"`, "event: message_stop\n")
	f(stream, "", `"parts":[{"text":"hi,"}]`, "\r\n\r\n", `"parts":[{"functionCall":{"args":{"a":1},"id":"c","name":"f"}}]`, `"finishReason":"STOP"`, `"totalTokenCount"`)
	if len(s.Faults()) > 0 {
		t.Errorf("faults %q", s.Faults())
	}
}

func TestTheScriptComesBeforeTheBehaviour(t *testing.T) {
	s := start(t, "")
	s.Script(llm.Reply{Text: "first"}, llm.Reply{Status: 503})
	s.Behave(func(r llm.Request) llm.Reply { return llm.Reply{Text: "to " + r.Messages[0].Content} })
	for _, want := range []string{`"first"`, `"scripted failure"`, `"to x"`} {
		if _, text := post(t, s, "", chat, body(chat, "")); !strings.Contains(text, want) {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

func TestSchemasCanBeRefusedWithoutUsingUpTheScript(t *testing.T) {
	s := start(t, "")
	s.RefuseSchemas()
	s.Script(llm.Reply{Text: "first"})
	if response, text := post(t, s, "", chat, format(chat, object)); response.StatusCode != 400 || len(s.Faults()) > 0 {
		t.Errorf("%d %s", response.StatusCode, text)
	}
	if _, text := post(t, s, "", chat, body(chat, "")); !strings.Contains(text, "first") {
		t.Errorf("got %s", text)
	}
}

func TestOnlyTheLastRequestsAreKeptWhenTheServerIsToldSo(t *testing.T) {
	s := start(t, "")
	s.Keep(2)
	for range 5 {
		post(t, s, "", chat, body(chat, ""))
	}
	if _, text := post(t, s, "", chat, body(chat, "")); len(s.Requests()) != 2 || !strings.Contains(text, `"chatcmpl-6"`) {
		t.Errorf("%d requests, %s", len(s.Requests()), text)
	}
}

func TestTheModelsThatAreOfferedAreListed(t *testing.T) {
	s := start(t, "right")
	s.Offer("a", "b")
	f := func(path, header, value string, status int, want string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(header, value)
		if header == "X-Api-Key" {
			r.Header.Set("Anthropic-Version", "2023-06-01")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != status || !strings.Contains(string(text), want) {
			t.Errorf("%s %s: %d %s, %v", path, header, response.StatusCode, text, err)
		}
	}
	f("/v1/models", "Authorization", "Bearer right", 200, `{"data":[{"created":1750000000,"id":"a","object":"model","owned_by":"fake"}`)
	f("/v1/models", "X-Api-Key", "right", 200, `"has_more":false`)
	f("/v1beta/models", "X-Goog-Api-Key", "right", 200, `"name":"models/b"`)
	f("/v1/models", "Authorization", "Bearer wrong", 401, "invalid_api_key")
}

func TestATextIsAlwaysEmbeddedTheSame(t *testing.T) {
	if a, b := llm.Vector("x", 3), llm.Vector("y", 3); len(a) != 3 || slices.Equal(a, b) || !slices.Equal(a, llm.Vector("x", 3)) {
		t.Errorf("%v, %v", a, b)
	}
}

func TestTheAnalystKeepsTokensAndAnswersInTheLanguageAsked(t *testing.T) {
	message := "alarm\n\n[E1] alarm: SQL response time >= 8000 ms\n[E2] transaction: GET /k3x9d2/q8 took 11354 ms\n[E3] statement: Step 11: SELECT on c4ysd7a, h5t took 8003 ms\n"
	for language, want := range map[string]string{"Korean": "인덱스 11의 SELECT 쿼리 (대상 테이블: c4ysd7a, h5t)에서 8003ms가 소요되었습니다.", "English": "Step 11 ran a SELECT query (tables: c4ysd7a, h5t) that took 8003 ms."} {
		reply := llm.Analyst(llm.Request{Messages: []llm.Message{{Role: "system", Content: "Write in " + language}, {Role: "user", Content: message}}})
		var answer struct{ Analysis []struct{ Text string } }
		if err := json.Unmarshal([]byte(reply.Text), &answer); err != nil || len(answer.Analysis) != 1 || answer.Analysis[0].Text != want {
			t.Errorf("%v, %+v", err, answer)
		}
	}
}
