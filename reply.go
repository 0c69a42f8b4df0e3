package ryze

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
)

// rawReply is a reply as it came.
type rawReply struct {
	status int
	body   []byte
	rate   RateLimit
	began  time.Time // of the attempt
}

func (r *rawReply) meta() Meta {
	return Meta{RateLimit: r.rate, raw: hide(json.RawMessage(r.body))}
}

// unreadable returns the error of a reply that is not what it should be.
func (r *rawReply) unreadable(op *Operation, reason string, cause error) *ResponseError {
	return &ResponseError{
		StatusCode: r.status, Operation: op.ID, Reason: reason,
		RateLimit: r.rate, Body: bounded(r.body), Err: cause,
	}
}

// doubt returns err as it is for an operation that may be repeated, and as the
// cause of an [OutcomeError] for the others.
func (r *rawReply) doubt(op *Operation, in input, err error) error {
	if op.Repeatable || err == nil {
		return err
	}
	return &OutcomeError{
		Operation: op.ID, Recipient: in.to, Source: in.source, SentAt: r.began, Err: err,
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
	if err := json.Unmarshal(body, v); err != nil {
		var mismatch *json.UnmarshalTypeError
		if !errors.As(err, &mismatch) {
			return r.unreadable(op, "the reply is not whole JSON", err)
		}
	}
	return nil
}

// envelope is what the service puts around its payloads. Replies embed it.
type envelope struct {
	Success *bool      `json:"success"`
	Text    string     `json:"message"`
	Failure *errorBody `json:"error"`

	Meta `json:"-"`
}

// errorBody is {"message": "..."}, read leniently: a bare string will do.
type errorBody struct{ message string }

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

// failure returns the error of a 2xx that says "success": false. The service
// itself says that it failed, so there is no doubt about the outcome.
func (e *envelope) failure(op *Operation, r *rawReply) error {
	if e.Success == nil || *e.Success {
		return nil
	}
	return newAPIError(op, r.status, e.message(), r.rate, r.body)
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

// fetch makes the request of an operation and reads its reply into a new T,
// a struct that embeds [envelope].
func fetch[T any, P interface {
	*T
	base() *envelope
}](ctx context.Context, h handle, op *Operation, in input) (*T, error) {
	return fetchChecked[T, P](ctx, h, op, in, nil)
}

// fetchChecked is fetch for replies that must say something to be a success:
// check returns what is missing, or "".
func fetchChecked[T any, P interface {
	*T
	base() *envelope
}](ctx context.Context, h handle, op *Operation, in input, check func(*T) string) (*T, error) {
	rep, err := h.client.call(ctx, h, op, in)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := rep.decode(op, v); err != nil {
		return nil, rep.doubt(op, in, err)
	}
	e := P(v).base()
	if err := e.failure(op, rep); err != nil {
		return nil, err
	}
	e.Meta = rep.meta()
	if check != nil {
		if missing := check(v); missing != "" {
			return nil, rep.doubt(op, in, rep.unreadable(op, missing, nil))
		}
	}
	return v, nil
}

// run makes the request of an operation whose reply says nothing more than
// that it worked.
func run(ctx context.Context, h handle, op *Operation, in input) error {
	_, err := fetch[envelope](ctx, h, op, in)
	return err
}

// isOwnRefusal reports whether the body of a reply that is not a success comes
// from the service itself: its envelope says "success": false and has an error.
// Anything else (a proxy's page, an empty 404) may come from whoever stands in
// between, so its status says nothing about what the service did.
func isOwnRefusal(body []byte) bool {
	var e struct {
		Success *bool           `json:"success"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil || e.Success == nil || *e.Success || len(e.Error) == 0 {
		return false
	}
	var text string
	var object struct {
		Message *string `json:"message"`
	}
	return json.Unmarshal(e.Error, &text) == nil || json.Unmarshal(e.Error, &object) == nil && object.Message != nil
}
