package ai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/metadb"
)

// NewThread is the Input.Thread that begins one.
const NewThread = "new"

const (
	maxThread  = 256 << 10 // bytes of the turns of a thread
	keepThread = 30 * 24 * time.Hour
)

// Thread is a conversation that goes on over several calls of a role. Its turns,
// with originals, and its masking are stored sealed: a token stands for the same
// value in all of its turns.
type Thread struct {
	ID    string    `json:"id"`
	Role  string    `json:"role"`
	Turns []Message `json:"turns"`

	owner   Owner // of the role
	version int64
	masking []byte
}

// threadBody is what is sealed of a thread.
type threadBody struct {
	Turns   []Message `json:"turns"`
	Masking []byte    `json:"masking"`
}

// threadPlace is where a sealed thread belongs: opened elsewhere it is refused.
func threadPlace(id string) string { return "ai thread " + id }

// errNoThread says of a thread of somebody else what it says of none.
func errNoThread(id string) error {
	return fault.New(fault.NotFound, "there is no conversation %q of yours: begin one with %q. They are kept for %d days after the last turn",
		id, NewThread, int(keepThread.Hours()/24)).WithField("conversation")
}

// Thread returns a conversation of the caller's in its project; fault.NotFound.
func (g *Gateway) Thread(ctx context.Context, caller Caller, id string) (*Thread, error) {
	t := &Thread{ID: id}
	var sealed string
	err := g.db.QueryRow(ctx, `SELECT version, role, sealed FROM ai_thread WHERE id = $1 AND project = $2 AND person = $3 AND used_at > $4`,
		id, int64(caller.Project), caller.Person, metadb.Micros(g.now().Add(-keepThread))).Scan(&t.version, &t.Role, &sealed)
	switch {
	case errors.Is(err, metadb.ErrNoRows):
		return nil, errNoThread(id)
	case err != nil:
		return nil, fmt.Errorf("load conversation: %w", err)
	}
	t.owner, t.Role = Owned(t.Role)
	plain, err := g.sealer.Open(ctx, sealed, threadPlace(id))
	if err != nil {
		return nil, fmt.Errorf("open conversation: %w", err)
	}
	var body threadBody
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fmt.Errorf("read conversation: %w", err)
	}
	t.Turns, t.masking = body.Turns, body.Masking
	return t, nil
}

// DeleteThread forgets a conversation of the caller's; fault.NotFound.
func (g *Gateway) DeleteThread(ctx context.Context, caller Caller, id string) error {
	n, err := g.db.Exec(ctx, `DELETE FROM ai_thread WHERE id = $1 AND project = $2 AND person = $3`, id, int64(caller.Project), caller.Person)
	switch {
	case err != nil:
		return fmt.Errorf("delete conversation: %w", err)
	case n == 0:
		return errNoThread(id)
	}
	return nil
}

// resume puts the call behind the turns of its thread.
func (c *conversation) resume(ctx context.Context) error {
	if c.in.Thread == "" {
		return nil
	}
	if c.g.sealer == nil {
		return fault.New(fault.Unsupported, "conversations are not kept here: there is no key to seal them with")
	}
	if c.caller.Person == 0 {
		return fault.New(fault.Invalid, "a conversation is somebody's").WithField("conversation")
	}
	if c.in.Thread == NewThread {
		c.thread = &Thread{ID: NewCallID(), Role: c.role.Code, owner: c.role.Owner}
		return nil
	}
	t, err := c.g.Thread(ctx, c.caller, c.in.Thread)
	if err != nil {
		return err
	}
	switch {
	case t.Role != c.role.Code:
		return fault.New(fault.Invalid, "the conversation is with the role %q", t.Role).WithField("conversation")
	case t.owner != c.role.Owner: // other people decide what becomes of its turns
		return fault.New(fault.Invalid, "another role answers to %q since the conversation began, as the organisation made or deleted its own: begin a new one with %q", t.Role, NewThread).WithField("conversation")
	}
	if err := c.session().UnmarshalBinary(t.masking); err != nil {
		return err
	}
	c.thread = t
	c.in.Messages = append(t.Turns[:len(t.Turns):len(t.Turns)], c.in.Messages...)
	return nil
}

