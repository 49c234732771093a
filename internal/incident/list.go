package incident

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	defaultLimit = 50
	maxLimit     = 200
)

// Query selects incidents; zero fields select all.
type Query struct {
	State    string // one of States, or Active
	Severity string
	Service  string
	Phase    string
	Rule     int64
	Assignee int64     // account, -1 for nobody
	Label    string    // name=value
	Text     string    // in title, service or phase, upper or lower case
	From     time.Time // opened at or after
	To       time.Time // opened before
	Cursor   string    // NextCursor of the page before
	Limit    int       // default 50, at most 200
}

// Page is a part of a list, newest first.
type Page struct {
	Items      []Incident       `json:"items"`
	NextCursor string           `json:"next_cursor" doc:"empty on the last page"`
	Total      int64            `json:"total" doc:"of all pages"`
	States     map[string]int64 `json:"states" doc:"how many are in each state, by what else was asked; active is the sum of those that go on"`
}

// List returns a page of the project's incidents, the newest first. What was
// merged into another is not in it.
func (s *Service) List(ctx context.Context, p project.ID, q Query) (Page, error) {
	where, args, err := q.where(p)
	if err != nil {
		return Page{}, err
	}
	var page Page
	if err := s.opts.DB.QueryRow(ctx, `SELECT count(*) FROM incident`+where, args...).Scan(&page.Total); err != nil {
		return Page{}, fmt.Errorf("count incidents: %w", err)
	}
	if page.States, err = s.states(ctx, p, q); err != nil {
		return Page{}, err
	}
	if q.Cursor != "" {
		opened, id, err := readCursor(q.Cursor)
		if err != nil {
			return Page{}, err
		}
		where += fmt.Sprintf(` AND (opened_at < $%d OR opened_at = $%[1]d AND id < $%d)`, len(args)+1, len(args)+2)
		args = append(args, opened, id)
	}
	limit := min(cmp.Or(max(0, q.Limit), defaultLimit), maxLimit)
	rows, err := s.opts.DB.Query(ctx, fmt.Sprintf(`SELECT `+listColumns+` FROM incident`+where+
		` ORDER BY opened_at DESC, id DESC LIMIT %d`, limit+1), args...)
	if page.Items, err = metadb.Collect(rows, err, scanIncident); err != nil {
		return Page{}, fmt.Errorf("list incidents: %w", err)
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		last := page.Items[limit-1]
		page.NextCursor = writeCursor(metadb.Micros(last.OpenedAt), last.ID)
	}
	return page, nil
}

// states counts the incidents of each state, whichever the query selects.
func (s *Service) states(ctx context.Context, p project.ID, q Query) (map[string]int64, error) {
	q.State = ""
	where, args, err := q.where(p)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{Active: 0}
	for _, state := range States {
		out[state] = 0
	}
	type count struct {
		state string
		n     int64
	}
	rows, err := s.opts.DB.Query(ctx, `SELECT state, count(*) FROM incident`+where+` GROUP BY state`, args...)
	counts, err := metadb.Collect(rows, err, func(r *metadb.Rows) (c count, err error) { return c, r.Scan(&c.state, &c.n) })
	if err != nil {
		return nil, fmt.Errorf("count states of incidents: %w", err)
	}
	for _, c := range counts {
		out[c.state] = c.n
		if i := (Incident{State: c.state}); !i.Ended() {
			out[Active] += c.n
		}
	}
	return out, nil
}

