// Package mask replaces what must not leave the house (addresses, database and
// table names, SQL literals, people's data) with random tokens of the same
// shape before a text goes to a model, and puts the originals back into the
// answer.
//
// It owns the classes, the detectors and the two directions. It does not know
// what a prompt or a model is, it stores nothing and it logs nothing: a Session
// lives as long as one conversation and is garbage afterwards.
package mask

// Class says what kind of thing a sensitive value is; the class decides the
// shape of its token.
type Class string

// The classes. A Value may carry any of them; those marked "detected" are also
// found in free text without having been learned.
const (
	JDBCURL  Class = "jdbc_url" // detected; scheme and port stay, host and database are masked as their own classes
	URL      Class = "url"      // detected; scheme, port and the form stay, host, path and query are masked
	Host     Class = "host"     // a machine or an instance; detected when dotted or in the place of a host (host:port, user@host)
	IP       Class = "ip"       // detected; v4 and v6
	Database Class = "database" // a database, schema or catalog name
	Table    Class = "table"    // detected behind FROM, JOIN, INTO, UPDATE, TABLE
	Literal  Class = "literal"  // detected: quoted SQL literals, credentials, card and resident numbers
	Email    Class = "email"    // detected
	Phone    Class = "phone"    // detected: Korean and international writing
	Path     Class = "path"     // a URL or file path
	Name     Class = "name"     // any other name of the house: service, topic, user; detected where a message names a user
)

// Value is one sensitive value, as the evidence knows it.
type Value struct {
	Class Class  `json:"class"`
	Text  string `json:"text"`
}

// Count says how many different values of a class one conversation masked.
type Count struct {
	Class Class `json:"class"`
	Count int   `json:"count"`
}

// Token is one replacement a session made: the original and what stood for it.
type Token struct {
	Class Class  `json:"class"`
	Token string `json:"token"`
	Value string `json:"value"`
}
