package ryze

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Sentinel errors, to be matched with [errors.Is]. The service sends no error
// codes, only an HTTP status and a text; one table (in this file) turns the
// documented texts into these. A text that is not in the table still matches
// the sentinel of its status class.
var (
	// ErrInvalidArgument: the arguments were refused, by this package before
	// any request (a [*ValidationError]) or by the service (400, 413, 422).
	ErrInvalidArgument = errors.New("invalid argument")

	// ErrUnauthorized: 401, the token is missing or not valid. The four errors
	// below say more where the service does.
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

	// ErrNotFound: 404, or a "not found" that the service sends as 400.
	ErrNotFound           = errors.New("not found")
	ErrInstanceNotFound   = fmt.Errorf("instance %w", ErrNotFound)
	ErrMessageNotFound    = errors.New("message not found")
	ErrLabelNotFound      = errors.New("label not found")
	ErrPollNotFound       = errors.New("poll not found")
	ErrGroupNotFound      = errors.New("group not found")
	ErrNewsletterNotFound = errors.New("newsletter not found")
	// ErrNotConfigured: the integration asked for was never set up on the
	// instance (WebSocket, Chatwoot). It matches ErrNotFound as well.
	ErrNotConfigured = errors.New("not configured")

	// ErrConflict: 409, the name is taken or the webhook exists.
	ErrConflict = errors.New("conflict")

	// ErrNotConnected: the instance is not connected to WhatsApp, whichever
	// status (400 or 503) the service chose to say it with. Nothing was sent.
	ErrNotConnected = errors.New("instance is not connected to WhatsApp")
	// ErrBanned: WhatsApp has banned the number of the instance, for a time or for
	// good. It matches ErrNotConnected. See [InstanceClient.WaitConnected].
	ErrBanned = fmt.Errorf("number is banned by WhatsApp: %w", ErrNotConnected)
	// ErrNoSession: there is no stored session to reconnect; call
	// [InstanceClient.Connect].
	ErrNoSession = errors.New("instance has no saved session")
	// ErrWebSocketDisabled: the event stream is not enabled for the instance.
	ErrWebSocketDisabled = errors.New("WebSocket is not enabled for the instance")
	// ErrInviteRevoked: the invite link was revoked or has expired.
	ErrInviteRevoked = errors.New("invite link revoked or expired")
	// ErrNotEditable: the message is too old or not of a kind that can be edited.
	ErrNotEditable = errors.New("message cannot be edited")

	// ErrRateLimited: the quota of the token is used up; see [RateLimitError].
	// The request was not accepted.
	ErrRateLimited = errors.New("rate limited")
	// ErrThrottled: 429 with another text than the rate limit's, which is taken for
	// WhatsApp's own throttling. Slow down; sends are not repeated.
	ErrThrottled = errors.New("throttled by WhatsApp")

	// ErrForeignReply: a refusal that is not in the service's envelope, such as a
	// proxy's page or an empty 404. It matches the sentinel of its status class as
	// well, but it says nothing about what the service did: see [ErrOutcomeUnknown].
	ErrForeignReply = errors.New("the reply is not the service's own")

	// ErrNotImplemented: 501, the service cannot do this.
	ErrNotImplemented = errors.New("not implemented by the service")
	// ErrServer: any other 5xx, a 2xx that says that it failed in a text that is not
	// known, or a status that HTTP does not have.
	ErrServer = errors.New("server error")

	// ErrChatwoot: the Chatwoot installation refused, not RyzeAPI. It comes
	// with status 400, 401 or 403 and says nothing about the caller's token.
	ErrChatwoot = errors.New("refused by Chatwoot")
	// ErrChatwootDisabled: 503, the Chatwoot module is off on the server.
	ErrChatwootDisabled = errors.New("Chatwoot module is not configured on the server")

	// ErrNetwork: no reply came. The connection failed, or the time limit of the
	// last attempt passed; [errors.As] and [errors.Is] find the cause. Unless the
	// error matches ErrOutcomeUnknown too, the call may be made again. A call that
	// ended because its own context did matches only the context's error.
	ErrNetwork = errors.New("no reply")
	// ErrMediaSource: the source of a file failed while it was being sent. The
	// request was never whole, so it was not accepted.
	ErrMediaSource = errors.New("the media could not be read")
	// ErrMediaTooLarge: the media is larger than the limit of a download.
	ErrMediaTooLarge = errors.New("media is larger than the limit")
	// ErrLimiter: the [Limiter] failed, so no request was made. The limiter's own
	// error is in the chain.
	ErrLimiter = errors.New("the limiter failed")

	// ErrRedirect: the server answered with a redirect, which is never followed,
	// because the token would follow too; the text names its status and its host.
	// 307 and 308 say that nothing was carried out. The others, such as 303, may be
	// the answer to a POST that was: see [ErrOutcomeUnknown].
	ErrRedirect = errors.New("redirect refused")
	// ErrBadResponse: the reply could not be read: cut short, too large, not
	// JSON, or without the fields that make it a success.
	ErrBadResponse = errors.New("unreadable response")

	// ErrOutcomeUnknown: the request may have been carried out. It is never
	// repeated by this package and must not be repeated blindly by the caller;
	// see [OutcomeError].
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrNotSent: the message was looked for everywhere and is not there, or the send
	// was refused; see [MessagesService.Settle].
	ErrNotSent = errors.New("not sent")
	// ErrPartial: the call succeeded, but for a part of what was asked for. The
	// result is there all the same; the [*PartialError] says what is missing.
	// Whatever was to be created exists: do not create it again.
	ErrPartial = errors.New("not all of it was done")

	// ErrNewerContent: a newer release has written this content. It has a version, a
	// kind or a field that this one does not know; see [UnmarshalContent].
	ErrNewerContent = errors.New("the stored content is of a newer release")

	// ErrClosed: the [Client] has been closed.
	ErrClosed = errors.New("client is closed")
)

