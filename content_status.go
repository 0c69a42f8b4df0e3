package ryze

import "context"

// StatusContent is what a status (story) can be: [TextStatus] or [MediaStatus].
// It takes only [SourceLabel] and [TimeLimit].
type StatusContent interface {
	Content
	isStatus()
}

func (TextStatus) isStatus()  {}
func (MediaStatus) isStatus() {}

// TextStatus is a status with a text. Text is required.
type TextStatus struct {
	Text            string `json:"text,omitzero"`
	BackgroundColor string `json:"backgroundColor,omitzero"` // such as "#00AAFF"
	// Font is usually "system", "serif" or "sans-serif".
	Font string `json:"font,omitzero"`
}

// MediaStatus is a status with an image, a video or an audio. The source must
// be a [MediaURL].
type MediaStatus Media

type statusBody struct {
	Type            MediaKind `json:"type"` // or "text"
	Message         string    `json:"message,omitempty"`
	MediaURL        string    `json:"mediaUrl,omitempty"`
	MIMEType        string    `json:"mimeType,omitempty"`
	FileName        string    `json:"fileName,omitempty"`
	BackgroundColor string    `json:"backgroundColor,omitempty"`
	Font            string    `json:"font,omitempty"`
	IsVoice         *bool     `json:"isVoice,omitempty"`
	Duration        int64     `json:"duration,omitempty"` // seconds
	Waveform        []int     `json:"waveform,omitempty"`
	Source          string    `json:"source,omitempty"`
}

var statusFeed = jidKinds{JIDBroadcast}

func (TextStatus) kind() contentKind { return contentKind{"a status", opSendStatus, statusFeed, 0} }

func (s TextStatus) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"TextStatus.Text", s.Text}); err != nil {
		return nil, err
	}
	return &statusBody{Type: "text", Message: s.Text, BackgroundColor: s.BackgroundColor, Font: s.Font, Source: common.Source}, nil
}

func (MediaStatus) kind() contentKind { return TextStatus{}.kind() }

func (s MediaStatus) body(common sendCommon) (any, error) {
	if s.Source.file != nil {
		return nil, invalid("MediaStatus.Source", "must be a MediaURL: a status takes no file")
	}
	body, err := Media(s).body(common)
	if err != nil {
		return nil, err
	}
	m := body.(*mediaBody) // no file, so no stream
	if m.MediaType == MediaDocument {
		return nil, invalid("MediaStatus.Kind", "must be image, video or audio; set it when the URL does not tell")
	}
	return &statusBody{
		Type: m.MediaType, Message: m.Message, MediaURL: m.MediaURL, MIMEType: m.MIMEType, FileName: m.FileName,
		IsVoice: m.IsVoice, Duration: m.Duration, Waveform: m.Waveform, Source: common.Source,
	}, nil
}

// PostStatus publishes a status (story) for 24 hours, to those whom the
// account's privacy settings allow. [MessagesService.DeleteForEveryone] removes
// it. Errors are those of [MessagesService.Send].
//
// POST /api/message/status/:instance. Not safe to repeat.
func (s *MessagesService) PostStatus(ctx context.Context, status StatusContent, opts ...SendOption) (*SentMessage, error) {
	if status == nil {
		return nil, invalid("status", "is nil")
	}
	return s.Send(ctx, StatusBroadcast, status, opts...)
}

func (s TextStatus) outline() *outline {
	return &outline{types: []MessageType{MessageText, ""}, text: s.Text}
}

func (s MediaStatus) outline() *outline {
	return Media(s).outline()
}

var (
	storedTextStatuses  = storedAsIs[TextStatus]("text_status")
	storedMediaStatuses = storedAs("media_status",
		func(s MediaStatus) (storedMedia, error) { return Media(s).stored("MediaStatus.Source") },
		func(s storedMedia) (MediaStatus, error) {
			m, err := s.content("MediaStatus.Source")
			return MediaStatus(m), err
		})
)
