package ai

import (
	"strconv"
	"strings"
)

// Owner is whose a role or a provider is: an organisation by its id, or 0, the
// installation, whose roles and providers all organisations share.
//
// What an organisation owns is stored beside what is shared, under a name that
// begins with the organisation: "7/order-assistant". Names that people choose
// hold no slash, so that the two never meet, and all that is kept by name
// (versions, labels, circuits, prices) is kept by owner too.
type Owner int64

// Shared is the owner of what all organisations use.
const Shared Owner = 0

// Prefix is what the stored names of the owner begin with: "7/", and nothing for
// what is shared.
func (o Owner) Prefix() string {
	if o == Shared {
		return ""
	}
	return strconv.FormatInt(int64(o), 10) + "/"
}

// key is the name under which something of the owner is stored.
func (o Owner) key(name string) string { return o.Prefix() + name }

// within is the condition, on a column of stored names, for those of the owner;
// its argument is $1.
func (o Owner) within(column string) (where, arg string) {
	if o == Shared {
		return column + ` NOT LIKE $1`, "%/%"
	}
	return column + ` LIKE $1`, o.key("%")
}

// Owned splits a stored name into its owner and the name people chose.
func Owned(key string) (Owner, string) {
	org, name, found := strings.Cut(key, "/")
	if !found {
		return Shared, key
	}
	id, err := strconv.ParseInt(org, 10, 64)
	if err != nil || id <= 0 {
		return Shared, key
	}
	return Owner(id), name
}
