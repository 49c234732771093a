// Package client uses MATRIX as a browser does: signed in with a session
// cookie, through the HTTP API. The demo and the end-to-end tests drive the
// product with it.
//
// It is a client of the product: it speaks HTTP and imports nothing of MATRIX.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"
)

const (
	timeout    = 30 * time.Second
	maxProblem = 64 << 10 // bytes of an error's body that are read
)

// Client is one signed-in session. Its methods are safe for concurrent use.
type Client struct {
	url  string
	http *http.Client
}

// Error is an answer that is not a success.
type Error struct {
	Status int
	Detail string // of the problem document, "" when there was none
	call   string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %d %s", e.call, e.Status, e.Detail)
}

// New returns a client of the MATRIX at url that has not signed in.
func New(url string) *Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // cookiejar.New fails on no options it knows
	}
	return &Client{url: strings.TrimSuffix(url, "/"), http: &http.Client{Jar: jar, Timeout: timeout}}
}

// SignIn returns a client with a session of that account.
func SignIn(ctx context.Context, url, email, password string) (*Client, error) {
	c := New(url)
	credentials := map[string]string{"email": email, "password": password}
	if _, err := c.Call(ctx, http.MethodPost, "/api/v1/session", "", credentials, nil); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return c, nil
}

// Get reads path into out, which may be nil, and returns the answer's ETag.
func (c *Client) Get(ctx context.Context, path string, out any) (etag string, err error) {
	return c.Call(ctx, http.MethodGet, path, "", nil, out)
}

// Call sends one request with in as its JSON body (nil for none), decodes the
// answer into out (nil to drop it) and returns the answer's ETag. ifMatch is
// the ETag of what is edited, "" for none. An answer of 300 and above is an *Error.
func (c *Client) Call(ctx context.Context, method, path, ifMatch string, in, out any) (etag string, err error) {
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return "", err
		}
		body = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return "", err
	}
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if ifMatch != "" {
		request.Header.Set("If-Match", ifMatch)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		failure := &Error{Status: response.StatusCode, call: method + " " + path}
		var problem struct{ Detail string }
		if json.NewDecoder(io.LimitReader(response.Body, maxProblem)).Decode(&problem) == nil {
			failure.Detail = problem.Detail
		}
		return "", failure
	}
	if out != nil {
		err = json.NewDecoder(response.Body).Decode(out)
	}
	return response.Header.Get("ETag"), err
}
