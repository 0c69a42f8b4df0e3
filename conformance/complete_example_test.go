package conformance

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// completed is a value with every member that its schema names: those that it
// lacks, and those that are null, are made up.
func completed(schemas []*jsonschema.Schema, v any) any {
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
			for key := range s.Properties {
				if _, there := out[key]; !there {
					declared, _ := lookup(schemas, key)
					out[key] = madeUp(key, declared)
				}
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = completed(itemsOf(schemas), v[i])
		}
		return out
	}
	return v
}

// madeUp is a value for a member that no example has.
func madeUp(key string, schemas []*jsonschema.Schema) any {
	for _, s := range schemas {
		if s.Types == nil {
			continue
		}
		for _, kind := range s.Types.ToStrings() {
			switch kind {
			case "object":
				return completed(schemas, map[string]any{})
			case "array":
				return completed(schemas, []any{madeUp(key, itemsOf(schemas))})
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
	case strings.HasSuffix(lower, "token"):
		return "a-secret-of-its-own" // other texts are shown without it
	case lower == "port":
		return "3128"
	}
	return "made up"
}
