//! Tiles, bundles and paths against a log that another implementation wrote.

use proptest::prelude::*;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::merkle::tests::{Levels, root_from_leaf_hashes};
use crate::merkle::{
    CompactRange, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use crate::note::VerifierKey;
use crate::testdata;

#[track_caller]
fn check_path(path: TilePath, expected: &str) {
    assert_eq!(path.to_string(), expected);
    assert_eq!(expected.parse::<TilePath>().unwrap(), path);
}

fn tile(level: u8, index: u64, width: u16) -> TilePath {
    TilePath::Tile(TileId { level, index, width })
}

#[test]
fn a_path_has_groups_of_three_digits_and_a_width_only_when_partial() {
    check_path(tile(0, 0, 256), "tile/0/000");
    check_path(tile(0, 999, 1), "tile/0/999.p/1");
    check_path(tile(1, 1000, 255), "tile/1/x001/000.p/255");
    check_path(tile(63, 1_234_067, 256), "tile/63/x001/x234/067");
    check_path(TilePath::Entries { index: 1_000_000, width: 256 }, "tile/entries/x001/x000/000");
    check_path(
        TilePath::Entries { index: u64::MAX, width: 12 },
        "tile/entries/x018/x446/x744/x073/x709/x551/615.p/12",
    );
}

#[test]
fn another_spelling_of_a_path_is_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/+00",
        "tile/00/000",
        "tile/+0/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/x1/000",
        "tile/0/xx01/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/0/000.P/1",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/entry/000",
        "tile/Entries/000",
        "tiles/0/000",
        " tile/0/000",
    ] {
        assert_eq!(path.parse::<TilePath>().unwrap_err().code(), "malformed", "{path}");
    }
    assert!("tile/0/".to_owned().repeat(10_000).parse::<TilePath>().is_err());
}

#[test]
fn a_bundle_holds_entries_up_to_their_largest_size() {
    let largest = vec![7; MAX_ENTRY_BYTES];
    let entries: Vec<&[u8]> = vec![b"", b"a", &largest];
    let bundle = encode_entry_bundle(&entries).unwrap();
    assert_eq!(bundle[..7], [0, 0, 0, 1, b'a', 0xff, 0xff]);
    assert_eq!(decode_entry_bundle(3, &bundle).unwrap(), entries);

    let too_large = vec![7; MAX_ENTRY_BYTES + 1];
    assert_eq!(encode_entry_bundle(&[&too_large]).unwrap_err().code(), "entry_size");
    assert!(encode_entry_bundle(&[]).is_err());
    assert!(encode_entry_bundle(&[b"a".as_slice(); 256]).is_ok());
    assert!(encode_entry_bundle(&[b"a".as_slice(); 257]).is_err());
}

