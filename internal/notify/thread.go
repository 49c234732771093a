package notify

import (
	"context"
	"encoding/json"
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
