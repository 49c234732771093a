// Package dashboard keeps boards of panels that people arrange: what each panel
// asks and where it stands, with variables that all panels may use.
//
// It owns the documents, their history, and their exchange as JSON, that of
// Grafana included. It does not ask what the panels ask: the screen does,
// through the API of each signal.
package dashboard

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/matrix-aiops/matrix/internal/fault"
	"github.com/matrix-aiops/matrix/internal/project"
)

// Format and Schema are what a document says of itself. A change of the meaning
// of a field is a new schema.
const (
	Format = "matrix-dashboard"
	Schema = 1
)

// Document is what one edits, exports and imports.
type Document struct {
	Format      string     `json:"format" enum:"matrix-dashboard"`
	Schema      int        `json:"schema" enum:"1" doc:"of this document"`
	Name        string     `json:"name" minLength:"1" maxLength:"100"`
	Description string     `json:"description,omitempty" maxLength:"1000"`
	Variables   []Variable `json:"variables" maxItems:"20"`
	Panels      []Panel    `json:"panels" maxItems:"60" doc:"in reading order: rows of 12 columns"`
}

// Variable is a choice above the panels. Its value stands for $name and ${name} in
// what they ask.
type Variable struct {
	Name   string   `json:"name" pattern:"^[a-zA-Z_][a-zA-Z0-9_]{0,49}$"`
	Title  string   `json:"title,omitempty" maxLength:"100" doc:"default its name"`
	Kind   string   `json:"kind" enum:"label,service,environment,custom" doc:"where its values come from"`
	Metric string   `json:"metric,omitempty" maxLength:"4000" doc:"of kind label: a series selector, default all series"`
	Label  string   `json:"label,omitempty" maxLength:"200" doc:"of kind label: values of this label"`
	Values []string `json:"values,omitempty" maxItems:"200" doc:"of kind custom"`
	All    bool     `json:"all,omitempty" doc:"offers to choose all values"`
	Value  string   `json:"value,omitempty" maxLength:"500" doc:"at first; empty = all, or the first"`
}

// Panel asks something and stands somewhere. Which fields it has follows from its
// kind and what it shows.
type Panel struct {
	ID     string `json:"id" minLength:"1" maxLength:"40" doc:"unique within the document"`
	Kind   string `json:"kind" enum:"metric,traces,logs,sql,text"`
	Title  string `json:"title,omitempty" maxLength:"200"`
	Width  int    `json:"width" minimum:"1" maximum:"12" doc:"columns of 12"`
	Height int    `json:"height" minimum:"1" maximum:"3" doc:"small, medium, large"`
	// Show is, of metric: lines, stat or table; of traces: red or count; of logs:
	// histogram or lines; otherwise empty.
	Show        string  `json:"show,omitempty" enum:"lines,stat,table,red,count,histogram,"`
	Queries     []Query `json:"queries,omitempty" maxItems:"10" doc:"of kind metric"`
	Unit        string  `json:"unit,omitempty" enum:"number,seconds,bytes,byte_rate,rate,share,count," doc:"of kind metric; empty = by the names of the metrics"`
	Service     string  `json:"service,omitempty" maxLength:"256" doc:"of kind traces and sql"`
	Environment string  `json:"environment,omitempty" maxLength:"256" doc:"of kind traces"`
	Search      string  `json:"search,omitempty" maxLength:"2000" doc:"of kind traces with show count, logs, and sql"`
	Text        string  `json:"text,omitempty" maxLength:"10000" doc:"of kind text"`
}

// Query is PromQL.
type Query struct {
	Expr   string `json:"expr" minLength:"1" maxLength:"4000"`
	Legend string `json:"legend,omitempty" maxLength:"200" doc:"{{label}} stands for the label's value"`
}

// Dashboard is a document of a project.
type Dashboard struct {
	ID        int64      `json:"id"`
	Project   project.ID `json:"project_id"`
	Document  Document   `json:"document"`
	Version   int64      `json:"version"` // from 1, goes up with every edit
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	UpdatedBy string     `json:"updated_by"`
}

// shows is what panels of each kind can show, the first if they do not say.
var shows = map[string][]string{
	"metric": {"lines", "stat", "table"}, "traces": {"red", "count"}, "logs": {"histogram", "lines"}, "sql": {""}, "text": {""},
}

