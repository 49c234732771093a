package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// decode reads JSON and refuses what into does not know.
func decode(raw []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if decoder.More() {
		return errors.New("body: text after the JSON value")
	}
	return nil
}

// content is a text, or a list of parts of which only those of text are taken.
type content struct {
	text string
	set  bool
}

func (c *content) UnmarshalJSON(data []byte) error {
	c.set = true
	if bytes.Equal(data, []byte("null")) {
		c.set = false
		return nil
	}
	if data[0] == '"' {
		return json.Unmarshal(data, &c.text)
	}
	var parts []struct {
		Type         string          `json:"type"`
		Text         string          `json:"text"`
		CacheControl json.RawMessage `json:"cache_control"`
		Annotations  json.RawMessage `json:"annotations"`
	}
	var kinds []struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kinds); err != nil {
		return err
	}
	for _, kind := range kinds {
		if !slices.Contains([]string{"text", "input_text", "output_text"}, kind.Type) {
			return fmt.Errorf("content of type %q is not supported by this model", kind.Type)
		}
	}
	if err := decode(data, &parts); err != nil {
		return err
	}
	for _, part := range parts {
		if part.Text == "" {
			return errors.New("a text part is empty")
		}
		c.text += part.Text
	}
	return nil
}

// words is a string or a list of strings.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var one string
		err := json.Unmarshal(data, &one)
		*w = words{one}
		return err
	}
	return json.Unmarshal(data, (*[]string)(w))
}

var toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// checkTools holds tools, and the choice among them, to what all services ask.
func checkTools(tools []Tool, choice string) error {
	names := map[string]bool{}
	for _, tool := range tools {
		if !toolName.MatchString(tool.Name) || names[tool.Name] {
			return fmt.Errorf("tool %q: no name, or one that is there already", tool.Name)
		}
		names[tool.Name] = true
		var schema map[string]any
		if err := json.Unmarshal(tool.Schema, &schema); err != nil || schema["type"] != "object" {
			return fmt.Errorf("tool %q: the schema of the arguments is no object", tool.Name)
		}
	}
	switch choice {
	case "", "none", "required":
		if choice != "" && len(tools) == 0 {
			return errors.New("tool_choice is only allowed when tools are specified")
		}
	default:
		if !names[choice] {
			return fmt.Errorf("tool_choice names %q, which is no tool", choice)
		}
	}
	return nil
}

