package issue

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/search"
)

// Query selects issues that were seen in a time range.
type Query struct {
	State    string // one of States, "open" for those nobody dealt with, "" for all
	Text     string // in the language of package search; see fields
	Service  string
	Version  string
	Assignee int64 // account; 0 any, -1 nobody
	From, To time.Time
	Order    Order
	Cursor   string // NextCursor of the page before
	Limit    int    // default 50, at most 200
}

// Order sorts a list, the largest first.
type Order string

// The orders. Count and users are those of the time range.
const (
	ByLastSeen  Order = "last_seen"
	ByFirstSeen Order = "first_seen"
	ByCount     Order = "count"
	ByUsers     Order = "users"
)

// Item is an issue in a list.
type Item struct {
	Issue
	Count uint64   `json:"count" doc:"occurrences in the time range"`
	Users uint64   `json:"users" doc:"distinct users it met, as far as the telemetry names them"`
	Bars  []uint64 `json:"bars" doc:"occurrences per step from the page's from on"`
}

// Page is a part of a list.
type Page struct {
	Items       []Item           `json:"items"`
	NextCursor  string           `json:"next_cursor" doc:"empty on the last page"`
	Total       int64            `json:"total" doc:"of all pages"`
	States      map[string]int64 `json:"states" doc:"issues by state, whatever state was asked for"`
	From        time.Time        `json:"from" doc:"where the first bar starts"`
	StepSeconds int              `json:"step_seconds" doc:"width of a bar"`
}

const (
	defaultLimit = 50
	maxLimit     = 200
	// maxSorted is how many issues are sorted by what is counted in the range.
	maxSorted = 5000
	listBars  = 24
)

