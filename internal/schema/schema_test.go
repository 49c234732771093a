package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/schema"
)

const open = `{"type":"object","title":"T","properties":{
	"z":{"type":"string","minLength":3,"description":"the name","format":"uri"},
	"a":{"oneOf":[{"type":"integer","minimum":1},{"type":"null"}]},
	"m":{"$ref":"#/definitions/m"},
	"list":{"type":"array","minItems":2,"maxItems":5,"items":{"enum":["x","y"]}}
},"required":["z"],"definitions":{"m":{"const":"fixed"}}}`

func TestACanonicalSchemaIsWrittenInEachDialect(t *testing.T) {
	for dialect, want := range map[schema.Dialect]string{
		schema.OpenAI: `{"type":"object","properties":{` +
			`"z":{"type":"string","description":"the name {\"minLength\":3,\"format\":\"uri\"}"},` +
			`"a":{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]},` +
			`"m":{"anyOf":[{"$ref":"#/$defs/m"},{"type":"null"}]},` +
			`"list":{"type":["array","null"],"minItems":2,"maxItems":5,"items":{"type":"string","enum":["x","y"]}}},` +
			`"required":["z","a","m","list"],"additionalProperties":false,"$defs":{"m":{"type":"string","const":"fixed"}}}`,
		schema.Anthropic: `{"type":"object","properties":{` +
			`"z":{"type":"string","description":"the name {\"minLength\":3}","format":"uri"},` +
			`"a":{"anyOf":[{"type":"integer","description":"{\"minimum\":1}"},{"type":"null"}]},` +
			`"m":{"$ref":"#/$defs/m"},` +
			`"list":{"type":"array","items":{"type":"string","enum":["x","y"]},"description":"{\"minItems\":2,\"maxItems\":5}"}},` +
			`"required":["z"],"additionalProperties":false,"$defs":{"m":{"type":"string","const":"fixed"}}}`,
		schema.Gemini: `{"type":"object","title":"T","properties":{` +
			`"z":{"type":"string","description":"the name {\"minLength\":3,\"format\":\"uri\"}"},` +
			`"a":{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]},` +
			`"m":{"$ref":"#/$defs/m"},` +
			`"list":{"type":"array","minItems":2,"maxItems":5,"items":{"type":"string","enum":["x","y"]}}},` +
			`"required":["z"],"propertyOrdering":["z","a","m","list"],"$defs":{"m":{"type":"string","enum":["fixed"]}}}`,
	} {
		got, err := schema.Lower(dialect, json.RawMessage(open))
		if err != nil || string(got) != want {
			t.Errorf("%s: err %v\n got %s\nwant %s", dialect, err, got, want)
		}
	}
}

// lowered fails the test when a schema cannot be lowered.
func lowered(t *testing.T, dialect schema.Dialect, canonical string) string {
	t.Helper()
	got, err := schema.Lower(dialect, json.RawMessage(canonical))
	if err != nil {
		t.Fatalf("%s of %s: %v", dialect, canonical, err)
	}
	return string(got)
}

func TestTheHealthReportIsTheSameInStrictModeAsItIsWritten(t *testing.T) {
	canonical, err := os.ReadFile("testdata/application_health_report_format.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []schema.Dialect{schema.OpenAI, schema.Anthropic} {
		var want, got any
		if err := json.Unmarshal(canonical, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(lowered(t, dialect, string(canonical))), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, got %v", dialect, err, got)
		}
	}
	if got := lowered(t, schema.Gemini, string(canonical)); !strings.Contains(got, `"propertyOrdering":["name","applicationId","state","metric","comment"]`) {
		t.Errorf("got %s", got)
	}
}

