//! The 518 published proofs, 482 of which must be refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::*;
use crate::testdata;

/// A line of any of the four vector files.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    want_err: bool,
    proof: Option<Vec<String>>,
    #[serde(default)]
    leaf_idx: u64,
    #[serde(default)]
    tree_size: u64,
    #[serde(default)]
    start: u64,
    #[serde(default)]
    end: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    size1: u64,
    #[serde(default)]
    size2: u64,
    #[serde(default)]
    root: String,
    #[serde(default)]
    root1: String,
    #[serde(default)]
    root2: String,
    #[serde(default)]
    leaf_hash: String,
}

impl Vector {
    fn proof(&self) -> Result<Vec<Hash>, Error> {
        self.proof.iter().flatten().map(|hash| Hash::from_base64(hash)).collect()
    }

    fn subtree(&self) -> Result<Subtree, Error> {
        Subtree::new(self.start, self.end)
    }

    fn roots(&self) -> Result<(Hash, Hash), Error> {
        let read = |text: &str| match Hash::from_base64(text) {
            Err(_) if self.is_about_any_root() => Ok(leaf_hash(&STANDARD.decode(text).unwrap())),
            hash => hash,
        };
        Ok((read(&self.root1)?, read(&self.root2)?))
    }

    /// Four vectors that must be accepted put words where the root of a tree belongs, to show that only its
    /// equality counts, or not even that. Words are no [`Hash`] here, so the hash of the words stands for them.
    fn is_about_any_root(&self) -> bool {
        [
            "consistency/additional/sizes-are-equal-one-and-proof-is-empty",
            "subtreeconsistency/additional/sizes-are-equal-one-and-proof-is-empty",
            "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-one-subtree-root-valid-tree-root-random-proof-is-empty",
            "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty",
        ]
        .contains(&self.name.as_str())
    }
}

#[track_caller]
fn check_vectors(file: &str, count: usize, verify: impl Fn(&Vector) -> Result<(), Error>) {
    let Some(text) = testdata::read_text(&format!("merkle/{file}.ndjson")) else { return };
    let vectors: Vec<Vector> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(vectors.len(), count);
    for vector in &vectors {
        let outcome = verify(vector);
        assert_eq!(outcome.is_err(), vector.want_err, "{}: {outcome:?}", vector.name);
    }
}

#[test]
fn published_inclusion_proofs_get_the_published_answer() {
    check_vectors("inclusion", 98, |vector| {
        let (leaf, root) = (Hash::from_base64(&vector.leaf_hash)?, Hash::from_base64(&vector.root)?);
        verify_inclusion(&leaf, vector.leaf_idx, vector.tree_size, &vector.proof()?, &root)
    });
}

#[test]
fn published_consistency_proofs_get_the_published_answer() {
    check_vectors("consistency", 98, |vector| {
        let (root1, root2) = vector.roots()?;
        verify_consistency(vector.size1, vector.size2, &vector.proof()?, &root1, &root2)
    });
}

#[test]
fn published_subtree_inclusion_proofs_get_the_published_answer() {
    check_vectors("subtreeinclusion", 204, |vector| {
        let (leaf, root) = (Hash::from_base64(&vector.leaf_hash)?, Hash::from_base64(&vector.root)?);
        verify_subtree_inclusion(&leaf, vector.leaf_idx, vector.subtree()?, &vector.proof()?, &root)
    });
}

#[test]
fn published_subtree_consistency_proofs_get_the_published_answer() {
    check_vectors("subtreeconsistency", 118, |vector| {
        let (root1, root2) = vector.roots()?;
        verify_subtree_consistency(vector.subtree()?, vector.size, &vector.proof()?, &root1, &root2)
    });
}
