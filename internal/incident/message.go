package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/notify"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// message is what every message about an incident has in common. what tells it
// from the incident's others.
func (s *Service) message(c *record, p tenant.Project, what, kind string) notify.Message {
	data := map[string]any{"incident": c.Incident}
	actions := s.actions(c, p.Language)
	if len(actions) > 0 {
		data["actions"] = actions
	}
	return notify.Message{
		Project: c.Project, Key: ref(c.ID) + "/" + what, Kind: "incident." + kind, Ref: ref(c.ID),
		Link: s.link(c.Project, c.ID), LinkText: linkText(p.Language), Actions: actions, Data: data,
		Severity: c.Severity, Service: c.Service, Environment: phaseName(c.Phase), Owner: c.Owner, Assignee: c.AssigneeID, Labels: c.Labels,
		Thread: ref(c.ID), State: standing(c.Incident), Language: p.Language, Chart: c.chart(s.opts.Now()),
	}
}

// standing is how an incident stands, as channels know it.
func standing(i Incident) string {
	switch {
	case i.Ended():
		return notify.Resolved
	case i.State != Open:
		return notify.Acknowledged
	}
	return notify.Open
}

// announce tells people of an incident they have not been told of, unless a
// silence or a maintenance window holds, or it is a mere symptom of one that goes
// on: then the timeline says so, and the next match asks again.
func (s *Service) announce(ctx context.Context, tx *metadb.Tx, id int64) error {
	c, err := s.own(ctx, tx, id)
	if err != nil || c.Told || c.ParentKind == Merged {
		return err
	}
	if c.ParentKind == Symptom {
		cause, err := s.own(ctx, tx, c.Parent)
		if err != nil {
			return err
		}
		if !cause.Ended() && !worse(c.Severity, cause.Severity) {
			return nil
		}
	}
	held, err := s.holding(ctx, tx, &c)
	if err != nil {
		return err
	}
	if held != nil {
		return s.hold(ctx, tx, &c, held)
	}
	p, err := s.opts.Project(ctx, c.Project)
	if fault.Is(err, fault.NotFound) {
		return nil // archived: nobody is left to tell
	}
	if err != nil {
		return fmt.Errorf("announce incident: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE incident SET told = $2, silence_id = 0 WHERE id = $1`, id, true); err != nil {
		return fmt.Errorf("announce incident: %w", err)
	}
	if c.Told = true; c.Silence != 0 || c.ParentKind != "" {
		if err := s.note(ctx, tx, id, "told", nil); err != nil {
			return err
		}
	}
	c.Silence = 0
	m := s.message(&c, p, "alarm", "alarm")
	m.Subject, m.Text, m.Fixed = c.Title+" ("+phaseName(c.Phase)+")", c.alarm, true
	other := otherLanguage(p.Language) // the alarm itself is the same in both
	m.Words = map[string]notify.Words{other: {Subject: m.Subject, Text: m.Text, LinkText: linkText(other), Actions: s.actions(&c, other)}}
	m.Group = s.group(&c, "alarm", "")
	if err := s.opts.Outbox.Enqueue(ctx, tx, c.channels, m); err != nil {
		return err
	}
	if c.report == nil {
		return nil
	}
	return s.tellReport(ctx, tx, &c, p) // it was written while nobody was to be told
}

// tellReport sends an incident's report.
func (s *Service) tellReport(ctx context.Context, tx *metadb.Tx, c *record, p tenant.Project) error {
	m := s.message(c, p, "report", "report")
	m.Subject, m.Text = reportTitle(p.Language)+" · "+c.Title, c.report.Text("")
	m.Data = map[string]any{"incident": c.Incident, "report": c.report}
	m.Group = s.group(c, "report", reportTitle(p.Language))
	return s.opts.Outbox.Enqueue(ctx, tx, c.channels, m)
}

// update tells those who got the alarm how the incident stands, unless it comes
// and goes so often that this is held.
func (s *Service) update(ctx context.Context, tx *metadb.Tx, id int64, kind, by string) error {
	c, err := s.own(ctx, tx, id)
	if err != nil || !c.Told || c.Flapping || c.ParentKind == Merged {
		return err
	}
	return s.send(ctx, tx, id, kind, by)
}

// send is update whether or not the incident flaps.
func (s *Service) send(ctx context.Context, tx *metadb.Tx, id int64, kind, by string) error {
	c, err := s.own(ctx, tx, id)
	if err != nil {
		return err
	}
	held, err := s.holding(ctx, tx, &c)
	if err != nil || held != nil {
		return err
	}
	p, err := s.opts.Project(ctx, c.Project)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell of incident: %w", err)
	}
	return s.opts.Outbox.Enqueue(ctx, tx, c.channels, s.updated(&c, p, kind, by))
}

