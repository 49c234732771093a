package mask

// Unmasker puts originals back into an answer that arrives in pieces. A piece
// may end in the middle of a token: that much is held back until it is whole.
type Unmasker struct {
	session *Session
	held    string
}

// Unmasker returns a new stream over the session's tokens.
func (s *Session) Unmasker() *Unmasker { return &Unmasker{session: s} }

// Write takes the next piece and returns what can be shown now.
func (u *Unmasker) Write(piece string) string {
	text := u.held + piece
	folded, whole := fold(text), 0
	if found := u.session.tokens.find(folded); len(found) > 0 {
		whole = found[len(found)-1].end
	}
	n := len(text) - u.session.tokens.partial(folded[whole:])
	u.held = text[n:]
	return u.session.Unmask(text[:n])
}

// Flush ends the stream and returns the rest.
func (u *Unmasker) Flush() string {
	text := u.held
	u.held = ""
	return u.session.Unmask(text)
}
