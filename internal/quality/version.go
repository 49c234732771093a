package quality

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Version is how the answers of one version of a role were in a range of time,
// over calls that found it by a label: tries, replays and experiments do not
// count. All rates carry the size of their sample.
type Version struct {
	Role      string    `json:"role"`
	Owner     ai.Owner  `json:"owner" doc:"the organisation whose role it is; 0: the installation's"`
	Version   int       `json:"version"`
	Model     string    `json:"model" doc:"that answered most"`
	FirstCall time.Time `json:"first_call"`
	LastCall  time.Time `json:"last_call"`
	Calls     int       `json:"calls"`
	Answered  Rate      `json:"answered"`
	Valid     Rate      `json:"valid" doc:"of the calls whose answer was checked against a schema"`
	Grounded  Rate      `json:"grounded" doc:"of the calls whose first answer was checked against its evidence"`
	Liked     Rate      `json:"liked" doc:"thumbs up of all thumbs"`
	Judged    Judged    `json:"judged"`
	P50Ms     float64   `json:"p50_ms"`
	P95Ms     float64   `json:"p95_ms"`
	// CostPerCall is null when no call has a known cost.
	CostPerCall *float64 `json:"cost_per_call"`
	Priced      int      `json:"priced" doc:"calls whose cost is known"`
}

// Judged is what the judge thought of a sample.
type Judged struct {
	Of     int     `json:"of" doc:"judged answers"`
	Score  float64 `json:"score" doc:"mean, 1 to 5; 0 for an empty sample"`
	Good   Rate    `json:"good" doc:"with 4 or 5"`
	Failed int     `json:"failed" doc:"answers about which the judge gave no valid judgement"`
}

// Versions returns how the project's roles answered in [from, to), by role, the
// newest version first. role "" means all.
func (s *Service) Versions(ctx context.Context, p project.ID, role string, from, to time.Time) ([]Version, error) {
	stats, err := s.ai.QualityOf(ctx, p, role, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]Version, 0, len(stats))
	for _, v := range stats {
		each := Version{Role: v.Role, Owner: v.Owner, Version: v.Version, Model: v.Model, FirstCall: v.FirstCall, LastCall: v.LastCall, Calls: v.Calls,
			Answered: Wilson(v.Answered, v.Calls), Valid: Wilson(v.Valid, v.Checked), Grounded: Wilson(v.Grounded, v.Looked),
			Liked: Wilson(0, 0), Judged: Judged{Good: Wilson(0, 0)}, P50Ms: v.P50Ms, P95Ms: v.P95Ms, Priced: v.Priced}
		if v.Priced > 0 {
			cost := v.CostUSD / float64(v.Priced)
			each.CostPerCall = &cost
		}
		out = append(out, each)
	}
	of := func(role string, version int) *Version {
		i := slices.IndexFunc(out, func(v Version) bool { return v.Owner.RoleKey(v.Role) == role && v.Version == version })
		if i < 0 {
			return &Version{} // the log has expired
		}
		return &out[i]
	}
	if err := s.thumbs(ctx, p, from, to, of); err != nil {
		return nil, err
	}
	if err := s.scores(ctx, p, from, to, of); err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b Version) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(b.Owner, a.Owner), cmp.Compare(b.Version, a.Version))
	})
	return out, nil
}

type counted struct {
	role    string // key
	version int
	value   int64
	n       int
}

func (s *Service) counted(ctx context.Context, text string, p project.ID, from, to time.Time) ([]counted, error) {
	rows, err := s.db.Query(ctx, text, p, metadb.Micros(from), metadb.Micros(to))
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (c counted, err error) {
		return c, rows.Scan(&c.role, &c.version, &c.value, &c.n)
	})
}

func (s *Service) thumbs(ctx context.Context, p project.ID, from, to time.Time, of func(string, int) *Version) error {
	rows, err := s.counted(ctx, `SELECT role, role_version, thumb, COUNT(*) FROM ai_feedback
		WHERE project_id = $1 AND call_at >= $2 AND call_at < $3 AND label <> '' GROUP BY role, role_version, thumb`, p, from, to)
	if err != nil {
		return fmt.Errorf("count feedback: %w", err)
	}
	all := map[*Version]*Thumbs{}
	for _, r := range rows {
		v := of(r.role, r.version)
		if all[v] == nil {
			all[v] = &Thumbs{}
		}
		all[v].add(r.value, r.n)
	}
	for v, t := range all {
		v.Liked = Wilson(t.Up, t.Up+t.Down)
	}
	return nil
}

func (s *Service) scores(ctx context.Context, p project.ID, from, to time.Time, of func(string, int) *Version) error {
	rows, err := s.counted(ctx, `SELECT role, role_version, score, COUNT(*) FROM ai_judgement
		WHERE project_id = $1 AND call_at >= $2 AND call_at < $3 AND judge_call <> '' GROUP BY role, role_version, score`, p, from, to)
	if err != nil {
		return fmt.Errorf("count judgements: %w", err)
	}
	sums, good := map[*Version]int64{}, map[*Version]int{}
	for _, r := range rows {
		v := of(r.role, r.version)
		if r.value == 0 {
			v.Judged.Failed += r.n
			continue
		}
		v.Judged.Of += r.n
		sums[v] += r.value * int64(r.n)
		if r.value >= 4 {
			good[v] += r.n
		}
	}
	for v, sum := range sums {
		v.Judged.Score = float64(sum) / float64(v.Judged.Of)
		v.Judged.Good = Wilson(good[v], v.Judged.Of)
	}
	return nil
}
