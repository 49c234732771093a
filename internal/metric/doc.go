// Package metric owns the signal of numbers over time: its tables, the way
// samples take into them, and the way PromQL reads them.
//
// A series is a set of labels, one of which, __name__, is the metric. Its
// samples are floats or native histograms with a time in milliseconds. They are
// kept as Prometheus would keep them, staleness markers and start timestamps
// included, with two differences that come of having no single writer:
//
//   - Samples may arrive in any order, within the retention.
//   - Of two samples of a series with the same time the later written stays.
//     (Prometheus keeps the first, and refuses the second when it differs.)
//
// In: a Batch is what one request brings, and Writer stores it. Out: Store is a
// storage.Queryable of each project, and Engine asks it PromQL. The package
// knows no protocol of senders or askers; those are ingest and api.
package metric
