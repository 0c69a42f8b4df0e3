package ryze

import (
	"bytes"
	"encoding/json"
	"strings"
)

// readItems makes the items of a list from what travels. Each keeps its own
// JSON, not the whole reply.
func readItems[W, T any](list []json.RawMessage, rate RateLimit, item func(*W, Meta) T) []T {
	items := make([]T, 0, len(list))
	for _, raw := range list {
		var w W
		_ = json.Unmarshal(raw, &w) // what could be read; Raw has the rest
		items = append(items, item(&w, Meta{RateLimit: rate, raw: hide(json.RawMessage(bytes.Clone(raw)))}))
	}
	return items
}

// listIn looks for the array at the top of a reply, then in its data, which may
// be the array itself: the service puts payloads in all three places. A null
// under one of the keys is an empty array: so an empty list of the service's
// language is written. A reply without any of the keys is something else, and
// so is a value of another type: then missing says what is not there. The items
// point into body.
func listIn(body json.RawMessage, keys ...string) (items []json.RawMessage, missing string) {
	v := jsonValue(bytes.TrimSpace(body))
	for v != nil {
		if v.isArray() { // the data
			return elementsOf(v), ""
		}
		var list, data jsonValue
		for c := v.members(); c.next(); {
			key := string(c.key)
			if strings.EqualFold(key, "data") {
				data = c.val
			}
			for _, name := range keys {
				if strings.EqualFold(key, name) && (c.val.isArray() || c.val.isNull()) {
					list = c.val
				}
			}
		}
		if list != nil {
			return elementsOf(list), ""
		}
		v = data
	}
	return nil, "the reply has no " + keys[0]
}

func elementsOf(list jsonValue) []json.RawMessage {
	var items []json.RawMessage
	for c := list.elements(); c.next(); {
		items = append(items, json.RawMessage(c.val))
	}
	return items
}

// resourceIn returns what a reply is about, from the first place that has it:
// under one of the keys at the top or in the data, in the data itself, or at the
// top. The service puts payloads in all of these; has recognizes the one meant.
func resourceIn[T any](body json.RawMessage, has func(*T) bool, keys ...string) *T {
	var top, data map[string]json.RawMessage
	_ = json.Unmarshal(body, &top)
	_ = json.Unmarshal(top["data"], &data)
	places := make([]json.RawMessage, 0, 2*len(keys)+2)
	for _, object := range []map[string]json.RawMessage{top, data} {
		for _, key := range keys {
			places = append(places, object[key])
		}
	}
	for _, place := range append(places, top["data"], body) {
		v := new(T)
		_ = json.Unmarshal(place, v) // what could be read
		if has(v) {
			return v
		}
	}
	return nil
}