// APIError is a reply of the service that says no: an HTTP status that is not
// a success, or a 2xx whose body says "success": false. Match it with
// [errors.Is] and the sentinels above, read it with [errors.As].
//
// It never holds the request, so it cannot carry a token; Message and Body are
// what the service sent.
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

// Is reports whether target is one of the sentinels that the reply stands for.
func (e *APIError) Is(target error) bool {
	for _, kind := range e.kinds {
		if kind == target {
			return true
		}
	}
	return false
}

// LogValue implements [slog.LogValuer] without the body, which may hold
// anything the service was told.
func (e *APIError) LogValue() slog.Value {
	return slog.GroupValue(slog.String("operation", e.Operation), slog.Int("status", e.StatusCode), slog.String("message", printable(e.Message)))
}

// Format implements [fmt.Formatter], so that %+v and %#v do not print Body.
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

// RateLimitError says that a call was given up because of the rate limit: the
// wait would have passed the context's deadline or the longest wait allowed
// (five minutes unless [RetryPolicy] says otherwise). The request was not
// accepted, so it may be repeated after RetryAt. It matches [ErrRateLimited].
type RateLimitError struct {
	RetryAt   time.Time // when the quota is expected back, in UTC
	Operation string    // id of the operation
	RateLimit RateLimit // the quota as last known
	Err       error     // the 429 (*APIError) or the context's error, if one of them led here

	open bool // an attempt before may have been carried out
}

// Error says when to come back.
func (e *RateLimitError) Error() string {
	text := "ryze: " + e.Operation + ": rate limited"
	if !e.RetryAt.IsZero() {
		text += " until " + e.RetryAt.UTC().Format(time.RFC3339)
	}
	if e.Err != nil {
		text += ": " + strings.TrimPrefix(e.Err.Error(), "ryze: ")
	}
	return text
}

// Is matches [ErrRateLimited].
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }

// Unwrap returns what led here, if anything.
func (e *RateLimitError) Unwrap() error { return e.Err }

// ErrContactNotFound says that the service does not know a phone for a LID, or a
// LID for a phone. It matches [ErrNotFound].
var ErrContactNotFound = fmt.Errorf("other address of the contact %w", ErrNotFound)

// namedError is a sentinel that [ErrorType] names, wherever it is defined.
type namedError struct{ name string }

func sentinel(name string) error { return &namedError{name} }

func (e *namedError) Error() string { return e.name }

// ValidationError says that an argument was refused before any request was
// made. It matches [ErrInvalidArgument].
type ValidationError struct {
	Field  string // the argument, named as in the Go signature or struct
	Reason string // what is wrong with it; never the value of a secret

	err error // the cause, such as that of a file that cannot be read
}

func invalid(field, reason string) *ValidationError {
	return &ValidationError{Field: field, Reason: reason}
}

// Error names the field and the reason.
func (e *ValidationError) Error() string { return "ryze: " + e.Field + " " + e.Reason }

// Is matches [ErrInvalidArgument].
func (e *ValidationError) Is(target error) bool { return target == ErrInvalidArgument }

// Unwrap returns the cause, if there is one.
func (e *ValidationError) Unwrap() error { return e.err }

// redirectError says that the server answered with a redirect. It matches
// [ErrRedirect].
type redirectError struct {
	StatusCode int
	Operation  string
	Host       string // where the redirect pointed: host and port only
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
		return true
	default:
		return false
	}
}

// ResponseError says that something of the service could not be read. It matches
// [ErrBadResponse].
//
// A reply was cut short, larger than the limit, not JSON, or lacked what makes it a
// success. When the operation must not be repeated it arrives inside an
// [OutcomeError].
//
// An event, for [ParseEvent] and in a gap, was not JSON, not a JSON object, or had
// no event name. Then Operation is empty, and of the fields only Reason and Body are
// set.
type ResponseError struct {
	StatusCode int
	Operation  string
	Reason     string
	RateLimit  RateLimit
	// Body is what was read of the reply, at most 64 KiB. Of an event it is the
	// beginning, at most 4 KiB: the part that could be read as JSON, without the
	// token.
	Body []byte
	Err  error // the cause, if there is one
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

// Format implements [fmt.Formatter], so that %+v and %#v do not print Body.
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
	return text + e.err.Error()
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