func TestWordsAreWrittenSoThatTheDialectKnowsThem(t *testing.T) {
	f := func(dialect schema.Dialect, property, want string) {
		t.Helper()
		got := lowered(t, dialect, `{"type":"object","properties":{"p":`+property+`},"required":["p"],"additionalProperties":false}`)
		if want = `"p":` + want; !strings.Contains(got, want) {
			t.Errorf("%s of %s is %s, want %s", dialect, property, got, want)
		}
	}
	f(schema.Gemini, `{"const":5}`, `{"type":"integer","enum":[5]}`)
	f(schema.Gemini, `{"enum":["a",null]}`, `{"anyOf":[{"type":"string","enum":["a"]},{"type":"null"}]}`)
	f(schema.Gemini, `{"type":"boolean","enum":[true]}`, `{"type":"boolean","description":"{\"enum\":[true]}"}`)
	f(schema.Gemini, `{"const":null}`, `{"type":"null"}`)
	f(schema.Gemini, `{"type":"object","additionalProperties":{"type":"number"}}`, `{"type":"object","additionalProperties":{"type":"number"}}`)
	f(schema.Gemini, `{"type":"array","prefixItems":[{"type":"string"}],"items":false}`, `{"type":"array","prefixItems":[{"type":"string"}],"maxItems":1}`)
	f(schema.Gemini, `true`, `{}`)
	f(schema.Anthropic, `{"type":"array","minItems":1,"items":{"type":"string","pattern":"^a+$"}}`, `{"type":"array","minItems":1,"items":{"type":"string","pattern":"^a+$"}}`)
	f(schema.OpenAI, `{"type":"string","pattern":"^(?=a)"}`, `{"type":"string","description":"{\"pattern\":\"^(?=a)\"}"}`)
	f(schema.OpenAI, `{"properties":{}, "additionalProperties":false}`, `{"type":"object","properties":{},"required":[],"additionalProperties":false}`)
	f(schema.OpenAI, `{"allOf":[{"properties":{"a":{"type":"string"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`,
		`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"],"additionalProperties":false}`)
	f(schema.OpenAI, `{"type":"string","description":"a<b & c"}`, `{"type":"string","description":"a<b & c"}`)
	f(schema.OpenAI, `{"enum":["a",1]}`, `{"type":["string","integer"],"enum":["a",1]}`)
}

func TestAnOptionalPropertyIsNullableInStrictMode(t *testing.T) {
	f := func(property, want string) {
		t.Helper()
		if got := lowered(t, schema.OpenAI, `{"type":"object","properties":{"p":`+property+`}}`); !strings.Contains(got, `"p":`+want) {
			t.Errorf("%s is %s, want %s", property, got, want)
		}
	}
	f(`{"type":"string"}`, `{"type":["string","null"]}`)
	f(`{"type":["string","null"]}`, `{"type":["string","null"]}`)
	f(`{"type":["string","number"]}`, `{"type":["string","number","null"]}`)
	f(`{"type":"string","enum":["a"]}`, `{"type":["string","null"],"enum":["a",null]}`)
	f(`{"const":"a"}`, `{"type":["string","null"],"enum":["a",null]}`)
	f(`{"anyOf":[{"type":"string"}]}`, `{"anyOf":[{"type":"string"},{"type":"null"}]}`)
}

