package issue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Issue is an error that people work on.
type Issue struct {
	ID           int64      `json:"id"`
	Project      project.ID `json:"project_id"`
	State        State      `json:"state" enum:"new,ongoing,regressed,resolved,ignored"`
	StateSince   time.Time  `json:"state_since"`
	Type         string     `json:"type"`
	Message      string     `json:"message" doc:"of the first occurrence"`
	Culprit      string     `json:"culprit" doc:"the frame that names the issue"`
	Language     string     `json:"language"`
	FirstSeen    time.Time  `json:"first_seen"`
	LastSeen     time.Time  `json:"last_seen"`
	FirstVersion string     `json:"first_version"`
	LastVersion  string     `json:"last_version"`
	// ResolvedVersion is the version that was to mend it; only a version not older regresses it.
	ResolvedVersion string     `json:"resolved_version" doc:"empty when resolved at once"`
	IgnoredUntil    *time.Time `json:"ignored_until"`
	IgnoredCount    int64      `json:"ignored_count" doc:"so many occurrences more end the ignoring; 0 = none do"`
	AssigneeID      int64      `json:"assignee_id" doc:"account, 0 = nobody"`
	Assignee        string     `json:"assignee"`
	Services        []string   `json:"services"`
	Version         int64      `json:"version" doc:"of what people edit of it, as in its ETag"`
}

// Store reads and changes issues. It is safe for concurrent use.
type Store struct {
	db     *metadb.DB
	events *clickhouse.DB
	now    func() time.Time
}

// NewStore returns a Store over the metadata and the table of Migrations; now is
// time.Now when nil.
func NewStore(db *metadb.DB, events *clickhouse.DB, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: db, events: events, now: now}
}

