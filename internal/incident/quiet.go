package incident

import (
	"context"
	"time"

	"github.com/matrix-aiops/matrix/internal/job"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// quietJob ends an incident once nothing has matched for its quiet period.
type quietJob struct {
	Incident int64 `json:"incident_id"`
}

// Kind implements river.JobArgs.
func (quietJob) Kind() string { return "incident_quiet" }

// unevenWait is how soon the end of an incident is looked at again while the
// machine's clock cannot be believed.
const unevenWait = time.Minute

// quiet is the job behind quietJob.
func (s *Service) quiet(ctx context.Context, args quietJob) error {
	var again error
	err := s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		again = nil
		c, err := s.own(ctx, tx, args.Incident)
		if err != nil || c.Ended() || c.ParentKind == Merged { // a part ends with the whole
			return err
		}
		period := quietPeriod(c.quietMinutes)
		// Counted from when the last match was seen: spans that arrive late do
		// not end the incident they have just been added to.
		if left := c.seenAt.Add(period).Sub(s.opts.Now()); left > 0 {
			again = job.Snooze(left)
			return nil
		}
		// That nothing came is known from the clock alone, which may have been set,
		// or from a node that has not been there for so long.
		if !s.opts.Even(period) {
			again = job.Snooze(min(period, unevenWait))
			return nil
		}
		return s.resolve(ctx, tx, c, "")
	})
	if err != nil {
		return err
	}
	return again
}
