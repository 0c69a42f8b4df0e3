package ryze

import "fmt"

// Poll asks a question with 2 to 12 different options. Read the votes with
// [MessagesService.PollVotes]. For channels see docs/service-notes.md.
type Poll struct {
	Question string   `json:"question,omitzero"`
	Options  []string `json:"options,omitzero"`
	// MaxAnswers is how many options one voter may pick: one when it is zero.
	MaxAnswers int `json:"maxAnswers,omitzero"`
}

type pollBody struct {
	sendCommon
	Question  string   `json:"question"`
	Options   []string `json:"options"`
	MaxAnswer int      `json:"maxAnswer,omitempty"`
}

const (
	minPollOptions = 2
	maxPollOptions = 12
)

func (Poll) kind() contentKind { return contentKind{"a poll", opSendPoll, anyChat, usual} }

func (p Poll) body(common sendCommon) (any, error) {
	if err := checkFilled(filled{"Poll.Question", p.Question}); err != nil {
		return nil, err
	}
	n := len(p.Options)
	if n < minPollOptions || n > maxPollOptions {
		return nil, invalid("Poll.Options", fmt.Sprintf("has %d options; a poll has %d to %d", n, minPollOptions, maxPollOptions))
	}
	options := distinct{}
	for i, option := range p.Options {
		field := at("Poll.Options", i)
		if err := checkFilled(filled{field, option}); err != nil {
			return nil, err
		}
		if err := options.add(field, option); err != nil {
			return nil, err
		}
	}
	if p.MaxAnswers < 0 || p.MaxAnswers > n {
		return nil, invalid("Poll.MaxAnswers", fmt.Sprintf("is %d of %d options: the service would change it without a word", p.MaxAnswers, n))
	}
	return &pollBody{common, p.Question, p.Options, p.MaxAnswers}, nil
}

func (p Poll) outline() *outline {
	rendered := inOrder(append([]string{p.Question}, p.Options...)...)
	return &outline{loose: true, similar: func(text string) bool { return text == p.Question || rendered(text) }}
}

var storedPolls = storedAsIs[Poll]("poll")
