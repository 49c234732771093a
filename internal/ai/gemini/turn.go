package gemini

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"

	"google.golang.org/genai"

	"github.com/matrix-aiops/matrix/internal/ai"
)

// turns writes the conversation: the system has a place of its own, and the
// results of calls are parts of the user's turn that name the function.
func turns(config *genai.GenerateContentConfig, r ai.Request) ([]*genai.Content, error) {
	var contents []*genai.Content
	made := map[string]*genai.FunctionCall{} // by the id that the caller knows
	for _, m := range r.Messages {
		var parts []*genai.Part
		role := string(genai.RoleUser)
		switch m.Role {
		case ai.RoleSystem:
			if m.Text != "" {
				config.SystemInstruction = genai.NewContentFromText(m.Text, genai.RoleUser)
			}
			continue
		case ai.RoleTool:
			call, ok := made[m.CallID]
			if !ok {
				return nil, ai.Fail(ai.BadRequest, "a message answers a call that was not made")
			}
			parts = append(parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: call.ID, Name: call.Name, Response: map[string]any{"output": m.Text}}})
		case ai.RoleAssistant:
			role = string(genai.RoleModel)
			if m.Text != "" {
				parts = append(parts, &genai.Part{Text: m.Text})
			}
			for i, c := range m.Calls {
				part, err := callPart(c, r.Model, i)
				if err != nil {
					return nil, err
				}
				made[c.ID] = part.FunctionCall
				parts = append(parts, part)
			}
		default:
			parts = append(parts, &genai.Part{Text: m.Text})
		}
		if last := len(contents) - 1; last >= 0 && contents[last].Role == role {
			contents[last].Parts = append(contents[last].Parts, parts...)
			continue
		}
		contents = append(contents, &genai.Content{Role: role, Parts: parts})
	}
	return contents, nil
}

// A call of Gemini carries a signature of the thoughts behind it, without which
// its newer models refuse the next turn, and perhaps no id. The id that the
// caller gets, and gives back, holds both: gemini.<signature>.<id>, or a random
// word with a dash before it where the service gave none.
const idPrefix = "gemini."

// skipSignature is what the service documents for a call that it did not make
// itself: one of another service, in a conversation that moved here.
const skipSignature = "skip_thought_signature_validator"

// unsigned are the models that know no signatures.
var unsigned = regexp.MustCompile(`^(models/)?(gemini-[12][.-]|gemma)`)

func callID(part *genai.Part) string {
	id := part.FunctionCall.ID
	if id == "" {
		id = "-" + rand.Text()[:12]
	}
	return idPrefix + base64.RawURLEncoding.EncodeToString(part.ThoughtSignature) + "." + id
}

func callPart(c ai.ToolCall, model string, index int) (*genai.Part, error) {
	part := &genai.Part{FunctionCall: &genai.FunctionCall{Name: c.Name}}
	if json.Unmarshal([]byte(c.Arguments), &part.FunctionCall.Args) != nil {
		return nil, ai.Fail(ai.BadRequest, "the arguments of a call are no JSON object")
	}
	if rest, ok := strings.CutPrefix(c.ID, idPrefix); ok {
		signature, id, _ := strings.Cut(rest, ".")
		if data, err := base64.RawURLEncoding.DecodeString(signature); err == nil {
			part.ThoughtSignature = data
		}
		if !strings.HasPrefix(id, "-") {
			part.FunctionCall.ID = id
		}
		return part, nil
	}
	if index == 0 && !unsigned.MatchString(model) { // of calls side by side the first is signed
		part.ThoughtSignature = []byte(skipSignature)
	}
	return part, nil
}
