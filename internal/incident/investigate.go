package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/ground"
	"github.com/matrix-aiops/matrix/internal/investigate"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/report"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// The budget of one investigation. What is used up first ends it, and the report
// is written from what is there.
const (
	maxQuestions    = 8  // calls of tools, whether or not they were answered
	maxFound        = 60 // facts
	investigateTime = time.Minute
	maxTokens       = 60_000 // in and out, over all rounds
	maxRoundTokens  = 4_000  // out, in one round
	bytesPerToken   = 3      // when the service does not count: rather too many tokens than too few
	maxRefusal      = 500    // bytes of what is kept of why a question was not answered
)

// Why an investigation ended.
const (
	endedAnswered  = "answered" // the model asked for no more
	endedQuestions = "questions"
	endedFound     = "facts"
	endedTime      = "time"
	endedTokens    = "tokens"
)

// Investigation is what the role incident-investigator asked for.
type Investigation struct {
	Role        string          `json:"role"`
	RoleVersion int             `json:"role_version"`
	Provider    string          `json:"provider"`
	Model       string          `json:"model"`
	Calls       []string        `json:"calls" doc:"ids of the calls of models"`
	Questions   []InquiryAnswer `json:"questions"`
	Facts       int             `json:"facts"`
	Tokens      int64           `json:"tokens" doc:"in and out; estimated where the service does not count"`
	TookMs      int64           `json:"took_ms"`
	Ended       string          `json:"ended" doc:"answered: it asked for no more; questions, facts, time or tokens: that part of the budget was used up; else why no model answered" enum:"answered,questions,facts,time,tokens,no_model,model_failed,rate_limited,masking_failed"`
}

// InquiryAnswer is one question of an Investigation.
type InquiryAnswer struct {
	Asked  string   `json:"asked" doc:"the tool and its arguments, as the model wrote them"`
	Facts  []string `json:"facts" doc:"ids"`
	Error  string   `json:"error" doc:"why it was not answered, empty when it was"`
	TookMs int64    `json:"took_ms"`
}

// inquiry is an Investigation as it is kept: a run that is cut off goes on with it.
type inquiry struct {
	Investigation
	Run   int64           `json:"run"`
	Found [][]ground.Fact `json:"found"` // by question
}

