package conformance

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema takes members that it does not name for allowed, unless it is
// closed. The schemas of replies are open, because the service grows; the
// simulator is held to what is written all the same.

// undeclared lists the members of a JSON value that the schema does not name.
func undeclared(schema *jsonschema.Schema, value any) (found []string) {
	walkUndeclared(alternatives(schema), value, "$", func(path string) {
		found = append(found, path+" is not in the document")
	})
	return found
}

func walkUndeclared(schemas []*jsonschema.Schema, value any, path string, report func(path string)) {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			walkUndeclared(itemsOf(schemas), item, fmt.Sprintf("%s[%d]", path, i), report)
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

func itemsOf(schemas []*jsonschema.Schema) (items []*jsonschema.Schema) {
	for _, s := range schemas {
		items = append(items, alternatives(s.Items2020)...)
	}
	return items
}

// lookup finds the schemas of a member. open says that members without one are
// allowed: in objects of which nothing is documented, and in those that say so.
func lookup(schemas []*jsonschema.Schema, name string) (declared []*jsonschema.Schema, open bool) {
	anything := true
	for _, s := range schemas {
		if len(s.Properties) > 0 {
			anything = false
			declared = append(declared, alternatives(s.Properties[name])...)
		}
		switch more := s.AdditionalProperties.(type) {
		case *jsonschema.Schema:
			declared = append(declared, alternatives(more)...)
		case bool:
			open = open || more
			anything = anything && more
		}
	}
	return declared, open || anything
}

// alternatives are a schema and all that it is composed of.
func alternatives(s *jsonschema.Schema) []*jsonschema.Schema {
	if s == nil {
		return nil
	}
	all := append([]*jsonschema.Schema{s}, alternatives(s.Ref)...)
	for _, list := range [][]*jsonschema.Schema{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range list {
			all = append(all, alternatives(part)...)
		}
	}
	return all
}
