package ryze

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// storedSample is a content with the bytes that every release reads and writes.
type storedSample struct {
	to      JID
	content Content
	stored  string // of the form alone
}

// storedSamples are contents of each kind, with every field set in one of them. The
// texts are a promise: add to them, but never change one.
func storedSamples() map[string][]storedSample {
	return map[string][]storedSample{
		"text": {
			{ana, Text("Olá <b> & \u2028 \"x\" 👍 \ufffd"), `{"text":"Olá \u003cb\u003e \u0026 \u2028 \"x\" 👍 ` + "\ufffd" + `"}`},
		},
		"media": {
			{ana, Media{Source: MediaURL("https://example.com/a.jpg?x=1&y=2"), Caption: "The view"}, `{"caption":"The view","source":{"url":"https://example.com/a.jpg?x=1\u0026y=2"}}`},
			{ana, Media{Source: MediaFile("testdata/stored/photo.png"), FileName: "a.png", MIME: "image/png", Kind: MediaDocument}, `{"kind":"document","fileName":"a.png","mime":"image/png","source":{"path":"testdata/stored/photo.png"}}`},
			{family, Media{Source: MediaBytes("dir/a.ogg", []byte("OggS\x00\xff")), Kind: MediaAudio, Voice: new(false), Duration: 1500 * time.Millisecond, Waveform: []byte{0, 255}}, `{"kind":"audio","voice":false,"duration":1500000000,"waveform":"AP8=","source":{"name":"a.ogg","bytes":"T2dnUwD/"}}`},
			{ana, Media{Source: MediaBytes("C:D:a.png", pngHead), Waveform: []byte{}}, `{"waveform":"","source":{"name":"D:a.png","bytes":"iVBORw0KGgoAAAANSUhEUg=="}}`},
			{ana, Media{Source: MediaURL("https://example.com/a.mp3"), Voice: new(true)}, `{"voice":true,"source":{"url":"https://example.com/a.mp3"}}`},
		},
		"sticker": {
			{ana, Sticker{MediaURL("https://example.com/s.png")}, `{"source":{"url":"https://example.com/s.png"}}`},
			{ana, Sticker{MediaBytes("", pngHead)}, `{"source":{"bytes":"iVBORw0KGgoAAAANSUhEUg=="}}`},
			{ana, Sticker{MediaFile("testdata/stored/photo.png")}, `{"source":{"path":"testdata/stored/photo.png"}}`},
		},
		"location": {
			{ana, Location{Latitude: -23.561414, Longitude: math.Copysign(0, -1), Name: "Office", Address: "Street 1"}, `{"latitude":-23.561414,"longitude":-0,"name":"Office","address":"Street 1"}`},
			{ana, Location{Longitude: 1e-7}, `{"latitude":0,"longitude":1e-7}`},
		},
		"contact": {
			{ana, ContactCard{FullName: "Ana", Phone: "5511987654321", Organization: "Acme", Email: "a@example.com", URL: "https://example.com"}, `{"fullName":"Ana","phone":"5511987654321","organization":"Acme","email":"a@example.com","url":"https://example.com"}`},
		},
		"contacts": {
			{ana, ContactCards{{FullName: "Ana", Phone: "5511987654321"}, {FullName: "Bia", Phone: "5521987654321"}}, `{"cards":[{"fullName":"Ana","phone":"5511987654321"},{"fullName":"Bia","phone":"5521987654321"}]}`},
			{ana, ContactCards{{FullName: "Ana", Phone: "5511987654321"}}, `{"cards":[{"fullName":"Ana","phone":"5511987654321"}]}`},
			{ana, ContactCards{}, `{"cards":[]}`},
			{ana, ContactCards(nil), `{}`},
		},
		"poll": {
			{family, Poll{Question: "When?", Options: []string{"9am", "2pm"}, MaxAnswers: 2}, `{"question":"When?","options":["9am","2pm"],"maxAnswers":2}`},
			{family, Poll{Question: "When?", Options: []string{"9am", "2pm"}}, `{"question":"When?","options":["9am","2pm"]}`},
			{family, Poll{Options: []string{}}, `{"options":[]}`},
		},
		"buttons": {
			{ana, Buttons{Text: "Choose", Header: "H", Footer: "F", Mixed: true, Buttons: []Button{{Kind: ButtonReply, Label: "Sales", Value: "a"}, {Label: "Help", Value: "b"}, {Kind: ButtonURL, Label: "Open", Value: "https://example.com"}}}, `{"text":"Choose","header":"H","footer":"F","buttons":[{"kind":"REPLY","label":"Sales","value":"a"},{"label":"Help","value":"b"},{"kind":"URL","label":"Open","value":"https://example.com"}],"mixed":true}`},
			{ana, Buttons{Text: "Look", Buttons: []Button{{Kind: ButtonCall, Label: "Call", Value: "+5511987654321"}, {Kind: ButtonCopy, Label: "Copy", Value: "CODE"}}, MediaURL: "https://example.com/a.jpg", MediaKind: MediaImage}, `{"text":"Look","buttons":[{"kind":"CALL","label":"Call","value":"+5511987654321"},{"kind":"COPY","label":"Copy","value":"CODE"}],"mediaUrl":"https://example.com/a.jpg","mediaKind":"image"}`},
		},
		"list": {
			{ana, List{Text: "Menu", Label: "Open", Header: "H", Footer: "F", Sections: []ListSection{{"Dishes", []ListRow{{"p1", "Lasagna", "4 slices"}, {ID: "p2", Title: "Soup"}}}}}, `{"text":"Menu","label":"Open","header":"H","footer":"F","sections":[{"title":"Dishes","rows":[{"id":"p1","title":"Lasagna","description":"4 slices"},{"id":"p2","title":"Soup"}]}]}`},
		},
		"carousel": {
			{ana, Carousel{Text: "Pick", Footer: "F", Cards: []Card{
				{Title: "A", Subtitle: "s", ImageURL: "https://example.com/a.jpg", Text: "t", Footer: "f", Buttons: []Button{{Kind: ButtonReply, Label: "A", Value: "a"}}},
				{Title: "B", VideoURL: "https://example.com/b.mp4", Text: "t", Buttons: []Button{}},
			}}, `{"text":"Pick","footer":"F","cards":[{"title":"A","subtitle":"s","imageUrl":"https://example.com/a.jpg","text":"t","footer":"f","buttons":[{"kind":"REPLY","label":"A","value":"a"}]},{"title":"B","videoUrl":"https://example.com/b.mp4","text":"t","buttons":[]}]}`},
		},
		"form": {
			{ana, Form{
				Text: "Fill in", Kind: FormRegistrationOffer, Button: "Open", FlowToken: "T", FlowID: "I", FlowMessageVersion: "3", MessageVersion: 1,
				FullName: new(true), Phone: new(false), Email: new(false), CPFOrCNPJ: new(true), DeliveryAddress: new(false), OfferName: "N", OfferDescription: "D",
			}, `{"text":"Fill in","kind":"registration_offer","button":"Open","flowToken":"T","flowId":"I","flowMessageVersion":"3","messageVersion":1,"fullName":true,"phone":false,"email":false,"cpfOrCnpj":true,"deliveryAddress":false,"offerName":"N","offerDescription":"D"}`},
			{ana, Form{Text: "Fill in", ButtonParams: json.RawMessage("{ \"a\": 1.0,\n\"b\":\"<\\u00e9>\" }")}, `{"text":"Fill in","buttonParams":"{ \"a\": 1.0,\n\"b\":\"\u003c\\u00e9\u003e\" }"}`},
			{ana, Form{Text: "Fill in", ButtonParams: json.RawMessage("")}, `{"text":"Fill in","buttonParams":""}`},
		},
		"pix": {
			{ana, Pix{"Acme", "12345678901", PixCPF, "Order 7", []PixItem{{"Cake", "of carrot", 2, 12.5}, {Name: "Box", Quantity: 1}, {Name: "Gift", Quantity: 1, UnitPrice: math.Copysign(0, -1)}}}, `{"merchantName":"Acme","key":"12345678901","keyType":"CPF","message":"Order 7","items":[{"name":"Cake","description":"of carrot","quantity":2,"unitPrice":12.5},{"name":"Box","quantity":1,"unitPrice":0},{"name":"Gift","quantity":1,"unitPrice":-0}]}`},
		},
		"calendar_event": {
			{family, CalendarEvent{
				Name: "Meeting", Description: "Plans", StartAt: time.Date(2027, 1, 1, 14, 0, 0, 5, saoPaulo), EndAt: time.Date(2027, 1, 1, 15, 0, 0, 0, time.UTC).Add(3 * time.Hour),
				Place: &Location{Name: "Room 3"}, JoinLink: "https://example.com/j", ScheduledCall: true, Reminder: true, ReminderBefore: 15 * time.Minute, GuestsMayBring: true, Canceled: true,
			}, `{"name":"Meeting","description":"Plans","startAt":"2027-01-01T14:00:00.000000005-03:00","endAt":"2027-01-01T18:00:00Z","place":{"latitude":0,"longitude":0,"name":"Room 3"},"joinLink":"https://example.com/j","scheduledCall":true,"reminder":true,"reminderBefore":900000000000,"guestsMayBring":true,"canceled":true}`},
			{family, CalendarEvent{Name: "Meeting", StartAt: noon, Place: &Location{}}, `{"name":"Meeting","startAt":"2026-01-02T15:04:05Z","place":{"latitude":0,"longitude":0}}`},
			{family, CalendarEvent{Name: "Old", StartAt: time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", -(3*3600+6*60+28)))}, `{"name":"Old","startAt":"1900-01-01T00:00:00-03:06"}`},
		},
		"reaction": {
			{family, Reaction{MessageID: "M", Emoji: "👍", Participant: "5511987654321:12@c.us"}, `{"messageId":"M","emoji":"👍","participant":"5511987654321:12@c.us"}`},
			{family, Reaction{MessageID: "M", Emoji: "👍", FromMe: true}, `{"messageId":"M","emoji":"👍","fromMe":true}`},
		},
		"remove_reaction": {
			{family, RemoveReaction{MessageID: "M", FromMe: true, Participant: ana}, `{"messageId":"M","fromMe":true,"participant":"5511987654321"}`},
		},
		"text_status": {
			{StatusBroadcast, TextStatus{Text: "News", BackgroundColor: "#00AAFF", Font: "serif"}, `{"text":"News","backgroundColor":"#00AAFF","font":"serif"}`},
		},
		"media_status": {
			{StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a"), Kind: MediaAudio, Voice: new(false), Duration: 3 * time.Second, Waveform: []byte{0, 255}}, `{"kind":"audio","voice":false,"duration":3000000000,"waveform":"AP8=","source":{"url":"https://example.com/a"}}`},
			{StatusBroadcast, MediaStatus{Source: MediaURL("https://example.com/a"), Kind: MediaImage, Caption: "Look", FileName: "a.jpg", MIME: "image/jpeg"}, `{"kind":"image","caption":"Look","fileName":"a.jpg","mime":"image/jpeg","source":{"url":"https://example.com/a"}}`},
			{StatusBroadcast, MediaStatus{Source: MediaBytes("a.png", pngHead)}, `{"source":{"name":"a.png","bytes":"iVBORw0KGgoAAAANSUhEUg=="}}`},
		},
	}
}

// wire is what a send of the content asks for, or the error.
func wire(t *testing.T, to JID, c Content) ([]asked, error) {
	t.Helper()
	inst, s := script(t, scriptedReply{body: sent})
	_, err := inst.Messages.Send(t.Context(), to, c)
	return s.requests(), err
}

// What comes out of the store makes the same request, byte for byte, or is refused
// for the same reason; and the stored bytes are those of every release.
func TestStoredContentsMakeTheSameRequest(t *testing.T) {
	samples := storedSamples()
	for _, kind := range storedKinds {
		require.NotEmpty(t, samples[kind.name], "no sample of %s", kind.name)
		for i, s := range samples[kind.name] {
			stored := `{"version":1,"kind":"` + kind.name + `","content":` + s.stored + `}`
			for range 2 { // the same bytes each time
				b, err := MarshalContent(s.content)
				require.NoError(t, err)
				require.Equal(t, stored, string(b), "%s %d", kind.name, i)
			}
			back, err := UnmarshalContent([]byte(stored))
			require.NoError(t, err)
			assert.IsType(t, s.content, back)
			again, err := MarshalContent(back)
			require.NoError(t, err)
			assert.Equal(t, stored, string(again))
			if event, ok := s.content.(CalendarEvent); !ok || event.StartAt.Location() == time.UTC { // other zones are pointers
				assert.True(t, reflect.DeepEqual(s.content, back), "%#v\n%#v", s.content, back)
			}
			want, wantErr := wire(t, s.to, s.content)
			got, gotErr := wire(t, s.to, back)
			assert.Equal(t, want, got, "%s %d", kind.name, i)
			assert.Equal(t, wantErr, gotErr, "%s %d", kind.name, i)

			pointer := reflect.New(reflect.TypeOf(s.content))
			pointer.Elem().Set(reflect.ValueOf(s.content))
			b, err := MarshalContent(pointer.Interface().(Content))
			require.NoError(t, err)
			assert.Equal(t, stored, string(b), "by a pointer")
		}
	}
	assert.Len(t, samples, len(storedKinds))
}

// A new kind, or a new field of one, cannot be forgotten: it needs a stored form
// and a sample.
func TestEveryContentAndEveryFieldIsStored(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var types []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "kind" && ast.IsExported(receiverName(f)) {
				types = append(types, receiverName(f))
			}
		}
	}
	var stored, names []string
	for _, kind := range storedKinds {
		stored, names = append(stored, kind.typeName), append(names, kind.name)
	}
	assert.ElementsMatch(t, types, stored)
	slices.Sort(names)
	assert.Len(t, slices.Compact(names), len(storedKinds), "two kinds have one name")

	unset := map[string]bool{}
	var look func(v reflect.Value)
	look = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				look(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				look(v.Index(i))
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[MediaSource]() {
				return
			}
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				assert.NotEqual(t, reflect.TypeFor[Secret](), v.Field(i).Type(), "%s would be stored as [redacted]", name)
				if _, known := unset[name]; !known || !v.Field(i).IsZero() {
					unset[name] = v.Field(i).IsZero()
				}
				look(v.Field(i))
			}
		}
	}
	for _, samples := range storedSamples() {
		for _, s := range samples {
			look(reflect.ValueOf(s.content))
		}
	}
	for name, missing := range unset {
		assert.False(t, missing, "%s is not set in any sample", name)
	}
}

