package notifytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/notify"
)

const report = `[요약]
주문 조회가 8,003 ms 걸렸습니다. a < b && c > d *굵게* _기울임_ ` + "`코드`" + `

[조치 방안]
1. SELECT COUNT(*) FROM a 를 고칩니다.
2. <!channel> 을 부르지 않습니다.`

func message() notify.Message {
	return notify.Message{
		Project: 7, Key: key(1), Kind: "incident.alarm", Ref: "incident/12", Subject: "SlowSQL 알람 · order-api <b>", Text: report,
		Link: "https://matrix.example.com/projects/7/incidents/12?tab=a&b=1", LinkText: "MATRIX에서 보기", Severity: notify.Warning,
		Service: "order-api", Environment: "PRODUCTION", Labels: map[string]string{"team": "주문"}, Language: "ko",
	}
}

func TestTheSubjectTheTextAndTheLinkArriveAsTheyWereWritten(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		m := message()
		if err := c.channel.Send(t.Context(), c.raw(), m); err != nil {
			t.Fatal(err)
		}
		got := c.service.Messages()
		if len(got) != 1 || !strings.Contains(got[0].Subject, m.Subject) || !slices.Contains(got[0].Links, m.Link) {
			t.Fatalf("arrived %+v", got)
		}
		want := report
		if c.summary {
			want = notify.Sections(report)[0].Body
		}
		for line := range strings.SplitSeq(want, "\n") {
			if !strings.Contains(got[0].Text, line) {
				t.Errorf("%q did not arrive as it was written:\n%s", line, got[0].Text)
			}
		}
		if strings.Contains(got[0].Text, m.Elsewhere()) {
			t.Errorf("a short text is said to be shortened:\n%s", got[0].Text)
		}
	})
}

func TestWhatAReaderCanDoAtOnceIsInReach(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		m := message()
		m.Actions = []notify.Action{
			{Label: "확인", URL: "https://matrix.example.com/api/v1/incident-links/a.b"},
			{Label: "해결 처리", URL: "https://matrix.example.com/api/v1/incident-links/c.d"},
			{Label: "bad", URL: "javascript:alert(1)"},
		}
		if err := c.channel.Send(t.Context(), c.raw(), m); err != nil {
			t.Fatal(err)
		}
		got := c.service.Messages()
		if len(got) != 1 || !slices.Contains(got[0].Links, m.Link) {
			t.Fatalf("arrived %+v", got)
		}
		for i, a := range m.Actions {
			if shown := slices.Contains(got[0].Links, a.URL); shown != (i < 2 && !c.oneLink) {
				t.Errorf("%s is shown: %v, links %q", a.URL, shown, got[0].Links)
			}
		}
	})
}

func TestAConfigThatCannotWorkIsRefusedWithItsFieldAndNothingIsSent(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		if err := c.channel.Check(c.raw()); err != nil {
			t.Fatal(err)
		}
		f := func(config json.RawMessage, field string) {
			t.Helper()
			for _, err := range []error{c.channel.Check(config), c.channel.Send(t.Context(), config, message())} {
				if !fault.Is(err, fault.Invalid) || field != "" && fault.As(err).Field != field {
					t.Errorf("%s: %v, want an error of %s", config, err, field)
				}
			}
		}
		for field, values := range c.bad {
			for _, value := range values {
				f(c.with(field, value), "config."+field)
			}
		}
		f(c.with("no_such_field", "x"), "config")
		f(json.RawMessage(`[]`), "config")
		f(json.RawMessage(`null`), "")
		if n := c.service.Requests(); n != 0 {
			t.Errorf("the service was called %d times", n)
		}
	})
}

