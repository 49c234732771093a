package schema

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// rules are what a dialect takes beside type, $ref, $defs, anyOf, properties,
// required, items and description, which all take.
type rules struct {
	keywords []string // restrictions that are kept as they are
	formats  []string // of strings
	maps     bool     // objects whose property names are not known
	untyped  bool     // a schema that allows anything
	tuples   bool     // prefixItems
	cycles   bool     // a definition that refers to itself
}

// The rules are those of the services' documentation of November 2026.
var dialects = [...]rules{
	OpenAI: {
		keywords: []string{"enum", "const", "pattern", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"},
		formats:  []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"},
		cycles:   true,
	},
	Anthropic: {
		keywords: []string{"enum", "const", "pattern", "minItems"},
		formats:  []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
	},
	Gemini: {
		keywords: []string{"title", "enum", "minimum", "maximum", "minItems", "maxItems"},
		formats:  []string{"date-time", "time", "date"},
		maps:     true, untyped: true, tuples: true,
	},
}

// annotations say nothing about what an answer may be.
var annotations = []string{"$schema", "$id", "$anchor", "$comment", "title", "default", "examples", "readOnly", "writeOnly", "deprecated"}

// Lower writes a canonical schema in a dialect. Restrictions that the dialect
// has no keyword for go into the description, where the model reads them; a
// shape that it cannot say is fault.Unsupported, what is no schema fault.Invalid.
func Lower(dialect Dialect, canonical json.RawMessage) (json.RawMessage, error) {
	value, err := parse(canonical)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the schema is not JSON")
	}
	root, ok := value.(*object)
	if !ok {
		return nil, fault.New(fault.Invalid, "the schema is no JSON object")
	}
	l := &lowering{dialect: dialect, rules: dialects[dialect], root: root}
	out, err := l.node(root, "$")
	if err != nil {
		return nil, err
	}
	if dialect == OpenAI && out.text("type") != "object" {
		return nil, l.refuse("$", "an answer that is no object")
	}
	if !l.cycles && l.cyclic() {
		return nil, l.refuse("$", "a definition that refers to itself")
	}
	if err := l.definitions(out); err != nil {
		return nil, err
	}
	return encode(out)
}

type lowering struct {
	rules
	dialect Dialect
	root    *object
}

func (l *lowering) refuse(path, what string) error {
	return fault.New(fault.Unsupported, "the schema has at %s %s, which %s's structured answers cannot express", path, what, l.dialect)
}

// definitions adds the lowered definitions of the root, under $defs.
func (l *lowering) definitions(out *object) error {
	all := newObject()
	for _, word := range []string{"$defs", "definitions"} {
		definitions := l.root.object(word)
		if definitions == nil {
			continue
		}
		for _, name := range definitions.keys {
			lowered, err := l.node(definitions.values[name], word+"."+name)
			if err != nil {
				return err
			}
			all.set(name, lowered)
		}
	}
	if len(all.keys) > 0 {
		out.set("$defs", all)
	}
	return nil
}

// definition finds what a local reference names.
func definition(root *object, ref string) (target any, name string) {
	if ref == "#" {
		return root, "#"
	}
	for _, word := range []string{"$defs", "definitions"} {
		if name, ok := strings.CutPrefix(ref, "#/"+word+"/"); ok {
			if definitions := root.object(word); definitions != nil && definitions.has(name) {
				return definitions.values[name], name
			}
		}
	}
	return nil, ""
}

// cyclic reports whether a definition reaches itself.
func (l *lowering) cyclic() bool {
	open := map[string]bool{}
	var reaches func(value any) bool
	reaches = func(value any) bool {
		switch v := value.(type) {
		case []any:
			return slices.ContainsFunc(v, reaches)
		case *object:
			for _, key := range v.keys {
				if key == "$defs" || key == "definitions" {
					continue // followed where they are used
				}
				ref, ok := v.values[key].(string)
				if key != "$ref" || !ok {
					if reaches(v.values[key]) {
						return true
					}
					continue
				}
				target, name := definition(l.root, ref)
				if name == "#" || open[name] {
					return true
				}
				open[name] = true
				if reaches(target) {
					return true
				}
				delete(open, name)
			}
		}
		return false
	}
	return reaches(l.root)
}

