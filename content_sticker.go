package ryze

import "strings"

// Sticker is a picture that the service turns into a sticker of 512 by 512
// pixels.
type Sticker struct {
	// Source is a PNG, JPEG or GIF: a [MediaURL] or a file. [Media] lists the
	// sources.
	Source MediaSource
}

type stickerBody struct {
	sendCommon
	ImageURL string `json:"imageUrl,omitempty"`
}

func (Sticker) kind() contentKind { return contentKind{"a sticker", opSendSticker, anyChat, usual} }

func (s Sticker) body(common sendCommon) (any, error) {
	const field = "Sticker.Source"
	if s.Source.url != "" {
		if _, err := checkMediaURL(field, s.Source.url); err != nil {
			return nil, err
		}
		return &stickerBody{common, s.Source.url}, nil
	}
	head, err := s.Source.head(common.ctx, field, common.limit)
	if err != nil {
		return nil, err
	}
	picture, _, _ := strings.Cut(detectMIME(head, s.Source.name), ";")
	if kindOfMIME(picture) != MediaImage {
		return nil, invalid(field, "is not an image, but "+picture)
	}
	return uploadOf(s.Source.file, &stickerBody{sendCommon: common}, "imageUrl", "data:"+picture+";base64,")
}

func (s Sticker) outline() *outline {
	return &outline{types: []MessageType{MessageSticker}, media: true}
}

// storedSticker is the stored form of a sticker.
type storedSticker struct {
	Source *storedSource `json:"source,omitzero"`
}

var storedStickers = storedAs("sticker",
	func(s Sticker) (form storedSticker, err error) {
		form.Source, err = s.Source.stored("Sticker.Source")
		return form, err
	},
	func(form storedSticker) (s Sticker, err error) {
		s.Source, err = form.Source.source("Sticker.Source")
		return s, err
	})
