package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// ChannelRequest is what one edits of a channel.
type ChannelRequest struct {
	Name    string          `json:"name" minLength:"1" maxLength:"100"`
	Kind    string          `json:"kind" minLength:"1" maxLength:"50" doc:"one of the channel kinds; it cannot change"`
	Enabled bool            `json:"enabled"`
	Config  json.RawMessage `json:"config" doc:"the kind's own settings; a secret given as ******** stays what it is"`
	// Language of what this channel is told, where a message is written in it.
	Language string `json:"language,omitempty" enum:"ko,en," doc:"empty for that of the message"`
	Personal bool   `json:"personal,omitempty" doc:"it also carries what people want told to themselves"`
}

// ChannelPreviewRequest asks what a channel of a kind would send.
type ChannelPreviewRequest struct {
	Kind   string          `json:"kind" minLength:"1" maxLength:"50"`
	Config json.RawMessage `json:"config" doc:"as in a channel; only its template is read"`
}

// ChannelPreview is what it would send.
type ChannelPreview struct {
	Body string `json:"body"`
}

// RoutingRequest is what one edits of a project's routing.
type RoutingRequest struct {
	TimeZone  string         `json:"time_zone" maxLength:"64" doc:"IANA name; empty for UTC"`
	FirstOnly bool           `json:"first_only" doc:"only the first route that fits; else all that fit"`
	Routes    []notify.Route `json:"routes" maxItems:"50"`
	Quiet     *notify.Quiet  `json:"quiet,omitempty"`
	Digest    *notify.Digest `json:"digest,omitempty"`
}

func (r ChannelRequest) target(p project.ID, id, version int64) notify.Target {
	return notify.Target{ID: id, Project: p, Version: version, Kind: r.Kind, Name: r.Name, Config: r.Config, Enabled: r.Enabled, Language: r.Language, Personal: r.Personal}
}

// ChannelKinds is what channels can be made of here.
type ChannelKinds struct {
	Kinds []string `json:"kinds"`
}

// InChannel names a channel in the path.
type InChannel struct {
	InProject
	Channel int64 `path:"channel" minimum:"1" doc:"channel id"`
}

func (s *server) registerChannels() {
	targets := s.opts.Outbox.Targets
	register(s, tenant.SelfRead, get("list-channel-kinds", "/api/v1/channel-kinds", "The kinds of channels that can be made"),
		func(context.Context, tenant.Actor, *nothing) (*result[ChannelKinds], error) {
			return ok(ChannelKinds{targets().Kinds()}, nil)
		})
	register(s, tenant.ProjectRead, get("list-channels", "/api/v1/projects/{project}/channels", "Where a project's messages go"),
		func(ctx context.Context, a tenant.Actor, in *InProject) (*result[Page[notify.Target]], error) {
			list, err := targets().List(ctx, in.Project)
			if err != nil {
				return nil, err
			}
			return all(s.asSeenBy(ctx, a, in.Project, list))
		})
	register(s, tenant.ProjectWrite, post("create-channel", "/api/v1/projects/{project}/channels", "Make a channel", http.StatusCreated),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			Body ChannelRequest
		}) (*edited[notify.Target], error) {
			t, err := targets().Create(ctx, in.Body.target(in.Project, 0, 0), a.Name)
			return versioned(t, t.Version, err)
		})
	register(s, tenant.ProjectRead, get("get-channel", "/api/v1/projects/{project}/channels/{channel}", "One channel, its secrets masked, and for who cannot edit it its addresses too"),
		func(ctx context.Context, a tenant.Actor, in *InChannel) (*edited[notify.Target], error) {
			t, err := targets().Get(ctx, in.Project, in.Channel)
			if err != nil {
				return nil, err
			}
			seen, err := s.asSeenBy(ctx, a, in.Project, []notify.Target{t})
			if err != nil {
				return nil, err
			}
			return versioned(seen[0], t.Version, nil)
		})
	register(s, tenant.ProjectWrite, put("update-channel", "/api/v1/projects/{project}/channels/{channel}", "Change a channel"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InChannel
			InVersion
			Body ChannelRequest
		}) (*edited[notify.Target], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			t, err := targets().Update(ctx, in.Body.target(in.Project, in.Channel, version), a.Name)
			return versioned(t, t.Version, err)
		})
	register(s, tenant.ProjectWrite, del("delete-channel", "/api/v1/projects/{project}/channels/{channel}", "Delete a channel that no rule names"),
		func(ctx context.Context, _ tenant.Actor, in *InChannel) (*struct{}, error) {
			if err := s.unnamed(ctx, in.Project, in.Channel); err != nil {
				return nil, err
			}
			return done(targets().Delete(ctx, in.Project, in.Channel))
		})
	register(s, tenant.ProjectWrite, post("test-channel", "/api/v1/projects/{project}/channels/{channel}/test", "Send a test message now", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *InChannel) (*struct{}, error) {
			return done(s.opts.Outbox.Test(ctx, in.Project, in.Channel, s.testMessage(a)))
		})
}

