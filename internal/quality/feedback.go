package quality

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Feedback is what one person thinks of an answer.
type Feedback struct {
	CallID  string    `json:"call_id"`
	Person  int64     `json:"person_id"`
	Name    string    `json:"name"`
	Up      bool      `json:"up" doc:"of use; false: of no use"`
	Comment string    `json:"comment"`
	At      time.Time `json:"at"`
}

// maxComment is in characters, as the API counts.
const maxComment = 2000

// Say stores what a person thinks of a call's answer, over what they thought
// before; fault.NotFound when the project has no such call.
func (s *Service) Say(ctx context.Context, p project.ID, f Feedback) (*Feedback, error) {
	if utf8.RuneCountInString(f.Comment) > maxComment {
		return nil, fault.New(fault.Invalid, "a comment has at most %d characters", maxComment).WithField("comment")
	}
	c, err := s.call(ctx, p, f.CallID)
	if err != nil {
		return nil, err
	}
	f.At = s.now().UTC().Truncate(time.Microsecond)
	_, err = s.db.Exec(ctx, `INSERT INTO ai_feedback (project_id, call_id, person_id, name, thumb, comment, at, call_at, role, role_version, label)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (project_id, call_id, person_id) DO UPDATE SET name = excluded.name, thumb = excluded.thumb, comment = excluded.comment, at = excluded.at`,
		p, f.CallID, f.Person, f.Name, thumb(f.Up), f.Comment, metadb.Micros(f.At), metadb.Micros(c.At), c.RoleOwner.RoleKey(c.Role), c.RoleVersion, c.Label)
	if err != nil {
		return nil, fmt.Errorf("store feedback: %w", err)
	}
	return &f, nil
}

// TakeBack removes what a person said about a call; fault.NotFound.
func (s *Service) TakeBack(ctx context.Context, p project.ID, call string, person int64) error {
	n, err := s.db.Exec(ctx, `DELETE FROM ai_feedback WHERE project_id = $1 AND call_id = $2 AND person_id = $3`, p, call, person)
	switch {
	case err != nil:
		return fmt.Errorf("take feedback back: %w", err)
	case n == 0:
		return fault.New(fault.NotFound, "you have said nothing about the call %q", call)
	}
	return nil
}

// Said returns what people think of a call, the latest first; fault.NotFound
// when the project has no such call.
func (s *Service) Said(ctx context.Context, p project.ID, call string) ([]Feedback, error) {
	if _, err := s.call(ctx, p, call); err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, `SELECT call_id, person_id, name, thumb, comment, at FROM ai_feedback WHERE project_id = $1 AND call_id = $2 ORDER BY at DESC, person_id`, p, call)
	return metadb.Collect(rows, err, func(rows *metadb.Rows) (Feedback, error) {
		var f Feedback
		var thumb, at int64
		err := rows.Scan(&f.CallID, &f.Person, &f.Name, &thumb, &f.Comment, &at)
		f.Up, f.At = thumb > 0, metadb.FromMicros(at)
		return f, err
	})
}

func thumb(up bool) int64 {
	if up {
		return 1
	}
	return -1
}

// Thumbs are counted feedback.
type Thumbs struct {
	Up   int `json:"up"`
	Down int `json:"down"`
}

func (t *Thumbs) add(thumb int64, n int) {
	if thumb > 0 {
		t.Up += n
	} else {
		t.Down += n
	}
}
