package modelapi

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"strings"

	"github.com/matrix-aiops/matrix/internal/ai"
	"github.com/matrix-aiops/matrix/internal/fault"
)

// listed is a role as a model, or a model of a service.
type listed struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	OwnedBy     string `json:"owned_by"`
	Type        string `json:"type"`         // Anthropic's form of the same
	DisplayName string `json:"display_name"` //
	CreatedAt   string `json:"created_at"`   //
}

func listedRole(r *ai.Role) listed {
	name := r.Name
	if name == "" {
		name = r.Code
	}
	return listed{
		ID: "role:" + r.Code, Object: "model", Created: r.UpdatedAt.Unix(), OwnedBy: "matrix",
		Type: "model", DisplayName: name, CreatedAt: r.UpdatedAt.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// listedModel is a model of a service, by the name it is asked by. When it came
// into being nobody tells.
func listedModel(m ai.KnownModel) listed {
	return listed{ID: m.Provider + "/" + m.Model, Object: "model", OwnedBy: m.Provider, Type: "model", DisplayName: m.Model, CreatedAt: "1970-01-01T00:00:00Z"}
}

func (s *server) models(w http.ResponseWriter, r *http.Request, who Asker) error {
	org, err := s.gateway.OwnerOf(who.Caller.Project)
	if err != nil {
		return err
	}
	roles, err := s.gateway.Roles().Reachable(r.Context(), org)
	if err != nil {
		return err
	}
	data := make([]listed, len(roles))
	for i := range roles {
		data[i] = listedRole(&roles[i])
	}
	models, err := s.known(r, who)
	if err != nil {
		return err
	}
	for _, m := range models {
		data = append(data, listedModel(m))
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data, "has_more": false})
	return nil
}

// known are the models that one who asks may ask by name: none for who may ask
// roles only.
func (s *server) known(r *http.Request, who Asker) ([]ai.KnownModel, error) {
	if !who.Models {
		return nil, nil
	}
	return s.gateway.KnownModels(r.Context(), who.Caller.Project)
}

func (s *server) model(w http.ResponseWriter, r *http.Request, who Asker) error {
	code, isRole := strings.CutPrefix(r.PathValue("model"), "role:")
	if !isRole {
		models, err := s.known(r, who)
		if err != nil {
			return err
		}
		for _, m := range models {
			if one := listedModel(m); one.ID == code {
				writeJSON(w, http.StatusOK, one)
				return nil
			}
		}
		return fault.New(fault.NotFound, "there is no model %q in the list", r.PathValue("model")).WithField("model")
	}
	org, err := s.gateway.OwnerOf(who.Caller.Project)
	if err != nil {
		return err
	}
	role, err := s.gateway.Roles().Reached(r.Context(), org, code)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, listedRole(role))
	return nil
}

// embedRequest is a request for vectors.
// https://platform.openai.com/docs/api-reference/embeddings/create
type embedRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	Dimensions     int             `json:"dimensions"`
	EncodingFormat string          `json:"encoding_format"`
}

func (s *server) embed(w http.ResponseWriter, r *http.Request, who Asker) error {
	var request embedRequest
	if err := read(r, &request); err != nil {
		return err
	}
	var input oneOrMore
	if err := input.UnmarshalJSON(request.Input); err != nil || len(input) == 0 {
		return fault.New(fault.Unsupported, "input is a text or a list of texts: numbers of tokens cannot be masked").WithField("input")
	}
	if request.EncodingFormat != "" && request.EncodingFormat != "float" && request.EncodingFormat != "base64" {
		return fault.New(fault.Invalid, "the encoding is float or base64").WithField("encoding_format")
	}
	entry, err := s.entry(r.Context(), who, request.Model)
	if err != nil {
		return err
	}
	result, err := s.gateway.Embed(r.Context(), who.Caller, entry, input, request.Dimensions)
	if err != nil {
		return err
	}
	type vector struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
	}
	data := make([]vector, len(result.Vectors))
	for i, v := range result.Vectors {
		data[i] = vector{"embedding", i, v}
		if request.EncodingFormat == "base64" {
			data[i].Embedding = packed(v)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": data, "model": request.Model,
		"usage": map[string]int64{"prompt_tokens": result.Usage.InputTokens, "total_tokens": result.Usage.InputTokens}})
	return nil
}

// packed is a vector as OpenAI's clients ask for it: little-endian float32 in base64.
func packed(v []float64) string {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(out)
}
