package ryze

import (
	"context"
	"fmt"
	"net/url"
)

// LabelsService manages the labels of WhatsApp Business. To change a label,
// delete it and create another. The phone shows changes after one or two
// seconds.
type LabelsService service

// Label is a label.
type Label struct {
	Meta `json:"-"`

	ID    string
	Name  string
	Color int    // 0 to 10, see [LabelsService.Create]
	Type  string // such as "CUSTOM"
}

type wireLabel struct {
	ID      stringOrInt `json:"id"`
	Name    stringOrInt `json:"name"`
	Color   wireInt     `json:"color"`
	Type    stringOrInt `json:"type"`
	Deleted wireBool    `json:"deleted"`
}

func (w *wireLabel) label(meta Meta) Label {
	return Label{Meta: meta, ID: string(w.ID), Name: string(w.Name), Color: int(w.Color), Type: string(w.Type)}
}

// List returns the labels, also those made on the phone. It leaves out deleted
// labels that wait for the next sync.
//
// GET /api/chat/tag/:instance. Safe to repeat.
func (s *LabelsService) List(ctx context.Context) ([]Label, error) {
	type listed struct {
		label   Label
		deleted bool
	}
	all, err := fetchList(ctx, s.h, opLabelsList, input{}, []string{"tags"}, func(w *wireLabel, meta Meta) listed {
		return listed{w.label(meta), w.Deleted.on}
	})
	if err != nil {
		return nil, err
	}
	labels := make([]Label, 0, len(all))
	for _, l := range all {
		if !l.deleted {
			labels = append(labels, l.label)
		}
	}
	return labels, nil
}

const maxLabelColor = 10

type labelReply struct {
	envelope
	tag *wireLabel
}

func (r *labelReply) missing() string {
	r.tag = resourceIn(r.Raw(), func(w *wireLabel) bool { return names(string(w.ID)) }, "tag", "label")
	if r.tag == nil || r.tag.Name == "" && r.Success == unstated { // any reply may have an id
		return "the reply has no label id"
	}
	return ""
}

// Create makes a label. The service trims the name. The colors 0 to 10 are
// #ff9485, #64c4ff, #ffd429, #dfaef0, #99b6c1, #55ccb3, #ff9dff, #d3a91d,
// #6d7cce, #d7e752, #00d0e2.
//
// A repetition makes a second label. With [ErrOutcomeUnknown] list the labels
// first.
//
// POST /api/chat/tag/:instance. Not safe to repeat.
func (s *LabelsService) Create(ctx context.Context, name string, color int) (*Label, error) {
	if err := checkFilled(filled{"name", name}); err != nil {
		return nil, err
	}
	if color < 0 || color > maxLabelColor {
		return nil, invalid("color", fmt.Sprintf("is %d, which is not between 0 and %d: the service would make it 0", color, maxLabelColor))
	}
	in := input{body: map[string]any{"name": name, "color": color}, hint: "the label may exist: list the labels before creating it again"}
	r, err := fetchChecked(ctx, s.h, opLabelCreate, in, (*labelReply).missing)
	if err != nil {
		return nil, err
	}
	label := r.tag.label(r.Meta)
	return &label, nil
}

// Delete deletes a label and takes it off each chat. It returns
// [ErrLabelNotFound] for an unknown id, except after a lost reply.
//
// DELETE /api/chat/tag/:instance. Safe to repeat.
func (s *LabelsService) Delete(ctx context.Context, labelID string) error {
	if err := checkName("label id", labelID); err != nil {
		return err
	}
	return run(ctx, s.h, opLabelDelete, input{query: url.Values{"tagId": {labelID}}.Encode()})
}

// Assign puts a label on a chat, if it is not there yet. It returns
// [ErrLabelNotFound] for an unknown id.
//
// POST /api/chat/assignTag/:instance. Safe to repeat.
func (s *LabelsService) Assign(ctx context.Context, chat JID, labelID string) error {
	if err := checkLabeling(chat, labelID); err != nil {
		return err
	}
	return run(ctx, s.h, opLabelAssign, input{body: map[string]any{"number": chat.wire(), "tagId": labelID}})
}

// Unassign takes a label off a chat, if it is there. The label stays. It
// returns [ErrLabelNotFound] for an unknown id.
//
// DELETE /api/chat/assignTag/:instance. Safe to repeat.
func (s *LabelsService) Unassign(ctx context.Context, chat JID, labelID string) error {
	if err := checkLabeling(chat, labelID); err != nil {
		return err
	}
	return run(ctx, s.h, opLabelUnassign, input{query: url.Values{"number": {chat.wire()}, "tagId": {labelID}}.Encode()})
}

func checkLabeling(chat JID, labelID string) error {
	if err := chat.check("chat", anyChat); err != nil {
		return err
	}
	return checkName("label id", labelID)
}
