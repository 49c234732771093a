package trace

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Outline is a whole trace as far as it is drawn at once: its tree, and what
// can be said about it. Everything else about a span is read when it is asked
// for, so that 50,000 spans are a few megabytes. All of it is worked out here:
// screens, evidence and tools say the same. Indexes are into Spans or Operations;
// offsets are in ns from Start. Where calls prove that clocks disagree, all times
// are put on one clock, that of the roots.
type Outline struct {
	TraceID      TraceID            `json:"trace_id"`
	Start        time.Time          `json:"start"`       // of the earliest span
	DurationNs   int64              `json:"duration_ns"` // to the end of the latest span
	Services     []string           `json:"services"`    // in order of appearance
	Stored       int                `json:"stored"`      // spans of the trace, a repeated delivery counted again
	Truncated    bool               `json:"truncated"`   // only the first 50,000 spans by start are here
	Roots        int                `json:"roots"`       // spans without a parent, those in place of a missing one included
	Missing      int                `json:"missing"`     // parents that are not stored
	Operations   []OutlineOperation `json:"operations"`
	Spans        []OutlineSpan      `json:"spans"`         // depth-first, siblings by start: the order in which they are drawn
	CriticalPath []PathPart         `json:"critical_path"` // by time, of the longest root
	Shares       []PathShare        `json:"shares"`        // the critical path by operation, most first, at most 20
	Repeats      []RepeatedCall     `json:"repeats"`       // the longest in all first, at most 100
	Gaps         []TraceGap         `json:"gaps"`          // the longest first, at most 100
	Statements   []StatementTotal   `json:"statements"`    // the longest in all first, at most 500
	Failures     []SpanFailure      `json:"failures"`      // where failures began first, then by time, at most 500
	FailedSpans  int                `json:"failed_spans"`
	Skews        []ClockSkew        `json:"skews"` // the largest first, at most 20
}

// The most of each list that an Outline holds.
const (
	maxShares           = 20
	maxRepeats          = 100
	maxGaps             = 100
	maxListedStatements = 500
	maxFailures         = 500
	maxSkews            = 20
)

// OutlineOperation is what spans do, said once for all spans that do the same.
type OutlineOperation struct {
	Service  string        `json:"service"`
	Name     string        `json:"name"`                // as it is shown: "GET /items", "SELECT orders"
	SpanName string        `json:"span_name,omitempty"` // as it was sent, when that differs
	Kind     Kind          `json:"kind"`
	Type     OperationType `json:"type"`
	Entry    bool          `json:"entry,omitempty"` // a transaction begins here
	System   string        `json:"system,omitempty"`
	Database string        `json:"database,omitempty"`
	Hash     string        `json:"hash,omitempty"` // of the SQL statement, 16 hex
	Peer     string        `json:"peer,omitempty"` // "address" or "address:port"
}

// OperationType says how an operation is drawn.
type OperationType string

// The types of operations.
const (
	OperationSQL     OperationType = "sql"
	OperationStore   OperationType = "store" // a database call that is no SQL
	OperationCall    OperationType = "call"  // any other call that leaves the application
	OperationServer  OperationType = "server"
	OperationMessage OperationType = "message"
	OperationMethod  OperationType = "method"
	OperationMissing OperationType = "missing" // in place of a parent that is not stored
)

// OutlineSpan is a span's place in the tree and in time.
type OutlineSpan struct {
	SpanID     SpanID `json:"span_id"`
	Parent     int    `json:"parent"`          // -1: a root
	Below      int    `json:"below,omitempty"` // spans below it: they are the next ones in Spans
	Operation  int    `json:"operation"`
	StartNs    int64  `json:"start_ns"`
	DurationNs int64  `json:"duration_ns"`
	SelfNs     int64  `json:"self_ns"`               // duration without what spans below cover
	ShiftNs    int64  `json:"shift_ns,omitempty"`    // added to its own clock's time, because that clock is off
	HTTPStatus int    `json:"http_status,omitempty"` // 0: none
	Failed     bool   `json:"failed,omitempty"`
	Linked     bool   `json:"linked,omitempty"`   // it has links to other spans
	Missing    bool   `json:"missing,omitempty"`  // it was never stored: it holds the place of the parent of those below
	Outlives   bool   `json:"outlives,omitempty"` // it ended after its parent
	Repeat     int    `json:"repeat,omitempty"`   // n: it is one of Repeats[n-1]
}

