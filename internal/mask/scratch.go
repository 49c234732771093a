package mask

import "sync"

// view is a text and what is known of it. It lives no longer than the look at
// the text: its memory is used again, so nothing may keep a part of folded.
type view struct {
	text    string
	folded  string
	spans   []span  // what the scanner claims
	learned []span  // the values that are replaced wherever they stand
	tokens  []match // the session's tokens
	claims  []span  // of all of them, as choose merges them
	buffer  []byte  // of folded
}

// scratch is the memory masking one text needs: what comes in and what it becomes.
type scratch struct {
	first, again view
	out          []byte
	values       []typedValue // of a document
	paths        fieldPaths
}

// spare keeps scratches, since one text needs as much memory as it is long a few times over.
var spare = sync.Pool{New: func() any { return new(scratch) }}

// mostKept is the longest text whose memory is kept.
const mostKept = 1 << 20

func borrow() *scratch { return spare.Get().(*scratch) }

func (w *scratch) giveBack() {
	if cap(w.out)+cap(w.first.buffer)+cap(w.again.buffer) > 3*mostKept {
		return
	}
	w.first.text, w.again.text = "", ""
	spare.Put(w)
}

// begin makes a view one of another text.
func (v *view) begin(text string) {
	v.text = text
	v.buffer = appendFold(v.buffer[:0], text)
	v.folded = inPlace(v.buffer)
}
