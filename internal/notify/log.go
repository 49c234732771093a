package notify

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Delivery is how one message fares at one target.
type Delivery struct {
	ID       int64      `json:"id"`
	Project  project.ID `json:"project_id"`
	Message  string     `json:"message"` // the message's kind
	Ref      string     `json:"ref,omitempty"`
	Subject  string     `json:"subject"`
	TargetID int64      `json:"channel_id"`
	Target   string     `json:"target"` // the target's name when the message was written
	Kind     string     `json:"kind"`
	Account  int64      `json:"account_id,omitempty"` // the person it goes to, whose name is the target's
	State    string     `json:"state"`
	Attempts int        `json:"attempts"`
	Created  time.Time  `json:"created_at"`
	At       time.Time  `json:"at"`    // of the last change
	Error    string     `json:"error"` // of the last attempt, "" when there was none
	// Due is when a held message is told, JoinedTo the delivery that told this
	// one together with others, Together that one.
	Due      *time.Time `json:"due_at,omitempty"`
	JoinedTo int64      `json:"joined_to,omitempty"`
	Together *Delivery  `json:"together,omitempty"`
	Log      []Try      `json:"log"`
}

// Try is one attempt of a delivery.
type Try struct {
	Number  int       `json:"number"` // 1, 2, …
	At      time.Time `json:"at"`
	TookMs  int64     `json:"took_ms"`
	Outcome string    `json:"outcome"`
	Error   string    `json:"error,omitempty"`
}

// The outcomes of an attempt. One is lost when its node ended before it could
// say how it went: what was sent then may have got through.
const (
	AttemptSending   = "sending"
	AttemptDelivered = "delivered"
	AttemptRetried   = "retried" // failed, and worth another one
	AttemptFailed    = "failed"  // for good
	AttemptLost      = "lost"
)

// DeliveryQuery says which deliveries of a project are wanted; zero fields want all.
type DeliveryQuery struct {
	Ref    string
	Target int64
	State  string
	Before int64 // an id: only what was written before it
	Limit  int   // 1 to 200; 0 for no limit, in the order of writing
}

const deliveryColumns = `d.id, m.project_id, d.account_id, m.kind, m.ref, m.body, d.target_id, d.target_name, d.target_kind, d.state, d.attempts, m.created_at, d.updated_at, d.error, d.due_at, d.joined_to`

// Deliveries returns the deliveries of all messages about ref, in the order in
// which they were written.
func (o *Outbox) Deliveries(ctx context.Context, p project.ID, ref string) ([]Delivery, error) {
	return o.deliveries(ctx, `SELECT `+deliveryColumns+`
		FROM notify_message m JOIN notify_delivery d ON d.message_id = m.id
		WHERE m.project_id = $1 AND m.ref = $2 ORDER BY d.id`, p, ref)
}

// DeliveryLog returns the project's deliveries, newest first.
func (o *Outbox) DeliveryLog(ctx context.Context, p project.ID, q DeliveryQuery) ([]Delivery, error) {
	return o.deliveries(ctx, `SELECT `+deliveryColumns+`
		FROM notify_delivery d JOIN notify_message m ON d.message_id = m.id
		WHERE m.project_id = $1 AND ($2 = '' OR m.ref = $2) AND ($3 = 0 OR d.target_id = $3) AND ($4 = '' OR d.state = $4)
			AND ($5 = 0 OR d.id < $5) ORDER BY d.id DESC LIMIT $6`, p, q.Ref, q.Target, q.State, q.Before, q.Limit)
}

func (o *Outbox) deliveries(ctx context.Context, query string, args ...any) ([]Delivery, error) {
	rows, err := o.opts.DB.Query(ctx, query, args...)
	found, err := metadb.Collect(rows, err, func(r *metadb.Rows) (d Delivery, err error) {
		var body string
		var created, at, due int64
		err = r.Scan(&d.ID, &d.Project, &d.Account, &d.Message, &d.Ref, &body, &d.TargetID, &d.Target, &d.Kind, &d.State, &d.Attempts, &created, &at, &d.Error, &due, &d.JoinedTo)
		d.Created, d.At, d.Log = metadb.FromMicros(created), metadb.FromMicros(at), []Try{}
		if due > 0 && d.State == Held {
			at := metadb.FromMicros(due)
			d.Due = &at
		}
		d.Subject = subjectOf(body)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	if err := o.attempts(ctx, found); err != nil {
		return nil, err
	}
	return found, o.joints(ctx, found)
}

// joints adds to deliveries that were told with others how that went.
func (o *Outbox) joints(ctx context.Context, deliveries []Delivery) error {
	var ids []string
	for _, d := range deliveries {
		if id := strconv.FormatInt(d.JoinedTo, 10); d.JoinedTo != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// One that is joined again leads further: a joint is always younger than what it tells.
	joints, err := o.deliveries(ctx, `SELECT `+deliveryColumns+` FROM notify_message m JOIN notify_delivery d ON d.message_id = m.id
		WHERE d.id IN (`+strings.Join(ids, ", ")+`)`)
	if err != nil {
		return err
	}
	for i := range deliveries {
		if at := slices.IndexFunc(joints, func(j Delivery) bool { return j.ID == deliveries[i].JoinedTo }); at >= 0 {
			deliveries[i].Together = &joints[at]
		}
	}
	return nil
}

// attempts fills the logs of the deliveries.
func (o *Outbox) attempts(ctx context.Context, deliveries []Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	at := map[int64]int{}
	low, high := deliveries[0].ID, deliveries[0].ID
	for i, d := range deliveries {
		at[d.ID] = i
		low, high = min(low, d.ID), max(high, d.ID)
	}
	type logged struct {
		delivery int64
		Try
	}
	rows, err := o.opts.DB.Query(ctx, `SELECT delivery_id, number, at, took_ms, outcome, error FROM notify_attempt
		WHERE delivery_id >= $1 AND delivery_id <= $2 ORDER BY delivery_id, number`, low, high)
	all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (l logged, err error) {
		var when int64
		err = r.Scan(&l.delivery, &l.Number, &when, &l.TookMs, &l.Outcome, &l.Error)
		l.At = metadb.FromMicros(when)
		return l, err
	})
	if err != nil {
		return fmt.Errorf("list attempts: %w", err)
	}
	for _, l := range all {
		if i, ok := at[l.delivery]; ok {
			deliveries[i].Log = append(deliveries[i].Log, l.Try)
		}
	}
	return nil
}
