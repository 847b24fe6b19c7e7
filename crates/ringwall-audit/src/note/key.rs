//! The keys that sign and verify notes: Ed25519, named, and told apart by a four-byte id.
//!
//! A signing key cannot be printed, copied or read back; its seed is wiped as soon as the key is made.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Error;
use crate::error::Detail;

pub(super) const KEY_ID_BYTES: usize = 4;
const SEED_BYTES: usize = 32;
const PUBLIC_KEY_BYTES: usize = 32;

/// The signature type byte of plain Ed25519.
const TYPE_ED25519: u8 = 0x01;

/// No key name is longer.
const MAX_NAME_BYTES: usize = 255;

/// Name of a key: not empty, without blanks, control characters and plus signs.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyName(String);

impl KeyName {
    /// Accepts a name that can stand in a signature line.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let is_usable = !name.is_empty()
            && name.len() <= MAX_NAME_BYTES
            && !name.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control());
        if is_usable { Ok(Self(name.to_owned())) } else { Err(bad_key(format!("`{name}` is no key name"))) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key that notes are checked with.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct VerifierKey {
    name: KeyName,
    id: [u8; KEY_ID_BYTES],
    public: [u8; PUBLIC_KEY_BYTES],
}

impl VerifierKey {
    fn new(name: KeyName, public: [u8; PUBLIC_KEY_BYTES]) -> Self {
        let mut input = name.0.clone().into_bytes();
        input.extend_from_slice(&[b'\n', TYPE_ED25519]);
        input.extend_from_slice(&public);
        let mut id = [0; KEY_ID_BYTES];
        for (to, from) in id.iter_mut().zip(digest(&SHA256, &input).as_ref()) {
            *to = *from;
        }
        Self { name, id, public }
    }

    /// Name of the key.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// First bytes of the hash over name, type and public key.
    pub fn id(&self) -> [u8; KEY_ID_BYTES] {
        self.id
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(text, signature).is_ok()
    }
}

/// Reads a vkey: `name+id+base64`. The id must be the one of name and key.
impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(vkey: &str) -> Result<Self, Error> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad_key("a verifier key is `name+id+base64`"));
        };
        let name = KeyName::parse(name)?;
        let bytes = STANDARD.decode(base64).map_err(|error| bad_key(error.to_string()))?;
        let public = match bytes.split_first() {
            Some((&TYPE_ED25519, public)) => public,
            Some((other, _)) => return Err(bad_key(format!("key type {other} is not known"))),
            None => return Err(bad_key("no key")),
        };
        let public = public.try_into().map_err(|_| bad_key(format!("{} bytes of key", public.len())))?;
        let key = Self::new(name, public);
        if hex(key.id) != id {
            return Err(bad_key(format!("key id `{id}` belongs to another name or key")));
        }
        Ok(key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[TYPE_ED25519], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.id), STANDARD.encode(bytes))
    }
}

/// A private key that signs notes.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

impl SigningKey {
    /// Makes the key of a 32-byte secret seed, and wipes the seed.
    pub fn from_seed(name: KeyName, seed: Zeroizing<[u8; SEED_BYTES]>) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|_| bad_key("the seed gives no key"))?;
        let public = pair.public_key().as_ref();
        let public = public.try_into().map_err(|_| bad_key(format!("{} bytes of key", public.len())))?;
        Ok(Self { pair, verifier: VerifierKey::new(name, public) })
    }

    /// The public half, to give to verifiers.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(super) fn sign_bytes(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.pair.try_sign(text).map_err(|_| Error::SigningFailed)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

fn hex(id: [u8; KEY_ID_BYTES]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

fn bad_key(why: impl Into<String>) -> Error {
    Error::BadKey(Detail::new(why))
}
