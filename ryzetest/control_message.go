package ryzetest

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

type messageView struct {
	ID         string          `json:"id"`
	Chat       string          `json:"chat"`
	Sender     string          `json:"sender"`
	SenderName string          `json:"senderName"`
	SenderLID  string          `json:"senderLID"`
	FromMe     bool            `json:"fromMe"`
	Kind       string          `json:"kind"`
	Text       string          `json:"text"`
	Source     string          `json:"source"`
	Timestamp  instant         `json:"timestamp"`
	Status     string          `json:"status"`
	ReplyTo    string          `json:"replyTo"`
	Quoted     *shortView      `json:"quoted"`
	Mentions   []mentionView   `json:"mentions"`
	MentionAll bool            `json:"mentionAll"`
	Forwarded  bool            `json:"forwarded"`
	Edited     bool            `json:"edited"`
	Revoked    bool            `json:"revoked"`
	Pinned     bool            `json:"pinned"`
	Starred    bool            `json:"starred"`
	Deleted    bool            `json:"deleted"`
	Hidden     bool            `json:"hideNumber"`
	Media      *mediaView      `json:"media,omitempty"`
	Location   *locationView   `json:"location,omitempty"`
	Cards      []cardView      `json:"cards,omitempty"`
	Poll       *pollView       `json:"poll,omitempty"`
	Answer     *answerView     `json:"answer,omitempty"`
	Reaction   *reactionOfView `json:"reaction,omitempty"`
	Reactions  []reactionView  `json:"reactions"`

	// What follows is read out of the request that made the message.
	Buttons  *buttonsView  `json:"buttons,omitempty"`
	List     *listView     `json:"list,omitempty"`
	Carousel *carouselView `json:"carousel,omitempty"`
	Form     *formView     `json:"form,omitempty"`
	Pix      *pixView      `json:"pix,omitempty"`
	Event    *eventView    `json:"event,omitempty"`
	Style    *styleView    `json:"style,omitempty"`
}

type mentionView struct {
	JID  string `json:"jid"`
	Name string `json:"name"`
}

type mediaView struct {
	Kind     string `json:"kind"`
	MIME     string `json:"mime"`
	FileName string `json:"fileName"`
	Size     int64  `json:"size"`
	Voice    bool   `json:"voice"`
	Duration int    `json:"duration"`
	URL      string `json:"url"`
	External string `json:"external"`
}

type locationView struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

type cardView struct {
	Name         string   `json:"name"`
	Phones       []string `json:"phones"`
	Organization string   `json:"organization"`
	Email        string   `json:"email"`
	URL          string   `json:"url"`
}

type pollView struct {
	Question string       `json:"question"`
	Options  []optionView `json:"options"`
	Max      int          `json:"max"`
}

type optionView struct {
	Title  string   `json:"title"`
	Votes  int      `json:"votes"`
	Voters []string `json:"voters"`
}

type answerView struct {
	Kind   AnswerKind     `json:"kind"`
	ID     string         `json:"id"`
	Title  string         `json:"title"`
	Card   int            `json:"card"`
	Values map[string]any `json:"values"`
}

// reactionOfView is what a message that is a reaction says.
type reactionOfView struct {
	Emoji     string `json:"emoji"`
	MessageID string `json:"messageId"`
}

// reactionView is a reaction to a message.
type reactionView struct {
	Emoji  string `json:"emoji"`
	Who    string `json:"who"`
	Name   string `json:"name"`
	FromMe bool   `json:"fromMe"`
}