// StatementTotal is what one SQL statement cost within a trace.
type StatementTotal struct {
	Hash      string   `json:"hash"` // 16 hex
	System    string   `json:"system"`
	Operation string   `json:"operation"` // the verb
	Tables    []string `json:"tables"`
	Text      string   `json:"text"`
	Count     int      `json:"count"`
	TotalNs   int64    `json:"total_ns"` // added up: two at once count twice
	MaxNs     int64    `json:"max_ns"`
	Rows      uint64   `json:"rows"` // fetched, as far as programs tell
	Failed    int      `json:"failed"`
	Slowest   int      `json:"slowest"` // the span that took longest
}

// SpanFailure is a span that failed.
type SpanFailure struct {
	Span    int    `json:"span"`
	Origin  bool   `json:"origin"` // no span below it failed: the failure began here
	Type    string `json:"type"`   // of the exception
	Message string `json:"message"`
}

// ClockSkew is how far the clocks of two instances disagree, as a call between them shows.
type ClockSkew struct {
	Parent         int    `json:"parent"` // the calling span
	Span           int    `json:"span"`   // the called one
	Service        string `json:"service"`
	Instance       string `json:"instance"`
	ParentService  string `json:"parent_service"`
	ParentInstance string `json:"parent_instance"`
	ShiftNs        int64  `json:"shift_ns"` // the called instance's clock is behind by this much; ahead when negative
}

// newOutline works out what is said about the spans of a trace, of which there is
// at least one.
func newOutline(t *Trace) *Outline {
	tree := newTree(withMissing(t.Spans))
	b := outliner{
		tree: tree, place: make([]int, len(tree.spans)), known: map[OutlineOperation]int{},
		clocks: newClocks(tree),
		out: &Outline{
			TraceID: t.TraceID, Services: t.Services, Truncated: t.Truncated,
			Spans: make([]OutlineSpan, 0, len(tree.spans)), Operations: []OutlineOperation{},
		},
	}
	whole := interval{math.MaxInt64, math.MinInt64}
	for i := range tree.spans {
		at := b.at(i)
		whole = interval{min(whole.from, at.from), max(whole.to, at.to)}
	}
	b.start, b.out.Start, b.out.DurationNs = whole.from, time.Unix(0, whole.from).UTC(), whole.to-whole.from
	for i, p := range tree.parent {
		if p < 0 {
			b.out.Roots++
			b.draw(i, -1)
		}
	}
	b.out.Stored = len(tree.spans) - b.out.Missing
	b.criticalPath()
	b.gaps()
	b.repeats()
	b.statements()
	b.failures()
	b.skews()
	return b.out
}

// outliner builds an Outline. place says where in it each span of the tree is.
type outliner struct {
	*tree
	*clocks
	out   *Outline
	start int64 // of the trace, in ns since the epoch
	place []int
	known map[OutlineOperation]int
}

// withMissing adds a span in place of each parent that is not there, over the
// time of those it is the parent of. When those are a part of what one instance
// did it is taken for one of that instance, whose transaction may then adopt it.
func withMissing(spans []Span) []Span {
	ids := make(map[SpanID]bool, len(spans))
	for i := range spans {
		ids[spans[i].SpanID] = true
	}
	absent := map[SpanID]*Span{}
	for i := range spans {
		s := &spans[i]
		if s.ParentID == 0 || ids[s.ParentID] {
			continue
		}
		m := absent[s.ParentID]
		if m == nil {
			m = &Span{SpanID: s.ParentID, Kind: KindInternal, Start: s.Start, StartOffsetNs: s.StartOffsetNs, missing: true}
			if s.Kind != KindServer && s.Kind != KindConsumer {
				m.Service, m.Instance = s.Service, s.Instance
			}
			absent[s.ParentID] = m
		}
		if s.Start.Before(m.Start) {
			m.DurationNs += m.Start.Sub(s.Start).Nanoseconds()
			m.Start, m.StartOffsetNs = s.Start, s.StartOffsetNs
		}
		m.DurationNs = max(m.DurationNs, s.End().Sub(m.Start).Nanoseconds())
	}
	all := slices.Clip(spans)
	for _, id := range slices.Sorted(maps.Keys(absent)) {
		all = append(all, *absent[id])
	}
	return all
}

// draw appends span i and, depth-first, those below it.
func (b *outliner) draw(i, parent int) {
	s := &b.spans[i]
	at := len(b.out.Spans)
	b.place[i] = at
	node := OutlineSpan{
		SpanID: s.SpanID, Parent: parent, Operation: b.operation(s), StartNs: b.at(i).from - b.start, DurationNs: s.DurationNs, ShiftNs: b.shift[i],
		Failed: s.failed(), Linked: s.linked, Missing: s.missing, Outlives: b.outlives(i),
	}
	if s.HTTP != nil {
		node.HTTPStatus = s.HTTP.Status
	}
	if s.missing {
		b.out.Missing++
	}
	b.out.Spans = append(b.out.Spans, node)
	for _, c := range b.children[i] {
		b.draw(c, at)
	}
	done := &b.out.Spans[at]
	done.Below = len(b.out.Spans) - at - 1
	done.SelfNs = s.DurationNs - union(b.covered(i))
}

