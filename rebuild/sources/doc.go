// Package sources follows the derivations of an image back to where everything in
// it comes from: the files and commits that were fetched, each with its hash and
// its addresses, and at the very end the seeds, programs that were there before
// anything was built.
//
// [Read] reads the derivations, verified by their own names, so that whoever trusts
// the name of the first has all of them. [Follow] walks over them once and [Walk.Check]
// concludes. A derivation whose output is fixed beforehand is a source, whatever
// fetches it: what lies beneath it serves to fetch alone, and its hash decides.
// What a store has by a name that its content gives ("plain") is an input with a
// hash as well, which is verified where the store has it.
//
// Seeds are known by what is done with them ([Seed]), never by their names.
package sources
