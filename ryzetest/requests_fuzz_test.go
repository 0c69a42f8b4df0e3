package ryzetest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documented500 are the routes of which a request alone, right or wrong, can get
// a 500 from a server on which nothing fails: because WhatsApp, or a conversion,
// refuses what is asked for.
var documented500 = []string{
	"calls.fake", "calls.audio", // a number without WhatsApp, an audio of no use
	"chat.message.forward",                   // a kind that cannot be forwarded
	"communities.link", "communities.unlink", // a JID that is none
}

// spoiled are a body without each of its members, with a text that does not fit in
// the place of each, and one that is wrong throughout.
func spoiled(body string) [][]byte {
	var members map[string]any
	if json.Unmarshal([]byte(body), &members) != nil {
		return nil
	}
	all := [][]byte{[]byte(`{"number":1,"name":{},"identifier":[null],"mediaUrl":"\ud800","events":"x"}`)}
	for name := range members {
		other := maps.Clone(members)
		delete(other, name)
		all = append(all, encode(other))
		other[name] = "x!"
		all = append(all, encode(other))
	}
	return all
}

// FuzzRequests sends any query and body to any route. Whatever comes, the reply
// is a JSON object that says why a request failed, and the handler does not panic.
func FuzzRequests(f *testing.F) {
	for k, r := range contract {
		f.Add(uint8(k), r.query, []byte(r.body))
		for _, body := range spoiled(r.body) {
			f.Add(uint8(k), r.query, body)
		}
	}
	f.Add(uint8(0), "token=x&%zz=%", []byte("\x00"))
	f.Fuzz(func(t *testing.T, k uint8, query string, body []byte) {
		r := contract[int(k)%len(contract)]
		var sent struct{ Delay float64 }
		if _ = json.Unmarshal(body, &sent); sent.Delay > 1e6 {
			t.Skip("the calendar of the bubble ends in 2262")
		}
		paired(t, func(t *testing.T, s *Server, c client, i *Instance) {
			words := furnish(t, s, c, i)
			target := &url.URL{Path: r.target(words, "")}
			target.Path, _, _ = strings.Cut(target.Path, "?")
			target.RawQuery = words.Replace(query)
			ctx := context.WithValue(t.Context(), connKey{}, &conn{s: s})
			req := httptest.NewRequestWithContext(ctx, r.method, "/", strings.NewReader(words.Replace(string(body))))
			req.URL = target
			req.Header.Set("token", s.AccountToken)
			req.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.serve(w, req) // not through net/http, which would swallow a panic

			var res struct {
				Success bool
				Error   struct{ Message string }
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &res), w.Body.String())
			if w.Code >= http.StatusBadRequest {
				assert.False(t, res.Success)
				assert.NotEmpty(t, res.Error.Message)
			}
			if w.Code >= http.StatusInternalServerError {
				assert.Equal(t, http.StatusInternalServerError, w.Code)
				assert.True(t, slices.Contains(documented500, findRoute(r.method+" "+r.path).id), "%s: %s", r.path, w.Body)
			}
		}, WithWebhookHandler(http.NotFoundHandler()))
	})
}
