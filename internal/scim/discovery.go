package scim

import (
	"net/http"

	"github.com/matrix-aiops/matrix/internal/fault"
)

// object is a JSON object that is written down once, below.
type object map[string]any

// config says what of SCIM there is (RFC 7643 section 5).
func (*server) config(c *call) (int, any, error) {
	no := object{"supported": false}
	return http.StatusOK, object{
		"schemas":        []string{schemaConfig},
		"patch":          object{"supported": true},
		"bulk":           object{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         object{"supported": true, "maxResults": pageMax},
		"changePassword": no, "sort": no, "etag": no,
		"authenticationSchemes": []object{{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "the organisation's token, mtx_scim_…", "primary": true,
		}},
		"meta": meta{Type: "ServiceProviderConfig", Location: c.base + "/ServiceProviderConfig"},
	}, nil
}

func resourceTypes(c *call) []object {
	of := func(id, endpoint, schema, description string) object {
		return object{
			"schemas": []string{schemaType}, "id": id, "name": id, "endpoint": endpoint, "schema": schema, "description": description,
			"schemaExtensions": []object{}, "meta": meta{Type: "ResourceType", Location: c.base + "/ResourceTypes/" + id},
		}
	}
	return []object{
		of("User", "/Users", schemaUser, "people that this directory has provisioned"),
		of("Group", "/Groups", schemaGroup, "groups of the organisation"),
	}
}

func (*server) types(c *call) (int, any, error) {
	all := resourceTypes(c)
	return http.StatusOK, listOf(all, len(all), 1), nil
}

func (*server) oneType(c *call) (int, any, error) {
	return pick(resourceTypes(c), c.PathValue("id"))
}

func (*server) schemas(c *call) (int, any, error) {
	all := schemas(c)
	return http.StatusOK, listOf(all, len(all), 1), nil
}

func (*server) oneSchema(c *call) (int, any, error) {
	return pick(schemas(c), c.PathValue("id"))
}

func pick(all []object, id string) (int, any, error) {
	for _, one := range all {
		if one["id"] == id {
			return http.StatusOK, one, nil
		}
	}
	return 0, nil, fault.New(fault.NotFound, "%s does not exist", id)
}

// attribute describes one attribute (RFC 7643 section 7).
func attribute(name, kind string, change object) object {
	out := object{
		"name": name, "type": kind, "multiValued": false, "required": false, "caseExact": false,
		"mutability": "readWrite", "returned": "default", "uniqueness": "none", "description": name,
	}
	for key, value := range change {
		out[key] = value
	}
	return out
}

func schemas(c *call) []object {
	of := func(id, name string, attributes ...object) object {
		return object{
			"schemas": []string{schemaSchema}, "id": id, "name": name, "description": name, "attributes": attributes,
			"meta": meta{Type: "Schema", Location: c.base + "/Schemas/" + id},
		}
	}
	return []object{
		of(schemaUser, "User",
			attribute("userName", "string", object{"required": true, "uniqueness": "server", "description": "the e-mail address to sign in with"}),
			attribute("externalId", "string", object{"caseExact": true, "description": "the directory's own name for the user"}),
			attribute("displayName", "string", nil),
			attribute("name", "complex", object{"subAttributes": []object{
				attribute("formatted", "string", nil),
				attribute("givenName", "string", object{"returned": "never", "description": "becomes part of formatted"}),
				attribute("familyName", "string", object{"returned": "never", "description": "becomes part of formatted"}),
			}}),
			attribute("emails", "complex", object{"multiValued": true, "description": "the userName again; read where that is no address", "subAttributes": []object{
				attribute("value", "string", nil),
				attribute("type", "string", nil),
				attribute("primary", "boolean", nil),
			}}),
			attribute("active", "boolean", object{"description": "false ends sessions and tokens"}),
		),
		of(schemaGroup, "Group",
			attribute("displayName", "string", object{"required": true, "caseExact": true, "uniqueness": "server"}),
			attribute("members", "complex", object{"multiValued": true, "subAttributes": []object{
				attribute("value", "string", object{"mutability": "immutable", "description": "id of a user"}),
				attribute("$ref", "reference", object{"mutability": "readOnly", "referenceTypes": []string{"User"}}),
				attribute("type", "string", object{"mutability": "readOnly", "canonicalValues": []string{"User"}}),
				attribute("display", "string", object{"mutability": "readOnly"}),
			}}),
		),
	}
}