// investigate lets a model ask for more facts, as the project wants it, and adds
// them to the bundle. Whatever goes wrong, the report is written from what is there:
// it returns an error only when the node stops or the metadata cannot be written.
func (s *Service) investigate(ctx context.Context, c *record, p tenant.Project, bundle *ground.Bundle) error {
	if c.inquiry != nil && c.inquiry.Run == c.analysisRun { // of before the run was cut off
		for i, found := range c.inquiry.Found {
			c.inquiry.Questions[i].Facts = appended(bundle, found)
		}
		return nil
	}
	if s.opts.Tools == nil {
		return nil
	}
	set, err := s.AnalysisSettings(ctx, c.Project)
	if err != nil {
		return err
	}
	carried := report.Confidence(bundle)
	if set.Investigate == InvestigateOff || set.Investigate == InvestigateUnclear && carried != report.Unknown && carried != report.Low {
		return nil
	}
	q := &inquirer{s: s, c: c, project: p, bundle: bundle, kept: inquiry{Run: c.analysisRun, Investigation: Investigation{Calls: []string{}, Questions: []InquiryAnswer{}}}}
	started := s.opts.Now()
	q.run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	kept := &q.kept
	kept.TookMs = s.opts.Now().Sub(started).Milliseconds()
	if kept.Ended == ai.Reason(ai.ErrNoModel) {
		return nil // as it was set up; the report says so
	}
	s.opts.Log.InfoContext(ctx, "investigated", "incident_id", c.ID, "ended", kept.Ended, "questions", len(kept.Questions), "facts", kept.Facts,
		"tokens", kept.Tokens, "took_ms", kept.TookMs)
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE incident SET investigation = $3 WHERE id = $1 AND analysis_run = $2 AND analysis = 'running'`, c.ID, c.analysisRun, encode(kept))
		if err != nil {
			return fmt.Errorf("store investigation: %w", err)
		}
		if n == 0 {
			return nil
		}
		return s.note(ctx, tx, c.ID, "investigated", map[string]any{"questions": len(kept.Questions), "facts": kept.Facts, "tokens": kept.Tokens, "ended": kept.Ended,
			"role": kept.Role, "role_version": kept.RoleVersion, "provider": kept.Provider, "model": kept.Model})
	})
}

// appended adds facts to a bundle and returns their ids.
func appended(b *ground.Bundle, facts []ground.Fact) []string {
	b.Append(facts...)
	ids := []string{}
	for _, f := range b.Facts[len(b.Facts)-len(facts):] {
		ids = append(ids, f.ID)
	}
	return ids
}

// inquirer is one investigation under way.
type inquirer struct {
	s       *Service
	c       *record
	project tenant.Project
	bundle  *ground.Bundle
	kept    inquiry
	scope   investigate.Scope
}

// run asks and answers until the model wants no more or the budget is used up.
func (q *inquirer) run(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, investigateTime)
	defer cancel()
	defer func() { // a provider's or a tool's fault must not cost people their report
		if v := recover(); v != nil {
			q.s.opts.Log.ErrorContext(ctx, "the investigation broke off", "incident_id", q.c.ID, "type", fmt.Sprintf("%T", v))
			q.kept.Ended = ai.Reason(ai.ErrExhausted)
		}
	}()
	q.scope = q.s.scopeOf(ctx, q.c)
	q.scope.Known = q.known
	turns := []ai.Message{{Role: ai.RoleUser, Text: q.bundle.Prompt()}}
	for q.kept.Ended == "" {
		answer, err := q.ask(ctx, turns)
		switch {
		case answer == nil && err == nil:
			q.kept.Ended = endedTokens
			return
		case err != nil && ctx.Err() != nil:
			q.kept.Ended = endedTime
			return
		case err != nil:
			q.kept.Ended = ai.Reason(err)
			q.s.opts.Log.Log(ctx, level(err), "the investigation goes on without a model", "incident_id", q.c.ID, "error", err.Error())
			return
		case len(answer.Calls) == 0:
			q.kept.Ended = endedAnswered
			return
		}
		turns = append(turns, ai.Message{Role: ai.RoleAssistant, Text: answer.Text, Calls: wellFormed(answer.Calls)})
		for _, call := range answer.Calls {
			if q.usedUp(ctx) {
				return // what else was asked for in this round stays open, and nobody is told
			}
			turns = append(turns, ai.Message{Role: ai.RoleTool, CallID: call.ID, Text: q.answer(ctx, call)})
		}
		q.usedUp(ctx)
	}
}

// wellFormed returns the calls as they are told to the model again: services refuse
// arguments that are no JSON, also their own model's.
func wellFormed(calls []ai.ToolCall) []ai.ToolCall {
	out := slices.Clone(calls)
	for i := range out {
		if !json.Valid([]byte(out[i].Arguments)) {
			out[i].Arguments = "{}"
		}
	}
	return out
}

// level is of the log: that no model is set up is as it was meant.
func level(err error) slog.Level {
	if errors.Is(err, ai.ErrNoModel) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// usedUp reports whether a part of the budget is used up, and notes which.
func (q *inquirer) usedUp(ctx context.Context) bool {
	switch {
	case len(q.kept.Questions) >= maxQuestions:
		q.kept.Ended = endedQuestions
	case q.kept.Facts >= maxFound:
		q.kept.Ended = endedFound
	case ctx.Err() != nil:
		q.kept.Ended = endedTime
	case q.kept.Tokens >= maxTokens:
		q.kept.Ended = endedTokens
	}
	return q.kept.Ended != ""
}

// ask is one round: nil without an error when the tokens that are left do not
// reach for it.
func (q *inquirer) ask(ctx context.Context, turns []ai.Message) (*ai.Result, error) {
	tools := make([]ai.Tool, 0, 8)
	bytes := 0
	for _, t := range q.s.opts.Tools.List() {
		tools = append(tools, ai.Tool{Name: t.Name, Description: t.Description, Schema: t.Schema})
		bytes += len(t.Description) + len(t.Schema)
	}
	for _, m := range turns {
		bytes += len(m.Text)
		for _, call := range m.Calls {
			bytes += len(call.Arguments)
		}
	}
	estimate := int64(bytes / bytesPerToken)
	left := maxTokens - q.kept.Tokens - estimate
	if left <= 0 {
		return nil, nil
	}
	left = min(left, maxRoundTokens)
	sensitive := q.bundle.Sensitive()
	for _, name := range q.scope.Names() {
		sensitive = append(sensitive, mask.Value{Class: mask.Name, Text: name})
	}
	result, err := q.s.opts.Ask(ctx, ai.Caller{Project: q.c.Project, Kind: "incident", Purpose: "incident_investigation", Name: "investigation", Ref: ref(q.c.ID)}, ai.Investigator, ai.Input{
		Messages: turns, Sensitive: sensitive, Language: q.project.Language, Tools: tools,
		Parameters: &ai.Parameters{MaxTokens: &left},
		Variables: map[string]string{"calls": strconv.Itoa(maxQuestions), "rows": strconv.Itoa(maxFound),
			"seconds": strconv.Itoa(int(investigateTime.Seconds())), "tokens": strconv.Itoa(maxTokens)},
	})
	if result != nil {
		kept := &q.kept
		kept.Calls = append(kept.Calls, result.CallID)
		kept.Role, kept.RoleVersion, kept.Provider, kept.Model = result.Role, result.RoleVersion, result.Provider, result.Model
		spent := result.Usage.InputTokens + result.Usage.OutputTokens
		if spent == 0 {
			spent = estimate + int64(len(result.Text)/bytesPerToken)
		}
		kept.Tokens += spent
	}
	return result, err
}

// answer answers one call of a tool, in words for the model: facts in their
// fence, or what is wrong with the question.
func (q *inquirer) answer(ctx context.Context, call ai.ToolCall) string {
	one := InquiryAnswer{Asked: investigate.Question(call.Name, call.Arguments), Facts: []string{}}
	started := q.s.opts.Now()
	var facts []ground.Fact
	var err error
	if slices.ContainsFunc(q.kept.Questions, func(before InquiryAnswer) bool { return before.Asked == one.Asked && before.Error == "" }) {
		err = fault.New(fault.Conflict, "this was asked and answered before")
	} else {
		facts, err = q.s.opts.Tools.Call(ctx, q.scope, call.Name, call.Arguments, maxFound-q.kept.Facts)
	}
	facts = slices.DeleteFunc(facts, func(f ground.Fact) bool {
		return slices.ContainsFunc(q.bundle.Facts, func(known ground.Fact) bool { return known.Kind == f.Kind && known.Text == f.Text })
	})
	one.TookMs = q.s.opts.Now().Sub(started).Milliseconds()
	said := "All that it tells stands in the facts already."
	if err != nil {
		said = "It cannot be read now: go on without it."
		if f := fault.As(err); f != nil && (f.Kind == fault.Invalid || f.Kind == fault.Conflict || f.Kind == fault.NotFound) {
			said = ground.Line(f.Message)
		}
		one.Error = said[:min(len(said), maxRefusal)]
		q.s.opts.Log.WarnContext(ctx, "a question of the investigator was not answered", "incident_id", q.c.ID, "question", len(q.kept.Questions)+1,
			"kind", fault.KindOf(err).String())
		facts = nil
	} else if len(facts) > 0 {
		one.Facts = appended(q.bundle, facts)
		told := ground.Bundle{Title: "Answer:", Facts: q.bundle.Facts[len(q.bundle.Facts)-len(facts):]}
		said = told.Prompt()
	}
	q.kept.Facts += len(facts)
	q.kept.Questions = append(q.kept.Questions, one)
	q.kept.Found = append(q.kept.Found, facts)
	return said
}

// known returns the transaction that a fact tells of, by its trace.
func (q *inquirer) known(id string) (span string, known bool) {
	for _, f := range q.bundle.Facts {
		if f.Kind == ground.Transaction && f.TraceID == id {
			span, known = f.SpanID, true
		}
	}
	return span, known
}

// scopeOf is how far the questions about an incident reach: its service and all
// below it, as the map of the last hour has them. Without a map it is the service
// alone.
func (s *Service) scopeOf(ctx context.Context, c *record) investigate.Scope {
	of := investigate.Scope{Project: c.Project, Incident: c.ID, Environment: c.Phase, Service: c.Service, Location: s.opts.Location}
	of.Around(c.scope.From, c.scope.To, s.opts.Now())
	if c.Service == "" {
		return of
	}
	of.Services = map[string]bool{c.Service: true}
	if s.opts.Calls == nil {
		return of
	}
	reading, cancel := context.WithTimeout(ctx, graphPatience)
	defer cancel()
	calls, err := s.opts.Calls(reading, c.Project, c.Phase, of.From.Add(-callsBack), of.To)
	if err != nil {
		s.opts.Log.WarnContext(ctx, "the service map cannot be read: the investigator asks about one service only", "incident_id", c.ID, "error", err.Error())
	}
	maps.Copy(of.Services, reach(calls, c.Service))
	return of
}
