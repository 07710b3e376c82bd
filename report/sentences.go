package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"audit/inspect/check"
	"audit/rebuild/compare"
)

// Sentences are what a person reads for a code: a template for each, in which
//
//	{name}              stands for an argument, or for its sentence where it is a message
//	{name:count entry}  for a number of things: "1 entry", "3 entries"
//	{name:list}         for a list: "a", "a and b", "a, b and c"
//	{name:either}       for a list of which one is enough: "a", "a or b", "a, b or c"
//	{name:quote}        for a text in quotation marks, its controls escaped
//	{name:size}         for a number of bytes, in powers of 1024
//	{name:number}       for a number that can be 0
//	{name:hex}          for an offset: "0x40"
//	{was:change now}    for what something was and is: "a → b", "nothing → b"
//	{name:sentence}     for the sentence of the code that the argument names, of
//	                    the same arguments
//	[… {name} …]        for a part that is left out where an argument in it is
//	                    absent, 0 or empty, and a change where both are
//
// "[[" and "{{" stand for the brackets themselves.
type Sentences map[string]string

// AllSentences is the table of all sentences: those of the checks that every
// image has, and more, those of the build systems (rebuild.About.Sentences).
func AllSentences(more ...map[string]string) Sentences {
	all := make(Sentences)
	for _, table := range slices.Concat(sharedSentences(), more) {
		maps.Copy(all, table)
	}
	for code, text := range all {
		if strings.HasPrefix(code, "known/") { // what a freedom explains, where that is counted
			all[code] = "[{differences:count difference} explained: ]" + text
		}
	}
	return all
}

// sharedSentences are the tables of the codes that every image can get.
func sharedSentences() []map[string]string {
	return []map[string]string{
		{
			"report/not-asked":       "it was not asked for",
			"report/comparison-only": "not asked for: audit compare compares two images",
			"report/inspection-only": "not asked for: audit inspect looks and does nothing else",
		},
		integritySentences(), recipeSentences(), baseSentences(), closureSentences(), repackSentences(), signaturesSentences(), sourcesSentences(), whySentences(),
		derivationSentences(), rebuildSentences(), differenceSentences(), valueSentences(), knownSentences(), planSentences(), policySentences(),
		packagesSentences(), rpmSentences(), apkSentences(), rebuildersSentences(), debSentences(), statementSentences(), verifySentences(),
	}
}

// Text is the sentence of a message. A code without a sentence shows as itself
// with its arguments: nothing is lost.
func (s Sentences) Text(m check.Message) string {
	template, ok := s[m.Code]
	if !ok {
		return bare(m)
	}
	text, _, _ := s.expand(template, m.Args, false)
	return text
}

// texts are arguments of which those that are messages are written as sentences,
// of at most 200 characters. Where there are none they stay the same map: of many
// differences these are most of what is kept.
func (s Sentences) texts(args check.Args) check.Args {
	written, own := args, false
	for name, value := range args {
		var text any
		switch value := value.(type) {
		case check.Message:
			text = check.Clip(s.Text(value))
		case []check.Message:
			text = s.list(value)
		default:
			continue
		}
		if !own {
			written, own = maps.Clone(args), true
		}
		written[name] = text
	}
	return written
}

// value writes what one of two images has where they differ.
func (s Sentences) value(v compare.Value) string {
	if v == nil {
		return ""
	}
	return s.Text(v.Message())
}

// Words is the sentence of a finding.
func (r *Report) Words(f Finding) string {
	text := r.words.sentences.Text(check.Message{Code: f.Code, Args: f.Args})
	if more := f.Args.Int("more"); more > 0 {
		text += fmt.Sprintf(" (and %s more)", plenty(more, "entry"))
	}
	return text
}

// moreDifferences counts the differences that are no findings of their own.
const moreDifferences = "rebuild/more-differences"

// instances is how many findings one stands for, with those alike that are not listed.
func (f Finding) instances() int {
	if f.Code == moreDifferences {
		return int(f.Args.Int("differences"))
	}
	return 1 + int(f.Args.Int("more"))
}

// moreFindings says how many findings there is no room for, and how many of them the report
// lists, which of findings alike has the first alone; "" where there is room for all.
func moreFindings(left []Finding) string {
	total, listed := 0, 0
	for _, f := range left {
		total += f.instances()
		listed += f.instances() - int(f.Args.Int("more"))
	}
	switch {
	case total == 0:
		return ""
	case listed < total:
		return fmt.Sprintf("… and %s, %d of them in report.json", count(total, "more finding"), listed)
	}
	return fmt.Sprintf("… and %s in report.json", count(total, "more finding"))
}

// Status is that of a check.
func (r *Report) Status(id check.ID) check.Status {
	for _, c := range r.Checks {
		if c.ID == id {
			return c.Status
		}
	}
	return check.Skipped
}

