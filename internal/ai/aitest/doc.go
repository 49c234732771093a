// Package aitest holds every ai.Provider to the promises of the interface. It
// owns one conformance suite and the list of the providers that pass it, each
// against the fake of its service and through its own official client. The suite
// is in the package's tests, because nothing but a test imports a fake.
package aitest
