package evidence

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// How many facts of a kind one transaction gives; the worst one gives more.
const (
	maxStatements = 6
	maxOthers     = 3 // statements, calls, waits, steps, exceptions of any other
)

// What is worth a fact: at least this much time, or this share of the transaction.
const (
	noticeable      = 50 * time.Millisecond
	noticeableShare = 0.05
	waitNoticeable  = 10 * time.Millisecond
)

// transaction turns one profile into facts.
type transaction struct {
	*trace.Profile
	in     Input
	bundle *bundle
	worst  bool
	main   *group // the statement that took longest, nil without any
}

// group is all runs of one statement, or all calls of one target, of a transaction.
type group struct {
	steps []*trace.Step // slowest first
	total int64         // ns
	rows  uint64        // fetched
}

func (g *group) slowest() *trace.Step { return g.steps[0] }

// groups puts steps with the same key together, the group that took longest first.
func groups(steps []trace.Step, key func(*trace.Step) string) []*group {
	byKey := map[string]*group{}
	var all []*group
	for i := range steps {
		s := &steps[i]
		k := key(s)
		if k == "" {
			continue
		}
		g := byKey[k]
		if g == nil {
			g = &group{}
			byKey[k] = g
			all = append(all, g)
		}
		g.steps = append(g.steps, s)
		g.total += s.ElapsedNs
		g.rows += s.Rows
	}
	for _, g := range all {
		slices.SortStableFunc(g.steps, func(a, b *trace.Step) int { return cmp.Compare(b.ElapsedNs, a.ElapsedNs) })
	}
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(b.total, a.total) })
	return all
}

// noticeable reports whether that much time matters in this transaction.
func (t *transaction) noticeable(ns int64) bool {
	return ns >= noticeable.Nanoseconds() && float64(ns) >= noticeableShare*float64(t.Transaction.ElapsedNs)
}

func (t *transaction) limit() int {
	if t.worst {
		return maxStatements
	}
	return maxOthers
}

// fact begins a fact about a step, 0 for the transaction as a whole.
func (t *transaction) fact(kind string, s *trace.Step) fact {
	span := t.Transaction.SpanID
	f := fact{Kind: kind, TraceID: t.Transaction.TraceID.String()}
	if s != nil {
		span, f.Step = s.SpanID, s.Index
		f.number("step", strconv.Itoa(s.Index), "")
	}
	f.SpanID, f.link = span.String(), pages{t.in.project}.trace(t.Transaction.TraceID, span)
	return f
}

// partial reports whether the span with which the transaction began has not arrived:
// then a slow call looks like one of its own.
func (t *transaction) partial() bool { return t.Steps[0].Kind != trace.StepMethod }

func (t *transaction) describe() {
	t.whole()
	if t.partial() {
		t.bundle.add(note("The span with which the transaction began has not arrived: only a part of it is known."))
	}
	t.statements()
	t.calls()
	t.waits()
	t.methods()
	t.exceptions()
	if t.Truncated {
		t.bundle.add(note("The trace %s is longer than can be read: only its first spans are described.", t.Transaction.TraceID))
	}
}

func (t *transaction) whole() {
	tx := &t.Transaction
	f := t.fact(ground.Transaction, nil)
	f.partial = t.partial()
	f.say("%s", clip(tx.Endpoint, maxName))
	if tx.Instance != "" {
		f.say(" on %s", clip(tx.Instance, maxName))
	}
	f.say(" took %s ms", milliseconds(tx.ElapsedNs))
	f.value("endpoint", clip(tx.Endpoint, maxName))
	entry := &t.Steps[0]
	f.url(withoutSecrets(entry.URL))
	f.value("method", entry.Method)
	f.service(tx.Service)
	f.value("phase", tx.Environment)
	f.instance(clip(tx.Instance, maxName))
	f.destination(clip(entry.Destination, maxName))
	f.value("trace_id", tx.TraceID.String())
	started := t.in.local(tx.Start, second)
	f.value("started", started)
	f.ms("elapsed", tx.ElapsedNs)
	f.count("sql_count", tx.SQLCount)
	f.ms("sql_time", tx.SQLNs)
	f.say(", of which %d SQL statements %s ms", tx.SQLCount, milliseconds(tx.SQLNs))
	if share := percent(tx.SQLNs, tx.ElapsedNs); share != "" {
		f.say(" (%s %%)", share)
	}
	if tx.CallCount > 0 {
		f.count("call_count", tx.CallCount)
		f.ms("call_time", tx.CallNs)
		f.say(" and %d outgoing calls %s ms", tx.CallCount, milliseconds(tx.CallNs))
	}
	if tx.SQLRows > 0 {
		f.number("rows", strconv.FormatInt(tx.SQLRows, 10), "rows")
		f.say(", fetched %d rows", tx.SQLRows)
	}
	if tx.HTTPStatus > 0 {
		f.value("status", strconv.Itoa(tx.HTTPStatus))
		f.say(", status %d", tx.HTTPStatus)
	}
	if tx.Error {
		f.value("error", "true")
		f.say(", failed")
	}
	f.say("; started %s, %d steps.", started, len(t.Steps))
	t.bundle.add(f.ground())
}

