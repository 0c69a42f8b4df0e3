package ryze

// Reaction puts an emoji on a message and replaces an earlier one. Send it to
// the chat of the message, not to a channel. It takes only [SourceLabel] and
// [TimeLimit].
//
//	inst.Messages.Send(ctx, chat, ryze.Reaction{MessageID: id, Emoji: "👍"})
type Reaction struct {
	MessageID string `json:"messageId,omitzero"` // the message to react to
	Emoji     string `json:"emoji,omitzero"`
	// FromMe is true when the instance itself sent that message.
	FromMe bool `json:"fromMe,omitzero"`
	// Participant is the author of that message. It is required in a group
	// unless FromMe is true.
	Participant JID `json:"participant,omitzero"`
}

// RemoveReaction removes a reaction. Its fields are those of [Reaction].
type RemoveReaction struct {
	MessageID   string `json:"messageId,omitzero"`
	FromMe      bool   `json:"fromMe,omitzero"`
	Participant JID    `json:"participant,omitzero"`
}

type reactionBody struct {
	sendCommon
	MessageID   string `json:"messageId"`
	Reaction    string `json:"reaction"`
	FromMe      bool   `json:"fromMe"`
	Participant string `json:"participant,omitempty"`
}

// removeReaction is the word that takes a reaction back.
const removeReaction = "remove"

func (Reaction) kind() contentKind {
	return contentKind{"a reaction", opSendReaction, peopleGroups, 0}
}

func (r Reaction) body(common sendCommon) (any, error) {
	if isBlank(r.Emoji) || r.Emoji == removeReaction {
		return nil, invalid("Reaction.Emoji", "is not an emoji; to take a reaction back use RemoveReaction")
	}
	return r.wire(common, "Reaction")
}

func (RemoveReaction) kind() contentKind { return Reaction{}.kind() }

func (r RemoveReaction) body(common sendCommon) (any, error) {
	return Reaction{r.MessageID, removeReaction, r.FromMe, r.Participant}.wire(common, "RemoveReaction")
}

func (r Reaction) wire(common sendCommon, field string) (any, error) {
	if err := checkText(field+".MessageID", r.MessageID); err != nil {
		return nil, err
	}
	b := &reactionBody{common, r.MessageID, r.Emoji, r.FromMe, ""}
	switch {
	case r.Participant != "":
		if err := r.Participant.check(field+".Participant", people); err != nil {
			return nil, err
		}
		b.Participant = string(r.Participant.Bare())
	case JID(common.Number).IsGroup() && !r.FromMe:
		return nil, invalid(field+".Participant", "is empty: in a group it names the author of a message that the instance did not send")
	}
	return b, nil
}

func (r Reaction) outline() *outline {
	return &outline{reaction: &r, notStored: true}
}

func (r RemoveReaction) outline() *outline {
	return &outline{reaction: &Reaction{MessageID: r.MessageID}, notStored: true}
}

var (
	storedReactions        = storedAsIs[Reaction]("reaction")
	storedRemovedReactions = storedAsIs[RemoveReaction]("remove_reaction")
)
