// Package scrape asks targets for their metrics, as Prometheus does: the file
// that says which is Prometheus' own, and so are the packages that read it, find
// the targets, ask them, relabel what they answer and notice what is gone.
//
// It owns what is around them: which parts of the file are taken and which are
// refused (file), whose metrics they become (appender), which of several nodes
// scrapes (lease), and what became of each target (Status). It does not own how
// samples are stored, nor the limits on series: that is package metric, the same
// as for what senders send.
//
// It is an operator's thing: a scrape reaches hosts and reads files of the
// machine, and so nothing here can be changed through the API.
package scrape
