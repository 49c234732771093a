package evidence

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/matrix-aiops/matrix/internal/project"
	"github.com/matrix-aiops/matrix/internal/trace"
)

// pages makes addresses of the UI's pages about one project, as paths below the
// UI's root. They are what shows a fact's data again: which parameters each page
// reads is in web/src/router.tsx.
type pages struct{ project project.ID }

// at is a page with a time range, and a query of names and values; empty values
// are left out.
func (g pages) at(of Period, page string, query ...string) string {
	values := url.Values{}
	if of != (Period{}) {
		values.Set("from", of.From.UTC().Format(time.RFC3339Nano))
		values.Set("to", of.To.UTC().Format(time.RFC3339Nano))
	}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			values.Set(query[i], query[i+1])
		}
	}
	address := fmt.Sprintf("/projects/%d/%s", g.project, page)
	if len(values) > 0 {
		address += "?" + strings.ReplaceAll(values.Encode(), "+", "%20") // as in paths: not every reader takes a + for a space
	}
	return address
}

// trace is one trace with a span of it open.
func (g pages) trace(id trace.TraceID, span trace.SpanID) string {
	return g.at(Period{}, "traces/"+id.String(), "span", span.String())
}

// transactions is the list of a service's transactions; further names and values
// are parameters of that page.
func (g pages) transactions(of Period, service, environment string, query ...string) string {
	return g.at(of, "transactions", append([]string{"service", service, "q", term("environment", environment)}, query...)...)
}

// statement is the page of one SQL statement.
func (g pages) statement(of Period, hash uint64, service string) string {
	return g.at(of, "sql/"+trace.HashString(hash), "service", service)
}

// logs is a search of logs.
func (g pages) logs(of Period, terms ...string) string {
	return g.at(of, "logs", "q", all(terms...))
}

// metric is the explorer with one PromQL expression.
func (g pages) metric(of Period, expression string) string {
	return g.at(of, "metrics", "a", expression)
}

// service is the page of a service.
func (g pages) service(of Period, service, environment string) string {
	return g.at(of, "services/"+url.PathEscape(service), "environment", environment)
}

// versions are those of a service.
func (g pages) versions(of Period, service, environment string) string {
	return g.at(of, "services/"+url.PathEscape(service), "tab", "versions", "environment", environment)
}

// incident is another incident.
func (g pages) incident(id int64) string {
	return g.at(Period{}, "incidents/"+strconv.FormatInt(id, 10))
}

// term is a term of the search language (package search); none for an empty value.
func term(field, value string) string {
	if value == "" {
		return ""
	}
	return field + ":" + phrase(value)
}

// phrase is a text as a term by itself.
func phrase(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// all asks for all of the terms that are not empty.
func all(terms ...string) string {
	var given []string
	for _, t := range terms {
		if t != "" {
			given = append(given, t)
		}
	}
	return strings.Join(given, " ")
}

// rectangle selects in the scatter of transactions those that ended in a time and
// took at least so long: two moments in ms and two lengths in µs.
func rectangle(of Period, from time.Duration) string {
	const longest = 24 * time.Hour
	return fmt.Sprintf("%d_%d_%d_%d", of.From.UnixMilli(), of.To.UnixMilli()-1, from.Microseconds(), max(longest, from).Microseconds())
}
