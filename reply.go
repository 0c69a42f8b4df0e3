package ryze

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
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
	case r.status == http.StatusTooManyRequests && r.isSilent(message, own):
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
}

// errorBody is {"message": "..."}, read leniently: a bare string will do.
type errorBody struct{ message string }

// said reports whether there is a text.
func (e *errorBody) said() bool { return e != nil && strings.TrimSpace(e.message) != "" }

// UnmarshalJSON never fails.
func (e *errorBody) UnmarshalJSON(b []byte) error {
	var object struct {
		Message string `json:"message"`
	}
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
	return e.Success == failed || e.Success == probablyFailed ||
		e.Success == unstated && e.Failure.said()
}

// failure returns the error of a 2xx that says that it failed. That is certain
// when it says so in so many words: false, or a text. Anything less plain may mean
// something else: the outcome of a call that must not be repeated is open then.
func (e *envelope) failure(op *Operation, r *rawReply) error {
	if !e.failed() {
		return nil
	}
	api := r.apiError(op, e.message())
	if e.Success == failed || e.message() != "" {
		return api
	}
	api.open = true
	if op.Repeatable {
		return api
	}
	return r.doubt(op, r.session.in, r.unreadable(op, "the reply may say that it failed", api))
}

func (e *envelope) message() string {
	if e.Failure != nil && e.Failure.message != "" {
		return e.Failure.message
	}
	return e.Text
}

// base gives the generic helpers access to the envelope.
func (e *envelope) base() *envelope { return e }

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
				if strings.EqualFold(key, name) && (c.Val.IsArray() || c.Val.IsNull()) {
					list = c.Val
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

// parseTime reads a time of a reply as momentOf does, in UTC. It is the zero time
// when it cannot be read.
// A field that holds one is a [stringOrInt], because a Unix time may be a number.
func parseTime[S ~string](s S) time.Time { return timeOf([]byte(s)) }

// stringOrInt is a text that the service may also send as a number.
type stringOrInt string

// UnmarshalJSON never fails.
func (s *stringOrInt) UnmarshalJSON(b []byte) error {
	if text := jsonscan.Value(b).Text(); text != "" {
		*s = stringOrInt(text)
	}
	return nil
}

// wireInt is a whole number that the service may also send as a text.
type wireInt int

// UnmarshalJSON never fails.
func (n *wireInt) UnmarshalJSON(b []byte) error {
	if whole, ok := jsonscan.Value(b).Int(); ok && int64(int(whole)) == whole {
		*n = wireInt(whole)
	}
	return nil
}

// wireBool is a yes or no that the service may also send as a text or a number.
type wireBool struct{ known, on bool }

// isOff reports whether the service says no, and not merely nothing.
func (w wireBool) isOff() bool { return w.known && !w.on }

// UnmarshalJSON never fails.
func (w *wireBool) UnmarshalJSON(b []byte) error {
	if on, known := jsonscan.Value(b).Truth(); known {
		*w = wireBool{known, on}
	}
	return nil
}

// wireCounts are numbers by name. A member that is not a number is left out.
type wireCounts map[string]int

// UnmarshalJSON never fails.
func (c *wireCounts) UnmarshalJSON(b []byte) error {
	for m := jsonscan.Value(b).Members(); m.Next(); {
		if n, ok := m.Val.Int(); ok && int64(int(n)) == n {
			if *c == nil {
				*c = make(wireCounts)
			}
			(*c)[string(m.Key)] = int(n)
		}
	}
	return nil
}

// wireText is the text of a message: a string, or an object with the member
// text. The string "{}" is an empty object that was written as a string.
type wireText string

// UnmarshalJSON never fails.
func (w *wireText) UnmarshalJSON(b []byte) error {
	*w = wireText(contentText(jsonscan.Value(b)))
	return nil
}

// stringOrList is a list of names that the service may send as one text, with
// commas between them.
type stringOrList []string

// UnmarshalJSON never fails.
func (l *stringOrList) UnmarshalJSON(b []byte) error {
	v := jsonscan.Value(b)
	l.add(v.Text())
	for c := v.Elements(); c.Next(); {
		l.add(c.Val.Text())
	}
	return nil
}

func (l *stringOrList) add(names string) {
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.TrimSpace(name); name != "" {
			*l = append(*l, name)
		}
	}
}
