// Package project is the identity every stored row carries. It owns one type,
// so that a data-plane call which forgets its tenant does not compile.
package project

import "strconv"

// ID identifies a project: the unit of isolation. 0 is no project.
type ID uint32

// String returns the id in decimal.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }
