package scim

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/matrix-aiops/matrix/internal/tenant"
)

// truth is a boolean that Entra ID sends as "True" and "False".
type truth bool

// UnmarshalJSON implements json.Unmarshaler.
func (t *truth) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseBool(strings.ToLower(strings.Trim(string(text), `"`)))
	if err != nil {
		return &badRequest{"invalidValue", "a boolean is true or false"}
	}
	*t = truth(value)
	return nil
}

// operation is one of a patch (RFC 7644 section 3.5.2). The names of operations
// have no case here: Entra ID writes them with a capital.
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// operations reads a patch.
func (c *call) operations() ([]operation, error) {
	var patch struct {
		Schemas    []string    `json:"schemas"`
		Operations []operation `json:"Operations"`
	}
	if err := c.read(&patch); err != nil {
		return nil, err
	}
	if !slices.Contains(patch.Schemas, messagePatch) || len(patch.Operations) == 0 || len(patch.Operations) > maxOperations {
		return nil, &badRequest{"invalidSyntax", "a patch has the schema " + messagePatch + " and from 1 to " + strconv.Itoa(maxOperations) + " Operations"}
	}
	for i := range patch.Operations {
		op := &patch.Operations[i]
		op.Op = strings.ToLower(op.Op)
		if op.Op != "add" && op.Op != "replace" && op.Op != "remove" {
			return nil, &badRequest{"invalidSyntax", "an operation is add, replace or remove"}
		}
		if op.Op == "remove" && op.Path == "" {
			return nil, &badRequest{"noTarget", "what is removed needs a path"}
		}
	}
	return patch.Operations, nil
}

// attributes are what an operation is about, by their path in lower case: the one
// of its path, or those of its value.
func (o operation) attributes() (map[string]json.RawMessage, error) {
	if o.Path != "" {
		return map[string]json.RawMessage{plainPath(o.Path): o.Value}, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(o.Value, &values); err != nil {
		return nil, &badRequest{"invalidSyntax", "without a path the value is an object of attributes"}
	}
	out := map[string]json.RawMessage{}
	for name, value := range values {
		out[plainPath(name)] = value
	}
	return out, nil
}

// plainPath is a path without its schema, in lower case: attribute names have no case.
func plainPath(path string) string {
	for _, schema := range []string{schemaUser, schemaGroup} {
		if rest, ok := cutPrefixFold(path, schema+":"); ok {
			path = rest
		}
	}
	return strings.ToLower(path)
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}

var workEmail = regexp.MustCompile(`^emails(\[(type eq "[^"]*"|primary eq (true|"true"))\])?\.value$`)

// patchUser makes one change. Attributes that accounts do not have are left
// alone, as in a whole user.
func patchUser(u *tenant.DirectoryUser, given, family *string, op, attribute string, value json.RawMessage) error {
	texts := map[string]*string{
		"username": &u.Email, "externalid": &u.ExternalID, "displayname": &u.Name, "name.formatted": &u.Name,
		"name.givenname": given, "name.familyname": family,
	}
	if workEmail.MatchString(attribute) {
		return nil // the address of an account is its userName
	}
	if op == "remove" {
		switch attribute {
		case "externalid":
			u.ExternalID = ""
		case "username", "active":
			return &badRequest{"mutability", attribute + " cannot be removed"}
		}
		return nil
	}
	if into := texts[attribute]; into != nil {
		if err := json.Unmarshal(value, into); err != nil {
			return &badRequest{"invalidValue", attribute + " is a text"}
		}
		return nil
	}
	switch attribute {
	case "active":
		var active truth
		if err := json.Unmarshal(value, &active); err != nil {
			return &badRequest{"invalidValue", "active is true or false"}
		}
		u.Active = bool(active)
	case "name":
		var name fullName
		if err := json.Unmarshal(value, &name); err != nil {
			return &badRequest{"invalidValue", "name is an object"}
		}
		*given, *family = name.Given, name.Family
		if name.Formatted != "" {
			u.Name, *given, *family = name.Formatted, "", ""
		}
	}
	return nil
}

var equals = regexp.MustCompile(`^\s*([A-Za-z][A-Za-z0-9.:_-]*)\s+(?i:eq)\s+("(?:[^"\\]|\\.)*")\s*$`)

// filter reads the one kind of filter that directories ask for: attribute eq
// "value". Any other is refused rather than answered with everybody.
func filter(text string) (attribute, value string, err error) {
	if strings.TrimSpace(text) == "" {
		return "", "", nil
	}
	found := equals.FindStringSubmatch(text)
	if found == nil {
		return "", "", &badRequest{"invalidFilter", `a filter is attribute eq "value"`}
	}
	if err := json.Unmarshal([]byte(found[2]), &value); err != nil {
		return "", "", &badRequest{"invalidFilter", `a filter is attribute eq "value"`}
	}
	return plainPath(found[1]), value, nil
}
