package dashboard

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What is read of a dashboard of Grafana, by its JSON model: only what maps, and
// what has to be told when it does not.
type (
	grafanaDashboard struct {
		Title       string         `json:"title"`
		Description string         `json:"description"`
		Panels      []grafanaPanel `json:"panels"`
		Templating  struct {
			List []grafanaVariable `json:"list"`
		} `json:"templating"`
		Annotations struct {
			List []struct {
				Name    string          `json:"name"`
				BuiltIn json.RawMessage `json:"builtIn"` // a number, or a boolean
			} `json:"list"`
		} `json:"annotations"`
	}
	grafanaPanel struct {
		Title       string                   `json:"title"`
		Type        string                   `json:"type"`
		DataSource  json.RawMessage          `json:"datasource"` // a name, or {type, uid}
		Repeat      string                   `json:"repeat"`
		GridPos     struct{ H, W, X, Y int } `json:"gridPos"`
		Targets     []grafanaTarget          `json:"targets"`
		Panels      []grafanaPanel           `json:"panels"` // of a row that is closed
		FieldConfig struct {
			Defaults struct {
				Unit string `json:"unit"`
			} `json:"defaults"`
			Overrides []json.RawMessage `json:"overrides"`
		} `json:"fieldConfig"`
		Options struct {
			Content string `json:"content"`
		} `json:"options"`
		Content         string            `json:"content"` // of older text panels
		Transformations []json.RawMessage `json:"transformations"`
		Links           []json.RawMessage `json:"links"`
	}
	grafanaTarget struct {
		RefID      string          `json:"refId"`
		Expr       string          `json:"expr"`
		Legend     string          `json:"legendFormat"`
		Hide       bool            `json:"hide"`
		DataSource json.RawMessage `json:"datasource"`
	}
	grafanaVariable struct {
		Name       string          `json:"name"`
		Label      string          `json:"label"`
		Type       string          `json:"type"`
		Query      json.RawMessage `json:"query"`      // a text, or {query}
		Definition string          `json:"definition"` // the text, of a query
		IncludeAll bool            `json:"includeAll"`
	}
)

var (
	grafanaShows = map[string]string{
		"timeseries": "lines", "graph": "lines", "barchart": "lines", "stat": "stat", "singlestat": "stat", "gauge": "stat", "bargauge": "stat",
		"table": "table", "table-old": "table",
	}
	grafanaUnits = map[string]string{
		"": "", "none": "number", "short": "number", "s": "seconds", "bytes": "bytes", "decbytes": "bytes", "Bps": "byte_rate", "binBps": "byte_rate",
		"percentunit": "share", "reqps": "rate", "ops": "rate", "cps": "rate", "rps": "rate", "wps": "rate", "iops": "rate",
	}
	labelValues = regexp.MustCompile(`^\s*label_values\(\s*(?:(.+?)\s*,)?\s*([a-zA-Z_]\w*)\s*\)\s*$`)
)

// grafana turns a dashboard of Grafana into a document.
type grafana struct {
	doc  Document
	left []Left
}

func importGrafana(body []byte) (Document, []Left, error) {
	var from grafanaDashboard
	if err := json.Unmarshal(body, &from); err != nil {
		return Document{}, nil, unreadable(err)
	}
	g := grafana{left: []Left{}, doc: Document{
		Format: Format, Schema: Schema, Name: cut(cmp.Or(strings.TrimSpace(from.Title), "Grafana"), maxName), Description: cut(from.Description, 1000),
	}}
	for _, v := range from.Templating.List {
		g.variable(v)
	}
	for _, a := range from.Annotations.List {
		if on := string(a.BuiltIn); on == "" || on == "0" || on == "false" {
			g.leave("option", a.Name, "annotations", "")
		}
	}
	slices.SortStableFunc(from.Panels, func(a, b grafanaPanel) int {
		return cmp.Or(cmp.Compare(a.GridPos.Y, b.GridPos.Y), cmp.Compare(a.GridPos.X, b.GridPos.X))
	})
	for _, p := range from.Panels {
		g.panel(p)
		for _, inner := range p.Panels {
			g.panel(inner)
		}
	}
	return g.doc, g.left, g.doc.check()
}

func (g *grafana) leave(what, name, reason, detail string) {
	g.left = append(g.left, Left{What: what, Name: name, Reason: reason, Detail: cut(detail, 500)})
}

