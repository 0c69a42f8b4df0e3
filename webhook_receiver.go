package ryze

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// WebhookReceiver is an [http.Handler] for webhook deliveries. It is safe for
// concurrent use. Its answers are short JSON objects:
//
//	200  the handler returned nil, or ErrIgnore: the event is dealt with
//	400  the body is not an event
//	401  the Authorization header is missing, wrong or there twice
//	403  the event belongs to an instance that WithInstances does not name
//	405  the method is not POST
//	413  the body is larger than WithReadLimit allows
//	415  the body is not declared as application/json, or is compressed
//	503  the handler failed, panicked or ended its goroutine, or the body broke off
//
// The answer waits for the handler: store the event, answer, and work
// afterwards. Deliveries repeat, in any order; an [Inbox] or a [Deduper]
// handles that. See docs/service-notes.md.
//
// It ignores the path, so one receiver serves all suffixes of ByEvents:
//
//	mux.Handle("/hooks/ryze", receiver)
//	mux.Handle("/hooks/ryze/", receiver) // for byEvents
type WebhookReceiver struct {
	handle  Handler
	cfg     webhookConfig
	accept  [][sha256.Size]byte // hashes of the accepted values
	quoted  [][sha256.Size]byte // and of the same in extra quotes
	compare func(a, b []byte) int
	places  chan struct{} // one for each handler at work, nil for no limit

	mu    sync.Mutex
	stats WebhookStats
}

// NewWebhookHandler is [NewWebhookReceiver] without an error. With a bad
// argument the handler answers 503, so that the service keeps its deliveries,
// and reports the mistake once; see [WithErrorHandler].
func NewWebhookHandler(authorization string, handle Handler, opts ...WebhookOption) http.Handler {
	r, err := newWebhookReceiver(authorization, handle, opts)
	if err != nil {
		return &refusingHandler{cfg: r.cfg, err: err}
	}
	return r
}

// NewWebhookReceiver returns a receiver of webhook deliveries. authorization is
// the value of [WebhookConfig].Authorization, with its scheme, such as "Bearer
// <a long random text>". It must not be empty: it is the only proof of origin.
//
// handle is called for each event, at the same time. Nil and [ErrIgnore] end
// the delivery. Another error or a panic asks for another one. A bad value, a
// nil handle or a nil option is a [*ValidationError].
func NewWebhookReceiver(authorization string, handle Handler, opts ...WebhookOption) (*WebhookReceiver, error) {
	r, err := newWebhookReceiver(authorization, handle, opts)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// newWebhookReceiver returns a receiver in any case: with an error it has the
// options that could be read.
func newWebhookReceiver(authorization string, handle Handler, opts []WebhookOption) (*WebhookReceiver, error) {
	r := &WebhookReceiver{
		handle: handle,
		cfg: webhookConfig{
			reading: reading{readLimit: defaultReadLimit}, handling: handling{observing: observing{via: viaWebhook}},
		},
		compare: subtle.ConstantTimeCompare,
	}
	errs := []error{checkText("authorization", authorization)}
	if handle == nil {
		errs = append(errs, invalid("handle", "is nil"))
	}
	for i := range opts { // all of them: a bad one does not hide the error handler
		errs = append(errs, applyOptions(opts[i:i+1], func(o WebhookOption) error { return o.applyToWebhook(&r.cfg) }))
	}
	for _, value := range append([]string{authorization}, r.cfg.accepted...) {
		r.accept = append(r.accept, sha256.Sum256([]byte(value)))
		for _, form := range quotedForms(value) {
			r.quoted = append(r.quoted, sha256.Sum256([]byte(form)))
		}
	}
	r.cfg.accepted = nil
	if n := r.cfg.concurrency; n > 0 {
		r.places = make(chan struct{}, n)
	}
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
	err := fmt.Errorf("the handler is not configured: %w", h.err)
	failed := &HandlerError{StatusCode: http.StatusServiceUnavailable, Err: err}
	if h.told.Swap(true) {
		answer(w, failed.StatusCode, "")
		return
	}
	h.cfg.refuse(w, req, failed, true)
}

// ServeHTTP receives one delivery.
func (r *WebhookReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	e, handle, refused := r.receive(w, req)
	if refused != nil {
		r.cfg.answered(req.Context(), refused.Event, refused.StatusCode, refused.Err, began)
		r.mu.Lock()
		*r.stats.refused(refused.StatusCode)++
		r.mu.Unlock()
		r.cfg.refuse(w, req, refused, false)
		return
	}
	var err error
	if err = r.enter(req.Context()); err != nil {
		err = fmt.Errorf("no place among the handlers: %w", err)
		r.cfg.answered(req.Context(), e, http.StatusServiceUnavailable, err, began)
		r.cfg.refuse(w, req, &HandlerError{Event: e, Err: err, StatusCode: http.StatusServiceUnavailable}, false)
		return
	}
	defer r.finish(w, req, e, began, &err)
	r.cfg.call(req.Context(), e, handle, &err)
}

// enter waits for a place among the handlers.
func (r *WebhookReceiver) enter(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places == nil {
		r.stats.Running++
		return nil
	}
	r.stats.Waiting++
	r.mu.Unlock()
	var err error
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r.mu.Lock()
	r.stats.Waiting--
	if err != nil {
		r.stats.Abandoned++
	} else {
		r.stats.Running++
	}
	return err
}

// finish answers with what came of the handler, also when that has ended the
// goroutine.
func (r *WebhookReceiver) finish(w http.ResponseWriter, req *http.Request, e *Event, began time.Time, err *error) {
	ignored := errors.Is(*err, ErrIgnore)
	status, told := http.StatusOK, error(nil)
	if *err != nil && !ignored {
		status, told = http.StatusServiceUnavailable, *err
	}
	r.cfg.answered(req.Context(), e, status, told, began)
	r.mu.Lock()
	r.stats.Running--
	switch {
	case *err == nil:
		r.stats.Handled++
	case ignored:
		r.stats.Ignored++
	default:
		r.stats.Failed++
	}
	r.mu.Unlock()
	if r.places != nil {
		<-r.places
	}
	switch {
	case *err == nil:
		answer(w, http.StatusOK, "accepted")
	case ignored:
		answer(w, http.StatusOK, "ignored")
	default:
		failed := &HandlerError{Event: e, Err: *err, StatusCode: status}
		r.cfg.refuse(w, req, failed, isPanic(*err))
	}
}

// refuse reports a delivery and answers it.
func (c *webhookConfig) refuse(w http.ResponseWriter, req *http.Request, failed *HandlerError, urgent bool) {
	ended := true // the goroutine, by the error handler
	defer func() {
		if !ended {
			answer(w, failed.StatusCode, "")
			return
		}
		// net/http will not finish the answer of a goroutine that ends, and the
		// connection ends with it.
		if req.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(answerText(failed.StatusCode, ""))))
		answer(w, failed.StatusCode, "")
		_ = http.NewResponseController(w).Flush()
	}()
	c.tell(req.Context(), failed, urgent)
	ended = urgent && endedGoroutine(failed.Err)
}

