package incident

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/report"
)

// linkLife is how long a signed link works.
const linkLife = 24 * time.Hour

// Action is a signed link in a message: whoever has it may do one thing to one
// incident until it expires.
type Action = notify.Action

// Grant is what a signed link allows.
type Grant struct {
	Project  project.ID `json:"p"`
	Incident int64      `json:"i"`
	State    string     `json:"s"` // Acknowledged or Resolved
	Expires  int64      `json:"e"` // Unix seconds
	Life     int        `json:"l"` // Incident.Reopened: what was sent before it came back is void
}

// actions are the links of a message about an incident that goes on.
func (s *Service) actions(c *record, language string) []Action {
	if len(s.opts.Key) == 0 || c.Ended() {
		return nil
	}
	ack, end := "확인", "해결 처리"
	if language == report.English {
		ack, end = "Acknowledge", "Resolve"
	}
	var out []Action
	if c.State == Open {
		out = append(out, Action{Label: ack, URL: s.sign(c, Acknowledged)})
	}
	return append(out, Action{Label: end, URL: s.sign(c, Resolved)})
}

func (s *Service) sign(c *record, state string) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(encode(Grant{c.Project, c.ID, state, s.opts.Now().Add(linkLife).Unix(), c.Reopened})))
	return fmt.Sprintf("%s/api/v1/incident-links/%s.%s", s.opts.BaseURL, body, base64.RawURLEncoding.EncodeToString(s.mac(body)))
}

func (s *Service) mac(body string) []byte {
	mac := hmac.New(sha256.New, s.opts.Key)
	mac.Write([]byte("incident-link\n" + body))
	return mac.Sum(nil)
}

// Read returns what a signed link allows, and the incident it is about. It returns
// fault.NotFound for a link that is none of ours and fault.Denied for one that has
// expired, or is of a time before the incident came back. Nothing is changed by it.
func (s *Service) Read(ctx context.Context, token string) (Grant, Incident, error) {
	var g Grant
	none := fault.New(fault.NotFound, "there is no such link")
	if len(s.opts.Key) == 0 || len(token) > 1024 {
		return g, Incident{}, none
	}
	body, signature, found := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !found || err != nil || !hmac.Equal(given, s.mac(body)) {
		return g, Incident{}, none
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, &g) != nil {
		return g, Incident{}, none
	}
	if s.opts.Now().Unix() >= g.Expires {
		return g, Incident{}, fault.New(fault.Denied, "the link has expired: open the incident in MATRIX")
	}
	c, err := s.load(ctx, s.opts.DB, g.Project, g.Incident)
	if err == nil && c.Reopened != g.Life {
		err = fault.New(fault.Denied, "the incident came back after this link was sent: open it in MATRIX")
	}
	return g, c.Incident, err
}

// Follow does what a signed link allows, by whoever has it.
func (s *Service) Follow(ctx context.Context, token string, by Person) (Incident, error) {
	g, i, err := s.Read(ctx, token)
	if err != nil {
		return i, err
	}
	if g.State == Resolved {
		err = s.Resolve(ctx, g.Project, g.Incident, by)
	} else {
		err = s.Turn(ctx, g.Project, g.Incident, g.State, by)
	}
	if err != nil {
		return i, err
	}
	_, i, err = s.Read(ctx, token)
	return i, err
}
