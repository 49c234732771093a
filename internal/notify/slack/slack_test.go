package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	fake "github.com/matrix-aiops/matrix/internal/fake/slack"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/notify/slack"
)

func channel(s *fake.Server) *slack.Channel {
	return slack.New(slack.Options{Client: notify.NewClient(notify.Guard{Dev: true}), APIURL: s.APIURL(), Dev: true})
}

func byWebhook(s *fake.Server) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"webhook_url": %q}`, s.WebhookURL()))
}

var asBot = json.RawMessage(`{"token": "` + fake.Token + `", "channel": "#alerts"}`)

const report = `[요약]
TEST-API에서 8,003 ms가 걸렸습니다. a < b && c > d

[트랜잭션]
- URL: /v1/api/test<GET>

[프로파일 분석]
1. SELECT COUNT(*) FROM a, (SELECT COUNT(*) FROM b) x
2. <!channel> <@U0000> *x* _y_ ~z~ 'q'

[조치 방안]
1. EXPLAIN`

var message = notify.Message{Project: 1, Key: "k", Kind: "incident.report", Subject: "SlowSQL 알람 <!here>", Text: report,
	Link: "http://127.0.0.1:8080/projects/1/incidents/2", LinkText: "MATRIX에서 보기"}

func TestAReportArrivesWithItsFourSectionsAndItsLink(t *testing.T) {
	f := func(name string, config func(*fake.Server) json.RawMessage) {
		t.Run(name, func(t *testing.T) {
			s := fake.New(t)
			if err := channel(s).Send(t.Context(), config(s), message); err != nil {
				t.Fatal(err)
			}
			got := s.Expect(t, "[요약]", "[트랜잭션]", "[프로파일 분석]", "[조치 방안]")
			if len(got.Buttons) != 1 || got.Buttons[0].URL != message.Link || got.Buttons[0].Text != message.LinkText {
				t.Fatalf("buttons %+v", got.Buttons)
			}
			for line := range strings.SplitSeq(report, "\n") {
				if !strings.Contains(got.Text, line) {
					t.Errorf("%q did not arrive as it was written:\n%s", line, got.Text)
				}
			}
			if len(got.Mentions) != 0 {
				t.Errorf("the message would wake %q", got.Mentions)
			}
		})
	}
	f("incoming webhook", byWebhook)
	f("bot", func(*fake.Server) json.RawMessage { return asBot })
}

func TestAnAlarmArrivesAsOneFixedWidthBlock(t *testing.T) {
	s := fake.New(t)
	m := notify.Message{Subject: "SlowSQL 알람", Fixed: true,
		Text: "[MATRIX-APM]\nPhase: PRODUCTION\n[2025-06-17 14:03 ~ 2025-06-17 14:13]\n[pod: 1 times]"}
	if err := channel(s).Send(t.Context(), byWebhook(s), m); err != nil {
		t.Fatal(err)
	}
	if got := s.Expect(t, "[MATRIX-APM]"); got.Text != m.Text || len(got.Buttons) != 0 {
		t.Fatalf("got %+v", got)
	}
}

func TestTextBeyondSlacksLimitsIsSplitAndThenShortened(t *testing.T) {
	s := fake.New(t)
	line := strings.Repeat("가😀", 40) + "\n"
	f := func(m notify.Message, words ...string) fake.Message {
		t.Helper()
		if err := channel(s).Send(t.Context(), byWebhook(s), m); err != nil {
			t.Fatal(err)
		}
		return s.Expect(t, words...)
	}
	two := f(notify.Message{Subject: strings.Repeat("긴 제목 ", 100), Text: "[둘]\n" + strings.Repeat(line, 40)}, "[둘]")
	if strings.Count(two.Text, strings.TrimSpace(line)) != 40 {
		t.Error("a line was torn or lost")
	}
	if n := len([]rune(two.Header)); n > 150 || !strings.HasSuffix(two.Header, "…") {
		t.Errorf("header of %d characters: %q", n, two.Header)
	}
	huge := f(notify.Message{Subject: "huge", Text: "[많음]\n" + strings.Repeat("x", 200_000), Link: "https://m.example.com/"}, "[많음]")
	if !strings.HasSuffix(huge.Text, "(The full report is behind the link.)") || len(huge.Buttons) != 1 {
		t.Errorf("a huge text must say where the rest is and keep its button: %q, %v", huge.Text, huge.Buttons)
	}
	f(notify.Message{Subject: "", Text: "", Link: "not an address"})
	f(notify.Message{Subject: "fixed and huge", Text: strings.Repeat(line, 1000), Fixed: true}, "가")
}

func TestWhatSlackAnswersDecidesWhatHappensNext(t *testing.T) {
	f := func(name string, prepare func(*fake.Server), config json.RawMessage, kind fault.Kind, after time.Duration) {
		t.Run(name, func(t *testing.T) {
			s := fake.New(t)
			prepare(s)
			if config == nil {
				config = byWebhook(s)
			}
			err := channel(s).Send(t.Context(), config, message)
			if !fault.Is(err, kind) || fault.As(err).RetryAfter != after {
				t.Fatalf("error %v (%v after %s), want %v after %s", err, fault.KindOf(err), fault.As(err).RetryAfter, kind, after)
			}
		})
	}
	limited := func(s *fake.Server) { s.Limit(1, 30*time.Second) }
	f("webhook limited", limited, nil, fault.RateLimited, 30*time.Second)
	f("bot limited", limited, asBot, fault.RateLimited, 30*time.Second)
	f("webhook gone", func(s *fake.Server) { s.Fail(1, 404, "no_service") }, nil, fault.Invalid, 0)
	f("webhook forbidden", func(s *fake.Server) { s.Fail(1, 403, "action_prohibited") }, nil, fault.Invalid, 0)
	f("webhook broken", func(s *fake.Server) { s.Fail(1, 500, "rollup_error") }, nil, fault.Unavailable, 0)
	f("bot broken", func(s *fake.Server) { s.Fail(1, 503, "") }, asBot, fault.Unavailable, 0)
	f("bot busy", func(s *fake.Server) { s.Fail(1, 200, `{"ok": false, "error": "service_unavailable"}`) }, asBot, fault.Unavailable, 0)
	f("bot not in channel", func(s *fake.Server) { s.Fail(1, 200, `{"ok": false, "error": "not_in_channel"}`) }, asBot, fault.Invalid, 0)
	f("wrong token", func(*fake.Server) {}, json.RawMessage(`{"token": "xoxb-wrong", "channel": "C0123ABCD"}`), fault.Invalid, 0)
	f("answer is no JSON", func(s *fake.Server) { s.Fail(1, 200, `<html>`) }, asBot, fault.Unavailable, 0)
}

func TestASlackThatHangsIsLeftWhenTheTimeIsUpAndItsAddressIsNotTold(t *testing.T) {
	s := fake.New(t)
	s.Hang()
	for _, config := range []json.RawMessage{byWebhook(s), asBot} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := channel(s).Send(ctx, config, message)
		cancel()
		if !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "services") {
			t.Fatalf("error %v", err)
		}
	}
}

func TestLaterMessagesAnswerTheFirstAndItShowsHowTheCaseStands(t *testing.T) {
	s := fake.New(t)
	c := channel(s)
	alarm := message
	alarm.Language, alarm.State = "ko", notify.Open
	send := func(m notify.Message, root notify.Root) string {
		t.Helper()
		handle, err := c.SendIn(t.Context(), asBot, m, root)
		if err != nil {
			t.Fatal(err)
		}
		return handle
	}
	root := notify.Root{Handle: send(alarm, notify.Root{}), Message: alarm}
	if root.Handle == "" {
		t.Fatal("no handle")
	}
	f := func(state, header string, edits int) {
		t.Helper()
		m := notify.Message{Subject: "소식", Text: "상태: " + state, State: state, Language: "ko"}
		if handle := send(m, root); handle != "" {
			t.Errorf("another handle %q", handle)
		}
		all := s.Messages()
		first, last := all[0], all[len(all)-1]
		if !strings.HasPrefix(first.Header, header) || first.Edits != edits || last.Thread != first.Stamp || !strings.Contains(last.Text, m.Text) {
			t.Errorf("%s: first %+v, last %+v", state, first, last)
		}
	}
	f("", "SlowSQL", 0)
	f(notify.Acknowledged, "👀 확인됨 · SlowSQL", 1)
	f(notify.Resolved, "✅ 해결됨 · SlowSQL", 2)
	if n := len(s.Messages()); n != 4 {
		t.Errorf("%d messages", n)
	}
	s.Forget()
	if handle := send(notify.Message{Subject: "x", Text: "still told", State: notify.Resolved}, root); handle == "" {
		t.Error("a thread that was deleted does not begin again")
	}
	s.Expect(t, "still told")
}

func TestAConfigThatCannotWorkIsRefused(t *testing.T) {
	strict := slack.New(slack.Options{Client: notify.NewClient(notify.Guard{})})
	for _, good := range []string{
		`{"webhook_url": "https://hooks.slack.com/services/T0/B0/x"}`,
		`{"token": "xoxb-1", "channel": "C0123ABCD"}`,
		`{"token": "xoxb-1", "channel": "#장애-알림"}`,
	} {
		if err := strict.Check(json.RawMessage(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	f := func(config, field string) {
		t.Helper()
		err := strict.Check(json.RawMessage(config))
		if !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
			t.Errorf("%s: %v, want an error of %s", config, err, field)
		}
	}
	f(`{}`, "config")
	f(`{"webhook_url": "https://hooks.slack.com/x", "token": "xoxb-1", "channel": "#a"}`, "config")
	f(`{"webhook_url": "https://hooks.slack.com/x", "channel": "#a"}`, "config.channel")
	f(`{"webhook_url": "https://hooks.slack.com.evil.example/x"}`, "config.webhook_url")
	f(`{"webhook_url": "https://hooks.slack.com@evil.example/x"}`, "config.webhook_url")
	f(`{"webhook_url": "http://hooks.slack.com/x"}`, "config.webhook_url")
	f(`{"token": "xoxp-user", "channel": "#a"}`, "config.token")
	f(`{"token": "xoxb-1"}`, "config.channel")
	f(`{"token": "xoxb-1", "channel": "#a b"}`, "config.channel")
	f(`{"api_url": "https://evil.example/", "token": "xoxb-1", "channel": "#a"}`, "config")
}

func TestSlackTakesWhateverAMessageQuotes(t *testing.T) {
	s := fake.New(t)
	c := channel(s)
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"[요약]\n", "[x]", "\n\n", "😀", "&<>", "\x00\xff", strings.Repeat("가나 ", 900)}))
		m := notify.Message{
			Subject: rapid.String().Draw(t, "subject"), Text: strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "text"), ""),
			Link: rapid.OneOf(rapid.Just("https://m.example.com/1"), rapid.String()).Draw(t, "link"), Fixed: rapid.Bool().Draw(t, "fixed"),
		}
		if err := c.Send(context.Background(), byWebhook(s), m); err != nil {
			t.Fatal(err)
		}
	})
	for _, m := range s.Messages() {
		if len(m.Mentions) > 0 {
			t.Fatalf("a message mentions %q", m.Mentions)
		}
	}
}