// Erase removes the issues and rules of a project that is deleted.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	for _, table := range []string{"issue", "issue_rules"} { // what belongs to an issue goes with it
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE project_id = $1`, int64(p)); err != nil {
			return fmt.Errorf("erase issues: %w", err)
		}
	}
	return nil
}

const issueColumns = `id, project_id, state, state_since, type, message, culprit, language, first_seen, last_seen, first_version, last_version,
	resolved_version, ignored_until, ignored_count, assignee_id, assignee, version`

func scanIssue(r interface{ Scan(dest ...any) error }, more ...any) (i Issue, err error) {
	var p, since, first, last, until int64
	err = r.Scan(append([]any{&i.ID, &p, &i.State, &since, &i.Type, &i.Message, &i.Culprit, &i.Language, &first, &last, &i.FirstVersion, &i.LastVersion,
		&i.ResolvedVersion, &until, &i.IgnoredCount, &i.AssigneeID, &i.Assignee, &i.Version}, more...)...)
	i.Project, i.StateSince, i.FirstSeen, i.LastSeen = project.ID(p), metadb.FromMicros(since), metadb.FromMicros(first), metadb.FromMicros(last)
	if until != 0 {
		at := metadb.FromMicros(until)
		i.IgnoredUntil = &at
	}
	i.Services = []string{}
	return i, err
}

var errNoIssue = fault.New(fault.NotFound, "the issue does not exist")

// load returns the project's issue of that id, or the one it was merged into.
func load(ctx context.Context, q metadb.Querier, p project.ID, id int64) (Issue, error) {
	i, err := scanIssue(q.QueryRow(ctx, `SELECT `+issueColumns+` FROM issue WHERE project_id = $1 AND merged_into = 0
		AND id = (SELECT CASE merged_into WHEN 0 THEN id ELSE merged_into END FROM issue WHERE project_id = $1 AND id = $2)`, int64(p), id))
	if errors.Is(err, metadb.ErrNoRows) {
		return i, errNoIssue
	}
	if err != nil {
		return i, fmt.Errorf("read issue: %w", err)
	}
	return i, nil
}

// write stores what may change of an issue.
func write(ctx context.Context, tx *metadb.Tx, i *Issue) error {
	var until int64
	if i.IgnoredUntil != nil {
		until = metadb.Micros(*i.IgnoredUntil)
	}
	_, err := tx.Exec(ctx, `UPDATE issue SET state = $1, state_since = $2, first_seen = $3, last_seen = $4, first_version = $5, last_version = $6,
		resolved_version = $7, ignored_until = $8, ignored_count = $9, assignee_id = $10, assignee = $11, version = $12 WHERE id = $13`,
		i.State, metadb.Micros(i.StateSince), metadb.Micros(i.FirstSeen), metadb.Micros(i.LastSeen), i.FirstVersion, i.LastVersion,
		i.ResolvedVersion, until, i.IgnoredCount, i.AssigneeID, i.Assignee, i.Version, i.ID)
	if err != nil {
		return fmt.Errorf("write issue: %w", err)
	}
	return nil
}

// create adds an issue as it was first seen.
func create(ctx context.Context, tx *metadb.Tx, i *Issue) (err error) {
	if i.ID, err = metadb.NextID(ctx, tx, "issue"); err != nil {
		return fmt.Errorf("new issue id: %w", err)
	}
	i.Version = 1
	_, err = tx.Exec(ctx, `INSERT INTO issue (`+issueColumns+`, words, merged_into)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0, 0, $13, $14, 1, $15, 0)`,
		i.ID, int64(i.Project), i.State, metadb.Micros(i.StateSince), i.Type, i.Message, i.Culprit, i.Language, metadb.Micros(i.FirstSeen),
		metadb.Micros(i.LastSeen), i.FirstVersion, i.LastVersion, i.AssigneeID, i.Assignee, strings.ToLower(i.Type+"\n"+i.Message+"\n"+i.Culprit))
	if err != nil {
		return fmt.Errorf("write issue: %w", err)
	}
	return nil
}

// tags fills in what the issues were seen in.
func tags(ctx context.Context, q metadb.Querier, issues []Issue) error {
	byID := make(map[int64]*Issue, len(issues))
	list := placeholders{}
	ids := make([]int64, len(issues))
	for i := range issues {
		ids[i] = issues[i].ID
		byID[ids[i]] = &issues[i]
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, `SELECT issue_id, value FROM issue_tag WHERE kind = 'service' AND issue_id IN (`+addAll(&list, ids)+`) ORDER BY issue_id, value`, list.args...)
	_, err = metadb.Collect(rows, err, func(r *metadb.Rows) (struct{}, error) {
		var id int64
		var value string
		err := r.Scan(&id, &value)
		if i := byID[id]; i != nil {
			i.Services = append(i.Services, value)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("read services of issues: %w", err)
	}
	return nil
}

// Event is something that happened to an issue, or that somebody said about it.
type Event struct {
	ID     int64          `json:"id"`
	At     time.Time      `json:"at"`
	Author string         `json:"author" doc:"empty for MATRIX itself"`
	Kind   string         `json:"kind" enum:"created,state,assigned,comment,merged,split,split_off,regressed,reopened"`
	Data   map[string]any `json:"data"`
}

// note adds an entry to an issue's activity.
func note(ctx context.Context, tx *metadb.Tx, issue int64, at time.Time, author, kind string, data map[string]any) error {
	id, err := metadb.NextID(ctx, tx, "issue_event")
	if err != nil {
		return fmt.Errorf("note %s: %w", kind, err)
	}
	if data == nil {
		data = map[string]any{}
	}
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("note %s: %w", kind, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO issue_event (id, issue_id, at, author, kind, data) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, issue, metadb.Micros(at), author, kind, json.RawMessage(body))
	if err != nil {
		return fmt.Errorf("note %s: %w", kind, err)
	}
	return nil
}

// maxActivity is how many entries are shown, the newest.
const maxActivity = 200

func activity(ctx context.Context, q metadb.Querier, issue int64) ([]Event, error) {
	rows, err := q.Query(ctx, `SELECT id, at, author, kind, data FROM issue_event WHERE issue_id = $1 ORDER BY id DESC LIMIT $2`, issue, maxActivity)
	events, err := metadb.Collect(rows, err, func(r *metadb.Rows) (e Event, err error) {
		var at int64
		var data json.RawMessage
		if err := r.Scan(&e.ID, &at, &e.Author, &e.Kind, &data); err != nil {
			return e, err
		}
		e.At = metadb.FromMicros(at)
		return e, json.Unmarshal(data, &e.Data)
	})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return events, nil
}

func formatFingerprint(f uint64) string { return fmt.Sprintf("%016x", f) }

func parseFingerprint(text string) (uint64, error) {
	if len(text) != 16 {
		return 0, fault.New(fault.Invalid, "a fingerprint has 16 hexadecimal digits").WithField("fingerprints")
	}
	f, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return 0, fault.New(fault.Invalid, "a fingerprint has 16 hexadecimal digits").WithField("fingerprints")
	}
	return f, nil
}

// placeholders collects arguments and hands out their $n.
type placeholders struct{ args []any }

func (p *placeholders) add(v any) string {
	p.args = append(p.args, v)
	return "$" + strconv.Itoa(len(p.args))
}

func addAll[T any](p *placeholders, values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = p.add(v)
	}
	return strings.Join(texts, ", ")
}
