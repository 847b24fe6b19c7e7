//! Free JSON as attributes that an audit leaf can hold.

use ringwall_types::{ATTRIBUTE_DEPTH_MAX, ATTRIBUTE_ENTRIES_MAX, Attributes, TEXT_BYTES_MAX, Value};

/// Room that is left for what a node adds by itself.
const ENTRIES_MAX: usize = ATTRIBUTE_ENTRIES_MAX - 16;

/// The fields of an object; anything else becomes the one attribute `value`. Fractions become text, since leaves hold no
/// floats; what is too deep, too long, too much or nameless is left out, so that the record can always be read back.
pub(crate) fn attributes_of(data: &serde_json::Value) -> Attributes {
    match data {
        serde_json::Value::Object(fields) => map(fields, 1),
        serde_json::Value::Null => Attributes::new(),
        other => value(other, 1).map(|value| ("value", value)).into_iter().collect(),
    }
}

fn map(fields: &serde_json::Map<String, serde_json::Value>, depth: usize) -> Attributes {
    let fields =
        fields.iter().filter(|(name, _)| !name.is_empty() && name.len() <= TEXT_BYTES_MAX).take(ENTRIES_MAX);
    fields.filter_map(|(name, field)| Some((name.clone(), value(field, depth)?))).collect()
}

fn value(data: &serde_json::Value, depth: usize) -> Option<Value> {
    let is_nested = data.is_array() || data.is_object();
    if is_nested && depth >= ATTRIBUTE_DEPTH_MAX {
        return None;
    }
    Some(match data {
        serde_json::Value::Null => return None,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) if whole.unsigned_abs() <= 1 << 53 => Value::from(whole),
            _ => Value::from(number.to_string()),
        },
        serde_json::Value::String(text) => Value::from(cut(text)),
        serde_json::Value::Array(items) => {
            let items = items.iter().take(ATTRIBUTE_ENTRIES_MAX);
            Value::List(items.filter_map(|item| value(item, depth + 1)).collect())
        }
        serde_json::Value::Object(fields) => Value::Map(map(fields, depth + 1)),
    })
}

fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
