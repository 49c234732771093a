package trace

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/sqltext"
)

// Profile is one transaction step by step, as one application ran it. It ends
// at the application's border: what a called service did in turn is another
// transaction with its own profile, and stands here as the call's Remote.
type Profile struct {
	Transaction Transaction `json:"transaction"`
	Steps       []Step      `json:"steps"`     // depth-first, siblings by start; Steps[i].Index is i+1
	Truncated   bool        `json:"truncated"` // the trace was too long to be read whole
}

// StepKind says what a step is.
type StepKind string

// The kinds of steps.
const (
	StepMethod    StepKind = "method"    // the application's own code; the entry is one too
	StepSQL       StepKind = "sql"       // a SQL statement
	StepCall      StepKind = "call"      // a call that leaves the application: HTTP, RPC, Redis, …
	StepMessage   StepKind = "message"   // a message sent
	StepWait      StepKind = "wait"      // waiting for a connection of a pool
	StepException StepKind = "exception" // an exception at the moment it was recorded, without length
)

// Step is one numbered step. Every span of the transaction is exactly one step;
// an exception is a step of its own below the span that recorded it first.
type Step struct {
	Index       int                `json:"index"`        // from 1
	ParentIndex int                `json:"parent_index"` // 0 for the entry
	Depth       int                `json:"depth"`        // 0 for the entry
	Kind        StepKind           `json:"kind"`
	SpanID      SpanID             `json:"span_id"`
	Name        string             `json:"name"`
	Code        string             `json:"code"` // the program's own place that ran it, "" when unknown
	Service     string             `json:"service"`
	Instance    string             `json:"instance"`
	OffsetNs    int64              `json:"offset_ns"`  // from the entry's start, never negative
	ElapsedNs   int64              `json:"elapsed_ns"` // may reach beyond the parent's end: asynchronous work
	SelfNs      int64              `json:"self_ns"`    // elapsed without the union of the steps below
	GapNs       int64              `json:"gap_ns"`     // unaccounted for before this step, within the parent
	TailNs      int64              `json:"tail_ns"`    // unaccounted for after the last step below; 0 without any
	Error       bool               `json:"error"`
	Statement   *sqltext.Statement `json:"statement,omitempty"` // of any database call; its text may be unknown
	Raw         string             `json:"raw_statement,omitempty"`
	Database    string             `json:"database,omitempty"`
	Rows        uint64             `json:"rows,omitempty"`    // fetched
	Address     string             `json:"address,omitempty"` // of the other side: "host" or "host:port"
	URL         string             `json:"url,omitempty"`
	Method      string             `json:"method,omitempty"` // HTTP
	Status      int                `json:"status,omitempty"` // HTTP
	RPC         string             `json:"rpc,omitempty"`
	Destination string             `json:"destination,omitempty"` // of a message
	Exception   *Exception         `json:"exception,omitempty"`
	Remotes     []Remote           `json:"remotes,omitempty"` // what answered this call, when it is in the trace
}

// Remote is the transaction in another service (or the same, called from
// outside) that a step caused.
type Remote struct {
	SpanID    SpanID `json:"span_id"`
	Service   string `json:"service"`
	Instance  string `json:"instance"`
	Endpoint  string `json:"endpoint"`
	ElapsedNs int64  `json:"elapsed_ns"`
	Error     bool   `json:"error"`
}

// BuildProfile builds the profile of the transaction that span belongs to. Any
// span of the transaction will do; 0 picks the trace's longest transaction. It
// copes with what real traces contain: missing parents, cycles, spans delivered
// twice, clocks that disagree, children that outlive their parents.
func BuildProfile(t *Trace, span SpanID) (*Profile, error) {
	tree := newTree(t.Spans)
	at := tree.find(span)
	if at < 0 {
		return nil, fault.New(fault.NotFound, "trace %s has no span %s", t.TraceID, span)
	}
	b := profileBuilder{tree: tree, entry: tree.top[at], known: map[string]sqltext.Statement{}}
	b.shadowExceptions()
	b.span(b.entry, 0, 0, 0)
	p := &Profile{Steps: b.steps, Truncated: t.Truncated, Transaction: b.transaction()}
	p.Transaction.TraceID = t.TraceID
	return p, nil
}

type profileBuilder struct {
	*tree
	entry  int
	steps  []Step
	known  map[string]sqltext.Statement // normalised once per raw statement
	shadow map[thrown]bool              // exceptions that a step further down shows
}

// thrown is an exception as span i recorded it.
type thrown struct {
	span          int
	kind, message string
}

