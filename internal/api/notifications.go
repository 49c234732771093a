package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// Reader is how messages ask for the person of an account: whether they may read a
// project, what they see of it unmasked, and whether they may act there. It is
// notify's Options.Person.
func Reader(tenants *tenant.Store) func(ctx context.Context, account int64, p project.ID) (notify.Person, error) {
	return func(ctx context.Context, account int64, p project.ID) (notify.Person, error) {
		user, err := tenants.User(ctx, account)
		if err != nil {
			return notify.Person{}, err
		}
		if user.Disabled {
			return notify.Person{}, fault.New(fault.Denied, "the account is disabled")
		}
		actor := tenant.Actor{UserID: account, Name: user.Name}
		place, err := tenants.Allow(ctx, actor, tenant.ProjectRead, tenant.Target{Project: p})
		if err != nil {
			return notify.Person{}, err
		}
		who := notify.Person{Name: user.Name, Email: user.Email, Organisation: place.Org}
		if !place.Sees.Personal {
			who.Hidden = append(who.Hidden, personal...)
		}
		if !place.Sees.SQL {
			who.Hidden = append(who.Hidden, mask.Literal)
		}
		err = tenants.Can(ctx, actor, tenant.ProjectWrite, tenant.Target{Project: p})
		if who.Acts = err == nil; fault.Is(err, fault.Denied) {
			err = nil
		}
		return who, err
	}
}

// NotificationsRequest is what one edits of what one wants to be told of.
type NotificationsRequest struct {
	Language string                `json:"language" enum:"ko,en," doc:"empty for that of the message"`
	TimeZone string                `json:"time_zone" maxLength:"64" doc:"IANA name; empty for UTC"`
	Quiet    *notify.Quiet         `json:"quiet,omitempty"`
	Digest   *notify.Digest        `json:"digest,omitempty"`
	Ways     []notify.Way          `json:"ways" maxItems:"10"`
	Rules    []notify.PersonalRule `json:"rules" maxItems:"20"`
}

// MyNotifications is what I want to be told of, and what could tell me.
type MyNotifications struct {
	notify.Personal
	// Kinds are the ways there can be.
	Kinds []WayKind `json:"kinds"`
}

// WayKind is a kind of channel that can reach people.
type WayKind struct {
	Kind     string `json:"kind"`
	Projects int    `json:"projects" doc:"projects of mine with such a channel that carries personal messages"`
}

// WayTest names the way to test.
type WayTest struct {
	Kind string `json:"kind" minLength:"1" maxLength:"50"`
}

func (s *server) registerNotifications() {
	const path = "/api/v1/me/notifications"
	register(s, tenant.SelfRead, get("get-my-notifications", path, "What I want to be told of, and by which ways"),
		func(ctx context.Context, a tenant.Actor, _ *nothing) (*edited[MyNotifications], error) {
			p, err := s.opts.Outbox.Personal(ctx, a.UserID)
			if err != nil {
				return nil, err
			}
			return s.myNotifications(ctx, a, p)
		})
	register(s, tenant.SelfWrite, put("update-my-notifications", path, "Change what I want to be told of"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			InVersion
			Body NotificationsRequest
		}) (*edited[MyNotifications], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			b := in.Body
			p, err := s.opts.Outbox.SetPersonal(ctx, a.UserID, notify.Personal{Language: b.Language, TimeZone: b.TimeZone,
				Quiet: b.Quiet, Digest: b.Digest, Ways: b.Ways, Rules: b.Rules, Version: version})
			if err != nil {
				return nil, err
			}
			return s.myNotifications(ctx, a, p)
		})
	register(s, tenant.SelfWrite, post("test-my-notifications", path+"/test", "Send me a test message now, by one of my ways", http.StatusNoContent),
		func(ctx context.Context, a tenant.Actor, in *struct{ Body WayTest }) (*struct{}, error) {
			mine, err := s.myProjects(ctx, a)
			if err != nil {
				return nil, err
			}
			return done(s.opts.Outbox.TestPersonal(ctx, a.UserID, in.Body.Kind, mine, s.testMessage(a)))
		})
	register(s, tenant.SelfRead, get("list-my-notifications", "/api/v1/me/notification-deliveries", "What became of messages to me, newest first, with every attempt"),
		func(ctx context.Context, a tenant.Actor, in *struct {
			Cursor string `query:"cursor" maxLength:"20"`
			Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
		}) (*result[DeliveryPage], error) {
			before, err := readDeliveryCursor(in.Cursor)
			if err != nil {
				return nil, err
			}
			mine, err := s.myProjects(ctx, a)
			if err != nil {
				return nil, err
			}
			return deliveryPage(in.Limit)(s.opts.Outbox.PersonalLog(ctx, a.UserID, mine, before, in.Limit))
		})
}

func (s *server) myNotifications(ctx context.Context, a tenant.Actor, p notify.Personal) (*edited[MyNotifications], error) {
	mine, err := s.myProjects(ctx, a)
	if err != nil {
		return nil, err
	}
	reach, err := s.opts.Outbox.Reaches(ctx, mine)
	out := MyNotifications{Personal: p, Kinds: []WayKind{}}
	for _, kind := range s.opts.Outbox.Targets().Carriers() {
		out.Kinds = append(out.Kinds, WayKind{kind, reach[kind]})
	}
	return versioned(out, p.Version, err)
}

// myProjects are the projects that an actor can read.
func (s *server) myProjects(ctx context.Context, a tenant.Actor) ([]project.ID, error) {
	list, err := s.tenants.Projects(ctx, a)
	ids := make([]project.ID, len(list))
	for i, p := range list {
		ids[i] = p.ID
	}
	return ids, err
}

// testMessage is what a test of a channel or a way says.
func (s *server) testMessage(a tenant.Actor) notify.Message {
	return notify.Message{
		Kind: "test", Subject: "MATRIX", Text: a.Name + ": this is a test message.", Link: s.origin, Severity: notify.Info, Language: "en",
		Words: map[string]notify.Words{"ko": {Subject: "MATRIX", Text: a.Name + " 님이 보낸 시험 메시지입니다."}},
	}
}

// readDeliveryCursor returns the delivery before which a page begins, 0 for the first page.
func readDeliveryCursor(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	before, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || before < 1 {
		return 0, fault.New(fault.Invalid, "cursor is not one of this list").WithField("cursor")
	}
	return before, nil
}

// deliveryPage makes a page of so many deliveries.
func deliveryPage(limit int) func(items []notify.Delivery, err error) (*result[DeliveryPage], error) {
	return func(items []notify.Delivery, err error) (*result[DeliveryPage], error) {
		page := DeliveryPage{Items: items}
		if len(items) == limit {
			page.NextCursor = strconv.FormatInt(items[len(items)-1].ID, 10)
		}
		return ok(page, err)
	}
}
