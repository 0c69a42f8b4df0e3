package conformance

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
)

// fault is one way to damage an exchange. It returns false when the exchange
// cannot have it.
type fault struct {
	name   string
	damage func(o *documented, x *exchange) bool
}

var faults = []fault{
	{"a path that is unknown", func(_ *documented, x *exchange) bool { x.request.URL.Path += "/x"; return true }},
	{"no token", func(o *documented, x *exchange) bool {
		x.request.Header.Del("token")
		return o.id != "observability.health"
	}},
	{"a query parameter that is unknown", func(_ *documented, x *exchange) bool { return x.query("notKnown", "1") }},
	{"a query parameter that is missing", func(o *documented, x *exchange) bool {
		name := o.parameter(func(p part) bool { return p.get("required").text() == "true" })
		return name != "" && x.query(name)
	}},
	{"a query parameter of another type", func(o *documented, x *exchange) bool {
		name := o.parameter(func(p part) bool {
			return slices.Contains([]string{"boolean", "integer"}, p.get("schema", "type").text())
		})
		return name != "" && x.query(name, "somethingNew")
	}},
	{"a query parameter that is there twice", func(o *documented, x *exchange) bool {
		name := o.parameter(func(part) bool { return true })
		return name != "" && x.query(name, "1", "1")
	}},
	{"no request body", func(o *documented, x *exchange) bool {
		x.requestBody = nil
		return o.spec.get("requestBody", "required").text() == "true"
	}},
	{"a request body that nobody asks for", func(o *documented, x *exchange) bool {
		x.requestBody = []byte("{}")
		x.request.Header.Set("Content-Type", "application/json")
		return !o.spec.get("requestBody").exists()
	}},
	{"a request that is not JSON", func(_ *documented, x *exchange) bool { return cutShort(&x.requestBody) }},
	{"a request of another content type", func(_ *documented, x *exchange) bool {
		x.request.Header.Set("Content-Type", "text/plain")
		return len(x.requestBody) > 0
	}},
	{"a status that is unknown", func(_ *documented, x *exchange) bool { x.response.StatusCode = 299; return true }},
	{"a header that is unknown", func(_ *documented, x *exchange) bool { x.response.Header.Set("X-Surprise", "1"); return true }},
	{"a header that is missing", func(o *documented, x *exchange) bool {
		x.response.Header.Del("X-RateLimit-Reset")
		return o.sends("X-Ratelimit-Reset")
	}},
	{"a header of another type", func(o *documented, x *exchange) bool {
		x.response.Header.Set("X-RateLimit-Reset", "soon")
		return o.sends("X-Ratelimit-Reset")
	}},
	{"no reply body", func(_ *documented, x *exchange) bool {
		was := x.responseBody
		x.responseBody = nil
		return was != nil
	}},
	{"a reply that is not JSON", func(_ *documented, x *exchange) bool { return cutShort(&x.responseBody) }},
	{"a reply of another content type", func(_ *documented, x *exchange) bool {
		x.response.Header.Set("Content-Type", "text/plain")
		return x.responseBody != nil
	}},
}

// parameter returns the name of a query parameter of that kind, "" if there is none.
func (o *documented) parameter(kind func(part) bool) string {
	for _, p := range o.spec.get("parameters").all() {
		if p.get("in").text() == "query" && kind(p) {
			return p.get("name").text()
		}
	}
	return ""
}

// query gives a query parameter those values.
func (x *exchange) query(name string, values ...string) (done bool) {
	q := x.request.URL.Query()
	q[name] = values
	x.request.URL.RawQuery = q.Encode()
	return true
}

func cutShort(body *[]byte) bool {
	if len(*body) == 0 {
		return false
	}
	*body = (*body)[:len(*body)-1]
	return true
}

// copied is the exchange for damaging it.
func (x *exchange) copied() *exchange {
	c := *x
	c.request = x.request.Clone(x.request.Context())
	reply := *x.response
	reply.Header = x.response.Header.Clone()
	c.response = &reply
	return &c
}