// caller returns the nearest method above a step that says where in the program it is.
func (t *transaction) caller(s *trace.Step) string {
	if s.Code != "" {
		return clip(s.Code, maxName)
	}
	for at := s.ParentIndex; at > 1; at = t.Steps[at-1].ParentIndex {
		if above := &t.Steps[at-1]; above.Kind == trace.StepMethod {
			return clip(cmp.Or(above.Code, above.Name), maxName)
		}
	}
	return ""
}

func (t *transaction) statements() {
	all := groups(t.Steps, func(s *trace.Step) string {
		if s.Kind != trace.StepSQL {
			return ""
		}
		return s.Statement.System + "\x00" + s.Statement.Text
	})
	if len(all) > 0 {
		t.main = all[0]
	}
	shown := 0
	for _, g := range all {
		if shown == t.limit() || shown > 0 && len(g.steps) == 1 && !t.noticeable(g.total) {
			break
		}
		t.statement(g, shown == 0 && t.worst)
		shown++
	}
	if rest := all[shown:]; len(rest) > 0 {
		runs, total := 0, int64(0)
		for _, g := range rest {
			runs += len(g.steps)
			total += g.total
		}
		f := t.fact(ground.Note, nil)
		f.say("Other SQL statements of the transaction: %d, %s ms altogether.", runs, milliseconds(total))
		f.count("count", runs)
		f.ms("total", total)
		// One of them may be what an exception's message is about.
		for _, g := range rest {
			f.names(g)
			f.literals(g)
		}
		t.bundle.add(f.ground())
	}
}

func (t *transaction) statement(g *group, main bool) {
	s := g.slowest()
	st := s.Statement
	f := t.fact(ground.Statement, s)
	f.say("Step %d: %s", s.Index, cmp.Or(st.Operation, "SQL"))
	// In double quotes, since single ones make it a literal to the mask.
	f.say("%s", quoted(" ", clip(st.Name, maxName), ""))
	if len(st.Tables) > 0 {
		f.say(" on %s", strings.Join(st.Tables[:min(len(st.Tables), maxTables)], ", "))
	}
	f.say(" took %s ms", milliseconds(s.ElapsedNs))
	share := percent(s.ElapsedNs, t.Transaction.ElapsedNs)
	if share != "" {
		f.say(" (%s %% of the transaction)", share)
	}
	if len(g.steps) > 1 {
		f.say("; it ran %d times in the transaction, %s ms altogether", len(g.steps), milliseconds(g.total))
	}
	if g.rows > 0 {
		f.say(", fetched %d rows", g.rows)
	}
	if kinds := crud(st.Kinds); len(kinds) > 1 {
		f.say("; it contains %s", strings.Join(kinds, ", "))
	}
	if st.Joins > 0 {
		f.say("; it joins %d times", st.Joins)
	}
	if s.Database != "" {
		f.say("; database %s", clip(s.Database, maxName))
	}
	if s.Address != "" {
		f.say(" at %s", clip(s.Address, maxName))
	}
	if by := t.caller(s); by != "" {
		f.say("; called by %s", by)
		f.value("caller", by)
	}
	if s.Error {
		f.say("; it failed")
		f.value("error", "true")
	}
	limit := maxOtherSQL
	if main {
		limit = maxMainSQL
	}
	sql := clip(st.Text, limit)
	f.say(": %s", sql)

	f.value("name", clip(st.Name, maxName))
	f.value("operation", st.Operation)
	f.names(g)
	f.value("system", st.System)
	f.address(clip(s.Address, maxName))
	f.value("sql", sql)
	f.ms("elapsed", s.ElapsedNs)
	f.number("share", share, "percent")
	if g.rows > 0 {
		f.number("rows", strconv.FormatUint(g.rows, 10), "rows")
	}
	if len(g.steps) > 1 {
		f.count("calls", len(g.steps))
		f.ms("total", g.total)
	}
	if st.Joins > 0 {
		f.count("joins", st.Joins)
	}
	f.literals(g)
	if st.Hash != 0 {
		f.link = pages{t.in.project}.statement(Period{t.in.From, t.in.To}, st.Hash, t.Transaction.Service)
	}
	t.bundle.add(f.ground())
}

