package mask

import (
	"bytes"
	"encoding/gob"
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// state is a session as it is kept between the turns of a conversation. It
// holds every original: it must be stored like one.
type state struct {
	Version int
	Entries []stateEntry
	Spelled map[string]string // an original may be no valid UTF-8, so this is no JSON
	Learned []Value
	Cores   []uint64 // that stand in texts of the conversation
}

type stateEntry struct {
	Class                    Class
	Key, Token, First, Mixed string
}

const stateVersion = 1

// MarshalBinary returns the masking of the conversation so far, so that its
// tokens stay the same in a later turn. It holds the originals.
func (s *Session) MarshalBinary() ([]byte, error) {
	st := state{Version: stateVersion, Spelled: s.spelled}
	for _, e := range s.order {
		st.Entries = append(st.Entries, stateEntry{e.class, e.key, e.token, e.first, e.mixed})
	}
	for text, class := range s.classOf {
		st.Learned = append(st.Learned, Value{class, text})
	}
	slices.SortFunc(st.Learned, func(a, b Value) int {
		if a.Text < b.Text {
			return -1
		}
		return 1
	})
	for c, e := range s.cores {
		if e == nil {
			st.Cores = append(st.Cores, c)
		}
	}
	slices.Sort(st.Cores)
	var data bytes.Buffer
	err := gob.NewEncoder(&data).Encode(st)
	return data.Bytes(), fault.Wrap(err, fault.Internal, "the masking of the conversation cannot be kept")
}

// UnmarshalBinary takes over what MarshalBinary returned. The session keeps its
// options, and must not have masked anything yet.
func (s *Session) UnmarshalBinary(data []byte) error {
	var st state
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&st); err != nil {
		return fault.Wrap(err, fault.Internal, "the masking of the conversation cannot be read")
	}
	if st.Version != stateVersion {
		return fault.New(fault.Unsupported, "the masking of the conversation is of version %d", st.Version)
	}
	if s.entries == nil { // made by new(Session)
		*s = *NewSession()
	}
	if len(s.order) > 0 {
		return fault.New(fault.Conflict, "the conversation has begun already")
	}
	for _, e := range st.Entries {
		s.register(entry{class: e.Class, key: e.Key, token: e.Token, first: e.First, mixed: e.Mixed})
	}
	for token, original := range st.Spelled {
		s.vary(token, original)
	}
	for _, v := range st.Learned {
		if _, ok := s.classOf[v.Text]; !ok && !s.passes(v.Class, v.Text) {
			s.learned.add(v.Text, v.Class)
		}
	}
	for _, c := range st.Cores {
		s.cores[c] = nil
	}
	return nil
}
