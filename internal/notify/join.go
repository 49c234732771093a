package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// joinAfter is how long a message waits before it is old news, which is told
	// together with other old news.
	joinAfter = 10 * time.Minute
	// joinLeast is how many make it worth it.
	joinLeast = 3
	// joinLines is how many cases a joint message names.
	joinLines = 60
)

// Digester is a Channel read by people, to whom several messages can be told as
// one. What is no Digester serves machines: there each message changes something.
type Digester interface {
	Channel
	// Digest does nothing: having it says so.
	Digest()
}

// waiting is a delivery that can be joined to others.
type waiting struct {
	id      int64
	project project.ID
	message Message
	created time.Time
}

// join tells what has waited for t since long as one message. Everything of it
// happens in one transaction, or not at all; a delivery that another node takes
// in that moment stays one of its own.
func (o *Outbox) join(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	if _, ok := o.targets.channels[t.Kind].(Digester); !ok {
		return nil
	}
	err := o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		old, err := waitingFor(ctx, tx, t, Pending, `m.created_at <= $4`, o.opts.Now().Add(-joinAfter))
		if err != nil || len(old) < joinLeast {
			return err
		}
		return o.tellTogether(ctx, tx, t, Pending, old, "wait")
	})
	if err != nil {
		return fmt.Errorf("join deliveries: %w", err)
	}
	return nil
}

// waitingFor returns t's deliveries in state of the messages for which condition,
// with $4 the time, holds, oldest first.
func waitingFor(ctx context.Context, tx *metadb.Tx, t Target, state, condition string, at time.Time) ([]waiting, error) {
	rows, err := tx.Query(ctx, `SELECT d.id, m.body, m.created_at FROM notify_delivery d JOIN notify_message m ON d.message_id = m.id
		WHERE d.target_id = $1 AND m.project_id = $2 AND d.state = $3 AND `+condition+` ORDER BY d.id LIMIT 5000`,
		t.ID, t.Project, state, metadb.Micros(at))
	return metadb.Collect(rows, err, func(r *metadb.Rows) (w waiting, err error) {
		var body string
		var created int64
		if err := r.Scan(&w.id, &body, &created); err != nil {
			return w, err
		}
		w.created = metadb.FromMicros(created)
		w.message, err = decodeMessage([]byte(body))
		return w, err
	})
}

// tellTogether turns the deliveries, all in state, into one of a message that
// names them. why is "wait" for what an outage held up, "digest" for what was held on
// purpose, "group" for what was written at once for one reason.
func (o *Outbox) tellTogether(ctx context.Context, tx *metadb.Tx, t Target, state string, all []waiting, why string) error {
	now := metadb.Micros(o.opts.Now())
	delivery, err := metadb.NextID(ctx, tx, "notify_delivery")
	if err != nil {
		return err
	}
	var told []waiting
	for _, w := range all {
		n, err := tx.Exec(ctx, `UPDATE notify_delivery SET state = $3, joined_to = $4, updated_at = $5 WHERE id = $1 AND state = $2`,
			w.id, state, Joined, delivery, now)
		if err != nil {
			return err
		}
		if n > 0 {
			told = append(told, w)
		}
	}
	if len(told) == 0 {
		return nil
	}
	language := cmp.Or(t.Language, told[0].message.Language)
	var m Message
	if why == "group" {
		m = grouped(told, language)
	} else {
		routing, err := readRouting(ctx, tx, t.Project)
		if err != nil {
			return err
		}
		m = together(told, language, why, cmp.Or(t.zone, o.zoneBy(routing)))
	}
	m.Project = t.Project
	m.Key = fmt.Sprintf("joined/%d/%d", t.ID, told[0].id)
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	id, err := metadb.NextID(ctx, tx, "notify_message")
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO notify_message (id, project_id, key, ref, kind, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, id, m.Project, m.Key, m.Ref, m.Kind, string(body), now); err != nil {
		return err
	}
	if err := insertDelivery(ctx, tx, delivery, id, t, Pending, "", now, 0); err != nil {
		return err
	}
	return o.opts.Jobs.Insert(ctx, tx, deliverJob{Delivery: delivery, Target: t.ID})
}

// together writes one message that names all: a line for each case, with how
// often it was told of and how it stands, the worst first.
func together(all []waiting, language, why string, zone *time.Location) Message {
	type line struct {
		last  Message
		since time.Time
		n     int
		grade int
		state string
	}
	var lines []*line
	of := map[string]*line{}
	for _, w := range all {
		about := cmp.Or(w.message.Thread, w.message.Ref, w.message.Key)
		l := of[about]
		if l == nil {
			l = &line{last: w.message, since: w.created}
			of[about] = l
			lines = append(lines, l)
		}
		l.n++
		l.grade = max(l.grade, Grade(w.message.Severity))
		l.state = cmp.Or(w.message.State, l.state)
		if l.last.Fixed || !w.message.Fixed { // the alarm's title says more than the report's
			l.last.Link = cmp.Or(w.message.Link, l.last.Link)
		}
	}
	slices.SortStableFunc(lines, func(a, b *line) int { return cmp.Compare(b.grade, a.grade) })
	ko := language == "ko"
	var b strings.Builder
	for i, l := range lines {
		if i == joinLines {
			if ko {
				fmt.Fprintf(&b, "그 밖에 %d건이 더 있습니다.\n", len(lines)-joinLines)
			} else {
				fmt.Fprintf(&b, "And %d more.\n", len(lines)-joinLines)
			}
			break
		}
		fmt.Fprintf(&b, "%s · %s", l.since.In(zone).Format("01-02 15:04 MST"), strings.Join(strings.Fields(l.last.Subject), " "))
		if words := stateWords(l.state, ko); words != "" {
			b.WriteString(" · " + words)
		}
		if l.n > 1 {
			fmt.Fprintf(&b, " (×%d)", l.n)
		}
		if l.last.Link != "" {
			b.WriteString("\n  " + l.last.Link)
		}
		b.WriteByte('\n')
	}
	m := Message{Kind: "digest", Language: language, Severity: []string{"", Info, Warning, Critical}[lines[0].grade], Text: strings.TrimRight(b.String(), "\n"),
		Service: lines[0].last.Service, Environment: lines[0].last.Environment}
	if len(lines) == 1 {
		m.Ref, m.Link, m.LinkText, m.Thread, m.State = lines[0].last.Ref, lines[0].last.Link, lines[0].last.LinkText, lines[0].last.Thread, lines[0].state
	}
	switch {
	case ko && why == "wait":
		m.Subject = fmt.Sprintf("전하지 못했던 알림 %d건", len(all))
		m.Text = "이 채널에 닿지 못하는 동안 쌓인 알림을 한 번에 전합니다.\n\n" + m.Text
	case ko:
		m.Subject = fmt.Sprintf("모아 보는 알림 %d건", len(all))
	case why == "wait":
		m.Subject = fmt.Sprintf("%d notifications that had to wait", len(all))
		m.Text = "They gathered while this channel could not be reached.\n\n" + m.Text
	default:
		m.Subject = fmt.Sprintf("%d notifications at once", len(all))
	}
	return m
}

func stateWords(state string, ko bool) string {
	switch {
	case state == Resolved && ko:
		return "해결됨"
	case state == Resolved:
		return "resolved"
	case state == Acknowledged && ko:
		return "확인됨"
	case state == Acknowledged:
		return "acknowledged"
	}
	return ""
}

// Grade orders severities: 1 for Info, 2 for Warning, 3 for Critical and for
// what nobody graded.
func Grade(severity string) int {
	switch severity {
	case Info:
		return 1
	case Warning:
		return 2
	}
	return 3
}
