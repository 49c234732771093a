// Package audit keeps who did what, where, when and how it ended: every change
// that is asked of the API, and every read that showed data which others see
// masked.
//
// It owns the rows. Nothing changes or removes them but the one answer to how a
// change ended, and the retention. It does not know what operations are, who may
// ask for them or who may read the log: the API tells it, in one place.
package audit

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The kinds of an entry.
const (
	KindChange = "change" // something was to be changed
	KindRead   = "read"   // data was shown that others see masked
)

// The outcomes of an entry.
const (
	// Begun says that the change was admitted and that nobody could say how it
	// ended: the process died, or the database was gone.
	Begun  = "begun"
	Done   = "done"
	Denied = "denied" // the caller may not do this
	Failed = "failed" // refused for another reason; nothing is promised about what was done until then
)

// The kinds of an actor.
const (
	Person  = "person"
	Service = "service" // a service account
	Nobody  = "nobody"  // nobody was signed in
)

// KeepDays is how long entries are kept unless the operator says otherwise.
const KeepDays = 1095

// Actor is who did something, as they were called at that time.
type Actor struct {
	Kind    string `json:"kind" enum:"person,service,nobody"`
	UserID  int64  `json:"user_id" doc:"0: nobody was signed in"`
	Name    string `json:"name"`
	TokenID int64  `json:"token_id" doc:"0: by session"`
	Token   string `json:"token" doc:"name of the API token"`
	Address string `json:"address" doc:"of the network"`
}

// Entry is one change or one read.
type Entry struct {
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	LastAt    time.Time         `json:"last_at" doc:"of reads that are counted together, the latest"`
	Times     int64             `json:"times" doc:"how many reads"`
	Kind      string            `json:"kind" enum:"change,read"`
	OrgID     int64             `json:"org_id" doc:"0: of the installation, or of one's own account"`
	GroupID   int64             `json:"group_id"`
	ProjectID project.ID        `json:"project_id"`
	Actor     Actor             `json:"actor"`
	Operation string            `json:"operation" doc:"operation id of the API"`
	Object    string            `json:"object" doc:"such as rule/12"`
	Summary   map[string]string `json:"summary" doc:"what was asked for, without secrets"`
	Outcome   string            `json:"outcome" enum:"begun,done,denied,failed"`
	Problem   string            `json:"problem" doc:"of what failed, the kind"`
	RequestID string            `json:"request_id"`
}

// Options configure a Log. DB is required.
type Options struct {
	DB   *metadb.DB
	Log  *slog.Logger
	Now  func() time.Time
	Days int // how long entries are kept; 0 = KeepDays
}

// Log keeps entries in the metadata database. It is safe for concurrent use.
type Log struct {
	db   *metadb.DB
	log  *slog.Logger
	now  func() time.Time
	days int

	mu    sync.Mutex
	reads map[readKey]*Entry // not stored yet
	since time.Time          // since when the oldest of them waits
	stop  chan struct{}
	idle  sync.WaitGroup
}

// New returns a log over a migrated database. Close stores what waits.
func New(opts Options) (*Log, error) {
	if opts.DB == nil {
		return nil, errors.New("audit: Options.DB is required")
	}
	if opts.Days < 0 {
		return nil, fault.New(fault.Invalid, "the audit log is kept for a day or longer").WithField("audit_days")
	}
	l := &Log{db: opts.DB, log: cmp.Or(opts.Log, slog.New(slog.DiscardHandler)).With("component", "audit"), now: opts.Now,
		days: cmp.Or(opts.Days, KeepDays), reads: map[readKey]*Entry{}, stop: make(chan struct{})}
	if l.now == nil {
		l.now = time.Now
	}
	l.idle.Go(l.storeReads)
	return l, nil
}

// newID returns an id that sorts by time.
func newID(at time.Time) string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails
	return fmt.Sprintf("%014x%s", at.UnixMicro(), hex.EncodeToString(random[:]))
}

// summary is Summary as it is stored.
func (e *Entry) summary() json.RawMessage {
	text, err := json.Marshal(e.Summary)
	if err != nil || e.Summary == nil { // texts of texts cannot fail
		return json.RawMessage("{}")
	}
	return text
}

const columns = `id, at, last_at, times, kind, org_id, group_id, project_id, user_id, actor_kind, actor, token_id, token, address,
	operation, object, summary, outcome, problem, request_id`

func insert(ctx context.Context, q metadb.Querier, e *Entry) error {
	_, err := q.Exec(ctx, `INSERT INTO audit_entry (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		e.ID, metadb.Micros(e.At), metadb.Micros(e.LastAt), e.Times, e.Kind, e.OrgID, e.GroupID, int64(e.ProjectID),
		e.Actor.UserID, e.Actor.Kind, e.Actor.Name, e.Actor.TokenID, e.Actor.Token, e.Actor.Address,
		e.Operation, e.Object, e.summary(), e.Outcome, e.Problem, e.RequestID)
	return err
}

// Write stores e at once and fills in its ID and time. An entry that cannot be
// stored is fault.Unavailable: whoever asked must not go on.
func (l *Log) Write(ctx context.Context, e *Entry) error {
	e.At = l.now().UTC()
	e.ID, e.LastAt, e.Times = newID(e.At), e.At, max(e.Times, 1)
	if err := insert(ctx, l.db, e); err != nil {
		return fault.Wrap(err, fault.Unavailable, "the audit log cannot be written, so nothing was done: ask again")
	}
	return nil
}

// endWithin bounds how long an answer waits for its outcome to be stored.
const endWithin = 5 * time.Second

// End says once how the change of an entry ended, and stores what is known by then. Who asked may be gone by then:
// ctx is asked for its values only. When it cannot be stored the entry stays
// Begun, and the log of the process says so.
func (l *Log) End(ctx context.Context, e *Entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	_, err := l.db.Exec(ctx, `UPDATE audit_entry SET outcome = $2, problem = $3, object = $4, org_id = $5, user_id = $6, actor_kind = $7, actor = $8, summary = $9
		WHERE id = $1 AND outcome = 'begun'`, e.ID, e.Outcome, e.Problem, e.Object, e.OrgID, e.Actor.UserID, e.Actor.Kind, e.Actor.Name, e.summary())
	if err != nil {
		l.log.ErrorContext(ctx, "the outcome of a change was not noted", "entry", e.ID, "operation", e.Operation, "outcome", e.Outcome, "error", err.Error())
	}
}

type prune struct{}

// Kind implements job.Args.
func (prune) Kind() string { return "audit_prune" }

// Register lets q remove what is older than the retention, every hour.
func (l *Log) Register(q *job.Queue) {
	job.Handle(q, func(ctx context.Context, _ prune) error { return l.Prune(ctx) })
	q.Every(time.Hour, func() job.Args { return prune{} })
}

// Prune removes the entries that are older than the retention.
func (l *Log) Prune(ctx context.Context) error {
	_, err := l.db.Exec(ctx, `DELETE FROM audit_entry WHERE id < $1`, fmt.Sprintf("%014x", l.now().AddDate(0, 0, -l.days).UnixMicro()))
	return err
}
