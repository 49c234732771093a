// Package issue is the noun error: exceptions that applications recorded,
// grouped into issues that people work on.
//
// It owns how a stack trace is read (Parse), what makes two exceptions the same
// issue (Grouping), the table of occurrences (schema.sql) and the issues in the
// metadata, with their states, merges, comments and the project's rules for what
// is in-app. An Occurrence is written by package ingest together with the span or
// the log record that carries it; the Tracker then finds or makes its issue. It
// knows neither OTLP nor who may do what.
package issue
