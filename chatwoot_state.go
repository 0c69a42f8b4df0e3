package ryze

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
