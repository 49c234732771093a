// Package trace is the noun span: how a span is stored, and how transactions,
// profiles and slow calls are read back.
//
// It owns the tables of schema.sql and everything that touches them. The
// writer side is a Row (one span, as views into the caller's buffer), the
// semantic conventions that give attributes their columns (semconv.go), and
// Columns, the open block that rows are appended to and that goes to the
// engine as one insert. The reader side is Store and the profile built from a
// trace.
//
// It does not know OTLP, HTTP or keys (package ingest does), and it does not
// judge what it stores (package rule does). It talks to the engine through
// package clickhouse only.
package trace
