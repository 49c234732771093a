package schema

import (
	"encoding/json"
	"slices"
	"strings"
)

// Raise reads an answer that was given to a lowered schema as one to the
// canonical schema: a property that the canonical schema leaves out rather than
// null, and that is null, goes. Everything else, and an answer that is not JSON,
// stays to the byte: judging it is for the caller.
func Raise(canonical json.RawMessage, answer string) string {
	r := NewRaiser(canonical)
	return r.Write(answer) + r.Rest()
}

// Raiser is Raise for an answer that comes in pieces. It holds back the name of
// a property until it knows that the property stays.
type Raiser struct {
	root   *object
	out    strings.Builder
	held   []byte // of the answer, not decided on yet
	nulls  int    // letters of a null in held
	state  state
	frames []frame
	next   []*object // the schemas of the value that comes next
	drop   bool      // that value, when it is null
	key    []byte    // the name that is being read, with its quotes
	escape bool      // in a string, after a backslash
}

// frame is an object or a list that has begun.
type frame struct {
	list    bool
	schemas []*object // of the object, or of the items
	kept    bool      // a property stays already, so that the next needs its comma
}

type state int

const (
	passing  state = iota // nothing to do, or no JSON any more
	before                // a value
	inString              //
	inPlain               // a number, true, false, or a null that stays
	inNull                // that may go, with what is before it held
	after                 // a value
	name                  // of a property, or the end of the object
	inName                //
	colon                 //
)

// NewRaiser returns a Raiser for an answer to a canonical schema.
func NewRaiser(canonical json.RawMessage) *Raiser {
	r := &Raiser{}
	if value, err := parse(canonical); err == nil {
		r.root, _ = value.(*object)
	}
	if r.root != nil && leavesOut(r.root, r.root) {
		r.state, r.next = before, r.open(r.root, 0)
	}
	return r
}

// leavesOut reports whether a schema has a property that may be left out and not be null.
func leavesOut(root *object, value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return leavesOut(root, item) })
	case *object:
		properties, required := v.object("properties"), v.list("required")
		if properties != nil {
			for _, name := range properties.keys {
				if !slices.Contains(required, any(name)) && !allowsNull(root, properties.values[name]) {
					return true
				}
			}
		}
		return slices.ContainsFunc(v.keys, func(key string) bool { return leavesOut(root, v.values[key]) })
	}
	return false
}

// Write takes a piece of the answer and returns what of it is decided on.
func (r *Raiser) Write(piece string) string {
	if r.state == passing {
		return piece
	}
	r.out.Reset()
	for i := 0; i < len(piece); {
		if r.state == passing {
			r.out.WriteString(piece[i:])
			break
		}
		if r.step(piece[i]) {
			i++
		}
	}
	return r.out.String()
}

