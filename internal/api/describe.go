package api

import (
	"fmt"
	"net/http"
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const schemaPath = "#/components/schemas/"

// schemas remembers which Go type each schema describes.
type schemas map[string]reflect.Type

// qualified are types whose names say too little without their package.
var qualified = map[string]bool{"audit.Page": true, "audit.Entry": true, "audit.Actor": true, "usage.Report": true, "usage.Row": true, "usage.Series": true}

// name names a schema after its Go type, and after its package too when it is
// qualified or another package's type had the name first.
func (s schemas) name(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if owner, taken := s[name]; qualified[t.String()] || taken && owner != t {
		pkg := path.Base(t.PkgPath())
		name = strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	s[name] = t
	return name
}

// describe serves the OpenAPI description of what has been registered.
func (s *server) describe(mux *routes) error {
	openapi := s.api.OpenAPI()
	described := openapi.Components.Schemas.Map()
	delete(described, "ErrorModel") // huma's own, which reshape replaces
	delete(described, "ErrorDetail")
	for name, schema := range described {
		neverNull(schema)
		maybeNull(schema, s.schemas[name])
	}
	text, err := openapi.YAML()
	if err != nil {
		return fmt.Errorf("api: describe: %w", err)
	}
	mux.HandleFunc("GET /api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(text) // the caller is gone when this fails
	})
	return nil
}

// neverNull says what is true of our lists: an empty one is [], not null.
func neverNull(schema *huma.Schema) {
	if schema == nil {
		return
	}
	if schema.Type == huma.TypeArray {
		schema.Nullable = false
	}
	neverNull(schema.Items)
	for _, property := range schema.Properties {
		neverNull(property)
	}
}

// maybeNull says which members are an object or null, which huma leaves out:
// pointers to structs that are always there.
func maybeNull(schema *huma.Schema, t reflect.Type) {
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		property := schema.Properties[name]
		if property == nil || property.Ref == "" || field.Type.Kind() != reflect.Pointer || strings.Contains(options, "omitempty") {
			continue
		}
		schema.Properties[name] = &huma.Schema{
			Description: property.Description,
			AnyOf:       []*huma.Schema{{Ref: property.Ref}, {Type: "null"}},
		}
	}
}
