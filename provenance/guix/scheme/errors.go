package scheme

import "fmt"

// A SyntaxError reports text that is not Scheme data, or not of the part of
// the notation that is read here.
type SyntaxError struct {
	Pos Pos
	Msg string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Pos.Line, e.Pos.Column, e.Msg)
}

// A LimitError reports text that goes past one of the [Limits].
type LimitError struct {
	Pos   Pos
	Name  string // of the field of Limits, in words
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%d:%d: more than %d %s", e.Pos.Line, e.Pos.Column, e.Limit, e.Name)
}

// Limits bound what reading a text may cost.
type Limits struct {
	Bytes int // of the text
	Depth int // of nesting
	Nodes int // data in all
	Token int // bytes of one symbol, number or character name
}

// DefaultLimits are far above any file of Guix: they allow a profile of several
// thousand packages.
func DefaultLimits() Limits {
	return Limits{Bytes: 64 << 20, Depth: 1000, Nodes: 1 << 20, Token: 64 << 10}
}
