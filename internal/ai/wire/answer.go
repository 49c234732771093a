package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/schema"
)

// Answer gathers an answer, in pieces or at once, and tells of each piece. With
// a Format it reads the text as an answer to the canonical schema.
type Answer struct {
	On       func(ai.Piece) error // nil: nobody listens
	Format   *ai.Format           // nil: the text is told as it comes
	Response ai.Response          // Model, Usage and Finish are the provider's to set
	Declined bool                 // by the model or by the service's policy
	Done     bool                 // the service has said that the answer is whole

	text   strings.Builder
	raiser *schema.Raiser // of the text to the canonical schema of Format
	calls  []*call
	size   int
}

type call struct {
	key       int // of the service
	id, name  string
	arguments strings.Builder
}

// Text adds a piece of the text. An error ends the call: it is that of On, or
// that the answer is too large.
func (a *Answer) Text(piece string) error {
	if piece == "" {
		return nil
	}
	if err := a.grow(len(piece)); err != nil {
		return err
	}
	if a.Format != nil {
		if a.raiser == nil {
			a.raiser = schema.NewRaiser(a.Format.Schema)
		}
		piece = a.raiser.Write(piece)
	}
	return a.add(piece)
}

func (a *Answer) add(piece string) error {
	if piece == "" {
		return nil
	}
	a.text.WriteString(piece)
	return a.tell(ai.Piece{Text: piece})
}

// Call adds a piece of the call that the service numbers with key. The id and
// the name count with the first piece only.
func (a *Answer) Call(key int, id, name, arguments string) error {
	if err := a.grow(len(name) + len(arguments)); err != nil {
		return err
	}
	at := slices.IndexFunc(a.calls, func(c *call) bool { return c.key == key })
	piece := &ai.CallPiece{Index: at, Arguments: arguments}
	if at < 0 {
		piece.Index, piece.ID, piece.Name = len(a.calls), id, name
		a.calls = append(a.calls, &call{key: key, id: id, name: name})
		at = piece.Index
	} else if arguments == "" {
		return nil
	}
	a.calls[at].arguments.WriteString(arguments)
	return a.tell(ai.Piece{Call: piece})
}

// Called reports whether a piece of the call has come with arguments.
func (a *Answer) Called(key int) bool {
	return slices.ContainsFunc(a.calls, func(c *call) bool { return c.key == key && c.arguments.Len() > 0 })
}

func (a *Answer) grow(bytes int) error {
	if a.size += bytes; a.size > MaxBody {
		return TooLarge()
	}
	return nil
}

func (a *Answer) tell(piece ai.Piece) error {
	if a.On == nil {
		return nil
	}
	return a.On(piece)
}

// SoFar is what has come, for an error.
func (a *Answer) SoFar() ai.Response {
	r := a.Response
	r.Text, r.Calls = a.text.String(), nil
	for _, c := range a.calls {
		arguments := c.arguments.String()
		if strings.TrimSpace(arguments) == "" {
			arguments = "{}"
		}
		r.Calls = append(r.Calls, ai.ToolCall{ID: c.id, Name: c.name, Arguments: arguments})
	}
	return r
}

// Whole is the answer when all of it has come.
func (a *Answer) Whole() (ai.Response, error) {
	if !a.Done {
		return a.SoFar(), ai.Fail(ai.Transport, "the model service broke off its answer")
	}
	if a.raiser != nil {
		if err := a.add(a.raiser.Rest()); err != nil {
			return a.SoFar(), err
		}
	}
	r := a.SoFar()
	if len(r.Calls) > 0 && r.Finish == ai.FinishStop {
		r.Finish = ai.FinishCalls // some services say stop all the same
	}
	switch {
	case a.Declined:
		return r, ai.Fail(ai.Refused, "the model declined to answer")
	case strings.TrimSpace(r.Text) == "" && len(r.Calls) == 0:
		return r, ai.Fail(ai.EmptyAnswer, "the model service answered with neither text nor calls")
	}
	return r, nil
}

// Lower writes the schema of a format, or of a tool's arguments, in a dialect; an
// error is a failure of the request.
func Lower(dialect schema.Dialect, canonical json.RawMessage) (json.RawMessage, error) {
	lowered, err := schema.Lower(dialect, canonical)
	if err != nil {
		// Why in detail would quote the schema, which is part of the request.
		return nil, ai.Fail(ai.BadRequest, "the schema cannot be expressed in the structured answers of %s", dialect)
	}
	return lowered, nil
}

// Missing is the failure of a request that has what the service has no field for.
func Missing(what string) error {
	return ai.Fail(ai.BadRequest, "the model service knows no %s", what)
}

// CallID is the id of a call as a service takes it: those of another service, in
// a conversation that moved, may be too long or of other characters.
func CallID(id string, longest int) string {
	odd := strings.ContainsFunc(id, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
	})
	if id != "" && len(id) <= longest && !odd {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:16])
}
