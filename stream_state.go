package ryze

// StreamState is what a stream is doing. The set is open.
type StreamState string

// States of a stream.
const (
	StreamConnecting   StreamState = "connecting"   // Subscribe has not returned yet
	StreamOpen         StreamState = "open"         // events come in
	StreamReconnecting StreamState = "reconnecting" // an outage; the stream comes back by itself
	StreamClosed       StreamState = "closed"       // the stream has ended, see Err
)
