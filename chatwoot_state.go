package ryze

import "cmp"

// ChatwootStatus is the state of an integration. Other values can come.
type ChatwootStatus string

// Statuses of an integration.
const (
	ChatwootActive ChatwootStatus = "active"
	ChatwootPaused ChatwootStatus = "paused"
	ChatwootFailed ChatwootStatus = "error"
)

// ChatwootState is the part of an integration that an instance shows.
// [ChatwootService.Get] has all of it.
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