// Rest returns what is held back when the answer has ended.
func (r *Raiser) Rest() string {
	rest := string(r.held)
	r.held = nil
	return rest
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// step takes one byte; it reports false when it only changed the state and the
// byte is to be taken in the new one.
func (r *Raiser) step(c byte) bool {
	switch r.state {
	case before:
		return r.begin(c)
	case inString:
		r.emit(c)
		if r.closes(c) {
			r.state = after
		}
	case inPlain:
		if space(c) || c == ',' || c == '}' || c == ']' {
			r.state = after
			return false
		}
		r.emit(c)
	case inNull:
		return r.null(c)
	case after:
		return r.end(c)
	case name:
		switch {
		case space(c):
			r.held = append(r.held, c)
		case c == '"':
			r.held, r.key, r.state = append(r.held, c), append(r.key[:0], c), inName
		case c == '}' && (len(r.held) == 0 || r.held[0] != ','):
			r.state = after
			return false
		default:
			return r.pass()
		}
	case inName:
		r.held, r.key = append(r.held, c), append(r.key, c)
		if r.closes(c) {
			r.state = colon
		}
	case colon:
		if c != ':' && !space(c) {
			return r.pass()
		}
		if r.held = append(r.held, c); c == ':' {
			r.property()
			r.state = before
		}
	}
	return true
}

// closes reports whether a byte of a string ends it.
func (r *Raiser) closes(c byte) bool {
	if r.escape {
		r.escape = false
		return false
	}
	r.escape = c == '\\'
	return c == '"'
}

// begin takes a byte where a value begins.
func (r *Raiser) begin(c byte) bool {
	switch {
	case space(c):
		if len(r.held) > 0 {
			r.held = append(r.held, c)
		} else {
			r.emit(c)
		}
	case c == 'n' && r.drop:
		r.held, r.nulls, r.state = append(r.held, c), 1, inNull
	case c == '"':
		r.emit(c)
		r.state = inString
	case (c == '{' || c == '[') && len(r.frames) < maxDepth:
		r.emit(c)
		if c == '{' {
			r.frames, r.state = append(r.frames, frame{schemas: r.next}), name
			break
		}
		var items []*object
		for _, s := range r.next {
			items = append(items, r.open(s.values["items"], 0)...)
		}
		r.frames, r.next, r.drop = append(r.frames, frame{list: true, schemas: items}), items, false
	case c == ']' && len(r.frames) > 0 && r.frames[len(r.frames)-1].list:
		r.state = after
		return false
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n':
		r.emit(c)
		r.state = inPlain
	default:
		return r.pass()
	}
	return true
}

// null takes a byte of what may be a null that goes.
func (r *Raiser) null(c byte) bool {
	switch {
	case r.nulls < len("null") && c == "null"[r.nulls]:
		r.held, r.nulls = append(r.held, c), r.nulls+1
		return true
	case r.nulls == len("null") && (space(c) || c == ',' || c == '}' || c == ']'):
		r.held, r.state = r.held[:0], after
	default:
		r.flush()
		r.state = inPlain
	}
	return false
}

// end takes a byte after a value.
func (r *Raiser) end(c byte) bool {
	if len(r.frames) == 0 || space(c) {
		r.emit(c)
		return true
	}
	top := r.frames[len(r.frames)-1]
	switch {
	case c == ',' && top.list:
		r.emit(c)
		r.next, r.drop, r.state = top.schemas, false, before
	case c == ',':
		r.held, r.state = append(r.held, c), name
	case c == '}' && !top.list, c == ']' && top.list:
		r.emit(c)
		r.frames = r.frames[:len(r.frames)-1]
	default:
		return r.pass()
	}
	return true
}

// property learns, of the property whose name was read, which schemas its value
// follows and whether it goes when that is null.
func (r *Raiser) property() {
	var key string
	if json.Unmarshal(r.key, &key) != nil {
		key = "" // no JSON: it is nobody's property
	}
	r.next, r.drop = nil, false
	declared, stays := false, false
	for _, s := range r.frames[len(r.frames)-1].schemas {
		properties := s.object("properties")
		if properties == nil || !properties.has(key) {
			continue
		}
		declared = true
		stays = stays || slices.Contains(s.list("required"), any(key)) || allowsNull(r.root, properties.values[key])
		r.next = append(r.next, r.open(properties.values[key], 0)...)
	}
	r.drop = declared && !stays
}

// emit lets a byte through, after what is held before it.
func (r *Raiser) emit(c byte) {
	r.flush()
	r.out.WriteByte(c)
}

// flush lets what is held through. The comma before the first property that
// stays goes with those that went.
func (r *Raiser) flush() {
	if len(r.held) == 0 {
		return
	}
	held := r.held
	if n := len(r.frames); n > 0 {
		if top := &r.frames[n-1]; !top.list {
			if held[0] == ',' && !top.kept {
				held = held[1:]
			}
			top.kept = true
		}
	}
	r.out.Write(held)
	r.held = r.held[:0]
}

// pass gives up on what is no JSON: all of it goes through.
func (r *Raiser) pass() bool {
	r.out.Write(r.held)
	r.held, r.state = nil, passing
	return false
}

// open lists the schemas that a value may follow: the schema itself, and those
// of its choices and references.
func (r *Raiser) open(schema any, depth int) []*object {
	n, ok := schema.(*object)
	if !ok || depth > maxDepth {
		return nil
	}
	if ref := n.text("$ref"); ref != "" {
		target, _ := definition(r.root, ref)
		return r.open(target, depth+1)
	}
	all := []*object{n}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		for _, choice := range n.list(word) {
			all = append(all, r.open(choice, depth+1)...)
		}
	}
	return all
}

// allowsNull reports whether null is valid against a schema. References are
// followed in root; without a root they are taken to lead to no null.
func allowsNull(root *object, schema any) bool { return nullAt(root, schema, 0) }

func nullAt(root *object, schema any, depth int) bool {
	n, ok := schema.(*object)
	if !ok {
		return schema == true
	}
	if depth > maxDepth {
		return false
	}
	if ref := n.text("$ref"); ref != "" {
		if root == nil {
			return false
		}
		target, _ := definition(root, ref)
		return nullAt(root, target, depth+1)
	}
	if n.has("type") && !hasType(n, "null") {
		return false
	}
	if value, ok := n.values["const"]; ok && value != nil {
		return false
	}
	if n.has("enum") {
		found := false
		for _, value := range n.list("enum") {
			found = found || value == nil
		}
		if !found {
			return false
		}
	}
	for _, part := range n.list("allOf") {
		if !nullAt(root, part, depth+1) {
			return false
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if !n.has(word) {
			continue
		}
		found := false
		for _, choice := range n.list(word) {
			found = found || nullAt(root, choice, depth+1)
		}
		if !found {
			return false
		}
	}
	return true
}
