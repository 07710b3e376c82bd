package report

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"audit/inspect/check"
)

// hidden takes the place of what is secret.
const hidden = "***"

// hide masks, in what is said of a rebuild, the values that the user has given to
// its builder: they may be secret, and a rebuilt image's history repeats them. What
// the original image has in its config is no secret.
func (r *Report) hide(secrets []string, config []byte) {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool {
		return s == "" || bytes.Contains(config, []byte(s))
	})
	if len(secrets) == 0 {
		return
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, hidden)
	}
	mask := strings.NewReplacer(pairs...)
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
func replaceStrings(v reflect.Value, with *strings.Replacer) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			replaceStrings(v.Elem(), with)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			replaceStrings(v.Field(i), with)
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
			replaced := make(check.Args, len(args))
			for name, value := range args {
				replaced[name] = replaceArgument(value, with)
			}
			v.Set(reflect.ValueOf(replaced))
		} else if v.CanSet() {
			replaced, _ := withTexts(v, func(s string) (string, error) { return with.Replace(s), nil })
			v.Set(replaced)
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(with.Replace(v.String()))
		}
	}
}

func replaceArgument(v any, with *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return with.Replace(v)
	case []string:
		out := make([]string, len(v))
		for i := range v {
			out[i] = with.Replace(v[i])
		}
		return out
	}
	return v
}
