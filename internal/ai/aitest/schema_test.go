package aitest

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fake/llm"
)

// aSchema is a schema of a role as people write them, with words that one or the
// other service does not know.
func aSchema(t *rapid.T, depth int) string {
	word := func(all ...string) string { return rapid.SampledFrom(all).Draw(t, "word") }
	kind := word("object", "object", "array", "string", "number", "integer", "boolean", "enum", "const", "anyOf", "oneOf", "nullable", "ref", "any")
	if depth == 0 {
		kind = "object"
	}
	if depth > 3 && (kind == "object" || kind == "array" || kind == "anyOf" || kind == "oneOf") {
		kind = "string"
	}
	note := word("", "", `,"description":"the \"<name>\""`, `,"title":"T"`, `,"default":null`, `,"examples":[1]`, `,"$comment":"c"`)
	switch kind {
	case "object":
		var properties, required []string
		for i := range rapid.IntRange(1, 3).Draw(t, "properties") {
			name := fmt.Sprintf(`"p%d"`, i)
			properties = append(properties, name+":"+aSchema(t, depth+1))
			if rapid.Bool().Draw(t, "required") {
				required = append(required, name)
			}
		}
		return `{"type":"object","properties":{` + strings.Join(properties, ",") + `},"required":[` + strings.Join(required, ",") + `]` +
			word("", `,"additionalProperties":false`, `,"additionalProperties":{"type":"string"}`, `,"minProperties":1`, `,"patternProperties":{"^x":{"type":"string"}}`, `,"not":{"required":["q"]}`) + note + `}`
	case "array":
		return `{"type":"array","items":` + aSchema(t, depth+1) + word("", `,"minItems":1`, `,"minItems":2,"maxItems":9`, `,"uniqueItems":true`) + note + `}`
	case "string":
		return `{"type":"string"` + word("", `,"minLength":1,"maxLength":9`, `,"pattern":"^a+$"`, `,"pattern":"(?=a)"`, `,"format":"date-time"`, `,"format":"uri"`, `,"format":"regex"`) + note + `}`
	case "number", "integer":
		return `{"type":"` + kind + `"` + word("", `,"minimum":0`, `,"exclusiveMaximum":9`, `,"multipleOf":2`) + note + `}`
	case "boolean":
		return `{"type":"boolean"` + note + `}`
	case "enum":
		return word(`{"type":"string","enum":["a","b"]}`, `{"enum":["a",null]}`, `{"enum":[1,2.5,"x"]}`, `{"type":"boolean","enum":[true]}`, `{"enum":[null]}`)
	case "const":
		return word(`{"const":"a"}`, `{"const":1}`, `{"type":"string","const":"a"}`, `{"const":true}`)
	case "anyOf", "oneOf":
		return `{"` + kind + `":[` + aSchema(t, depth+1) + `,` + aSchema(t, depth+1) + `]` + note + `}`
	case "nullable":
		return `{"type":["` + word("string", "number", "boolean") + `","null"]}`
	case "ref":
		return word(`{"$ref":"#/$defs/shared"}`, `{"$ref":"#/definitions/old"}`, `{"$ref":"#/$defs/shared","description":"beside"}`, `{"allOf":[{"$ref":"#/$defs/shared"}],"description":"wrapped"}`)
	}
	return word(`{}`, `true`)
}

// TestWhateverSchemaIsSentTheServiceTakes: a schema is either refused before it
// is sent or follows the rules of the service's dialect to the letter.
func TestWhateverSchemaIsSentTheServiceTakes(t *testing.T) {
	each(t, func(b *bench) {
		b.server.Behave(func(llm.Request) llm.Reply { return llm.Reply{Text: "{}"} })
		tried, sent := 0, 0
		rapid.Check(b, func(t *rapid.T) {
			schema := aSchema(t, 0)
			schema = strings.TrimSuffix(schema, "}") + `,"$defs":{"shared":{"type":"object","properties":{"s":{"type":"string"}}}},"definitions":{"old":{"type":"integer","minimum":1}}}`
			r := b.request()
			r.Format = &ai.Format{Type: "json_schema", Name: "n", Schema: object(schema)}
			before := len(b.server.Requests())
			_, err := b.provider.Complete(t.Context(), r, nil)
			if faults := b.server.Faults(); len(faults) > 0 {
				t.Fatalf("%s: %q", schema, faults)
			}
			tried++
			if err == nil {
				sent++
			} else if len(b.server.Requests()) != before {
				t.Fatalf("%s: %v", schema, err)
			}
		})
		if sent*4 < tried {
			b.Errorf("only %d of %d schemas could be sent", sent, tried)
		}
	})
}
