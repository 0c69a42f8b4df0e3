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

// MarshalContent returns the stored form of a content: JSON with a version, a
// kind and the fields. [UnmarshalContent] reads it, in this release and later
// ones.
//
//	{"version":1,"kind":"text","content":{"text":"Hello"}}
//
// Equal contents give equal bytes. It stores a [MediaURL] as its URL, a
// [MediaFile] as its path, and [MediaBytes] whole, up to 4 MiB. What cannot be
// stored, such as a [MediaReader], is a [*ValidationError].
//
// The form hides nothing: keep it as private as the message. See
// docs/service-notes.md.
func MarshalContent(c Content) ([]byte, error) {
	if isNil(c) {
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

// UnmarshalContent reads what [MarshalContent] wrote, in this release or an
// earlier one. It does not check the message: [MessagesService.Send] does.
//
// A newer version, kind or field is an error that matches [ErrNewerContent]:
// keep the bytes for the release that wrote them. Other forms are refused, such
// as a null or a double field. Each error is a [*ValidationError].
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
