package ryze

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// rawReply is a reply as it came.
type rawReply struct {
	session *session
	status  int
	body    []byte
	rate    RateLimit
	began   time.Time // of the attempt
	cut     bool      // body is not whole
}

func (r *rawReply) meta() Meta {
	return Meta{RateLimit: r.rate, raw: hide(json.RawMessage(r.body))}
}

// unreadable returns the error of a reply that is not what it should be.
func (r *rawReply) unreadable(op *Operation, reason string, cause error) *ResponseError {
	return &ResponseError{
		StatusCode: r.status, Operation: op.ID, Reason: reason,
		RateLimit: r.rate, Body: r.session.redactBody(r.body), Err: cause,
	}
}

// refused returns the error of a reply that is not a success. Its status counts
// as the service's word only with the service's envelope; a 429 may be that of
// the quota without it.
func (r *rawReply) refused(op *Operation) *APIError {
	message := errorMessage(r.body)
	own := op.isOwnRefusal(r.body)
	e := r.apiError(op, message)
	switch {
	case e.Is(ErrRateLimited): // by its text, whoever passed it on
	case r.status == http.StatusTooManyRequests && (r.isSilent(message, own) || r.isBareQuota()):
		e.kinds = []error{ErrRateLimited}
	case !own:
		e.kinds = append([]error{ErrForeignReply}, statusClass(r.status)...)
	case op.bare && r.status == http.StatusNotImplemented && !isOwnRefusal(r.body):
		e.kinds = serverClass // Chatwoot's shape is also that of proxies; only the service can say that it has no such thing
	}
	return e
}

// isSilent reports whether a 429 says nothing, which makes it the quota's: it has
// no text, and not because it broke off. With any but the documented text it is
// WhatsApp's, whatever its headers say.
func (r *rawReply) isSilent(message string, own bool) bool {
	return strings.TrimSpace(message) == "" && !r.cut && (own || len(bytes.TrimSpace(r.body)) == 0)
}

// isBareQuota reports whether a whole body is the text of the quota, without the
// envelope, perhaps in quotes.
func (r *rawReply) isBareQuota() bool {
	const longest = 100
	text := strings.Trim(string(r.body[:min(len(r.body), longest)]), "\"\r\n\t ")
	return !r.cut && len(r.body) < longest && classify(r.status, text)[0] == ErrRateLimited //nolint:errorlint // never wrapped
}

// apiError returns the error of a reply of the service that says no. It is
// classified by what came, and keeps what is left when the secrets are out.
func (r *rawReply) apiError(op *Operation, message string) *APIError {
	e := newAPIError(op, r.status, message, r.rate, nil)
	e.Message, e.Body = r.session.redactText(message), r.session.redactBody(r.body)
	return e
}

// doubt returns err as it is for an operation that may be repeated, and as the
// cause of an [OutcomeError] for the others.
func (r *rawReply) doubt(op *Operation, in input, err error) error {
	if op.Repeatable || err == nil {
		return err
	}
	return &OutcomeError{
		Operation: op.ID, Recipient: in.to, Source: in.source, SentAt: r.began.UTC(), Err: err,
		hint: in.hint,
	}
}

// decode reads the body into v. A field of an unexpected type is left empty,
// not an error: a success stays a success, and Raw has what came.
func (r *rawReply) decode(op *Operation, v any) error {
	body := bytes.TrimSpace(r.body)
	if len(body) == 0 {
		return r.unreadable(op, "the reply is empty", nil)
	}
	if body[0] != '{' {
		return r.unreadable(op, "the reply is not a JSON object", nil)
	}
	if in, ok := v.(readInPlace); ok && json.Valid(body) {
		in.read(jsonscan.Value(body))
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		var mismatch *json.UnmarshalTypeError
		if !errors.As(err, &mismatch) {
			return r.unreadable(op, "the reply is not whole JSON", err)
		}
	}
	return nil
}

// readInPlace is a reply that is read without encoding/json, which is given only
// what is no JSON, to say why.
type readInPlace interface{ read(jsonscan.Value) }

// envelope is what the service puts around its payloads. Replies embed it.
type envelope struct {
	Success successWord `json:"success"`
	Text    string      `json:"message"`
	Failure *errorBody  `json:"error"`

	Meta `json:"-"`

	began time.Time // of the attempt
}

