package llm

import (
	"bytes"
	"net/http"
	"strings"
)

// event is one server-sent event.
type event struct {
	name  string
	data  any // JSON, or a raw string
	piece bool
	end   string // of the event; "" = "\n\n"
}

func (e event) bytes() []byte {
	var out bytes.Buffer
	if e.name != "" {
		out.WriteString("event: " + e.name + "\n")
	}
	out.WriteString("data: ")
	if raw, ok := e.data.(string); ok {
		out.WriteString(raw)
	} else {
		out.Write(encode(e.data))
	}
	if e.end == "" {
		e.end = "\n\n"
	}
	out.WriteString(e.end)
	return out.Bytes()
}

// stream sends the events, and stalls, breaks or fails where the reply says so.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, events []event, form wire, reply Reply) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	pieces := 0
	for _, e := range events {
		switch {
		case reply.FailAfter > 0 && pieces == reply.FailAfter:
			write(w, form.broken(reply).bytes(), reply.Split)
			return
		case reply.CutAfter > 0 && pieces == reply.CutAfter:
			panic(http.ErrAbortHandler)
		case reply.StallAfter > 0 && pieces == reply.StallAfter:
			s.wait(r, 0, true)
			return
		}
		if e.piece {
			if pieces > 0 && !s.wait(r, reply.Between, false) {
				return
			}
			pieces++
		}
		if !write(w, e.bytes(), reply.Split) {
			return
		}
	}
	switch { // the answer was shorter than where it should have stopped
	case reply.FailAfter > 0 && pieces <= reply.FailAfter:
		write(w, form.broken(reply).bytes(), reply.Split)
	case reply.CutAfter > 0:
		panic(http.ErrAbortHandler)
	case reply.StallAfter > 0:
		s.wait(r, 0, true)
	}
}

// write sends bytes at once or split, and reports whether the client is there.
func write(w http.ResponseWriter, data []byte, split int) bool {
	control := http.NewResponseController(w)
	for len(data) > 0 {
		n := len(data)
		if split > 0 {
			n = min(n, split)
		}
		if _, err := w.Write(data[:n]); err != nil {
			return false
		}
		if err := control.Flush(); err != nil {
			return false
		}
		data = data[n:]
	}
	return true
}

// chunks divides a text into pieces of characters.
func chunks(text string, size int) []string {
	if size <= 0 {
		size = 16
	}
	var all []string
	for runes := []rune(text); len(runes) > 0; {
		n := min(size, len(runes))
		all = append(all, string(runes[:n]))
		runes = runes[n:]
	}
	return all
}

// usage is what a reply to a request costs.
func usage(r Request, reply Reply) Usage {
	if reply.Usage != nil {
		return *reply.Usage
	}
	in, out := 0, len(reply.Text)+len(reply.Refusal)+len(reply.Thoughts)
	for _, m := range r.Messages {
		in += len(m.Content)
	}
	for _, text := range r.Input {
		in += len(text)
	}
	for _, c := range reply.Calls {
		out += len(c.Name) + len(c.Arguments)
	}
	u := Usage{Input: in/4 + 1, Output: out/4 + 1}
	if reply.Thoughts != "" {
		u.Reasoning = len(reply.Thoughts)/4 + 1
		u.Output += u.Reasoning
	}
	return u
}

// finish is why the answer ended, in the neutral words of Reply.
func finish(reply Reply) string {
	switch {
	case reply.Finish != "":
		return reply.Finish
	case len(reply.Calls) > 0:
		return "tool_calls"
	}
	return "stop"
}

// one quotes nothing when there is nothing to say.
func one(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}
