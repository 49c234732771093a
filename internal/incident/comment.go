package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
	"github.com/matrix-aiops/matrix/internal/project"
)

// maxComment is how many characters a comment may have.
const maxComment = 10_000

// comment is the data of a comment's entry in the timeline.
type comment struct {
	By     string `json:"by"`
	User   int64  `json:"user"`
	Text   string `json:"text"`
	Edited bool   `json:"edited,omitempty"`
}

func commentText(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || len([]rune(text)) > maxComment {
		return "", fault.New(fault.Invalid, "a comment has 1 to %d characters", maxComment).WithField("text")
	}
	return text, nil
}

// Comment adds what somebody says to an incident's timeline, as plain text.
func (s *Service) Comment(ctx context.Context, p project.ID, id int64, text string, by Person) error {
	text, err := commentText(text)
	if err != nil {
		return err
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		if _, err := s.load(ctx, tx, p, id); err != nil {
			return err
		}
		return s.note(ctx, tx, id, "comment", map[string]any{"by": by.Name, "user": by.ID, "text": text})
	})
}

// EditComment replaces the text of one's own comment; an empty one deletes it. It
// returns fault.Denied for somebody else's.
func (s *Service) EditComment(ctx context.Context, p project.ID, id, entry int64, text string, by Person) error {
	if text != "" {
		var err error
		if text, err = commentText(text); err != nil {
			return err
		}
	}
	return s.opts.DB.InTx(ctx, func(ctx context.Context, tx *metadb.Tx) error {
		var raw json.RawMessage
		err := tx.QueryRow(ctx, `SELECT e.data FROM incident_event e JOIN incident i ON i.id = e.incident_id
			WHERE i.project_id = $1 AND i.id = $2 AND e.id = $3 AND e.kind = 'comment'`, p, id, entry).Scan(&raw)
		if errors.Is(err, metadb.ErrNoRows) {
			return fault.New(fault.NotFound, "the comment does not exist")
		}
		if err != nil {
			return fmt.Errorf("load comment: %w", err)
		}
		var said comment
		if err := json.Unmarshal(raw, &said); err != nil {
			return fmt.Errorf("load comment: %w", err)
		}
		if said.User == 0 || said.User != by.ID {
			return fault.New(fault.Denied, "the comment is of %s: one changes one's own only", said.By)
		}
		if text == "" {
			_, err = tx.Exec(ctx, `DELETE FROM incident_event WHERE id = $1`, entry)
		} else {
			said.Text, said.Edited = text, true
			_, err = tx.Exec(ctx, `UPDATE incident_event SET data = $2 WHERE id = $1`, entry, encode(said))
		}
		if err != nil {
			return fmt.Errorf("edit comment: %w", err)
		}
		return nil
	})
}