// keepThread stores the thread with this turn behind the others, unless another
// turn was stored meanwhile: fault.Conflict.
func (c *conversation) keepThread(ctx context.Context, answer *Response) error {
	if c.thread == nil {
		return nil
	}
	turns := c.in.Messages[:len(c.in.Messages):len(c.in.Messages)]
	if c.in.Message != "" {
		turns = append(turns, Message{Role: RoleUser, Text: c.in.Message})
	}
	turns = append(turns, Message{Role: RoleAssistant, Text: answer.Text, Calls: answer.Calls})
	size := 0
	for _, m := range turns {
		size += len(m.Text)
	}
	if size > maxThread {
		return fault.New(fault.TooLarge, "the conversation is over %d bytes: begin a new one", maxThread).WithField("conversation")
	}
	masking, err := c.session().MarshalBinary()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(threadBody{turns, masking})
	if err != nil {
		return err
	}
	t := c.thread
	sealed, err := c.g.sealer.Seal(ctx, plain, threadPlace(t.ID))
	if err != nil {
		return fmt.Errorf("seal conversation: %w", err)
	}
	n, err := c.g.db.Exec(ctx, `INSERT INTO ai_thread (id, version, project, person, role, sealed, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed, used_at = excluded.used_at WHERE ai_thread.version = $8`,
		t.ID, t.version+1, int64(c.caller.Project), c.caller.Person, t.owner.RoleKey(t.Role), sealed, metadb.Micros(c.g.now()), t.version)
	switch {
	case err != nil:
		return fmt.Errorf("store conversation: %w", err)
	case n == 0:
		return fault.New(fault.Conflict, "the conversation went on meanwhile: this answer is not part of it").WithField("conversation")
	}
	return nil
}

// pruneThreads forgets conversations that nobody goes on with.
func (g *Gateway) pruneThreads(ctx context.Context) error {
	_, err := g.db.Exec(ctx, `DELETE FROM ai_thread WHERE used_at <= $1`, metadb.Micros(g.now().Add(-keepThread)))
	return err
}

// rewrapAtOnce is how many conversations are read at a time.
const rewrapAtOnce = 50

// RewrapThreads puts the data keys of all conversations under the current master
// key, after another one was made. What does not open stays as it is.
func (g *Gateway) RewrapThreads(ctx context.Context) error {
	if g.sealer == nil {
		return nil
	}
	current, err := g.sealer.Prefix(ctx)
	if err != nil {
		return fmt.Errorf("rewrap conversations: %w", err)
	}
	type row struct {
		id, sealed string
		version    int64
	}
	for last := ""; ; {
		rows, err := g.db.Query(ctx, `SELECT id, version, sealed FROM ai_thread WHERE id > $1 AND substr(sealed, 1, length($2)) <> $2 ORDER BY id LIMIT $3`, last, current, rewrapAtOnce)
		found, err := metadb.Collect(rows, err, func(rows *metadb.Rows) (r row, err error) { return r, rows.Scan(&r.id, &r.version, &r.sealed) })
		if err != nil {
			return fmt.Errorf("rewrap conversations: %w", err)
		}
		for _, r := range found {
			last = r.id
			sealed, changed, err := g.sealer.Rewrap(ctx, r.sealed, threadPlace(r.id))
			if err != nil || !changed {
				continue
			}
			// Not over a turn that came between: it is sealed with the current key.
			if _, err := g.db.Exec(ctx, `UPDATE ai_thread SET sealed = $3 WHERE id = $1 AND version = $2`, r.id, r.version, sealed); err != nil {
				return fmt.Errorf("rewrap conversations: %w", err)
			}
		}
		if len(found) < rewrapAtOnce {
			return nil
		}
	}
}
