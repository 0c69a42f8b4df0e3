package ryze

import (
	"context"
	"encoding/json"
)

// fetchList makes the request of an operation whose reply has an array under
// one of the keys, and returns its items, each made by item from what travels.
// An array that is null is empty. An item that cannot be read keeps what could
// be, and its JSON.
func fetchList[W, T any](ctx context.Context, h handle, op *Operation, in input, keys []string, item func(*W, Meta) T) ([]T, error) {
	var raws []json.RawMessage
	r, err := fetchChecked(ctx, h, op, in, func(e *envelope) string {
		var found bool
		if raws, found = findArray(e.Raw(), keys); !found {
			return "the reply has no " + keys[0] // which is not the same as none
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	items := make([]T, 0, len(raws))
	for _, raw := range raws {
		if string(raw) == "null" {
			continue
		}
		var w W
		_ = json.Unmarshal(raw, &w) // what could be read; Raw has the rest
		items = append(items, item(&w, Meta{RateLimit: r.RateLimit, raw: hide(raw)}))
	}
	return items, nil
}

// findArray looks for the array at the top of a reply, then in its data, which
// may be the array itself: the service puts payloads in all three places.
func findArray(body json.RawMessage, keys []string) (items []json.RawMessage, found bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return nil, false
	}
	for _, key := range keys {
		if raw, ok := object[key]; ok && json.Unmarshal(raw, &items) == nil {
			return items, true
		}
	}
	data, ok := object["data"]
	if !ok {
		return nil, false
	}
	if json.Unmarshal(data, &items) == nil {
		return items, true
	}
	return findArray(data, keys)
}
