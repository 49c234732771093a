package issue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/pattern"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Grouping is how a project's exceptions are grouped now, and how they were
// before. An exception whose fingerprint of an older way is known stays with what
// that has grouped; only what is new is grouped the new way. So neither new rules
// nor a new algorithm tear an issue apart or join two.
type Grouping struct {
	ways  []way           // oldest first
	known map[uint64]bool // fingerprints that issues were made of the older ways

	mu     sync.Mutex
	recent map[uint64]Grouped // by what decides: errors repeat, and a hash costs less than reading a stack
}

// way is an algorithm with the rules it worked with.
type way struct {
	algorithm int
	rules     Rules
}

// Grouped is a fingerprint and the way it was made.
type Grouped struct {
	Fingerprint uint64
	Algorithm   int
	Rules       int64
}

// maxWays is how many ways are looked back on.
const maxWays = 8

// maxRecent is how many groups are remembered.
const maxRecent = 8192

// Group returns the fingerprint under which an exception counts.
func (g *Grouping) Group(kind, message, stack, custom string) Grouped {
	key := decisive(kind, message, stack, custom)
	g.mu.Lock()
	out, ok := g.recent[key]
	g.mu.Unlock()
	if ok {
		return out
	}
	out = g.group(custom, Parse(kind, message, stack))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.recent == nil || len(g.recent) >= maxRecent {
		g.recent = map[uint64]Grouped{}
	}
	g.recent[key] = out
	return out
}

// decisive is a hash of all that a fingerprint may depend on. The message counts
// without its values, and the stack without the message, where a runtime prints it
// within the first line and so nothing else can be read into it.
func decisive(kind, message, stack, custom string) uint64 {
	h := hasher{xxhash.New()}
	h.add("custom", custom)
	h.add("type", kind)
	var room [256]byte
	_, _ = h.Write(pattern.Append(room[:0], []byte(message))) // a hash never fails
	if first, _, _ := strings.Cut(stack, "\n"); message != "" && strings.HasSuffix(first, message) && !strings.Contains(message, "--->") {
		h.add("head", first[:len(first)-len(message)])
		stack = stack[len(first):]
	}
	h.add("stack", stack)
	return h.Sum64()
}

func (g *Grouping) group(custom string, s Stack) (out Grouped) {
	for i := range g.ways {
		w := &g.ways[i]
		w.rules.Mark(&s)
		out = Grouped{Fingerprint(w.algorithm, custom, &s), w.algorithm, w.rules.Version}
		if g.known[out.Fingerprint] {
			return out
		}
	}
	return out
}

// current is the newest way's rules.
func (g *Grouping) current() *Rules { return &g.ways[len(g.ways)-1].rules }

const (
	checkEvery = 2 * time.Second // how old a grouping may be before its version is asked for
	knownEvery = time.Minute     // the same for the fingerprints of older ways
	maxKnown   = 200_000
)

// Groupings keeps the grouping of each project that errors come from.
type Groupings struct {
	db  *metadb.DB
	now func() time.Time

	mu        sync.Mutex
	byProject map[project.ID]*held
}

type held struct {
	grouping      *Grouping
	version       int64
	checked, read time.Time
}

// NewGroupings returns an empty keeper; now is time.Now when nil.
func NewGroupings(db *metadb.DB, now func() time.Time) *Groupings {
	if now == nil {
		now = time.Now
	}
	return &Groupings{db: db, now: now, byProject: map[project.ID]*held{}}
}

// Of returns a project's grouping, at most a few seconds old. While the metadata
// database cannot be asked it is the last one that was read, or the default.
func (g *Groupings) Of(ctx context.Context, p project.ID) (*Grouping, error) {
	now := g.now()
	g.mu.Lock()
	h := g.byProject[p]
	g.mu.Unlock()
	if h != nil && now.Sub(h.checked) < checkEvery {
		return h.grouping, nil
	}
	fresh, err := g.read(ctx, p, h, now)
	if err != nil {
		if h != nil && fault.Is(err, fault.Unavailable) {
			return h.grouping, nil
		}
		return nil, err
	}
	g.mu.Lock()
	g.byProject[p] = fresh
	g.mu.Unlock()
	return fresh.grouping, nil
}

