package ryze

import "net/http"

// WebhookStats are the counters of a [WebhookReceiver], at one moment. Each
// delivery counts in exactly one, once it is read. Answers are in brackets.
type WebhookStats struct {
	Handled uint64 // the handler returned nil (200)
	Ignored uint64 // the handler returned ErrIgnore (200)
	Failed  uint64 // the handler failed (503)
	Waiting int    // for a place among the handlers, see WithConcurrency
	Running int    // the handler is at work

	// Deliveries that were refused, by the reason.
	NotPost       uint64 // the method is not POST (405)
	Unauthorized  uint64 // the Authorization header is missing, wrong or there twice (401)
	WrongInstance uint64 // WithInstances does not name the instance (403)
	NotJSON       uint64 // the body is not declared as plain application/json (415)
	TooLarge      uint64 // the body is larger than WithReadLimit allows (413)
	BrokenOff     uint64 // the body broke off (503)
	NotAnEvent    uint64 // the body is not an event (400)
	Abandoned     uint64 // the request ended before there was a place (503)
}

// Stats returns the counters of the receiver.
func (r *WebhookReceiver) Stats() WebhookStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// refused returns the counter of deliveries that are answered with a status
// before the handler is called.
func (s *WebhookStats) refused(status int) *uint64 {
	switch status {
	case http.StatusMethodNotAllowed:
		return &s.NotPost
	case http.StatusUnauthorized:
		return &s.Unauthorized
	case http.StatusForbidden:
		return &s.WrongInstance
	case http.StatusUnsupportedMediaType:
		return &s.NotJSON
	case http.StatusRequestEntityTooLarge:
		return &s.TooLarge
	case http.StatusBadRequest:
		return &s.NotAnEvent
	default:
		return &s.BrokenOff
	}
}