func (l *lowering) node(value any, path string) (*object, error) {
	in, ok := value.(*object)
	if !ok {
		if value != true {
			return nil, l.refuse(path, "something other than a schema")
		}
		in = newObject()
	}
	if ref := in.text("$ref"); ref != "" {
		_, name := definition(l.root, ref)
		switch name {
		case "":
			return nil, fault.New(fault.Invalid, "the schema refers at %s to a definition that it does not have", path)
		case "#":
			return newObject("$ref", "#"), nil
		}
		return newObject("$ref", "#/$defs/"+name), nil
	}
	in, err := l.merged(in, path)
	if err != nil {
		return nil, err
	}
	out, dropped := newObject(), newObject()
	if t := typeOf(in); t != nil {
		out.set("type", t)
	}
	for _, key := range in.keys {
		value := in.values[key]
		switch {
		case slices.Contains([]string{"type", "$defs", "definitions", "properties", "required", "additionalProperties", "items", "prefixItems", "anyOf", "oneOf"}, key):
			continue // below
		case key == "description", slices.Contains(l.keywords, key) && l.takes(key, value):
			out.set(key, value)
		case key == "format" && slices.Contains(l.formats, in.text(key)):
			out.set(key, value)
		case !slices.Contains(annotations, key):
			dropped.set(key, value)
		}
	}
	if err := l.shape(in, out, path); err != nil {
		return nil, err
	}
	if !l.untyped && !out.has("type") && !out.has("anyOf") {
		return nil, l.refuse(path, "a value of any type")
	}
	if err := l.enum(in, out, dropped, path); err != nil {
		return nil, err
	}
	return out, note(out, dropped)
}

// takes reports whether the dialect takes this value of a keyword that it knows.
func (l *lowering) takes(key string, value any) bool {
	switch key {
	case "pattern": // of a subset of regular expressions: no look-around, no back reference
		text, _ := value.(string)
		return !strings.Contains(text, "(?") && !strings.Contains(text, `\1`) && !strings.Contains(text, `\b`)
	case "minItems":
		return l.dialect != Anthropic || value == json.Number("0") || value == json.Number("1")
	}
	return true
}

// merged is the schema with what its allOf adds to it.
func (l *lowering) merged(in *object, path string) (*object, error) {
	parts := in.list("allOf")
	if parts == nil {
		return in, nil
	}
	out := in.clone()
	out.remove("allOf")
	for _, part := range parts {
		p, ok := part.(*object)
		if ok && p.has("$ref") {
			target, _ := definition(l.root, p.text("$ref"))
			p, ok = target.(*object)
		}
		if !ok || p == l.root {
			return nil, l.refuse(path, "an allOf of something other than schemas")
		}
		p, err := l.merged(p, path)
		if err != nil {
			return nil, err
		}
		for _, key := range p.keys {
			switch {
			case key == "properties" && out.object(key) != nil && p.object(key) != nil:
				both := out.object(key).clone()
				for _, name := range p.object(key).keys {
					both.set(name, p.object(key).values[name])
				}
				out.set(key, both)
			case key == "required":
				out.set(key, append(slices.Clone(out.list(key)), p.list(key)...))
			case (key == "anyOf" || key == "oneOf") && (out.has("anyOf") || out.has("oneOf")):
				return nil, l.refuse(path, "two choices at once")
			default:
				out.set(key, p.values[key])
			}
		}
	}
	return out, nil
}