var (
	units        = []string{"", "number", "seconds", "bytes", "byte_rate", "rate", "share", "count"}
	variableName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,49}$`)
)

// Limits of a document.
const (
	maxName      = 100 // characters
	maxVariables = 20
	maxPanels    = 60
	maxQueries   = 10
	maxBytes     = 256 << 10
)

// check trims the document, fills in defaults, and reports the first field that is
// wrong.
func (d *Document) check() error {
	d.Name, d.Description = strings.TrimSpace(d.Name), strings.TrimSpace(d.Description)
	if d.Variables == nil {
		d.Variables = []Variable{}
	}
	if d.Panels == nil {
		d.Panels = []Panel{}
	}
	switch {
	case d.Format != Format:
		return bad("format", "format must be %q, not %q", Format, d.Format)
	case d.Schema != Schema:
		return bad("schema", "schema %d is unknown: this version reads schema %d", d.Schema, Schema)
	case d.Name == "" || utf8.RuneCountInString(d.Name) > maxName || strings.ContainsAny(d.Name, "\r\n"):
		return bad("name", "a name is one line of 1 to %d characters", maxName)
	case len(d.Variables) > maxVariables:
		return bad("variables", "a dashboard has at most %d variables", maxVariables)
	case len(d.Panels) > maxPanels:
		return bad("panels", "a dashboard has at most %d panels: make two of it", maxPanels)
	}
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range d.Variables {
		v := &d.Variables[i]
		if err := v.check(fmt.Sprintf("variables[%d]", i)); err != nil {
			return err
		}
		if names[v.Name] {
			return bad(fmt.Sprintf("variables[%d].name", i), "there are two variables named %q", v.Name)
		}
		names[v.Name] = true
	}
	for i := range d.Panels {
		p := &d.Panels[i]
		if err := p.check(fmt.Sprintf("panels[%d]", i)); err != nil {
			return err
		}
		if ids[p.ID] {
			return bad(fmt.Sprintf("panels[%d].id", i), "there are two panels with the id %q", p.ID)
		}
		ids[p.ID] = true
	}
	if body := d.encode(); len(body) > maxBytes {
		return bad("panels", "the document has %d bytes, more than %d: make two of it", len(body), maxBytes)
	}
	return nil
}

func (v *Variable) check(at string) error {
	switch {
	case !variableName.MatchString(v.Name):
		return bad(at+".name", "a variable is named by letters, digits and _, not %q", v.Name)
	case !slices.Contains([]string{"label", "service", "environment", "custom"}, v.Kind):
		return bad(at+".kind", "there are no variables of kind %q", v.Kind)
	case v.Kind == "label" && v.Label == "":
		return bad(at+".label", "a variable of kind label needs the label")
	case v.Kind == "custom" && len(v.Values) == 0:
		return bad(at+".values", "a variable of kind custom needs values")
	}
	return nil
}

func (p *Panel) check(at string) error {
	can, known := shows[p.Kind]
	if known && p.Show == "" {
		p.Show = can[0]
	}
	switch {
	case p.ID == "":
		return bad(at+".id", "a panel needs an id")
	case !known:
		return bad(at+".kind", "there are no panels of kind %q", p.Kind)
	case !slices.Contains(can, p.Show):
		return bad(at+".show", "a panel of kind %s cannot show %q", p.Kind, p.Show)
	case p.Width < 1 || p.Width > 12:
		return bad(at+".width", "a width is 1 to 12 columns, not %d", p.Width)
	case p.Height < 1 || p.Height > 3:
		return bad(at+".height", "a height is 1 to 3, not %d", p.Height)
	case !slices.Contains(units, p.Unit):
		return bad(at+".unit", "there is no unit %q", p.Unit)
	case p.Kind == "metric" && (len(p.Queries) == 0 || len(p.Queries) > maxQueries):
		return bad(at+".queries", "a panel of kind metric has 1 to %d queries", maxQueries)
	}
	for i, q := range p.Queries {
		if strings.TrimSpace(q.Expr) == "" {
			return bad(fmt.Sprintf("%s.queries[%d].expr", at, i), "a query needs PromQL")
		}
	}
	return nil
}

func (d *Document) encode() json.RawMessage {
	body, err := json.Marshal(d)
	if err != nil {
		panic(err) // text and numbers
	}
	return body
}

func bad(field, format string, args ...any) error {
	return fault.New(fault.Invalid, format, args...).WithField(field)
}
