package issue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/matrix-aiops/matrix/internal/clickhouse"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

const (
	// overlap is how long before the watermark a pass reads again: an insert
	// takes its arrival time before its rows can be read, and the clocks of
	// engine nodes differ.
	overlap = 2 * time.Minute
	// pageSize is how many fingerprints one read of a pass takes.
	pageSize = 1000
	// chunk is how many fingerprints one transaction takes.
	chunk = 50
	// maxTags is how many services, environments and versions of an issue are kept, each.
	maxTags = 100
	// maxIssues is how many issues a project may have. Behind it what is new joins
	// an issue of its type: such a flood has a message that is never the same.
	maxIssues = 10_000
)

// Tracker turns occurrences into issues: it finds the issue of a fingerprint or
// makes it, moves first and last seen, and changes states. All it does can be done
// twice: any number of nodes may track, at the same time too.
type Tracker struct {
	store *Store
	log   *slog.Logger
	mu    sync.Mutex // one pass at a time
}

// NewTracker returns a Tracker. Call Track every ten seconds.
func NewTracker(store *Store, log *slog.Logger) *Tracker {
	return &Tracker{store: store, log: cmp.Or(log, slog.New(slog.DiscardHandler)).With("component", "issue")}
}

// sighting is what has arrived of one fingerprint.
type sighting struct {
	Project      uint32           `ch:"project_id"`
	Fingerprint  uint64           `ch:"fingerprint"`
	First        time.Time        `ch:"first"`
	Last         time.Time        `ch:"last"`
	FirstVersion string           `ch:"first_version"`
	LastVersion  string           `ch:"last_version"`
	VersionFirst map[string]int64 `ch:"version_first"` // µs
	VersionLast  map[string]int64 `ch:"version_last"`
	Services     map[string]int64 `ch:"services"` // first seen, µs
	Environments map[string]int64 `ch:"environments"`
}

const sightingColumns = `min(time) AS first, max(time) AS last, argMin(version::String, time) AS first_version, argMax(version::String, time) AS last_version,
	minMap(map(version::String, toUnixTimestamp64Micro(time))) AS version_first, maxMap(map(version::String, toUnixTimestamp64Micro(time))) AS version_last,
	minMap(map(service::String, toUnixTimestamp64Micro(time))) AS services, minMap(map(environment::String, toUnixTimestamp64Micro(time))) AS environments`

// Track makes one pass over what has arrived since the last one.
func (t *Tracker) Track(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.store
	until := s.now()
	var watermark int64
	if err := s.db.QueryRow(ctx, `SELECT arrived FROM issue_watermark WHERE id = 1`).Scan(&watermark); err != nil {
		return fmt.Errorf("read watermark: %w", err)
	}
	from := metadb.FromMicros(watermark)
	if watermark > 0 {
		from = from.Add(-overlap)
	}
	var lastProject uint32
	var last uint64
	for {
		rows, err := s.arrived(ctx, from, lastProject, last)
		if err != nil {
			return err
		}
		for _, part := range byProject(rows) {
			if err := s.see(ctx, project.ID(part[0].Project), part); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			break
		}
		lastProject, last = rows[len(rows)-1].Project, rows[len(rows)-1].Fingerprint
	}
	// Only forward: another node may have got further meanwhile.
	_, err := s.db.Exec(ctx, `UPDATE issue_watermark SET arrived = $1 WHERE id = 1 AND arrived < $1`, metadb.Micros(until))
	if err != nil {
		return fmt.Errorf("move watermark: %w", err)
	}
	return s.expire(ctx, until)
}

// arrived reads what has arrived behind a time, by project and fingerprint, from
// behind the last of the page before.
func (s *Store) arrived(ctx context.Context, from time.Time, lastProject uint32, last uint64) ([]sighting, error) {
	var rows []sighting
	err := s.events.SystemSelect(ctx, &rows, `
		SELECT project_id, fingerprint, `+sightingColumns+` FROM error_events
		WHERE arrived > {from:DateTime64(3)} AND (project_id, fingerprint) > ({project:UInt32}, {last:UInt64})
		GROUP BY project_id, fingerprint ORDER BY project_id, fingerprint LIMIT {limit:UInt32}`,
		clickhouse.P("from", from.UTC()), clickhouse.P("project", lastProject), clickhouse.P("last", last), clickhouse.P("limit", pageSize))
	if err != nil {
		return nil, fmt.Errorf("read occurrences: %w", err)
	}
	return rows, nil
}

