package ryze

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Sentinel errors, to be matched with [errors.Is]. The service sends texts, no
// codes: a table in this file maps the documented ones. Other texts match the
// sentinel of their status class.
var (
	// ErrInvalidArgument: an argument was refused, before any request (a
	// [*ValidationError]) or by the service (400, 413, 422).
	ErrInvalidArgument = errors.New("invalid argument")

	// ErrUnauthorized: 401, the token is missing or not valid. The four errors
	// below say more when the service does.
	ErrUnauthorized         = errors.New("unauthorized")
	ErrMissingToken         = errors.New("missing token")
	ErrInvalidToken         = errors.New("invalid token")
	ErrInvalidInstanceToken = errors.New("invalid instance token")
	ErrInvalidAccountToken  = errors.New("invalid account token")

	// ErrForbidden: 403, a valid token without rights over the target.
	ErrForbidden             = errors.New("forbidden")
	ErrInstanceTokenMismatch = errors.New("instance token does not match the requested instance")
	ErrInstanceNotOwned      = errors.New("instance does not belong to the account")
	ErrQuotaExceeded         = errors.New("account instance quota exceeded")
	ErrNotAdmin              = errors.New("not an admin of the group")

	// ErrNotFound: 404, or a 400 with a "not found" text.
	ErrNotFound           = errors.New("not found")
	ErrInstanceNotFound   = fmt.Errorf("instance %w", ErrNotFound)
	ErrMessageNotFound    = errors.New("message not found")
	ErrLabelNotFound      = errors.New("label not found")
	ErrPollNotFound       = errors.New("poll not found")
	ErrGroupNotFound      = errors.New("group not found")
	ErrNewsletterNotFound = errors.New("newsletter not found")
	// ErrNotConfigured: the instance never had this integration (WebSocket,
	// Chatwoot). It also matches ErrNotFound.
	ErrNotConfigured = errors.New("not configured")

	// ErrConflict: 409, the name or the webhook exists.
	ErrConflict = errors.New("conflict")

	// ErrNotConnected: the instance is not connected to WhatsApp (400 or 503).
	// Nothing was sent.
	ErrNotConnected = errors.New("instance is not connected to WhatsApp")
	// ErrBanned: WhatsApp has banned the number, for a time or for good. It
	// matches ErrNotConnected.
	ErrBanned = fmt.Errorf("number is banned by WhatsApp: %w", ErrNotConnected)
	// ErrNoSession: there is no stored session. Call [InstanceClient.Connect].
	ErrNoSession = errors.New("instance has no saved session")
	// ErrWebSocketDisabled: the event stream is not enabled for the instance.
	ErrWebSocketDisabled = errors.New("WebSocket is not enabled for the instance")
	// ErrInviteRevoked: the invite link was revoked or has expired.
	ErrInviteRevoked = errors.New("invite link revoked or expired")
	// ErrNotEditable: the message is too old or of another kind.
	ErrNotEditable = errors.New("message cannot be edited")

	// ErrRateLimited: the token's quota is used up; see [RateLimitError]. The
	// request was not accepted.
	ErrRateLimited = errors.New("rate limited")
	// ErrThrottled: a 429 with another text than the rate limit's, so probably
	// WhatsApp's. Slow down. Sends are not repeated.
	ErrThrottled = errors.New("throttled by WhatsApp")

	// ErrForeignReply: a refusal by something else than the service, such as a
	// proxy's page. It also matches the sentinel of its status class. See also
	// [ErrOutcomeUnknown].
	ErrForeignReply = errors.New("the reply is not the service's own")

	// ErrNotImplemented: 501, the service cannot do this.
	ErrNotImplemented = errors.New("not implemented by the service")
	// ErrServer: another 5xx, a failed 2xx with an unknown text, or a status
	// that HTTP does not have.
	ErrServer = errors.New("server error")

	// ErrChatwoot: Chatwoot refused, not RyzeAPI (400, 401 or 403). The
	// client's token is not concerned.
	ErrChatwoot = errors.New("refused by Chatwoot")
	// ErrChatwootDisabled: 503, the Chatwoot module is off on the server.
	ErrChatwootDisabled = errors.New("Chatwoot module is not configured on the server")

	// ErrNetwork: no reply came, because the connection failed or the time
	// limit passed. The call may be repeated unless the error also matches
	// ErrOutcomeUnknown. The end of the call's own context is no ErrNetwork.
	ErrNetwork = errors.New("no reply")
	// ErrMediaSource: the source of a file failed while it was sent. The
	// request was not accepted.
	ErrMediaSource = errors.New("the media could not be read")
	// ErrMediaTooLarge: the media exceed the limit of a download.
	ErrMediaTooLarge = errors.New("media is larger than the limit")
	// ErrLimiter: the [Limiter] failed, so no request was made. The chain holds
	// its error.
	ErrLimiter = errors.New("the limiter failed")

	// ErrRedirect: the server answered with a redirect. It is never followed:
	// the token would follow too. After 307 and 308 nothing was done. After
	// others see [ErrOutcomeUnknown].
	ErrRedirect = errors.New("redirect refused")
	// ErrBadResponse: the reply cannot be read: cut short, too large, not JSON,
	// without required fields, or with an error beside a success.
	ErrBadResponse = errors.New("unreadable response")

	// ErrOutcomeUnknown: the request may have been carried out. This package
	// never repeats it. Do not repeat it blindly; see [OutcomeError].
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrNotSent: the message was searched everywhere and not found, or the
	// send was refused; see [MessagesService.Settle].
	ErrNotSent = errors.New("not sent")
	// ErrPartial: the call succeeded without a part. The result is there, and
	// the [*PartialError] says what is missing. Do not create it again.
	ErrPartial = errors.New("not all of it was done")

	// ErrNewerContent: a newer release wrote this content; see
	// [UnmarshalContent].
	ErrNewerContent = errors.New("the stored content is of a newer release")

	// ErrClosed: the [Client] has been closed.
	ErrClosed = errors.New("client is closed")
)

