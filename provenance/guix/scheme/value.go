package scheme

// A Kind says which sort of datum a [Value] is.
type Kind uint8

// The kinds.
const (
	List       Kind = iota // (a b), (a . b), (): Items and Tail
	String                 // "text": Text
	Symbol                 // name, #{odd name}#: Text
	Keyword                // #:name: Text, without #:
	Number                 // Text, in one canonical notation
	Char                   // #\x: Text, of one character
	True                   // #t
	False                  // #f
	Nil                    // #nil
	Vector                 // #(a b): Items
	Bytevector             // #vu8(1 2): Text, the bytes
)

var kindNames = [...]string{
	"a list", "a string", "a symbol", "a keyword", "a number", "a character",
	"#t", "#f", "#nil", "a vector", "a bytevector",
}

// String returns the kind as it is called in a sentence.
func (k Kind) String() string { return kindNames[k] }

// A Pos is a place in a text. Both numbers start at 1; zero says that the
// value was not read from a text.
type Pos struct {
	Line   int32
	Column int32 // in characters
}

// A Value is one Scheme datum. The zero value is the empty list.
type Value struct {
	Kind  Kind
	Pos   Pos
	Text  string
	Items []Value
	Tail  *Value // of an improper list, what stands after the dot; else nil
}

// ListOf returns the proper list of items.
func ListOf(items ...Value) Value { return Value{Kind: List, Items: items} }

// Str returns a string.
func Str(text string) Value { return Value{Kind: String, Text: text} }

// Sym returns the symbol of that name.
func Sym(name string) Value { return Value{Kind: Symbol, Text: name} }

// Quote returns 'v.
func Quote(v Value) Value { return ListOf(Sym("quote"), v) }

// IsSymbol says whether v is the symbol of that name.
func (v Value) IsSymbol(name string) bool { return v.Kind == Symbol && v.Text == name }

// IsList says whether v is a proper list.
func (v Value) IsList() bool { return v.Kind == List && v.Tail == nil }
