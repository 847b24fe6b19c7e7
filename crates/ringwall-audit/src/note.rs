//! C2SP signed notes: a text and the signatures of those who vouch for it.
//!
//! Decides whether a note may be believed: signatures of unknown keys are ignored, a known key whose signature
//! fails refuses the whole note, and at least one known key must have signed. The text of a note reaches a caller
//! that needs it trusted only as a [`VerifiedNote`], which nothing but that check makes.
//!
//! Ed25519 (type 1) only; cosignatures of witnesses (types 4 and 6) count as unknown.

mod key;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Error;
use crate::error::Detail;
use key::KEY_ID_BYTES;
pub use key::{KeyName, SigningKey, VerifierKey};

/// The largest note that is read; room for [`MAX_SIGNATURES`] post-quantum cosignatures.
pub const MAX_NOTE_BYTES: usize = 512 * 1024;

/// The most signatures that are read on one note.
pub const MAX_SIGNATURES: usize = 64;

/// A note that follows the grammar; nothing is known yet about who signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line of a note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    name: KeyName,
    key_id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

/// A note that a known key signed. Only [`SignedNote::open`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedNote {
    text: String,
    signers: Vec<VerifierKey>,
}

impl SignedNote {
    /// Reads a note; refuses every departure from the grammar, and more than the two limits allow.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(malformed(format!("more than {MAX_NOTE_BYTES} bytes")));
        }
        let note = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        refuse_control_characters(note)?;
        let (text, lines) =
            note.rsplit_once("\n\n").ok_or_else(|| malformed("no blank line before signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or_else(|| malformed("does not end in a newline"))?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return Err(malformed(format!("more than {MAX_SIGNATURES} signatures")));
        }
        let signatures = lines.split('\n').map(NoteSignature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// Believes the note if the `keys` allow it.
    ///
    /// Two of the `keys` with the same name and id make every note with that name and id fail.
    pub fn open(&self, keys: &[VerifierKey]) -> Result<VerifiedNote, Error> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            for key in keys.iter().filter(|key| signature.claims(key)) {
                if !key.verifies(self.text.as_bytes(), &signature.signature) {
                    let why = format!("key `{}` did not sign this text", key.name());
                    return Err(Error::BadSignature(Detail::new(why)));
                }
                signers.push(key.clone());
            }
        }
        if signers.is_empty() {
            return Err(Error::NoTrustedSignature);
        }
        Ok(VerifiedNote { text: self.text.clone(), signers })
    }

    /// The text, not to be believed.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    fn parse(line: &str) -> Result<Self, Error> {
        let (name, base64) = line
            .strip_prefix(LINE_START)
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| malformed("a signature line is an em dash, a name and base64"))?;
        let name =
            KeyName::parse(name).map_err(|_| malformed("a signature line without a usable key name"))?;
        let bytes = STANDARD.decode(base64).map_err(|error| malformed(format!("signature: {error}")))?;
        match bytes.split_first_chunk::<KEY_ID_BYTES>() {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name, key_id: *key_id, signature: signature.to_vec() })
            }
            _ => Err(malformed("a signature is cut off")),
        }
    }

    fn claims(&self, key: &VerifierKey) -> bool {
        self.name == *key.name() && self.key_id == key.id()
    }

    /// Name of the key that claims to have signed.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Id of the key that claims to have signed.
    pub fn key_id(&self) -> [u8; KEY_ID_BYTES] {
        self.key_id
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.signature].concat();
        write!(f, "{LINE_START}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl VerifiedNote {
    /// The text that was signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The known keys that signed, at least one.
    pub fn signers(&self) -> &[VerifierKey] {
        &self.signers
    }
}

impl SigningKey {
    /// Signs `text`, which must be a note text: one line or more, no control character but newline.
    pub fn sign(&self, text: &str) -> Result<SignedNote, Error> {
        refuse_control_characters(text)?;
        if !text.ends_with('\n') {
            return Err(malformed("a text ends in a newline"));
        }
        let verifier = self.verifier();
        let signature = self.sign_bytes(text.as_bytes())?;
        let signature = NoteSignature { name: verifier.name().clone(), key_id: verifier.id(), signature };
        Ok(SignedNote { text: text.to_owned(), signatures: vec![signature] })
    }
}

fn refuse_control_characters(text: &str) -> Result<(), Error> {
    match text.bytes().position(|byte| byte < 0x20 && byte != b'\n') {
        None => Ok(()),
        Some(at) => Err(malformed(format!("control character at byte {at}"))),
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed("signed note", why)
}

/// Em dash and space.
const LINE_START: &str = "\u{2014} ";

#[cfg(test)]
pub(crate) mod tests;
