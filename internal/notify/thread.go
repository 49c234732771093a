package notify

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/matrix-aiops/matrix/internal/metadb"
)

// Threader is a Channel that shows the messages of one case (Message.Thread)
// together. Handles are its own, at most 500 bytes, and no secret.
type Threader interface {
	Channel
	// SendIn is Send for a message of a thread. root is the first message that
	// the target got of it, the zero Root for that one itself. It returns the
	// handle by which the service knows the thread, kept for later messages; an
	// empty one keeps what is there.
	SendIn(ctx context.Context, config json.RawMessage, m Message, root Root) (handle string, err error)
}

// Root is the message a thread began with at one target.
type Root struct {
	Handle  string
	Message Message
}

// root returns what a thread began with at t, the zero Root when it did not yet.
func (o *Outbox) root(ctx context.Context, t Target, thread string) (Root, error) {
	var r Root
	var body string
	err := o.opts.DB.QueryRow(ctx, `SELECT handle, body FROM notify_thread WHERE project_id = $1 AND target_id = $2 AND thread = $3`,
		t.Project, t.ID, thread).Scan(&r.Handle, &body)
	if errors.Is(err, metadb.ErrNoRows) {
		return Root{}, nil
	}
	if err != nil {
		return Root{}, err
	}
	r.Message, err = decodeMessage([]byte(body))
	r.Message = r.Message.In(t.Language).forReader(t.reader)
	return r, err
}

// remember keeps the handle of a thread that begins with m, also while the node
// is stopping. Of two messages that began it at once, the first to say so stays.
func (o *Outbox) remember(ctx context.Context, t Target, m Message, root Root, handle string) error {
	if handle == root.Handle {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	m.Data, m.Chart = nil, nil
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = o.opts.DB.Exec(ctx, `INSERT INTO notify_thread (project_id, target_id, thread, handle, body, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (target_id, thread) DO UPDATE SET handle = excluded.handle, body = excluded.body,
			updated_at = excluded.updated_at WHERE notify_thread.handle = $7`,
		t.Project, t.ID, m.Thread, handle, string(body), metadb.Micros(o.opts.Now()), root.Handle)
	return err
}
