package ryze

import (
	"net/http"
	"strings"
)

// errorText is one row of the table that maps what the service says to
// sentinel errors. Texts are compared without regard to case, because the
// service is not consistent in it. The first row that fits wins.
type errorText struct {
	status int // 0 stands for any, anyServerError for 5xx
	match  textMatch
	text   string // lower case
	is     []error
}

// anyServerError stands for every 5xx in a row of the table.
const anyServerError = 5

type textMatch int

const (
	exactly     textMatch = iota
	prefix                // the tail varies
	contains              // only a part of the text is known
	surrounding           // something stands in the place of "..."
	sentence              // the stop at the end does not count
)

// errorTexts lists every documented error text that means more than its
// status. A row's sentinels replace those of the status class, so a row that
// still belongs to its class names it.
var errorTexts = []errorText{
	// Chatwoot's own refusals come with 400, 401 and 403, so they go first: a
	// 401 from Chatwoot says nothing about the caller's token.
	{anyServerError, prefix, "chatwoot ", []error{ErrChatwoot, ErrServer}},
	{0, prefix, "chatwoot ", []error{ErrChatwoot}},
	{http.StatusServiceUnavailable, prefix, "integration gateway not configured", []error{ErrChatwootDisabled}},

	// Authentication.
	{http.StatusUnauthorized, prefix, "missing token", []error{ErrMissingToken, ErrUnauthorized}},
	{http.StatusUnauthorized, exactly, "invalid token", []error{ErrInvalidToken, ErrUnauthorized}},
	{http.StatusUnauthorized, exactly, "invalid instance token", []error{ErrInvalidInstanceToken, ErrUnauthorized}},
	{http.StatusUnauthorized, exactly, "invalid account token", []error{ErrInvalidAccountToken, ErrUnauthorized}},

	// Ownership and quota.
	{http.StatusForbidden, prefix, "instance token does not match", []error{ErrInstanceTokenMismatch, ErrForbidden}},
	{http.StatusForbidden, prefix, "instance does not belong to your account", []error{ErrInstanceNotOwned, ErrForbidden}},
	{http.StatusForbidden, prefix, "account instance quota exceeded", []error{ErrQuotaExceeded, ErrForbidden}},
	{http.StatusForbidden, prefix, "not authorized to ", []error{ErrNotAdmin, ErrForbidden}},

	// Connection. The service says "not connected" with 400 on some routes and 503 on others.
	{0, prefix, "instance is not connected to whatsapp", []error{ErrNotConnected}},
	{http.StatusBadRequest, prefix, "instance has no saved session", []error{ErrNoSession, ErrNotConnected}},
	{http.StatusBadRequest, prefix, "websocket is not enabled for this instance", []error{ErrWebSocketDisabled}},

	// Not found. Channels that do not exist are a 400 on some routes.
	{http.StatusNotFound, exactly, "instance not found", []error{ErrInstanceNotFound, ErrNotFound}},
	{http.StatusNotFound, exactly, "message not found or no media available", []error{ErrMessageNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "message not found", []error{ErrMessageNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "message does not belong to this instance", []error{ErrMessageNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "tag not found", []error{ErrLabelNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "poll not found", []error{ErrPollNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "group not found", []error{ErrGroupNotFound, ErrNotFound}},
	{http.StatusNotFound, prefix, "websocket not configured for this instance", []error{ErrNotConfigured, ErrNotFound}},
	{http.StatusNotFound, prefix, "no chatwoot integration", []error{ErrNotConfigured, ErrNotFound}},
	{0, surrounding, "message with id ... not found", []error{ErrMessageNotFound, ErrNotFound}}, // its status is not documented
	{http.StatusNotFound, prefix, "newsletter not found", []error{ErrNewsletterNotFound, ErrNotFound}},
	{http.StatusBadRequest, prefix, "newsletter not found", []error{ErrNewsletterNotFound, ErrNotFound}},
	{0, prefix, "invite link has been revoked or expired", []error{ErrInviteRevoked}}, // its status is not documented

	// What can never succeed, although two of these come as 500.
	{http.StatusBadRequest, contains, "too old to edit", []error{ErrNotEditable, ErrInvalidArgument}},
	{http.StatusBadRequest, contains, "can only edit", []error{ErrNotEditable, ErrInvalidArgument}},
	{http.StatusInternalServerError, prefix, "unsupported message type for forwarding", []error{ErrInvalidArgument}},
	{http.StatusInternalServerError, prefix, "error parse community jid", []error{ErrInvalidArgument}},

	// Rate limit: the whole documented text, or its first sentence. Any other 429 is
	// WhatsApp's throttling.
	{http.StatusTooManyRequests, sentence, "rate limit exceeded. try again later", []error{ErrRateLimited}},
	{http.StatusTooManyRequests, sentence, "rate limit exceeded", []error{ErrRateLimited}},
}

// classify returns the sentinels of a reply that is not a success. When a 2xx
// says that it failed, only the text counts.
func classify(status int, message string) []error {
	text := strings.ToLower(strings.TrimSpace(message))
	for i := range errorTexts {
		if row := &errorTexts[i]; row.fits(status, text) {
			return row.is
		}
	}
	return statusClass(status)
}

func (row *errorText) fits(status int, text string) bool {
	if row.status != 0 && row.status != status && row.status != status/100 && status/100 != 2 {
		return false
	}
	switch row.match {
	case prefix:
		return strings.HasPrefix(text, row.text)
	case surrounding:
		before, after, _ := strings.Cut(row.text, "...")
		return strings.HasPrefix(text, before) && strings.HasSuffix(text, after)
	case contains:
		return strings.Contains(text, row.text)
	case sentence:
		return strings.TrimRight(text, ". ") == row.text
	default:
		return text == row.text
	}
}

var statusClasses = map[int][]error{
	http.StatusUnauthorized:          {ErrUnauthorized},
	http.StatusForbidden:             {ErrForbidden},
	http.StatusNotFound:              {ErrNotFound},
	http.StatusConflict:              {ErrConflict},
	http.StatusTooManyRequests:       {ErrThrottled},
	http.StatusNotImplemented:        {ErrNotImplemented},
	http.StatusBadRequest:            {ErrInvalidArgument},
	http.StatusRequestEntityTooLarge: {ErrInvalidArgument},
	http.StatusUnprocessableEntity:   {ErrInvalidArgument},
}

var serverClass = []error{ErrServer}

func statusClass(status int) []error {
	if is, ok := statusClasses[status]; ok {
		return is
	}
	if status >= 500 || status < 300 { // a status that HTTP does not have, too
		return serverClass
	}
	return nil
}