// unnamed is a content of somebody else's: more than what it embeds.
type unnamed struct {
	Text
	Campaign string
}

func TestContentsThatCannotBeStoredAreRefused(t *testing.T) {
	open, err := os.Open("testdata/stored/photo.png")
	require.NoError(t, err)
	defer func() { _ = open.Close() }()
	inMemory, err := fstest.MapFS{"a.png": {Data: pngHead}}.Open("a.png")
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		content Content
		field   string
		reason  string
	}{
		{"nil", nil, "content", "is nil"},
		{"nil pointer", (*Poll)(nil), "content", "is nil"},
		{"own type", unnamed{Text("a"), "b"}, "content", "no stored form"},
		{"pointer to an own type", &unnamed{Text("a"), "b"}, "content", "no stored form"},
		{"reader", Media{Source: MediaReader("a", strings.NewReader("a"))}, "Media.Source", "use MediaFile, MediaURL or MediaBytes"},
		{"reader that is read once", Media{Source: MediaReader("a", io.MultiReader())}, "Media.Source", "use MediaFile, MediaURL or MediaBytes"},
		{"reader of a pointer", &Media{Source: MediaReader("a", strings.NewReader("a"))}, "Media.Source", "use MediaFile"},
		{"open file", Sticker{MediaFS(open)}, "Sticker.Source", "use MediaFile, MediaURL or MediaBytes"},
		{"file of another system", Sticker{MediaFS(inMemory)}, "Sticker.Source", "use MediaFile"},
		{"reader of a status", MediaStatus{Source: MediaReader("a", open)}, "MediaStatus.Source", "use MediaFile"},
		{"too many bytes", Media{Source: MediaBytes("a", make([]byte, maxStoredMedia+1))}, "Media.Source", "at most 4194304"},
		{"path of nothing", Media{Source: MediaFile("")}, "Media.Source", "empty path"},
		{"path not in UTF-8", Media{Source: MediaFile("a\xff.png")}, "Media.Source", "UTF-8"},
		{"URL not in UTF-8", Sticker{MediaURL("https://example.com/\xff")}, "Sticker.Source", "UTF-8"},
		{"name with a NUL", Sticker{MediaBytes("a\x00.png", pngHead)}, "Sticker.Source", "NUL"},
		{"text not in UTF-8", Text("a\xff"), "text", "UTF-8"},
		{"text with a NUL", Text("a\x00"), "text", "NUL"},
		{"option not in UTF-8", Poll{Options: []string{"a", "\xff"}}, "Poll.Options[1]", "UTF-8"},
		{"address not in UTF-8", Reaction{Participant: "\xff"}, "Reaction.Participant", "UTF-8"},
		{"literal JSON not in UTF-8", Form{ButtonParams: json.RawMessage("\"\xff\"")}, "Form.ButtonParams", "UTF-8"},
		{"no number", Location{Latitude: math.NaN()}, "Location", "cannot be stored"},
		{"no finite number", Pix{Items: []PixItem{{UnitPrice: math.Inf(1)}}}, "Pix", "cannot be stored"},
		{"year beyond", CalendarEvent{StartAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "CalendarEvent", "cannot be stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := MarshalContent(c.content)
			var bad *ValidationError
			require.ErrorAs(t, err, &bad)
			assert.Nil(t, b)
			assert.Equal(t, c.field, bad.Field)
			assert.Contains(t, bad.Reason, c.reason)
		})
	}
	_, err = MarshalContent(Media{Source: MediaBytes("a", make([]byte, maxStoredMedia))})
	require.NoError(t, err, "the limit itself")
}

