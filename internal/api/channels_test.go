package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/metadb/metadbtest"
	"github.com/matrix-aiops/matrix/internal/notify"
)

func TestARoutingIsEditedByItsVersionAndKeepsItsChannels(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	var channel notify.Target
	h.decode(c.do(http.MethodPost, h.projectPath("/channels"), map[string]any{"name": "ops", "kind": "sink", "enabled": true,
		"language": "ko", "config": map[string]string{}}, nil), http.StatusCreated, &channel)
	path := h.projectPath("/channel-routing")
	var r notify.Routing
	h.decode(c.do(http.MethodGet, path, nil, nil), http.StatusOK, &r)
	if r.Version != 0 || len(r.Routes) != 0 || channel.Language != "ko" {
		t.Fatalf("%+v, %+v", r, channel)
	}
	body := RoutingRequest{TimeZone: "Asia/Seoul", FirstOnly: true,
		Routes: []notify.Route{{Name: "night", Severities: []string{"critical"}, Channels: []int64{channel.ID}}},
		Quiet:  &notify.Quiet{Hours: notify.Hours{From: "22:00", To: "07:00"}, Below: "critical"}}
	h.decode(c.do(http.MethodPut, path, body, []string{"If-Match", `"v0"`}), http.StatusOK, &r)
	if r.Version != 1 || r.UpdatedBy != "admin" || !r.FirstOnly || r.Quiet == nil {
		t.Errorf("%+v", r)
	}
	h.problem(c.do(http.MethodPut, path, body, []string{"If-Match", `"v0"`}), http.StatusPreconditionFailed)
	body.Routes[0].Channels = []int64{99}
	if p := h.problem(c.do(http.MethodPut, path, body, []string{"If-Match", `"v1"`}), http.StatusUnprocessableEntity); p.Field != "routes.0.channels" {
		t.Errorf("%+v", p)
	}
	one := h.projectPath(fmt.Sprintf("/channels/%d", channel.ID))
	if p := h.problem(c.do(http.MethodDelete, one, nil, nil), http.StatusConflict); !strings.Contains(p.Detail, "night") {
		t.Errorf("%+v", p)
	}
	body.Routes = []notify.Route{}
	h.decode(c.do(http.MethodPut, path, body, []string{"If-Match", `"v1"`}), http.StatusOK, nil)
	h.decode(c.do(http.MethodDelete, one, nil, nil), http.StatusNoContent, nil)
}

func TestTheDeliveryLogIsReadPageByPage(t *testing.T) {
	h := newHouse(t, metadbtest.SQLite(t), nil, nil)
	c := h.admin()
	h.decode(c.do(http.MethodPost, h.projectPath("/channels"), map[string]any{"name": "ops", "kind": "sink", "enabled": true, "config": map[string]string{}}, nil), http.StatusCreated, nil)
	for i := range 3 {
		h.must(h.db.InTx(t.Context(), func(ctx context.Context, tx *metadb.Tx) error {
			return h.opts.Outbox.Enqueue(ctx, tx, nil, notify.Message{Project: h.first.Project.ID, Key: fmt.Sprint(i), Kind: "test.message", Ref: "test/1", Subject: fmt.Sprint("message ", i)})
		}))
	}
	var got []string
	cursor := ""
	for range 2 {
		var page DeliveryPage
		h.decode(c.do(http.MethodGet, h.projectPath("/channel-deliveries?limit=2&state=pending&cursor="+cursor), nil, nil), http.StatusOK, &page)
		for _, d := range page.Items {
			got = append(got, d.Subject)
		}
		cursor = page.NextCursor
	}
	if text := strings.Join(got, ", "); text != "message 2, message 1, message 0" || cursor != "" {
		t.Errorf("%s, then %q", text, cursor)
	}
	h.problem(c.do(http.MethodGet, h.projectPath("/channel-deliveries?cursor=x"), nil, nil), http.StatusUnprocessableEntity)
	h.problem(c.do(http.MethodPost, h.projectPath("/channel-preview"), ChannelPreviewRequest{Kind: "sink", Config: json.RawMessage(`{}`)}, nil), http.StatusNotImplemented)
}
