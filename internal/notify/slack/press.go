package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	slackapi "github.com/slack-go/slack"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// pressed begins the ids of buttons that act at once.
const pressed = "act_"

// Press is a button of a message that somebody pressed.
type Press struct {
	URL  string // the address of the action
	User string // who pressed it, as Slack calls them
}

// Read returns what was pressed, from a request of Slack to a channel of this
// config: none for a press that is no action of ours. It returns
// fault.Unauthenticated unless the app's signature fits and is not older than five
// minutes.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func (c *Channel) Read(raw json.RawMessage, header http.Header, body []byte) ([]Press, error) {
	cfg, err := c.read(raw)
	if err != nil {
		return nil, err
	}
	refused := fault.New(fault.Unauthenticated, "the request is not signed by the Slack app of this channel")
	if cfg.SigningSecret == "" {
		return nil, refused
	}
	signature, err := slackapi.NewSecretsVerifier(header, cfg.SigningSecret)
	if err != nil {
		return nil, refused
	}
	if _, err := signature.Write(body); err != nil || signature.Ensure() != nil {
		return nil, refused
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the body is no form")
	}
	var sent slackapi.InteractionCallback
	if err := json.Unmarshal([]byte(form.Get("payload")), &sent); err != nil {
		return nil, fault.New(fault.Invalid, "the payload is no interaction of Slack").WithField("payload")
	}
	var presses []Press
	for _, action := range sent.ActionCallback.BlockActions {
		if strings.HasPrefix(action.ActionID, pressed) {
			presses = append(presses, Press{URL: action.Value, User: sent.User.Name})
		}
	}
	return presses, nil
}
