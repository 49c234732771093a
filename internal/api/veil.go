package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/mask"
	"github.com/matrix-aiops/matrix/internal/sqltext"
	"github.com/matrix-aiops/matrix/internal/tenant"
)

// What a reader of a project may not see is masked here, in what every read of a
// project answers, and nowhere else: each text of the answer is looked at, so that
// a new field, or a new operation, is masked without anybody thinking of it. Only
// what is listed below is left as it is.

// unveiled are the reads whose answers hold nothing that services told: what
// people have set up, which an editor must see as it is, and numbers.
var unveiled = []string{
	"get-project", "list-keys", "get-setup", "get-storage", "get-scrape", "prometheus-targets",
	"list-rules", "get-rule", "get-rule-history", "get-rule-evaluation", "list-channels", "get-channel", "get-channel-routing", "preview-channel", "list-alarm-kinds",
	"list-views", "list-dashboards", "get-dashboard", "get-dashboard-history", "get-in-app-rules", "list-issue-people",
	"get-ai-masking", "get-ai-masking-history", "get-incident-analysis", "get-conversation", "get-ai-call-originals",
	"get-scatter", "get-heatmap", "get-sampling", "count-transactions", "count-logs", "get-home",
	"prometheus-query", "prometheus-query-by-post", "prometheus-query-range", "prometheus-query-range-by-post", "prometheus-series", "prometheus-series-by-post",
	"prometheus-labels", "prometheus-labels-by-post", "prometheus-label-values", "prometheus-metadata", "prometheus-format-query", "prometheus-format-query-by-post",
	"prometheus-buildinfo", "get-project-ai-usage", "export-project-ai-usage", "get-project-ai-bill",
}

// plainKeys are the members of answers that name things: they are written by
// MATRIX, and links are made of them.
var plainKeys = map[string]bool{
	"id": true, "trace_id": true, "span_id": true, "traceID": true, "spanID": true, "traceId": true, "spanId": true, "parentSpanId": true, "parent_id": true,
	"call_id": true, "hash": true, "pattern": true, "fingerprint": true, "cursor": true, "next_cursor": true, "next": true, "older": true, "newer": true, "span_ids": true,
	"startTimeUnixNano": true, "endTimeUnixNano": true, "timeUnixNano": true,
}

// personKeys are the attributes whose values are about a person whatever they look
// like. Source: https://opentelemetry.io/docs/specs/semconv/registry/attributes/user/
var personKeys = map[string]bool{"user.name": true, "user.full_name": true, "user.email": true, "enduser.id": true, "user": true}

// statementKeys are the members and attributes that hold a statement with its values.
var statementKeys = map[string]bool{"db.statement": true, "db.query.text": true, "statement": true, "raw_statement": true, "raw": true, "sql": true, "query": true}

// parameterKeys begin the names of attributes that hold values of a statement.
// Source: https://opentelemetry.io/docs/specs/semconv/database/database-spans/
var parameterKeys = []string{"db.query.parameter.", "db.operation.parameter.", "db.sql.bind"}

// shown are the kinds of data of a Sees, as the audit log names them.
const (
	shownSQL      = "sql"
	shownPersonal = "personal"
	shownPrompts  = "prompts"
)

// veils reports whether the answers of an operation are looked at.
func veils(act tenant.Action, op *huma.Operation) bool {
	return strings.HasPrefix(string(act), "project.") && !changes(op) && !slices.Contains(unveiled, op.OperationID)
}

// veil masks in an answer what its reader may not see, and notes what they see
// that others do not.
func (s *server) veil(ctx context.Context, op *huma.Operation, out any) error {
	at := admittedTo(ctx)
	answer := reflect.Indirect(reflect.ValueOf(out))
	if at == nil || at.place.Project == 0 || answer.Kind() != reflect.Struct {
		return nil
	}
	body := answer.FieldByName("Body")
	if !body.IsValid() || body.Kind() == reflect.Func || body.Type() == reflect.TypeFor[[]byte]() {
		return nil
	}
	text, err := json.Marshal(body.Interface())
	if err != nil {
		return err
	}
	v := veiler{sees: at.place.Sees, prompts: strings.Contains(op.Path, "/ai-")}
	veiled, err := v.document(text)
	if err != nil {
		return err
	}
	if v.masked {
		at.veiled = veiled
	}
	if len(v.shown) == 0 {
		return nil
	}
	return s.opts.Audit.Read(*auditEntry(ctx, at), strings.Join(v.shown, ","))
}

// withVeil is the transformer that puts the masked answer in the place of the other.
func withVeil(hc huma.Context, status string, body any) (any, error) {
	if at := admittedTo(hc.Context()); at != nil && at.veiled != nil && status < "300" {
		return at.veiled, nil
	}
	return body, nil
}

// veiler masks one answer.
type veiler struct {
	sees    tenant.Sees
	prompts bool // the answer is of calls of models

	masked bool
	shown  []string
}