// bodyFaults are those of damageJSON, for each of the two bodies.
var bodyFaults = []string{"a member that is unknown", "a member that is missing", "a value of another type", "a value that is none of those listed", "a value of another format"}

// TestDamagedExchangesAreRefused damages what travelled in every way that the
// document forbids.
func TestDamagedExchangesAreRefused(t *testing.T) {
	t.Parallel()
	d, o := theDocument(t), observe(t)
	tried := map[string]int{}
	refuses := func(x *exchange, what string) {
		tried[what]++
		if len(x.validate(d)) == 0 {
			t.Errorf("%s is not refused:\n%s", what, x.describe())
		}
	}
	for _, seen := range o.all {
		for _, x := range seen.exchanges {
			spec := d.of(x.operation)
			if spec == nil || !x.succeeded() {
				continue
			}
			for _, f := range faults {
				if c := x.copied(); f.damage(spec, c) {
					refuses(c, f.name)
				}
			}
			c := x.copied()
			damageBody(spec.spec.get("requestBody"), &c.requestBody, func(what string) { refuses(c, "request: "+what) })
			c = x.copied()
			damageBody(spec.reply(x.response.StatusCode), &c.responseBody, func(what string) { refuses(c, "reply: "+what) })
		}
	}
	for _, f := range faults {
		assert.Positive(t, tried[f.name], f.name)
	}
	for _, what := range bodyFaults {
		assert.Positive(t, tried["request: "+what]+tried["reply: "+what], what)
	}
}

// damageBody shows a body with one fault after the other.
func damageBody(spec part, body *[]byte, show func(what string)) {
	var value any
	if json.Unmarshal(*body, &value) != nil {
		return
	}
	damageJSON(spec.body().get("schema").schema(), value, func(v any) { value = v }, func(what string) {
		*body = encode(value)
		show(what)
	})
}

// damageJSON puts one fault after the other into a value, each of which its
// schema refuses for certain, and takes it out again. put changes the value
// where it stands.
func damageJSON(schema *jsonschema.Schema, value any, put func(any), show func(what string)) {
	try := func(what string, v any) {
		put(v)
		show(what)
		put(value)
	}
	object, _ := value.(map[string]any)
	if _, open := lookup(alternatives(schema), "notKnown"); object != nil && !open {
		object["notKnown"] = true
		show(bodyFaults[0])
		delete(object, "notKnown")
	}
	for _, s := range binding(schema) {
		for _, name := range s.Required {
			if was, there := object[name]; there {
				delete(object, name)
				show(bodyFaults[1])
				object[name] = was
			}
		}
		if s.Types != nil {
			for kind, odd := range map[string]any{"object": map[string]any{}, "array": []any{}, "string": "somethingNew", "number": 7.5, "boolean": true, "null": nil} {
				if !slices.Contains(s.Types.ToStrings(), kind) {
					try(bodyFaults[2], odd)
				}
			}
		}
		if s.Enum != nil || s.Const != nil {
			try(bodyFaults[3], "somethingNew")
		}
		if s.Format != nil && value != nil {
			try(bodyFaults[4], "yesterday")
		}
		for name, member := range s.Properties {
			if was, there := object[name]; there {
				damageJSON(member, was, func(v any) { object[name] = v }, show)
			}
		}
		if list, ok := value.([]any); ok && s.Items2020 != nil && len(list) > 0 {
			damageJSON(s.Items2020, list[0], func(v any) { list[0] = v }, show)
		}
	}
}

// binding are a schema and those of its parts that hold in any case.
func binding(s *jsonschema.Schema) []*jsonschema.Schema {
	if s == nil {
		return nil
	}
	all := append([]*jsonschema.Schema{s}, binding(s.Ref)...)
	for _, part := range s.AllOf {
		all = append(all, binding(part)...)
	}
	return all
}
