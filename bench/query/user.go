package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/matrix-aiops/matrix/bench/rig"
	"github.com/matrix-aiops/matrix/internal/client"
	"github.com/matrix-aiops/matrix/internal/project"
)

// user asks the HTTP API with an API token of its own, over one kept connection, as a script of a user does.
type user struct {
	http    *http.Client
	url     string // of the server
	id      project.ID
	project string // its path in the API
	token   string
	known   map[string][]string // the query parameters of each path that can be read, by the API's own description
}

// signIn signs in with the account of the first start and makes a token for its project.
func signIn(ctx context.Context, matrix *rig.Matrix) (*user, error) {
	c, err := client.SignIn(ctx, matrix.URL, matrix.Email, matrix.Password)
	if err != nil {
		return nil, err
	}
	var me struct {
		Projects []struct {
			ID project.ID `json:"id"`
		} `json:"projects"`
	}
	if _, err := c.Get(ctx, "/api/v1/me", &me); err != nil {
		return nil, err
	}
	if len(me.Projects) != 1 {
		return nil, fmt.Errorf("%d projects after the first start", len(me.Projects))
	}
	var token struct {
		Secret string `json:"secret"`
	}
	ask := map[string]any{"name": "bench", "scopes": []string{"project.read"}, "expires_at": time.Now().Add(24 * time.Hour)}
	if _, err := c.Call(ctx, http.MethodPost, "/api/v1/tokens", "", ask, &token); err != nil {
		return nil, err
	}
	u := &user{http: &http.Client{Timeout: 2 * time.Minute}, url: matrix.URL, token: token.Secret, id: me.Projects[0].ID, project: fmt.Sprintf("/api/v1/projects/%d", me.Projects[0].ID)}
	return u, u.readDescription(ctx)
}

// readDescription reads what this MATRIX can be asked.
func (u *user) readDescription(ctx context.Context) error {
	text, _, err := u.get(ctx, "/api/openapi.yaml")
	if err != nil {
		return err
	}
	var described struct {
		Paths map[string]struct {
			Get *struct {
				Parameters []struct {
					Name string `yaml:"name"`
				} `yaml:"parameters"`
			} `yaml:"get"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(text, &described); err != nil {
		return fmt.Errorf("read the description of the API: %w", err)
	}
	u.known = map[string][]string{}
	for path, item := range described.Paths {
		if item.Get == nil {
			continue
		}
		u.known[path] = []string{}
		for _, p := range item.Get.Parameters {
			u.known[path] = append(u.known[path], p.Name)
		}
	}
	return nil
}

// get reads a path and returns the body and how long it took until its last byte.
func (u *user) get(ctx context.Context, path string) (body []byte, took time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url+path, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+u.token)
	began := time.Now()
	response, err := u.http.Do(request)
	if err != nil {
		return nil, 0, err
	}
	body, err = io.ReadAll(response.Body)
	took = time.Since(began)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, 0, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("GET %s: %s: %.500s", path, response.Status, body)
	}
	return body, took, nil
}

// path is that of a resource of the project, with its query.
func (u *user) path(resource string, query url.Values) string {
	return u.project + resource + "?" + query.Encode()
}

// ready waits until MATRIX can be used.
func (u *user) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, _, err := u.get(ctx, "/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready within a minute: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
