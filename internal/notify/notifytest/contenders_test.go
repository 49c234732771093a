package notifytest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	fakealimtalk "github.com/matrix-aiops/matrix/internal/fake/alimtalk"
	"github.com/matrix-aiops/matrix/internal/fake/channel"
	fakekakaowork "github.com/matrix-aiops/matrix/internal/fake/kakaowork"
	fakeopsgenie "github.com/matrix-aiops/matrix/internal/fake/opsgenie"
	fakepagerduty "github.com/matrix-aiops/matrix/internal/fake/pagerduty"
	fakeslack "github.com/matrix-aiops/matrix/internal/fake/slack"
	fakesmtp "github.com/matrix-aiops/matrix/internal/fake/smtp"
	faketeams "github.com/matrix-aiops/matrix/internal/fake/teams"
	faketelegram "github.com/matrix-aiops/matrix/internal/fake/telegram"
	fakewebhook "github.com/matrix-aiops/matrix/internal/fake/webhook"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/alimtalk"
	"github.com/matrix-aiops/matrix/internal/notify/email"
	"github.com/matrix-aiops/matrix/internal/notify/kakaowork"
	"github.com/matrix-aiops/matrix/internal/notify/opsgenie"
	"github.com/matrix-aiops/matrix/internal/notify/pagerduty"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
	"github.com/matrix-aiops/matrix/internal/notify/teams"
	"github.com/matrix-aiops/matrix/internal/notify/telegram"
	"github.com/matrix-aiops/matrix/internal/notify/webhook"
)

// service is what the suite asks of a fake.
type service interface {
	Messages() []channel.Message
	Requests() int
	Fail(n, status int)
	Limit(n int, after time.Duration)
	Refuse(n int)
	LoseAnswer()
	Hang()
	Resume()
}

// contender is a channel with a fake of its service.
type contender struct {
	channel notify.Channel
	service service
	config  map[string]string
	// secrets are what must not be told: values of config, or parts of them.
	secrets []string
	// bad are changes to config that cannot work, by the field that is named.
	bad map[string][]string
	// summary says that only a part of the text is sent on purpose: the rest is behind the link.
	summary bool
	// oneLink says that the service has room for the link alone.
	oneLink bool
	// keyed says that the service knows a message again by its key.
	keyed bool
	// silent says that the service cannot tell how long to wait.
	silent bool
	// whole says that the service sets no limit to a text.
	whole bool
	// state returns what the service has come to for the case of a key.
	state func(key string) string
}

func (c *contender) raw() json.RawMessage {
	raw, _ := json.Marshal(c.config)
	return raw
}

// with is the config with one field changed, or without it for "".
func (c *contender) with(field, value string) json.RawMessage {
	changed := map[string]string{}
	for k, v := range c.config {
		changed[k] = v
	}
	if changed[field] = value; value == "" {
		delete(changed, field)
	}
	raw, _ := json.Marshal(changed)
	return raw
}

var (
	dev    = notify.Guard{Dev: true}
	client = notify.NewClient(dev)
)

