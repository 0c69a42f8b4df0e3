package ryze

// Text is a text message.
//
//	inst.Messages.Send(ctx, "5511987654321", ryze.Text("Hello"))
type Text string

type textBody struct {
	sendCommon
	Message string `json:"message"`
}

// bareText is a textBody without extras, as most are. encoding/json writes it in
// half the time.
type bareText struct {
	Number  string `json:"number,omitempty"`
	Source  string `json:"source,omitempty"`
	Message string `json:"message"`
}

func (Text) kind() contentKind {
	return contentKind{"a text", opSendText, anyChat, usual | canMention | canPreview}
}

func (t Text) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"text", string(t)}); err != nil {
		return nil, err
	}
	if common.sendExtras == nil {
		return bareText{common.Number, common.Source, string(t)}, nil
	}
	return &textBody{common, string(t)}, nil
}

func (t Text) outline() *outline {
	return &outline{types: []MessageType{MessageText, ""}, text: string(t)}
}

// storedText is the stored form of a text.
type storedText struct {
	Text string `json:"text"`
}

var storedTexts = storedAs("text",
	func(t Text) (storedText, error) { return storedText{string(t)}, nil },
	func(s storedText) (Text, error) { return Text(s.Text), nil })