// typeOf is the type of a schema, found out of its other words when it does not say.
func typeOf(in *object) any {
	if t, ok := in.values["type"]; ok {
		return t
	}
	switch {
	case in.has("properties"):
		return "object"
	case in.has("items"), in.has("prefixItems"):
		return "array"
	case in.has("anyOf"), in.has("oneOf"):
		return nil
	}
	values := in.list("enum")
	if value, ok := in.values["const"]; ok {
		values = []any{value}
	}
	var types []any
	for _, value := range values {
		name := "string"
		switch v := value.(type) {
		case nil:
			name = "null"
		case bool:
			name = "boolean"
		case json.Number:
			name = "number"
			if _, err := v.Int64(); err == nil {
				name = "integer"
			}
		case *object, []any:
			return nil
		}
		if !slices.Contains(types, any(name)) {
			types = append(types, name)
		}
	}
	switch len(types) {
	case 0:
		return nil
	case 1:
		return types[0]
	}
	return types
}

// shape lowers what a schema is made of: choices, properties and items.
func (l *lowering) shape(in, out *object, path string) error {
	choices := in.list("anyOf")
	if choices == nil {
		choices = in.list("oneOf") // all the dialects read it as anyOf, or do not know it
	} else if in.has("oneOf") {
		return l.refuse(path, "two choices at once")
	}
	if choices != nil {
		var lowered []any
		for _, choice := range choices {
			c, err := l.node(choice, path+".anyOf")
			if err != nil {
				return err
			}
			lowered = append(lowered, c)
		}
		out.set("anyOf", lowered)
	}
	if hasType(out, "object") {
		if err := l.properties(in, out, path); err != nil {
			return err
		}
	}
	if hasType(out, "array") {
		return l.items(in, out, path)
	}
	return nil
}

func (l *lowering) properties(in, out *object, path string) error {
	properties, required := in.object("properties"), in.list("required")
	if properties == nil {
		properties = newObject()
	}
	if !l.maps && len(properties.keys) == 0 && in.values["additionalProperties"] != false {
		return l.refuse(path, "an object whose properties are not listed")
	}
	lowered := newObject()
	var all []any
	for _, name := range properties.keys {
		p, err := l.node(properties.values[name], path+"."+name)
		if err != nil {
			return err
		}
		if l.dialect == OpenAI && !slices.Contains(required, any(name)) {
			p = nullable(p)
		}
		lowered.set(name, p)
		all = append(all, name)
	}
	for _, name := range required {
		if text, ok := name.(string); !ok || !properties.has(text) && !l.maps {
			return fault.New(fault.Invalid, "the schema requires at %s a property that it does not list", path)
		}
	}
	if l.dialect == OpenAI {
		required = all
	}
	if len(properties.keys) > 0 || !l.maps {
		out.set("properties", lowered)
	}
	if len(required) > 0 || l.dialect == OpenAI {
		out.set("required", append([]any{}, required...))
	}
	if l.dialect == Gemini && len(all) > 1 {
		out.set("propertyOrdering", all)
	}
	additional := in.values["additionalProperties"]
	switch {
	case !l.maps:
		out.set("additionalProperties", false)
	case additional == nil:
	case additional == false || additional == true:
		out.set("additionalProperties", additional)
	default:
		lowered, err := l.node(additional, path+".*")
		if err != nil {
			return err
		}
		out.set("additionalProperties", lowered)
	}
	return nil
}

func (l *lowering) items(in, out *object, path string) error {
	if tuple := in.list("prefixItems"); tuple != nil {
		if !l.tuples {
			return l.refuse(path, "a list with a schema for each place")
		}
		var lowered []any
		for _, item := range tuple {
			i, err := l.node(item, path+"[]")
			if err != nil {
				return err
			}
			lowered = append(lowered, i)
		}
		out.set("prefixItems", lowered)
	}
	switch items, ok := in.values["items"]; {
	case ok && items == false && l.tuples:
		out.set("maxItems", json.Number(itoa(len(in.list("prefixItems")))))
	case ok:
		lowered, err := l.node(items, path+"[]")
		if err != nil {
			return err
		}
		out.set("items", lowered)
	case !l.untyped:
		return l.refuse(path, "a list of anything")
	}
	return nil
}

func itoa(n int) string {
	data, _ := json.Marshal(n)
	return string(data)
}
