package report

import (
	"bytes"
	"reflect"
	"slices"

	"audit/inspect/check"
	"audit/rebuild"
)

// hide masks what the user has given. Secrets of addresses are in no part of the
// report; values that are given to a builder are masked in what is reported of a
// rebuild: a rebuilt image's history repeats them, and what the original image has
// in its config is no secret.
func (r *Report) hide(addresses rebuild.Secrets, values []string, config []byte) {
	if !addresses.IsZero() {
		replaceStrings(reflect.ValueOf(r), addresses)
	}
	values = slices.DeleteFunc(slices.Clone(values), func(s string) bool {
		return s == "" || bytes.Contains(config, []byte(s))
	})
	mask := rebuild.NewSecrets(nil, values...)
	if mask.IsZero() {
		return
	}
	replaceStrings(reflect.ValueOf(r.Comparison), mask)
	replaceStrings(reflect.ValueOf(r.Rebuild), mask)
	for i := range r.Checks {
		if r.Checks[i].ID == check.Rebuild {
			replaceStrings(reflect.ValueOf(&r.Checks[i]), mask)
		}
	}
}

// replaceStrings goes through all texts that a value leads to. Lists and arguments
// are replaced whole: they may be those of what the report was made from.
func replaceStrings(v reflect.Value, with rebuild.Secrets) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			replaceStrings(v.Elem(), with)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				replaceStrings(v.Field(i), with)
			}
		}
	case reflect.Slice:
		if v.CanSet() && !v.IsNil() {
			v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
		}
		for i := range v.Len() {
			replaceStrings(v.Index(i), with)
		}
	case reflect.Map:
		if args, ok := v.Interface().(check.Args); ok && v.CanSet() && args != nil {
			v.Set(reflect.ValueOf(with.Args(args)))
		} else if v.CanSet() {
			replaced, _ := withTexts(v, func(s string) (string, error) { return with.Mask(s), nil })
			v.Set(replaced)
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(with.Mask(v.String()))
		}
	}
}
