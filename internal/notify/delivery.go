package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// attempt is a claimed delivery.
type attempt struct {
	id, target int64
	number     int // 1, 2, …
	began      time.Time
	created    time.Time // of the message
	message    Message
}

// errNotAttempted is how a job ends that learned nothing about its target.
var errNotAttempted = errors.New("nothing was sent")

// deliver is the job of one delivery. Waiting is done by snoozing, so that the
// queue's own retries are left for its own troubles.
func (o *Outbox) deliver(ctx context.Context, args deliverJob) error {
	pass, wait := o.gate.enter(args.Target, o.opts.Now())
	if pass == nil {
		return job.Snooze(wait)
	}
	sent := errNotAttempted
	defer func() { o.gate.leave(pass, o.opts.Now(), sent) }()

	if err := o.gather(ctx, args.Delivery, args.Target); err != nil {
		return err
	}
	a, wait, err := o.claim(ctx, args.Delivery)
	if err != nil {
		return fmt.Errorf("claim delivery: %w", err)
	}
	if a == nil {
		if wait > 0 {
			return job.Snooze(wait)
		}
		return nil // delivered, failed or pruned
	}
	t, err := o.addressee(ctx, a.message.Project, a.target)
	switch {
	case fault.Is(err, fault.NotFound):
		return o.record(ctx, a, Failed, "the channel was removed")
	case err != nil:
		return o.after(ctx, a, err)
	case !t.Enabled:
		return o.record(ctx, a, Failed, "the channel was switched off")
	}
	sent = o.sendIn(ctx, t, a.message)
	if err := o.after(ctx, a, sent); err != nil {
		return err
	}
	if sent == nil && o.opts.Now().Sub(a.created) >= joinAfter {
		// It waited, as others may have: the target is back.
		return o.join(ctx, t)
	}
	return nil
}

