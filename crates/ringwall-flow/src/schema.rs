//! Whether every value that one JSON Schema describes is accepted by another.
//! Decides on type, required, enum, items and nesting, through references, and on number ranges and lengths.
//! Promises: never says yes on a guess; what it cannot decide is a misfit that says so. Never repeats a value.
//! Does not validate values: serde does that; [`explain`] only says where a refused value went wrong.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

mod keywords;

use keywords::{ANNOTATIONS, array, number, object, string};

/// Where and why a source does not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Misfit {
    path: String,
    reason: String,
}

impl Misfit {
    fn new(path: &str, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            write!(out, "at {}: ", crate::name::quoted(&self.path))?;
        }
        out.write_str(&self.reason)
    }
}

type Fit = Result<(), Misfit>;

/// Whether a port that gives `source` may feed a port that takes `target`. Both hold their own `$defs`.
pub(crate) fn fits(source: &Value, target: &Value) -> Fit {
    let mut comparison =
        Comparison { source_root: source, target_root: target, assumed: BTreeSet::new(), steps: 0 };
    comparison.fit(source, target, "", 0)
}

/// Why `schema` does not accept `value`, without repeating the value; `None` if it seems to.
pub(crate) fn explain(value: &Value, schema: &Value) -> Option<Misfit> {
    let mut room = EXPLAINED_VALUES_MAX;
    fits(&schema_of(value, 0, &mut room), schema).err()
}

struct Comparison<'a> {
    source_root: &'a Value,
    target_root: &'a Value,
    /// Pairs of references being compared further out: recursive types fit if nothing else speaks against it.
    assumed: BTreeSet<(String, String)>,
    steps: usize,
}