func (g *Groupings) read(ctx context.Context, p project.ID, before *held, now time.Time) (*held, error) {
	var version int64
	err := g.db.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM issue_rules WHERE project_id = $1`, int64(p)).Scan(&version)
	if err != nil {
		return nil, fmt.Errorf("read in-app rules: %w", err)
	}
	if before != nil && before.version == version && (len(before.grouping.ways) == 1 || now.Sub(before.read) < knownEvery) {
		return &held{before.grouping, version, now, before.read}, nil
	}
	grouping, err := readGrouping(ctx, g.db, p)
	if err != nil {
		return nil, err
	}
	return &held{grouping, version, now, now}, nil
}

// readGrouping reads a project's ways, and what the older ones have grouped.
func readGrouping(ctx context.Context, q metadb.Querier, p project.ID) (*Grouping, error) {
	rows, err := q.Query(ctx, `SELECT version, algorithm, body, at, author FROM issue_rules WHERE project_id = $1 ORDER BY version`, int64(p))
	ways, err := metadb.Collect(rows, err, func(r *metadb.Rows) (w way, err error) {
		var body json.RawMessage
		var algorithm, at int64
		if err := r.Scan(&w.rules.Version, &algorithm, &body, &at, &w.rules.UpdatedBy); err != nil {
			return w, err
		}
		w.algorithm, w.rules.UpdatedAt = int(algorithm), metadb.FromMicros(at)
		return w, json.Unmarshal(body, &w.rules)
	})
	if err != nil {
		return nil, fmt.Errorf("read in-app rules: %w", err)
	}
	g := &Grouping{}
	// Before anybody changed them there were the rules of nobody.
	first := way{algorithm: 1, rules: Rules{Include: []string{}, Exclude: []string{}}}
	for _, w := range append([]way{first}, ways...) {
		g.add(w)
	}
	g.add(way{algorithm: Algorithm, rules: *g.current()})
	g.ways = g.ways[max(0, len(g.ways)-maxWays):]
	if len(g.ways) == 1 {
		return g, nil
	}
	rows, err = q.Query(ctx, `SELECT fingerprint FROM issue_fingerprint WHERE project_id = $1 AND (algorithm < $2 OR rules < $3) LIMIT $4`,
		int64(p), Algorithm, g.current().Version, maxKnown)
	known, err := metadb.Collect(rows, err, func(r *metadb.Rows) (f uint64, err error) {
		var text string
		if err := r.Scan(&text); err != nil {
			return 0, err
		}
		return parseFingerprint(text)
	})
	if err != nil {
		return nil, fmt.Errorf("read fingerprints: %w", err)
	}
	g.known = make(map[uint64]bool, len(known))
	for _, f := range known {
		g.known[f] = true
	}
	return g, nil
}

// add appends a way, and before it what the algorithms between did with the rules there were.
func (g *Grouping) add(w way) {
	if n := len(g.ways); n > 0 {
		last := g.ways[n-1]
		for a := last.algorithm + 1; a < w.algorithm; a++ {
			g.ways = append(g.ways, way{a, last.rules})
		}
		if last.algorithm == w.algorithm && last.rules.Version == w.rules.Version {
			return
		}
	}
	g.ways = append(g.ways, w)
}

// Rules returns the project's rules for what is in-app.
func (s *Store) Rules(ctx context.Context, p project.ID) (Rules, error) {
	g, err := readGrouping(ctx, s.db, p)
	if err != nil {
		return Rules{}, err
	}
	return *g.current(), nil
}

// SetRules replaces the project's rules. r.Version is that of the rules that were
// read; Conflict when they have been edited since. They hold for what arrives
// from now on; what is an issue stays one.
func (s *Store) SetRules(ctx context.Context, p project.ID, author string, r Rules) (after Rules, err error) {
	if err := r.check(); err != nil {
		return r, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		g, err := readGrouping(ctx, tx, p)
		if err != nil {
			return err
		}
		if now := g.current(); now.Version != r.Version {
			return fault.New(fault.Conflict, "the rules were edited by %s meanwhile: read them again", now.UpdatedBy)
		}
		next := r
		next.Version, next.UpdatedBy = r.Version+1, author
		at := metadb.Micros(s.now())
		next.UpdatedAt = metadb.FromMicros(at)
		body, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("write in-app rules: %w", err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO issue_rules (project_id, version, algorithm, body, at, author) VALUES ($1, $2, $3, $4, $5, $6)`,
			int64(p), next.Version, Algorithm, json.RawMessage(body), at, author)
		if err != nil {
			return fmt.Errorf("write in-app rules: %w", err)
		}
		after = next
		return nil
	})
	return after, err
}
