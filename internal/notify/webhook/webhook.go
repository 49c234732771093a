// Package webhook posts messages as signed JSON to an address of the user's.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

// minSecret is the shortest secret accepted, in bytes.
const minSecret = 16

// Options are the dependencies of a Channel. Client is required.
type Options struct {
	Client *http.Client // from notify.NewClient
	Guard  notify.Guard // to refuse forbidden literal addresses early
	Now    func() time.Time
}

// Channel posts messages to webhooks.
type Channel struct{ opts Options }

// New returns a webhook channel.
func New(opts Options) *Channel {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Channel{opts: opts}
}

type config struct {
	URL    string `json:"url"`
	Secret string `json:"secret"`
	// Template replaces the body, ContentType says what it is then.
	Template    string `json:"template,omitempty"`
	ContentType string `json:"content_type,omitempty"`
}

// body is what a receiver gets. It is the same at every attempt.
type body struct {
	ID      string `json:"id"` // the delivery's key, also in Idempotency-Key
	Event   string `json:"event"`
	Project uint32 `json:"project_id"`
	Ref     string `json:"ref,omitempty"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Link    string `json:"link,omitempty"`
	Data    any    `json:"data,omitempty"`

	Severity    string            `json:"severity,omitempty"`
	Service     string            `json:"service,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Thread      string            `json:"thread,omitempty"`
	State       string            `json:"state,omitempty"`
}

// Kind is "webhook".
func (c *Channel) Kind() string { return "webhook" }

// Secrets is the signing secret.
func (c *Channel) Secrets() []string { return []string{"secret"} }

// Check wants {"url": "https://…", "secret": "at least 16 bytes"}, and takes a
// template for the body.
func (c *Channel) Check(raw json.RawMessage) error {
	_, err := c.read(raw)
	return err
}

func (c *Channel) read(raw json.RawMessage) (config, error) {
	var cfg config
	if err := notify.ReadConfig(raw, &cfg, `{"url": …, "secret": …, "template": …, "content_type": …}`); err != nil {
		return cfg, err
	}
	if err := c.opts.Guard.CheckAddress(cfg.URL, "url"); err != nil {
		return cfg, err
	}
	if len(cfg.Secret) < minSecret {
		return cfg, fault.New(fault.Invalid, "secret must have at least %d characters", minSecret).WithField("config.secret")
	}
	return cfg, cfg.checkTemplate()
}

// Send posts m and takes any 2xx for delivered.
func (c *Channel) Send(ctx context.Context, raw json.RawMessage, m notify.Message) error {
	cfg, err := c.read(raw)
	if err != nil {
		return err
	}
	payload, kind, err := cfg.payload(m)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.URL, bytes.NewReader(payload))
	if err != nil {
		return fault.New(fault.Invalid, "url is not an address").WithField("config.url")
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "MATRIX-Webhook/1")
	req.Header.Set("Idempotency-Key", m.Key)
	req.Header.Set("X-Matrix-Event", m.Kind)
	req.Header.Set("X-Matrix-Signature", Signature(cfg.Secret, c.opts.Now(), payload))

	resp, err := c.opts.Client.Do(req)
	if err != nil {
		return notify.TransportFault(err)
	}
	// A little of the answer is read so that the connection can be used again.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	resp.Body.Close()
	return notify.StatusFault(resp.StatusCode, resp.Header)
}

// Signature is the value of X-Matrix-Signature: `t=<unix seconds>,v1=<hex>`,
// where v1 is HMAC-SHA256 with the secret over `<unix seconds>.<body>`. The time
// is signed too, so a receiver can refuse a request that was kept and replayed.
func Signature(secret string, at time.Time, payload []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(payload)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