var contenders = map[string]func(t testing.TB) *contender{
	"email": func(t testing.TB) *contender {
		s := fakesmtp.New(t, true)
		return &contender{
			channel: email.New(email.Options{Guard: dev, Roots: s.Roots()}), service: s,
			config: map[string]string{"host": "127.0.0.1", "port": s.Port(), "username": fakesmtp.User, "password": fakesmtp.Password,
				"from": "MATRIX <" + fakesmtp.User + ">", "to": "ann@example.com, 김 <bob@example.com>"},
			secrets: []string{fakesmtp.Password},
			bad: map[string][]string{"host": {"", "http://x", "169.254.169.254"}, "port": {"0", "smtp", "70000"}, "security": {"ssl3"},
				"from": {"", "nobody"}, "to": {"", "a@", "a@example.com;b@example.com"}, "username": {""}},
			silent: true, keyed: true, whole: true,
		}
	},
	"teams": func(t testing.TB) *contender {
		s := faketeams.New(t)
		return &contender{
			channel: teams.New(teams.Options{Client: client, Dev: true}), service: s,
			config: map[string]string{"webhook_url": s.Address()}, secrets: []string{s.Secret()},
			bad: map[string][]string{"webhook_url": {"", "/relative", "https://user:pw@x.logic.azure.com/x"}},
		}
	},
	"telegram": func(t testing.TB) *contender {
		s := faketelegram.New(t)
		return &contender{
			channel: telegram.New(telegram.Options{Client: client, APIURL: s.URL()}), service: s,
			config: map[string]string{"token": faketelegram.Token, "chat_id": faketelegram.Chat}, secrets: []string{faketelegram.Token},
			bad: map[string][]string{"token": {"", "abc", "123456:short"}, "chat_id": {"", "my group", "@a b"}},
		}
	},
	"pagerduty": func(t testing.TB) *contender {
		s := fakepagerduty.New(t)
		return &contender{
			channel: pagerduty.New(pagerduty.Options{Client: client, URL: s.URL()}), service: s,
			config: map[string]string{"routing_key": fakepagerduty.Key}, secrets: []string{fakepagerduty.Key},
			bad:   map[string][]string{"routing_key": {"", "short"}, "region": {"asia"}},
			keyed: true, state: s.State,
		}
	},
	"opsgenie": func(t testing.TB) *contender {
		s := fakeopsgenie.New(t)
		return &contender{
			oneLink: true,
			channel: opsgenie.New(opsgenie.Options{Client: client, URL: s.URL()}), service: s,
			config: map[string]string{"api_key": fakeopsgenie.Key}, secrets: []string{fakeopsgenie.Key},
			bad:   map[string][]string{"api_key": {"", "short"}, "region": {"asia"}},
			keyed: true, state: s.State,
		}
	},
	"kakaowork": func(t testing.TB) *contender {
		s := fakekakaowork.New(t)
		return &contender{
			channel: kakaowork.New(kakaowork.Options{Client: client, APIURL: s.URL()}), service: s,
			config: map[string]string{"app_key": fakekakaowork.Key, "conversation_id": fakekakaowork.Room}, secrets: []string{fakekakaowork.Key},
			bad: map[string][]string{"app_key": {"", "short"}, "conversation_id": {"", "room"}},
		}
	},
	"kakaowork by e-mail": func(t testing.TB) *contender {
		s := fakekakaowork.New(t)
		return &contender{
			channel: kakaowork.New(kakaowork.Options{Client: client, APIURL: s.URL()}), service: s,
			config: map[string]string{"app_key": fakekakaowork.Key, "email": fakekakaowork.Email}, secrets: []string{fakekakaowork.Key},
			bad: map[string][]string{"app_key": {""}, "email": {"ann"}, "conversation_id": {"1"}},
		}
	},
	"alimtalk": func(t testing.TB) *contender {
		s := fakealimtalk.New(t)
		return &contender{
			oneLink: true,
			channel: alimtalk.New(alimtalk.Options{Client: client, APIURL: s.URL()}), service: s,
			config: map[string]string{"app_key": fakealimtalk.AppKey, "secret_key": fakealimtalk.SecretKey, "sender_key": fakealimtalk.SenderKey,
				"template_code": fakealimtalk.Template, "recipients": "010-1234-5678, 01087654321",
				"variables": "제목={subject}\n#{내용}={summary}\n링크={link}"},
			secrets: []string{fakealimtalk.SecretKey, fakealimtalk.SenderKey},
			bad: map[string][]string{"app_key": {"", "a b"}, "secret_key": {"", "x"}, "sender_key": {"", "short"},
				"template_code": {"", "a-template-code-that-is-too-long"}, "recipients": {"", "ann"},
				"variables": {"", "제목", "제목={password}"}},
			summary: true, keyed: true,
		}
	},
	"slack webhook": func(t testing.TB) *contender {
		s := fakeslack.New(t)
		return &contender{
			channel: slack.New(slack.Options{Client: client, Dev: true, APIURL: s.APIURL()}), service: slackService{s},
			config: map[string]string{"webhook_url": s.WebhookURL()}, secrets: []string{"/services/T00000000"},
			bad: map[string][]string{"webhook_url": {"not an address"}, "channel": {"#a"}},
		}
	},
	"slack bot": func(t testing.TB) *contender {
		s := fakeslack.New(t)
		return &contender{
			channel: slack.New(slack.Options{Client: client, Dev: true, APIURL: s.APIURL()}), service: slackService{s},
			config: map[string]string{"token": fakeslack.Token, "channel": "#alerts"}, secrets: []string{fakeslack.Token},
			bad: map[string][]string{"token": {"xoxp-user"}, "channel": {"", "#a b"}},
		}
	},
	"slack bot whose buttons act": func(t testing.TB) *contender {
		const signing = "8f742231b10e8888abcd99yyyzzz85a5"
		s := fakeslack.New(t)
		return &contender{
			oneLink: true, // what acts is no address that is opened
			channel: slack.New(slack.Options{Client: client, Dev: true, APIURL: s.APIURL()}), service: slackService{s},
			config: map[string]string{"token": fakeslack.Token, "channel": "#alerts", "signing_secret": signing}, secrets: []string{fakeslack.Token, signing},
			bad: map[string][]string{"signing_secret": {"short", "with spaces in it 12"}},
		}
	},
	"webhook": func(t testing.TB) *contender {
		const secret = "whsec-0123456789abcdef"
		s := fakewebhook.New(t, secret)
		return &contender{
			oneLink: true,
			channel: webhook.New(webhook.Options{Client: client, Guard: dev}), service: webhookService{s},
			config: map[string]string{"url": s.URL(), "secret": secret}, secrets: []string{secret},
			bad:   map[string][]string{"url": {"", "ftp://x", "http://169.254.169.254/"}, "secret": {"", "short"}},
			keyed: true, whole: true,
		}
	},
}