// interval is [from, to) in ns since the epoch.
type interval struct{ from, to int64 }

// union returns the length of what the intervals cover; it sorts them.
func union(spans []interval) int64 {
	slices.SortFunc(spans, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	var covered, until int64
	for i, s := range spans {
		if i == 0 || s.from > until {
			until = s.from
		}
		if s.to > until {
			covered += s.to - until
			until = s.to
		}
	}
	return covered
}

func (s *Span) interval() interval {
	from := s.Start.UnixNano()
	return interval{from, from + s.DurationNs}
}

// span appends the step of span i and, depth-first, those below it.
func (b *profileBuilder) span(i, parentIndex, depth int, gap int64) {
	s := &b.spans[i]
	own := s.interval()
	index := len(b.steps) + 1
	step := b.describe(s)
	step.Index, step.ParentIndex, step.Depth, step.GapNs = index, parentIndex, depth, gap
	step.OffsetNs = max(0, own.from-b.spans[b.entry].Start.UnixNano())
	b.steps = append(b.steps, step)

	var below []interval
	covered := own.from // how far the steps below reach so far
	exceptions := b.exceptions(i)
	var remotes []Remote
	for _, c := range b.children[i] {
		child := &b.spans[c]
		if b.top[c] != b.entry {
			remotes = append(remotes, Remote{
				SpanID: child.SpanID, Service: child.Service, Instance: child.Instance,
				Endpoint: child.Operation, ElapsedNs: child.DurationNs, Error: child.Status == StatusError,
			})
			continue
		}
		at := child.interval()
		for len(exceptions) > 0 && exceptions[0].at < at.from {
			b.exception(s, exceptions[0], index, depth+1)
			exceptions = exceptions[1:]
		}
		b.span(c, index, depth+1, max(0, min(at.from, own.to)-covered))
		covered = max(covered, min(at.to, own.to))
		if clipped := (interval{max(at.from, own.from), min(at.to, own.to)}); clipped.to > clipped.from {
			below = append(below, clipped)
		}
	}
	for _, e := range exceptions {
		b.exception(s, e, index, depth+1)
	}
	done := &b.steps[index-1]
	done.Remotes = remotes
	if b.wraps(index) {
		done.Kind, done.Statement, done.Raw = StepMethod, nil, ""
	}
	done.SelfNs = s.DurationNs - union(below)
	if len(below) > 0 {
		done.TailNs = own.to - covered
	}
}

// wraps reports whether a step is a mapper's own record of the statement that
// the step right below it, the driver's, ran. Only the driver's is the statement.
func (b *profileBuilder) wraps(index int) bool {
	step := &b.steps[index-1]
	return step.Kind == StepSQL && slices.ContainsFunc(b.steps[index:], func(below Step) bool {
		return below.ParentIndex == index && below.Kind == StepSQL && below.Statement.Hash == step.Statement.Hash
	})
}

// exceptionAt is an exception and when it was recorded, in ns since the epoch.
type exceptionAt struct {
	Exception
	at int64
}

// recorded returns the exceptions of a span by time.
func (b *profileBuilder) recorded(i int) []exceptionAt {
	s := &b.spans[i]
	var all []exceptionAt
	traceStart := s.Start.UnixNano() - s.StartOffsetNs
	for _, e := range s.Events {
		if ex, ok := e.exception(); ok {
			all = append(all, exceptionAt{ex, traceStart + e.OffsetNs})
		}
	}
	if len(all) == 0 && s.Exception != nil {
		all = append(all, exceptionAt{*s.Exception, s.interval().to})
	}
	slices.SortStableFunc(all, func(a, b exceptionAt) int { return cmp.Compare(a.at, b.at) })
	return all
}

// shadowExceptions notes, for every exception, the spans above it: an exception
// that passes through five methods is recorded five times and is one step.
func (b *profileBuilder) shadowExceptions() {
	b.shadow = map[thrown]bool{}
	for i := range b.spans {
		if b.top[i] != b.entry {
			continue
		}
		for _, e := range b.recorded(i) {
			for p := b.parent[i]; p >= 0 && b.top[p] == b.entry && !b.shadow[thrown{p, e.Type, e.Message}]; p = b.parent[p] {
				b.shadow[thrown{p, e.Type, e.Message}] = true
			}
		}
	}
}

// exceptions returns those of span i that no span below it recorded too.
func (b *profileBuilder) exceptions(i int) []exceptionAt {
	return slices.DeleteFunc(b.recorded(i), func(e exceptionAt) bool { return b.shadow[thrown{i, e.Type, e.Message}] })
}

func (b *profileBuilder) exception(s *Span, e exceptionAt, parentIndex, depth int) {
	ex := e.Exception
	b.steps = append(b.steps, Step{
		Index: len(b.steps) + 1, ParentIndex: parentIndex, Depth: depth, Kind: StepException, SpanID: s.SpanID,
		Name: cmp.Or(ex.Type, ex.Message, "exception"), Code: applicationFrame(ex.Stacktrace), Service: s.Service, Instance: s.Instance,
		OffsetNs: max(0, e.at-b.spans[b.entry].Start.UnixNano()), Error: true, Exception: &ex,
	})
}

// waitName matches spans in which a program waits for a pooled connection, as
// the instrumentations of HikariCP, JDBC data sources, pg-pool and others name them.
var waitName = regexp.MustCompile(`(?i)hikari|getconnection|get_connection|pool[ ._-]?(connect|acquire|wait)|^pg\.connect$|acquire.{0,3}connection|connection.{0,3}(acquire|pool)|pool\.borrow`)

// describe fills in what a span says about itself.
func (b *profileBuilder) describe(s *Span) Step {
	step := Step{
		SpanID: s.SpanID, Name: s.Name, Code: codePlace(s), Service: s.Service, Instance: s.Instance,
		ElapsedNs: s.DurationNs, Error: s.Status == StatusError, Kind: StepMethod, RPC: s.RPC, Destination: s.Messaging,
	}
	switch s.Kind {
	case KindClient:
		step.Kind = StepCall
	case KindProducer:
		step.Kind = StepMessage
	}
	if s.Kind == KindServer || s.Kind == KindConsumer {
		step.Name = cmp.Or(s.Operation, s.Name)
	} else {
		step.Address = s.Peer
	}
	if s.HTTP != nil {
		step.Method, step.Status, step.URL = s.HTTP.Method, s.HTTP.Status, s.HTTP.URL
		if u, err := url.Parse(s.HTTP.URL); step.Kind == StepCall && step.Address == "" && err == nil {
			step.Address = u.Host
		}
	}
	if s.DB != nil {
		step.Database, step.Rows = s.DB.Name, s.DB.Rows
		st := b.statement(s)
		step.Statement, step.Raw = &st, s.DB.Statement
		if st.Hash != 0 && s.Kind != KindServer {
			step.Kind = StepSQL
		}
	}
	if step.Kind != StepSQL && s.Kind != KindServer && s.Kind != KindConsumer && waitName.MatchString(s.Name) {
		step.Kind = StepWait
	}
	return step
}

// statement reads the statement of a database call. What no SQL text says, the
// span's attributes may.
func (b *profileBuilder) statement(s *Span) sqltext.Statement {
	db := s.DB
	key := db.System + "\x00" + db.Statement
	st, ok := b.known[key]
	if !ok {
		st = sqltext.Normalize(db.System, db.Statement)
		b.known[key] = st
	}
	if st.Hash == 0 {
		st.Operation = cmp.Or(st.Operation, db.Operation)
		for _, key := range collectionKeys {
			name := s.Attributes[key]
			known := slices.ContainsFunc(st.Tables, func(have string) bool { return strings.EqualFold(have, name) })
			if name != "" && !known {
				st.Tables = append(slices.Clone(st.Tables), name)
			}
		}
	}
	return st
}

// collectionKeys are the attributes that name a table or collection, the newest
// convention first.
var collectionKeys = []string{"db.collection.name", "db.mongodb.collection", "db.cassandra.table", "db.sql.table"}

// transaction sums the profile up. Times are unions: two queries at once count once.
func (b *profileBuilder) transaction() Transaction {
	s := &b.spans[b.entry]
	t := Transaction{
		SpanID: s.SpanID, Service: s.Service, Environment: s.Environment, Endpoint: cmp.Or(s.Operation, s.Name),
		Instance: s.Instance, Version: s.Version, Start: s.Start, ElapsedNs: s.DurationNs, Error: s.Status == StatusError,
	}
	if s.HTTP != nil {
		t.HTTPStatus = s.HTTP.Status
	}
	if s.Exception != nil {
		t.Exception = s.Exception.Type
	}
	var sql, calls []interval
	for _, step := range b.steps {
		at := interval{step.OffsetNs, step.OffsetNs + step.ElapsedNs}
		switch step.Kind {
		case StepSQL:
			t.SQLCount++
			t.SQLRows += int64(step.Rows)
			sql = append(sql, at)
		case StepCall:
			t.CallCount++
			calls = append(calls, at)
		}
	}
	t.SQLNs, t.CallNs = union(sql), union(calls)
	return t
}
