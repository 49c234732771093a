package investigate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/logs"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// transactions answers with the slowest ones, or the slowest that failed.
func (t *Tools) transactions(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct {
		Service, Endpoint string
		Failed            bool
	}
	name, err := read(of, arguments, &in, &in.Service)
	if err != nil {
		return nil, err
	}
	page, err := t.traces.Transactions(ctx, of.Project, trace.TransactionQuery{Service: name, Environment: of.Environment, Endpoint: in.Endpoint,
		From: of.From, To: of.To, ErrorsOnly: in.Failed, Order: trace.Slowest, Limit: MaxRows + 1})
	if err != nil {
		return nil, fmt.Errorf("find transactions: %w", err)
	}
	var facts []ground.Fact
	for i := range page.Items {
		tx := &page.Items[i]
		endpoint, instance, exception := clip(tx.Endpoint, maxName), clip(tx.Instance, maxName), clip(tx.Exception, maxName)
		started := tx.Start.In(cmp.Or(of.Location, tx.Start.Location())).Format("2006-01-02 15:04:05")
		var say strings.Builder
		fmt.Fprintf(&say, "%s of %s took %s ms, of which %d SQL statements %s ms and %d outgoing calls %s ms", endpoint, tx.Service,
			milliseconds(tx.ElapsedNs), tx.SQLCount, milliseconds(tx.SQLNs), tx.CallCount, milliseconds(tx.CallNs))
		values := []ground.Value{text("endpoint", endpoint), service(tx.Service), address("instance", instance), text("trace_id", tx.TraceID.String()),
			text("started", started), ms("elapsed", tx.ElapsedNs), ms("sql_time", tx.SQLNs), ms("call_time", tx.CallNs)}
		if tx.HTTPStatus > 0 {
			fmt.Fprintf(&say, ", status %d", tx.HTTPStatus)
			values = append(values, text("status", strconv.Itoa(tx.HTTPStatus)))
		}
		if tx.Error {
			say.WriteString(", failed")
			values = append(values, text("error", "true"))
		}
		if exception != "" {
			fmt.Fprintf(&say, " with %q", exception)
			values = append(values, text("type", exception))
		}
		fmt.Fprintf(&say, "; started %s, trace %s.", started, tx.TraceID)
		f := fact(ground.Transaction, say.String(), values...)
		f.TraceID, f.SpanID = tx.TraceID.String(), tx.SpanID.String()
		facts = append(facts, f)
	}
	return facts, nil
}

// statements answers with the statements of a service, as they were and as they are.
func (t *Tools) statements(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct {
		Service string
		Order   trace.StatementOrder
	}
	name, err := read(of, arguments, &in, &in.Service)
	if err != nil {
		return nil, err
	}
	usualFrom, usualTo := of.usual()
	earlier := map[string]trace.RED{}
	all, err := t.statementsOf(ctx, of, name, trace.StatementsByTime, maxUsual, usualFrom, usualTo)
	if err != nil {
		return nil, err
	}
	for i := range all {
		earlier[all[i].Hash] = all[i].Now
	}
	now, err := t.statementsOf(ctx, of, name, in.Order, MaxRows+1, of.From, of.To)
	if err != nil {
		return nil, err
	}
	var facts []ground.Fact
	for i := range now {
		st := &now[i]
		was := earlier[st.Hash]
		more, moreSaid := deviates(perMinute(st.Now.Count, of.From, of.To), perMinute(was.Count, usualFrom, usualTo), len(all) > 0)
		slower, slowerSaid := deviates(float64(st.Now.AverageNs), float64(was.AverageNs), was.Count > 0)
		values := []ground.Value{text("operation", st.Operation), text("sql", clip(st.Text, maxLine)), count("count", st.Now.Count), ms("average", st.Now.AverageNs),
			count("failed", st.Now.Errors), ms("usual", was.AverageNs), count("usual_count", was.Count), slower, more}
		for _, table := range st.Tables {
			values = append(values, named("table", table, mask.Table))
		}
		if name != "" {
			values = append(values, service(name))
		}
		facts = append(facts, fact(ground.Statement, fmt.Sprintf("%s on %s ran %d times, %s ms on average, %d failed%s; the hour before it ran %d times%s, %s ms on average%s: %s",
			cmp.Or(st.Operation, "SQL"), cmp.Or(strings.Join(st.Tables, ", "), "no table that is known"), st.Now.Count, milliseconds(st.Now.AverageNs), st.Now.Errors,
			of1(" in ", name), was.Count, moreSaid, milliseconds(was.AverageNs), slowerSaid, clip(st.Text, maxLine)), values...))
	}
	return facts, nil
}

