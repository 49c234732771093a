package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/client"
)

// way is one way to a model: how a request names what it asks, for a model that thinks for a given time.
type way struct {
	name     string
	address  string
	path     func(thinks time.Duration) string
	model    func(thinks time.Duration) string
	header   func(thinks time.Duration) string // lines of HTTP with their ends
	matrix   bool
	noStream error // why streams of it are not measured: it does not answer them rightly
}

// question is the prompt as this way asks it.
func (w *way) question(thinks time.Duration, stream bool) (*question, error) {
	body, err := json.Marshal(map[string]any{
		"model": w.model(thinks), "stream": stream, "temperature": 0.2, "max_tokens": 512,
		"messages": []map[string]string{{"role": "system", "content": system}, {"role": "user", "content": evidence}},
	})
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(w.model(thinks), "role:") { // it has a system message and parameters of its own
		if body, err = json.Marshal(map[string]any{"model": w.model(thinks), "stream": stream, "messages": []map[string]string{{"role": "user", "content": evidence}}}); err != nil {
			return nil, err
		}
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n", w.path(thinks), w.address, len(body), w.header(thinks))
	return &question{address: w.address, bytes: append([]byte(head), body...), stream: stream}, nil
}

const system = "You are an engineer on call. Answer briefly and only from the evidence."

func always(text string) func(time.Duration) string {
	return func(time.Duration) string { return text }
}

const modelPath = "/v1/chat/completions"

// direct asks the model server itself.
func direct(model string) *way {
	return &way{
		name: "direct", address: model, model: always("bench-model"), header: always("Authorization: Bearer " + modelKey + "\r\n"),
		path: func(thinks time.Duration) string {
			return strings.TrimPrefix(modelBase(model, thinks, false), "http://"+model) + "/chat/completions"
		},
	}
}

const modelKey = "sk-of-the-model-server"

const portkeyVersion = "1.15.2"

// startPortkey installs Portkey's gateway, once, and starts it as its README says for a host of one's own.
func startPortkey(ctx context.Context, dir, model string) (*rig.Process, *way, error) {
	cache := os.Getenv("MATRIX_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, nil, err
		}
		cache = filepath.Join(user, "matrix")
	}
	home := filepath.Join(cache, "portkey-"+portkeyVersion)
	program := filepath.Join(home, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js")
	if _, err := os.Stat(program); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "installing @portkey-ai/gateway into %s (once) …\n", home)
		install := exec.CommandContext(ctx, "npm", "install", "--prefix", home, "--no-audit", "--no-fund", "--loglevel=error", "@portkey-ai/gateway@"+portkeyVersion)
		if out, err := install.CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("install @portkey-ai/gateway: %w\n%s", err, out)
		}
	}
	address, err := rig.FreeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	port := address[strings.LastIndexByte(address, ':')+1:]
	p, err := rig.Start(ctx, dir, "portkey", "env", "NODE_ENV=production", "node", program, "--headless", "--port="+port)
	if err != nil {
		return nil, nil, err
	}
	w := &way{
		name: "Portkey", address: address, path: always(modelPath), model: always("bench-model"),
		header: func(thinks time.Duration) string {
			return "Authorization: Bearer " + modelKey + "\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: " + modelBase(model, thinks, false) + "\r\n"
		},
	}
	if err := answers(ctx, w); err != nil {
		p.Kill()
		return nil, nil, err
	}
	q, err := w.question(0, true)
	if err != nil {
		p.Kill()
		return nil, nil, err
	}
	var c connection
	_, w.noStream = q.ask(&c, time.Now())
	c.close()
	return p, w, nil
}

// answers waits until a way gives right answers.
func answers(ctx context.Context, w *way) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	q, err := w.question(0, false)
	if err != nil {
		return err
	}
	for {
		var c connection
		_, err := q.ask(&c, time.Now())
		c.close()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", w.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// config is MATRIX's: the model server as services, one that answers at once and one that thinks, each outside of
// the house, for roles, and in it, for calls by name.
const config = `ai:
  providers:
    quick: {kind: openai, base_url: %[1]q, api_key: %[3]s}
    slow: {kind: openai, base_url: %[2]q, api_key: %[3]s}
    near-quick: {kind: openai, base_url: %[4]q, api_key: %[3]s, in_house: true}
    near-slow: {kind: openai, base_url: %[5]q, api_key: %[3]s, in_house: true}
  keep_texts: none
`

// startMatrix starts MATRIX on an engine and makes what its callers need: a token that may ask models, and roles.
func startMatrix(ctx context.Context, dir, binary, model string, engine *rig.Engine, thinks time.Duration) (*rig.Matrix, []*way, error) {
	file := filepath.Join(dir, "matrix.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, modelBase(model, 0, true), modelBase(model, thinks, true), modelKey, modelBase(model, 0, false), modelBase(model, thinks, false)), 0o600); err != nil {
		return nil, nil, err
	}
	m, err := rig.StartMatrix(ctx, dir, binary, "--clickhouse", engine.DSN(), "--config", file)
	if err != nil {
		return nil, nil, err
	}
	ways, err := prepare(ctx, m)
	if err != nil {
		return nil, nil, errors.Join(err, m.Stop())
	}
	return m, ways, nil
}

func prepare(ctx context.Context, m *rig.Matrix) ([]*way, error) {
	c, err := client.SignIn(ctx, m.URL, m.Email, m.Password)
	if err != nil {
		return nil, err
	}
	for _, service := range []string{"quick", "slow"} {
		role := map[string]any{
			"code": "analyst-" + service, "system_message": system, "keep_texts": "masked", "parameters": map[string]any{"temperature": 0.2, "max_tokens": 512},
			"chain": []map[string]any{{"provider": service, "model": "bench-model", "timeout_ms": 0}},
		}
		if _, err := c.Call(ctx, http.MethodPost, "/api/v1/roles", "", role, nil); err != nil {
			return nil, err
		}
	}
	var token struct {
		Secret string `json:"secret"`
	}
	ask := map[string]any{"name": "bench", "scopes": []string{"ai.model"}, "expires_at": time.Now().Add(24 * time.Hour)}
	if _, err := c.Call(ctx, http.MethodPost, "/api/v1/tokens", "", ask, &token); err != nil {
		return nil, err
	}
	address := strings.TrimPrefix(m.URL, "http://")
	named := func(before, after string) func(time.Duration) string {
		return func(thinks time.Duration) string {
			if thinks > 0 {
				return before + "slow" + after
			}
			return before + "quick" + after
		}
	}
	header := always("Authorization: Bearer " + token.Secret + "\r\n")
	ways := []*way{
		{name: "MATRIX, pass-through", address: address, path: always(modelPath), header: header, model: named("near-", "/bench-model"), matrix: true},
		{name: "MATRIX, role", address: address, path: always(modelPath), header: header, model: named("role:analyst-", ""), matrix: true},
	}
	for _, w := range ways {
		if err := answers(ctx, w); err != nil {
			return nil, err
		}
	}
	return ways, nil
}
