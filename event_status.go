package ryze

import (
	"strings"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// MessageStatus is the state of a message on its way. Receipts, sends and
// stored messages use parts of one vocabulary. An unknown word is kept as
// received.
type MessageStatus string

// Statuses with a [MessageStatus.Rank], in its order.
const (
	StatusPending   MessageStatus = "pending"   // not yet with WhatsApp
	StatusSent      MessageStatus = "sent"      // accepted; no receipt says so
	StatusDelivered MessageStatus = "delivered" // reached the recipient's device
	StatusReceived  MessageStatus = "received"  // only for messages that came in
	StatusRead      MessageStatus = "read"      // in a receipt: by a recipient who has read receipts on
	StatusPlayed    MessageStatus = "played"    // the audio, voice note or video was played
)

// Statuses without a rank.
const (
	StatusError       MessageStatus = "error"        // failed; no receipt says so
	StatusServerError MessageStatus = "server_error" // in a receipt: WhatsApp's servers failed
	StatusRetry       MessageStatus = "retry"        // redelivery was asked for; passes by itself
	StatusInactive    MessageStatus = "inactive"     // the recipient has been offline for too long
	StatusSender      MessageStatus = "sender"       // internal echo of the sending side
	StatusReadSelf    MessageStatus = "read_self"    // the account read it on another of its devices
	StatusPlayedSelf  MessageStatus = "played_self"  // the account played it on another of its devices
)

// Rank orders statuses: pending, sent, delivered and received, read, played.
// All others have rank 0. Compare ranks; the numbers mean nothing else.
func (s MessageStatus) Rank() int {
	switch s {
	case StatusPending:
		return 1
	case StatusSent:
		return 2
	case StatusDelivered, StatusReceived:
		return rankArrived
	case StatusRead:
		return rankArrived + 1
	case StatusPlayed:
		return rankArrived + 2
	default:
		return 0
	}
}

// rankArrived is the rank of a message that is with its recipient.
const rankArrived = 3

// Supersedes reports whether s, which arrives now, replaces an earlier status
// ("" for none). A late "delivered" does not replace "read". A status without a
// rank counts only before arrival.
func (s MessageStatus) Supersedes(earlier MessageStatus) bool {
	rank, before := s.Rank(), earlier.Rank()
	if before < rankArrived && (rank == 0 || before == 0) {
		return s != earlier
	}
	return rank > before
}

// messageStatuses are the known statuses by their spellings in one word.
var messageStatuses = func() map[string]MessageStatus {
	spellings := map[string]MessageStatus{"failed": StatusError} // the word of the metrics
	for _, status := range []MessageStatus{
		StatusPending, StatusSent, StatusDelivered, StatusReceived, StatusRead, StatusPlayed, StatusError, StatusServerError,
		StatusRetry, StatusInactive, StatusSender, StatusReadSelf, StatusPlayedSelf,
	} {
		spellings[wordsTogether.Replace(string(status))] = status
	}
	return spellings
}()

// messageStatus reads a status in any spelling: case does not count, and neither
// do blanks, hyphens and underscores.
func messageStatus[S ~string](word S) MessageStatus {
	if known, ok := messageStatuses[string(word)]; ok {
		return known
	}
	if known, ok := messageStatuses[wordsTogether.Replace(strings.ToLower(string(word)))]; ok {
		return known
	}
	return MessageStatus(word)
}

func readStatus(v jsonscan.Value) MessageStatus {
	switch s := v.TextBytes(); string(s) { // no copy of a word that is known
	case string(StatusDelivered):
		return StatusDelivered
	case string(StatusRead):
		return StatusRead
	default:
		return messageStatus(string(s))
	}
}