func TestAShapeThatADialectCannotExpressIsRefused(t *testing.T) {
	f := func(kind fault.Kind, canonical string, dialects ...schema.Dialect) {
		t.Helper()
		for _, dialect := range dialects {
			if got, err := schema.Lower(dialect, json.RawMessage(canonical)); !fault.Is(err, kind) {
				t.Errorf("%s of %s: %s, err %v, want %v", dialect, canonical, got, err, kind)
			}
		}
	}
	all := []schema.Dialect{schema.OpenAI, schema.Anthropic, schema.Gemini}
	const self = `{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}}}}}`
	f(fault.Unsupported, `{"type":"object"}`, schema.OpenAI, schema.Anthropic)
	f(fault.Unsupported, `{"type":"object","additionalProperties":{"type":"string"}}`, schema.OpenAI, schema.Anthropic)
	f(fault.Unsupported, `{"type":"object","properties":{"a":{}}}`, schema.OpenAI, schema.Anthropic)
	f(fault.Unsupported, `{"type":"object","properties":{"a":{"type":"array"}}}`, schema.OpenAI, schema.Anthropic)
	f(fault.Unsupported, `{"type":"array","items":{"type":"string"}}`, schema.OpenAI)
	f(fault.Unsupported, `{"type":"object","properties":{"n":`+self+`},"$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}}}}}`, schema.Anthropic, schema.Gemini)
	f(fault.Unsupported, `{"type":"object","properties":{"a":{"enum":[{"b":1}]}}}`, all...)
	f(fault.Unsupported, `{"type":"object","properties":{"a":false}}`, all...)
	f(fault.Invalid, `{"type":"object","properties":{"a":{"$ref":"#/$defs/none"}}}`, all...)
	f(fault.Invalid, `{"type":"object","properties":{"a":{"$ref":"https://example.com/x"}}}`, all...)
	f(fault.Invalid, `{"type":"object","properties":{"a":{"type":"string"}},"required":["b"]}`, schema.OpenAI, schema.Anthropic)
	f(fault.Invalid, `{`, all...)
	f(fault.Invalid, `"x"`, all...)
	f(fault.Invalid, strings.Repeat(`{"not":`, 100)+`{}`+strings.Repeat(`}`, 100), all...)
}

func TestANullThatMeansLeftOutIsLeftOut(t *testing.T) {
	f := func(canonical, answer, want string) {
		t.Helper()
		if got := schema.Raise(json.RawMessage(canonical), answer); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	f(open, `{"z":"a","a":null,"m":null,"list":null}`, `{"z":"a","a":null}`)
	f(open, `{ "z": "a", "a": 1 }`, `{ "z": "a", "a": 1 }`) // to the byte
	f(open, `{"z":null,"a":1}`, `{"z":null,"a":1}`)         // required: for the caller to judge
	f(open, `{"z":"a","unknown":null}`, `{"z":"a","unknown":null}`)
	f(open, `{"z":"12345678901234567890.10 <&>","m":null}`, `{"z":"12345678901234567890.10 <&>"}`)
	f(open, `{"z":"a","m":null`, `{"z":"a","m":null`)
	f(open, `{"a":1,"m":null}`, `{"a":1}`)
	f(open, `{"m":null,"a":1}`, `{"a":1}`)
	f(open, "{\n  \"m\": null,\n  \"a\": 1\n}", "{\n  \"a\": 1\n}")
	f(open, `{"m":null,"list":null}`, `{}`)
	f(open, `{"m":null,}`, `{,}`) // no JSON before, and none after
	f(open, `{"m":nullx}`, `{"m":nullx}`)
	f(open, `{"\u006d":null}`, `{}`)
	f(open, `null`, `null`)
	f(`{"type":"object","properties":{"l":{"type":"array","items":{"anyOf":[{"type":"object","properties":{"x":{"type":"number"},"y":{"type":"number"}},"required":["x"]}]}}}}`,
		`{"l":[{"x":1.50,"y":null},{"x":2,"y":3}]}`, `{"l":[{"x":1.50},{"x":2,"y":3}]}`)
	f(`{"type":"object","properties":{"n":{"$ref":"#"},"v":{"type":"string"}}}`, `{"n":{"n":null,"v":null},"v":"a"}`, `{"n":{},"v":"a"}`)
}

// inPieces raises an answer that comes in pieces of any length.
func inPieces(t *rapid.T, canonical, answer string) string {
	r, got := schema.NewRaiser(json.RawMessage(canonical)), ""
	for answer != "" {
		n := rapid.IntRange(1, min(len(answer), 9)).Draw(t, "piece")
		got, answer = got+r.Write(answer[:n]), answer[n:]
	}
	return got + r.Rest()
}

func TestAnAnswerInPiecesIsRaisedAsAWholeOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"{", "}", "[", "]", ",", ":", `"z"`, `"a"`, `"list"`, `"m"`, `"\""`, `"\\`, `"한"`, "null", "nul", "true", "-1.5e3", " ", "\n", "x", `"`})).Draw(t, "answer"), "")
		whole := schema.Raise(json.RawMessage(open), answer)
		if got := inPieces(t, open, answer); got != whole {
			t.Fatalf("%q in pieces is %q, whole %q", answer, got, whole)
		}
		if json.Valid([]byte(answer)) != json.Valid([]byte(whole)) {
			t.Fatalf("%q is raised to %q", answer, whole)
		}
		const all = `{"type":"object","properties":{"z":{"type":"string"}},"required":["z"]}` // nothing may be left out
		if got := schema.Raise(json.RawMessage(all), answer); got != answer {
			t.Fatalf("%q is raised to %q", answer, got)
		}
	})
}

