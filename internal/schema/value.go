package schema

import (
	"slices"
	"strings"
)

// enum makes the values of a schema such that the dialect takes.
func (l *lowering) enum(in, out, dropped *object, path string) error {
	value, isConst := in.values["const"]
	values := in.list("enum")
	if isConst {
		values = []any{value}
	}
	if values == nil {
		return nil
	}
	for _, v := range values {
		switch v.(type) {
		case *object, []any:
			return l.refuse(path, "a fixed value that is an object or a list")
		}
	}
	if l.dialect != Gemini {
		return nil
	}
	// It knows no const, and enum for strings and numbers only.
	dropped.remove("const")
	plain := slices.DeleteFunc(slices.Clone(values), func(v any) bool { return v == nil })
	if slices.ContainsFunc(plain, func(v any) bool { _, ok := v.(bool); return ok }) {
		out.remove("enum")
		dropped.set("enum", values)
		return nil
	}
	out.set("enum", plain)
	if len(plain) == len(values) {
		return nil
	}
	if len(plain) == 0 {
		out.remove("enum")
		return nil
	}
	one := out.clone()
	one.set("type", typeOf(newObject("enum", plain)))
	*out = *newObject("anyOf", []any{one, newObject("type", "null")})
	return nil
}

// nullable is the schema that allows null as well.
func nullable(n *object) *object {
	if allowsNull(nil, n) {
		return n
	}
	if n.has("$ref") {
		return newObject("anyOf", []any{n, newObject("type", "null")})
	}
	out := n.clone()
	if value, ok := n.values["const"]; ok {
		out.remove("const")
		out.set("enum", []any{value, nil})
	} else if n.has("enum") {
		out.set("enum", append(slices.Clone(n.list("enum")), nil))
	}
	switch t := n.values["type"].(type) {
	case string:
		out.set("type", []any{t, "null"})
	case []any:
		out.set("type", append(slices.Clone(t), "null"))
	}
	if n.has("anyOf") {
		out.set("anyOf", append(slices.Clone(n.list("anyOf")), newObject("type", "null")))
	}
	return out
}

func hasType(n *object, name string) bool {
	switch t := n.values["type"].(type) {
	case string:
		return t == name
	case []any:
		return slices.Contains(t, any(name))
	}
	return false
}

// note writes the restrictions that were dropped into the description.
func note(out, dropped *object) error {
	if len(dropped.keys) == 0 {
		return nil
	}
	words, err := encode(dropped)
	if err != nil {
		return err
	}
	out.set("description", strings.TrimSpace(out.text("description")+" "+string(words)))
	return nil
}
