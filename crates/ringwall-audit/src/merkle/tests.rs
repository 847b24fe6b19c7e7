//! The tree against published vectors, against a recursive reference, and against the laws of its proofs.

mod vectors;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::Error;

/// The definition of RFC 6962, section 2.1.
pub(crate) fn root_from_leaf_hashes(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_from_leaf_hashes(left), &root_from_leaf_hashes(right))
        }
    }
}

/// All tile hashes of a tree, by level, and the size that proofs are made for.
pub(crate) struct Levels {
    levels: Vec<Vec<Hash>>,
}

impl Levels {
    pub(crate) fn new(leaves: &[Hash]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|below| below.len() >= 256) {
            let above = below.as_chunks::<256>().0.iter().map(|tile| root_from_leaf_hashes(tile)).collect();
            levels.push(above);
        }
        Self { levels }
    }
}

impl TileSource for Levels {
    fn tile(&self, id: TileId) -> Option<&[Hash]> {
        let start = usize::try_from(id.index).ok()? * 256;
        self.levels.get(usize::from(id.level))?.get(start..start + usize::from(id.width))
    }
}

fn numbered_leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|n| u8::from_str_radix(text.get(2 * n..2 * n + 2).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn roots_are_the_known_ones() {
    let leaves: Vec<Hash> =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
            .iter()
            .map(|hex| leaf_hash(&from_hex(hex)))
            .collect();
    let check = |count: usize, expected: &str| {
        let mut range = CompactRange::new();
        for leaf in &leaves[..count] {
            range.append(*leaf, &mut |_| {}).unwrap();
        }
        assert_eq!(range.root().to_string(), expected);
    };
    check(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
    check(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn growing_leaf_by_leaf_gives_the_roots_of_the_definition() {
    let leaves = numbered_leaves(300);
    let mut range = CompactRange::new();
    for (count, leaf) in leaves.iter().enumerate() {
        assert_eq!(range.root(), root_from_leaf_hashes(&leaves[..count]));
        assert_eq!(CompactRange::from_bytes(&range.to_bytes()).unwrap(), range);
        range.append(*leaf, &mut |_| {}).unwrap();
    }
}

#[test]
fn every_full_tile_is_announced_once_with_its_root() {
    let leaves = numbered_leaves(256 * 256 + 700);
    let levels = Levels::new(&leaves);
    let mut announced = BTreeMap::new();
    let mut range = CompactRange::new();
    for leaf in &leaves {
        range
            .append(*leaf, &mut |node| {
                assert!(announced.insert((node.level, node.index), node.hash).is_none())
            })
            .unwrap();
    }
    let expected: BTreeMap<(u8, u64), Hash> = (1u8..)
        .zip(levels.levels.iter().skip(1))
        .flat_map(|(level, hashes)| (0u64..).zip(hashes).map(move |(index, hash)| ((level, index), *hash)))
        .collect();
    assert_eq!(announced.len(), 258 + 1);
    assert_eq!(announced, expected);
}

#[test]
fn a_full_tree_takes_no_more_leaves() {
    let mut bytes = u64::MAX.to_be_bytes().to_vec();
    bytes.resize(8 + 64 * HASH_BYTES, 7);
    let full = CompactRange::from_bytes(&bytes).unwrap();
    let mut range = full.clone();
    assert_eq!(range.append(empty_root(), &mut |_| {}).unwrap_err().code(), "out_of_range");
    assert_eq!(range, full);

    bytes[7] = 0xfe;
    bytes.truncate(8 + 63 * HASH_BYTES);
    let mut range = CompactRange::from_bytes(&bytes).unwrap();
    range.append(empty_root(), &mut |_| {}).unwrap();
    assert_eq!(range.size(), u64::MAX);
}

#[test]
fn state_with_another_number_of_hashes_than_its_size_asks_for_is_refused() {
    let refused = |size: u64, hash_bytes: usize| {
        let bytes = [size.to_be_bytes().to_vec(), vec![0; hash_bytes]].concat();
        assert_eq!(CompactRange::from_bytes(&bytes).unwrap_err().code(), "malformed");
    };
    refused(0, 32);
    refused(1, 0);
    refused(1, 31);
    refused(1, 33);
    refused(3, 32);
    refused(3, 96);
    assert!(CompactRange::from_bytes(&[0; 7]).is_err());
    assert!(CompactRange::from_bytes(&[0; 8]).is_ok());
}

#[test]
fn an_inclusion_proof_holds_for_its_leaf_index_and_tree_and_for_no_other() {
    const LARGEST: u64 = 24;
    let leaves = numbered_leaves(LARGEST);
    let tiles = Levels::new(&leaves);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| root_from_leaf_hashes(&leaves[..size])).collect();
    for size in 1..=LARGEST {
        for index in 0..size {
            let proof = inclusion_proof(index, size, &tiles).unwrap();
            for other_size in 1..=LARGEST {
                for other in 0..LARGEST {
                    let (leaf, root) = (&leaves[index as usize], &roots[other_size as usize]);
                    let is_own = (other, other_size) == (index, size);
                    assert_eq!(verify_inclusion(leaf, other, other_size, &proof, root).is_ok(), is_own);
                    let claimed =
                        verify_inclusion(&leaves[other as usize], index, size, &proof, &roots[size as usize]);
                    assert_eq!(claimed.is_ok(), other == index);
                }
            }
        }
    }
}

#[test]
fn a_consistency_proof_holds_for_its_two_trees_and_for_no_others() {
    const LARGEST: u64 = 20;
    let leaves = numbered_leaves(LARGEST);
    let tiles = Levels::new(&leaves);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|size| root_from_leaf_hashes(&leaves[..size])).collect();
    for size2 in 1..=LARGEST {
        for size1 in 1..=size2 {
            let proof = consistency_proof(size1, size2, &tiles).unwrap();
            for other2 in 1..=LARGEST {
                for other1 in 0..=LARGEST {
                    let (root1, root2) = (&roots[other1 as usize], &roots[other2 as usize]);
                    let is_own = (other1, other2) == (size1, size2)
                        || (proof.is_empty() && other1 == other2 && other1 > 0);
                    assert_eq!(verify_consistency(other1, other2, &proof, root1, root2).is_ok(), is_own);
                }
            }
        }
    }
}

#[test]
fn a_proof_needs_exactly_the_tiles_that_were_named_for_it() {
    let leaves = numbered_leaves(256 * 256 + 256 * 3 + 5);
    let levels = Levels::new(&leaves);
    let size = leaves.len() as u64;
    type Tiles = BTreeMap<TileId, Vec<Hash>>;
    let check = |named: Vec<TileId>, prove: &dyn Fn(&Tiles) -> Result<Vec<Hash>, Error>| {
        let tiles: Tiles = named.iter().map(|id| (*id, levels.tile(*id).unwrap().to_vec())).collect();
        assert_eq!(tiles.len(), named.len());
        prove(&tiles).unwrap();
        for id in named {
            let mut fewer = tiles.clone();
            fewer.remove(&id);
            assert_eq!(prove(&fewer).unwrap_err(), Error::MissingTile(id));
            let mut cut = tiles.clone();
            cut.get_mut(&id).unwrap().pop();
            assert_eq!(prove(&cut).unwrap_err().code(), "malformed");
        }
    };
    for index in [0, 255, 256, 65_535, 65_536, size - 6, size - 1] {
        check(tiles_for_inclusion(index, size).unwrap(), &|tiles| inclusion_proof(index, size, tiles));
    }
    for size1 in [1, 256, 257, 65_536, 65_537, size - 1, size] {
        check(tiles_for_consistency(size1, size).unwrap(), &|tiles| consistency_proof(size1, size, tiles));
    }
    let edge = TileId { level: 0, index: 259, width: 5 };
    assert!(tiles_for_inclusion(size - 1, size).unwrap().contains(&edge));
}

#[test]
fn proofs_outside_the_tree_are_not_made() {
    let tiles = BTreeMap::new();
    assert_eq!(inclusion_proof(0, 0, &tiles).unwrap_err().code(), "out_of_range");
    assert_eq!(inclusion_proof(5, 5, &tiles).unwrap_err().code(), "out_of_range");
    assert_eq!(consistency_proof(0, 5, &tiles).unwrap_err().code(), "out_of_range");
    assert_eq!(consistency_proof(6, 5, &tiles).unwrap_err().code(), "out_of_range");
    assert_eq!(inclusion_proof(0, 1, &BTreeMap::new()).unwrap(), []);
    assert_eq!(consistency_proof(5, 5, &tiles).unwrap(), []);
}

#[test]
fn the_largest_tree_has_proofs_of_a_bounded_size() {
    for index in [0, 1, 1 << 63, u64::MAX - 2, u64::MAX - 1] {
        assert!(tiles_for_inclusion(index, u64::MAX).unwrap().len() <= MAX_PROOF_HASHES);
        let proof = vec![empty_root(); 70];
        assert!(verify_inclusion(&empty_root(), index, u64::MAX, &proof, &empty_root()).is_err());
        assert!(tiles_for_consistency(index + 1, u64::MAX).is_ok());
        assert!(verify_consistency(index + 1, u64::MAX, &proof, &empty_root(), &empty_root()).is_err());
    }
}

#[test]
fn a_hash_has_one_text_and_its_debug_form_is_hex() {
    let hash = leaf_hash(b"");
    assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
    assert_eq!(serde_json::from_str::<Hash>(&serde_json::to_string(&hash).unwrap()).unwrap(), hash);
    assert_eq!(format!("{hash:?}"), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    for text in [
        "",
        "bjQ=",
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=",
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0",
    ] {
        assert_eq!(Hash::from_base64(text).unwrap_err().code(), "malformed");
    }
}

fn big_tree() -> &'static (Vec<Hash>, Levels) {
    static TREE: std::sync::OnceLock<(Vec<Hash>, Levels)> = std::sync::OnceLock::new();
    TREE.get_or_init(|| {
        let leaves = numbered_leaves(70_000);
        let levels = Levels::new(&leaves);
        (leaves, levels)
    })
}

fn root_at(size: u64) -> Hash {
    let (leaves, levels) = big_tree();
    let mut range = CompactRange::new();
    // The beginning comes from tile nodes, so that a case does not hash the whole tree again.
    let tiles = (size / 256) as usize;
    for node in levels.levels.get(1).into_iter().flatten().take(tiles) {
        range.append(*node, &mut |_| {}).unwrap();
    }
    let mut bytes = size.to_be_bytes().to_vec();
    bytes.extend_from_slice(&range.to_bytes()[8..]);
    let mut tail = CompactRange::new();
    for leaf in &leaves[tiles * 256..size as usize] {
        tail.append(*leaf, &mut |_| {}).unwrap();
    }
    bytes.extend_from_slice(&tail.to_bytes()[8..]);
    CompactRange::from_bytes(&bytes).unwrap().root()
}

proptest! {
    #[test]
    fn proofs_across_tile_levels_verify_and_a_flipped_bit_refuses_them(
        (size, size1, index) in (1u64..70_000).prop_flat_map(|size| (Just(size), 1..=size, 0..size)),
        flip in any::<prop::sample::Index>(), bit in 0u8..8
    ) {
        let (leaves, levels) = big_tree();
        let (root, root1, leaf) = (root_at(size), root_at(size1), leaves[index as usize]);
        let inclusion = inclusion_proof(index, size, levels).unwrap();
        let consistency = consistency_proof(size1, size, levels).unwrap();
        prop_assert!(verify_inclusion(&leaf, index, size, &inclusion, &root).is_ok());
        prop_assert!(verify_consistency(size1, size, &consistency, &root1, &root).is_ok());
        let whole = Subtree::new(0, size).unwrap();
        prop_assert!(verify_subtree_inclusion(&leaf, index, whole, &inclusion, &root).is_ok());
        let one = Subtree::new(index, index + 1).unwrap();
        prop_assert!(verify_subtree_consistency(one, size, &inclusion, &leaf, &root).is_ok());

        if !inclusion.is_empty() {
            prop_assert!(verify_inclusion(&leaf, index, size, &flipped(&inclusion, flip, bit), &root).is_err());
            prop_assert!(verify_inclusion(&leaf, index, size, &inclusion[1..], &root).is_err());
        }
        if !consistency.is_empty() {
            let bad = flipped(&consistency, flip, bit);
            prop_assert!(verify_consistency(size1, size, &bad, &root1, &root).is_err());
            prop_assert!(verify_consistency(size1, size, &consistency[1..], &root1, &root).is_err());
        }
        let longer = [inclusion, vec![root]].concat();
        prop_assert!(verify_inclusion(&leaf, index, size, &longer, &root).is_err());
    }

    #[test]
    fn no_numbers_make_a_verifier_panic(
        a in any_size(), b in any_size(), c in any_size(), hashes in 0usize..70
    ) {
        let proof = vec![empty_root(); hashes];
        let (leaf, root) = (leaf_hash(b""), empty_root());
        prop_assert!(verify_inclusion(&leaf, a, b, &proof, &root).is_err());
        prop_assert!(verify_consistency(a, b, &proof, &leaf, &root).is_err());
        if let Ok(subtree) = Subtree::new(a, b) {
            prop_assert!(verify_subtree_inclusion(&leaf, c, subtree, &proof, &root).is_err());
            prop_assert!(verify_subtree_consistency(subtree, c, &proof, &leaf, &root).is_err());
        }
        prop_assert_eq!(tiles_for_inclusion(a, b).is_ok(), a < b);
        prop_assert_eq!(tiles_for_consistency(a, b).is_ok(), 0 < a && a <= b);
    }

    #[test]
    fn no_bytes_make_stored_state_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(range) = CompactRange::from_bytes(&bytes) {
            prop_assert_eq!(range.to_bytes(), bytes);
        }
    }
}

fn any_size() -> impl Strategy<Value = u64> {
    prop_oneof![any::<u64>(), 0u64..20, (u64::MAX - 20)..=u64::MAX, (0u32..64).prop_map(|bit| 1 << bit)]
}

fn flipped(hashes: &[Hash], at: prop::sample::Index, bit: u8) -> Vec<Hash> {
    let mut bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    let at = at.index(bytes.len());
    bytes[at] ^= 1 << bit;
    bytes.as_chunks::<HASH_BYTES>().0.iter().copied().map(Hash::from_bytes).collect()
}
