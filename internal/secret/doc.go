// Package secret seals what must not be readable in a copy of the metadata
// database: keys of model services, tokens of channels. It owns the format of a
// sealed text and the key file. It stores nothing: rows are their noun's.
//
// Each secret has a data key of its own, and a Keeper wraps that. The default
// Keeper is a key file; a key management service is another one, which then
// never sees a secret, only data keys.
package secret