// claim takes the delivery for one attempt. It returns nil when there is
// nothing to do, now or, when the wait is not 0, until another's lease is over.
func (o *Outbox) claim(ctx context.Context, id int64) (*attempt, time.Duration, error) {
	now := o.opts.Now()
	// Longer than an attempt can take: two nodes never send the same delivery
	// at once, even when the queue believes one of them dead too early.
	lease := now.Add(o.opts.SendTimeout + recordWithin)
	a := &attempt{id: id, began: now}
	var message int64
	err := o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		err := tx.QueryRow(ctx, `UPDATE notify_delivery
			SET state = $2, attempts = attempts + 1, updated_at = $3, lease_until = $4
			WHERE id = $1 AND (state = $5 OR state = $2 AND lease_until <= $3)
			RETURNING message_id, target_id, attempts`,
			id, Sending, metadb.Micros(now), metadb.Micros(lease), Pending).Scan(&message, &a.target, &a.number)
		if err != nil {
			return err
		}
		// What is still being sent was sent by a node that is no more.
		if _, err := tx.Exec(ctx, `UPDATE notify_attempt SET outcome = $2 WHERE delivery_id = $1 AND outcome = $3`,
			id, AttemptLost, AttemptSending); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO notify_attempt (delivery_id, number, at, took_ms, outcome, error)
			VALUES ($1, $2, $3, 0, $4, '') ON CONFLICT (delivery_id, number) DO NOTHING`, id, a.number, metadb.Micros(now), AttemptSending)
		return err
	})
	if errors.Is(err, metadb.ErrNoRows) {
		wait, err := o.leased(ctx, id, now)
		return nil, wait, err
	}
	if err != nil {
		return nil, 0, err
	}
	var body json.RawMessage
	var created int64
	err = o.opts.DB.QueryRow(ctx, `SELECT body, created_at FROM notify_message WHERE id = $1`, message).Scan(&body, &created)
	if err != nil {
		return nil, 0, err
	}
	a.created = metadb.FromMicros(created)
	if a.message, err = decodeMessage(body); err != nil {
		return nil, 0, err
	}
	a.message.Key = fmt.Sprintf("%s/to/%d", a.message.Key, a.target)
	return a, 0, nil
}

// decodeMessage reads a message as it is stored.
func decodeMessage(body []byte) (Message, error) {
	var m Message
	var data json.RawMessage // kept as it was written: numbers beyond 2⁵³ too
	m.Data = &data
	if err := json.Unmarshal(body, &m); err != nil {
		return m, err
	}
	if m.Data = nil; len(data) > 0 {
		m.Data = data
	}
	return m, nil
}

// subjectOf reads the subject of a stored message only.
func subjectOf(body string) string {
	var m struct {
		Subject string `json:"subject"`
	}
	_ = json.Unmarshal([]byte(body), &m) // one that does not read has none
	return m.Subject
}

// leased returns how long another's attempt at the delivery may still take.
func (o *Outbox) leased(ctx context.Context, id int64, now time.Time) (time.Duration, error) {
	var until int64
	err := o.opts.DB.QueryRow(ctx, `SELECT lease_until FROM notify_delivery WHERE id = $1 AND state = $2`, id, Sending).Scan(&until)
	if errors.Is(err, metadb.ErrNoRows) {
		return 0, nil
	}
	return max(time.Second, metadb.FromMicros(until).Sub(now)), err
}

// send makes one attempt outside of any thread.
func (o *Outbox) send(ctx context.Context, t Target, m Message) error {
	return o.attempt(ctx, t, func(ctx context.Context, channel Channel) error {
		return channel.Send(ctx, t.Config, o.dressed(ctx, t, m))
	})
}

// dressed is m as t gets it: in its language and, when it shows pictures, with
// its chart drawn for its time zone.
func (o *Outbox) dressed(ctx context.Context, t Target, m Message) Message {
	m = m.In(t.Language).forReader(t.reader)
	if _, shows := o.targets.channels[t.Kind].(Illustrator); !shows || m.Chart == nil {
		return m
	}
	if picture := m.Chart.Picture(m.Language, o.zoneOf(ctx, t)); picture != nil {
		m.Pictures = []Picture{*picture}
	}
	return m
}

// zoneOf is in which time zone t is told.
func (o *Outbox) zoneOf(ctx context.Context, t Target) *time.Location {
	if t.zone != nil {
		return t.zone
	}
	routing, err := readRouting(ctx, o.opts.DB, t.Project)
	if err != nil { // a message with another zone's times is better than none
		o.opts.Log.WarnContext(ctx, "time zone is not known", "target_id", t.ID, "error", err.Error())
		return o.opts.Location
	}
	return o.zoneBy(routing)
}

// zoneBy is the time zone of a project that has chosen one, else that of the server.
func (o *Outbox) zoneBy(routing Routing) *time.Location {
	if routing.Version > 0 {
		return routing.zone()
	}
	return o.opts.Location
}

// sendIn makes one attempt in the message's thread, if it has one and the
// channel knows threads.
func (o *Outbox) sendIn(ctx context.Context, t Target, m Message) error {
	channel, ok := o.targets.channels[t.Kind].(Threader)
	if m.Thread == "" || !ok {
		return o.send(ctx, t, m)
	}
	root, err := o.root(ctx, t, m.Thread)
	if err != nil {
		return fmt.Errorf("load thread: %w", err)
	}
	var handle string
	err = o.attempt(ctx, t, func(ctx context.Context, _ Channel) (err error) {
		handle, err = channel.SendIn(ctx, t.Config, o.dressed(ctx, t, m), root)
		return err
	})
	if err != nil || handle == "" {
		return err
	}
	if err := o.remember(ctx, t, m, root, handle); err != nil {
		// The message got through: only the next one will stand alone.
		o.opts.Log.WarnContext(ctx, "thread was not kept", "target_id", t.ID, "error", err.Error())
	}
	return nil
}

// attempt calls a channel within the time of one attempt. A channel that panics
// has failed like any other.
func (o *Outbox) attempt(ctx context.Context, t Target, call func(context.Context, Channel) error) (err error) {
	channel, ok := o.targets.channels[t.Kind]
	if !ok {
		return fault.New(fault.Unsupported, "this server has no channel of kind %s", t.Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("channel %s panicked: %v", t.Kind, p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, o.opts.SendTimeout)
	defer cancel()
	return call(ctx, channel)
}

// after decides what follows an attempt that ended with err.
func (o *Outbox) after(ctx context.Context, a *attempt, err error) error {
	if err == nil {
		return o.record(ctx, a, Delivered, "")
	}
	wait := backoff(a.number, firstBackoff, maxBackoff)
	if f := fault.As(err); f != nil {
		wait = max(wait, min(f.RetryAfter, maxRetryAfter))
	}
	late := o.opts.Now().Add(wait).Sub(a.created) > giveUpAfter
	if temporary(err) && !late {
		if err := o.record(ctx, a, Pending, reason(err)); err != nil {
			return err
		}
		return job.Snooze(wait)
	}
	why := reason(err)
	if temporary(err) {
		why = "given up after two days: " + why
	}
	o.opts.Log.WarnContext(ctx, "message was not delivered", "delivery_id", a.id, "target_id", a.target,
		"attempts", a.number, "message_kind", a.message.Kind, "reason", why)
	return o.record(ctx, a, Failed, why)
}

// record writes down how the attempt ended, also while the node is stopping:
// what was sent and not recorded is sent again.
func (o *Outbox) record(ctx context.Context, a *attempt, state, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	now := o.opts.Now()
	outcome := map[string]string{Delivered: AttemptDelivered, Pending: AttemptRetried, Failed: AttemptFailed}[state]
	err := o.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE notify_delivery SET state = $3, error = $4, updated_at = $5, lease_until = 0
			WHERE id = $1 AND state = $2 AND attempts = $6`,
			a.id, Sending, state, why, metadb.Micros(now), a.number)
		if err != nil || n == 0 { // taken over by another node, which tells how it went on
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE notify_attempt SET took_ms = $3, outcome = $4, error = $5 WHERE delivery_id = $1 AND number = $2`,
			a.id, a.number, now.Sub(a.began).Milliseconds(), outcome, why)
		return err
	})
	if err != nil {
		return fmt.Errorf("record delivery: %w", err)
	}
	return nil
}
