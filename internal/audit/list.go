package audit

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Query selects entries. Zero values select all.
type Query struct {
	Org       int64 // 0 = of all organisations, and of none
	Project   project.ID
	UserID    int64
	Actor     string // a part of the actor's, the token's name or the address
	Operation string // a part of the operation id
	Object    string // a part
	Kind      string
	Outcome   string
	From, To  time.Time
}

// Page is a part of the log, newest first.
type Page struct {
	Items      []Entry `json:"items"`
	NextCursor string  `json:"next_cursor" doc:"send it as cursor for the next page; empty on the last"`
	Total      int64   `json:"total" doc:"entries in the whole list"`
}

// The page sizes of List and Each.
const (
	MaxLimit = 200
	batch    = 1_000
)

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// where returns the condition of a query and its arguments.
func (q *Query) where() (text string, args []any) {
	var all []string
	add := func(condition string, value any) {
		args = append(args, value)
		all = append(all, strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(args))))
	}
	part := func(condition, value string) { add(condition, "%"+escapeLike.Replace(strings.ToLower(value))+"%") }
	if q.Org != 0 {
		add(`org_id = ?`, q.Org)
	}
	if q.Project != 0 {
		add(`project_id = ?`, int64(q.Project))
	}
	if q.UserID != 0 {
		add(`user_id = ?`, q.UserID)
	}
	if q.Actor != "" {
		part(`LOWER(actor || ' ' || token || ' ' || address) LIKE ? ESCAPE '\'`, q.Actor)
	}
	if q.Operation != "" {
		part(`LOWER(operation) LIKE ? ESCAPE '\'`, q.Operation)
	}
	if q.Object != "" {
		part(`LOWER(object) LIKE ? ESCAPE '\'`, q.Object)
	}
	if q.Kind != "" {
		add(`kind = ?`, q.Kind)
	}
	if q.Outcome != "" {
		add(`outcome = ?`, q.Outcome)
	}
	if !q.From.IsZero() {
		add(`id >= ?`, newID(q.From)[:14])
	}
	if !q.To.IsZero() {
		add(`id < ?`, newID(q.To)[:14])
	}
	if len(all) == 0 {
		return "1 = 1", nil
	}
	return strings.Join(all, " AND "), args
}

// List returns up to limit entries, newest first, from cursor on.
func (l *Log) List(ctx context.Context, q Query, cursor string, limit int) (*Page, error) {
	if limit < 1 || limit > MaxLimit {
		return nil, fault.New(fault.Invalid, "a page has 1 to %d entries", MaxLimit).WithField("limit")
	}
	where, args := q.where()
	page := &Page{}
	if err := l.db.QueryRow(ctx, `SELECT count(*) FROM audit_entry WHERE `+where, args...).Scan(&page.Total); err != nil {
		return nil, err
	}
	items, err := l.read(ctx, q, cursor, limit+1)
	if err != nil {
		return nil, err
	}
	if len(items) > limit {
		items = items[:limit]
		page.NextCursor = items[limit-1].ID
	}
	page.Items = items
	return page, nil
}

// Each hands every selected entry to fn, newest first, a batch at a time: the
// database holds nothing open while fn waits for a slow reader.
func (l *Log) Each(ctx context.Context, q Query, fn func(*Entry) error) error {
	for cursor := ""; ; {
		items, err := l.read(ctx, q, cursor, batch)
		if err != nil {
			return err
		}
		for i := range items {
			if err := fn(&items[i]); err != nil {
				return err
			}
		}
		if len(items) < batch {
			return nil
		}
		cursor = items[batch-1].ID
	}
}

func (l *Log) read(ctx context.Context, q Query, cursor string, limit int) ([]Entry, error) {
	where, args := q.where()
	if cursor != "" {
		args = append(args, cursor)
		where += ` AND id < $` + strconv.Itoa(len(args))
	}
	rows, err := l.db.Query(ctx, `SELECT `+columns+` FROM audit_entry WHERE `+where+` ORDER BY id DESC LIMIT `+strconv.Itoa(limit), args...)
	return metadb.Collect(rows, err, func(r *metadb.Rows) (e Entry, err error) {
		var at, last, p int64
		var summary json.RawMessage
		if err := r.Scan(&e.ID, &at, &last, &e.Times, &e.Kind, &e.OrgID, &e.GroupID, &p, &e.Actor.UserID, &e.Actor.Kind, &e.Actor.Name,
			&e.Actor.TokenID, &e.Actor.Token, &e.Actor.Address, &e.Operation, &e.Object, &summary, &e.Outcome, &e.Problem, &e.RequestID); err != nil {
			return e, err
		}
		e.At, e.LastAt, e.ProjectID = metadb.FromMicros(at), metadb.FromMicros(last), project.ID(p)
		return e, json.Unmarshal(summary, &e.Summary)
	})
}