// checkTurns holds a conversation to the order that all services ask for: each
// call is answered in the next turn, and nothing else is.
func checkTurns(messages []Message) error {
	if len(messages) == 0 {
		return errors.New("messages are missing")
	}
	var open []string
	for i, m := range messages {
		switch {
		case m.Role == "system" && i > 0:
			return fmt.Errorf("message %d: the system speaks in the middle", i)
		case m.Role == "tool":
			at := slices.Index(open, m.CallID)
			if at < 0 {
				return fmt.Errorf("message %d answers call %q, which was not made", i, m.CallID)
			}
			open = slices.Delete(open, at, at+1)
			continue
		case !slices.Contains([]string{"system", "user", "assistant"}, m.Role):
			return fmt.Errorf("message %d: role %q", i, m.Role)
		case len(open) > 0:
			return fmt.Errorf("message %d: the calls %v are not answered", i, open)
		case m.Content == "" && len(m.Calls) == 0:
			return fmt.Errorf("message %d of the %s is empty", i, m.Role)
		}
		for _, call := range m.Calls {
			if call.ID == "" || slices.Contains(open, call.ID) || !toolName.MatchString(call.Name) {
				return fmt.Errorf("message %d: call %q of %q", i, call.ID, call.Name)
			}
			if !json.Valid([]byte(call.Arguments)) {
				return fmt.Errorf("message %d: the arguments of %q are no JSON", i, call.Name)
			}
			open = append(open, call.ID)
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("the calls %v are not answered", open)
	}
	if last := messages[len(messages)-1]; last.Role != "user" && last.Role != "tool" {
		return fmt.Errorf("the last message is the %s's", last.Role)
	}
	return nil
}

// checkRange holds a parameter, when it is set, to its range.
func checkRange(name string, value *float64, low, high float64) error {
	if value != nil && (*value < low || *value > high) {
		return fmt.Errorf("%s is %v, not within %v and %v", name, *value, low, high)
	}
	return nil
}

func positive(name string, value *int64) error {
	if value != nil && *value < 1 {
		return fmt.Errorf("%s is %d", name, *value)
	}
	return nil
}

// The keywords of each service's structured answers; of a map their value is a schema,
// of a list each of it.
var (
	openAIWords = []string{"type", "description", "title", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs", "definitions",
		"pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
	anthropicWords = []string{"type", "description", "title", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions",
		"default", "pattern", "format", "minItems"}
	geminiWords = []string{"$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum",
		"anyOf", "oneOf", "properties", "additionalProperties", "required", "propertyOrdering"}
	openAIFormats    = []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
	anthropicFormats = append([]string{"uri"}, openAIFormats...)
)

// checkSchema walks a schema and holds each part of it to a service's rules.
func checkSchema(raw json.RawMessage, words []string, rule func(node map[string]any) error) error {
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	var walk func(value any, path string) error
	walk = func(value any, path string) error {
		node, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("schema: %s is no object", path)
		}
		if err := rule(node); err != nil {
			return fmt.Errorf("schema: %s: %w", path, err)
		}
		for word, child := range node {
			if !slices.Contains(words, word) {
				return fmt.Errorf("schema: %s: %q is not permitted", path, word)
			}
			switch c := child.(type) {
			case map[string]any:
				if word == "items" || word == "additionalProperties" {
					if err := walk(c, path+"."+word); err != nil {
						return err
					}
				}
				if word == "properties" || word == "$defs" || word == "definitions" {
					for name, schema := range c {
						if err := walk(schema, path+"."+name); err != nil {
							return err
						}
					}
				}
			case []any:
				if slices.Contains([]string{"anyOf", "allOf", "oneOf", "prefixItems"}, word) {
					for _, schema := range c {
						if err := walk(schema, path+"."+word); err != nil {
							return err
						}
					}
				}
			}
		}
		return nil
	}
	return walk(root, "$")
}

func isObject(node map[string]any) bool {
	list, _ := node["type"].([]any)
	return node["type"] == "object" || slices.Contains(list, any("object"))
}

// strictOpenAI is strict mode: every object closes its properties and requires
// them all, every part has a type, and the whole is an object.
func strictOpenAI(raw json.RawMessage) error {
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil || root["type"] != "object" || root["anyOf"] != nil {
		return errors.New("schema: in strict mode the root is an object and no anyOf")
	}
	return checkSchema(raw, openAIWords, func(node map[string]any) error {
		if node["$ref"] != nil && len(node) > 1 && node["$defs"] == nil {
			return errors.New("$ref cannot have keywords beside it")
		}
		if node["type"] == nil && node["anyOf"] == nil && node["$ref"] == nil {
			return errors.New("no type")
		}
		if isObject(node) {
			properties, _ := node["properties"].(map[string]any)
			required, _ := node["required"].([]any)
			if node["additionalProperties"] != false || len(required) != len(properties) {
				return errors.New("an object in strict mode needs additionalProperties false and all properties required")
			}
			for name := range properties {
				if !slices.Contains(required, any(name)) {
					return fmt.Errorf("%q is not required", name)
				}
			}
		}
		if node["type"] == "array" && node["items"] == nil {
			return errors.New("array without items")
		}
		return checkFormat(node, openAIFormats)
	})
}

func checkFormat(node map[string]any, formats []string) error {
	if format, ok := node["format"].(string); ok && !slices.Contains(formats, format) {
		return fmt.Errorf("format %q is not supported", format)
	}
	return nil
}

// strictAnthropic is what output_config.format takes.
func strictAnthropic(raw json.RawMessage) error {
	return checkSchema(raw, anthropicWords, func(node map[string]any) error {
		if isObject(node) && node["additionalProperties"] != false {
			return errors.New("additionalProperties must be false")
		}
		if n, ok := node["minItems"].(float64); ok && n > 1 {
			return errors.New("minItems is supported for 0 and 1 only")
		}
		values, _ := node["enum"].([]any)
		for _, value := range values {
			switch value.(type) {
			case map[string]any, []any:
				return errors.New("enum of complex types")
			}
		}
		if node["type"] == nil && node["anyOf"] == nil && node["allOf"] == nil && node["$ref"] == nil && node["enum"] == nil && node["const"] == nil {
			return errors.New("no type")
		}
		return checkFormat(node, anthropicFormats)
	})
}

// strictGemini is what responseJsonSchema and parametersJsonSchema take.
func strictGemini(raw json.RawMessage) error {
	return checkSchema(raw, geminiWords, func(node map[string]any) error {
		if node["$ref"] != nil {
			for word := range node {
				if !strings.HasPrefix(word, "$") {
					return errors.New("$ref cannot have keywords beside it")
				}
			}
		}
		values, _ := node["enum"].([]any)
		for _, value := range values {
			switch value.(type) {
			case string, float64:
			default:
				return errors.New("enum is for strings and numbers")
			}
		}
		return nil
	})
}