// A stored path is looked at when the message is sent, not before.
func TestStoredFileIsCheckedWhenItIsSent(t *testing.T) {
	name := filepath.Join(t.TempDir(), "later.png")
	b, err := MarshalContent(Media{Source: MediaFile(name)})
	require.NoError(t, err)
	back, err := UnmarshalContent(b)
	require.NoError(t, err)
	_, err = wire(t, ana, back)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.NoError(t, os.WriteFile(name, pngHead, 0o600))
	requests, err := wire(t, ana, back)
	require.NoError(t, err)
	assert.Contains(t, requests[0].Body, `"fileName":"later.png"`)
}

// badStored are texts that MarshalContent never writes.
func badStored() map[string]string {
	bad := map[string]string{
		"nothing": ``, "blank": ` `, "null": `null`, "list": `[]`, "number": `1`, "text": `"text"`, "empty": `{}`, "true": `true`,
		"two":                `{"version":1,"kind":"text","content":{"text":"a"}}{}`,
		"not UTF-8":          "{\"version\":1,\"kind\":\"text\",\"content\":{\"text\":\"\xff\"}}",
		"half a character":   `{"version":1,"kind":"text","content":{"text":"\ufffd\\\ud83d"}}`,
		"the other half":     `{"version":1,"kind":"text","content":{"text":"\uDE00"}}`,
		"halves apart":       `{"version":1,"kind":"text","content":{"text":"\ud83d \ude00"}}`,
		"half of a key":      `{"version":1,"kind":"text","content":{"text":"a","\ud83d":1}}`,
		"a NUL":              `{"version":1,"kind":"text","content":{"text":"\u0000"}}`,
		"a NUL in a path":    `{"version":1,"kind":"media","content":{"source":{"path":"a\u0000"}}}`,
		"no version":         `{"kind":"text","content":{"text":"a"}}`,
		"version 0":          `{"version":0,"kind":"text","content":{"text":"a"}}`,
		"version -1":         `{"version":-1,"kind":"text","content":{"text":"a"}}`,
		"version in words":   `{"version":"1","kind":"text","content":{"text":"a"}}`,
		"huge version":       `{"version":1e999,"kind":"text","content":{"text":"a"}}`,
		"longer version":     `{"version":99999999999999999999,"kind":"text","content":{"text":"a"}}`,
		"no kind":            `{"version":1,"content":{"text":"a"}}`,
		"kind of a number":   `{"version":1,"kind":1,"content":{"text":"a"}}`,
		"no content":         `{"version":1,"kind":"text"}`,
		"content of a text":  `{"version":1,"kind":"text","content":"a"}`,
		"content of a list":  `{"version":1,"kind":"text","content":[]}`,
		"field of an object": `{"version":1,"kind":"text","content":{"text":{}}}`,
		"kind twice":         `{"version":1,"kind":"text","kind":"text","content":{"text":"a"}}`,
		"kind twice, folded": `{"version":1,"kind":"text","Kind":"text","content":{"text":"a"}}`,
		"kelvin":             `{"version":1,"kind":"text","\u212aind":"text","content":{"text":"a"}}`,
		"long s":             `{"version":1,"kind":"media","content":{"source":{"url":"a"},"ſource":{"url":"b"}}}`,
		"text twice":         `{"version":1,"kind":"text","content":{"text":"a","text":"b"}}`,
		"twice below":        `{"version":1,"kind":"pix","content":{"items":[{"name":"a"},{"name":"a","name":"b"}]}}`,
		"huge number":        `{"version":1,"kind":"location","content":{"latitude":1e999}}`,
		"huge count":         `{"version":1,"kind":"poll","content":{"maxAnswers":1e30}}`,
		"half a count":       `{"version":1,"kind":"poll","content":{"maxAnswers":1.5}}`,
		"huge duration":      `{"version":1,"kind":"media","content":{"duration":9223372036854775808}}`,
		"no time":            `{"version":1,"kind":"calendar_event","content":{"startAt":"tomorrow"}}`,
		"no base64":          `{"version":1,"kind":"sticker","content":{"source":{"bytes":"?"}}}`,
		"no source":          `{"version":1,"kind":"sticker","content":{"source":{}}}`,
		"two sources":        `{"version":1,"kind":"sticker","content":{"source":{"url":"a","bytes":""}}}`,
		"name of a path":     `{"version":1,"kind":"sticker","content":{"source":{"path":"a","name":"b"}}}`,
		"deep":               `{"version":1,"kind":"text","content":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`,
		"deeper":             strings.Repeat(`{"a":`, 20000),
	}
	return bad
}

