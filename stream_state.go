package ryze

// StreamState is the state of a stream. Other values can come.
type StreamState string

// States of a stream.
const (
	StreamConnecting   StreamState = "connecting"   // Subscribe has not returned yet
	StreamOpen         StreamState = "open"         // events come in
	StreamReconnecting StreamState = "reconnecting" // an outage; the stream reconnects by itself
	StreamClosed       StreamState = "closed"       // the stream has ended, see Err
)