func TestNoSecretIsToldWhateverGoesWrong(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		fields := map[string]string{}
		_ = json.Unmarshal(c.raw(), &fields)
		for _, secret := range c.secrets {
			if !slices.ContainsFunc(c.channel.Secrets(), func(name string) bool { return strings.Contains(fields[name], secret) }) {
				t.Fatalf("%q is in no field of %q", secret, c.channel.Secrets())
			}
		}
		f := func(what string, err error) {
			t.Helper()
			if err == nil {
				t.Errorf("%s: no error", what)
				return
			}
			for ; err != nil; err = errors.Unwrap(err) {
				for _, secret := range append(c.secrets, "internal details") {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%s tells %q: %v", what, secret, err)
					}
				}
			}
		}
		send := func(ctx context.Context) error { return c.channel.Send(ctx, c.raw(), message()) }
		for _, status := range []int{400, 401, 403, 404, 500, 503} {
			c.service.Fail(1, status)
			f(fmt.Sprint(status), send(t.Context()))
		}
		c.service.Refuse(1)
		f("refused", send(t.Context()))
		c.service.Limit(1, time.Second)
		f("limited", send(t.Context()))
		c.service.Hang()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		f("hung", send(ctx))
	})
}

func TestALimitOfTheRateIsTemporaryAndItsPauseIsHandedOn(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		c.service.Limit(1, 42*time.Second)
		err := c.channel.Send(t.Context(), c.raw(), message())
		if !fault.Is(err, fault.RateLimited) || !c.silent && fault.As(err).RetryAfter != 42*time.Second {
			t.Fatalf("error %v after %s", err, fault.As(err).RetryAfter)
		}
		if err := c.channel.Send(t.Context(), c.raw(), message()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatCanGetBetterIsTriedAgainAndTheRestIsFinal(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		for _, status := range []int{500, 502, 503} {
			c.service.Fail(1, status)
			if err := c.channel.Send(t.Context(), c.raw(), message()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%d: %v, want another attempt", status, err)
			}
		}
		c.service.Refuse(1)
		if err := c.channel.Send(t.Context(), c.raw(), message()); !fault.Is(err, fault.Invalid) {
			t.Errorf("refused: %v, want it final", err)
		}
		if n := len(c.service.Messages()); n != 0 {
			t.Errorf("%d messages arrived", n)
		}
	})
}

func TestAMessageThatIsSentAgainHasItsKeyAgain(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		c.service.LoseAnswer()
		if err := c.channel.Send(t.Context(), c.raw(), message()); !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.RateLimited) {
			t.Fatalf("error %v, want another attempt", err)
		}
		if err := c.channel.Send(t.Context(), c.raw(), message()); err != nil {
			t.Fatal(err)
		}
		got := c.service.Messages()
		if c.keyed && (got[0].Key == "" || got[0].Key != got[len(got)-1].Key) {
			t.Errorf("keys of %+v", got)
		}
		if !c.keyed && len(got) != 2 { // documented: these services have no key to recognise a message by
			t.Errorf("%d messages", len(got))
		}
		other := message()
		other.Key = key(2)
		if err := c.channel.Send(t.Context(), c.raw(), other); err != nil {
			t.Fatal(err)
		}
		if got := c.service.Messages(); c.keyed && got[len(got)-1].Key == got[0].Key {
			t.Errorf("another message has the same key %q", got[0].Key)
		}
	})
}

func TestAServiceThatHangsIsLeftWhenTheTimeIsUp(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		c.service.Hang()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		err := c.channel.Send(ctx, c.raw(), message())
		if !fault.Is(err, fault.Unavailable) || time.Since(began) > 5*time.Second {
			t.Fatalf("error %v after %s", err, time.Since(began))
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := c.channel.Send(stopped, c.raw(), message()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a stopped attempt: %v", err)
		}
	})
}

// whole is a sentence of the long text below.
var whole = regexp.MustCompile(`^(문장 [0-9]+은 여기서 끝납니다\.|Sentence [0-9]+ says what happened\.)$`)

