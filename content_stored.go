package ryze

import (
	"encoding/json"
	"slices"
)

// storedKinds are all kinds of contents.
var storedKinds = []storedKind{
	storedTexts, storedMedias, storedStickers, storedLocations, storedContactCard, storedContactCards, storedPolls,
	storedButtons, storedLists, storedCarousels, storedForms, storedPixes, storedCalendarEvents,
	storedReactions, storedRemovedReactions, storedTextStatuses, storedMediaStatuses,
}

// storedVersion grows when what is written now must not be read as it was before.
// A new kind or a new field needs no new version: older releases refuse both.
const storedVersion = 1

// storedContent is what surrounds each stored form. T is what stands for the form.
type storedContent[T any] struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	Content T      `json:"content"`
}

// MarshalContent returns the stored form of a content: JSON with a version, the
// kind and the fields, for an outbox, a queue or a database. [UnmarshalContent]
// reads it, in this release and in later ones. Sending what it returns makes the same
// request.
//
//	{"version":1,"kind":"text","content":{"text":"Hello"}}
//
// Equal contents have equal bytes, and a pointer to a content has those of the
// content. Whether the content can be sent is not checked: [MessagesService.Send]
// does that.
//
// Of media, [MediaURL] is stored as its URL, and [MediaFile] as its path, as it was
// given. The file is opened and checked when it is sent: it must still be there, and
// unchanged. [MediaBytes] is stored whole, up to 4 MiB.
//
// It returns a [*ValidationError] for nil, for a text that is not UTF-8, for a number
// that is not finite, and for more bytes than that. It returns one too for a
// [MediaReader] and a [MediaFS], which nobody can read again later, and for a type of
// your own that embeds a content.
//
// The stored form hides nothing. It is as private as the message, with its phone
// numbers, PIX keys and codes. No content has a field of the type [Secret], and one
// that comes to have one will store its value.
func MarshalContent(c Content) ([]byte, error) {
	if isNilContent(c) {
		return nil, invalid("content", "is nil")
	}
	for _, kind := range storedKinds {
		form, ok, err := kind.write(c)
		if !ok {
			continue
		}
		if err == nil {
			err = checkContent(c)
		}
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(storedContent[any]{storedVersion, kind.name, form})
		if err != nil { // a number or a year that JSON does not have
			return nil, &ValidationError{Field: kind.typeName, Reason: "cannot be stored: " + err.Error(), err: err}
		}
		return b, nil
	}
	return nil, invalid("content", "is of a type that has no stored form; give one of the types listed at Content itself")
}

// UnmarshalContent reads what [MarshalContent] has written, in this release or an
// earlier one. Neither the order of fields nor blanks between them matter. What is
// read is not checked as a message: [MessagesService.Send] does that.
//
// Nothing is left out without a word. A version, a kind or a field that this release
// does not know is an error that matches [ErrNewerContent]: keep the bytes, and read
// them with the release that wrote them. Anything else that MarshalContent does not
// write is refused: a text that is cut off or not UTF-8, a null, a field given twice,
// a value of the wrong type. Each error is a [*ValidationError].
func UnmarshalContent(b []byte) (Content, error) {
	if err := scanStored(b); err != nil {
		return nil, err
	}
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return nil, &ValidationError{Field: storedField, Reason: "has no version", err: err}
	}
	switch {
	case version.Version < 1:
		return nil, invalid(storedField, "has no version")
	case version.Version > storedVersion:
		return nil, newerContent("has a version that this release does not know")
	}
	var stored storedContent[json.RawMessage]
	if err := readStored(b, &stored); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(storedKinds, func(k storedKind) bool { return k.name == stored.Kind })
	switch {
	case stored.Kind == "" || stored.Content == nil:
		return nil, invalid(storedField, "has no kind or no content")
	case i < 0:
		return nil, newerContent("is of the kind " + quoted(stored.Kind) + ", which this release does not know")
	}
	content, err := storedKinds[i].read(stored.Content)
	if err != nil {
		return nil, err
	}
	if err := checkContent(content); err != nil {
		return nil, err
	}
	return content, nil
}
