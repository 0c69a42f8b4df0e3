package ryze

type (
	ChatsService    service
	ContactsService service
	LabelsService   service
	ProfileService  service
	CallsService    service
	ChatwootService service
)
type ChatwootConfig struct {
	BaseURL                                                    string
	AccountID                                                  int
	APIToken                                                   Secret
	InboxName                                                  string
	SignMessages, IgnoreGroups, StartAsPending, ReopenResolved bool
}

func (*ChatwootConfig) check() error { return nil }
