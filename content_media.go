package ryze

import (
	"mime"
	"strings"
	"time"

	"github.com/ryzeapi/ryze-go/internal/upload"
)

// Media is an image, a video, an audio or another file.
//
//	photo := ryze.Media{Source: ryze.MediaFile("photo.jpg"), Caption: "The view"}
//	inst.Messages.Send(ctx, "5511987654321", photo)
//
// A file is streamed in constant memory. The service's size limit is not known;
// see docs/service-notes.md.
type Media struct {
	// Source is where the file comes from: [MediaFile], [MediaBytes],
	// [MediaReader], [MediaFS] or [MediaURL]. It is required.
	Source MediaSource `json:"-"`
	// Kind is how WhatsApp shows the file. Default: the kind of its MIME type;
	// of a URL, that of the name in it.
	Kind MediaKind `json:"kind,omitzero"`
	// Caption is the text below the file.
	Caption string `json:"caption,omitzero"`
	// FileName is the name shown on a document. Default: the source's name
	// without directories; of a URL, the service's choice.
	FileName string `json:"fileName,omitzero"`
	// MIME is the file's type. Default: read from the content, or from the name
	// when the content shows only a container such as MP4, Ogg or ZIP. For a
	// URL the service finds it out.
	MIME string `json:"mime,omitzero"`
	// Voice sends an audio as a voice note. The service does so by default: for
	// music, set it to new(false).
	Voice *bool `json:"voice,omitzero"`
	// Duration of an audio. The service finds out when it is zero.
	Duration time.Duration `json:"duration,omitzero"`
	// Waveform of an audio, values 0 to 255. When it is empty the service makes
	// one.
	Waveform []byte `json:"waveform,omitzero"`
}

func (m Media) kind() contentKind {
	return contentKind{"a media message", opSendMedia, anyChat, usual | canMention}
}

type mediaBody struct {
	sendCommon
	MediaType MediaKind `json:"mediaType"`
	MediaURL  string    `json:"mediaUrl,omitempty"`
	Message   string    `json:"message,omitempty"`
	MIMEType  string    `json:"mimeType,omitempty"`
	FileName  string    `json:"fileName,omitempty"`
	IsVoice   *bool     `json:"isVoice,omitempty"`
	Duration  int64     `json:"duration,omitempty"` // seconds
	Waveform  []int     `json:"waveform,omitempty"`
}

func (m Media) body(common sendCommon) (any, error) {
	b := &mediaBody{
		sendCommon: common, MediaType: m.Kind, Message: m.Caption, MIMEType: m.MIME, FileName: m.FileName,
		IsVoice: m.Voice, Duration: int64(m.Duration.Round(time.Second) / time.Second),
	}
	for _, v := range m.Waveform {
		b.Waveform = append(b.Waveform, int(v))
	}
	if m.Duration < 0 {
		return nil, invalid("Media.Duration", "is negative")
	}
	switch m.Kind {
	case "", MediaImage, MediaVideo, MediaAudio, MediaDocument:
	case MediaSticker:
		return nil, invalid("Media.Kind", "is a sticker: send a Sticker")
	default:
		return nil, invalid("Media.Kind", "is not one of image, video, audio, document")
	}
	if err := checkFileName("Media.FileName", m.FileName); err != nil {
		return nil, err
	}
	if m.MIME != "" {
		if kind, _, err := mime.ParseMediaType(m.MIME); err != nil || !strings.Contains(kind, "/") {
			return nil, invalid("Media.MIME", "is not a MIME type")
		}
	}
	var file upload.File
	switch src := m.Source; {
	case src.url != "":
		name, err := checkMediaURL("Media.Source", src.url)
		if err != nil {
			return nil, err
		}
		b.MediaURL = src.url
		if b.MediaType == "" && m.MIME == "" {
			b.MediaType = kindOfMIME(typeByName(name))
		}
	default:
		head, err := src.head(common.ctx, "Media.Source", common.limit)
		if err != nil {
			return nil, err
		}
		if b.FileName == "" {
			if checkFileName("", src.name) != nil {
				return nil, invalid("Media.FileName", "is empty, and the name of the source is not a plain file name in UTF-8; give another")
			}
			b.FileName = src.name
		}
		if b.MIMEType == "" {
			b.MIMEType = asKind(detectMIME(head, src.name), m.Kind)
		}
		file = src.file
	}
	if b.MediaType == "" {
		b.MediaType = kindOfMIME(b.MIMEType)
	}
	if b.MediaType != MediaAudio && (m.Voice != nil || m.Duration > 0 || len(m.Waveform) > 0) {
		return nil, invalid("Media", "has Voice, Duration or Waveform, which belong to an audio, but is "+string(b.MediaType))
	}
	if file == nil {
		return b, nil
	}
	return uploadOf(file, b, "mediaBase64", "")
}

// possibleTypes are the types that the message can have. A file is not looked
// into, because it may be gone: its name tells, or else it can have any.
func (m Media) possibleTypes() []MessageType {
	kind := m.Kind
	switch {
	case kind != "":
	case m.MIME != "":
		kind = kindOfMIME(m.MIME)
	case m.Source.url != "":
		name, _ := checkMediaURL("", m.Source.url)
		kind = kindOfMIME(typeByName(name))
	case typeByName(m.Source.name) != "":
		kind = kindOfMIME(typeByName(m.Source.name))
	default:
		return []MessageType{MessageImage, MessageVideo, MessageAudio, MessageDocument}
	}
	return []MessageType{MessageType(kind)}
}

func (m Media) outline() *outline {
	return &outline{types: m.possibleTypes(), text: m.Caption, media: true}
}

// storedMedia is the stored form of a media message.
type storedMedia struct {
	Media
	Source *storedSource `json:"source,omitzero"`
}

func (m Media) stored(field string) (s storedMedia, err error) {
	s.Media = m
	s.Source, err = m.Source.stored(field)
	return s, err
}

func (s storedMedia) content(field string) (m Media, err error) {
	m = s.Media
	m.Source, err = s.Source.source(field)
	return m, err
}

var storedMedias = storedAs("media",
	func(m Media) (storedMedia, error) { return m.stored("Media.Source") },
	func(s storedMedia) (Media, error) { return s.content("Media.Source") })
