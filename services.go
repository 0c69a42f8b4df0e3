package ryze

type (
	ChatsService    service
	ContactsService service
	LabelsService   service
	CallsService    service
)
