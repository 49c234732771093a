package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/incident"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// InSlack is what Slack sends when somebody presses a button of a message.
type InSlack struct {
	InProject
	Channel   int64  `path:"channel" minimum:"1" doc:"the channel that sent the message"`
	Timestamp string `header:"X-Slack-Request-Timestamp" maxLength:"20"`
	Signature string `header:"X-Slack-Signature" maxLength:"100"`
	RawBody   []byte `contentType:"application/x-www-form-urlencoded"`
}

func (s *server) registerSlack() {
	op := post("press-slack-button", "/api/v1/slack/{project}/{channel}", "A button of a message in Slack was pressed: signed by the Slack app of the channel", http.StatusOK)
	op.MaxBodyBytes = 256 << 10
	register(s, public, op, func(ctx context.Context, _ tenant.Actor, in *InSlack) (*struct{}, error) {
		kind, config, err := s.opts.Outbox.Targets().Config(ctx, in.Project, in.Channel)
		if fault.Is(err, fault.NotFound) || err == nil && kind != "slack" {
			return nil, fault.New(fault.Unauthenticated, "the request is not signed by the Slack app of this channel") // a stranger learns nothing
		}
		if err != nil {
			return nil, err
		}
		presses, err := slack.New(slack.Options{}).Read(config, http.Header{
			"X-Slack-Request-Timestamp": {in.Timestamp}, "X-Slack-Signature": {in.Signature}}, in.RawBody)
		if err != nil {
			return nil, err
		}
		for _, p := range presses {
			// The address is a signed link of ours: it says what may be done to which incident.
			token := p.URL[strings.LastIndex(p.URL, "/")+1:]
			grant, _, err := s.opts.Incidents.Read(ctx, token)
			if err != nil {
				return nil, err
			}
			if grant.Project != in.Project {
				return nil, fault.New(fault.Denied, "the button is of another project")
			}
			if _, err := s.opts.Incidents.Follow(ctx, token, incident.Person{Name: oneWord(p.User) + " (Slack)"}); err != nil {
				return nil, err
			}
		}
		return &struct{}{}, nil
	})
}

// oneWord makes a name that Slack sent fit for a timeline.
func oneWord(name string) string {
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > 80 {
		name = string(r[:80])
	}
	return name
}