// errorBody is {"message": "..."}, read leniently: a bare string will do.
type errorBody struct {
	message string
	says    bool // anything, such as a text, true or a code
}

// errorLevels is how deep an error is read for anything that it says.
const errorLevels = 3

// said reports whether there is an error.
func (e *errorBody) said() bool {
	return e != nil && e.says
}

// UnmarshalJSON never fails.
func (e *errorBody) UnmarshalJSON(b []byte) error {
	var object struct {
		Message string `json:"message"`
	}
	e.says = e.says || saysAnything(b, errorLevels)
	if json.Unmarshal(b, &object) == nil {
		e.message = object.Message
		return nil
	}
	_ = json.Unmarshal(b, &e.message)
	return nil
}

// failed reports whether the envelope of a 2xx says that it failed: "success" is
// not true, or there is an error instead of it.
func (e *envelope) failed() bool {
	return e.Success.isNo() || e.Success == unstated && e.Failure.said()
}

// failure returns the error of a 2xx that says that it failed. That is certain
// when it says so in so many words: false, or a text. Anything less plain may mean
// something else: the outcome of a call that must not be repeated is open then.
func (e *envelope) failure(op *Operation, r *rawReply) error {
	if !e.failed() {
		return nil
	}
	api := r.apiError(op, e.message())
	api.open = r.session.open
	plain := e.Success == probablyFailed && e.message() != "" || e.Success == unstated && e.Failure.message != ""
	if e.Success == failed || plain {
		return api
	}
	api.open = true
	if op.Repeatable {
		return api
	}
	return r.doubt(op, r.session.in, r.unreadable(op, "the reply may say that it failed", api))
}

// contradicts reports whether a reply that shows a success also says that it failed,
// so that the outcome is open. A refusal of what may be repeated is believed at once.
func (e *envelope) contradicts(op *Operation, failure error, reply any, body []byte) bool {
	switch {
	case op.Repeatable:
		return failure == nil && e.Failure.said()
	case e.Success == failed && !op.proves:
		return false
	default:
		return failure != nil || saysFailed(reply, body)
	}
}

func (e *envelope) message() string {
	if e.Failure != nil && e.Failure.message != "" {
		return e.Failure.message
	}
	return e.Text
}

