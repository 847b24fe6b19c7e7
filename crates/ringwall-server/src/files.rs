//! The files beside the database: the key that seals the audit log, and its public half.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringwall::audit::{KeyName, SigningKey, VerifierKey};
use ringwall::{Entropy, SystemEntropy, hex_id};
use zeroize::Zeroizing;

const SECRET_FILE: &str = "signing.key";
/// The public half, to be given to whoever checks proofs.
pub(crate) const PUBLIC_FILE: &str = "signing.pub";
const HEADER: &str = "ringwall-signing-key-v1";

/// Reads the signing key of a data directory, or makes one if the directory has no log yet.
pub(crate) fn signing_key(directory: &Path) -> Result<SigningKey, String> {
    let place = directory.join(SECRET_FILE);
    match std::fs::read_to_string(&place) {
        Ok(text) => {
            let key = parse(Zeroizing::new(text)).map_err(|why| format!("{}: {why}", place.display()))?;
            write_public(directory, &key)?;
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if directory.join(ringwall_sqlite::LOG_FILE).exists() {
                return Err(format!(
                    "{} is missing, but the directory has a log that was sealed with it; put the key back",
                    place.display()
                ));
            }
            let key = make(directory, &place)?;
            write_public(directory, &key)?;
            Ok(key)
        }
        Err(error) => Err(format!("{}: {error}", place.display())),
    }
}

fn make(directory: &Path, place: &Path) -> Result<SigningKey, String> {
    let entropy = SystemEntropy;
    let name = entropy.id_bytes().map_err(|error| error.to_string())?;
    let origin = hex_id("ringwall/", name.first_chunk::<4>().unwrap_or(&[0; 4]));
    let seed = entropy.key_bytes().map_err(|error| error.to_string())?;
    let text = Zeroizing::new(format!("{HEADER} {origin} {}\n", *Zeroizing::new(STANDARD.encode(*seed))));
    let failed = |place: &Path, error: std::io::Error| format!("{}: {error}", place.display());
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| failed(directory, error))?;
    match write_new(place, text.as_bytes()) {
        // Another first start was faster: its key is the key.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return signing_key(directory),
        written => written.map_err(|error| failed(place, error))?,
    }
    let name = KeyName::parse(&origin).map_err(|error| error.to_string())?;
    SigningKey::from_seed(name, seed).map_err(|error| error.to_string())
}

/// Writes the public half beside the key, where it is not or is another one's.
fn write_public(directory: &Path, key: &SigningKey) -> Result<(), String> {
    let place = directory.join(PUBLIC_FILE);
    let text = format!("{}\n", key.verifier());
    if std::fs::read_to_string(&place).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let written = std::fs::remove_file(&place)
        .or_else(not_found_is_fine)
        .and_then(|()| write_new(&place, text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", place.display()))
}

fn not_found_is_fine(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Makes a file with all its bytes, durably, or fails because it is there: a crash leaves the whole file or none.
fn write_new(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = place.as_os_str().to_owned();
    beside.push(format!(".new-{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file =
        std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, place);
    std::fs::remove_file(&beside)?;
    linked?;
    std::fs::File::open(place.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn parse(text: Zeroizing<String>) -> Result<SigningKey, String> {
    let mut parts = text.trim_end_matches('\n').split(' ');
    let (Some(HEADER), Some(origin), Some(seed), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("is not a signing key of ringwall".to_owned());
    };
    let bytes = STANDARD.decode(seed).map(Zeroizing::new).map_err(|_| "the key is damaged".to_owned())?;
    let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| "the key is damaged".to_owned())?;
    let name = KeyName::parse(origin).map_err(|error| error.to_string())?;
    SigningKey::from_seed(name, Zeroizing::new(seed)).map_err(|error| error.to_string())
}

/// Reads a public key: the key itself, a file with it, or the one of a data directory.
pub(crate) fn verifier_key(given: Option<&str>, directory: &Path) -> Result<VerifierKey, String> {
    let text = match given {
        Some(key) if key.matches('+').count() >= 2 && !Path::new(key).exists() => key.to_owned(),
        given => {
            let place = given.map_or_else(|| directory.join(PUBLIC_FILE), PathBuf::from);
            std::fs::read_to_string(&place).map_err(|error| format!("{}: {error}", place.display()))?
        }
    };
    text.trim().parse().map_err(|error: ringwall::audit::Error| format!("public key: {error}"))
}
