// SPDX-License-Identifier: Apache-2.0

package agekey

import "sync"

// maxParsed is how many recipients an Unwrapper remembers.
const maxParsed = 64

// parsed remembers recipients. To read a hybrid one, with its 1,200-byte key,
// takes half as long as to open an entry with it, and many documents have the
// same. The zero value is ready.
type parsed struct {
	mu         sync.Mutex
	recipients map[string]Recipient
}

// parse is ParseRecipient.
func (p *parsed) parse(text string) (Recipient, error) {
	p.mu.Lock()
	r, known := p.recipients[text]
	p.mu.Unlock()
	if known {
		return r, nil
	}
	r, err := ParseRecipient(text)
	if err != nil {
		return Recipient{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.recipients == nil || len(p.recipients) == maxParsed {
		p.recipients = map[string]Recipient{}
	}
	p.recipients[text] = r
	return r, nil
}
