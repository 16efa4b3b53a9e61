// SPDX-License-Identifier: Apache-2.0

package sarif

// The objects of SARIF 2.1.0, as far as they are written. Section numbers are
// those of the specification.

// sarifLog is 3.13.
type sarifLog struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

// run is 3.14.
type run struct {
	Tool struct {
		Driver toolComponent `json:"driver"`
	} `json:"tool"`
	OriginalURIBaseIDs map[string]artifactLocation `json:"originalUriBaseIds,omitempty"`
	ColumnKind         string                      `json:"columnKind"`
	Results            []result                    `json:"results"`
}

// toolComponent is 3.19.
type toolComponent struct {
	Name           string                `json:"name"`
	Version        string                `json:"version,omitempty"`
	InformationURI string                `json:"informationUri,omitempty"`
	Rules          []reportingDescriptor `json:"rules"`
}

// reportingDescriptor is 3.49.
type reportingDescriptor struct {
	ID                   string                 `json:"id"`
	ShortDescription     message                `json:"shortDescription"`
	Help                 message                `json:"help"`
	DefaultConfiguration reportingConfiguration `json:"defaultConfiguration"`
}

// reportingConfiguration is 3.50.
type reportingConfiguration struct {
	Level Level `json:"level"`
}

// message is 3.11, and multiformatMessageString, 3.12.
type message struct {
	Text string `json:"text"`
}

// result is 3.27.
type result struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               Level             `json:"level"`
	Message             message           `json:"message"`
	Locations           []location        `json:"locations,omitempty"`
	PartialFingerprints map[string]string `json:"partialFingerprints,omitempty"`
	Suppressions        []suppression     `json:"suppressions,omitempty"`
}

// location is 3.28.
type location struct {
	PhysicalLocation physicalLocation `json:"physicalLocation"`
}

// physicalLocation is 3.29.
type physicalLocation struct {
	ArtifactLocation artifactLocation `json:"artifactLocation"`
	Region           *region          `json:"region,omitempty"`
}

// artifactLocation is 3.4.
type artifactLocation struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId,omitempty"`
}

// region is 3.30.
type region struct {
	StartLine int `json:"startLine"`
}

// suppression is 3.35.
type suppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification,omitempty"`
}
