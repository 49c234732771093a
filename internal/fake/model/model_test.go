package model_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/fake/model"
)

func start(t *testing.T, key string) *model.Server {
	t.Helper()
	s, err := model.Start(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func post(t *testing.T, s *model.Server, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestARequestThatIsNotWellFormedIsRefusedAndRemembered(t *testing.T) {
	const schema = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	format := func(schema string) string {
		return `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":` + schema + `}}}`
	}
	s := start(t, "")
	for _, body := range []string{
		`{`, `{}`, `{"model":"m","messages":[]}`, `{"model":"m","messages":[{"role":"user","content":""}]}`, `{"model":"m","messages":[{"role":"robot","content":"x"}]}`,
		`{"model":"m","messages":[{"role":"user","content":"x"},{"role":"system","content":"y"}]}`, `{"model":"m","messages":[{"role":"assistant","content":"x"}]}`,
		`{"model":"m","messages":[{"role":"user","content":"x"}],"temprature":1}`, `{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":1}`,
		format(`{"type":"object","properties":{"a":{}},"required":[],"additionalProperties":false}`), format(`{"type":"object","properties":{"a":{}},"required":["a"]}`),
	} {
		before := len(s.Faults())
		if status, _ := post(t, s, "k", body); status != http.StatusBadRequest || len(s.Faults()) != before+1 {
			t.Errorf("%s: status %d, faults %v", body, status, s.Faults())
		}
	}
	if status, text := post(t, s, "k", format(schema)); status != http.StatusOK {
		t.Errorf("a strict schema is refused: %s", text)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests were kept, want the well-formed one", n)
	}
}

func TestOnlyTheRightKeyIsServed(t *testing.T) {
	s := start(t, "right")
	if status, _ := post(t, s, "wrong", `{"model":"m","messages":[{"role":"user","content":"x"}]}`); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
}

func TestTheScriptComesBeforeTheBehaviour(t *testing.T) {
	s := start(t, "")
	s.Script(model.Reply{Text: "first"}, model.Reply{Status: 503})
	s.Behave(func(r model.Request) model.Reply { return model.Reply{Text: "to " + r.Messages[0].Content} })
	const body = `{"model":"m","messages":[{"role":"user","content":"you"}]}`
	for _, want := range []string{`"first"`, `"scripted"`, `"to you"`} {
		if _, text := post(t, s, "", body); !strings.Contains(text, want) {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

func TestTheAnalystKeepsTokensAndAnswersInTheLanguageAsked(t *testing.T) {
	message := "alarm\n\n[E1] alarm: SQL response time >= 8000 ms\n[E2] transaction: GET /k3x9d2/q8 took 11354 ms\n[E3] statement: Step 11: SELECT on c4ysd7a, h5t took 8003 ms\n"
	for language, want := range map[string]string{"Korean": "인덱스 11의 SELECT 쿼리 (대상 테이블: c4ysd7a, h5t)에서 8003ms가 소요되었습니다.", "English": "Step 11 ran a SELECT query (tables: c4ysd7a, h5t) that took 8003 ms."} {
		reply := model.Analyst(model.Request{Messages: []model.Message{{Role: "system", Content: "Write in " + language}, {Role: "user", Content: message}}})
		var answer struct{ Analysis []struct{ Text string } }
		if err := json.Unmarshal([]byte(reply.Text), &answer); err != nil || len(answer.Analysis) != 1 || answer.Analysis[0].Text != want {
			t.Errorf("%v, %+v", err, answer)
		}
	}
}
