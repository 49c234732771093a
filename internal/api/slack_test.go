package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestAButtonPressedInSlackActsOnceItsSignatureFits(t *testing.T) {
	const secret = "8f742231b10e8888abcd99yyyzzz85a5"
	n := newNeighbours(t, metadbtest.SQLite(t))
	id := n.a.newIncident()
	channel, err := n.opts.Outbox.Targets().Create(t.Context(), notify.Target{Project: n.a.id(), Kind: "slack", Name: "ops", Enabled: true,
		Config: json.RawMessage(`{"token": "xoxb-1", "channel": "#ops", "signing_secret": "` + secret + `"}`)}, "kim")
	n.must(err)
	var raw []byte
	n.must(n.db.QueryRow(t.Context(), `SELECT body FROM notify_message WHERE ref = $1 AND kind = 'incident.alarm'`, fmt.Sprintf("incident/%d", id)).Scan(&raw))
	var message notify.Message
	n.must(json.Unmarshal(raw, &message))
	if len(message.Actions) != 2 {
		t.Fatalf("the alarm offers %+v", message.Actions)
	}
	state := func() string {
		d, err := n.opts.Incidents.Get(t.Context(), n.a.id(), id)
		n.must(err)
		return d.State + " by " + d.AcknowledgedBy
	}
	press := func(path, key string, at time.Time, value string) int {
		t.Helper()
		payload, err := json.Marshal(map[string]any{"type": "block_actions", "user": map[string]string{"id": "U1", "name": "lee"},
			"actions": []map[string]string{{"type": "button", "action_id": "act_1", "block_id": "b", "value": value}}})
		n.must(err)
		body := url.Values{"payload": {string(payload)}}.Encode()
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte("v0:" + stamp + ":" + body))
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		n.handler.ServeHTTP(w, r)
		return w.Code
	}
	own := fmt.Sprintf("/api/v1/slack/%d/%d", n.a.id(), channel.ID)
	acknowledge := message.Actions[0].URL
	for what, code := range map[string]int{
		"another secret":  press(own, strings.Repeat("x", 32), time.Now(), acknowledge),
		"an old request":  press(own, secret, time.Now().Add(-6*time.Minute), acknowledge),
		"another project": press(fmt.Sprintf("/api/v1/slack/%d/%d", n.b.id(), channel.ID), secret, time.Now(), acknowledge),
		"no channel":      press(fmt.Sprintf("/api/v1/slack/%d/%d", n.a.id(), channel.ID+99), secret, time.Now(), acknowledge),
	} {
		if code != http.StatusUnauthorized || state() != "open by " {
			t.Errorf("%s: %d, it is %s", what, code, state())
		}
	}
	if code := press(own, secret, time.Now(), acknowledge+"x"); code != http.StatusNotFound {
		t.Errorf("a forged action: %d", code)
	}
	for range 2 { // Slack may send it twice
		if code := press(own, secret, time.Now(), acknowledge); code != http.StatusOK || state() != "acknowledged by lee (Slack)" {
			t.Errorf("%d, it is %s", code, state())
		}
	}
	if code := press(own, secret, time.Now(), message.Actions[1].URL); code != http.StatusOK {
		t.Errorf("resolve: %d", code)
	}
	if d, err := n.opts.Incidents.Get(t.Context(), n.a.id(), id); err != nil || d.State != incident.Resolved {
		t.Errorf("%+v, %v", d, err)
	}
}
