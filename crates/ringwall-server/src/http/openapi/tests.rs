use super::*;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/openapi.json");

#[test]
fn the_committed_description_is_what_the_code_says() {
    let made = format!("{:#}\n", document());
    if std::env::var_os("RINGWALL_UPDATE_SCHEMAS").is_some() {
        std::fs::write(COMMITTED, &made).unwrap();
    }
    let committed = std::fs::read_to_string(COMMITTED).unwrap();
    assert!(committed == made, "schemas/openapi.json is out of date; run `cargo xtask schemas`");
}

#[test]
fn every_reference_has_a_schema() {
    let document = document();
    let mut missing = Vec::new();
    walk(&document, &mut |reference| {
        let known = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        if known.is_none() {
            missing.push(reference.to_owned());
        }
    });
    assert!(missing.is_empty(), "{missing:?}");
    assert!(document.pointer("/paths/~1v1~1decide/post/requestBody").is_some());
}

fn walk(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                found(reference);
            }
            object.values().for_each(|value| walk(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
        _ => {}
    }
}
