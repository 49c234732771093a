// Package logs is the noun log record: how one is stored, and how records are
// searched, counted, grouped into patterns and read in context.
//
// It owns the tables of schema.sql. The writer side is a Row and Columns, as in
// package trace; the reader side is Store. It does not know OTLP (package ingest
// does) and makes no issue of an error it stores.
package logs