// updated is the message that says what became of an incident, in every language.
func (s *Service) updated(c *record, p tenant.Project, kind, by string) notify.Message {
	now := s.opts.Now()
	m := s.message(c, p, fmt.Sprintf("%s/%d", kind, now.UnixMicro()), kind)
	say := func(language string) (subject, text string) {
		text, lead := updateWords(c, language, kind, by, now)
		return lead + " · " + c.Title + " (" + phaseName(c.Phase) + ")", text
	}
	m.Subject, m.Text = say(p.Language)
	_, lead := updateWords(c, p.Language, kind, by, now)
	m.Group = s.group(c, kind, lead)
	other := otherLanguage(p.Language)
	subject, text := say(other)
	_, otherLead := updateWords(c, other, kind, by, now)
	m.Words = map[string]notify.Words{other: {Subject: subject, Text: text, LinkText: linkText(other), Actions: s.actions(c, other),
		Group: s.group(c, kind, otherLead).Title}}
	return m
}

// group joins a message to those about other incidents of the same rule. lead says
// what has become of them, "" that they have begun.
func (s *Service) group(c *record, kind, lead string) *notify.Group {
	title := oneLine(c.Rule.Name)
	if lead != "" {
		title = lead + " · " + title
	}
	return &notify.Group{Key: fmt.Sprintf("rule/%d/%s", c.Rule.ID, kind), Title: title,
		Link: fmt.Sprintf("%s/projects/%d/incidents", s.opts.BaseURL, c.Project)}
}

// otherLanguage is the one of the two that a project does not speak.
func otherLanguage(language string) string {
	if language == report.English {
		return report.Korean
	}
	return report.English
}

// tellAssignee tells who was given an incident, by the ways of their own that they
// have chosen; somebody who took it for themselves knows.
func (s *Service) tellAssignee(ctx context.Context, tx *metadb.Tx, id int64, by Person) error {
	c, err := s.own(ctx, tx, id)
	if err != nil || c.AssigneeID == 0 || c.AssigneeID == by.ID || c.Ended() {
		return err
	}
	p, err := s.opts.Project(ctx, c.Project)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell assignee: %w", err)
	}
	m := s.updated(&c, p, "assigned", by.Name)
	m.For = c.AssigneeID
	return s.opts.Outbox.Enqueue(ctx, tx, nil, m)
}

// updateWords says what became of an incident.
func updateWords(c *record, language, kind, by string, now time.Time) (text, lead string) {
	lasted := now.Sub(c.OpenedAt).Round(time.Second)
	if language == report.English {
		switch kind {
		case "acknowledged":
			return by + " is on it.", "Acknowledged"
		case "assigned":
			return by + " assigned it to you.", "Assigned to you"
		case "resolved":
			text = fmt.Sprintf("It lasted %s, with %d matches.", lasted, c.Matches)
			if by == "" {
				return fmt.Sprintf("Nothing has matched for %d min. %s", c.quietMinutes, text), "Resolved"
			}
			return by + " resolved it. " + text, "Resolved"
		case "reopened":
			if by == "" {
				return "It fires again.", "Reopened"
			}
			return by + " reopened it.", "Reopened"
		case "flapping":
			return fmt.Sprintf("It came back more than %d times within an hour. Nothing more is sent until it has not for an hour.", flapLimit), "Comes and goes"
		default:
			return fmt.Sprintf("It has not come back for an hour. It is %s now, after %d times.", c.State, c.Reopened), "Calm again"
		}
	}
	switch kind {
	case "acknowledged":
		return by + " 님이 확인했습니다.", "확인"
	case "assigned":
		return by + " 님이 담당자로 지정했습니다.", "담당자 지정"
	case "resolved":
		text = fmt.Sprintf("지속 시간 %s, 감지 %d회.", lasted, c.Matches)
		if by == "" {
			return fmt.Sprintf("%d분간 추가 감지가 없어 해소되었습니다. %s", c.quietMinutes, text), "해결"
		}
		return by + " 님이 해결 처리했습니다. " + text, "해결"
	case "reopened":
		if by == "" {
			return "다시 감지되었습니다.", "재발"
		}
		return by + " 님이 다시 열었습니다.", "다시 열림"
	case "flapping":
		return fmt.Sprintf("1시간 안에 %d회 넘게 재발했습니다. 1시간 동안 재발하지 않을 때까지 더 보내지 않습니다.", flapLimit), "반복 발생"
	default:
		state := map[string]string{Open: "열림", Acknowledged: "확인됨", Mitigated: "완화됨", Resolved: "해결됨", Closed: "종료됨"}[c.State]
		return fmt.Sprintf("1시간 동안 재발하지 않았습니다. 지금까지 %d회 재발했으며 현재 상태는 ‘%s’입니다.", c.Reopened, state), "진정됨"
	}
}