func TestBadStoredContentsAreTypedErrors(t *testing.T) {
	bad := badStored()
	for _, kind := range storedKinds {
		for _, s := range storedSamples()[kind.name] {
			whole, err := MarshalContent(s.content)
			require.NoError(t, err)
			for i := range whole {
				bad[fmt.Sprint(string(whole), " cut at ", i)] = string(whole[:i])
			}
			for name, text := range nulled(t, whole) {
				bad[kind.name+" "+name] = text
			}
		}
		bad[kind.name+" with a list"] = `{"version":1,"kind":"` + kind.name + `","content":[]}`
		bad[kind.name+" with a number"] = `{"version":1,"kind":"` + kind.name + `","content":1}`
	}
	for name, text := range bad {
		content, err := UnmarshalContent([]byte(text))
		var invalid *ValidationError
		require.ErrorAs(t, err, &invalid, name)
		assert.Nil(t, content, name)
		assert.NotErrorIs(t, err, ErrNewerContent, name)
	}
}

// nulled returns the text with each of its values null, one at a time.
func nulled(t *testing.T, text []byte) map[string]string {
	t.Helper()
	out := map[string]string{}
	var whole any
	require.NoError(t, json.Unmarshal(text, &whole))
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		set(nil)
		b, err := json.Marshal(whole)
		require.NoError(t, err)
		out["null at "+path+" of "+string(text)] = string(b)
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				walk(path+"."+key, member, func(x any) { v[key] = x })
			}
		case []any:
			for i, element := range v {
				walk(at(path, i), element, func(x any) { v[i] = x })
			}
		}
	}
	walk("", whole, func(x any) { whole = x })
	return out
}

