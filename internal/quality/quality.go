// Package quality says how good the answers of models are, and finds better
// ones: what people think of an answer, what a judge thinks of a sample, and
// experiments that ask many variants of a role the same.
//
// It owns feedback, judgements and experiments (metadata database). It asks no
// model itself but through ai.Gateway, whose log knows what is valid and
// grounded, and releases no version of a role: an experiment's winner becomes a
// draft.
package quality

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// The kinds of callers under which this package asks models.
const (
	KindExperiment = "playground"
	KindJudge      = "judge"
	KindReplay     = "replay"
	KindTry        = "try"
)

// Options configure a Service. DB, Jobs and AI are required.
type Options struct {
	DB   *metadb.DB
	Jobs *job.Queue
	AI   *ai.Gateway
	Log  *slog.Logger
	Now  func() time.Time
	// Language tells in which language a project's people read; nil is ko.
	Language func(context.Context, project.ID) (string, error)
}

// Service keeps what is thought of answers. It is safe for concurrent use.
type Service struct {
	db       *metadb.DB
	jobs     *job.Queue
	ai       *ai.Gateway
	log      *slog.Logger
	now      func() time.Time
	language func(context.Context, project.ID) (string, error)
}

// New returns the service; Register makes it work.
func New(opts Options) (*Service, error) {
	if opts.DB == nil || opts.Jobs == nil || opts.AI == nil {
		return nil, errors.New("quality: Options needs DB, Jobs and AI")
	}
	s := &Service{db: opts.DB, jobs: opts.Jobs, ai: opts.AI, log: opts.Log, now: opts.Now, language: opts.Language}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "quality")
	if s.now == nil {
		s.now = time.Now
	}
	if s.language == nil {
		s.language = func(context.Context, project.ID) (string, error) { return "ko", nil }
	}
	return s, nil
}

// Register makes the queue run experiments, and ask the judge every judgeEvery.
func (s *Service) Register(q *job.Queue) {
	job.Handle(q, s.runExperiment)
	job.Handle(q, func(ctx context.Context, _ judgeJob) error { return s.judge(ctx) })
	q.Every(judgeEvery, func() job.Args { return judgeJob{} })
}

// Erase removes what was thought and tried in a project.
func Erase(ctx context.Context, tx *metadb.Tx, p project.ID) error {
	for _, q := range []string{
		`DELETE FROM ai_feedback WHERE project_id = $1`,
		`DELETE FROM ai_judgement WHERE project_id = $1`,
		`DELETE FROM ai_experiment_cell WHERE experiment_id IN (SELECT id FROM ai_experiment WHERE project_id = $1)`,
		`DELETE FROM ai_experiment WHERE project_id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, p); err != nil {
			return err
		}
	}
	return nil
}

// Rate is a share of a sample, with the interval in which the true share lies
// with a confidence of 95 %.
type Rate struct {
	Of   int     `json:"of" doc:"size of the sample"`
	Hits int     `json:"hits"`
	Rate float64 `json:"rate" doc:"hits/of, 0 to 1; 0 for an empty sample"`
	Low  float64 `json:"low" doc:"95 % interval of Wilson"`
	High float64 `json:"high"`
}

// Wilson returns the share of hits with the score interval of E. B. Wilson,
// "Probable inference, the law of succession, and statistical inference", JASA
// 22 (1927), at 95 %. It holds for small samples, and never leaves 0 to 1.
func Wilson(hits, of int) Rate {
	if of <= 0 {
		return Rate{High: 1}
	}
	const z = 1.959963984540054
	n, p := float64(of), float64(hits)/float64(of)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Rate{Of: of, Hits: hits, Rate: p, Low: max(middle-half, 0), High: min(middle+half, 1)}
}

// call returns a call of the project. One that has just ended may not have
// reached the log's store: then it is waited for.
func (s *Service) call(ctx context.Context, p project.ID, id string) (*ai.Call, error) {
	c, err := s.ai.Call(ctx, p, id)
	if !fault.Is(err, fault.NotFound) {
		return c, err
	}
	soon, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if s.ai.Flush(soon) != nil {
		return nil, err
	}
	return s.ai.Call(ctx, p, id)
}
