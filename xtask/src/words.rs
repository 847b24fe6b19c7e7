//! What must never be in the repository: places of one machine, hosts of one network.
//!
//! Kept in pieces, so that the list itself is not an offence.

/// Found without regard to case.
const WORDS: [&str; 7] = [
    concat!("/", "work/"),
    concat!("/", "root/"),
    concat!("/", "home/"),
    concat!("/", "users/"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
];

/// The first forbidden word of a line.
///
/// A word that begins with `/` is a path only where a path can begin, not in the middle of another.
pub(crate) fn forbidden(line: &str) -> Option<&'static str> {
    let line = line.to_lowercase();
    WORDS.into_iter().find(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            !word.starts_with('/') || before.is_none_or(|before| !before.is_alphanumeric())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_one_machine_is_found_wherever_it_stands() {
        for word in WORDS {
            assert_eq!(forbidden(&format!("see {}x", word.to_uppercase())), Some(word));
            assert_eq!(forbidden(&format!("{word}x")), Some(word));
        }
    }

    #[test]
    fn a_part_of_another_path_is_no_place() {
        for fine in
            ["/var/log/auth.log", concat!("v1/wo", "rk/7"), "the framework/", "crates.io", "/workflows/x"]
        {
            assert_eq!(forbidden(fine), None, "{fine}");
        }
    }
}
