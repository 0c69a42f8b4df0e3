package ryze

import "time"

// GroupChange says what changed in a group. The set is open.
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

// GroupEvent is a change in a group. Who made the change and, but for the
// name, the new value of what changed are not documented; see [Event.Lookup].
type GroupEvent struct {
	Change       GroupChange
	Group        JID
	Name         string // name of the group, when given
	Timestamp    time.Time
	Participants []EventUser // whom a change of members concerns; some are known by LID only
}

func readGroup(data jsonValue) *GroupEvent {
	g := &GroupEvent{}
	var key foldedKey
	for c := data.members(); c.next(); {
		switch string(key.fold(c.key)) {
		case "type":
			g.Change = GroupChange(c.val.str())
		case "groupjid":
			g.Group = eventJID(c.val.str(), ChatGroup)
		case "groupname":
			setString(&g.Name, c.val)
		case "timestamp":
			g.Timestamp = readTime(c.val)
		case "participants":
			g.Participants = nil
			for p := c.val.elements(); p.next(); {
				if u := readUser(p.val); u != (EventUser{}) {
					g.Participants = append(g.Participants, u.withAddress())
				}
			}
		}
	}
	return g
}
