package conformance

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// respelled are a value's other spellings in JSON: a number as a text, the
// digits of a text as a number, true as "true" and 1.
func respelled(v any) []any {
	switch v := v.(type) {
	case bool:
		number := 0.0
		if v {
			number = 1
		}
		return []any{strconv.FormatBool(v), number}
	case float64:
		return []any{strconv.FormatFloat(v, 'f', -1, 64)}
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil && strconv.FormatFloat(n, 'f', -1, 64) == v {
			return []any{n}
		}
	}
	return nil
}

// TestRepliesInOtherSpellingsReadTheSame writes each value of a reply in another
// type, and the payload below "data".
func TestRepliesInOtherSpellingsReadTheSame(t *testing.T) {
	t.Parallel()
	onlyAtTheTop := []string{"observability.health", "chat.message.media_base64", "chat.history"} // no envelope; streamed; chat_jid
	forEachReadable(t, func(t *testing.T, d *document, r readable) {
		if r.call.name == "a route by its path" { // as it comes
			return
		}
		same := func(what string) {
			result, err := r.again(t, d)
			require.NoError(t, err, "%s: %s", r.call.name, what)
			now := dumpOf(result, nil)
			assert.True(t, now.equal(r.dump), "%s: %s: %v", r.call.name, what, now.changed(r.dump))
		}
		for _, l := range leaves(r.body, false) {
			for _, other := range respelled(l.value) {
				l.set(other)
				same(l.path + " has another type")
				l.set(l.value)
			}
		}
		whole := r.body.(map[string]any)
		if _, has := whole["data"]; has || slices.Contains(onlyAtTheTop, r.op.ID) {
			return
		}
		data := maps.Clone(whole)
		maps.DeleteFunc(data, func(key string, _ any) bool { return key == "success" || key == "message" })
		r.body = map[string]any{"success": true, "message": whole["message"], "data": data}
		same("all is in data")
		for key := range data {
			r.body.(map[string]any)[key] = nil
		}
		same("all is in data, and null at the top")
		r.body = whole
	})
}
