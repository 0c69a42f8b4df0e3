package ryze

import (
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// GroupChange says what changed in a group. Other values can come.
type GroupChange string

// Changes of a group: the first four concern Participants, the others the group.
const (
	GroupJoined   GroupChange = "joined"
	GroupLeft     GroupChange = "left"
	GroupPromoted GroupChange = "promoted"
	GroupDemoted  GroupChange = "demoted"
	GroupName     GroupChange = "name" // GroupEvent.Name is the new name
	GroupTopic    GroupChange = "topic"
	GroupAnnounce GroupChange = "announce"
	GroupLink     GroupChange = "link"
	GroupDelete   GroupChange = "delete"
)

var groupChanges = []GroupChange{
	GroupJoined, GroupLeft, GroupPromoted, GroupDemoted, GroupName, GroupTopic, GroupAnnounce, GroupLink, GroupDelete,
}

// GroupEvent is a change in a group. It has no author, and of new values only
// the name. For other fields see [Event.Lookup] and docs/service-notes.md.
type GroupEvent struct {
	Change       GroupChange
	Group        JID
	Name         string // name of the group, when given
	Timestamp    time.Time
	Participants []EventUser // whom a change of members concerns; some are known by LID only
}

func readGroup(data jsonscan.Value) *GroupEvent {
	g := &GroupEvent{}
	var key foldedKey
	for c := data.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "type":
			g.Change = knownWord(c.Val.Text(), groupChanges...)
		case "groupjid":
			g.Group = eventJID(c.Val.Text(), ChatGroup)
		case "groupname":
			setString(&g.Name, c.Val)
		case "timestamp":
			g.Timestamp = readTime(c.Val)
		case "participants":
			g.Participants = nil
			add := func(v jsonscan.Value) {
				if u := readUser(v); u != (EventUser{}) {
					g.Participants = append(g.Participants, u.withAddress())
				}
			}
			add(c.Val) // one that is not in an array
			for p := c.Val.Elements(); p.Next(); {
				add(p.Val)
			}
		}
	}
	return g
}
