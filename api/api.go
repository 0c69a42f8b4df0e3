// Package api holds the OpenAPI document of the service, for programs that hold
// requests, replies and events against it. The package ryze does not import it.
package api

import _ "embed"

//go:embed openapi.yaml
var document string

// OpenAPI returns the OpenAPI 3.1 document of the service, as YAML.
func OpenAPI() string { return document }
