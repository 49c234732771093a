package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/secret"
)

// The states of a delivery. Delivered, failed and joined are final.
const (
	Pending   = "pending" // waiting for its first or next attempt
	Sending   = "sending"
	Delivered = "delivered"
	Failed    = "failed"
	Held      = "held"   // till its time: quiet hours, digests
	Joined    = "joined" // told by another delivery, together with others
)

const (
	// giveUpAfter is how long a message is worth delivering: a channel may be
	// down for a whole day and more, and nothing is lost.
	giveUpAfter = 48 * time.Hour
	maxBackoff  = 30 * time.Minute
	// keep is how long messages and their deliveries can be looked up.
	keep = 90 * 24 * time.Hour
	// recordWithin bounds writing down how an attempt ended, which happens even
	// when the node is stopping.
	recordWithin = 10 * time.Second
)

// Queue is the job queue of deliveries, with Workers of its own
// (job.Options.Queues), so that sends that hang hold up nothing but sends.
const (
	Queue   = "notify"
	Workers = 32
)

// Options are the dependencies of an Outbox. DB, Jobs and Sealer are required.
type Options struct {
	DB       *metadb.DB
	Jobs     *job.Queue
	Sealer   *secret.Sealer
	Channels []Channel
	// SendTimeout bounds one attempt; default 10 s.
	SendTimeout time.Duration
	// Location is the zone of times in words, where a project has not chosen one; default UTC.
	Location *time.Location
	// Person returns an account if it may read a project, else fault.NotFound or
	// fault.Denied. It is asked when a message is written and again when it is sent.
	// Without it no person is told anything.
	Person func(ctx context.Context, account int64, p project.ID) (Person, error)
	Log    *slog.Logger
	Now    func() time.Time
}

// Outbox delivers messages to targets. A message is stored in the transaction
// of what it tells about, and each of its deliveries is a job of its own.
//
// A delivery is attempted until it is delivered, its error is final or two days
// have passed. It is written down before and after each attempt, and one that is
// delivered is never sent again. If the node dies between the two, it is sent
// once more under the same key: at least once, and exactly once for receivers
// that remember keys.
type Outbox struct {
	opts    Options
	targets *Targets
	gate    *gate
}

// New returns an outbox and registers its jobs; call it before Jobs.Start.
func New(opts Options) (*Outbox, error) {
	if opts.DB == nil || opts.Jobs == nil || opts.Sealer == nil {
		return nil, errors.New("notify: Options.DB, Jobs and Sealer are required")
	}
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "notify")
	opts.SendTimeout = cmp.Or(opts.SendTimeout, 10*time.Second)
	opts.Location = cmp.Or(opts.Location, time.UTC)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	channels := map[string]Channel{}
	for _, c := range opts.Channels {
		channels[c.Kind()] = c
	}
	o := &Outbox{
		opts:    opts,
		targets: &Targets{db: opts.DB, sealer: opts.Sealer, channels: channels, now: opts.Now},
		gate:    &gate{lanes: map[int64]*lane{}},
	}
	job.Handle(opts.Jobs, o.deliver)
	job.Handle(opts.Jobs, o.tellHeld)
	job.Handle(opts.Jobs, o.tellPeople)
	job.Handle(opts.Jobs, o.sweep)
	job.Handle(opts.Jobs, o.prune)
	opts.Jobs.Every(sweepEvery, func() job.Args { return sweepJob{} })
	opts.Jobs.Every(24*time.Hour, func() job.Args { return pruneJob{} })
	return o, nil
}

// Targets returns the store of targets.
func (o *Outbox) Targets() *Targets { return o.targets }

type deliverJob struct {
	Delivery int64 `json:"delivery_id"`
	Target   int64 `json:"target_id"`
}

// Kind implements river.JobArgs.
func (deliverJob) Kind() string { return "notify_deliver" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (deliverJob) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: Queue} }

type pruneJob struct{}

// Kind implements river.JobArgs.
func (pruneJob) Kind() string { return "notify_prune" }

