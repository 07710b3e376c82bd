// Package fleet is about many reports at once: the files that a batch writes beside
// them, and a summary of all.
//
// The folder of a batch has
//
//	list.json               what the batch is of, each image once
//	status/HEX.json         what became of one reference, by the SHA-256 of it
//	results/KEY/            the files of one result, report.json among them
//
// A key is the digest of the image and, behind a hyphen, the start of a digest over
// all else that decides the result: the version of audit and the options that change
// a report. Who has the same image under two references has one result of it.
package fleet
