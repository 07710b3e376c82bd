package report

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"audit/inspect"
	"audit/inspect/check"
	"audit/inspect/pass"
	"audit/rebuild"
)

// WriteJSON writes the report as report.json has it (report.schema.json): indented by two spaces,
// one key a line in the order of the structs, with a line feed at the end.
// Characters that do not show as themselves (controls, directions of reading,
// zero width) are \u escapes, and so is what begins a command in the log of a CI,
// so that printing a report does nothing; < > & are plain.
func WriteJSON(w io.Writer, r *Report) error {
	out := bufio.NewWriterSize(w, 64<<10)
	err := writeValue(out, reflect.ValueOf(r), "")
	if err == nil {
		err = out.WriteByte('\n')
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// writeValue writes a value at an indentation. The parts of a report that can be long
// are written element by element, so that no more of it is twice in memory.
func writeValue(w *bufio.Writer, v reflect.Value, indent string) error {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		return writeValue(w, v.Elem(), indent)
	}
	switch v.Type() {
	case reflect.TypeFor[Report](), reflect.TypeFor[Image](), reflect.TypeFor[Check](), reflect.TypeFor[Comparison]():
		return writeFields(w, v, indent)
	}
	if v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct {
		return writeElements(w, v, indent)
	}
	return writeWhole(w, v, indent)
}

// writeFields writes a struct whose fields all have a key.
func writeFields(w *bufio.Writer, v reflect.Value, indent string) error {
	before := "{\n"
	for i := range v.NumField() {
		key, ok := v.Type().Field(i).Tag.Lookup("json")
		if !ok {
			continue
		}
		fmt.Fprintf(w, "%s%s  %q: ", before, indent, key)
		if err := writeValue(w, v.Field(i), indent+"  "); err != nil {
			return err
		}
		before = ",\n"
	}
	_, err := w.WriteString("\n" + indent + "}")
	return err
}

func writeElements(w *bufio.Writer, v reflect.Value, indent string) error {
	before := "[\n"
	for i := range v.Len() {
		w.WriteString(before + indent + "  ")
		if err := writeValue(w, v.Index(i), indent+"  "); err != nil {
			return err
		}
		before = ",\n"
	}
	_, err := w.WriteString("\n" + indent + "]")
	return err
}

func writeWhole(w *bufio.Writer, v reflect.Value, indent string) error {
	texts, err := withTexts(v, encodeText)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent(indent, "  ")
	if err := enc.Encode(texts.Interface()); err != nil {
		return err
	}
	doc := escapeUnprintable(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	if bytes.Contains(doc, []byte("##")) {
		doc = hashCommand.ReplaceAll(doc, []byte(`#\u0023$1`))
	}
	_, err = w.Write(doc)
	return err
}

// PrintableJSON writes \u escapes for characters of a JSON document that do not show as
// themselves, as [WriteJSON] does.
func PrintableJSON(doc []byte) []byte { return escapeUnprintable(doc) }

// escapeUnprintable writes \u escapes for what encoding/json leaves plain.
// Outside strings JSON is ASCII without DEL, so only strings are touched.
func escapeUnprintable(doc []byte) []byte {
	if !slices.ContainsFunc(doc, func(c byte) bool { return c >= 0x7f }) {
		return doc
	}
	out := make([]byte, 0, len(doc))
	for _, r := range string(doc) {
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// MaxBytes bounds a stored report: some two million differences.
const MaxBytes = 512 << 20

// ReadJSON reads a report that [WriteJSON] wrote. A report of another
// schemaVersion, with keys that this version does not know, or without the
// eight checks is refused: it could not be rendered faithfully; so is one in which
// statuses, shares, results or the verdict do not follow from the rest. More than 512
// MiB give an [inspect.LimitError]. The sentences are those of the build systems.
func ReadJSON(r io.Reader, systems ...rebuild.About) (*Report, error) {
	out, err := readJSON(r, MaxBytes)
	if err == nil {
		out.words = newWords(systems)
	}
	return out, err
}

func readJSON(r io.Reader, limit int64) (*Report, error) {
	doc, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	if int64(len(doc)) > limit {
		return nil, &inspect.LimitError{Name: "report bytes", Limit: limit, Where: "the report"}
	}
	if err := checkVersion(doc); err != nil {
		return nil, err
	}
	out := new(Report)
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil && strings.Contains(err.Error(), "unknown field") { // which has no type
		return nil, fmt.Errorf("reading the report: another version of audit wrote it, audit the image again: %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	if twice := pass.RepeatedKeys(doc, Report{}); len(twice) > 0 {
		return nil, fmt.Errorf("reading the report: the key %q stands there twice, and which of them is taken depends on the reader", twice[0])
	}
	if err := checkAll(out.Checks); err != nil {
		return nil, err
	}
	if err := checkCodes(out.Checks); err != nil {
		return nil, err
	}
	texts, err := withTexts(reflect.ValueOf(out), decodeText)
	if err != nil {
		return nil, fmt.Errorf("reading the report: %w", err)
	}
	out = texts.Interface().(*Report)
	if err := out.verify(); err != nil {
		return nil, fmt.Errorf("reading the report: it contradicts itself: %w", err)
	}
	fillLists(reflect.ValueOf(out).Elem())
	return out, nil
}

// checkVersion looks at the version before anything else, since every other
// complaint about a report of another version would mislead.
func checkVersion(doc []byte) error {
	var head struct {
		SchemaVersion any `json:"schemaVersion"`
	}
	if err := json.Unmarshal(doc, &head); err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	if head.SchemaVersion == nil {
		return errors.New("reading the report: it has no schemaVersion: is this a report.json of audit?")
	}
	if _, isText := head.SchemaVersion.(string); !isText && fmt.Sprint(head.SchemaVersion) == SchemaVersion {
		return errors.New("reading the report: its schemaVersion is no text: is this a report.json of audit?")
	}
	if head.SchemaVersion != SchemaVersion {
		if older, err := strconv.Atoi(fmt.Sprint(head.SchemaVersion)); err == nil && strconv.Itoa(older) < SchemaVersion {
			return fmt.Errorf("reading the report: it is of schema %d, written by an older audit: audit the image again", older)
		}
		return fmt.Errorf("reading the report: it is of schema %.20s, and this audit knows %s: render it with the audit that wrote it",
			Printable(fmt.Sprint(head.SchemaVersion)), SchemaVersion)
	}
	return nil
}

// codeForm is that of a code: the check and what is so, in kebab case.
var codeForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$`)

func checkCodes(checks []Check) error {
	for _, c := range checks {
		var codes []string
		for _, m := range c.Summary {
			codes = append(codes, m.Code)
		}
		for _, f := range c.Findings {
			codes = append(codes, f.Code)
		}
		for _, code := range codes {
			if !codeForm.MatchString(code) {
				return fmt.Errorf("reading the report: check %s: %.60q is no code", c.ID, code)
			}
		}
	}
	return nil
}

func checkAll(checks []Check) error {
	ids := check.IDs()
	if len(checks) != len(ids) {
		return fmt.Errorf("reading the report: it has %d checks, not %d", len(checks), len(ids))
	}
	for i, id := range ids {
		if checks[i].ID != id {
			return fmt.Errorf("reading the report: check %d is %.20q, not %q", i+1, checks[i].ID, id)
		}
	}
	return nil
}