// What a newer release has added is told apart from damage.
func TestContentsOfANewerReleaseAreToldApart(t *testing.T) {
	newer := []string{
		`{"version":2,"kind":"text","content":{"text":"a"}}`,
		`{"version":2,"form":[1]}`,
		`{"version":1,"kind":"hologram","content":{"a":1}}`,
		`{"version":1,"kind":"text","content":{"text":"a"},"expires":1}`,
		`{"version":1,"kind":"text","content":{"text":"a","bold":true}}`,
		`{"version":1,"kind":"media","content":{"source":{"url":"https://example.com","etag":"a"}}}`,
		`{"version":1,"kind":"sticker","content":{"source":{"cid":"a","url":"a"}}}`,
		`{"version":1,"kind":"form","content":{"text":"a","Source":{}}}`,
		`{"version":1,"kind":"carousel","content":{"cards":[{"buttons":[{"label":"a","color":"red"}]}]}}`,
		`{"version":1,"kind":"calendar_event","content":{"place":{"floor":3}}}`,
	}
	for _, text := range newer {
		content, err := UnmarshalContent([]byte(text))
		require.ErrorIs(t, err, ErrNewerContent, text)
		var invalid *ValidationError
		require.ErrorAs(t, err, &invalid, text)
		assert.Nil(t, content, text)
	}
}