func TestANameIsHeldBackNoLongerThanItMustBe(t *testing.T) {
	r, got := schema.NewRaiser(json.RawMessage(open)), []string{}
	for _, piece := range []string{`{"z":"lo`, `ng`, `","a":nu`, `ll,"m"`, `:n`, `ull,"list":[`, `"x"]`, `}`} {
		got = append(got, r.Write(piece))
	}
	want := []string{`{"z":"lo`, `ng`, `","a":nu`, `ll`, ``, `,"list":[`, `"x"]`, `}`}
	if !reflect.DeepEqual(got, want) || r.Rest() != "" {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWhatIsLoweredIsRaised makes objects of required and optional properties
// and answers to their strict form, in which nothing may be left out.
func TestWhatIsLoweredIsRaised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var object func(depth int) (canonical, answer, want string)
		object = func(depth int) (canonical, answer, want string) {
			var properties, required, answers, wants []string
			for i := range rapid.IntRange(1, 4).Draw(t, "properties") {
				p, a, w := `{"type":"string"}`, `"v"`, `"v"`
				switch kind := rapid.IntRange(0, 3).Draw(t, "kind"); {
				case kind == 0 && depth < 3:
					p, a, w = object(depth + 1)
				case kind == 1 && depth < 3:
					p, a, w = object(depth + 1)
					p, a, w = `{"type":"array","items":`+p+`}`, "["+a+"]", "["+w+"]"
				case kind == 2:
					p, a, w = `{"type":["number","null"]}`, "null", "null"
				}
				name := fmt.Sprintf(`"p%d"`, i)
				if rapid.Bool().Draw(t, "required") {
					required = append(required, name)
				} else if a != "null" && rapid.Bool().Draw(t, "left out") {
					a, w = "null", ""
				}
				properties, answers = append(properties, name+":"+p), append(answers, name+":"+a)
				if w != "" {
					wants = append(wants, name+":"+w)
				}
			}
			return `{"type":"object","properties":{` + strings.Join(properties, ",") + `},"required":[` + strings.Join(required, ",") + `]}`,
				"{" + strings.Join(answers, ",") + "}", "{" + strings.Join(wants, ",") + "}"
		}
		canonical, answer, want := object(0)
		strict, err := schema.Lower(schema.OpenAI, json.RawMessage(canonical))
		if err != nil {
			t.Fatal(err)
		}
		if got := schema.Raise(json.RawMessage(canonical), answer); got != want {
			t.Fatalf("%s to %s is raised to %s, want %s", answer, canonical, got, want)
		}
		var spread bytes.Buffer
		if err := json.Indent(&spread, []byte(answer), "", " \t"); err != nil {
			t.Fatal(err)
		}
		var plain bytes.Buffer
		if err := json.Compact(&plain, []byte(inPieces(t, canonical, spread.String()))); err != nil || plain.String() != want {
			t.Fatalf("%s to %s is raised to %s (%v), want %s", &spread, canonical, &plain, err, want)
		}
		if again, err := schema.Lower(schema.OpenAI, strict); err != nil || string(again) != string(strict) {
			t.Fatalf("%s lowered again is %s (%v)", strict, again, err)
		}
	})
}