// Evidence is what shows a difference, in lines.
func (r *Report) Evidence(d Difference) string {
	var lines []string
	for _, m := range d.messages() {
		lines = append(lines, strings.TrimSuffix(r.words.sentences.Text(m), "\n"))
	}
	return strings.Join(lines, "\n")
}

func (d Difference) messages() []check.Message {
	all := make([]check.Message, len(d.Evidence))
	for i, m := range d.Evidence {
		all[i] = check.Message(m)
	}
	return all
}

// name is the code of a freedom without its kind.
func (k Known) name() string { return strings.TrimPrefix(k.Code, "known/") }

// known says what a freedom is.
func (r *Report) known(k Known) string { return r.words.sentences.Text(check.Message{Code: k.Code}) }

// Summary says why a check ended as it did.
func (r *Report) Summary(c Check) string {
	return r.join(c.Summary)
}

// join writes the sentences of messages on one line.
func (r *Report) join(messages []Message) string {
	parts := make([]string, len(messages))
	for i, m := range messages {
		parts[i] = r.Say(m)
	}
	return strings.Join(parts, "; ")
}

// Say is the sentence of a message.
func (r *Report) Say(m Message) string { return r.words.sentences.Text(check.Message(m)) }

// Join writes the sentences of messages on one line.
func (s Sentences) Join(messages []check.Message) string {
	return strings.Join(s.list(messages), "; ")
}

func bare(m check.Message) string {
	text := m.Code
	for _, name := range slices.Sorted(maps.Keys(m.Args)) {
		text += " " + name + "=" + strconv.Quote(m.Args.String(name))
	}
	return text
}

// expand fills in a template up to its end or, inside of brackets, up to the
// closing one. It returns what is left after that, and whether an argument was
// absent.
func (s Sentences) expand(template string, args check.Args, inside bool) (text, rest string, absent bool) {
	var b strings.Builder
	for template != "" {
		at := strings.IndexAny(template, "[]{")
		if at < 0 {
			return b.String() + template, "", absent
		}
		b.WriteString(template[:at])
		mark := template[at]
		template = template[at+1:]
		switch {
		case mark == ']' && inside:
			return b.String(), template, absent
		case mark == ']', strings.HasPrefix(template, string(mark)):
			b.WriteByte(mark)
			template = strings.TrimPrefix(template, string(mark))
		case mark == '[':
			part, after, without := s.expand(template, args, true)
			if !without {
				b.WriteString(part)
			}
			template = after
		default:
			name, after, _ := strings.Cut(template, "}")
			text, without := s.argument(name, args)
			b.WriteString(text)
			absent = absent || without
			template = after
		}
	}
	return b.String(), "", absent
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case int64:
		return v == 0
	case []string:
		return len(v) == 0
	case check.Message:
		return v.IsZero()
	case []check.Message:
		return len(v) == 0
	}
	return true
}

// argument writes one argument in the form that a template asks for, and says
// whether it is absent.
func (s Sentences) argument(spec string, args check.Args) (text string, absent bool) {
	name, form, _ := strings.Cut(spec, ":")
	verb, noun, _ := strings.Cut(form, " ")
	value, n := s.text(args, name), args.Int(name)
	absent = isEmpty(args[name])
	switch verb {
	case "count":
		return plenty(n, noun), absent
	case "list":
		return enumerate(s.strings(args, name)), absent
	case "either":
		return oneOf(s.strings(args, name)), absent
	case "quote":
		return strconv.Quote(value), absent
	case "size":
		return bytesWords(n), absent
	case "number":
		return value, false
	case "hex":
		return fmt.Sprintf("%#x", n), absent
	case "change":
		now := s.text(args, noun)
		return cmp.Or(value, "nothing") + " → " + cmp.Or(now, "nothing"), value == "" && now == ""
	case "sentence":
		text, _, _ = s.expand(s[value], args, false)
		return text, absent
	}
	return value, absent
}

// text writes an argument without a form.
func (s Sentences) text(args check.Args, name string) string {
	switch v := args[name].(type) {
	case check.Message:
		return s.Text(v)
	case []check.Message:
		return strings.Join(s.list(v), ", ")
	}
	return args.String(name)
}

// strings writes an argument that is a list.
func (s Sentences) strings(args check.Args, name string) []string {
	if list, ok := args[name].([]check.Message); ok {
		return s.list(list)
	}
	return args.Strings(name)
}

func (s Sentences) list(messages []check.Message) []string {
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = s.Text(m)
	}
	return texts
}

// plenty writes a number of things: "1 entry", "2 entries", "3 layers".
func plenty(n int64, thing string) string {
	stem, isY := strings.CutSuffix(thing, "y")
	switch {
	case n == 1:
		return "1 " + thing
	case isY && !strings.HasSuffix(stem, "e"):
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
