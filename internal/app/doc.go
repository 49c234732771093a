// Package app puts MATRIX together: it reads the options, starts every part in
// order and stops them in reverse. It is the only place that knows everything;
// it owns no behaviour of its own.
package app
