package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
)

// The validator takes members that a schema does not name for allowed, unless
// it is closed. The schemas of replies are open, because the service grows; the
// simulator is held to what is written all the same.

// shownReply is a reply of the document.
type shownReply struct{ *v3.Response }

// reply returns the reply of that status, the default one if there is no
// other, or nil.
func (o *documented) reply(status int) *shownReply {
	if r, ok := o.spec.Responses.Codes.Get(strconv.Itoa(status)); ok {
		return &shownReply{r}
	}
	if o.spec.Responses.Default != nil {
		return &shownReply{o.spec.Responses.Default}
	}
	return nil
}

// schema returns the schema of the body, nil when there is none.
func (r *shownReply) schema() *base.Schema {
	if r.Content == nil {
		return nil
	}
	media, ok := r.Content.Get("application/json")
	if !ok || media.Schema == nil {
		return nil
	}
	return media.Schema.Schema()
}

// missingHeaders lists the headers that a reply should have and has not.
func missingHeaders(r *shownReply, h http.Header) []string {
	if r.Headers == nil {
		return nil
	}
	var missing []string
	for name := range r.Headers.KeysFromOldest() {
		if h.Get(name) == "" {
			missing = append(missing, "reply: no header "+name)
		}
	}
	return missing
}

// undeclaredQuery lists the parameters of a query that the operation has not.
func (o *documented) undeclaredQuery(query url.Values) []string {
	declared := map[string]bool{}
	for _, p := range o.spec.Parameters {
		if p.In == "query" {
			declared[p.Name] = true
		}
	}
	var found []string
	for name := range query {
		if !declared[name] {
			found = append(found, "request: query parameter "+name+" is not in the document")
		}
	}
	return found
}

// undeclared lists the members of a JSON text that the schema does not name.
func undeclared(schema *base.Schema, text []byte) []string {
	var value any
	if schema == nil || json.Unmarshal(text, &value) != nil {
		return nil
	}
	var found []string
	walkUndeclared(alternatives(schema), value, "$", func(path string) {
		found = append(found, "reply: "+path+" is not in the document")
	})
	return found
}

func walkUndeclared(schemas []*base.Schema, value any, path string, report func(path string)) {
	switch value := value.(type) {
	case []any:
		var items []*base.Schema
		for _, s := range schemas {
			if s.Items != nil && s.Items.IsA() {
				items = append(items, alternatives(s.Items.A.Schema())...)
			}
		}
		for i, item := range value {
			walkUndeclared(items, item, fmt.Sprintf("%s[%d]", path, i), report)
		}
	case map[string]any:
		for name, member := range value {
			declared, open := lookup(schemas, name)
			switch {
			case len(declared) > 0:
				walkUndeclared(declared, member, path+"."+name, report)
			case !open:
				report(path + "." + name)
			}
		}
	}
}

// lookup finds the schemas of a member. open says that members without one are
// allowed: in objects of which nothing is documented, and in those that say so.
func lookup(schemas []*base.Schema, name string) (declared []*base.Schema, open bool) {
	anything := true
	for _, s := range schemas {
		if s.Properties != nil && s.Properties.Len() > 0 {
			anything = false
			if p, ok := s.Properties.Get(name); ok {
				declared = append(declared, alternatives(p.Schema())...)
			}
		}
		if more := s.AdditionalProperties; more != nil {
			switch {
			case more.IsA():
				declared = append(declared, alternatives(more.A.Schema())...)
			case more.B:
				open = true
			default:
				anything = false
			}
		}
	}
	return declared, open || anything
}

// alternatives are a schema and all that it is composed of.
func alternatives(s *base.Schema) []*base.Schema {
	if s == nil {
		return nil
	}
	all := []*base.Schema{s}
	for _, list := range [][]*base.SchemaProxy{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range list {
			all = append(all, alternatives(part.Schema())...)
		}
	}
	return all
}
