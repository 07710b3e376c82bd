package scheme

import (
	"strings"
	"unicode/utf8"
)

// width is how long a line of pretty output should get at most.
const width = 78

// Pretty returns v over as many lines as it takes to be readable, each but the
// first indented by indent spaces. It ends without a newline.
func Pretty(v Value, indent int) string {
	var b strings.Builder
	pretty(&b, v, indent)
	return b.String()
}

func pretty(b *strings.Builder, v Value, indent int) {
	line := v.String()
	mark, short := shortForm(v)
	switch {
	case indent+utf8.RuneCountInString(line) <= width, v.Kind != List, v.Tail != nil, len(v.Items) == 0:
		b.WriteString(line)
	case short:
		b.WriteString(mark)
		pretty(b, v.Items[1], indent+len(mark))
	default:
		prettyList(b, v, indent)
	}
}

// prettyList keeps the operator on the first line and gives each operand a
// line of its own, two columns in. A list without operator is aligned.
func prettyList(b *strings.Builder, v Value, indent int) {
	b.WriteByte('(')
	step := 1
	if v.Items[0].Kind == Symbol {
		step = 2
	}
	for i, item := range v.Items {
		if i > 0 {
			b.WriteByte('\n')
			b.WriteString(strings.Repeat(" ", indent+step))
		}
		pretty(b, item, indent+step)
	}
	b.WriteByte(')')
}