func (v *veiler) document(text []byte) (json.RawMessage, error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	var doc any
	if err := in.Decode(&doc); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "an answer cannot be masked")
	}
	doc = v.value("", doc, around{})
	if !v.masked {
		return text, nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(doc); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// around is what stands beside a value: the normalised statement and the kind of
// the database.
type around struct{ normalized, system string }

func (v *veiler) value(name string, value any, by around) any {
	switch value := value.(type) {
	case string:
		return v.text(name, value, by)
	case []any:
		if system := tagged(value); system != "" {
			by.system = system
		}
		for i := range value {
			value[i] = v.value(name, value[i], by)
		}
	case map[string]any:
		here := around{normalized: stringOf(value, "normalized", "text"), system: stringOf(value, "system", "db.system", "db.system.name")}
		if here.system == "" {
			here.system = by.system
		}
		v.token(value)
		// An attribute as Jaeger and OTLP write it: its name is a value.
		key, isTag := value["key"].(string)
		for member, each := range value {
			switch {
			case isTag && member == "key":
			case isTag && (member == "value" || member == "stringValue"):
				value[member] = v.value(key, each, here)
			case member == "stringValue":
				value[member] = v.value(name, each, by)
			default:
				value[member] = v.value(member, each, here)
			}
			if masked := v.key(member); masked != member {
				value[masked] = value[member]
				delete(value, member)
			}
		}
	}
	return value
}

// token masks what a token of a masked text stands for. Names of the house are
// read by whoever reads the project.
func (v *veiler) token(of map[string]any) {
	class, isToken := of["class"].(string)
	original, hasValue := of["value"].(string)
	if _, named := of["token"].(string); !isToken || !hasValue || !named {
		return
	}
	switch {
	case class == string(mask.Literal):
		of["value"] = v.decide(original, "?", shownSQL, v.sees.SQL)
	case slices.Contains(personal, mask.Class(class)):
		of["value"] = v.decide(original, "["+class+"]", shownPersonal, v.sees.Personal)
	}
}

// tagged is the kind of the database in a list of attributes with names.
func tagged(list []any) string {
	for _, each := range list {
		tag, _ := each.(map[string]any)
		if key, _ := tag["key"].(string); key == "db.system" || key == "db.system.name" {
			if wrapped, ok := tag["value"].(map[string]any); ok {
				return stringOf(wrapped, "stringValue")
			}
			return stringOf(tag, "value")
		}
	}
	return ""
}

func stringOf(of map[string]any, names ...string) string {
	for _, name := range names {
		if text, ok := of[name].(string); ok && text != "" {
			return text
		}
	}
	return ""
}

// key masks the name of a member, where a service has made it of data.
func (v *veiler) key(name string) string {
	if !strings.ContainsAny(name, "@0123456789") {
		return name
	}
	return v.decide(name, mask.Redact(name, personal...), shownPersonal, v.sees.Personal)
}

// personal are the classes of personal data, and everything those and literals.
var (
	personal   = mask.Personal()
	everything = append(mask.Personal(), mask.Literal)
)

// word reports whether a text is too plain to hold anything: letters of names.
func word(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// text masks one text.
func (v *veiler) text(name, text string, by around) string {
	if text == "" || plainKeys[name] {
		return text
	}
	if name == "link" && strings.HasPrefix(text, "/projects/") {
		return v.link(text)
	}
	parameter := slices.ContainsFunc(parameterKeys, func(begin string) bool { return strings.HasPrefix(name, begin) })
	if !parameter && !statementKeys[name] && !personKeys[name] {
		if word(text) {
			return text
		}
		all := mask.Redact(text, everything...) // most texts hold nothing, and are looked at once
		if all == text {
			return text
		}
		if v.prompts {
			return v.decide(text, all, shownPrompts, v.sees.Prompts)
		}
	}
	switch {
	case v.prompts:
		return v.decide(text, mask.Redact(text, everything...), shownPrompts, v.sees.Prompts)
	case parameter:
		text = v.decide(text, "?", shownSQL, v.sees.SQL)
	case statementKeys[name]:
		text = v.decide(text, normalizedOf(name, text, by), shownSQL, v.sees.SQL)
	default:
		text = v.decide(text, mask.Redact(text, mask.Literal), shownSQL, v.sees.SQL)
	}
	if personKeys[name] && !strings.HasPrefix(text, "[") {
		return v.decide(text, "[person]", shownPersonal, v.sees.Personal)
	}
	return v.decide(text, mask.Redact(text, personal...), shownPersonal, v.sees.Personal)
}

// link is the address of a page of ours. What it asks for cannot be masked in it: who
// may not see that is not led there.
func (v *veiler) link(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	asked := u.Query().Get("q")
	if text := v.decide(asked, mask.Redact(asked, personal...), shownPersonal, v.sees.Personal); text != asked {
		return ""
	}
	return address
}

// normalizedOf is a statement without its values. What is called raw, or a query,
// is a statement only beside one that is normalised.
func normalizedOf(name, text string, by around) string {
	if by.normalized != "" && (name == "statement" || name == "raw" || name == "raw_statement") {
		return by.normalized
	}
	if name == "raw" || name == "query" {
		return mask.Redact(text, mask.Literal)
	}
	return sqltext.Normalize(by.system, text).Text
}

// decide shows a text to whom may see it, and what is masked of it to others.
func (v *veiler) decide(text, masked, kind string, permitted bool) string {
	if masked == text {
		return text
	}
	if !permitted {
		v.masked = true
		return masked
	}
	if !slices.Contains(v.shown, kind) {
		v.shown = append(v.shown, kind)
		slices.Sort(v.shown)
	}
	return text
}

// needsPrompts refuses the originals behind the tokens of calls to whom may not
// see what was said to models.
func needsPrompts(ctx context.Context) error {
	if at := admittedTo(ctx); at == nil || !at.place.Sees.Prompts {
		return &Problem{Kind: fault.Denied.String(), Title: http.StatusText(http.StatusForbidden), Status: http.StatusForbidden,
			Detail: "you may not see what was said to models unmasked"}
	}
	return nil
}