impl Comparison<'_> {
    fn fit(&mut self, source: &Value, target: &Value, path: &str, depth: usize) -> Fit {
        self.steps += 1;
        if self.steps > STEPS_MAX || depth > DEPTH_MAX {
            return Err(Misfit::new(path, "the types are too deep to compare"));
        }
        if accepts_anything(target) || *source == Value::Bool(false) {
            return Ok(());
        }
        let Some(wanted) = target.as_object() else {
            return Err(Misfit::new(path, "nothing is accepted here"));
        };
        let Some(given) = source.as_object().filter(|_| !accepts_anything(source)) else {
            return Err(Misfit::new(path, format!("may be any value, expected {}", kinds_shown(wanted))));
        };
        if given.contains_key("$ref") || wanted.contains_key("$ref") {
            return self.fit_referenced((source, given), (target, wanted), path, depth);
        }
        self.fit_combined(given, wanted, path, depth)
    }

    fn fit_referenced(
        &mut self,
        (source, given): (&Value, &Map<String, Value>),
        (target, wanted): (&Value, &Map<String, Value>),
        path: &str,
        depth: usize,
    ) -> Fit {
        let pair = reference(given).zip(reference(wanted)).map(|(from, to)| (from.to_owned(), to.to_owned()));
        if let Some(pair) = &pair
            && !self.assumed.insert(pair.clone())
        {
            return Ok(());
        }
        let resolved = resolve(self.source_root, source).zip(resolve(self.target_root, target));
        let answer = match resolved {
            Some((source, target)) => self.fit(&source, &target, path, depth + 1),
            None => Err(Misfit::new(path, "a reference in the schema leads nowhere")),
        };
        if let Some(pair) = &pair {
            self.assumed.remove(pair);
        }
        answer
    }

    /// Takes `allOf`, `anyOf`, `oneOf`, `enum` and lists of types apart, then compares single types.
    fn fit_combined(
        &mut self,
        given: &Map<String, Value>,
        wanted: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Fit {
        if let Some((rest, members)) = without(wanted, "allOf") {
            return std::iter::once(&rest)
                .chain(members)
                .try_for_each(|member| self.fit(&Value::Object(given.clone()), member, path, depth + 1));
        }
        if let Some(alternatives) = alternatives_of(given) {
            let target = Value::Object(wanted.clone());
            return alternatives.iter().try_for_each(|one| self.fit(one, &target, path, depth + 1));
        }
        if let Some((rest, members)) = without(given, "allOf") {
            let target = Value::Object(wanted.clone());
            let fitting = std::iter::once(&rest)
                .chain(members)
                .any(|one| self.fit(one, &target, path, depth + 1).is_ok());
            return if fitting { Ok(()) } else { Err(Misfit::new(path, UNDECIDED)) };
        }
        let source = Value::Object(given.clone());
        for keyword in ["anyOf", "oneOf"] {
            if let Some((rest, members)) = without(wanted, keyword) {
                self.fit(&source, &rest, path, depth + 1)?;
                return self.fit_any(&source, members, path, depth);
            }
        }
        self.fit_single(given, wanted, path, depth)
    }

    fn fit_any(&mut self, source: &Value, members: &[Value], path: &str, depth: usize) -> Fit {
        let mut misfits = Vec::new();
        for member in members {
            match self.fit(source, member, path, depth + 1) {
                Ok(()) => return Ok(()),
                Err(misfit) => misfits.push(misfit),
            }
        }
        // The alternative that went furthest is the one that was meant.
        let furthest = misfits.into_iter().rfind(|misfit| misfit.path.len() > path.len());
        Err(furthest.unwrap_or_else(|| Misfit::new(path, "none of the accepted alternatives fits")))
    }

    fn fit_single(
        &mut self,
        given: &Map<String, Value>,
        wanted: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Fit {
        let Some(kind) = given.get("type").and_then(Value::as_str) else {
            return Err(Misfit::new(path, format!("of no stated type, expected {}", kinds_shown(wanted))));
        };
        if let Some(types) = wanted.get("type")
            && !includes_type(types, kind)
        {
            return Err(Misfit::new(path, format!("found `{kind}`, expected {}", kinds_shown(wanted))));
        }
        if let Some(allowed) = allowed_values(wanted)
            && !given.get("const").is_some_and(|value| allowed.contains(&value))
        {
            let shown: Vec<String> = allowed.iter().take(8).map(|value| format!("`{value}`")).collect();
            return Err(Misfit::new(path, format!("expected one of {}", shown.join(", "))));
        }
        match kind {
            "string" => string(given, wanted, path)?,
            "integer" | "number" => number(given, wanted, path)?,
            "array" => array(self, given, wanted, path, depth)?,
            "object" => object(self, given, wanted, path, depth)?,
            _ => {}
        }
        keywords::others_match(given, wanted, path)
    }
}

fn accepts_anything(schema: &Value) -> bool {
    match schema {
        Value::Bool(accepted) => *accepted,
        Value::Object(keywords) => keywords.keys().all(|keyword| is_annotation(keyword)),
        _ => false,
    }
}

fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
}

fn reference(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)
}

/// `schema` with its own `$ref` followed; keywords beside the reference bind as well.
fn resolve(root: &Value, schema: &Value) -> Option<Value> {
    let Some(keywords) = schema.as_object() else { return Some(schema.clone()) };
    let Some(path) = reference(keywords) else { return Some(schema.clone()) };
    let pointer = path.strip_prefix('#').filter(|pointer| !pointer.is_empty())?;
    let found = root.pointer(pointer)?.clone();
    let mut beside = keywords.clone();
    beside.remove("$ref");
    let beside = Value::Object(beside);
    if accepts_anything(&beside) { Some(found) } else { Some(json!({ "allOf": [found, beside] })) }
}

/// The rest of `schema` beside a keyword that holds a list of schemas, and that list.
fn without<'a>(schema: &'a Map<String, Value>, keyword: &str) -> Option<(Value, &'a [Value])> {
    let members = schema.get(keyword)?.as_array()?;
    let mut rest = schema.clone();
    rest.remove(keyword);
    Some((Value::Object(rest), members))
}