#[test]
fn a_bundle_or_tile_of_another_width_is_refused() {
    let bundle = encode_entry_bundle(&[b"ab", b"c"]).unwrap();
    for width in [0, 1, 3, 257] {
        assert!(decode_entry_bundle(width, &bundle).is_err());
    }
    for len in 0..bundle.len() {
        assert!(decode_entry_bundle(2, &bundle[..len]).is_err());
    }
    let bytes = encode_tile(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    assert!(decode_tile(2, &bytes).is_ok());
    for width in [0, 1, 3] {
        assert!(decode_tile(width, &bytes).is_err());
    }
    assert!(decode_tile(2, &bytes[1..]).is_err());
    assert!(decode_tile(0, &[]).is_err());
    assert!(decode_tile(257, &[0; 257 * 32]).is_err());
}

#[test]
fn a_log_written_by_another_implementation_is_rebuilt_byte_for_byte() {
    let Some(expected) = testdata::read_json("c2sp/tessera-log/expected.json") else { return };
    let texts = |field: &str| -> Vec<String> {
        expected[field].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let (leaves, leaf_hashes, roots) = (texts("leaves"), texts("leaf_hashes"), texts("roots_by_size"));
    assert_eq!((leaves.len(), leaf_hashes.len(), roots.len()), (15, 15, 16));
    let origin = expected["origin"].as_str().unwrap();
    let file = |path: String| testdata::read(&format!("c2sp/tessera-log/{path}")).unwrap();
    let vkey = String::from_utf8(file("vkey".into())).unwrap();
    let keys = [vkey.trim_end().parse::<VerifierKey>().unwrap()];
    assert_eq!(keys[0].to_string(), vkey.trim_end());

    let mut range = CompactRange::new();
    let mut hashes = Vec::new();
    let mut known_roots = Vec::new();
    for size in 0..=leaves.len() {
        let note = String::from_utf8(file(format!("checkpoint.{size}"))).unwrap();
        let checkpoint = Checkpoint::open(&note, &keys, origin).unwrap();
        assert_eq!(checkpoint.size(), size as u64);
        assert_eq!(*checkpoint.root(), range.root());
        assert_eq!(checkpoint.root().to_base64(), roots[size]);
        known_roots.push(range.root());
        if size > 0 {
            let width = size as u16;
            let path = TilePath::Tile(TileId { level: 0, index: 0, width });
            assert_eq!(encode_tile(&hashes), file(path.to_string()));
            assert_eq!(decode_tile(width, &file(path.to_string())).unwrap(), hashes);
            let entries: Vec<&[u8]> = leaves[..size].iter().map(String::as_bytes).collect();
            let bundle = file(TilePath::Entries { index: 0, width }.to_string());
            assert_eq!(encode_entry_bundle(&entries).unwrap(), bundle);
            assert_eq!(decode_entry_bundle(width, &bundle).unwrap(), entries);
        }
        if let Some(leaf) = leaves.get(size) {
            let hash = leaf_hash(leaf.as_bytes());
            assert_eq!(hash.to_base64(), leaf_hashes[size]);
            hashes.push(hash);
            range.append(hash, &mut |_| {}).unwrap();
        }
    }
    let latest = String::from_utf8(file("checkpoint".into())).unwrap();
    assert_eq!(*Checkpoint::open(&latest, &keys, origin).unwrap().root(), range.root());

    let tiles = Levels::new(&hashes);
    for size in 1..=leaves.len() as u64 {
        let root = &known_roots[size as usize];
        assert_eq!(*root, root_from_leaf_hashes(&hashes[..size as usize]));
        for index in 0..size {
            let proof = inclusion_proof(index, size, &tiles).unwrap();
            verify_inclusion(&hashes[index as usize], index, size, &proof, root).unwrap();
            let proof = consistency_proof(index + 1, size, &tiles).unwrap();
            verify_consistency(index + 1, size, &proof, &known_roots[index as usize + 1], root).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn every_path_reads_back(level in 0u8..64, index: u64, width in 1u16..=256) {
        let (hashes, entries) = (tile(level, index, width), TilePath::Entries { index, width });
        prop_assert_eq!(hashes.to_string().parse::<TilePath>().unwrap(), hashes);
        prop_assert_eq!(entries.to_string().parse::<TilePath>().unwrap(), entries);
    }

    #[test]
    fn no_text_makes_a_path_panic(path in "(tile/)?(entries|[0-9]{0,3})/?(x?[0-9]{0,4}/){0,3}\\PC{0,4}(\\.p/[0-9]{0,4})?") {
        if let Ok(parsed) = path.parse::<TilePath>() {
            prop_assert_eq!(parsed.to_string(), path);
        }
    }

    #[test]
    fn no_bytes_make_a_bundle_panic(width: u16, bytes in prop::collection::vec(0u8..4, 0..60)) {
        if let Ok(entries) = decode_entry_bundle(width, &bytes) {
            prop_assert_eq!(encode_entry_bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_a_tile_panic(width in 0u16..4, bytes in prop::collection::vec(any::<u8>(), 0..130)) {
        if let Ok(hashes) = decode_tile(width, &bytes) {
            prop_assert_eq!(encode_tile(&hashes), bytes);
        }
    }
}
