package ryze

import "cmp"

// ChatwootStatus is how an integration is doing. The set is open.
type ChatwootStatus string

// Statuses of an integration.
const (
	ChatwootActive ChatwootStatus = "active"
	ChatwootPaused ChatwootStatus = "paused"
	ChatwootFailed ChatwootStatus = "error"
)

// ChatwootState is what an instance tells of its Chatwoot integration; see
// [ChatwootService.Get] for all of it.
type ChatwootState struct {
	Enabled bool
	Status  ChatwootStatus
	Error   string // why, when Status is [ChatwootFailed]
}

type wireChatwoot struct {
	Enabled wireBool       `json:"enabled"`
	Status  ChatwootStatus `json:"status"`
	Error   string         `json:"error"`
}

// fault is why the integration does not work; "" when nothing says so.
func (w *wireChatwoot) fault() string {
	switch {
	case statusWord(w.Status).meansFailure(), w.Status == "" && w.Error != "":
		return cmp.Or(w.Error, "the reply gives no reason")
	case w.Enabled.isOff():
		return cmp.Or(w.Error, "the reply shows it disabled")
	}
	return ""
}