// crud returns the kinds of a statement that a report names.
func crud(kinds []string) []string {
	return slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, k) })
}

// names adds what a statement or another database call is about.
func (f *fact) names(g *group) {
	s := g.slowest()
	f.tables(s.Statement.Tables)
	f.once("database", clip(s.Database, maxName), mask.Database)
}

// literals adds the values of a statement. Its text has none; they are named so
// that they are masked where an exception's message repeats them.
func (f *fact) literals(g *group) {
	for _, s := range g.steps {
		for _, l := range sqltext.Literals(s.Statement.System, s.Raw) {
			l = strings.Trim(l, "%") // LIKE '%kim%' looks for kim
			if telling(l) && f.has("literal") < maxLiterals {
				f.once("literal", l, mask.Literal)
			}
		}
	}
}

func (t *transaction) calls() {
	all := groups(t.Steps, func(s *trace.Step) string {
		if s.Kind != trace.StepCall && s.Kind != trace.StepMessage {
			return ""
		}
		return string(s.Kind) + "\x00" + s.Method + "\x00" + s.Address + "\x00" + cmp.Or(s.RPC, withoutSecrets(s.URL), s.Name)
	})
	shown := 0
	for _, g := range all {
		if shown == maxOthers {
			break
		}
		if t.noticeable(g.total) || slices.ContainsFunc(g.steps, func(s *trace.Step) bool { return s.Error }) {
			t.call(g)
			shown++
		}
	}
}

func (t *transaction) call(g *group) {
	s := g.slowest()
	f := t.fact(ground.Call, s)
	link := withoutSecrets(s.URL)
	st := s.Statement
	if st != nil {
		// The name of a database's span holds its tables in some form of its own.
		f.say("Step %d: %s", s.Index, strings.TrimSpace(cmp.Or(st.System, "database")+" "+st.Operation))
		if len(st.Tables) > 0 {
			f.say(" on %s", strings.Join(st.Tables[:min(len(st.Tables), maxTables)], ", "))
		}
		if s.Database != "" {
			f.say(" in database %s", clip(s.Database, maxName))
		}
	} else {
		f.say("Step %d: %s", s.Index, strings.TrimSpace(s.Method+" "+cmp.Or(link, clip(s.RPC, maxName), clip(s.Name, maxName))))
	}
	if s.Address != "" && link == "" {
		f.say(" at %s", clip(s.Address, maxName))
	}
	f.say(" took %s ms", milliseconds(s.ElapsedNs))
	share := percent(s.ElapsedNs, t.Transaction.ElapsedNs)
	if share != "" {
		f.say(" (%s %% of the transaction)", share)
	}
	if len(g.steps) > 1 {
		f.say("; it was made %d times, %s ms altogether", len(g.steps), milliseconds(g.total))
	}
	if s.Status > 0 {
		f.say(", status %d", s.Status)
	}
	if s.Error {
		f.say(", failed")
	}
	for _, r := range s.Remotes {
		f.say("; answered by %s (%s) in %s ms", clip(r.Service, maxName), clip(r.Endpoint, maxName), milliseconds(r.ElapsedNs))
	}
	if by := t.caller(s); by != "" {
		f.say("; called by %s", by)
		f.value("caller", by)
	}
	f.say(".")
	f.value("method", s.Method)
	if st != nil {
		f.value("operation", st.Operation)
		f.names(g)
		f.value("system", st.System)
	}
	f.address(clip(s.Address, maxName))
	f.url(link)
	f.destination(clip(s.Destination, maxName))
	for _, r := range s.Remotes {
		f.once("remote", clip(r.Service, maxName), mask.Name)
	}
	f.value("rpc", clip(s.RPC, maxName))
	if s.Status > 0 {
		f.value("status", strconv.Itoa(s.Status))
	}
	f.ms("elapsed", s.ElapsedNs)
	f.number("share", share, "percent")
	if len(g.steps) > 1 {
		f.count("calls", len(g.steps))
		f.ms("total", g.total)
	}
	t.bundle.add(f.ground())
}