func (q Query) where(p project.ID) (string, []any, error) {
	where, args := ` WHERE project_id = $1 AND parent_kind <> 'merged'`, []any{p}
	and := func(condition string, arg any) {
		args = append(args, arg)
		where += " AND " + fmt.Sprintf(condition, len(args))
	}
	switch {
	case q.State == "":
	case q.State == Active:
		where += ` AND resolved_at = 0`
	case slices.Contains(States, q.State):
		and(`state = $%d`, q.State)
	default:
		return "", nil, fault.New(fault.Invalid, "state must be active or one of %s", strings.Join(States, ", ")).WithField("state")
	}
	if q.Severity != "" {
		and(`severity = $%d`, q.Severity)
	}
	switch {
	case q.Assignee > 0:
		and(`assignee_id = $%d`, q.Assignee)
	case q.Assignee < 0:
		where += ` AND assignee_id = 0`
	}
	if q.Label != "" {
		name, value, ok := strings.Cut(q.Label, "=")
		if !ok || name == "" {
			return "", nil, fault.New(fault.Invalid, "label must be name=value").WithField("label")
		}
		// Within the stored object quotes of names and values are escaped: this
		// text is in it where a label is and nowhere else.
		pair := strings.TrimSuffix(strings.TrimPrefix(encode(map[string]string{name: value}), "{"), "}")
		and(`labels LIKE $%d ESCAPE '\'`, "%"+likeEscaper.Replace(pair)+"%")
	}
	if q.Service != "" {
		and(`service = $%d`, q.Service)
	}
	if q.Phase != "" {
		and(`phase = $%d`, q.Phase)
	}
	if q.Rule != 0 {
		and(`rule_id = $%d`, q.Rule)
	}
	if text := strings.TrimSpace(q.Text); text != "" {
		and(`lower(title || ' ' || service || ' ' || phase) LIKE $%d ESCAPE '\'`, "%"+likeEscaper.Replace(strings.ToLower(text))+"%")
	}
	if !q.From.IsZero() {
		and(`opened_at >= $%d`, metadb.Micros(q.From))
	}
	if !q.To.IsZero() {
		and(`opened_at < $%d`, metadb.Micros(q.To))
	}
	return where, args, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// A cursor is the place of a page's last incident in the order of the list.
func writeCursor(opened, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", opened, id))
}

func readCursor(cursor string) (opened, id int64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "%d.%d", &opened, &id)
	}
	if err != nil {
		return 0, 0, fault.New(fault.Invalid, "cursor is none of ours: begin at the first page").WithField("cursor")
	}
	return opened, id, nil
}

// Get returns everything about one incident of the project, or fault.NotFound.
func (s *Service) Get(ctx context.Context, p project.ID, id int64) (*Detail, error) {
	c, err := s.load(ctx, s.opts.DB, p, id)
	if err != nil {
		return nil, err
	}
	d := &Detail{Incident: c.Incident, Alarm: c.alarm, Report: c.report, Evidence: c.evidence, Masking: Masking{
		Counts: append([]mask.Count{}, c.masking.Counts...), Tokens: append([]mask.Token{}, c.masking.Tokens...)}}
	if c.inquiry != nil {
		d.Investigation = &c.inquiry.Investigation
	}
	if d.Timeline, err = s.timeline(ctx, id); err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	if d.Children, err = s.children(ctx, s.opts.DB, id, ""); err != nil {
		return nil, err
	}
	if d.Deliveries, err = s.opts.Outbox.Deliveries(ctx, p, ref(id)); err != nil {
		return nil, err
	}
	return d, nil
}

// longestTrouble bounds the time of an incident that is read back.
const longestTrouble = 24 * time.Hour

// Trouble returns an incident and when its trouble was: from the window in which
// the rule fired until it ended, or now; the last day of a longer one.
func (s *Service) Trouble(ctx context.Context, p project.ID, id int64) (i Incident, from, to time.Time, err error) {
	c, err := s.load(ctx, s.opts.DB, p, id)
	if err != nil {
		return i, from, to, err
	}
	if to = s.opts.Now(); c.ResolvedAt != nil {
		to = *c.ResolvedAt
	}
	from = c.OpenedAt.Add(-time.Duration(c.scope.WindowMinutes) * time.Minute)
	if first := to.Add(-longestTrouble); from.Before(first) {
		from = first
	}
	return c.Incident, from, to, nil
}