// unacknowledged returns what a reply that shows nothing lacks to be a success, or
// "". The service says "success" with every success, but on the routes of Chatwoot:
// without that word a 2xx may be the page of whoever stands in between.
func (e *envelope) unacknowledged(op *Operation) string {
	var said struct {
		Status statusWord      `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	var inner envelope
	_ = json.Unmarshal(e.Raw(), &said)
	_ = json.Unmarshal(said.Data, &inner) // it may be anything
	switch bare := op.bare && (e.Text != "" || said.Status != ""); {
	case e.Success == unstated && !bare:
		return "the reply does not say that it worked"
	case e.failed() || e.Failure.said() || said.Status.meansFailure() || inner.failed() || inner.Failure.said():
		return "the reply says that it failed"
	}
	return ""
}

// base gives the generic helpers access to the envelope.
func (e *envelope) base() *envelope { return e }

// readInData reads what stands in the data of a reply as if it stood at the top,
// where it is looked for first: the service puts payloads in both places. What
// the envelope says stays. A null at the top hides nothing. It reports whether
// there is such data.
func readInData[T any](v *T, e *envelope) bool {
	if _, done := any(v).(readInPlace); done {
		return false
	}
	body := e.Raw()
	data := memberOf(bytes.TrimSpace(body), "data")
	if !data.IsObject() {
		return false
	}
	said, both := *e, new(T)
	_ = json.Unmarshal(data, both)
	_ = json.Unmarshal(withoutNullMembers(body), both)
	*v, *e = *both, said
	return true
}

// withoutNullMembers leaves out of an object what is null.
func withoutNullMembers(body []byte) []byte {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(body, &members)
	maps.DeleteFunc(members, func(_ string, v json.RawMessage) bool { return jsonscan.Value(v).IsNull() })
	if plain, err := json.Marshal(members); err == nil {
		return plain
	}
	return body
}

// errorMessage finds the error text in a body, which may be anything.
func errorMessage(body []byte) string {
	var e envelope
	_ = json.Unmarshal(body, &e) // what could be read, counts
	return e.message()
}

// saysSucceeded reports whether a body says "success": true.
func saysSucceeded(body []byte) bool {
	var said struct {
		Success successWord `json:"success"`
	}
	_ = json.Unmarshal(plainJSON(body), &said)
	return said.Success == succeeded
}

// saysFailed reports whether a success says in other words that it failed: by
// its member "status", or by an error beside it. A reply may know better.
func saysFailed(reply any, body []byte) bool {
	if r, ok := reply.(interface{ saysFailed() bool }); ok {
		return r.saysFailed()
	}
	var said struct {
		Status  statusWord `json:"status"`
		Failure errorBody  `json:"error"`
	}
	_ = json.Unmarshal(body, &said)
	return said.Status.meansFailure() || said.Failure.said()
}

// isOwnRefusal reports whether the body of a reply that is not a success comes
// from the service itself: its envelope says "success": false and has an error
// with a message. Anything else (a proxy's page, an empty 404) may come from
// whoever stands in between, so its status says nothing about what the service did.
func isOwnRefusal(body []byte) bool {
	var e struct {
		Success *bool `json:"success"`
		Error   *struct {
			Message *string `json:"message"`
		} `json:"error"`
	}
	return json.Unmarshal(plainJSON(body), &e) == nil && e.Success != nil && !*e.Success && e.Error != nil && e.Error.Message != nil
}

// isOwnRefusal is the function of that name for the replies of an operation:
// those of Chatwoot's routes and the report about health have shapes of their own.
func (op *Operation) isOwnRefusal(body []byte) bool {
	switch {
	case isOwnRefusal(body):
		return true
	case op.bare:
		return errorMessage(body) != ""
	case op.reports:
		var report struct {
			Status string `json:"status"`
		}
		return json.Unmarshal(body, &report) == nil && report.Status != ""
	default:
		return false
	}
}

// newAPIError classifies a reply of the service that is not a success.
func newAPIError(op *Operation, status int, message string, rate RateLimit, body []byte) *APIError {
	e := &APIError{StatusCode: status, Message: message, Operation: op.ID, RateLimit: rate, Body: bounded(body, maxErrorBody)}
	e.kinds = classify(status, message)
	return e
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

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
	missing = "the reply has no " + keys[0]
	v := jsonscan.Value(bytes.TrimSpace(body))
	for v != nil {
		if v.IsArray() { // the data
			return elementsOf(v), ""
		}
		var list, data jsonscan.Value
		for c := v.Members(); c.Next(); {
			key := string(c.Key)
			if strings.EqualFold(key, "data") {
				data = c.Val
			}
			for _, name := range keys {
				switch {
				case !strings.EqualFold(key, name):
				case c.Val.IsArray():
					list = c.Val
				case c.Val.IsNull():
					missing = ""
				}
			}
		}
		if list != nil {
			return elementsOf(list), ""
		}
		v = data
	}
	return nil, missing
}

// withoutNulls leaves out of a list what is null.
func withoutNulls(list []json.RawMessage) []json.RawMessage {
	return slices.DeleteFunc(list, func(raw json.RawMessage) bool { return jsonscan.Value(raw).IsNull() })
}

func elementsOf(list jsonscan.Value) []json.RawMessage {
	var items []json.RawMessage
	for c := list.Elements(); c.Next(); {
		items = append(items, json.RawMessage(c.Val))
	}
	return items
}

// resourceIn returns what a reply is about, from the first place that has it:
// under one of the keys at the top or in the data, in the data itself, or at the
// top. The service puts payloads in all of these; has recognizes the one meant.
func resourceIn[T any](body json.RawMessage, has func(*T) bool, keys ...string) *T {
	top := jsonscan.Value(bytes.TrimSpace(body))
	data := memberOf(top, "data")
	places := make([]jsonscan.Value, 0, 2*len(keys)+2)
	for _, object := range []jsonscan.Value{top, data} {
		for _, key := range keys {
			places = append(places, memberOf(object, key))
		}
	}
	for _, place := range append(places, data, top) {
		v := new(T)
		_ = json.Unmarshal(place, v) // what could be read
		if has(v) {
			return v
		}
	}
	return nil
}

// memberOf is the value under a key, in whatever case, as encoding/json finds it;
// nil when there is none.
func memberOf(object jsonscan.Value, key string) (found jsonscan.Value) {
	for c := object.Members(); c.Next(); {
		if strings.EqualFold(string(c.Key), key) {
			found = c.Val
		}
	}
	return found
}
