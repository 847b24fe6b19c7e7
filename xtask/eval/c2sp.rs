//! Signed notes, checkpoints, and a small tiled log: read, verified, rebuilt byte for byte.

use std::collections::BTreeMap;

use ringwall::audit::{
    Checkpoint, CompactRange, Hash, LogProof, SignedNote, TileId, TilePath, VerifierKey, consistency_proof,
    encode_entry_bundle, encode_tile, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use serde_json::Value;

use crate::folder::Folder;
use crate::score::{Row, Score};

pub(crate) fn score(folder: &Folder, score: &mut Score) -> Result<(), String> {
    if folder.has("notes.json") {
        score.add(notes(&folder.json("notes.json")?)?);
    }
    if folder.has("format-examples.json") {
        score.add(examples(&folder.json("format-examples.json")?));
    }
    for (name, log) in folder.with("vkey")? {
        tiled_log(&name, &log, score).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn notes(cases: &Value) -> Result<Row, String> {
    let mut row = Row::new("signed notes");
    for (number, case) in (1..).zip(cases.as_array().ok_or("notes.json: is no list")?) {
        let missing = |name: &str| format!("notes.json, case {number}: `{name}` is missing");
        let note = case.get("note").and_then(Value::as_str).ok_or_else(|| missing("note"))?;
        let valid = case.get("valid").and_then(Value::as_bool).ok_or_else(|| missing("valid"))?;
        let keys = case.get("vkeys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = case.get("name").and_then(Value::as_str).map_or(format!("case {number}"), str::to_owned);
        let opened = || {
            let keys = keys.iter().map(|key| key.as_str().unwrap_or_default().parse::<VerifierKey>());
            SignedNote::parse(note.as_bytes())?.open(&keys.collect::<Result<Vec<_>, _>>()?)
        };
        row.verdict(&name, valid, opened().err().map(|error| error.to_string()));
    }
    Ok(row)
}

/// Texts from the specifications; those with abridged lines must be refused, not guessed at.
fn examples(examples: &Value) -> Row {
    let mut row = Row::new("format examples");
    for name in ["checkpoint", "checkpoint_cosigned"] {
        if let Some(text) = examples.get(name).and_then(Value::as_str) {
            let parsed =
                SignedNote::parse(text.as_bytes()).and_then(|note| Checkpoint::parse(note.unverified_text()));
            row.verdict(name, true, parsed.err().map(|error| error.to_string()));
        }
    }
    if let Some(text) = examples.get("tlog_proof_abridged").and_then(Value::as_str) {
        let parsed = LogProof::parse(text.as_bytes());
        row.verdict("tlog_proof_abridged", false, parsed.err().map(|error| error.to_string()));
    }
    row
}

fn tiled_log(name: &str, folder: &Folder, score: &mut Score) -> Result<(), String> {
    let key: VerifierKey = folder.text("vkey")?.trim().parse().map_err(|error| format!("vkey: {error}"))?;
    let expected = folder.json("expected.json")?;
    let texts = |field: &str| -> Vec<String> {
        let list = expected.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let (leaves, leaf_hashes) = (texts("leaves"), texts("leaf_hashes"));
    let origin = expected.get("origin").and_then(Value::as_str).unwrap_or(key.name().as_str());
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect();
    let mut row = Row::new(format!("{name}: leaf hashes"));
    for (index, (ours, theirs)) in hashes.iter().zip(&leaf_hashes).enumerate() {
        row = row.equal(&format!("leaf {index}"), theirs.clone(), ours.to_base64());
    }
    score.add(row);
    let roots = roots(&hashes)?;
    score.add(expected_roots(name, &expected, &roots));
    score.add(checkpoints(name, folder, &key, origin, &roots)?);
    score.add(tiles(name, folder, &leaves, &hashes)?);
    score.add(proofs(name, &hashes, &roots));
    Ok(())
}

/// The root of every size from 0 on.
fn roots(hashes: &[Hash]) -> Result<Vec<Hash>, String> {
    let mut range = CompactRange::new();
    let mut roots = vec![range.root()];
    for hash in hashes {
        range.append(*hash, &mut |_| {}).map_err(|error| error.to_string())?;
        roots.push(range.root());
    }
    Ok(roots)
}

fn expected_roots(name: &str, expected: &Value, roots: &[Hash]) -> Row {
    let mut row = Row::new(format!("{name}: roots"));
    for (size, root) in roots.iter().enumerate() {
        let by_size = expected.get("roots_by_size");
        let theirs = by_size.and_then(|all| all.get(size).or_else(|| all.get(size.to_string())));
        if let Some(theirs) = theirs.and_then(Value::as_str) {
            row = row.equal(&format!("size {size}"), theirs.to_owned(), root.to_base64());
        }
    }
    row
}

/// Each `checkpoint` and `checkpoint.N` is signed, and about the root of its size.
fn checkpoints(
    name: &str,
    folder: &Folder,
    key: &VerifierKey,
    origin: &str,
    roots: &[Hash],
) -> Result<Row, String> {
    let mut row = Row::new(format!("{name}: checkpoints"));
    for file in folder.names()?.iter().filter(|file| file.split('.').next() == Some("checkpoint")) {
        let opened = Checkpoint::open(&folder.text(file)?, std::slice::from_ref(key), origin);
        let refusal = match opened {
            Err(error) => Some(error.to_string()),
            Ok(checkpoint) => {
                let ours = usize::try_from(checkpoint.size()).ok().and_then(|size| roots.get(size));
                (ours != Some(checkpoint.root())).then(|| "another root than rebuilt".to_owned())
            }
        };
        row.verdict(file, true, refusal);
    }
    Ok(row)
}

/// Every stored level-0 tile and entry bundle is what the leaves give.
fn tiles(name: &str, folder: &Folder, leaves: &[String], hashes: &[Hash]) -> Result<Row, String> {
    let mut row = Row::new(format!("{name}: tiles and bundles"));
    let widths = (1..=256u16).take_while(|width| usize::from(*width) <= leaves.len());
    for width in widths {
        let ours = hashes.get(..usize::from(width)).unwrap_or_default();
        let entries: Vec<_> = leaves.iter().take(usize::from(width)).map(|leaf| leaf.as_bytes()).collect();
        let bundle = encode_entry_bundle(&entries).map_err(|error| error.to_string())?;
        let places = [
            (TilePath::Tile(TileId { level: 0, index: 0, width }), encode_tile(ours)),
            (TilePath::Entries { index: 0, width }, bundle),
        ];
        for (path, bytes) in places {
            let path = path.to_string();
            if folder.has(&path) {
                let differs = folder.bytes(&path)? != bytes;
                row.verdict(&path, true, differs.then(|| "other bytes than rebuilt".to_owned()));
            }
        }
    }
    Ok(row)
}

/// Every inclusion and consistency proof between all sizes verifies, and none for another leaf.
fn proofs(name: &str, hashes: &[Hash], roots: &[Hash]) -> Row {
    let mut row = Row::new(format!("{name}: proofs"));
    let width = |size: usize| u16::try_from(size.min(256)).unwrap_or(256);
    for (size, root) in roots.iter().enumerate().skip(1).filter(|(size, _)| *size <= 256) {
        let tile = TileId { level: 0, index: 0, width: width(size) };
        let tiles = BTreeMap::from([(tile, hashes.get(..size).unwrap_or_default().to_vec())]);
        for (index, leaf) in hashes.iter().enumerate().take(size) {
            let (at, of) = (index as u64, size as u64);
            let proof = inclusion_proof(at, of, &tiles);
            let checked = proof.clone().and_then(|proof| verify_inclusion(leaf, at, of, &proof, root));
            row.verdict(
                &format!("leaf {index} of {size}"),
                true,
                checked.err().map(|error| error.to_string()),
            );
            let other = leaf_hash(b"another leaf");
            let forged = proof.and_then(|proof| verify_inclusion(&other, at, of, &proof, root));
            row.verdict(
                &format!("another leaf {index} of {size}"),
                false,
                forged.err().map(|error| error.to_string()),
            );
        }
        for (older, old_root) in roots.iter().enumerate().take(size + 1).skip(1) {
            let (from, to) = (older as u64, size as u64);
            let proof = consistency_proof(from, to, &tiles);
            let checked = proof.and_then(|proof| verify_consistency(from, to, &proof, old_root, root));
            row.verdict(&format!("{older} to {size}"), true, checked.err().map(|error| error.to_string()));
        }
    }
    row
}