// calls answers with the edges of a service in the map, as they were and as they are.
func (t *Tools) calls(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct{ Service string }
	name, err := read(of, arguments, &in, &in.Service)
	if err != nil {
		return nil, err
	}
	q := trace.GraphQuery{From: of.From, To: of.To, Environment: of.Environment}
	if name != "" {
		q.Focus = trace.ServiceID(name)
	}
	now, err := t.graph(ctx, of.Project, q)
	if err != nil {
		return nil, err
	}
	q.From, q.To = of.usual()
	usual, err := t.graph(ctx, of.Project, q)
	if err != nil {
		return nil, err
	}
	earlier := map[[2]string]trace.RED{}
	for _, e := range usual.Edges {
		earlier[[2]string{e.From, e.To}] = e.RED
	}
	edges := slices.DeleteFunc(slices.Clone(now.Edges), func(e trace.Edge) bool { return name != "" && e.From != q.Focus && e.To != q.Focus })
	var facts []ground.Fact
	for _, e := range edges {
		from, _ := now.Node(e.From)
		to, _ := now.Node(e.To)
		was := earlier[[2]string{e.From, e.To}]
		failing, failingSaid := deviates(e.ErrorShare, was.ErrorShare, was.Count > 0)
		slower, slowerSaid := deviates(float64(e.AverageNs), float64(was.AverageNs), was.Count > 0)
		values := []ground.Value{node("caller", &from), node("callee", &to), text("what", string(to.Kind)), count("count", e.Count), ms("average", e.AverageNs), count("failed", e.Errors),
			ms("usual", was.AverageNs), count("usual_count", was.Count), count("unanswered", e.Unanswered), failing, slower}
		said := fmt.Sprintf("%s %s called %s %s %d times, %s ms on average, %d failed%s, %d unanswered; the hour before %d times, %s ms on average%s, %d failed.",
			from.Kind, from.Name, to.Kind, cmp.Or(to.Name, to.Address), e.Count, milliseconds(e.AverageNs), e.Errors, failingSaid, e.Unanswered,
			was.Count, milliseconds(was.AverageNs), slowerSaid, was.Errors)
		if to.Address != "" && to.Name != "" {
			values = append(values, address("address", to.Address))
		}
		facts = append(facts, fact(ground.Call, said, values...))
	}
	return unlikeFirst(facts), nil
}

