use super::*;

/// A built tree: `user -> name version`, with every stale exception satisfied.
fn tree(arrows: &[(&str, &str, &str)]) -> Built {
    let tolerated =
        TOLERATED.iter().flat_map(|(name, users)| users.iter().map(|user| (*user, *name, "1.0.0")));
    let twice = DUPLICATES.iter().flat_map(|(name, _)| [("app", *name, "1.0.0"), ("app", *name, "2.0.0")]);
    let mut built = Built::new();
    for (user, name, version) in tolerated.chain(twice).chain(arrows.iter().copied()) {
        built.entry((name.to_owned(), version.to_owned())).or_default().push(user.to_owned());
    }
    built
}

#[test]
fn a_banned_crate_is_refused_and_its_tolerated_user_is_not() {
    assert_eq!(bans(&tree(&[("app", "serde", "1.0.0")])), [""; 0]);
    assert_eq!(bans(&tree(&[("app", "chrono", "0.4.0")])), ["app depends on chrono: time is jiff"]);
    let both = bans(&tree(&[("app", "lazy_static", "1.0.0")]));
    assert_eq!(both, ["app depends on lazy_static: the standard library has `LazyLock`"]);
}

#[test]
fn an_exception_that_nobody_needs_is_refused() {
    let mut built = tree(&[]);
    built.retain(|(name, version), _| name != "lazy_static" && !(name == "syn" && version == "2.0.0"));
    assert_eq!(bans(&built), ["sharded-slab no longer depends on lazy_static: strike the exception"]);
    let [stale] = duplicates(&built).try_into().unwrap();
    assert!(stale.starts_with("syn occurs once"), "{stale}");
}

#[test]
fn a_second_version_is_refused() {
    assert_eq!(duplicates(&tree(&[("a", "log", "0.4.0"), ("b", "log", "0.4.0")])), [""; 0]);
    assert_eq!(
        duplicates(&tree(&[("a", "log", "0.3.0"), ("b", "log", "0.4.0")])),
        ["log occurs as 0.3.0 and 0.4.0"]
    );
}

#[test]
fn a_licence_must_be_stated_and_accepted() {
    let package =
        |license: Option<&str>| Package { license: license.map(str::to_owned), ..Package::default() };
    let check = |license: Option<&str>| {
        let mut packages: BTreeMap<Id, Package> = (0..)
            .zip(LICENSES)
            .map(|(number, license)| ((format!("fine-{number}"), "1.0.0".to_owned()), package(Some(license))))
            .collect();
        packages.insert(("odd".to_owned(), "1.0.0".to_owned()), package(license));
        let built = packages.keys().map(|id| (id.clone(), Vec::new())).collect();
        licenses(&packages, &built)
    };
    assert_eq!(check(Some("MIT OR GPL-3.0-only")), [""; 0]);
    assert_eq!(check(Some("GPL-3.0-only")), ["odd 1.0.0: `GPL-3.0-only` is not accepted"]);
    assert_eq!(check(None), ["odd 1.0.0: states no licence"]);
}