// A database may write JSON its own way.
func TestStoredContentsSurviveAnotherLayout(t *testing.T) {
	for _, samples := range storedSamples() {
		for _, s := range samples {
			b, err := MarshalContent(s.content)
			require.NoError(t, err)
			var parts map[string]any
			require.NoError(t, json.Unmarshal(b, &parts))
			other, err := json.MarshalIndent(parts, " ", "\t") // keys in the order of the alphabet
			require.NoError(t, err)
			content, err := UnmarshalContent(append([]byte("\n "), other...))
			require.NoError(t, err)
			again, err := MarshalContent(content)
			require.NoError(t, err)
			assert.Equal(t, string(b), string(again))
		}
	}
	content, err := UnmarshalContent([]byte(`{"version":1,"kind":"text","content":{"text":"\ud83d\uDE00\\ud83d"}}`))
	require.NoError(t, err)
	assert.Equal(t, Text(`😀\ud83d`), content)
}

// FuzzUnmarshalContent: it never panics, its errors are typed, and what it reads is
// written and read again as the same.
func FuzzUnmarshalContent(f *testing.F) {
	for _, samples := range storedSamples() {
		for _, s := range samples {
			b, err := MarshalContent(s.content)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	for _, text := range badStored() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		content, err := UnmarshalContent(in)
		if err != nil {
			var invalid *ValidationError
			if !errors.As(err, &invalid) || content != nil {
				t.Fatalf("%T %v, content %v", err, err, content)
			}
			return
		}
		b, err := MarshalContent(content)
		if err != nil {
			t.Fatal(err)
		}
		again, err := UnmarshalContent(b)
		if err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		b2, err := MarshalContent(again)
		if err != nil || string(b) != string(b2) {
			t.Fatalf("%v: %s became %s", err, b, b2)
		}
	})
}
