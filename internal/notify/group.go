package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// groupLines is how many members of a group a message names.
	groupLines = 10
	// groupWait is how long what follows a group is gathered: its reports and its
	// ends come one by one, within moments of each other.
	groupWait = 30 * time.Second
)

// Group joins messages of one reason that are written at about the same time,
// such as the alarms of a rule for many services: people are told of them in one.
type Group struct {
	// Key is the same for all of them: "rule/7/alarm".
	Key string `json:"key"`
	// Title says what they have in common, in the message's language.
	Title string `json:"title"`
	// Link is the address of a page that lists them.
	Link string `json:"link,omitempty"`
}

// gather tells a delivery together with the others of its group that wait for the
// same target and were not tried yet. What one transaction writes is there all at
// once, so whoever comes first finds the rest of it, and what is alone does not wait.
func (o *Outbox) gather(ctx context.Context, delivery, target int64) error {
	var key string
	err := o.opts.DB.QueryRow(ctx, `SELECT group_key FROM notify_delivery WHERE id = $1 AND state = $2 AND attempts = 0`, delivery, Pending).Scan(&key)
	if errors.Is(err, metadb.ErrNoRows) || err == nil && key == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a group: %w", err)
	}
	err = o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		rows, err := tx.Query(ctx, `SELECT d.id, m.project_id, m.body, m.created_at FROM notify_delivery d JOIN notify_message m ON d.message_id = m.id
			WHERE d.target_id = $1 AND d.state = $2 AND d.attempts = 0 AND d.group_key = $3 ORDER BY d.id LIMIT 5000`, target, Pending, key)
		all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (w waiting, err error) {
			var body []byte
			var created int64
			if err := r.Scan(&w.id, &w.project, &body, &created); err != nil {
				return w, err
			}
			w.created = metadb.FromMicros(created)
			w.message, err = decodeMessage(body)
			return w, err
		})
		if err != nil || len(all) < 2 {
			return err
		}
		t, err := named(ctx, tx, all[0].project, target)
		if err != nil || t.Kind == "" {
			return err
		}
		return o.tellTogether(ctx, tx, t, Pending, all, "group")
	})
	if err != nil {
		return fmt.Errorf("tell a group: %w", err)
	}
	return nil
}

// Recall takes back a message that nobody was sent yet, to be said together with
// others; it reports whether that was possible.
func (o *Outbox) Recall(ctx context.Context, tx *metadb.Tx, p project.ID, key string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM notify_message WHERE project_id = $1 AND key = $2 AND NOT EXISTS (SELECT 1 FROM notify_delivery d
		WHERE d.message_id = notify_message.id AND (d.state <> $3 OR d.attempts > 0))`, p, key, Pending)
	if err != nil {
		return false, fmt.Errorf("recall message: %w", err)
	}
	return n > 0, nil
}

// follows reports whether m is about a case that t was told of in a group: what
// follows of it is gathered too.
func follows(ctx context.Context, tx *metadb.Tx, m Message, t Target) (bool, error) {
	var one int64
	err := tx.QueryRow(ctx, `SELECT d.id FROM notify_message m JOIN notify_delivery d ON d.message_id = m.id
		WHERE m.project_id = $1 AND m.ref = $2 AND d.target_id = $3 AND d.state = $4 AND d.group_key <> '' LIMIT 1`, m.Project, m.Ref, t.ID, Joined).Scan(&one)
	if errors.Is(err, metadb.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// oneGroup reports whether all deliveries are of one group.
func oneGroup(all []waiting) bool {
	first := all[0].message.Group
	return first != nil && !slices.ContainsFunc(all, func(w waiting) bool { return w.message.Group == nil || w.message.Group.Key != first.Key })
}

// grouped writes the message that stands for a group: what its members have in
// common, and a line for each, the worst first.
func grouped(all []waiting, language string) Message {
	members := make([]Message, len(all))
	for i, w := range all {
		members[i] = w.message.In(language)
	}
	slices.SortStableFunc(members, func(a, b Message) int { return cmp.Compare(Grade(b.Severity), Grade(a.Severity)) })
	first := members[0]
	count, more := "%s · %d at once", "And %d more."
	if language == "ko" {
		count, more = "%s · %d건", "그 밖에 %d건이 더 있습니다."
	}
	var b strings.Builder
	for i, m := range members {
		if i == groupLines {
			fmt.Fprintf(&b, more, len(members)-i)
			break
		}
		b.WriteString(strings.TrimPrefix(strings.Join(strings.Fields(m.Subject), " "), m.Group.Title+" · ") + "\n")
	}
	out := Message{Kind: first.Kind, Language: language, Severity: first.Severity, Service: first.Service, Environment: first.Environment,
		Subject: fmt.Sprintf(count, first.Group.Title, len(members)), Text: strings.TrimRight(b.String(), "\n"),
		Link: cmp.Or(first.Group.Link, first.Link), LinkText: first.LinkText}
	if state := first.State; !slices.ContainsFunc(members, func(m Message) bool { return m.State != state }) {
		out.State = state
	}
	return out
}
