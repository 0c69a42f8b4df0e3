package conformance

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
)

// readable is a call and an example that it reads.
type readable struct {
	example
	op   ryze.Operation
	call *call
	dump dump
}

// forEachReadable runs a test in virtual time for each example of a success
// and each call that reads it.
func forEachReadable(t *testing.T, test func(t *testing.T, d *document, r readable)) {
	t.Helper()
	d, o := theDocument(t), observe(t)
	for _, op := range ryze.Operations() {
		for _, e := range d.of(op.ID).shownReplies() {
			if e.status/100 != 2 {
				continue
			}
			t.Run(op.ID+"/"+e.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for _, c := range o.callers(op.ID) {
						if result, err := served(t, d, c, op.ID, e.status, encode(e.body)); err == nil {
							test(t, d, readable{e, op, c, dumpOf(result, nil)})
						}
					}
				})
			})
		}
	}
}

// again serves the example as it is now.
func (r *readable) again(t *testing.T, d *document) (any, error) {
	t.Helper()
	return served(t, d, r.call, r.op.ID, r.status, encode(r.body))
}

// TestUnknownMembersChangeNothing adds a member to each object of a reply.
func TestUnknownMembersChangeNothing(t *testing.T) {
	forEachReadable(t, func(t *testing.T, d *document, r readable) {
		for _, object := range objects(r.body) {
			object["notKnownYet"] = map[string]any{"a": []any{1.0, nil}}
			result, err := r.again(t, d)
			delete(object, "notKnownYet")
			require.NoError(t, err, r.call.name)
			now := dumpOf(result, nil)
			maps.DeleteFunc(now, func(path string, _ any) bool { _, was := r.dump[path]; return !was }) // raw JSON and maps show it
			assert.True(t, now.equal(r.dump), "%s: %v", r.call.name, now.changed(r.dump))
		}
	})
}

func objects(v any) (list []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		list = append(list, v)
		for _, x := range v {
			list = append(list, objects(x)...)
		}
	case []any:
		for _, x := range v {
			list = append(list, objects(x)...)
		}
	}
	return list
}

// TestDamagedRepliesAreReadOrTyped takes members away, one by one and all that
// are not required, makes them null, and puts words and types in their place
// that nobody knows. A method reads what is left, or returns a typed error;
// when it must not be repeated, one that says that it may have happened.
func TestDamagedRepliesAreReadOrTyped(t *testing.T) {
	t.Parallel()
	forEachReadable(t, func(t *testing.T, d *document, r readable) {
		check := func(what string) {
			_, err := r.again(t, d)
			r.checkError(t, what, err)
		}
		for _, l := range leaves(r.body, true) {
			for _, odd := range []any{nil, "somethingNew", 7.5, true, []any{}, []any{nil, 1.0}, map[string]any{}} {
				l.set(odd)
				check(l.path + " is odd")
			}
			l.set(l.value)
			if l.drop != nil {
				l.drop()
				check(l.path + " is missing")
				l.set(l.value)
			}
		}
		whole := r.body.(map[string]any)
		for what, some := range map[string]func(string) (any, bool){
			"all is null":    func(string) (any, bool) { return nil, true },
			"all is missing": func(string) (any, bool) { return nil, false },
		} {
			r.body = reduced(whole, func(key string) (any, bool) {
				if key == "success" {
					return true, true
				}
				return some(key)
			})
			check(what)
		}
		r.body = whole
		for what, body := range map[string]string{
			"no body": "", "a list": "[]", "null": "null", "a text": `"ok"`, "half a body": `{"success":true,"da`, "a page": "<html>ok</html>",
		} {
			_, err := served(t, d, r.call, r.op.ID, r.status, []byte(body))
			r.checkError(t, what, err)
			assert.Error(t, err, "%s of %s", what, r.call.name)
		}
	})
}

func reduced(whole map[string]any, keep func(key string) (any, bool)) map[string]any {
	out := map[string]any{}
	for key := range whole {
		if v, ok := keep(key); ok {
			out[key] = v
		}
	}
	return out
}

func (r *readable) checkError(t *testing.T, what string, err error) {
	t.Helper()
	var api *ryze.APIError
	switch {
	case err == nil:
	case errors.As(err, &api): // of a success that is false
	case !r.op.Repeatable && errors.Is(err, ryze.ErrBadResponse):
		assert.ErrorIs(t, err, ryze.ErrOutcomeUnknown, "%s: %s", r.call.name, what)
	case slices.ContainsFunc([]error{ryze.ErrBadResponse, ryze.ErrNotFound, ryze.ErrPartial, context.DeadlineExceeded}, func(e error) bool { return errors.Is(err, e) }):
	default:
		t.Errorf("%s: %s: %T %v", r.call.name, what, err, err)
	}
}

// TestSendsWithoutAnIDAreUncertain takes the id of the message out of every
// reply to a send.
func TestSendsWithoutAnIDAreUncertain(t *testing.T) {
	sends := 0
	forEachReadable(t, func(t *testing.T, d *document, r readable) {
		data, ok := r.body.(map[string]any)["data"].(map[string]any)
		id, is := data["messageId"]
		if !ok || !is || r.op.Repeatable {
			return
		}
		sends++
		for _, odd := range []any{nil, ""} {
			data["messageId"] = odd
			_, err := r.again(t, d)
			require.ErrorIs(t, err, ryze.ErrOutcomeUnknown, r.call.name)
		}
		delete(data, "messageId")
		_, err := r.again(t, d)
		require.ErrorIs(t, err, ryze.ErrOutcomeUnknown, r.call.name)
		data["messageId"] = id
	})
	assert.GreaterOrEqual(t, sends, 14)
}

// sentinels are what an error with a status matches; one of them is enough.
var sentinels = map[int][]error{
	http.StatusUnauthorized:        {ryze.ErrUnauthorized, ryze.ErrChatwoot},
	http.StatusForbidden:           {ryze.ErrForbidden, ryze.ErrChatwoot},
	http.StatusNotFound:            {ryze.ErrNotFound},
	http.StatusConflict:            {ryze.ErrConflict},
	http.StatusTooManyRequests:     {ryze.ErrRateLimited},
	http.StatusInternalServerError: {ryze.ErrServer, ryze.ErrInvalidArgument},
	http.StatusNotImplemented:      {ryze.ErrNotImplemented},
	http.StatusServiceUnavailable:  {ryze.ErrNotConnected, ryze.ErrChatwootDisabled, ryze.ErrServer},
}

// TestEveryShownRefusalIsTyped serves every refusal that the document shows.
func TestEveryShownRefusalIsTyped(t *testing.T) {
	d, o := theDocument(t), observe(t)
	refusals := 0
	for _, op := range ryze.Operations() {
		c := o.plainest(op.ID)
		require.NotNil(t, c)
		for _, e := range d.of(op.ID).shownReplies() {
			text := errorText(encode(e.body))
			if e.status < 400 || text == "" {
				continue
			}
			refusals++
			t.Run(op.ID+"/"+e.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, err := served(t, d, c, op.ID, e.status, encode(e.body))
					var api *ryze.APIError
					require.ErrorAs(t, err, &api)
					assert.Equal(t, e.status, api.StatusCode)
					assert.Equal(t, text, api.Message)
					assert.Equal(t, op.ID, api.Operation)
					if wanted := sentinels[e.status]; wanted != nil && !e.unsure {
						assert.True(t, slices.ContainsFunc(wanted, func(s error) bool { return errors.Is(err, s) }), "%v is none of %v", err, wanted)
					}
				})
			})
		}
	}
	assert.Greater(t, refusals, 600)
}
