package ingest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// body is what a request carries, read and unpacked step by step, and the
// memory it holds: of the buffers their whole capacity. release ends it.
type body struct {
	memory  *memory
	project project.ID
	held    int64

	bytes  []byte
	buffer *[]byte // holds bytes; of the pool, nil before the first read
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

const (
	// firstBuffer is the room in bytes that a request gets before it has sent
	// anything; then it gets up to four times what it has sent.
	firstBuffer = 64 << 10
	// maxPooledBuffer is the largest buffer kept between requests. A slow client
	// may be lent one, and holds all of it.
	maxPooledBuffer = 1 << 20
)

// errOver says that there is more to read than the limit allows.
var errOver = errors.New("over the limit")

// hold takes n more bytes of the memory of all requests.
func (b *body) hold(n int64) error {
	err := b.memory.take(b.project, n)
	if err == nil {
		b.held += n
	}
	return err
}

func (b *body) drop(n int64) {
	b.memory.give(b.project, n)
	b.held -= n
}

// release gives everything back; the bytes must not be used any more.
func (b *body) release() {
	b.free(b.buffer)
	b.drop(b.held)
	b.bytes, b.buffer = nil, nil
}

func (b *body) free(buffer *[]byte) {
	if buffer != nil && cap(*buffer) <= maxPooledBuffer {
		buffers.Put(buffer)
	}
}

// read replaces the bytes by all of r, which may read from them. It starts with
// room for first bytes and gives up with errOver beyond limit bytes.
func (b *body) read(r io.Reader, first, limit int64) error {
	buffer := buffers.Get().(*[]byte)
	buf := (*buffer)[:0]
	if err := b.hold(int64(cap(buf))); err != nil {
		b.free(buffer)
		return err
	}
	for {
		if len(buf) == cap(buf) {
			room := min(max(first, 4*int64(cap(buf))), limit+1) // one more, so that the end is found without growing
			if err := b.hold(room); err != nil {
				return err
			}
			b.drop(int64(cap(buf)))
			buf = append(make([]byte, 0, room), buf...)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return errOver
		case err == io.EOF:
			*buffer = buf
			if b.buffer != nil {
				b.drop(int64(cap(*b.buffer)))
				b.free(b.buffer)
			}
			b.buffer, b.bytes = buffer, buf
			return nil
		case err != nil:
			return err
		}
	}
}

// receive reads the body of a request from its connection. size is its length
// in bytes, or negative when the client does not tell.
func (b *body) receive(r io.Reader, size, limit int64) error {
	if size > limit {
		return tooLarge(limit, "")
	}
	if size >= 0 {
		limit = size // and no larger buffer than that
	}
	switch err := b.read(r, firstBuffer, limit); {
	case errors.Is(err, errOver):
		return tooLarge(limit, "")
	case err == nil || fault.As(err) != nil:
		return err
	default:
		return unread(err)
	}
}

// unread says why a request did not arrive.
func unread(err error) error {
	var slow net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &slow) && slow.Timeout() {
		return fault.Wrap(err, fault.Unavailable, "the request did not arrive in time")
	}
	return fault.Wrap(err, fault.Invalid, "the request could not be read to its end")
}
