package issue

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Detail is an issue with what it is made of and what happened to it.
type Detail struct {
	Issue
	Fingerprints []Made  `json:"fingerprints" doc:"what the issue is made of; splitting moves some of them"`
	Activity     []Event `json:"activity" doc:"newest first, at most 200"`
}

// Made is a fingerprint of an issue.
type Made struct {
	Fingerprint string `json:"fingerprint"`
	Type        string `json:"type"`
	Message     string `json:"message"`
	Culprit     string `json:"culprit"`
	Algorithm   int64  `json:"algorithm" doc:"version of the grouping that made it"`
	Rules       int64  `json:"rules" doc:"version of the in-app rules it was made with"`
}

const maxMade = 500 // fingerprints shown

// Get returns an issue of the project, or the one it was merged into; fault.NotFound
// when there is none.
func (s *Store) Get(ctx context.Context, p project.ID, id int64) (*Detail, error) {
	i, err := load(ctx, s.db, p, id)
	if err != nil {
		return nil, err
	}
	d := &Detail{Issue: i}
	if err := s.withTags(ctx, &d.Issue); err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT fingerprint, type, message, culprit, algorithm, rules FROM issue_fingerprint WHERE issue_id = $1
		ORDER BY fingerprint LIMIT $2`, i.ID, maxMade)
	d.Fingerprints, err = metadb.Collect(rows, err, func(r *metadb.Rows) (m Made, err error) {
		return m, r.Scan(&m.Fingerprint, &m.Type, &m.Message, &m.Culprit, &m.Algorithm, &m.Rules)
	})
	if err != nil {
		return nil, fmt.Errorf("read fingerprints: %w", err)
	}
	d.Activity, err = activity(ctx, s.db, i.ID)
	return d, err
}

// Seen is one occurrence of an issue.
type Seen struct {
	ID          string    `json:"id" doc:"the occurrence's name in paths"`
	Time        time.Time `json:"time"`
	Type        string    `json:"type"`
	Message     string    `json:"message"`
	Service     string    `json:"service"`
	Environment string    `json:"environment"`
	Version     string    `json:"version"`
	Instance    string    `json:"instance"`
	Endpoint    string    `json:"endpoint" doc:"empty when it is not known"`
	User        string    `json:"user" doc:"enduser.id or user.id, as far as the telemetry names it"`
	TraceID     string    `json:"trace_id" doc:"32 hex digits, or empty"`
	SpanID      string    `json:"span_id" doc:"16 hex digits, or empty"`
	Sources     []string  `json:"sources" enum:"span,log" doc:"what carried it"`
}

// SeenPage is a part of an issue's occurrences.
type SeenPage struct {
	Items      []Seen `json:"items"`
	NextCursor string `json:"next_cursor" doc:"empty on the last page"`
}

// Window is when occurrences are asked for.
type Window struct{ From, To time.Time }

func (w Window) check() error {
	if !w.From.Before(w.To) {
		return fault.New(fault.Invalid, "the time range ends before it begins").WithField("to")
	}
	return nil
}

// Occurrences lists the occurrences of an issue in a time range, newest first.
func (s *Store) Occurrences(ctx context.Context, p project.ID, id int64, w Window, cursor string, limit int) (SeenPage, error) {
	page := SeenPage{Items: []Seen{}}
	fingerprints, err := s.made(ctx, p, id)
	if err != nil {
		return page, err
	}
	if err := w.check(); err != nil {
		return page, err
	}
	var behind *clickhouse.RowID
	if cursor != "" {
		last, ok := clickhouse.ParseRowID(cursor)
		if !ok {
			return page, fault.New(fault.Invalid, "the cursor does not belong to this list: start again without one").WithField("cursor")
		}
		behind = &last
	}
	limit = min(max(limit, 1), maxLimit)
	ids, err := s.ids(ctx, p, fingerprints, w, behind, false, limit+1)
	if err != nil {
		return page, err
	}
	if len(ids) > limit {
		ids = ids[:limit]
		page.NextCursor = ids[limit-1].String()
	}
	rows, err := s.occurrences(ctx, p, fingerprints, ids, false)
	if err != nil {
		return page, err
	}
	for i := range rows {
		page.Items = append(page.Items, rows[i].seen())
	}
	return page, nil
}

// made returns the fingerprints of a project's issue.
func (s *Store) made(ctx context.Context, p project.ID, id int64) ([]uint64, error) {
	i, err := load(ctx, s.db, p, id)
	if err != nil {
		return nil, err
	}
	return fingerprintsOf(ctx, s.db, i.ID)
}

// ids returns the occurrences behind one in the order of time: older ones, newest
// first, or newer ones, oldest first.
func (s *Store) ids(ctx context.Context, p project.ID, fingerprints []uint64, w Window, behind *clickhouse.RowID, newer bool, limit int) ([]clickhouse.RowID, error) {
	order, having := "at DESC, occurrence DESC", ""
	if newer {
		order = "at, occurrence"
	}
	params := []clickhouse.Param{clickhouse.P("fingerprints", fingerprints), clickhouse.P("limit", limit)}
	if behind != nil {
		having = " HAVING (at, occurrence) < ({c_time:DateTime64(9)}, {c_number:UInt64})"
		// All rows of one occurrence lie within a slot.
		if newer {
			having = strings.Replace(having, "<", ">", 1)
			w.From = latest(w.From, behind.Time.Add(-slot))
		} else {
			w.To = earliest(w.To, behind.Time.Add(slot))
		}
		params = append(params, clickhouse.P("c_time", behind.Time), clickhouse.P("c_number", behind.Number))
	}
	var rows []struct {
		Number uint64    `ch:"occurrence"`
		At     time.Time `ch:"at"`
	}
	err := s.events.Select(ctx, p, &rows, `SELECT occurrence, max(time) AS at`+inRange+` GROUP BY occurrence`+having+` ORDER BY `+order+` LIMIT {limit:UInt32}`,
		append(params, clickhouse.P("from", w.From.UTC()), clickhouse.P("to", w.To.UTC()))...)
	if err != nil {
		return nil, fmt.Errorf("list occurrences: %w", err)
	}
	ids := make([]clickhouse.RowID, len(rows))
	for i, r := range rows {
		ids[i] = clickhouse.RowID{Time: r.At.UTC(), Number: r.Number}
	}
	return ids, nil
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// occurrenceRow is an occurrence with all its rows as one.
type occurrenceRow struct {
	Number      uint64    `ch:"occurrence"`
	Time        time.Time `ch:"at"`
	Sources     []uint8   `ch:"sources"`
	Fingerprint uint64    `ch:"print"`
	Algorithm   uint8     `ch:"algo"`
	Rules       uint32    `ch:"rule"`
	Type        string    `ch:"kind"`
	Message     string    `ch:"text"`
	Stack       string    `ch:"trace"`
	Custom      string    `ch:"own"`
	Service     string    `ch:"svc"`
	Environment string    `ch:"env"`
	Version     string    `ch:"ver"`
	Instance    string    `ch:"inst"`
	Endpoint    string    `ch:"ep"`
	User        string    `ch:"usr"`
	TraceID     string    `ch:"tid"`
	SpanID      uint64    `ch:"sid"`
}

// occurrences reads the occurrences of these ids, in their order; their stacks too
// when they are asked for.
func (s *Store) occurrences(ctx context.Context, p project.ID, fingerprints []uint64, ids []clickhouse.RowID, stacks bool) ([]occurrenceRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	from, to, numbers := ids[0].Time, ids[0].Time, make([]uint64, len(ids))
	for i, id := range ids {
		from, to, numbers[i] = earliest(from, id.Time), latest(to, id.Time), id.Number
	}
	stack := "''"
	if stacks {
		stack = "argMax(stack, length(stack))"
	}
	var rows []occurrenceRow
	err := s.events.Select(ctx, p, &rows, `SELECT occurrence, max(time) AS at, groupUniqArray(source) AS sources, argMin(fingerprint, source) AS print,
			argMin(algorithm, source) AS algo, argMin(rules, source) AS rule, argMin(type::String, source) AS kind, argMin(message, source) AS text, `+stack+` AS trace,
			max(custom) AS own, argMin(service::String, source) AS svc, argMin(environment::String, source) AS env, argMin(version::String, source) AS ver,
			argMin(instance::String, source) AS inst, max(endpoint::String) AS ep, max(user) AS usr, any(trace_id) AS tid, any(span_id) AS sid`+inRange+`
			AND occurrence IN {numbers:Array(UInt64)} GROUP BY occurrence`,
		clickhouse.P("fingerprints", fingerprints), clickhouse.P("numbers", numbers),
		clickhouse.P("from", from.Add(-slot)), clickhouse.P("to", to.Add(slot)))
	if err != nil {
		return nil, fmt.Errorf("read occurrences: %w", err)
	}
	place := make(map[uint64]int, len(ids))
	for i, id := range ids {
		place[id.Number] = i
	}
	slices.SortFunc(rows, func(a, b occurrenceRow) int { return place[a.Number] - place[b.Number] })
	return rows, nil
}

func (r *occurrenceRow) seen() Seen {
	s := Seen{
		ID: clickhouse.RowID{Time: r.Time.UTC(), Number: r.Number}.String(), Time: r.Time.UTC(), Type: r.Type, Message: r.Message, Service: r.Service,
		Environment: r.Environment, Version: r.Version, Instance: r.Instance, Endpoint: r.Endpoint, User: r.User, Sources: []string{},
	}
	if strings.Trim(r.TraceID, "\x00") != "" {
		s.TraceID = hex.EncodeToString([]byte(r.TraceID))
	}
	if r.SpanID != 0 {
		s.SpanID = fmt.Sprintf("%016x", r.SpanID)
	}
	for source, name := range map[Source]string{FromSpan: "span", FromLog: "log"} {
		if slices.Contains(r.Sources, uint8(source)) {
			s.Sources = append(s.Sources, name)
		}
	}
	slices.Sort(s.Sources)
	return s
}

// Whole is an occurrence with its stack and its neighbours.
type Whole struct {
	Seen
	Stack       Stack  `json:"stack" doc:"marked by the project's rules of now"`
	Raw         string `json:"raw" doc:"the stack as it was recorded"`
	Fingerprint string `json:"fingerprint"`
	GroupedBy   string `json:"grouped_by" enum:"custom,frames,message" doc:"what the fingerprint is made of"`
	Older       string `json:"older" doc:"id of the occurrence before, empty when there is none"`
	Newer       string `json:"newer" doc:"id of the one behind"`
}

var errNoOccurrence = fault.New(fault.NotFound, "the issue has no such occurrence, or it has expired")

// Newest stands for the id of the newest occurrence.
const Newest = "newest"

// Occurrence returns one occurrence of an issue; its neighbours are looked for in
// the time range.
func (s *Store) Occurrence(ctx context.Context, p project.ID, id int64, occurrence string, w Window) (*Whole, error) {
	fingerprints, err := s.made(ctx, p, id)
	if err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	at, ok := clickhouse.ParseRowID(occurrence)
	if occurrence == Newest {
		ids, err := s.ids(ctx, p, fingerprints, w, nil, false, 1)
		if err != nil {
			return nil, err
		}
		if ok = len(ids) > 0; ok {
			at = ids[0]
		}
	}
	if !ok {
		return nil, errNoOccurrence
	}
	rows, err := s.occurrences(ctx, p, fingerprints, []clickhouse.RowID{at}, true)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errNoOccurrence
	}
	r := &rows[0]
	rules, err := s.Rules(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &Whole{Seen: r.seen(), Stack: Parse(r.Type, r.Message, r.Stack), Raw: r.Stack, Fingerprint: formatFingerprint(r.Fingerprint), GroupedBy: "message"}
	rules.Mark(&out.Stack)
	for _, e := range out.Stack.Exceptions {
		if !e.Suppressed && slices.ContainsFunc(e.Frames, func(f Frame) bool { return f.InApp }) {
			out.GroupedBy = "frames"
		}
	}
	if r.Custom != "" {
		out.GroupedBy = "custom"
	}
	for _, newer := range []bool{false, true} {
		ids, err := s.ids(ctx, p, fingerprints, w, &at, newer, 1)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			continue
		}
		if newer {
			out.Newer = ids[0].String()
		} else {
			out.Older = ids[0].String()
		}
	}
	return out, nil
}

// Stats are an issue's occurrences in a time range, over time and by what they have in common.
type Stats struct {
	Count        uint64    `json:"count"`
	Users        uint64    `json:"users" doc:"distinct ones, as far as the telemetry names them"`
	Traces       uint64    `json:"traces" doc:"distinct ones"`
	From         time.Time `json:"from" doc:"where the first bar starts"`
	StepSeconds  int       `json:"step_seconds"`
	Versions     []Bars    `json:"versions" doc:"most frequent first; those behind the eighth are one, named by an asterisk"`
	Services     []Share   `json:"services"`
	Environments []Share   `json:"environments"`
	Endpoints    []Share   `json:"endpoints"`
	Instances    []Share   `json:"instances"`
}

// Bars are the occurrences of one version, one count per step.
type Bars struct {
	Version string   `json:"version" doc:"empty: it does not tell"`
	Count   uint64   `json:"count"`
	Bars    []uint64 `json:"bars"`
}

// Share is a value and how many of the occurrences have it.
type Share struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

const (
	statBars    = 60
	maxVersions = 8
	maxShares   = 20
)

// Stats counts an issue's occurrences.
func (s *Store) Stats(ctx context.Context, p project.ID, id int64, w Window) (*Stats, error) {
	fingerprints, err := s.made(ctx, p, id)
	if err != nil {
		return nil, err
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	out := &Stats{StepSeconds: max(int((w.To.Sub(w.From)/statBars+time.Second-1)/time.Second), 1), Versions: []Bars{},
		Services: []Share{}, Environments: []Share{}, Endpoints: []Share{}, Instances: []Share{}}
	out.From = w.To.Add(-time.Duration(out.StepSeconds) * time.Second * statBars).UTC()
	params := []clickhouse.Param{clickhouse.P("fingerprints", fingerprints), clickhouse.P("from", w.From.UTC()), clickhouse.P("to", w.To.UTC())}
	var totals []struct {
		Count  uint64 `ch:"n"`
		Users  uint64 `ch:"users"`
		Traces uint64 `ch:"traces"`
	}
	err = s.events.Select(ctx, p, &totals, `SELECT uniq(occurrence) AS n, uniqIf(user, user != '') AS users, uniqIf(trace_id, trace_id != toFixedString('', 16)) AS traces`+inRange, params...)
	if err != nil {
		return nil, fmt.Errorf("count occurrences: %w", err)
	}
	if len(totals) > 0 {
		out.Count, out.Users, out.Traces = totals[0].Count, totals[0].Users, totals[0].Traces
	}
	// An endpoint that only the span knows is the log's as well: the number they
	// share is counted where it is known.
	var shares []struct {
		Kind  string `ch:"kind"`
		Value string `ch:"value"`
		N     uint64 `ch:"n"`
	}
	err = s.events.Select(ctx, p, &shares, `SELECT pair.1 AS kind, pair.2 AS value, uniq(occurrence) AS n FROM (SELECT occurrence,
			[('service', service::String), ('environment', environment::String), ('endpoint', endpoint::String), ('instance', instance::String)] AS pairs`+inRange+`)
		ARRAY JOIN pairs AS pair WHERE value != '' GROUP BY kind, value ORDER BY n DESC, value LIMIT {top:UInt32} BY kind`, append(params[:3:3], clickhouse.P("top", maxShares))...)
	if err != nil {
		return nil, fmt.Errorf("group occurrences: %w", err)
	}
	lists := map[string]*[]Share{"service": &out.Services, "environment": &out.Environments, "endpoint": &out.Endpoints, "instance": &out.Instances}
	for _, r := range shares {
		*lists[r.Kind] = append(*lists[r.Kind], Share{r.Value, r.N})
	}
	var bars []struct {
		Version string `ch:"v"`
		Bar     int64  `ch:"bar"`
		N       uint64 `ch:"n"`
	}
	err = s.events.Select(ctx, p, &bars, `WITH top AS (SELECT version`+inRange+` GROUP BY version ORDER BY uniq(occurrence) DESC, version LIMIT {top:UInt32})
		SELECT if(version IN (SELECT version FROM top), version::String, '*') AS v, intDiv(toUnixTimestamp64Nano(time) - {origin:Int64}, {step:Int64}) AS bar, uniq(occurrence) AS n`+inRange+`
		GROUP BY v, bar`, append(params[:3:3], clickhouse.P("top", maxVersions), clickhouse.P("origin", out.From.UnixNano()),
		clickhouse.P("step", int64(out.StepSeconds)*int64(time.Second)))...)
	if err != nil {
		return nil, fmt.Errorf("count occurrences over time: %w", err)
	}
	for _, r := range bars {
		if r.Bar < 0 || r.Bar >= statBars {
			continue
		}
		i := slices.IndexFunc(out.Versions, func(b Bars) bool { return b.Version == r.Version })
		if i < 0 {
			i = len(out.Versions)
			out.Versions = append(out.Versions, Bars{Version: r.Version, Bars: make([]uint64, statBars)})
		}
		out.Versions[i].Bars[r.Bar] += r.N
		out.Versions[i].Count += r.N
	}
	slices.SortFunc(out.Versions, func(a, b Bars) int {
		switch {
		case a.Version == "*":
			return 1
		case b.Version == "*", a.Count > b.Count:
			return -1
		case a.Count < b.Count:
			return 1
		}
		return strings.Compare(a.Version, b.Version)
	})
	return out, nil
}
