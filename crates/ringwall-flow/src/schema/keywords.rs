//! The keywords of JSON Schema that narrow one type, and how a source must answer each.
//! Promises: a keyword that is not understood must be said by the source in the same words.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::{Comparison, Fit, Misfit, UNDECIDED, is_annotation};

type Schema = Map<String, Value>;

/// Keywords that describe and do not narrow.
pub(super) const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// Keywords decided by this module or its parent, or that speak of another type than the source's.
const UNDERSTOOD: &[&str] = &[
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "contentEncoding",
    "contentMediaType",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
];

/// Every keyword outside [`UNDERSTOOD`] must be the same on both sides, and must not hide a reference.
pub(super) fn others_match(given: &Schema, wanted: &Schema, path: &str) -> Fit {
    let other = |keyword: &&String| !UNDERSTOOD.contains(&keyword.as_str()) && !is_annotation(keyword);
    wanted.keys().filter(other).try_for_each(|keyword| same(given, wanted, keyword, path))
}

pub(super) fn string(given: &Schema, wanted: &Schema, path: &str) -> Fit {
    let length = given.get("const").and_then(Value::as_str).map(|text| Number::from(text.chars().count()));
    let (low, high) = bounds(given, "minLength", "maxLength", length);
    let (low, high) = (low.or(Some(Number::from(0))), high);
    within((low, high), bounds(wanted, "minLength", "maxLength", None), path)?;
    ["format", "pattern", "contentEncoding", "contentMediaType"]
        .iter()
        .try_for_each(|keyword| same(given, wanted, keyword, path))
}

pub(super) fn number(given: &Schema, wanted: &Schema, path: &str) -> Fit {
    within(range(given), range(wanted), path)?;
    if let Some(format) = wanted.get("format").and_then(Value::as_str)
        && format_range(format).is_none()
        && !matches!(format, "float" | "double")
    {
        same(given, wanted, "format", path)?;
    }
    ["exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        .iter()
        .try_for_each(|keyword| same(given, wanted, keyword, path))
}

pub(super) fn array(
    comparison: &mut Comparison<'_>,
    given: &Schema,
    wanted: &Schema,
    path: &str,
    depth: usize,
) -> Fit {
    let (low, high) = bounds(given, "minItems", "maxItems", None);
    within((low.or(Some(Number::from(0))), high), bounds(wanted, "minItems", "maxItems", None), path)?;
    if wanted.get("uniqueItems") == Some(&Value::Bool(true)) {
        same(given, wanted, "uniqueItems", path)?;
    }
    same(given, wanted, "contains", path)?;
    let given_prefix = list(given, "prefixItems");
    let wanted_prefix = list(wanted, "prefixItems");
    let (given_rest, wanted_rest) = (member(given, "items"), member(wanted, "items"));
    for index in 0..given_prefix.len().max(wanted_prefix.len()) {
        let from = given_prefix.get(index).unwrap_or(given_rest);
        let to = wanted_prefix.get(index).unwrap_or(wanted_rest);
        comparison.fit(from, to, &format!("{path}[{index}]"), depth + 1)?;
    }
    let ends = high_count(given).is_some_and(|items| items <= given_prefix.len());
    if ends { Ok(()) } else { comparison.fit(given_rest, wanted_rest, &format!("{path}[]"), depth + 1) }
}

pub(super) fn object(
    comparison: &mut Comparison<'_>,
    given: &Schema,
    wanted: &Schema,
    path: &str,
    depth: usize,
) -> Fit {
    let (given_fields, wanted_fields) = (fields(given), fields(wanted));
    let given_others = other_fields(given);
    for (name, target) in wanted_fields.into_iter().flatten() {
        let inner = format!("{path}.{name}");
        let source = given_fields.and_then(|fields| fields.get(name)).unwrap_or(given_others);
        if requires(wanted, name) && !requires(given, name) {
            let absent = if *source == Value::Bool(false) { "is missing" } else { "may be missing" };
            return Err(Misfit::new(&inner, format!("{absent}, but is required")));
        }
        comparison.fit(source, target, &inner, depth + 1)?;
    }
    let accepted = wanted.get("additionalProperties").unwrap_or(&Value::Bool(true));
    let known = |name: &String| wanted_fields.is_some_and(|fields| fields.contains_key(name));
    for (name, source) in given_fields.into_iter().flatten().filter(|(name, _)| !known(name)) {
        let inner = format!("{path}.{name}");
        if *accepted == Value::Bool(false) {
            return Err(Misfit::new(&inner, "is not accepted here"));
        }
        comparison.fit(source, accepted, &inner, depth + 1)?;
    }
    comparison.fit(given_others, accepted, &format!("{path}.*"), depth + 1)?;
    ["patternProperties", "propertyNames", "minProperties", "maxProperties"]
        .iter()
        .try_for_each(|keyword| same(given, wanted, keyword, path))
}

/// What fields may hold that a source does not list. A source that lists its fields gives no others, since ports
/// are serialized records; one that lists nothing may give anything.
fn other_fields(given: &Schema) -> &Value {
    match given.get("additionalProperties") {
        _ if given.contains_key("patternProperties") => &Value::Bool(true),
        Some(others) => others,
        None if given.contains_key("properties") => &Value::Bool(false),
        None => &Value::Bool(true),
    }
}

fn fields(schema: &Schema) -> Option<&Schema> {
    schema.get("properties").and_then(Value::as_object)
}

fn requires(schema: &Schema, name: &str) -> bool {
    list(schema, "required").iter().any(|required| required == name)
}

fn list<'a>(schema: &'a Schema, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn member<'a>(schema: &'a Schema, keyword: &str) -> &'a Value {
    schema.get(keyword).unwrap_or(&Value::Bool(true))
}

