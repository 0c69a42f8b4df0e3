package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// validate returns what the document says against the exchange.
func (x *exchange) validate(d *document) (found []string) {
	o := d.matching(x.request)
	if o == nil {
		return []string{"request: no operation of the document"}
	}
	for _, problem := range o.againstRequest(x.request, x.requestBody) {
		found = append(found, "request: "+problem)
	}
	if x.response == nil {
		return found
	}
	for _, problem := range o.againstReply(x.response, x.responseBody) {
		found = append(found, "reply: "+problem)
	}
	if problem := d.unknownText(x); problem != "" {
		found = append(found, problem)
	}
	return found
}

func (o *documented) againstRequest(r *http.Request, body []byte) (found []string) {
	if !o.admits(r) {
		found = append(found, "none of the tokens that the operation takes")
	}
	query := r.URL.Query()
	for _, p := range o.spec.get("parameters").all() {
		name := p.get("name").text()
		var values []string
		switch in := p.get("in").text(); in {
		case "path":
			values = o.inPath(name, r)
		case "query":
			values = query[name]
			delete(query, name)
		default:
			panic("parameters in " + in + " are not validated yet")
		}
		if len(values) > 0 || p.get("required").text() == "true" {
			found = append(found, againstText("parameter "+name, p.get("schema").schema(), values)...)
		}
	}
	for name := range query {
		found = append(found, "query parameter "+name+" is not in the document")
	}
	spec := o.spec.get("requestBody")
	if len(body) == 0 && spec.get("required").text() != "true" {
		return found
	}
	return append(found, againstBody(spec, r.Header, body)...)
}

func (o *documented) againstReply(r *http.Response, body []byte) (found []string) {
	spec := o.reply(r.StatusCode)
	if !spec.exists() {
		return []string{fmt.Sprintf("status %d is not in the document", r.StatusCode)}
	}
	for name, h := range spec.get("headers").all() {
		found = append(found, againstText("header "+name, h.get("schema").schema(), r.Header.Values(name))...)
	}
	for name := range r.Header {
		// The others belong to HTTP.
		if strings.HasPrefix(name, "X-") && !o.sends(name) {
			found = append(found, "header "+name+" is not in the document")
		}
	}
	if spec.get("content").exists() || len(body) > 0 {
		found = append(found, againstBody(spec, r.Header, body)...)
	}
	return found
}

// sends reports whether one of the replies has that header: the default one
// does not repeat those that all have.
func (o *documented) sends(header string) bool {
	for _, spec := range o.spec.get("responses").all() {
		for name := range spec.get("headers").all() {
			if http.CanonicalHeaderKey(name) == header {
				return true
			}
		}
	}
	return false
}

// reply returns the reply of that status, the default one if there is no other.
func (o *documented) reply(status int) part {
	responses := o.spec.get("responses")
	if r := responses.get(strconv.Itoa(status)); r.exists() {
		return r
	}
	return responses.get("default")
}

// inPath returns the segment of the path that is the parameter.
func (o *documented) inPath(name string, r *http.Request) []string {
	i := slices.Index(strings.Split(o.path, "/"), ":"+name)
	if i < 0 {
		return nil
	}
	return []string{strings.Split(r.URL.Path, "/")[i]}
}

// admits reports whether the request has one of the tokens that the operation
// takes.
func (o *documented) admits(r *http.Request) bool {
	security := o.spec.get("security")
	if !security.exists() {
		security = o.spec.document.root.get("security")
	}
	open := true
	for _, way := range security.all() {
		open = false
		satisfied := true
		for scheme := range way.all() {
			satisfied = satisfied && carries(r, o.spec.document.root.get("components", "securitySchemes", scheme))
		}
		if satisfied {
			return true
		}
	}
	return open
}

func carries(r *http.Request, scheme part) bool {
	name := scheme.get("name").text()
	switch kind := scheme.get("type").text() + " " + scheme.get("in").text() + scheme.get("scheme").text(); kind {
	case "apiKey header":
		return r.Header.Get(name) != ""
	case "apiKey query":
		return r.URL.Query().Get(name) != ""
	case "http bearer":
		return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
	default:
		panic("security of the kind " + kind + " is not validated yet")
	}
}

// againstBody validates a body whose content is as the part says.
func againstBody(spec part, header http.Header, body []byte) []string {
	if !spec.get("content").exists() {
		return []string{"no body is in the document"}
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/json" || !spec.body().exists() {
		return []string{fmt.Sprintf("content type %q is not in the document", header.Get("Content-Type"))}
	}
	return against(spec.body().get("schema").schema(), body)
}

// against lists what a schema has against a JSON text.
func against(schema *jsonschema.Schema, text []byte) []string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return []string{"the body is not JSON: " + err.Error()}
	}
	var found []string
	if err := schema.Validate(value); err != nil {
		found = append(found, err.Error())
	}
	return append(found, undeclared(schema, value)...)
}

// againstText validates a parameter or a header, which has one value.
func againstText(what string, schema *jsonschema.Schema, values []string) []string {
	if len(values) != 1 {
		return []string{fmt.Sprintf("%s is there %d times", what, len(values))}
	}
	if err := schema.Validate(typed(schema, values[0])); err != nil {
		return []string{what + ": " + err.Error()}
	}
	return nil
}

// typed is the value that a text stands for. What cannot be one of the types
// of the schema stays a text, which the schema refuses then.
func typed(schema *jsonschema.Schema, text string) any {
	for _, s := range alternatives(schema) {
		if s.Types == nil {
			continue
		}
		for _, kind := range s.Types.ToStrings() {
			switch kind {
			case "integer":
				if n, err := strconv.ParseInt(text, 10, 64); err == nil {
					return n
				}
			case "number":
				if n, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
					return n
				}
			case "boolean":
				if text == "true" || text == "false" {
					return text == "true"
				}
			case "array":
				var list []any
				for item := range strings.SplitSeq(text, ",") {
					list = append(list, typed(s.Items2020, item))
				}
				return list
			}
		}
	}
	return text
}