// Enqueue stores m and a delivery of it for each of the targets that the
// project's routing chooses (without one, for every enabled target), or for
// those that targets names when it is not empty. A named target
// that is switched off or gone gets a failed delivery that says so, and when
// none is left the message goes to every enabled target: an alarm that nobody
// gets is worse than one that too many do. It all happens when tx commits. A
// message whose key the project has had already is left alone, so a job that
// runs again may say it again.
func (o *Outbox) Enqueue(ctx context.Context, tx *metadb.Tx, targets []int64, m Message) error {
	if m.Project == 0 || m.Key == "" || m.Kind == "" {
		return fault.New(fault.Internal, "a message without project, key or kind")
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("enqueue message: %w", err)
	}
	id, err := metadb.NextID(ctx, tx, "notify_message")
	if err != nil {
		return fmt.Errorf("enqueue message: %w", err)
	}
	at := o.opts.Now()
	now := metadb.Micros(at)
	n, err := tx.Exec(ctx, `INSERT INTO notify_message (id, project_id, key, ref, kind, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (project_id, key) DO NOTHING`,
		id, m.Project, m.Key, m.Ref, m.Kind, string(body), now)
	if err != nil {
		return fmt.Errorf("enqueue message: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := o.lookForPeople(ctx, tx, id); err != nil || m.For != 0 {
		return err
	}
	routing, err := readRouting(ctx, tx, m.Project)
	if err != nil {
		return fmt.Errorf("enqueue message: %w", err)
	}
	if len(targets) == 0 {
		targets, _ = routing.Channels(m, at)
	}
	to, off, err := recipients(ctx, tx, m.Project, targets)
	if err != nil {
		return fmt.Errorf("enqueue message: %w", err)
	}
	due := routing.due(m, at)
	for _, t := range off {
		why := "the channel was switched off"
		if t.Kind == "" {
			why = "the channel was removed"
		}
		delivery, err := metadb.NextID(ctx, tx, "notify_delivery")
		if err != nil {
			return fmt.Errorf("enqueue delivery: %w", err)
		}
		if err := insertDelivery(ctx, tx, delivery, id, t, Failed, why, now, 0); err != nil {
			return err
		}
	}
	for _, t := range to {
		t.Project = m.Project
		if err := o.write(ctx, tx, id, m, t, due); err != nil {
			return err
		}
	}
	return nil
}

// write stores the delivery of a message to one addressee. One that people read is
// held till due, unless that is the zero time.
func (o *Outbox) write(ctx context.Context, tx *metadb.Tx, message int64, m Message, t Target, due time.Time) error {
	delivery, err := metadb.NextID(ctx, tx, "notify_delivery")
	if err != nil {
		return fmt.Errorf("enqueue delivery: %w", err)
	}
	now := metadb.Micros(o.opts.Now())
	_, people := o.targets.channels[t.Kind].(Digester)
	if people && m.Group != nil && m.For == 0 {
		t.group = m.Group.Key
		behind, err := follows(ctx, tx, m, t)
		if err != nil {
			return fmt.Errorf("enqueue delivery: %w", err)
		}
		if behind && due.IsZero() {
			due = o.opts.Now().Truncate(groupWait).Add(groupWait)
		}
	}
	if people && !due.IsZero() {
		return o.hold(ctx, tx, delivery, message, t, m.Project, now, metadb.Micros(due))
	}
	if err := insertDelivery(ctx, tx, delivery, message, t, Pending, "", now, 0); err != nil {
		return err
	}
	if err := o.opts.Jobs.Insert(ctx, tx, deliverJob{Delivery: delivery, Target: t.ID}); err != nil {
		return fmt.Errorf("enqueue delivery: %w", err)
	}
	return nil
}

// lookForPeople sees to it that those who want to be told of a message are, if
// there is anybody.
func (o *Outbox) lookForPeople(ctx context.Context, tx *metadb.Tx, message int64) error {
	if o.opts.Person == nil {
		return nil
	}
	var one int64
	err := tx.QueryRow(ctx, `SELECT account_id FROM notify_person LIMIT 1`).Scan(&one)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = o.opts.Jobs.Insert(ctx, tx, personalJob{Message: message})
	}
	if err != nil {
		return fmt.Errorf("look for people: %w", err)
	}
	return nil
}

// recipients returns where a message goes, and which of the named targets it
// cannot go to; one that the project does not have is only an id and a name.
func recipients(ctx context.Context, tx *metadb.Tx, p project.ID, named []int64) (to, off []Target, err error) {
	rows, err := tx.Query(ctx, `SELECT id, kind, name, enabled FROM notify_target WHERE project_id = $1 ORDER BY id`, p)
	all, err := metadb.Collect(rows, err, func(r *metadb.Rows) (t Target, err error) {
		return t, r.Scan(&t.ID, &t.Kind, &t.Name, &t.Enabled)
	})
	if err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(named))) {
		i := slices.IndexFunc(all, func(t Target) bool { return t.ID == id })
		switch {
		case i < 0:
			off = append(off, Target{ID: id, Name: fmt.Sprintf("#%d", id)})
		case all[i].Enabled:
			to = append(to, all[i])
		default:
			off = append(off, all[i])
		}
	}
	if len(to) == 0 {
		to = slices.DeleteFunc(all, func(t Target) bool { return !t.Enabled })
	}
	return to, off, nil
}

func insertDelivery(ctx context.Context, tx *metadb.Tx, id, message int64, t Target, state, why string, now, due int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO notify_delivery
		(id, message_id, target_id, target_name, target_kind, state, attempts, error, updated_at, lease_until, due_at, account_id, group_key)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 0, $9, $10, $11)`, id, message, t.ID, t.Name, t.Kind, state, why, now, due, t.account, t.group)
	if err != nil {
		return fmt.Errorf("enqueue delivery: %w", err)
	}
	return nil
}

// Test sends a message to one target now, past the outbox, and returns how
// that went. A case it opens at a CaseKeeper is resolved at once.
func (o *Outbox) Test(ctx context.Context, p project.ID, target int64, m Message) error {
	t, err := o.targets.load(ctx, p, target)
	if err != nil {
		return err
	}
	m.Project = p
	m.Key = fmt.Sprintf("test/%d/%d", target, o.opts.Now().UnixNano())
	m.Thread = m.Key
	if err := o.send(ctx, t, m); err != nil {
		return err
	}
	if _, keeps := o.targets.channels[t.Kind].(CaseKeeper); !keeps {
		return nil
	}
	m.State = Resolved // so that nobody is called for a test
	return o.send(ctx, t, m)
}

// Preview returns what a channel of a kind would send for m with config, as its
// template makes it; fault.Unsupported for a kind that has none.
func (o *Outbox) Preview(kind string, config json.RawMessage, m Message) (string, error) {
	channel, ok := o.targets.channels[kind].(Previewer)
	if !ok {
		return "", fault.New(fault.Unsupported, "channels of kind %s have no template", kind)
	}
	return channel.Preview(config, m)
}

func (o *Outbox) prune(ctx context.Context, _ pruneJob) error {
	before := metadb.Micros(o.opts.Now().Add(-keep))
	if _, err := o.opts.DB.Exec(ctx, `DELETE FROM notify_thread WHERE updated_at < $1`, before); err != nil {
		return err
	}
	_, err := o.opts.DB.Exec(ctx, `DELETE FROM notify_message WHERE created_at < $1`, before)
	return err
}
