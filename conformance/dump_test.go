package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/ryzeapi/ryze-go"
)

// dump is everything that a caller can read out of a result: exported fields
// and methods without arguments, down to single values. What a result keeps as
// raw JSON on purpose is read through, Raw is not.
type dump map[string]any // by path; strings, numbers as float64, bools

func dumpOf(result any, err error) dump {
	d := dump{}
	if err != nil {
		d.error("error", err)
		return d
	}
	d.add("", reflect.ValueOf(result))
	return d
}

func (d dump) error(path string, err error) {
	d[path] = err.Error()
	var api *ryze.APIError
	if errors.As(err, &api) {
		d[path+".StatusCode"] = float64(api.StatusCode)
		d[path+".Message"] = api.Message
	}
}

func (d dump) add(path string, v reflect.Value) {
	if !v.IsValid() {
		return
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case error:
			if v.Kind() != reflect.Pointer || !v.IsNil() {
				d.error(path, x)
			}
			return
		case time.Time:
			d[path] = x.UTC().Format(time.RFC3339Nano)
			return
		case time.Duration:
			d[path] = x.Seconds()
			return
		case ryze.Secret:
			d[path] = x.Reveal()
			return
		case json.RawMessage:
			var inside any
			if json.Unmarshal(x, &inside) == nil {
				d.add(path, reflect.ValueOf(inside))
			}
			return
		case []byte:
			d[path] = base64.StdEncoding.EncodeToString(x)
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			if v.Kind() == reflect.Pointer {
				d.methods(path, v)
			}
			d.add(path, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[ryze.Meta]() {
			return
		}
		if !v.CanAddr() {
			c := reflect.New(v.Type())
			c.Elem().Set(v)
			d.methods(path, c)
		}
		for _, f := range reflect.VisibleFields(v.Type()) {
			if f.IsExported() && len(f.Index) == 1 && f.Name != "Raw" {
				d.add(path+"."+f.Name, v.FieldByIndex(f.Index))
			}
		}
	case reflect.Slice, reflect.Array:
		d[path+".len"] = float64(v.Len())
		for i := range v.Len() {
			d.add(path+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			d.add(fmt.Sprint(path, "[", key, "]"), value)
		}
	case reflect.String:
		d[path] = v.String()
	case reflect.Bool:
		d[path] = v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d[path] = float64(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d[path] = float64(v.Uint())
	case reflect.Float32, reflect.Float64:
		d[path] = v.Float()
	}
}

// methods calls what has no arguments and one result, perhaps beside an error.
func (d dump) methods(path string, v reflect.Value) {
	if v.Type().Elem().PkgPath() != reflect.TypeFor[ryze.Meta]().PkgPath() {
		return
	}
	for i := range v.NumMethod() {
		m := v.Type().Method(i)
		fallible := m.Type.NumOut() == 2 && m.Type.Out(1) == reflect.TypeFor[error]()
		if m.Type.NumIn() != 1 || m.Type.NumOut() != 1 && !fallible || slices.Contains([]string{"Raw", "String", "GoString", "LogValue", "DedupeKey"}, m.Name) {
			continue
		}
		if out := v.Method(i).Call(nil)[0]; out.Kind() != reflect.Pointer {
			d.add(path+"."+m.Name+"()", out)
		}
	}
}

// changed are the values of d that are not, or not the same, in other.
func (d dump) changed(other dump) (values []any) {
	for path, value := range d {
		if was, ok := other[path]; !ok || was != value {
			values = append(values, value)
		}
	}
	return values
}

// equal reports whether two dumps are the same.
func (d dump) equal(other dump) bool { return reflect.DeepEqual(d, other) }
