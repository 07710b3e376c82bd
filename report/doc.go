// Package report is the JSON contract of audit, and what renders it.
//
// [New] turns what the other packages found into a [Report], a value of plain
// structs. Everything that is read is a function of that value alone: one for
// each of the [Formats]. A stored report.json is read again by [ReadJSON] and
// renders to the same bytes as on the day it was made.
//
// Three rules hold for every report:
//
//   - Nothing but its run section changes from one run to the next: no clock,
//     no host name, no folder of the machine is anywhere else.
//   - Every key is always there. A list without elements is [], a text or
//     digest that is not known is "", and an object that does not exist
//     (introduction, plan, rebuild, comparison) is null.
//   - Nothing that the image chose is lost or obeyed. Bytes that are not UTF-8
//     survive (see [Text]); what could steer a terminal, a browser or the
//     direction of reading is shown as visible text.
//
// report.schema.json, a JSON Schema of draft 2020-12, says the same to other
// programs.
package report
