package quality

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Experiment is one of the playground. A list leaves out what is asked, and results.
type Experiment struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	State     string     `json:"state" enum:"running,done,cancelled,stopped"`
	Reason    string     `json:"reason" doc:"why it was stopped"`
	CreatedBy string     `json:"created_by"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Cells     int        `json:"cells"`
	Finished  int        `json:"finished" doc:"cells with an answer, or without one for good"`
	Failed    int        `json:"failed" doc:"of them, those without an answer"`

	project project.ID
	person  int64
}

// Results is an experiment with what came of it.
type Results struct {
	Experiment
	RoleOwner ai.Owner        `json:"role_owner" doc:"the organisation whose role it is; 0: the installation's"`
	Spec      Spec            `json:"spec"`
	Inputs    []ResultInput   `json:"inputs"`
	Variants  []ResultVariant `json:"variants"`
	Answers   []Answer        `json:"answers" doc:"by number; also those that wait"`
}

// ResultInput is what was asked.
type ResultInput struct {
	CallID  string `json:"call_id"`
	Title   string `json:"title"`
	Message string `json:"message" doc:"as it is sent, before masking; of a recorded call masked already"`
}

// ResultVariant is a variant with what came of it over all its cells.
type ResultVariant struct {
	Variant
	Cells    int     `json:"cells"`
	Finished int     `json:"finished"`
	Failed   int     `json:"failed"`
	Valid    Rate    `json:"valid"`
	Grounded Rate    `json:"grounded"`
	Thumbs   Thumbs  `json:"thumbs"`
	P50Ms    float64 `json:"p50_ms" doc:"of the answers; 0 without one"`
	// CostPerCall is null when the cost of no cell is known.
	CostPerCall *float64 `json:"cost_per_call"`
	CostUSD     float64  `json:"cost_usd" doc:"of the cells whose cost is known"`
}

// Answer is one cell.
type Answer struct {
	Number  int    `json:"number"`
	Variant int    `json:"variant" doc:"index in variants"`
	Input   int    `json:"input" doc:"index in inputs"`
	State   string `json:"state" enum:"waiting,ok,failed"`
	// Outcome is null while the cell waits.
	Outcome *Outcome `json:"outcome"`
	Thumbs  Thumbs   `json:"thumbs"`
}

const experimentFacts = `SELECT e.id, e.project_id, e.name, e.role, e.state, e.reason, e.person_id, e.created_by, e.created_at, e.ended_at, e.run, e.spec,
	(SELECT COUNT(*) FROM ai_experiment_cell c WHERE c.experiment_id = e.id),
	(SELECT COUNT(*) FROM ai_experiment_cell c WHERE c.experiment_id = e.id AND c.state <> 'waiting'),
	(SELECT COUNT(*) FROM ai_experiment_cell c WHERE c.experiment_id = e.id AND c.state = 'failed') FROM ai_experiment e`

func scanExperiment(scan func(...any) error) (e Experiment, run int64, spec string, err error) {
	var created, ended, p int64
	err = scan(&e.ID, &p, &e.Name, &e.Role, &e.State, &e.Reason, &e.person, &e.CreatedBy, &created, &ended, &run, &spec, &e.Cells, &e.Finished, &e.Failed)
	e.project, e.CreatedAt = project.ID(p), metadb.FromMicros(created)
	if ended != 0 {
		at := metadb.FromMicros(ended)
		e.EndedAt = &at
	}
	return e, run, spec, err
}

const (
	defaultListed = 50
	maxListed     = 200
)

// ExperimentPage is a part of a project's experiments, the newest first.
type ExperimentPage struct {
	Items      []Experiment `json:"items"`
	NextCursor string       `json:"next_cursor" doc:"empty on the last page"`
	Total      int64        `json:"total" doc:"of all pages"`
}

// Experiments returns a page of the project's, the newest first. cursor is
// NextCursor of the page before, "" for the first; limit is at most 200, 0 for 50.
func (s *Service) Experiments(ctx context.Context, p project.ID, cursor string, limit int) (*ExperimentPage, error) {
	page := &ExperimentPage{}
	if err := s.db.QueryRow(ctx, `SELECT COUNT(*) FROM ai_experiment WHERE project_id = $1`, p).Scan(&page.Total); err != nil {
		return nil, fmt.Errorf("count experiments: %w", err)
	}
	before := int64(math.MaxInt64)
	if cursor != "" {
		var err error
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil || before < 1 {
			return nil, fault.New(fault.Invalid, "the cursor is not one of ours").WithField("cursor")
		}
	}
	limit = min(cmp.Or(max(0, limit), defaultListed), maxListed)
	rows, err := s.db.Query(ctx, experimentFacts+` WHERE e.project_id = $1 AND e.id < $2 ORDER BY e.id DESC LIMIT $3`, p, before, limit+1)
	page.Items, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (Experiment, error) {
		e, _, _, err := scanExperiment(rows.Scan)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list experiments: %w", err)
	}
	if len(page.Items) > limit {
		page.Items = page.Items[:limit]
		page.NextCursor = strconv.FormatInt(page.Items[limit-1].ID, 10)
	}
	return page, nil
}

// Experiment returns one without its results; fault.NotFound.
func (s *Service) Experiment(ctx context.Context, p project.ID, id int64) (*Experiment, error) {
	e, _, err := s.load(ctx, s.db, p, id)
	return e, err
}

func (s *Service) load(ctx context.Context, q metadb.Querier, p project.ID, id int64) (*Experiment, *plan, error) {
	e, _, spec, err := scanExperiment(q.QueryRow(ctx, experimentFacts+` WHERE e.id = $1 AND e.project_id = $2`, id, p).Scan)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil, nil, fault.New(fault.NotFound, "there is no experiment %d", id)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load experiment: %w", err)
	}
	made := &plan{}
	if err := json.Unmarshal([]byte(spec), made); err != nil {
		return nil, nil, fmt.Errorf("read experiment %d: %w", id, err)
	}
	return &e, made, nil
}

// current is load for the job, which knows no project.
func (s *Service) current(ctx context.Context, id int64) (*Experiment, *plan, int64, error) {
	e, run, spec, err := scanExperiment(s.db.QueryRow(ctx, experimentFacts+` WHERE e.id = $1`, id).Scan)
	if errors.Is(err, metadb.ErrNoRows) {
		return nil, nil, 0, fault.New(fault.NotFound, "there is no experiment %d", id)
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("load experiment: %w", err)
	}
	made := &plan{}
	if err := json.Unmarshal([]byte(spec), made); err != nil {
		return nil, nil, 0, fmt.Errorf("read experiment %d: %w", id, err)
	}
	return &e, made, run, nil
}

func (s *Service) waiting(ctx context.Context, id int64) ([]cell, error) {
	rows, err := s.db.Query(ctx, `SELECT number, variant, input FROM ai_experiment_cell WHERE experiment_id = $1 AND state = 'waiting' ORDER BY number`, id)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (c cell, err error) {
		return c, rows.Scan(&c.number, &c.variant, &c.input)
	})
}

func (s *Service) answers(ctx context.Context, id int64) ([]Answer, error) {
	rows, err := s.db.Query(ctx, `SELECT number, variant, input, state, body FROM ai_experiment_cell WHERE experiment_id = $1 ORDER BY number`, id)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Answer, error) {
		var a Answer
		var body string
		if err := rows.Scan(&a.Number, &a.Variant, &a.Input, &a.State, &body); err != nil || body == "" {
			return a, err
		}
		a.Outcome = &Outcome{}
		return a, json.Unmarshal([]byte(body), a.Outcome)
	})
}

func (s *Service) spent(ctx context.Context, id int64) (usd float64, err error) {
	answers, err := s.answers(ctx, id)
	for _, a := range answers {
		if a.Outcome != nil && a.Outcome.Usage.CostUSD != nil {
			usd += *a.Outcome.Usage.CostUSD
		}
	}
	return usd, err
}

// Results returns an experiment with all answers so far; fault.NotFound.
func (s *Service) Results(ctx context.Context, p project.ID, id int64) (*Results, error) {
	e, made, err := s.load(ctx, s.db, p, id)
	if err != nil {
		return nil, err
	}
	r := &Results{Experiment: *e, RoleOwner: made.Owner, Spec: made.Spec, Inputs: []ResultInput{}}
	for i := range made.Asked {
		a := &made.Asked[i]
		r.Inputs = append(r.Inputs, ResultInput{CallID: a.CallID, Title: a.Title, Message: a.text()})
	}
	if r.Answers, err = s.answers(ctx, id); err != nil {
		return nil, fmt.Errorf("load answers: %w", err)
	}
	said, err := s.thumbsByCall(ctx, p, e.CreatedAt, id)
	if err != nil {
		return nil, err
	}
	for i := range r.Answers {
		if a := &r.Answers[i]; a.Outcome != nil {
			a.Thumbs = said[a.Outcome.CallID]
		}
	}
	for i, v := range made.Variants {
		r.Variants = append(r.Variants, summary(v, i, r.Answers))
	}
	return r, nil
}

// thumbsByCall counts what was said about calls since an experiment began.
func (s *Service) thumbsByCall(ctx context.Context, p project.ID, since time.Time, id int64) (map[string]Thumbs, error) {
	rows, err := s.db.Query(ctx, `SELECT call_id, thumb FROM ai_feedback WHERE project_id = $1 AND call_at >= $2`, p, metadb.Micros(since.Add(-time.Minute)))
	said := map[string]Thumbs{}
	_, err = metadb.Collect(rows, err, func(rows *metadb.Rows) (struct{}, error) {
		var call string
		var thumb int64
		err := rows.Scan(&call, &thumb)
		t := said[call]
		t.add(thumb, 1)
		said[call] = t
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("count feedback of experiment %d: %w", id, err)
	}
	return said, nil
}

// summary adds up the answers of a variant.
func summary(v Variant, index int, answers []Answer) ResultVariant {
	sum := ResultVariant{Variant: v}
	var latencies []int64
	var valid, checked, grounded, looked, priced int
	for _, a := range answers {
		if a.Variant != index {
			continue
		}
		sum.Cells++
		sum.Thumbs.Up += a.Thumbs.Up
		sum.Thumbs.Down += a.Thumbs.Down
		o := a.Outcome
		if o == nil {
			continue
		}
		sum.Finished++
		if a.State == Failed {
			sum.Failed++
		} else {
			latencies = append(latencies, o.LatencyMs)
		}
		count := func(verdict *bool, of, hits *int) {
			if verdict == nil {
				return
			}
			*of++
			if *verdict {
				*hits++
			}
		}
		count(o.Valid, &checked, &valid)
		count(o.Grounded, &looked, &grounded)
		if o.Usage.CostUSD != nil {
			priced++
			sum.CostUSD += *o.Usage.CostUSD
		}
	}
	sum.Valid, sum.Grounded = Wilson(valid, checked), Wilson(grounded, looked)
	if priced > 0 {
		cost := sum.CostUSD / float64(priced)
		sum.CostPerCall = &cost
	}
	if n := len(latencies); n > 0 {
		slices.Sort(latencies)
		sum.P50Ms = float64(latencies[(n-1)/2]+latencies[n/2]) / 2
	}
	return sum
}
