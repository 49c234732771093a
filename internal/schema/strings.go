package schema

import "encoding/json"

// Strings lists the strings of a schema, keys and values, as they are written
// and as each dialect writes them.
func Strings(canonical json.RawMessage) []string {
	var all []string
	seen := map[string]bool{}
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	forms := []json.RawMessage{canonical}
	for _, dialect := range []Dialect{OpenAI, Anthropic, Gemini} {
		if lowered, err := Lower(dialect, canonical); err == nil {
			forms = append(forms, lowered)
		}
	}
	for _, form := range forms {
		if value, err := parse(form); err == nil {
			eachString(value, add)
		}
	}
	return all
}

func eachString(value any, yield func(string)) {
	switch v := value.(type) {
	case string:
		yield(v)
	case []any:
		for _, child := range v {
			eachString(child, yield)
		}
	case *object:
		for _, key := range v.keys {
			yield(key)
			eachString(v.values[key], yield)
		}
	}
}