// APIError is a refusal by the service: an HTTP status that is no success, or a
// 2xx with "success": false. It never holds the request or a token.
type APIError struct {
	StatusCode int       // HTTP status of the reply
	Message    string    // error.message of the reply, or "" when it had none
	Operation  string    // id of the operation, such as "messages.text"
	RateLimit  RateLimit // quota headers of the reply
	Body       []byte    // the reply's body, at most 64 KiB of it

	kinds   []error
	open    bool      // this attempt, or one before it, may have been carried out
	retryAt time.Time // what a Retry-After header said, zero without one
}

// isCertain reports whether the service says, with whatever status, that it has
// not done what was asked for.
func (e *APIError) isCertain() bool {
	return slices.ContainsFunc([]error{
		ErrNotConnected, ErrNotImplemented, ErrInvalidArgument, ErrChatwootDisabled, ErrInviteRevoked, ErrMessageNotFound,
	}, e.Is)
}

// maxErrorBody is how much of a reply's body an error keeps.
const maxErrorBody = 64 << 10

// Error gives the operation, the status and the service's text.
func (e *APIError) Error() string {
	var b strings.Builder
	b.WriteString("ryze: ")
	if e.Operation != "" {
		b.WriteString(e.Operation)
		b.WriteString(": ")
	}
	switch {
	case e.Message != "":
		b.WriteString(printable(e.Message))
	case e.Is(ErrForeignReply):
		b.WriteString(ErrForeignReply.Error())
	case len(e.Body) > 0:
		b.WriteString("the reply has no error text")
	default:
		b.WriteString("the reply is empty")
	}
	fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	return b.String()
}

// Is reports whether target is a sentinel of this reply.
func (e *APIError) Is(target error) bool {
	for _, kind := range e.kinds {
		if kind == target {
			return true
		}
	}
	return false
}

// LogValue implements [slog.LogValuer]. It leaves out the body.
func (e *APIError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("operation", e.Operation), slog.Int("status", e.StatusCode), slog.String("message", printable(e.Message)))
}