// registerRouting registers which channels get what, and what became of it.
func (s *server) registerRouting() {
	targets := s.opts.Outbox.Targets
	register(s, tenant.ProjectRead, get("get-channel-routing", "/api/v1/projects/{project}/channel-routing", "Which channels get what, and when"),
		func(ctx context.Context, _ tenant.Actor, in *InProject) (*edited[notify.Routing], error) {
			r, err := targets().Routing(ctx, in.Project)
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectWrite, put("update-channel-routing", "/api/v1/projects/{project}/channel-routing", "Change which channels get what, and when"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InProject
			InVersion
			Body RoutingRequest
		}) (*edited[notify.Routing], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			r, err := targets().SetRouting(ctx, in.Project, notify.Routing{TimeZone: in.Body.TimeZone, FirstOnly: in.Body.FirstOnly,
				Routes: in.Body.Routes, Quiet: in.Body.Quiet, Digest: in.Body.Digest, Version: version}, a.Name)
			return versioned(r, r.Version, err)
		})
	register(s, tenant.ProjectRead, get("list-channel-deliveries", "/api/v1/projects/{project}/channel-deliveries", "What became of a project's messages, newest first, with every attempt"),
		func(ctx context.Context, _ tenant.Actor, in *struct {
			InProject
			Channel int64  `query:"channel" minimum:"0" doc:"of this channel only"`
			State   string `query:"state" enum:"pending,sending,delivered,failed,held,joined" doc:"in this state only"`
			Ref     string `query:"ref" maxLength:"200" doc:"about this only, like incident/12"`
			Cursor  string `query:"cursor" maxLength:"20"`
			Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
		}) (*result[DeliveryPage], error) {
			before, err := readDeliveryCursor(in.Cursor)
			if err != nil {
				return nil, err
			}
			return deliveryPage(in.Limit)(s.opts.Outbox.DeliveryLog(ctx, in.Project,
				notify.DeliveryQuery{Ref: in.Ref, Target: in.Channel, State: in.State, Before: before, Limit: in.Limit}))
		})
	register(s, tenant.ProjectWrite, post("preview-channel", "/api/v1/projects/{project}/channel-preview", "What a channel's template makes of a sample message", http.StatusOK),
		func(_ context.Context, _ tenant.Actor, in *struct {
			InProject
			Body ChannelPreviewRequest
		}) (*result[ChannelPreview], error) {
			body, err := s.opts.Outbox.Preview(in.Body.Kind, in.Body.Config, notify.Sample())
			return ok(ChannelPreview{body}, err)
		})
}

// DeliveryPage is a part of the delivery log.
type DeliveryPage struct {
	Items      []notify.Delivery `json:"items"`
	NextCursor string            `json:"next_cursor" doc:"send it as cursor for the next page; empty on the last"`
}

// asSeenBy leaves only the host of addresses to an actor who cannot edit them.
func (s *server) asSeenBy(ctx context.Context, a tenant.Actor, p project.ID, targets []notify.Target) ([]notify.Target, error) {
	err := s.tenants.Can(ctx, a, tenant.ProjectWrite, tenant.Target{Project: p})
	if fault.Is(err, fault.Denied) {
		for i, t := range targets {
			targets[i] = t.Outline()
		}
		return targets, nil
	}
	return targets, err
}

// unnamed refuses a channel that rules or routes name: their alarms would go elsewhere
// without anybody having said so.
func (s *server) unnamed(ctx context.Context, p project.ID, channel int64) error {
	rules, err := s.opts.Rules.List(ctx, p)
	if err != nil {
		return err
	}
	var names []string
	for _, r := range rules {
		if slices.Contains(r.Channels, channel) {
			names = append(names, strconv.Quote(r.Name))
		}
	}
	routing, err := s.opts.Outbox.Targets().Routing(ctx, p)
	if err != nil {
		return err
	}
	if routes := routing.Names(channel); len(names) == 0 && len(routes) > 0 {
		return fault.New(fault.Conflict, "routes send to this channel: take it out of %s first", strings.Join(routes, ", ")).WithField("channel")
	}
	if len(names) > 0 {
		return fault.New(fault.Conflict, "rules send to this channel: take it out of %s first", strings.Join(names, ", ")).WithField("channel")
	}
	return nil
}
