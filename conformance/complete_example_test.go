package conformance

import (
	"strings"

	"github.com/pb33f/libopenapi/datamodel/high/base"
)

// completed is a value with every member that its schema names: those that it
// lacks, and those that are null, are made up.
func completed(schemas []*base.Schema, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, member := range v {
			declared, _ := lookup(schemas, key)
			out[key] = completed(declared, member)
			if member == nil {
				out[key] = madeUp(key, declared)
			}
		}
		for _, s := range schemas {
			for key := range properties(s) {
				if _, there := out[key]; !there {
					declared, _ := lookup(schemas, key)
					out[key] = madeUp(key, declared)
				}
			}
		}
		return out
	case []any:
		var items []*base.Schema
		for _, s := range schemas {
			if s.Items != nil && s.Items.IsA() {
				items = append(items, alternatives(s.Items.A.Schema())...)
			}
		}
		out := make([]any, len(v))
		for i := range v {
			out[i] = completed(items, v[i])
		}
		return out
	}
	return v
}

func properties(s *base.Schema) func(func(string) bool) {
	if s.Properties == nil {
		return func(func(string) bool) {}
	}
	return s.Properties.KeysFromOldest()
}

// madeUp is a value for a member that no example has.
func madeUp(key string, schemas []*base.Schema) any {
	for _, s := range schemas {
		for _, kind := range s.Type {
			switch kind {
			case "object":
				return completed(schemas, map[string]any{})
			case "array":
				return completed(schemas, []any{madeUpItem(key, schemas)})
			case "integer", "number":
				return 41.0
			case "boolean":
				return true
			case "string":
				return madeUpText(key)
			}
		}
	}
	return nil
}

func madeUpItem(key string, schemas []*base.Schema) any {
	for _, s := range schemas {
		if s.Items != nil && s.Items.IsA() {
			return madeUp(key, alternatives(s.Items.A.Schema()))
		}
	}
	return nil
}

func madeUpText(key string) string {
	switch lower := strings.ToLower(key); {
	case strings.HasSuffix(lower, "at") || strings.HasSuffix(lower, "timestamp"):
		return "2026-09-28T20:40:00Z"
	case strings.HasSuffix(lower, "jid") || lower == "sender":
		return "5521912345678@s.whatsapp.net"
	case strings.HasSuffix(lower, "lid"):
		return "100000000000001@lid"
	case strings.HasSuffix(lower, "base64"):
		return "aGVsbG8="
	case lower == "port":
		return "3128"
	}
	return "made up"
}