func TestALongTextLosesWholeSectionsAndSentencesAndSaysWhereTheRestIs(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		m := message()
		var b strings.Builder
		b.WriteString("[요약]\n")
		for i := range 9000 {
			if i%7 == 6 {
				fmt.Fprintf(&b, "Sentence %d says what happened.\n", i)
				continue
			}
			fmt.Fprintf(&b, "문장 %d은 여기서 끝납니다. ", i)
		}
		b.WriteString("\n\n[조치 방안]\n1. 마지막 부분")
		m.Text = b.String()
		if err := c.channel.Send(t.Context(), c.raw(), m); err != nil {
			t.Fatal(err)
		}
		got := c.service.Messages()[0]
		if !slices.Contains(got.Links, m.Link) {
			t.Errorf("the link is lost: %q", got.Links)
		}
		if c.whole {
			if !strings.Contains(got.Text, "Sentence 8994 says what happened.") && !strings.Contains(got.Text, m.Elsewhere()) {
				t.Error("the text is neither whole nor said to be shortened")
			}
			return
		}
		if strings.Contains(got.Text, "마지막 부분") || !strings.Contains(got.Text, m.Elsewhere()) {
			t.Errorf("the end of the text is not replaced by %q", m.Elsewhere())
		}
		kept := 0
		for line := range strings.SplitSeq(strings.Replace(got.Text, m.Elsewhere(), "", 1), "\n") {
			for _, s := range strings.SplitAfter(line, ". ") {
				if s = strings.TrimSpace(s); s != "" && s != "[요약]" && s != m.Link && s != m.Subject {
					if kept++; !whole.MatchString(s) {
						t.Fatalf("a sentence was torn: %q", s)
					}
				}
			}
		}
		if kept < 20 {
			t.Errorf("only %d sentences were kept", kept)
		}
	})
}

func TestTheServiceTakesWhateverAMessageQuotes(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"[요약]\n", "[x]", "\n\n", "😀", "&<>", "\x00\xff", "\r\n", ". ",
				strings.Repeat("가나 ", 900), strings.Repeat("x", 1200)}))
			n++
			m := notify.Message{
				Project: 1, Key: key(n), Kind: "test.message",
				Subject: rapid.String().Draw(t, "subject"), Text: strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "text"), ""),
				Link:  rapid.OneOf(rapid.Just("https://m.example.com/1"), rapid.Just("http://localhost:8080/1"), rapid.String()).Draw(t, "link"),
				Fixed: rapid.Bool().Draw(t, "fixed"), Severity: rapid.SampledFrom([]string{"", "info", "warning", "critical"}).Draw(t, "severity"),
				Service: rapid.StringN(0, 80, 300).Draw(t, "service"), Language: rapid.SampledFrom([]string{"", "ko", "en"}).Draw(t, "language"),
			}
			if err := c.channel.Send(context.Background(), c.raw(), m); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func TestTheStateOfACaseFollowsItsMessages(t *testing.T) {
	each(t, func(t *testing.T, c *contender) {
		if c.state == nil {
			t.Skip("the service keeps no state")
		}
		f := func(n int, state, want string) {
			t.Helper()
			m := message()
			m.Key, m.Thread, m.State = key(n), "incident/12", state
			if err := c.channel.Send(t.Context(), c.raw(), m); err != nil {
				t.Fatal(err)
			}
			got := c.service.Messages()
			if at := c.state(got[0].Key); !strings.HasPrefix(at, want) || got[len(got)-1].Key != got[0].Key {
				t.Errorf("after %s the case is %q under %q and %q", state, at, got[0].Key, got[len(got)-1].Key)
			}
		}
		opened := map[string]string{"pagerduty": "trigger", "opsgenie": "create"}[c.channel.Kind()]
		closed := map[string]string{"pagerduty": "resolve", "opsgenie": "close"}[c.channel.Kind()]
		f(1, notify.Open, opened)
		f(2, notify.Acknowledged, "acknowledge")
		f(3, notify.Resolved, closed)
		other := message()
		other.Key, other.Thread = key(4), "incident/13"
		if err := c.channel.Send(t.Context(), c.raw(), other); err != nil {
			t.Fatal(err)
		}
		if got := c.service.Messages(); got[3].Key == got[0].Key {
			t.Errorf("two cases share %q", got[0].Key)
		}
	})
}
