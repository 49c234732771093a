package tenant

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// The prefixes let people and secret scanners tell what a leaked string is.
const (
	keyPrefix   = "mtx_ing_"
	tokenPrefix = "mtx_api_"
)

// secretLength is the number of characters of 256 random bits in base64url.
const secretLength = 43

// newSecret returns a secret of 256 random bits behind prefix, and its hint:
// enough of it to recognise, too little to use.
func newSecret(prefix string) (secret, hint string) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = prefix + base64.RawURLEncoding.EncodeToString(random[:])
	return secret, secret[:len(prefix)+4]
}

// wellFormed spares the database everything that cannot be a secret.
func wellFormed(secret, prefix string) bool {
	rest, ok := strings.CutPrefix(secret, prefix)
	return ok && len(rest) == secretLength
}

// digest is what is stored of a secret. 256 random bits need no salt and no
// slow hash, and looking a hash up tells an attacker's clock nothing about the
// secret: to come nearer to a stored hash one would have to invert SHA-256.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