// messageView is a message as the page draws it. The caller holds the lock.
func (i *Instance) messageView(m *Message) messageView {
	_, lid := i.s.world.numbers(m.Sender)
	v := messageView{
		ID: m.ID, Chat: i.s.world.canonical(m.Chat), Sender: m.Sender, SenderName: i.nameOf(m.Sender), SenderLID: lid,
		FromMe: m.FromMe, Kind: m.Kind, Text: m.Text, Source: m.Source, Timestamp: instant(m.Timestamp), Status: m.Status,
		ReplyTo: m.ReplyTo, Mentions: []mentionView{}, MentionAll: m.MentionAll, Forwarded: m.Forwarded, Edited: m.Edited,
		Revoked: m.Revoked, Pinned: m.Pinned, Starred: m.Starred, Deleted: m.Deleted, Hidden: m.event.hidden,
		Media: i.mediaView(m), Poll: i.pollView(m), Cards: cardViews(m), Reactions: i.reactionsTo(m),
	}
	if quoted := i.byID[m.ReplyTo]; quoted != nil {
		v.Quoted = new(i.short(quoted))
	}
	for _, who := range m.Mentions {
		jid := i.s.world.canonical(userJID(who))
		v.Mentions = append(v.Mentions, mentionView{jid, i.nameOf(jid)})
	}
	if l := m.Location; l != nil {
		v.Location = &locationView{l.Latitude, l.Longitude, l.Name, l.Address}
	}
	if a := m.Answer; a != nil {
		v.Answer = &answerView{cmp.Or(a.Kind, AnswerButton), a.ID, a.Title, a.Card, a.Values}
	}
	if r := m.Reaction; r != nil {
		v.Reaction = &reactionOfView{r.Emoji, r.MessageID}
	}
	v.fromRequest(m)
	return v
}

func (i *Instance) mediaView(m *Message) *mediaView {
	f := m.Media
	if f == nil {
		return nil
	}
	v := &mediaView{
		Kind: f.Kind, MIME: f.MIME, FileName: f.FileName, Size: f.Size, Voice: f.Voice, Duration: f.Duration, External: f.URL,
	}
	if f.Bytes != nil {
		v.URL = controlAPI + "instances/" + url.PathEscape(i.name) + "/messages/" + url.PathEscape(m.ID) + "/media"
	}
	return v
}

func (i *Instance) pollView(m *Message) *pollView {
	if m.Poll == nil {
		return nil
	}
	v := &pollView{Question: m.Poll.Question, Max: max(1, m.Poll.Max), Options: make([]optionView, len(m.Poll.Options))}
	for k, title := range m.Poll.Options {
		o := optionView{Title: title, Voters: []string{}}
		for _, vote := range i.book.votes[m.ID] {
			if slices.Contains(vote.options, title) {
				phone, _ := i.s.world.numbers(vote.voter)
				o.Voters = append(o.Voters, cmp.Or(i.nameOf(vote.voter), phone, vote.voter))
			}
		}
		o.Votes = len(o.Voters)
		v.Options[k] = o
	}
	return v
}

// reactionsTo are the reactions that stand: the last one of each person.
func (i *Instance) reactionsTo(m *Message) []reactionView {
	list := []reactionView{}
	for _, r := range i.reacted[m.ID] {
		who := i.s.world.canonical(r.Sender)
		list = slices.DeleteFunc(list, func(v reactionView) bool { return v.Who == who })
		if r.Reaction.Emoji != "" && !r.Revoked {
			list = append(list, reactionView{r.Reaction.Emoji, who, i.nameOf(who), r.FromMe})
		}
	}
	return list
}

func cardViews(m *Message) []cardView {
	if m.Card == nil {
		return nil
	}
	var list []cardView
	for _, c := range values(m.Request).objects("vcard") {
		list = append(list, cardView{c.str("fullName"), []string{c.str("phone")}, c.str("organization"), c.str("email"), c.str("url")})
	}
	if list == nil {
		list = []cardView{readCard(m.Card)}
	}
	return list
}

// readCard takes what the page shows out of a contact, whose vCard may say more.
func readCard(c *ContactCard) cardView {
	v := cardView{Name: c.Name, Phones: []string{}}
	if c.Phone != "" {
		v.Phones = append(v.Phones, c.Phone)
	}
	for line := range strings.Lines(c.VCard) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		name, _, _ = strings.Cut(name, ";")
		switch strings.ToUpper(name) {
		case "FN":
			v.Name = cmp.Or(v.Name, value)
		case "TEL":
			phone := strings.TrimPrefix(value, "+")
			if !slices.Contains(v.Phones, phone) {
				v.Phones = append(v.Phones, phone)
			}
		case "ORG":
			v.Organization = value
		case "EMAIL":
			v.Email = value
		case "URL":
			v.URL = value
		}
	}
	return v
}
