package report

// valueSentences say what one of two images has where they differ: parts of
// sentences, which differences have as the arguments "was" and "now".
func valueSentences() map[string]string {
	return map[string]string{
		"value/text":  "{text}",
		"value/mode":  "{mode}[ {bits}]",
		"value/bytes": "{bytes:count byte}",
		"value/list":  "{values}[ and {beyond} more]",

		// Entries.
		"value/entry":         "{what}, {mode}, {owner}",
		"value/whiteout":      "whiteout: hides {hides} of lower layers, {entry}",
		"value/opaque-marker": "opaque marker: hides all of the folder in lower layers, {entry}",
		"value/file":          "file of {size:count byte}[, {digest}]",
		"value/link":          "{kind} to {target}",
		"value/lends-rights":  "a file that lends rights",
		"value/device":        "{kind} {numbers}",
		"value/kind":          "{kind}",

		// Layers.
		"value/layer":                 "layer {layer:number}[ of {layers}]",
		"value/named-layer":           "{layer}, {bytes:count byte}",
		"value/layer-of-bytes":        "a layer of {bytes:count byte}",
		"value/layer-without-entries": "a layer of {bytes:count byte} without entries",
		"value/whole-tar":             "a whole tar",
		"value/broken-tar":            "a tar that can be read only in part: {error}",
		"value/blob":                  "{compression}, {size:count byte}, {digest}",
		"value/level-unspecified":     "not specified",
		"value/level-slowest":         "the slowest",
		"value/level-fastest":         "the fastest",

		// Parts of ELF files.
		"value/symbol":         "{symbol}+{offset:hex} ({at:hex} in the file)",
		"value/symbol-missing": "{symbol} (in the original only)",
		"value/symbol-extra":   "{symbol} (in the rebuild only)",
		"value/elf-code":       "code",
		"value/elf-data":       "data",
		"value/elf-build-id":   "the build-id",
		"value/elf-debug":      "parts for debuggers",
		"value/elf-compilers":  "the names of compilers",
		"value/elf-symbols":    "tables of symbols",
		"value/elf-other":      "sections that are not loaded",
		"value/elf-headers":    "headers and what is in no section",

		// The end of a tar.
		"value/zero-bytes":      "{bytes:count zero byte}",
		"value/two-zero-blocks": "two zero blocks",
		"value/zero-blocks":     "{blocks:count zero block}",
		"value/whole-record":    "zeros up to a whole record of 10240 bytes",
		"value/all-zero":        "{bytes:count byte}, all zero",
		"value/bytes-in-part":   "at least {bytes:count byte}, of which the rest was not read",
		"value/bytes-hashed":    "{bytes:count byte}, {digest}",

		// Why the NAR hash of a store item, or what it refers to, is not known.
		"item/layer-broken":    "its layer can be read only in part",
		"item/layers-differ":   "layers {layer:number} and {other:number} both have entries of it, and not the same ones",
		"item/no-nar-node":     "{entry} is neither file, folder nor symlink: a NAR cannot contain it",
		"item/link-to-no-file": "hard link {link:quote} leads to no file of this layer's store items",
		"item/no-nar":          "its NAR cannot be made: {error}",
		"item/too-many-hashes": "too many strings look like store hashes: its references are not known",

		// How fields of headers are written.
		"value/of-entry":           "the entry's",
		"value/entry-number":       "the entry's, {form}",
		"value/ends-in-nul":        "ends in NUL",
		"value/split-name":         "split after {bytes:count byte}",
		"value/cut-text":           "cut after {bytes:count byte}",
		"value/digested":           "[{bytes:count byte}, ]digest {digest}",
		"value/octal-zero-padded":  "zero-padded octal, then {tail}",
		"value/octal-space-padded": "space-padded octal, then {tail}",
		"value/octal-unpadded":     "octal without padding",
		"value/base-256":           "base 256",
		"value/number-empty":       "empty",
	}
}