func (g *grafana) variable(v grafanaVariable) {
	text := v.Definition
	if text == "" && json.Unmarshal(v.Query, &text) != nil {
		var within struct {
			Query string `json:"query"`
		}
		_ = json.Unmarshal(v.Query, &within) // of another form it has no text, and is left
		text = within.Query
	}
	made := Variable{Name: v.Name, Title: v.Label, All: v.IncludeAll}
	switch v.Type {
	case "query":
		m := labelValues.FindStringSubmatch(text)
		if m == nil {
			g.leave("variable", v.Name, "expression", text)
			return
		}
		made.Kind, made.Metric, made.Label = "label", m[1], m[2]
	case "custom", "constant", "textbox", "interval":
		made.Kind = "custom"
		for _, value := range strings.Split(text, ",") {
			if _, after, named := strings.Cut(value, " : "); named {
				value = after
			}
			if value = strings.TrimSpace(value); value != "" && value != "auto" {
				made.Values = append(made.Values, value)
			}
		}
		if len(made.Values) == 0 {
			g.leave("variable", v.Name, "empty", text)
			return
		}
	default:
		g.leave("variable", v.Name, "kind", v.Type)
		return
	}
	switch {
	case !variableName.MatchString(v.Name):
		g.leave("variable", v.Name, "name", "")
	case len(g.doc.Variables) == maxVariables:
		g.leave("variable", v.Name, "limit", "")
	default:
		g.doc.Variables = append(g.doc.Variables, made)
	}
}

func (g *grafana) panel(p grafanaPanel) {
	made := Panel{ID: fmt.Sprintf("p%d", len(g.doc.Panels)+1), Title: cut(p.Title, 200), Width: min(max((p.GridPos.W+1)/2, 1), 12), Height: 2}
	switch {
	case p.GridPos.W == 0:
		made.Width = 6
	case p.GridPos.H > 0 && p.GridPos.H <= 5:
		made.Height = 1
	case p.GridPos.H > 10:
		made.Height = 3
	}
	show, metric := grafanaShows[p.Type]
	switch {
	case len(g.doc.Panels) == maxPanels:
		g.leave("panel", p.Title, "limit", "")
		return
	case p.Type == "row":
		if p.Title == "" {
			return // a line between panels
		}
		made.Kind, made.Width, made.Height = "text", 12, 1
	case p.Type == "text":
		made.Kind, made.Text = "text", cut(cmp.Or(p.Options.Content, p.Content), 10_000)
	case !metric:
		g.leave("panel", p.Title, "kind", p.Type)
		return
	default:
		made.Kind, made.Show = "metric", show
		if made.Queries = g.queries(p); len(made.Queries) == 0 {
			g.leave("panel", p.Title, "empty", "")
			return
		}
		unit, known := grafanaUnits[p.FieldConfig.Defaults.Unit]
		if made.Unit = unit; !known {
			made.Unit = "number"
			g.leave("option", p.Title, "unit", p.FieldConfig.Defaults.Unit)
		}
	}
	g.doc.Panels = append(g.doc.Panels, made)
	if p.Repeat != "" {
		g.leave("option", p.Title, "repeat", p.Repeat)
	}
	if len(p.Transformations) > 0 {
		g.leave("option", p.Title, "transformations", "")
	}
	if len(p.FieldConfig.Overrides) > 0 {
		g.leave("option", p.Title, "overrides", "")
	}
	if len(p.Links) > 0 {
		g.leave("option", p.Title, "links", "")
	}
}

func (g *grafana) queries(p grafanaPanel) (made []Query) {
	for _, target := range p.Targets {
		legend := target.Legend
		if legend == "__auto" {
			legend = ""
		}
		switch {
		case target.Hide:
			g.leave("query", p.Title+" "+target.RefID, "empty", target.Expr)
		case !isPrometheus(target.DataSource, p.DataSource):
			g.leave("query", p.Title+" "+target.RefID, "data_source", "")
		case strings.TrimSpace(target.Expr) == "":
			g.leave("query", p.Title+" "+target.RefID, "expression", "")
		case len(made) == maxQueries:
			g.leave("query", p.Title+" "+target.RefID, "limit", target.Expr)
		default:
			made = append(made, Query{Expr: target.Expr, Legend: cut(legend, 200)})
		}
	}
	return made
}

// isPrometheus reports whether the first source that says its type is a
// Prometheus; a name, as older dashboards have it, says none.
func isPrometheus(sources ...json.RawMessage) bool {
	for _, source := range sources {
		var said struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(source, &said) == nil && said.Type != "" && said.Type != "datasource" {
			return said.Type == "prometheus"
		}
	}
	return true
}

func cut(text string, characters int) string {
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters])
	}
	return text
}