// List returns a page of the project's issues.
func (s *Store) List(ctx context.Context, p project.ID, q Query) (*Page, error) {
	if !q.From.Before(q.To) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	page := &Page{Items: []Item{}, States: map[string]int64{}}
	for _, state := range States {
		page.States[string(state)] = 0
	}
	c := &condition{}
	c.within(p, q)
	if err := c.query(q); err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT state, COUNT(*) FROM issue i WHERE `+c.sql.String()+` GROUP BY state`, c.args...)
	_, err = metadb.Collect(rows, err, func(r *metadb.Rows) (struct{}, error) {
		var state string
		var n int64
		err := r.Scan(&state, &n)
		page.States[state] = n
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count issues: %w", err)
	}
	states, err := statesOf(q.State)
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		page.Total += page.States[string(state)]
	}
	c.sql.WriteString(" AND i.state IN (" + addAll(&c.placeholders, states) + ")")
	width := q.To.Sub(q.From) / listBars
	page.StepSeconds = max(int((width+time.Second-1)/time.Second), 1)
	page.From = q.To.Add(-time.Duration(page.StepSeconds) * time.Second * listBars).UTC()
	limit := min(cmp.Or(max(0, q.Limit), defaultLimit), maxLimit)
	if q.Order == ByCount || q.Order == ByUsers {
		err = s.counted(ctx, p, q, c, page, limit)
	} else {
		err = s.seen(ctx, p, q, c, page, limit)
	}
	if err != nil {
		return nil, err
	}
	issues := make([]Issue, len(page.Items))
	for i := range page.Items {
		issues[i] = page.Items[i].Issue
	}
	if err := tags(ctx, s.db, issues); err != nil {
		return nil, err
	}
	for i := range issues {
		page.Items[i].Issue = issues[i]
	}
	return page, nil
}

func statesOf(name string) ([]State, error) {
	switch {
	case name == "":
		return States, nil
	case name == "open":
		return []State{New, Regressed, Ongoing}, nil
	case slices.Contains(States, State(name)):
		return []State{State(name)}, nil
	}
	return nil, fault.New(fault.Invalid, "there is no state %q: it is open, new, ongoing, regressed, resolved or ignored", name).WithField("state")
}

// condition is the query with its state and time range.
func (q Query) condition(p project.ID) (*condition, error) {
	if !q.From.Before(q.To) {
		return nil, fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	c := &condition{}
	c.within(p, q)
	if err := c.query(q); err != nil {
		return nil, err
	}
	states, err := statesOf(q.State)
	if err != nil {
		return nil, err
	}
	c.sql.WriteString(" AND i.state IN (" + addAll(&c.placeholders, states) + ")")
	return c, nil
}

// within asks for the project's issues that were seen in the time range.
func (c *condition) within(p project.ID, q Query) {
	c.sql.WriteString("i.project_id = " + c.add(int64(p)) + " AND i.merged_into = 0 AND i.last_seen >= " + c.add(metadb.Micros(q.From)) + " AND i.first_seen < " + c.add(metadb.Micros(q.To)))
}

// seen fills a page by when issues were seen.
func (s *Store) seen(ctx context.Context, p project.ID, q Query, c *condition, page *Page, limit int) error {
	column := "last_seen"
	switch q.Order {
	case ByFirstSeen:
		column = "first_seen"
	case ByLastSeen, "":
	default:
		return fault.New(fault.Invalid, "sort is last_seen, first_seen, count or users").WithField("sort")
	}
	if q.Cursor != "" {
		at, id, err := readCursor(q.Cursor)
		if err != nil {
			return err
		}
		at1 := c.add(at)
		c.sql.WriteString(" AND (i." + column + " < " + at1 + " OR i." + column + " = " + at1 + " AND i.id < " + c.add(id) + ")")
	}
	issues, err := s.selected(ctx, c, " ORDER BY i."+column+" DESC, i.id DESC", limit+1)
	if err != nil {
		return err
	}
	if len(issues) > limit {
		issues = issues[:limit]
		last := issues[limit-1]
		at := last.LastSeen
		if q.Order == ByFirstSeen {
			at = last.FirstSeen
		}
		page.NextCursor = writeCursor(metadb.Micros(at), last.ID)
	}
	for _, i := range issues {
		page.Items = append(page.Items, Item{Issue: i, Bars: make([]uint64, listBars)})
	}
	if err := s.count(ctx, p, q, page.Items); err != nil {
		return err
	}
	return s.bars(ctx, p, q, page)
}

// counted fills a page by what is counted in the range.
func (s *Store) counted(ctx context.Context, p project.ID, q Query, c *condition, page *Page, limit int) error {
	issues, err := s.selected(ctx, c, "", maxSorted+1)
	if err != nil {
		return err
	}
	if len(issues) > maxSorted {
		return fault.New(fault.Invalid, "more than %d issues would have to be sorted by their count: narrow the time range or the search, or sort by last seen", maxSorted).WithField("sort")
	}
	items := make([]Item, len(issues))
	for i := range issues {
		items[i] = Item{Issue: issues[i], Bars: make([]uint64, listBars)}
	}
	if err := s.count(ctx, p, q, items); err != nil {
		return err
	}
	key := func(i *Item) int64 {
		if q.Order == ByUsers {
			return int64(i.Users)
		}
		return int64(i.Count)
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Or(cmp.Compare(key(&b), key(&a)), cmp.Compare(b.ID, a.ID)) })
	if q.Cursor != "" {
		at, id, err := readCursor(q.Cursor)
		if err != nil {
			return err
		}
		items = slices.DeleteFunc(items, func(i Item) bool { k := key(&i); return k > at || k == at && i.ID >= id })
	}
	if len(items) > limit {
		items = items[:limit]
		page.NextCursor = writeCursor(key(&items[limit-1]), items[limit-1].ID)
	}
	page.Items = items
	return s.bars(ctx, p, q, page)
}

func (s *Store) selected(ctx context.Context, c *condition, order string, limit int) ([]Issue, error) {
	rows, err := s.db.Query(ctx, fmt.Sprintf(`SELECT `+issueColumns+` FROM issue i WHERE `+c.sql.String()+order+` LIMIT %d`, limit), c.args...)
	issues, err := metadb.Collect(rows, err, func(r *metadb.Rows) (Issue, error) { return scanIssue(r) })
	if err != nil {
		return nil, fmt.Errorf("list issues: %w", err)
	}
	return issues, nil
}

// mapping is which fingerprint belongs to which issue, for the engine.
type mapping struct{ fingerprints, issues []uint64 }

func (m mapping) params() []clickhouse.Param {
	return []clickhouse.Param{clickhouse.P("fingerprints", m.fingerprints), clickhouse.P("issues", m.issues)}
}

func (s *Store) mapping(ctx context.Context, items []Item) (m mapping, err error) {
	for part := range slices.Chunk(items, 500) {
		list := placeholders{}
		ids := make([]int64, len(part))
		for i := range part {
			ids[i] = part[i].ID
		}
		rows, err := s.db.Query(ctx, `SELECT fingerprint, issue_id FROM issue_fingerprint WHERE issue_id IN (`+addAll(&list, ids)+`)`, list.args...)
		_, err = metadb.Collect(rows, err, func(r *metadb.Rows) (struct{}, error) {
			var text string
			var id int64
			if err := r.Scan(&text, &id); err != nil {
				return struct{}{}, err
			}
			f, err := parseFingerprint(text)
			m.fingerprints, m.issues = append(m.fingerprints, f), append(m.issues, uint64(id))
			return struct{}{}, err
		})
		if err != nil {
			return m, fmt.Errorf("read fingerprints: %w", err)
		}
	}
	return m, nil
}

// inRange is what every read of occurrences in a time range begins with.
const inRange = ` FROM error_events WHERE project_id = {project:UInt32} AND fingerprint IN {fingerprints:Array(UInt64)}
	AND time >= {from:DateTime64(9)} AND time < {to:DateTime64(9)}`

// asIssue is the issue of a row.
const asIssue = `transform(fingerprint, {fingerprints:Array(UInt64)}, {issues:Array(UInt64)}, toUInt64(0))`

// count fills in how often the issues occurred in the range.
func (s *Store) count(ctx context.Context, p project.ID, q Query, items []Item) error {
	m, err := s.mapping(ctx, items)
	if err != nil || len(m.fingerprints) == 0 {
		return err
	}
	var rows []struct {
		Issue uint64 `ch:"issue"`
		Count uint64 `ch:"n"`
		Users uint64 `ch:"users"`
	}
	err = s.events.Select(ctx, p, &rows, `SELECT `+asIssue+` AS issue, uniq(occurrence) AS n, uniqIf(user, user != '') AS users`+inRange+` GROUP BY issue`,
		append(m.params(), clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()))...)
	if err != nil {
		return fmt.Errorf("count occurrences: %w", err)
	}
	byID := make(map[int64]*Item, len(items))
	for i := range items {
		byID[items[i].ID] = &items[i]
	}
	for _, r := range rows {
		if item := byID[int64(r.Issue)]; item != nil {
			item.Count, item.Users = r.Count, r.Users
		}
	}
	return nil
}

// bars fills in when the issues of a page occurred.
func (s *Store) bars(ctx context.Context, p project.ID, q Query, page *Page) error {
	m, err := s.mapping(ctx, page.Items)
	if err != nil || len(m.fingerprints) == 0 {
		return err
	}
	var rows []struct {
		Issue uint64 `ch:"issue"`
		Bar   int64  `ch:"bar"`
		N     uint64 `ch:"n"`
	}
	err = s.events.Select(ctx, p, &rows, `SELECT `+asIssue+` AS issue, intDiv(toUnixTimestamp64Nano(time) - {origin:Int64}, {step:Int64}) AS bar, uniq(occurrence) AS n`+inRange+`
		GROUP BY issue, bar`, append(m.params(), clickhouse.P("from", q.From.UTC()), clickhouse.P("to", q.To.UTC()),
		clickhouse.P("origin", page.From.UnixNano()), clickhouse.P("step", int64(page.StepSeconds)*int64(time.Second)))...)
	if err != nil {
		return fmt.Errorf("count occurrences over time: %w", err)
	}
	byID := make(map[int64]*Item, len(page.Items))
	for i := range page.Items {
		byID[page.Items[i].ID] = &page.Items[i]
	}
	for _, r := range rows {
		if item := byID[int64(r.Issue)]; item != nil && r.Bar >= 0 && r.Bar < listBars {
			item.Bars[r.Bar] = r.N
		}
	}
	return nil
}

// A cursor is the place of a page's last issue in the order of the list.
func writeCursor(at, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", at, id))
}

func readCursor(cursor string) (at, id int64, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		_, err = fmt.Sscanf(string(raw), "%d.%d", &at, &id)
	}
	if err != nil {
		return 0, 0, fault.New(fault.Invalid, "the cursor does not belong to this list: start again without one").WithField("cursor")
	}
	return at, id, nil
}

// condition is a query as a condition of SQL.
type condition struct {
	placeholders
	sql strings.Builder
}

func (c *condition) query(q Query) error {
	if q.Service != "" {
		c.sql.WriteString(" AND " + c.tagged("service", search.Equal, q.Service))
	}
	if q.Version != "" {
		c.sql.WriteString(" AND " + c.tagged("version", search.Equal, q.Version))
	}
	switch {
	case q.Assignee > 0:
		c.sql.WriteString(" AND i.assignee_id = " + c.add(q.Assignee))
	case q.Assignee < 0:
		c.sql.WriteString(" AND i.assignee_id = 0")
	}
	node, err := search.Parse(q.Text)
	if err != nil {
		return err
	}
	text, err := c.node(node)
	if err != nil {
		return err
	}
	c.sql.WriteString(" AND " + text)
	return nil
}

// fields are the names under which columns are searched.
var fields = map[string]string{
	"type": "i.type", "message": "i.message", "culprit": "i.culprit", "language": "i.language", "state": "i.state", "is": "i.state", "assignee": "i.assignee",
}

// node writes a part of a search.
func (c *condition) node(n search.Node) (string, error) {
	list := func(empty, between string, nodes []search.Node) (string, error) {
		if len(nodes) == 0 {
			return empty, nil
		}
		parts := make([]string, len(nodes))
		for i, n := range nodes {
			var err error
			if parts[i], err = c.node(n); err != nil {
				return "", err
			}
		}
		return "(" + strings.Join(parts, between) + ")", nil
	}
	switch n := n.(type) {
	case search.And:
		return list("1 = 1", " AND ", n)
	case search.Or:
		return list("1 = 0", " OR ", n)
	case search.Not:
		inner, err := c.node(n.Node)
		return "NOT (" + inner + ")", err
	case *search.Term:
		return c.term(n)
	}
	return "", fmt.Errorf("unknown part of a query: %T", n)
}

func (c *condition) term(t *search.Term) (string, error) {
	if t.Op == search.Word || t.Op == search.Phrase {
		like := c.add("%" + likePattern(strings.ToLower(t.Value), t.Op == search.Word) + "%")
		return `(i.words LIKE ` + like + ` ESCAPE '\' OR EXISTS (SELECT 1 FROM issue_tag t WHERE t.issue_id = i.id AND t.kind = 'service' AND lower(t.value) LIKE ` + like + ` ESCAPE '\'))`, nil
	}
	if t.Op != search.Equal && t.Op != search.NotEqual && t.Op != search.Has {
		return "", search.Errorf(t.Column, "issues are compared with : or !=; a * in the value stands for anything")
	}
	name := strings.ToLower(t.Field)
	switch name {
	case "env":
		name = "environment"
		fallthrough
	case "service", "version", "environment":
		return c.tagged(name, t.Op, t.Value), nil
	}
	column, ok := fields[name]
	if !ok {
		return "", search.Errorf(t.Column, "issues have no field %q: there are type, message, culprit, service, version, environment, state, assignee and language", t.Field)
	}
	if t.Op == search.Has {
		return column + " <> ''", nil
	}
	not := ""
	if t.Op == search.NotEqual {
		not = "NOT "
	}
	return not + "lower(" + column + ") LIKE " + c.add(likePattern(strings.ToLower(t.Value), true)) + ` ESCAPE '\'`, nil
}

// tagged asks for what an issue was seen in.
func (c *condition) tagged(kind string, op search.Op, value string) string {
	like, not := "%", ""
	if op != search.Has {
		like = likePattern(value, true)
	}
	if op == search.NotEqual {
		not = "NOT "
	}
	return not + `EXISTS (SELECT 1 FROM issue_tag t WHERE t.issue_id = i.id AND t.kind = '` + kind + `' AND t.value LIKE ` + c.add(like) + ` ESCAPE '\')`
}

// likePattern is a value as LIKE writes it; with stars, * stands for anything.
func likePattern(value string, stars bool) string {
	value = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(value)
	if stars {
		value = strings.ReplaceAll(value, "*", "%")
	}
	return value
}
