package ryze

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// WebhookReceiver is an [http.Handler] that receives the deliveries of
// webhooks. Make one with [NewWebhookReceiver]. It is safe for concurrent use.
//
// It answers, with a short JSON object,
//
//	200  the handler returned nil, or ErrIgnore: the event is dealt with
//	400  the body is not an event
//	401  the Authorization header is missing, wrong or there twice
//	403  the event belongs to an instance that WithInstances does not name
//	405  the method is not POST
//	413  the body is larger than WithBodyLimit allows
//	415  the body is not declared as application/json, or is compressed
//	503  the handler failed or panicked, or the body broke off
//
// The service documents that it keeps deliveries in a queue, repeats them with
// growing pauses and moves what cannot be delivered to a dead letter queue.
// Which answers it repeats, how often and for how long is not documented;
// clients rely on 503 being repeated. Deliveries come at least once and in no
// promised order, so a handler must bear repetition: an [Inbox] or a [Deduper]
// does that for it.
//
// The answer waits for the handler. How long the service waits for the answer
// is not documented: store the event, answer, and work afterwards.
//
// With byEvents the service appends the name of the event to the path. The
// receiver does not look at the path, since the name in the body is what the
// Authorization header vouches for, so one receiver serves every suffix:
//
//	mux.Handle("/hooks/ryze", receiver)
//	mux.Handle("/hooks/ryze/", receiver) // for byEvents
type WebhookReceiver struct {
	handle  func(context.Context, *Event) error
	cfg     webhookConfig
	accept  [][sha256.Size]byte // hashes of the accepted values
	quoted  [][sha256.Size]byte // and of the same in extra quotes
	compare func(a, b []byte) int
}

// NewWebhookHandler returns a handler of webhook deliveries: [NewWebhookReceiver]
// in the form that fits into an expression.
//
// When the arguments are not valid, which is to say when authorization is
// empty, the handler refuses every delivery with 503, so that the service keeps
// them, and reports the mistake once, at the first of them, as
// [WithWebhookErrors] describes. Programs that would rather not start at all
// use NewWebhookReceiver.
func NewWebhookHandler(authorization string, handle func(context.Context, *Event) error, opts ...WebhookOption) http.Handler {
	r, err := newWebhookReceiver(authorization, handle, opts)
	if err != nil {
		return &refusingHandler{cfg: r.cfg, err: err}
	}
	return r
}

// NewWebhookReceiver returns a receiver of webhook deliveries.
//
// authorization is the value of [WebhookConfig].Authorization, verbatim: the
// scheme included, such as "Bearer <a long random text>". It is the only proof
// that a delivery comes from the service (nothing is signed), so it must not be
// empty. It is compared in constant time.
//
// handle is called with each event, concurrently, in the goroutine of the
// request. Its error decides on the answer: nil and [ErrIgnore] end the
// delivery, anything else asks for another one. So does a panic.
//
// [*ValidationError] when an argument or an option is not valid.
func NewWebhookReceiver(authorization string, handle func(context.Context, *Event) error, opts ...WebhookOption) (*WebhookReceiver, error) {
	r, err := newWebhookReceiver(authorization, handle, opts)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// newWebhookReceiver returns a receiver in any case: with an error it has the
// options that could be read.
func newWebhookReceiver(authorization string, handle func(context.Context, *Event) error, opts []WebhookOption) (*WebhookReceiver, error) {
	r := &WebhookReceiver{
		handle:  handle,
		cfg:     webhookConfig{limit: defaultWebhookLimit},
		compare: subtle.ConstantTimeCompare,
	}
	errs := []error{checkText("authorization", authorization)}
	if handle == nil {
		errs = append(errs, invalid("handle", "is nil"))
	}
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, invalid("option", "is nil"))
			continue
		}
		errs = append(errs, opt(&r.cfg))
	}
	for _, value := range append([]string{authorization}, r.cfg.accepted...) {
		r.accept = append(r.accept, sha256.Sum256([]byte(value)))
		for _, form := range quotedForms(value) {
			r.quoted = append(r.quoted, sha256.Sum256([]byte(form)))
		}
	}
	r.cfg.accepted = nil
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// refusingHandler stands in for a receiver that could not be made.
type refusingHandler struct {
	cfg  webhookConfig
	err  error
	told atomic.Bool
}

func (h *refusingHandler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !h.told.Swap(true) {
		h.cfg.tell(req.Context(), &WebhookError{StatusCode: http.StatusServiceUnavailable, Reason: "the handler is not configured", Err: h.err}, true)
	}
	answer(w, http.StatusServiceUnavailable, "")
}

// ServeHTTP receives one delivery.
func (r *WebhookReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	word, err := r.receive(w, req)
	if err != nil {
		var panicked *PanicError
		r.cfg.tell(req.Context(), err, errors.As(err.Err, &panicked))
		answer(w, err.StatusCode, "")
		return
	}
	answer(w, http.StatusOK, word)
}