// graph reads a graph; an empty one when nothing was seen of its focus.
func (t *Tools) graph(ctx context.Context, p project.ID, q trace.GraphQuery) (*trace.Graph, error) {
	g, err := t.traces.Graph(ctx, p, q)
	if fault.Is(err, fault.NotFound) {
		return &trace.Graph{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read calls: %w", err)
	}
	return g, nil
}

// logPatterns answers with what lines have in common, what is new or more first.
func (t *Tools) logPatterns(ctx context.Context, of Scope, arguments json.RawMessage) ([]ground.Fact, error) {
	var in struct {
		Service string
		Levels  []string
	}
	name, err := read(of, arguments, &in, &in.Service)
	if err != nil {
		return nil, err
	}
	var search []string
	if name != "" {
		search = append(search, "service="+quoted(name))
	}
	if of.Environment != "" {
		search = append(search, "environment="+quoted(of.Environment))
	}
	q := logs.Query{Text: strings.Join(search, " "), Levels: in.Levels, From: of.From, To: of.To}
	now, err := t.logs.Patterns(ctx, of.Project, q)
	if err != nil {
		return nil, fmt.Errorf("read logs: %w", err)
	}
	usualFrom, usualTo := of.usual()
	q.From, q.To = usualFrom, usualTo
	usual, err := t.logs.Patterns(ctx, of.Project, q)
	if err != nil {
		return nil, fmt.Errorf("read usual logs: %w", err)
	}
	known := len(usual) > 0
	if !known { // lines of other levels say that it was there
		q.Levels = nil
		others, err := t.logs.Patterns(ctx, of.Project, q)
		if err != nil {
			return nil, fmt.Errorf("read usual logs: %w", err)
		}
		known = len(others) > 0
	}
	earlier := map[string]uint64{}
	for i := range usual {
		earlier[usual[i].Pattern] = usual[i].Count
	}
	var facts []ground.Fact
	for i := range now {
		p := &now[i]
		was := earlier[p.Pattern]
		more, said := deviates(perMinute(p.Count, of.From, of.To), perMinute(was, usualFrom, usualTo), known)
		values := []ground.Value{text("level", p.Level), text("message", clip(p.Template, maxLine)), count("count", p.Count), count("usual_count", was), more}
		for _, s := range p.Services {
			values = append(values, service(s))
		}
		facts = append(facts, fact(ground.Finding, fmt.Sprintf("Log lines of level %s of %s came %d times, the hour before %d times%s: %q",
			p.Level, strings.Join(p.Services, ", "), p.Count, was, said, clip(p.Template, maxLine)), values...))
	}
	return unlikeFirst(facts), nil
}

// maxUsual is how many statements of the hour before are compared with.
const maxUsual = 500

// statementsOf reads the statements of a service in a time.
func (t *Tools) statementsOf(ctx context.Context, of Scope, name string, order trace.StatementOrder, limit int, from, to time.Time) ([]trace.StatementStats, error) {
	r, err := trace.NewRange(from, to, of.Now)
	if err != nil {
		return nil, err
	}
	top, err := t.traces.Statements(ctx, of.Project, trace.StatementQuery{Range: r, Service: name, Environment: of.Environment, Order: order, Limit: limit})
	if err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	return slices.DeleteFunc(top.Items, func(s trace.StatementStats) bool { return s.Now.Count == 0 }), nil // of a day or a week before
}

// read reads the arguments, which have been checked, and returns the service that
// they are about.
func read(of Scope, arguments json.RawMessage, into any, asked *string) (string, error) {
	if err := json.Unmarshal(arguments, into); err != nil {
		return "", fault.New(fault.Invalid, "the arguments cannot be read: %v", err)
	}
	return of.Of(*asked)
}

// unlikeFirst brings the facts that deviate before the others.
func unlikeFirst(facts []ground.Fact) []ground.Fact {
	slices.SortStableFunc(facts, func(a, b ground.Fact) int {
		return cmp.Compare(min(len(b.Get(ground.Deviates)), 1), min(len(a.Get(ground.Deviates)), 1))
	})
	return facts
}

// node is a value that names a node of the map.
func node(name string, n *trace.Node) ground.Value {
	switch n.Kind {
	case trace.NodeService, trace.NodeQueue:
		return named(name, n.Name, mask.Name)
	case trace.NodeDatabase, trace.NodeCache:
		return named(name, cmp.Or(n.Name, n.Address), mask.Database)
	}
	return address(name, cmp.Or(n.Name, n.Address))
}

func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// of1 writes a name behind a word, nothing when there is none.
func of1(word, name string) string {
	if name == "" {
		return ""
	}
	return word + name
}