// receive returns the event and its handler, or why it is refused.
func (r *WebhookReceiver) receive(w http.ResponseWriter, req *http.Request) (*Event, Handler, *HandlerError) {
	if req.Method != http.MethodPost {
		return nil, nil, notAccepted(http.StatusMethodNotAllowed, errNotPost)
	}
	reason := r.authorize(req.Header)
	if r.cfg.state != nil && errors.Is(reason, errNoAuthorization) {
		if e := r.receiveBareState(w, req); e != nil {
			return e, r.cfg.state, nil
		}
	}
	if reason != nil {
		return nil, nil, notAccepted(http.StatusUnauthorized, reason)
	}
	if !isPlainJSON(req.Header) {
		return nil, nil, notAccepted(http.StatusUnsupportedMediaType, errNotJSON)
	}
	e, refused := readDelivery(w, req, r.cfg.readLimit)
	if refused != nil {
		return nil, nil, refused
	}
	if !r.expects(e) {
		refused = notAccepted(http.StatusForbidden, errOtherInstance)
		refused.Event = e
		return nil, nil, refused
	}
	if !r.cfg.wants(e.Type) {
		return e, ignore, nil
	}
	return e, r.handle, nil
}

func notAccepted(status int, reason error) *HandlerError {
	return &HandlerError{StatusCode: status, Err: reason}
}

// receiveBareState reads a delivery without an Authorization header. It returns
// nil for whatever is not a state event.
func (r *WebhookReceiver) receiveBareState(w http.ResponseWriter, req *http.Request) *Event {
	if !isPlainJSON(req.Header) {
		return nil
	}
	e, refused := readDelivery(w, req, min(r.cfg.readLimit, maxBareState))
	if refused != nil || !r.expects(e) {
		return nil
	}
	state, ok := e.Data.(*InstanceStateEvent)
	if !ok {
		return nil
	}
	state.Codes = nil
	e.Raw = nil
	return e
}

// expects reports whether the event's instance is one of those expected.
func (r *WebhookReceiver) expects(e *Event) bool {
	return r.cfg.instances == nil || r.cfg.instances[e.Instance]
}

// Why a delivery is refused, by names that [ErrorType] gives to metrics.
var (
	errNotPost             = sentinel("the method is not POST")
	errNotJSON             = sentinel("the body is not declared as plain application/json")
	errOtherInstance       = sentinel("the instance is not one of those expected")
	errTooLarge            = sentinel("the body is too large")
	errNoAuthorization     = sentinel("the Authorization header is missing")
	errWrongAuthorization  = sentinel("the Authorization header is wrong")
	errQuotedAuthorization = sentinel("the Authorization header has the right value in extra quotes: set the webhook again and read it back")
)

// authorize returns what is wrong with the Authorization header, nil if nothing.
// Hashes are compared, each with each, so that neither the length nor the
// beginning of a value shows in the time it takes.
func (r *WebhookReceiver) authorize(header http.Header) error {
	values := header["Authorization"]
	if len(values) == 0 {
		return errNoAuthorization
	}
	if len(values) > 1 {
		return errWrongAuthorization
	}
	got := sha256.Sum256([]byte(values[0]))
	switch {
	case r.oneOf(got[:], r.accept):
		return nil
	case r.oneOf(got[:], r.quoted):
		// Refused all the same: whether the service or somebody in between put
		// the quotes there, it is not the value that was agreed on.
		return errQuotedAuthorization
	default:
		return errWrongAuthorization
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

func readDelivery(w http.ResponseWriter, req *http.Request, limit int64) (*Event, *HandlerError) {
	if req.ContentLength > limit {
		return nil, notAccepted(http.StatusRequestEntityTooLarge, errTooLarge)
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
				return nil, notAccepted(http.StatusRequestEntityTooLarge, errTooLarge)
			}
			return nil, notAccepted(http.StatusServiceUnavailable, fmt.Errorf("the body broke off: %w", bodyError(err)))
		}
	}
	e, err := ParseEvent(buf.Bytes())
	if err != nil {
		return nil, notAccepted(http.StatusBadRequest, fmt.Errorf("the body is not an event: %w", err))
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
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answerText(status, word)) //nolint:gosec // words of this package
}

func answerText(status int, word string) string {
	if word == "" {
		word = strings.ToLower(http.StatusText(status))
	}
	return `{"status":"` + word + `"}`
}

var jsonContentType = []string{"application/json"}