// receive returns the word to answer with, or what is wrong.
func (r *WebhookReceiver) receive(w http.ResponseWriter, req *http.Request) (word string, err *WebhookError) {
	refuse := func(status int, reason string) (string, *WebhookError) {
		return "", &WebhookError{StatusCode: status, Reason: reason}
	}
	if req.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "the method is not POST")
	}
	reason := r.authorize(req.Header)
	if reason == noAuthorization && r.cfg.state != nil {
		return r.receiveBareState(w, req)
	}
	if reason != "" {
		return refuse(http.StatusUnauthorized, reason)
	}
	if !isPlainJSON(req.Header) {
		return refuse(http.StatusUnsupportedMediaType, "the body is not declared as plain application/json")
	}
	e, err := readDelivery(w, req, r.cfg.limit)
	if err != nil {
		return "", err
	}
	if !r.expects(e) {
		return "", &WebhookError{StatusCode: http.StatusForbidden, Reason: "the instance is not one of those expected", Event: e}
	}
	return r.dispatch(req.Context(), e, r.handle)
}

// receiveBareState handles a delivery without an Authorization header. Whatever
// is not a state event is refused like any other delivery without it.
func (r *WebhookReceiver) receiveBareState(w http.ResponseWriter, req *http.Request) (word string, err *WebhookError) {
	var e *Event
	if isPlainJSON(req.Header) {
		e, _ = readDelivery(w, req, min(r.cfg.limit, maxBareState))
	}
	if e != nil && r.expects(e) {
		if state, ok := e.Data.(*InstanceStateEvent); ok {
			state.Codes = nil
			e.Raw = nil
			return r.dispatch(req.Context(), e, r.cfg.state)
		}
	}
	return "", &WebhookError{StatusCode: http.StatusUnauthorized, Reason: noAuthorization}
}

// expects reports whether the event's instance is one of those expected.
func (r *WebhookReceiver) expects(e *Event) bool {
	return r.cfg.instances == nil || r.cfg.instances[e.Instance]
}

// dispatch gives the event to its handler.
func (r *WebhookReceiver) dispatch(ctx context.Context, e *Event, handle func(context.Context, *Event) error) (word string, fail *WebhookError) {
	if r.cfg.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.cfg.timeout)
		defer cancel()
	}
	err := callHandler(ctx, e, handle)
	switch {
	case err == nil:
		return "accepted", nil
	case errors.Is(err, ErrIgnore):
		return "ignored", nil
	default:
		return "", &WebhookError{StatusCode: http.StatusServiceUnavailable, Reason: "the handler failed", Event: e, Err: err}
	}
}

const (
	noAuthorization     = "the Authorization header is missing"
	wrongAuthorization  = "the Authorization header is wrong"
	quotedAuthorization = "the Authorization header has the right value in extra quotes: set the webhook again and read it back"
)

// authorize returns what is wrong with the Authorization header, "" if nothing.
// Hashes are compared, each with each, so that neither the length nor the
// beginning of a value shows in the time it takes.
func (r *WebhookReceiver) authorize(header http.Header) string {
	values := header["Authorization"]
	if len(values) == 0 {
		return noAuthorization
	}
	if len(values) > 1 {
		return wrongAuthorization
	}
	got := sha256.Sum256([]byte(values[0]))
	switch {
	case r.oneOf(got[:], r.accept):
		return ""
	case r.oneOf(got[:], r.quoted):
		// Refused all the same: whether the service or somebody in between put
		// the quotes there, it is not the value that was agreed on.
		return quotedAuthorization
	default:
		return wrongAuthorization
	}
}

func (r *WebhookReceiver) oneOf(got []byte, hashes [][sha256.Size]byte) bool {
	equal := 0
	for i := range hashes {
		equal |= r.compare(got, hashes[i][:])
	}
	return equal == 1
}

// isPlainJSON reports whether the body is JSON, with any parameters, and not
// compressed.
func isPlainJSON(header http.Header) bool {
	if coding := header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return false
	}
	declared := header.Get("Content-Type")
	if declared == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(declared)
	return kind == "application/json" && (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter))
}

// deliveryBuffers holds what bodies are read into. An event does not keep it.
var deliveryBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keptBuffer is up to which size a buffer is used again.
const keptBuffer = 1 << 20

func readDelivery(w http.ResponseWriter, req *http.Request, limit int64) (*Event, *WebhookError) {
	tooLarge := &WebhookError{StatusCode: http.StatusRequestEntityTooLarge, Reason: "the body is too large"}
	if req.ContentLength > limit {
		return nil, tooLarge
	}
	buf := deliveryBuffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keptBuffer {
			buf.Reset()
			deliveryBuffers.Put(buf)
		}
	}()
	if n := req.ContentLength; n > 0 {
		// ReadFrom wants room for more before it meets the end.
		buf.Grow(int(min(n, keptBuffer-bytes.MinRead)) + bytes.MinRead)
	}
	if req.Body != nil {
		if _, err := buf.ReadFrom(http.MaxBytesReader(w, req.Body, limit)); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return nil, tooLarge
			}
			return nil, &WebhookError{StatusCode: http.StatusServiceUnavailable, Reason: "the body broke off", Err: bodyError(err)}
		}
	}
	e, err := ParseEvent(buf.Bytes())
	if err != nil {
		return nil, &WebhookError{StatusCode: http.StatusBadRequest, Reason: "the body is not an event", Err: err}
	}
	return e, nil
}

// bodyError keeps the usual errors of reading as they are.
func bodyError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// answer sends the status and one word.
func answer(w http.ResponseWriter, status int, word string) {
	h := w.Header()
	h["Content-Type"] = jsonContentType
	switch status {
	case http.StatusOK:
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	}
	if word == "" {
		word = strings.ToLower(http.StatusText(status))
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"status":"`+word+`"}`)
}

var jsonContentType = []string{"application/json"}