fn high_count(schema: &Schema) -> Option<usize> {
    schema.get("maxItems").and_then(Value::as_u64).and_then(|items| usize::try_from(items).ok())
}

fn same(given: &Schema, wanted: &Schema, keyword: &str, path: &str) -> Fit {
    match wanted.get(keyword) {
        None => Ok(()),
        Some(value) if given.get(keyword) == Some(value) && !mentions_reference(value) => Ok(()),
        Some(_) => Err(Misfit::new(path, format!("{UNDECIDED} by `{keyword}`"))),
    }
}

fn mentions_reference(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(mentions_reference),
        Value::Object(keywords) => keywords.contains_key("$ref") || keywords.values().any(mentions_reference),
        _ => false,
    }
}

type Bounds = (Option<Number>, Option<Number>);

fn bounds(schema: &Schema, low: &str, high: &str, exact: Option<Number>) -> Bounds {
    let read = |keyword: &str| schema.get(keyword).and_then(Value::as_number).cloned();
    (exact.clone().or_else(|| read(low)), exact.or_else(|| read(high)))
}

/// The range of a number: its bounds and those of its format, whichever is narrower.
fn range(schema: &Schema) -> Bounds {
    let exact = schema.get("const").and_then(Value::as_number).cloned();
    let is_exact = exact.is_some();
    let (low, high) = bounds(schema, "minimum", "maximum", exact);
    let format = schema.get("format").and_then(Value::as_str).filter(|_| !is_exact);
    let Some((format_low, format_high)) = format.and_then(format_range) else { return (low, high) };
    let low = low.filter(|low| compare(low, &format_low) == Ordering::Greater).unwrap_or(format_low);
    let high = high.filter(|high| compare(high, &format_high) == Ordering::Less).unwrap_or(format_high);
    (Some(low), Some(high))
}

/// What an integer format can hold. JSON in memory ends at 64 bits, so wider formats do too.
fn format_range(format: &str) -> Option<(Number, Number)> {
    let signed = |low: i64, high: i64| (Number::from(low), Number::from(high));
    let unsigned = |high: u64| (Number::from(0), Number::from(high));
    Some(match format {
        "int8" => signed(i8::MIN.into(), i8::MAX.into()),
        "int16" => signed(i16::MIN.into(), i16::MAX.into()),
        "int32" => signed(i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => signed(i64::MIN, i64::MAX),
        "int128" => (Number::from(i64::MIN), Number::from(u64::MAX)),
        "uint8" => unsigned(u8::MAX.into()),
        "uint16" => unsigned(u16::MAX.into()),
        "uint32" => unsigned(u32::MAX.into()),
        "uint64" | "uint" | "uint128" => unsigned(u64::MAX),
        _ => return None,
    })
}

fn within((given_low, given_high): Bounds, (low, high): Bounds, path: &str) -> Fit {
    let starts = |low: &Number| given_low.as_ref().is_some_and(|given| compare(given, low) != Ordering::Less);
    let ends =
        |high: &Number| given_high.as_ref().is_some_and(|given| compare(given, high) != Ordering::Greater);
    match (low, high) {
        (Some(low), _) if !starts(&low) => Err(Misfit::new(path, format!("may be below {low}"))),
        (_, Some(high)) if !ends(&high) => Err(Misfit::new(path, format!("may be above {high}"))),
        _ => Ok(()),
    }
}

fn compare(left: &Number, right: &Number) -> Ordering {
    let whole = |number: &Number| number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    match (whole(left), whole(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => {
            let (left, right) = (left.as_f64().unwrap_or(f64::NAN), right.as_f64().unwrap_or(f64::NAN));
            left.total_cmp(&right)
        }
    }
}