// slackService is the fake of Slack as the suite sees it.
type slackService struct{ *fakeslack.Server }

func (s slackService) Messages() []channel.Message {
	var out []channel.Message
	for _, m := range s.Server.Messages() {
		c := channel.Message{To: m.Channel, Subject: m.Header, Text: m.Text}
		for _, b := range m.Buttons {
			c.Links = append(c.Links, b.URL)
		}
		out = append(out, c)
	}
	return out
}

func (s slackService) Fail(n, status int) { s.Server.Fail(n, status, "<html>internal details</html>") }
func (s slackService) Refuse(n int)       { s.Server.Fail(n, 403, "action_prohibited") }

// webhookService is the fake receiver as the suite sees it.
type webhookService struct{ *fakewebhook.Server }

func (s webhookService) Messages() []channel.Message {
	var out []channel.Message
	events := s.Events()
	for _, key := range s.Keys() {
		i := slices.IndexFunc(events, func(e fakewebhook.Event) bool { return e.ID == key })
		out = append(out, channel.Message{Subject: events[i].Subject, Text: events[i].Text, Links: []string{events[i].Link}, Key: key})
	}
	return out
}

func (s webhookService) Requests() int      { return len(s.Keys()) + len(s.Refused()) }
func (s webhookService) Fail(n, status int) { s.Answer(n, status, nil) }
func (s webhookService) Refuse(n int)       { s.Answer(n, 410, nil) }

func (s webhookService) Limit(n int, after time.Duration) {
	s.Answer(n, 429, map[string][]string{"Retry-After": {strconv.Itoa(int(after.Seconds()))}})
}

// each runs f for every contender.
func each(t *testing.T, f func(t *testing.T, c *contender)) {
	t.Helper()
	for name, make := range contenders {
		t.Run(name, func(t *testing.T) { f(t, make(t)) })
	}
}

func key(n int) string { return fmt.Sprintf("incident/12/%d/to/3", n) }
