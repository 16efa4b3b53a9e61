// SPDX-License-Identifier: Apache-2.0

// Package sopsfile opens SOPS files of every format, Kubernetes object or not,
// and gives the text that `sops decrypt` (getsops/sops v3.13.3) prints, byte for
// byte: YAML, JSON, dotenv, INI, and binary, which is anything else in a JSON
// envelope. SOPS files in comments refer to that version.
//
// Stock sops never prints something else than Open returns, but Open refuses
// more. In every format it refuses
//
//   - what seal/FORMAT.md refuses in section 3 about metadata, encrypted
//     values, the work of selectors and the root key "signet"; a damaged
//     encrypted comment; objects of Signet's own API;
//   - more than 8 MiB, 200,000 nodes (in YAML some 15,000 encrypted values), 100
//     levels, or 64 MiB as a result.
//
// In YAML it refuses anchors and aliases (sops writes none), the same key twice
// in any document, scalars that do not fit their tag, and text that is not
// UTF-8; in JSON, text that is cut short or goes on behind the object; in
// dotenv, a comment that opens to several lines; in INI, more than 1 MiB, 10,000
// lines or 2^31 as their product, long keys that would be padded to fill
// memory, and comments with an empty line, on which sops crashes.
//
// What it does not refuse, unlike unseal.OpenFile: a file in which the selector
// selects nothing, the same key twice in JSON and dotenv, metadata of further
// YAML documents, which is not looked at, and comments that do not open, which
// stay as they are. Nothing of that is hidden by sops either.
//
// The MAC is always verified. As everywhere in SOPS, it covers neither keys nor
// borders between values, and comments not at all.
//
// The package does not read .sops.yaml, whose `stores` section can give sops
// another indentation, does not convert between formats, and never encrypts.
package sopsfile
