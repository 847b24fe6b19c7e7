//! Merkle proof vectors: what must verify verifies, everything else is refused.

use ringwall::audit::{
    Error, Hash, Subtree, leaf_hash, verify_consistency, verify_inclusion, verify_subtree_consistency,
    verify_subtree_inclusion,
};
use serde_json::Value;

use crate::folder::Folder;
use crate::score::{Row, Score};

type Verify = fn(&Value) -> Result<(), String>;

const FILES: [(&str, Verify); 4] = [
    ("inclusion", inclusion),
    ("consistency", consistency),
    ("subtreeinclusion", subtree_inclusion),
    ("subtreeconsistency", subtree_consistency),
];

pub(crate) fn score(folder: &Folder, score: &mut Score) -> Result<(), String> {
    for (kind, verify) in FILES {
        let file = format!("{kind}.ndjson");
        if !folder.has(&file) {
            continue;
        }
        let mut row = Row::new(kind);
        for (number, vector) in (1..).zip(folder.lines(&file)?) {
            let must_refuse = vector.get("wantErr").and_then(Value::as_bool);
            let must_refuse =
                must_refuse.ok_or_else(|| format!("{file}, line {number}: `wantErr` is missing"))?;
            let name =
                vector.get("name").and_then(Value::as_str).map_or(format!("line {number}"), str::to_owned);
            row.verdict(&name, !must_refuse, verify(&vector).err());
        }
        score.add(row);
    }
    Ok(())
}

fn inclusion(vector: &Value) -> Result<(), String> {
    let (leaf, root) = (hash(vector, "leafHash")?, hash(vector, "root")?);
    told(verify_inclusion(
        &leaf,
        number(vector, "leafIdx")?,
        number(vector, "treeSize")?,
        &proof(vector)?,
        &root,
    ))
}

fn consistency(vector: &Value) -> Result<(), String> {
    let (old, new) = (root(vector, "root1")?, root(vector, "root2")?);
    told(verify_consistency(number(vector, "size1")?, number(vector, "size2")?, &proof(vector)?, &old, &new))
}

fn subtree_inclusion(vector: &Value) -> Result<(), String> {
    let subtree = subtree(vector)?;
    let (leaf, root) = (hash(vector, "leafHash")?, hash(vector, "root")?);
    told(verify_subtree_inclusion(&leaf, number(vector, "leafIdx")?, subtree, &proof(vector)?, &root))
}

fn subtree_consistency(vector: &Value) -> Result<(), String> {
    let subtree = subtree(vector)?;
    let (old, new) = (root(vector, "root1")?, root(vector, "root2")?);
    told(verify_subtree_consistency(subtree, number(vector, "size")?, &proof(vector)?, &old, &new))
}

fn subtree(vector: &Value) -> Result<Subtree, String> {
    Subtree::new(number(vector, "start")?, number(vector, "end")?).map_err(|error| error.to_string())
}

fn told(result: Result<(), Error>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

fn number(vector: &Value, name: &str) -> Result<u64, String> {
    vector.get(name).and_then(Value::as_u64).ok_or_else(|| format!("`{name}` is no whole number"))
}

fn hash(vector: &Value, name: &str) -> Result<Hash, String> {
    let text = vector.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing"))?;
    Hash::from_base64(text).map_err(|error| error.to_string())
}

/// Some vectors put words where a root belongs, to show that only its equality counts: then the words' hash stands for
/// them. Other roots, leaves and proofs must be hashes.
fn root(vector: &Value, name: &str) -> Result<Hash, String> {
    let words = vector.get(name).and_then(Value::as_str).ok_or_else(|| format!("`{name}` is missing"))?;
    Ok(Hash::from_base64(words).unwrap_or_else(|_| leaf_hash(words.as_bytes())))
}

fn proof(vector: &Value) -> Result<Vec<Hash>, String> {
    let Some(hashes) = vector.get("proof").and_then(Value::as_array) else { return Ok(Vec::new()) };
    let hashes = hashes.iter().map(|hash| Hash::from_base64(hash.as_str().unwrap_or_default()));
    hashes.collect::<Result<_, _>>().map_err(|error: Error| error.to_string())
}
