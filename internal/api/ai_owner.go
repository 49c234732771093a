package api

import (
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/matrix-aiops/matrix/internal/ai"
)

// InOwner is whose AI settings a request is about: those of the organisation that
// its path names, or of the installation when it names none. An operation that
// has both is registered once for each, with the path given to ownedBy.
type InOwner struct {
	Owner ai.Owner `hidden:"true"`
}

// Resolve implements huma.Resolver. That the number is one, and that the caller
// may administer there, is checked before.
func (in *InOwner) Resolve(hc huma.Context) []error {
	named := hc.Param("org")
	if named == "" {
		return nil
	}
	id, err := strconv.ParseInt(named, 10, 64)
	if err != nil || id <= 0 { // never what all share instead
		return []error{huma.Error404NotFound("there is no such org")}
	}
	in.Owner = ai.Owner(id)
	return nil
}

// ownedBy describes an operation of one owner: it declares the organisation, which
// is a field of no request.
func ownedBy(op huma.Operation) huma.Operation {
	if strings.Contains(op.Path, "{org}") {
		least := 1.0
		op.Parameters = append(op.Parameters, &huma.Param{Name: "org", In: "path", Required: true, Description: "organisation id",
			Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Description: "organisation id"}})
	}
	return op
}
