// Package mask replaces what must not leave the house (addresses, database and
// table names, SQL literals, people's data, secrets) with typed tokens of the
// same shape before a text goes to a model, and puts the originals back into
// the answer.
//
// It owns the classes, the scanner that finds them, the policy that chooses
// among them, the gate that looks at the bytes that leave, and the two
// directions. It does not know what a prompt or a model is, it stores nothing
// and it logs nothing: a Session lives as long as one conversation, and who
// wants to continue it later keeps what MarshalBinary returns.
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
	Pod      Class = "pod"      // a pod of Kubernetes; detected by the form its controllers give it
	IP       Class = "ip"       // detected; v4 and v6
	Database Class = "database" // a database, schema or catalog name; detected in statements, messages and connection properties
	Table    Class = "table"    // detected in SQL statements and in what databases say
	Column   Class = "column"   // detected in SQL statements and in what databases say
	Literal  Class = "literal"  // detected: SQL literals and values that databases quote
	Email    Class = "email"    // detected
	Phone    Class = "phone"    // detected: Korean and international writing
	Resident Class = "resident" // detected: Korean resident registration numbers
	Card     Class = "card"     // detected: payment cards
	Business Class = "business" // detected: Korean business registration numbers
	Account  Class = "account"  // detected beside a word that says so: bank accounts
	Secret   Class = "secret"   // detected: passwords, bearer tokens, API keys, private keys
	Cookie   Class = "cookie"   // detected: values of Cookie and Set-Cookie
	Path     Class = "path"     // detected: a URL or file path
	Person   Class = "person"   // the name of a person, out of a dictionary of the policy
	Custom   Class = "custom"   // what an own pattern of the policy matches
	Name     Class = "name"     // any other name of the house: service, topic, user; detected where a message names a user
)

// Classes lists all classes, in the order in which they are shown.
func Classes() []Class {
	return []Class{JDBCURL, URL, Host, Pod, IP, Database, Table, Column, Literal, Email, Phone, Resident, Card, Business, Account,
		Secret, Cookie, Path, Person, Custom, Name}
}

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
