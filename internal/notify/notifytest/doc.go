// Package notifytest holds the conformance suite of channels: one set of tests
// that every channel which speaks to a service passes, each against a strict
// fake of that service. A new channel adds itself to contenders.
package notifytest