// byProject splits sightings, which are by project, into chunks.
func byProject(rows []sighting) (parts [][]sighting) {
	for from := 0; from < len(rows); {
		to := from
		for to < len(rows) && rows[to].Project == rows[from].Project && to-from < chunk {
			to++
		}
		parts = append(parts, rows[from:to])
		from = to
	}
	return parts
}

// sample is an occurrence of a fingerprint that has no issue yet.
type sample struct {
	Fingerprint uint64 `ch:"fingerprint"`
	Type        string `ch:"type"`
	Message     string `ch:"message"`
	Stack       string `ch:"stack"`
	Algorithm   uint8  `ch:"algorithm"`
	Rules       uint32 `ch:"rules"`
}

// see brings the issues of a project's sightings up to date.
func (s *Store) see(ctx context.Context, p project.ID, rows []sighting) error {
	known, err := issuesOf(ctx, s.db, p, rows)
	if err != nil {
		return err
	}
	var unknown []uint64
	for i := range rows {
		if known[rows[i].Fingerprint] == 0 {
			unknown = append(unknown, rows[i].Fingerprint)
		}
	}
	samples, err := s.samples(ctx, p, unknown)
	if err != nil {
		return err
	}
	var rules *Rules
	if len(samples) > 0 {
		g, err := readGrouping(ctx, s.db, p)
		if err != nil {
			return err
		}
		rules = g.current()
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		known, err := issuesOf(ctx, tx, p, rows) // another node may have made some
		if err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			id := known[r.Fingerprint]
			if id == 0 {
				found, ok := samples[r.Fingerprint]
				if !ok {
					continue // expired between two reads
				}
				if id, err = s.adopt(ctx, tx, p, r, found, rules); err != nil {
					return err
				}
			}
			if err := s.update(ctx, tx, p, id, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("track issues of project %d: %w", p, err)
	}
	return nil
}

// issuesOf maps the fingerprints of sightings to their issues.
func issuesOf(ctx context.Context, q metadb.Querier, p project.ID, sightings []sighting) (map[uint64]int64, error) {
	list := placeholders{}
	at := list.add(int64(p))
	texts := make([]string, len(sightings))
	for i := range sightings {
		texts[i] = formatFingerprint(sightings[i].Fingerprint)
	}
	known := map[uint64]int64{}
	rows, err := q.Query(ctx, `SELECT fingerprint, issue_id FROM issue_fingerprint WHERE project_id = `+at+` AND fingerprint IN (`+addAll(&list, texts)+`)`, list.args...)
	_, err = metadb.Collect(rows, err, func(r *metadb.Rows) (struct{}, error) {
		var text string
		var id int64
		if err := r.Scan(&text, &id); err != nil {
			return struct{}{}, err
		}
		f, err := parseFingerprint(text)
		known[f] = id
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read fingerprints: %w", err)
	}
	return known, nil
}

func (s *Store) samples(ctx context.Context, p project.ID, fingerprints []uint64) (map[uint64]sample, error) {
	if len(fingerprints) == 0 {
		return nil, nil
	}
	var rows []sample
	err := s.events.Select(ctx, p, &rows, `SELECT fingerprint, type, message, stack, algorithm, rules FROM error_events
		WHERE project_id = {project:UInt32} AND fingerprint IN {fingerprints:Array(UInt64)} ORDER BY time LIMIT 1 BY fingerprint`,
		clickhouse.P("fingerprints", fingerprints))
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	byFingerprint := make(map[uint64]sample, len(rows))
	for _, r := range rows {
		byFingerprint[r.Fingerprint] = r
	}
	return byFingerprint, nil
}

const maxMessage = 1 << 10 // bytes of a message that an issue keeps

// adopt makes an issue of a fingerprint that has none.
func (s *Store) adopt(ctx context.Context, tx *metadb.Tx, p project.ID, r *sighting, from sample, rules *Rules) (int64, error) {
	stack := Parse(from.Type, from.Message, from.Stack)
	rules.Mark(&stack)
	now := s.now()
	i := Issue{
		Project: p, State: New, Type: stack.Exceptions[0].Type, Message: stack.Exceptions[0].Message, Culprit: stack.Culprit(), Language: stack.Language,
		StateSince: now, FirstSeen: r.First, LastSeen: r.Last, FirstVersion: r.FirstVersion, LastVersion: r.LastVersion,
	}
	i.Message = strings.ToValidUTF8(i.Message[:min(len(i.Message), maxMessage)], "")
	var have, same int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM issue WHERE project_id = $1 AND merged_into = 0`, int64(p)).Scan(&have)
	if err != nil {
		return 0, fmt.Errorf("count issues: %w", err)
	}
	if have >= maxIssues {
		err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(id), 0) FROM issue WHERE project_id = $1 AND merged_into = 0 AND type = $2`, int64(p), i.Type).Scan(&same)
		if err != nil {
			return 0, fmt.Errorf("find an issue of the type: %w", err)
		}
	}
	i.ID = same
	if same == 0 {
		if err := create(ctx, tx, &i); err != nil {
			return 0, err
		}
		if err := note(ctx, tx, i.ID, now, "", "created", map[string]any{"version": i.FirstVersion}); err != nil {
			return 0, err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO issue_fingerprint (project_id, fingerprint, issue_id, algorithm, rules, type, message, culprit, language)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, int64(p), formatFingerprint(r.Fingerprint), i.ID, int64(from.Algorithm), int64(from.Rules), i.Type, i.Message, i.Culprit, i.Language)
	if err != nil {
		return 0, fmt.Errorf("write fingerprint: %w", err)
	}
	return i.ID, nil
}

// update moves an issue on by what was seen of it.
func (s *Store) update(ctx context.Context, tx *metadb.Tx, p project.ID, id int64, r *sighting) error {
	i, err := load(ctx, tx, p, id)
	if err != nil {
		return err
	}
	changed := false
	if r.Last.Truncate(time.Microsecond).After(i.LastSeen) {
		i.LastSeen, i.LastVersion, changed = r.Last, r.LastVersion, true
	}
	if first := r.First.Truncate(time.Microsecond); first.Before(i.FirstSeen) {
		i.FirstSeen, i.FirstVersion, changed = first, r.FirstVersion, true
	}
	for kind, values := range map[string]map[string]int64{"service": r.Services, "environment": r.Environments, "version": r.VersionFirst} {
		if err := tag(ctx, tx, id, kind, values); err != nil {
			return err
		}
	}
	turned, err := s.turn(ctx, tx, &i, r)
	if err != nil {
		return err
	}
	if !changed && !turned {
		return nil // the overlap shows most of it twice
	}
	return write(ctx, tx, &i)
}

// turn changes the state of an issue that occurred.
func (s *Store) turn(ctx context.Context, tx *metadb.Tx, i *Issue, r *sighting) (bool, error) {
	switch {
	case i.State == Resolved:
		var failed error
		firstSeen := func(version string) (time.Time, bool) {
			var at *int64
			err := tx.QueryRow(ctx, `SELECT MIN(t.first_seen) FROM issue_tag t JOIN issue i ON i.id = t.issue_id
				WHERE i.project_id = $1 AND t.kind = 'version' AND t.value = $2`, int64(i.Project), version).Scan(&at)
			if err != nil || at == nil {
				failed = errors.Join(failed, err)
				return time.Time{}, false
			}
			return metadb.FromMicros(*at), true
		}
		version, yes := i.regressedIn(r.seen(), firstSeen)
		if failed != nil || !yes {
			return false, failed
		}
		resolved := i.ResolvedVersion
		i.turn(Regressed, s.now())
		return true, note(ctx, tx, i.ID, s.now(), "", "regressed", map[string]any{"version": version, "resolved_version": resolved})
	case i.State == Ignored && i.IgnoredCount > 0:
		more, err := s.since(ctx, tx, i)
		if err != nil || more < uint64(i.IgnoredCount) {
			return false, err
		}
		count := i.IgnoredCount
		i.turn(Ongoing, s.now())
		return true, note(ctx, tx, i.ID, s.now(), "", "reopened", map[string]any{"occurrences": count})
	}
	return false, nil
}

// seen are the versions of a sighting, oldest occurrence first.
func (r *sighting) seen() []seenIn {
	out := make([]seenIn, 0, len(r.VersionLast))
	for version, last := range r.VersionLast {
		out = append(out, seenIn{version, metadb.FromMicros(r.VersionFirst[version]), metadb.FromMicros(last)})
	}
	slices.SortFunc(out, func(a, b seenIn) int { return cmp.Or(a.last.Compare(b.last), cmp.Compare(a.version, b.version)) })
	return out
}

// since counts the occurrences of an issue since its state began.
func (s *Store) since(ctx context.Context, q metadb.Querier, i *Issue) (uint64, error) {
	fingerprints, err := fingerprintsOf(ctx, q, i.ID)
	if err != nil {
		return 0, err
	}
	var rows []struct {
		N uint64 `ch:"n"`
	}
	err = s.events.Select(ctx, i.Project, &rows, `SELECT uniq(occurrence) AS n FROM error_events
		WHERE project_id = {project:UInt32} AND fingerprint IN {fingerprints:Array(UInt64)} AND time > {since:DateTime64(9)}`,
		clickhouse.P("fingerprints", fingerprints), clickhouse.P("since", i.StateSince))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return rows[0].N, nil
}

// tag notes what an issue was seen in.
func tag(ctx context.Context, tx *metadb.Tx, id int64, kind string, values map[string]int64) error {
	rows, err := tx.Query(ctx, `SELECT value, first_seen FROM issue_tag WHERE issue_id = $1 AND kind = $2`, id, kind)
	type known struct {
		value string
		first int64
	}
	have, err := metadb.Collect(rows, err, func(r *metadb.Rows) (k known, err error) { return k, r.Scan(&k.value, &k.first) })
	if err != nil {
		return fmt.Errorf("read %ss of an issue: %w", kind, err)
	}
	byValue := map[string]int64{}
	for _, k := range have {
		byValue[k.value] = k.first
	}
	for _, value := range slices.Sorted(maps.Keys(values)) {
		first, ok := byValue[value]
		if value == "" || ok && first <= values[value] || !ok && len(byValue) >= maxTags {
			continue
		}
		byValue[value] = values[value]
		_, err := tx.Exec(ctx, `INSERT INTO issue_tag (issue_id, kind, value, first_seen) VALUES ($1, $2, $3, $4)
			ON CONFLICT (issue_id, kind, value) DO UPDATE SET first_seen = excluded.first_seen`, id, kind, value, values[value])
		if err != nil {
			return fmt.Errorf("write %s of an issue: %w", kind, err)
		}
	}
	return nil
}

// maxExpired is how many issues one pass lets time turn.
const maxExpired = 500

// expire lets time turn issues: see expired.
func (s *Store) expire(ctx context.Context, now time.Time) error {
	rows, err := s.db.Query(ctx, `SELECT `+issueColumns+` FROM issue WHERE merged_into = 0 AND
		(state IN ('new', 'regressed') AND state_since <= $1 OR state = 'ignored' AND ignored_until > 0 AND ignored_until <= $2)
		ORDER BY id LIMIT $3`, metadb.Micros(now.Add(-newFor)), metadb.Micros(now), maxExpired)
	due, err := metadb.Collect(rows, err, func(r *metadb.Rows) (Issue, error) { return scanIssue(r) })
	if err != nil {
		return fmt.Errorf("read issues whose time is over: %w", err)
	}
	for _, d := range due {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
			i, err := load(ctx, tx, d.Project, d.ID)
			if err != nil {
				return err
			}
			next, ok := i.expired(now)
			if !ok || i.Version != d.Version {
				return nil
			}
			wasIgnored := i.State == Ignored
			i.turn(next, now)
			if err := write(ctx, tx, &i); err != nil {
				return err
			}
			if !wasIgnored {
				return nil // that it is no longer new is nothing that happened
			}
			return note(ctx, tx, i.ID, now, "", "reopened", map[string]any{})
		})
		if err != nil {
			return fmt.Errorf("turn issue %d: %w", d.ID, err)
		}
	}
	return nil
}