// operation returns the index of what s does.
func (b *outliner) operation(s *Span) int {
	op := OutlineOperation{
		Service: s.Service, Name: s.title(), Kind: s.Kind, Type: s.operationType(), Entry: s.Entry && !s.missing, Peer: s.Peer,
	}
	if op.Name != s.Name {
		op.SpanName = s.Name
	}
	if s.DB != nil {
		op.System, op.Database, op.Hash = s.DB.System, s.DB.Name, s.DB.Hash
	}
	at, ok := b.known[op]
	if !ok {
		at = len(b.out.Operations)
		b.known[op] = at
		b.out.Operations = append(b.out.Operations, op)
	}
	return at
}

func (b *outliner) statements() {
	byHash := map[string]*StatementTotal{}
	for i := range b.spans {
		s := &b.spans[i]
		if s.DB == nil || s.DB.Hash == "" {
			continue
		}
		st := byHash[s.DB.Hash]
		if st == nil {
			st = &StatementTotal{
				Hash: s.DB.Hash, System: s.DB.System, Operation: s.DB.Operation, Tables: s.DB.Tables, Text: s.DB.Text, Slowest: b.place[i],
			}
			byHash[s.DB.Hash] = st
		}
		st.Count++
		st.TotalNs += s.DurationNs
		st.Rows += s.DB.Rows
		if s.failed() {
			st.Failed++
		}
		if s.DurationNs > st.MaxNs {
			st.MaxNs, st.Slowest = s.DurationNs, b.place[i]
		}
	}
	all := make([]StatementTotal, 0, len(byHash))
	for _, st := range byHash {
		all = append(all, *st)
	}
	slices.SortFunc(all, func(a, b StatementTotal) int {
		return cmp.Or(cmp.Compare(b.TotalNs, a.TotalNs), cmp.Compare(a.Hash, b.Hash))
	})
	b.out.Statements = all[:min(len(all), maxListedStatements)]
}

// failures lists the spans that failed: of a failure that passed up through five
// spans, the one where it began stands first.
func (b *outliner) failures() {
	below := make([]bool, len(b.spans)) // a span below it failed
	all := []SpanFailure{}
	for i := range b.spans {
		if !b.spans[i].failed() {
			continue
		}
		for p := b.parent[i]; p >= 0 && !below[p]; p = b.parent[p] {
			below[p] = true
		}
	}
	for i := range b.spans {
		s := &b.spans[i]
		if !s.failed() {
			continue
		}
		f := SpanFailure{Span: b.place[i], Origin: !below[i], Message: s.StatusMessage}
		if e := s.Exception; e != nil {
			f.Type, f.Message = e.Type, cmp.Or(e.Message, f.Message)
		}
		all = append(all, f)
	}
	b.out.FailedSpans = len(all)
	slices.SortStableFunc(all, func(a, b SpanFailure) int {
		switch {
		case a.Origin == b.Origin:
			return 0
		case a.Origin:
			return -1
		}
		return 1
	})
	b.out.Failures = all[:min(len(all), maxFailures)]
}

func (b *outliner) skews() {
	all := []ClockSkew{}
	for _, s := range b.found {
		child, parent := &b.spans[s.span], &b.spans[b.parent[s.span]]
		all = append(all, ClockSkew{
			Parent: b.place[b.parent[s.span]], Span: b.place[s.span], Service: child.Service, Instance: child.Instance,
			ParentService: parent.Service, ParentInstance: parent.Instance, ShiftNs: s.shift,
		})
	}
	slices.SortStableFunc(all, func(a, b ClockSkew) int { return cmp.Compare(max(b.ShiftNs, -b.ShiftNs), max(a.ShiftNs, -a.ShiftNs)) })
	b.out.Skews = all[:min(len(all), maxSkews)]
}

// failed reports whether the span's status, or an exception that it recorded, says so.
func (s *Span) failed() bool { return s.Status == StatusError || s.Exception != nil }

func (s *Span) operationType() OperationType {
	switch {
	case s.missing:
		return OperationMissing
	case s.DB != nil && s.DB.Hash != "":
		return OperationSQL
	case s.DB != nil:
		return OperationStore
	}
	switch s.Kind {
	case KindServer:
		return OperationServer
	case KindClient:
		return OperationCall
	case KindProducer, KindConsumer:
		return OperationMessage
	}
	return OperationMethod
}