// Format implements [fmt.Formatter]. It never prints Body.
func (e *APIError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// maxErrorText bounds what an error text repeats from the network.
const maxErrorText = 512

// printable makes a text from the network safe for one line of a log.
func printable(s string) string {
	if len(s) > maxErrorText {
		s = strings.ToValidUTF8(s[:maxErrorText], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		// Controls and line separators end a line; format characters, such as
		// those that turn the direction, show another text than is there. Joined
		// emoji need one of them.
		if !unicode.IsPrint(r) && r != zeroWidthJoiner {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

const zeroWidthJoiner = '\u200d'

func formatError(f fmt.State, verb rune, err error) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", err.Error())
		return
	}
	_, _ = fmt.Fprint(f, err.Error())
}

// RateLimitError says that a call gave up, because the wait for quota was too
// long for the context or the policy. The request was not accepted; it may be
// repeated after RetryAt.
type RateLimitError struct {
	RetryAt   time.Time // when the quota is expected back, in UTC
	Operation string    // id of the operation
	RateLimit RateLimit // the quota as last known
	Err       error     // the 429 (*APIError) or the context's error, if one of them led here

	open bool // an attempt before may have been carried out
}

// Error says when to come back.
func (e *RateLimitError) Error() string {
	text := "ryze: "
	if e.Operation != "" { // a limiter's own error has none
		text += e.Operation + ": "
	}
	text += "rate limited"
	if !e.RetryAt.IsZero() {
		text += " until " + e.RetryAt.UTC().Format(time.RFC3339)
	}
	if e.Err != nil {
		text += ": " + printable(strings.TrimPrefix(e.Err.Error(), "ryze: "))
	}
	return text
}

// Is matches [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }

// Unwrap returns what led here, if anything.
func (e *RateLimitError) Unwrap() error { return e.Err }

// ErrContactNotFound says that the service knows no phone for a LID, or no LID
// for a phone. It matches [ErrNotFound].
var ErrContactNotFound = fmt.Errorf("other address of the contact %w", ErrNotFound)

// namedError is a sentinel that [ErrorType] names, wherever it is defined.
type namedError struct{ name string }

func sentinel(name string) error { return &namedError{name} }

func (e *namedError) Error() string { return e.name }

// ValidationError says that an argument was refused before any request. It
// matches [ErrInvalidArgument].
type ValidationError struct {
	Field  string // the argument, named as in the Go signature or struct
	Reason string // what is wrong with it; never the value of a secret

	err error // the cause, such as that of a file that cannot be read
}

func invalid(field, reason string) *ValidationError {
	return &ValidationError{Field: field, Reason: reason}
}

// Error names the field and the reason.
func (e *ValidationError) Error() string { return "ryze: " + e.Field + " " + printable(e.Reason) }

// Is matches [ErrInvalidArgument].
func (e *ValidationError) Is(target error) bool { return target == ErrInvalidArgument }

// Unwrap returns the cause, if there is one.
func (e *ValidationError) Unwrap() error { return e.err }

// redirectError says that the server answered with a redirect. It matches
// [ErrRedirect].
type redirectError struct {
	StatusCode  int
	Operation   string
	Host        string // where the redirect pointed: host and port only
	contradicts bool   // its body says that the request succeeded
	open        bool   // this attempt, or one before it, may have been carried out
}

// Error names the host of the redirect, never a path or a query.
func (e *redirectError) Error() string {
	return fmt.Sprintf("ryze: %s: refused to follow a redirect to %q (HTTP %d): check the base URL", e.Operation, e.Host, e.StatusCode)
}

// Is matches [ErrRedirect].
func (e *redirectError) Is(target error) bool { return target == ErrRedirect }

// isCertain reports whether the status says that the request was not carried out
// but is to be made elsewhere. 302 and 303 are how a form says that it was taken
// in, and what the others mean after a POST nobody can say.
func (e *redirectError) isCertain() bool {
	switch e.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return !e.contradicts
	default:
		return false
	}
}

// redirectHost returns the host and port that a redirect points to, or "".
func redirectHost(h http.Header) string {
	u, err := url.Parse(h.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Host
}

// ResponseError says that a reply or an event cannot be read. It matches
// [ErrBadResponse]. An [OutcomeError] holds it when the operation must not be
// repeated. Of an event only Reason and Body are set.
type ResponseError struct {
	StatusCode int
	Operation  string
	Reason     string
	RateLimit  RateLimit
	// Body is what was read: of a reply at most 64 KiB. Of an event it is the
	// first readable JSON, at most 4 KiB, without the token.
	Body []byte
	Err  error // the cause, if there is one

	ended bool // with the call's own context
}

// Error gives the status and the reason.
func (e *ResponseError) Error() string {
	if e.Operation == "" {
		return "ryze: " + e.Reason
	}
	text := fmt.Sprintf("ryze: %s: %s (HTTP %d)", e.Operation, e.Reason, e.StatusCode)
	if e.Err != nil {
		text += ": " + printable(e.Err.Error())
	}
	return text
}

// Is matches [ErrBadResponse].
func (e *ResponseError) Is(target error) bool { return target == ErrBadResponse }

// Unwrap returns the cause.
func (e *ResponseError) Unwrap() error { return e.Err }

// Format implements [fmt.Formatter]. It never prints Body.
func (e *ResponseError) Format(f fmt.State, verb rune) { formatError(f, verb, e) }

// readingMedia is what a call was doing when its source failed.
const readingMedia = "reading the media"

// callError is the error of a call that ended without a reply.
type callError struct {
	op     string
	action string // what was being done, "" for the request itself
	kind   error  // its sentinel, nil when the call's own context ended
	err    error
	open   bool // an attempt may have been carried out
}

// Error names the operation and the cause.
func (e *callError) Error() string {
	text := "ryze: " + e.op + ": "
	if e.action != "" {
		text += e.action + ": "
	}
	return text + printable(e.err.Error())
}

// Is matches the sentinel.
func (e *callError) Is(target error) bool { return e.kind != nil && target == e.kind }

// Unwrap returns the cause.
func (e *callError) Unwrap() error { return e.err }

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// at names an element of a list, as in "Poll.Options[3]".
func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// quoted quotes a name for an error text, with control characters escaped.
func quoted(s string) string { return strconv.Quote(s) }
