package ryze

import (
	"cmp"
	"time"

	"github.com/ryzeapi/ryze-go/internal/jsonscan"
)

// sendReply is the reply to a send. It is the most frequent one, and is read in
// place, as events are.
type sendReply struct {
	envelope
	messageID wireID // documented in data alone
	status    statusWord
	data      sentData
}

type sentData struct {
	messageID            wireID
	status               statusWord
	failure              errorBody
	success              successWord
	timestamp            time.Time
	messageType, content string
	chat                 JID
	groupName            string
	replyTo              string
	media                SentMedia
}

// read implements [readInPlace]. What is of another type than it should be is
// left empty. Of equal keys the last counts, but for what says that it failed:
// nothing takes that back.
func (r *sendReply) read(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "success":
			_ = r.Success.UnmarshalJSON(c.Val)
		case "message":
			setString(&r.Text, c.Val)
		case "error":
			if !r.Failure.said() {
				r.Failure = new(errorBody)
				_ = r.Failure.UnmarshalJSON(c.Val)
			}
		case "messageid":
			r.messageID.add(c.Val)
		case "status":
			if !r.status.meansNotSent() {
				_ = r.status.UnmarshalJSON(c.Val)
			}
		case "data":
			r.data.read(c.Val)
		}
	}
}

func (d *sentData) read(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "messageid":
			d.messageID.add(c.Val)
		case "status":
			if !d.status.meansNotSent() {
				_ = d.status.UnmarshalJSON(c.Val)
			}
		case "error":
			if !d.failure.said() {
				_ = d.failure.UnmarshalJSON(c.Val)
			}
		case "success":
			_ = d.success.UnmarshalJSON(c.Val)
		case "timestamp":
			d.timestamp = readTime(c.Val)
		case "messagetype":
			setString(&d.messageType, c.Val)
		case "content":
			setString(&d.content, c.Val)
		case "chat":
			d.readChat(c.Val)
		case "replyto":
			d.readQuoted(c.Val)
		case "mediaurl":
			setString(&d.media.URL, c.Val)
		case "mediamimetype":
			setString(&d.media.MIME, c.Val)
		case "mediasize":
			d.media.Size, _ = c.Val.Int()
		case "mediaduration":
			seconds, _ := c.Val.Float()
			d.media.Duration = time.Duration(seconds * float64(time.Second))
		}
	}
}

func (d *sentData) readChat(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		switch string(key.fold(c.Key)) {
		case "jid":
			d.chat = JID(c.Val.Text())
		case "groupname":
			setString(&d.groupName, c.Val)
		}
	}
}

func (d *sentData) readQuoted(v jsonscan.Value) {
	var key foldedKey
	for c := v.Members(); c.Next(); {
		if string(key.fold(c.Key)) == "messageid" {
			setID(&d.replyTo, c.Val)
		}
	}
}

// saysFailed reports whether one of the words for what became of the message
// means that it was not sent, or an error or a no stands beside its id.
func (r *sendReply) saysFailed() bool {
	d := &r.data
	return d.success.isNo() || r.status.meansNotSent() || d.status.meansNotSent() || r.Failure.said() || d.failure.said()
}

func (r *sendReply) missing() string {
	r.data.messageID = cmp.Or(r.data.messageID, r.messageID)
	if r.data.messageID == "" {
		return "the reply has no message id"
	}
	return ""
}
