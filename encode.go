package ryze

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// encode returns the JSON of a request's body. Every body goes through it,
// because encoding/json replaces what is not UTF-8 without a word: the text
// that arrives would not be the one that was given, and [MessagesService.Settle]
// would not recognise it.
func encode(body any) ([]byte, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	// Only what may have been replaced is worth a second look. Most bodies have no
	// backslash, and so no escapes.
	valid := utf8.Valid(b)
	suspect := !valid || bytes.Contains(b, []byte("\ufffd"))
	if !suspect && bytes.IndexByte(b, '\\') >= 0 {
		suspect = bytes.Contains(b, []byte(`\ufffd`)) || bytes.Contains(b, []byte(`\u0000`))
	}
	if suspect {
		if err := checkTexts("", body); err != nil {
			return nil, err
		}
		if !valid {
			return nil, invalid("request", notUTF8)
		}
	}
	return b, nil
}

const notUTF8 = "is not valid UTF-8"

// checkUTF8 checks that a text arrives as it is.
func checkUTF8(field, s string) error {
	if !utf8.ValidString(s) {
		i := 0
		for r, n := utf8.DecodeRuneInString(s); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRuneInString(s[i:]) {
			i += n
		}
		return invalid(field, fmt.Sprintf("%s at byte %d: cut texts between characters, and convert those in other encodings", notUTF8, i))
	}
	if strings.IndexByte(s, 0) >= 0 {
		return invalid(field, "has a NUL character")
	}
	return nil
}

// checkTexts checks every text in v: the value that a caller gave, or the body
// of a request. Errors name fields as they are called in Go, below the path.
func checkTexts(path string, v any) error { return textsIn(path, reflect.ValueOf(v)) }

var rawJSON = reflect.TypeFor[json.RawMessage]()

func textsIn(path string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		return checkUTF8(cmp.Or(path, "text"), v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return textsIn(path, v.Elem())
		}
	case reflect.Struct:
		t := v.Type()
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue
			}
			field := path
			if !f.Anonymous {
				field = member(path, f.Name)
			}
			if err := textsIn(field, v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type() == rawJSON {
			return checkUTF8(cmp.Or(path, "request"), string(v.Bytes()))
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil // bytes, not text
		}
		for i := range v.Len() {
			if err := textsIn(at(path, i), v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			key := fmt.Sprint(each.Key())
			name := member(path, strings.ToValidUTF8(key, "\ufffd"))
			if err := checkUTF8(name, key); err != nil {
				return err
			}
			if err := textsIn(name, each.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}

func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// checkQuery checks the values of a query, which are escaped.
func checkQuery(query string) error {
	suspect := false
	for i := 0; i < len(query) && !suspect; i++ {
		// An escaped byte beyond ASCII, a NUL, or what is not escaped at all.
		suspect = query[i] >= utf8.RuneSelf || query[i] == '%' && (i+1 == len(query) || query[i+1] >= '8' || strings.HasPrefix(query[i:], "%00"))
	}
	if !suspect {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return invalid("query", "is not a query")
	}
	return checkTexts("", values)
}
