package conformance

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ryzeapi/ryze-go"
	"github.com/ryzeapi/ryze-go/ryzetest"
)

// circumstance is something wrong that has nothing to do with what is asked.
type circumstance struct {
	name    string
	options []ryzetest.Option
	change  func(op string, e *env)
	status  []int                                          // of the refusal
	unless  func(spec *documented, op ryze.Operation) bool // not for these
}

// anonymous operations look at no token.
func anonymous(spec *documented, _ ryze.Operation) bool { return spec.id == "observability.health" }

func nameless(spec *documented, op ryze.Operation) bool {
	return !strings.Contains(op.Path, ":instance")
}

func withToken(e *env, token string) {
	e.inst, e.account, e.token = e.client.Instance(name, token), e.client.Account(token), token
}

var circumstances = []circumstance{
	{
		name:   "a token that nobody has",
		change: func(_ string, e *env) { withToken(e, "nobodys-token") },
		status: []int{http.StatusUnauthorized}, unless: anonymous,
	},
	{
		name:   "an instance that is gone",
		change: func(_ string, e *env) { deleteInstance(e) },
		status: []int{http.StatusNotFound}, unless: nameless,
	},
	{
		name: "another account",
		change: func(_ string, e *env) {
			e.sim.AddAccount("others-token", 10)
			withToken(e, "others-token")
		},
		status: []int{http.StatusForbidden, http.StatusNotFound}, unless: nameless,
	},
	{
		name:   "the token of another instance",
		change: func(_ string, e *env) { withToken(e, e.sim.AddInstance("other-line").Token()) },
		status: []int{http.StatusForbidden, http.StatusUnauthorized}, unless: nameless,
	},
	{
		name:    "no connection to WhatsApp",
		options: []ryzetest.Option{ryzetest.WithNotConnectedStatus(http.StatusServiceUnavailable)},
		change:  func(_ string, e *env) { e.phone.Disconnect() },
	},
	{
		name:    "no connection to WhatsApp, told with 400",
		options: []ryzetest.Option{ryzetest.WithNotConnectedStatus(http.StatusBadRequest)},
		change:  func(_ string, e *env) { e.phone.Disconnect() },
	},
	{
		name:   "a window that is used up",
		change: func(op string, e *env) { e.sim.Fault(op, ryzetest.RateLimited()) },
		status: []int{http.StatusTooManyRequests}, unless: anonymous,
	},
}

func deleteInstance(e *env) {
	// The handle acts with the account's token: that of the instance goes with it.
	e.inst = e.account.Instance(name)
	if err := e.account.DeleteInstance(context.Background(), name); err != nil {
		panic(err)
	}
}

// TestEveryOperationUnderEveryCircumstance refuses one call of each operation
// for reasons that all operations share. What travels is validated as ever, the
// error is the documented one, and so is its text.
func TestEveryOperationUnderEveryCircumstance(t *testing.T) {
	d, o := theDocument(t), observe(t)
	for _, op := range ryze.Operations() {
		spec, c := d.of(op.ID), o.plainest(op.ID)
		require.NotNil(t, c, op.ID)
		for _, bad := range circumstances {
			if bad.unless != nil && bad.unless(spec, op) {
				continue
			}
			t.Run(op.ID+"/"+bad.name, func(t *testing.T) {
				seen, _ := playWith(t, c, func(e *env) { bad.change(op.ID, e) }, bad.options...)
				require.NotEmpty(t, seen.exchanges)
				assert.Empty(t, seen.violations)
				var statuses []int
				for _, x := range seen.exchanges {
					statuses = append(statuses, x.response.StatusCode)
					if problems := x.validate(d); len(problems) > 0 {
						t.Errorf("%s\n%s", strings.Join(problems, "\n"), x.describe())
					}
				}
				if bad.status != nil {
					assert.True(t, slices.ContainsFunc(bad.status, func(s int) bool { return slices.Contains(statuses, s) }), "%v", statuses)
				}
			})
		}
	}
}

// plainest is a call that does nothing but that operation, with success.
func (o *observed) plainest(id string) *call {
	for _, seen := range o.all {
		x := seen.exchanges[0]
		if seen.call.fails == nil && len(seen.exchanges) == 1 && x.operation == id && x.succeeded() {
			return seen.call
		}
	}
	return nil
}

// unknownText compares the text of a refusal with those that the document
// shows for its status, if it shows any, and for no status in particular.
func (d *document) unknownText(x *exchange) string {
	if x.response.StatusCode < 400 {
		return ""
	}
	status := strconv.Itoa(x.response.StatusCode)
	responses := d.matching(x.request).spec.get("responses")
	shown := examples(responses.get(status))
	if len(shown) == 0 {
		return ""
	}
	// The document says of this one that any route may have it, with 400 or 503.
	shown = append(shown, d.root.get("components", "examples", "InstanceNotConnected"))
	for _, example := range append(shown, examples(responses.get("default"))...) {
		if pattern(example.get("value", "error", "message").text()).MatchString(errorText(x.responseBody)) {
			return ""
		}
	}
	return "reply: the document shows other texts for " + status
}

// examples are the examples of a reply's body.
func examples(reply part) (list []part) {
	for _, e := range reply.body().get("examples").all() {
		list = append(list, e)
	}
	return list
}

func errorText(body []byte) string {
	var refusal struct {
		Error struct{ Message string }
	}
	_ = json.Unmarshal(body, &refusal)
	return refusal.Error.Message
}

var variable = regexp.MustCompile(`\s*<[^>]*>\s*`)

// pattern matches a text in which what stands in angle brackets varies.
func pattern(shown string) *regexp.Regexp {
	parts := variable.Split(shown, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(`(?is)^` + strings.Join(parts, `.*`) + `$`)
}
