package scrape

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// timing is how quickly things are noticed: a node that is gone, a target that came.
type timing struct {
	beat     time.Duration // the holder says this often that it lives
	giveUp   time.Duration // a holder that cannot say so stops scraping after
	takeOver time.Duration // another takes what its holder has not spoken of for
	targets  time.Duration // between looks at which targets came and went
}

// usual lets another node scrape within about 30 seconds. giveUp is the shorter
// one, so that a node that is cut off has stopped before another begins.
var usual = timing{beat: 5 * time.Second, giveUp: 15 * time.Second, takeOver: 20 * time.Second, targets: 5 * time.Second}

// lease is the right of this node to scrape for a project: a row that names the
// node, with a count that it moves on while it lives. Others watch the count by
// their own clocks, so no two clocks are compared.
type lease struct {
	db      *metadb.DB
	project project.ID
	node    string
	timing  timing
	now     func() time.Time

	seen  claim     // by somebody else
	since time.Time // that it is unchanged
}

// claim is whose a project is.
type claim struct {
	node string // "" nobody's
	beat int64
}

// hold takes the lease or keeps it, and stores the state with it. It reports
// false while another node has it, or when it was lost.
func (l *lease) hold(ctx context.Context, s State) (bool, error) {
	state, err := json.Marshal(s)
	if err != nil {
		return false, fmt.Errorf("encode scrape state: %w", err)
	}
	at := metadb.Micros(l.now())
	n, err := l.db.Exec(ctx, `UPDATE scrape SET beat = beat + 1, at = $3, state = $4 WHERE project_id = $1 AND node = $2`,
		l.project, l.node, at, string(state))
	if err != nil || n > 0 {
		return n > 0, err
	}
	var other claim
	err = l.db.QueryRow(ctx, `SELECT node, beat FROM scrape WHERE project_id = $1`, l.project).Scan(&other.node, &other.beat)
	if errors.Is(err, metadb.ErrNoRows) {
		n, err = l.db.Exec(ctx, `INSERT INTO scrape (project_id, node, beat, at, state) VALUES ($1, $2, 1, $3, $4)
			ON CONFLICT (project_id) DO NOTHING`, l.project, l.node, at, string(state))
		return n > 0, err
	}
	if err != nil {
		return false, err
	}
	if other != l.seen || l.since.IsZero() {
		l.seen, l.since = other, l.now()
	}
	if other.node != "" && l.now().Sub(l.since) < l.timing.takeOver {
		return false, nil
	}
	n, err = l.db.Exec(ctx, `UPDATE scrape SET node = $2, beat = beat + 1, at = $3, state = $4 WHERE project_id = $1 AND node = $5 AND beat = $6`,
		l.project, l.node, at, string(state), other.node, other.beat)
	return n > 0, err
}

// release lets others scrape at once. What was seen last stays to be read.
func (l *lease) release(ctx context.Context) error {
	_, err := l.db.Exec(ctx, `UPDATE scrape SET node = '' WHERE project_id = $1 AND node = $2`, l.project, l.node)
	return err
}