/// The cases a source falls into, if it is more than one: each must fit.
fn alternatives_of(given: &Map<String, Value>) -> Option<Vec<Value>> {
    for keyword in ["anyOf", "oneOf"] {
        if let Some((rest, members)) = without(given, keyword) {
            return Some(members.iter().map(|member| joined(member, &rest)).collect());
        }
    }
    if let Some(values) = given.get("enum").and_then(Value::as_array) {
        return Some(
            values.iter().map(|value| schema_of(value, 0, &mut EXPLAINED_VALUES_MAX.clone())).collect(),
        );
    }
    if let Some(value) = given.get("const").filter(|_| !given.contains_key("type")) {
        return Some(vec![schema_of(value, 0, &mut EXPLAINED_VALUES_MAX.clone())]);
    }
    let types = given.get("type").and_then(Value::as_array)?;
    let single = |kind: &Value| {
        let mut one = given.clone();
        one.insert("type".to_owned(), kind.clone());
        Value::Object(one)
    };
    Some(types.iter().map(single).collect())
}

/// One alternative together with what stands beside the list. Fields of both are the fields of the whole, which is
/// how a tagged enum with shared fields is written; anything else that both say is left for `allOf`.
fn joined(member: &Value, rest: &Value) -> Value {
    let (Some(member_keywords), Some(rest_keywords)) = (member.as_object(), rest.as_object()) else {
        return member.clone();
    };
    if accepts_anything(rest) {
        return member.clone();
    }
    let mut whole = rest_keywords.clone();
    for (keyword, value) in member_keywords {
        match (keyword.as_str(), whole.get_mut(keyword), value) {
            ("properties", Some(Value::Object(fields)), Value::Object(more))
                if more.keys().all(|name| !fields.contains_key(name)) =>
            {
                fields.extend(more.clone());
            }
            ("required", Some(Value::Array(names)), Value::Array(more)) => names.extend(more.clone()),
            (_, Some(other), value) if other != value && !is_annotation(keyword) => {
                return json!({ "allOf": [member, rest] });
            }
            _ => {
                whole.insert(keyword.clone(), value.clone());
            }
        }
    }
    Value::Object(whole)
}

/// The narrowest schema of one value. Beyond `room` values or [`DEPTH_MAX`] levels: anything.
fn schema_of(value: &Value, depth: usize, room: &mut usize) -> Value {
    *room = room.saturating_sub(1);
    if *room == 0 || depth > DEPTH_MAX {
        return Value::Bool(true);
    }
    match value {
        Value::Array(items) if items.len() < *room => {
            let prefix: Vec<Value> = items.iter().map(|item| schema_of(item, depth + 1, room)).collect();
            let length = prefix.len();
            json!({ "type": "array", "prefixItems": prefix, "items": false,
                    "minItems": length, "maxItems": length })
        }
        Value::Object(fields) if fields.len() < *room => {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|(name, field)| (name.clone(), schema_of(field, depth + 1, room)))
                .collect();
            let required: Vec<&String> = fields.keys().collect();
            json!({ "type": "object", "properties": properties, "required": required,
                    "additionalProperties": false })
        }
        Value::Array(_) | Value::Object(_) => json!({ "type": type_of(value) }),
        scalar => json!({ "type": type_of(scalar), "const": scalar }),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn includes_type(types: &Value, kind: &str) -> bool {
    let is = |one: &Value| one == kind || (one == "number" && kind == "integer");
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

fn allowed_values(wanted: &Map<String, Value>) -> Option<Vec<&Value>> {
    match (wanted.get("const"), wanted.get("enum").and_then(Value::as_array)) {
        (Some(only), _) => Some(vec![only]),
        (None, Some(values)) => Some(values.iter().collect()),
        (None, None) => None,
    }
}

fn kinds_shown(wanted: &Map<String, Value>) -> String {
    let types = match wanted.get("type") {
        Some(Value::String(one)) => vec![format!("`{one}`")],
        Some(Value::Array(types)) => {
            types.iter().filter_map(Value::as_str).map(|one| format!("`{one}`")).collect()
        }
        _ => vec!["something narrower".to_owned()],
    };
    types.join(" or ")
}

const UNDECIDED: &str = "whether the types fit cannot be decided";
/// Comparisons made for one pair of ports.
const STEPS_MAX: usize = 10_000;
/// Levels of nesting compared.
const DEPTH_MAX: usize = 64;
/// Values of a refused document that are looked at to say where it went wrong.
const EXPLAINED_VALUES_MAX: usize = 2_000;

#[cfg(test)]
mod tests;
