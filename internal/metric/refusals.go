package metric

import (
	"slices"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// MaxReasons is how many different reasons Refusals keeps.
const MaxReasons = 3

// Refusals are the samples that were refused one by one while their neighbours
// were stored: how many, and the first few reasons.
type Refusals struct {
	Count   int
	Reasons []string
}

// Add notes n samples that were refused for one reason.
func (r *Refusals) Add(n int, err error) {
	r.Count += n
	text := err.Error()
	if f := fault.As(err); f != nil {
		text = f.Message
	}
	if len(r.Reasons) < MaxReasons && !slices.Contains(r.Reasons, text) {
		r.Reasons = append(r.Reasons, text)
	}
}
