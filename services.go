package ryze

type (
	GroupsService      service
	CommunitiesService service
	NewslettersService service
	ProfileService     service
	ChatwootService    service
)
type ChatwootConfig struct {
	BaseURL                                                    string
	AccountID                                                  int
	APIToken                                                   Secret
	InboxName                                                  string
	SignMessages, IgnoreGroups, StartAsPending, ReopenResolved bool
}

func (*ChatwootConfig) check() error { return nil }
